"""The figures of AlexNet show the numbers they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from helpers.plots.alexnet import (
    BLUE,
    QUIET,
    responses,
    shares,
    training_errors,
    winners,
)


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_winners_are_bars_of_their_errors():
    errors = {2011: ("XRCE", 25.8), 2012: ("AlexNet", 16.4), 2013: ("Clarifai", 11.7)}
    axis = winners(errors, first_network=2012, human=5.1).axes[0]
    assert [bar.get_height() for bar in axis.patches] == [25.8, 16.4, 11.7]
    colours = [to_hex(bar.get_facecolor()).upper() for bar in axis.patches]
    assert colours == [QUIET.upper(), BLUE, BLUE]
    assert [text.get_text() for text in axis.texts] == ["25.8", "16.4", "11.7"]
    labels = [label.get_text() for label in axis.get_xticklabels()]
    assert labels == ["2011\nXRCE", "2012\nAlexNet", "2013\nClarifai"]
    assert list(axis.lines[0].get_ydata()) == [5.1, 5.1]


def test_responses_stand_side_by_side_over_their_channel():
    after = {"even": [1.0, 1.0, 1.0], "spike": [0.5, 3.0, 0.5]}
    left, right = responses([2.0, 9.0, 2.0], after).axes
    assert [bar.get_height() for bar in left.patches] == [2, 9, 2]
    bars = np.array(right.patches).reshape(2, 3)
    for row, values in zip(bars, after.values(), strict=True):
        assert [bar.get_height() for bar in row] == values
    for channel in range(3):
        first, second = bars[:, channel]
        assert first.get_x() == pytest.approx(channel - 0.4)
        assert second.get_x() == pytest.approx(first.get_x() + first.get_width())
        assert second.get_x() + second.get_width() == pytest.approx(channel + 0.4)


def test_training_errors_count_epochs_from_one():
    errors = {"ReLU": [60.0, 20.0], "tanh": [70.0, 50.0, 24.0]}
    axis = training_errors(errors, 25, "CIFAR-10").axes[0]
    relu, tanh, target = axis.lines
    assert relu.get_xydata().tolist() == [[1, 60], [2, 20]]
    assert tanh.get_xydata().tolist() == [[1, 70], [2, 50], [3, 24]]
    assert list(target.get_ydata()) == [25, 25]
    assert axis.get_title() == "CIFAR-10" and axis.get_ylim()[0] == 0
    assert all(tick == round(tick) for tick in axis.get_xticks())


def test_shares_fill_each_bar():
    counts = {
        "parameters": {"convolutions": 10, "dense": 190},
        "multiply-adds": {"convolutions": 99, "dense": 1},
    }
    axis = shares(counts).axes[0]
    widths = [[bar.get_width() for bar in bars] for bars in axis.containers]
    np.testing.assert_allclose(widths, [[5, 99], [95, 1]])
    starts = [[bar.get_x() for bar in bars] for bars in axis.containers]
    np.testing.assert_allclose(starts, [[0, 0], [5, 99]])
    # The piece of 1% is too narrow for its figure.
    assert [text.get_text() for text in axis.texts] == ["5", "99", "95", ""]
    assert [text.get_text() for text in axis.get_yticklabels()] == list(counts)


def test_too_many_parts_are_refused():
    parts = dict.fromkeys("abcde", 1)
    with pytest.raises(ValueError, match="there are 5 parts"):
        shares({"parameters": parts})
