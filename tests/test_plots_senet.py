"""The figures of SENet show the gates they are given, in the order they promise."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.plots.senet import mean_gates, raised_channels, spread_by_block

CLASSES = ("cat", "dog")
EARLY = np.array([[0.9, 0.1, 0.5], [0.9, 0.1, 0.5]])
LATE = np.array([[0.2, 0.8, 0.5, 0.5], [0.6, 0.4, 0.5, 0.7]])


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def shown(axis):
    return np.asarray(axis.images[0].get_array())


def test_mean_gates_stand_in_the_order_of_their_mean_on_one_scale():
    figure = mean_gates({"early": EARLY, "late": LATE}, CLASSES, "CIFAR-10")
    early, late = figure.axes[:2]
    np.testing.assert_allclose(shown(early), [[0.1, 0.5, 0.9]] * 2)
    # Means 0.4, 0.6, 0.5, 0.6.
    assert list(shown(late)[0][:2]) == [0.2, 0.5]
    assert early.images[0].get_clim() == late.images[0].get_clim() == (0.1, 0.9)
    assert [text.get_text() for text in early.get_yticklabels()] == list(CLASSES)
    assert late.get_xlabel().startswith("4 channels")
    assert (early.get_title(), figure.get_suptitle()) == ("early", "CIFAR-10")


def test_spread_by_block_draws_a_line_each_from_zero():
    spreads = {"between channels": [0.3, 0.2], "between classes": [0.01, 0.1]}
    figure = spread_by_block(spreads, ["stage1_block1", "stage3_block3"], "CIFAR-10")
    axis = figure.axes[0]
    for line, values in zip(axis.lines, spreads.values(), strict=True):
        assert list(line.get_ydata()) == values
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == list(spreads)
    names = [text.get_text() for text in axis.get_xticklabels()]
    assert names == ["stage1\nblock1", "stage3\nblock3"]
    assert axis.get_ylim()[0] == 0 and axis.get_title() == "CIFAR-10"


def test_raised_channels_put_the_channels_of_a_class_side_by_side():
    axis = raised_channels(LATE, CLASSES).axes[0]
    # Half of the differences 0.4, -0.4, 0 and 0.2 of the dog from the cat. The cat
    # raises channel 1, and channel 2 as little as the dog does.
    names = [text.get_text() for text in axis.get_xticklabels()]
    assert names == ["1", "2", "0", "3"]
    expected = [[0.2, 0, -0.2, -0.1], [-0.2, 0, 0.2, 0.1]]
    np.testing.assert_allclose(shown(axis), expected, atol=1e-12)
    np.testing.assert_allclose(axis.images[0].get_clim(), (-0.2, 0.2))


def test_gates_that_no_class_changes_have_a_scale():
    axis = raised_channels(EARLY, CLASSES).axes[0]
    assert axis.images[0].get_clim() == (-1, 1)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: mean_gates({"late": LATE[:1]}, CLASSES), r"'late'.*\(1, 4\) for 2"),
        (lambda: raised_channels(LATE[0], CLASSES), r"'means'.*\(4,\) for 2 classes"),
        (lambda: spread_by_block({"a": [1.0]}, ["x", "y"]), "'a' has 1 values for 2"),
    ],
)
def test_wrong_shapes_are_named(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()
