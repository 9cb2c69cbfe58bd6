"""The figures of VGG show the numbers they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.plots.vgg import errors_by_depth, losses, shares, signals


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def legend(figure):
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_errors_by_depth_draws_each_series_over_its_depths():
    figure = errors_by_depth({"3x3": {11: 10.4, 13: 9.9}, "1x1": {16: 9.4}})
    first, second = figure.axes[0].lines
    np.testing.assert_array_equal(first.get_xydata(), [[11, 10.4], [13, 9.9]])
    np.testing.assert_array_equal(second.get_xydata(), [[16, 9.4]])
    # One network has no line, so its mark is all there is to see.
    assert (first.get_linestyle(), second.get_linestyle()) == ("-", "None")
    assert second.get_marker() not in ("", "None", None)
    assert legend(figure) == ["3x3", "1x1"]
    assert list(figure.axes[0].get_xticks()) == [11, 13, 16]


def test_shares_are_percent_of_the_whole_network():
    figure = shares({"stage 1": 10, "dense": 90}, {"stage 1": 3, "dense": 1})
    axis = figure.axes[0]
    parameters, multiply_adds = axis.containers
    assert [bar.get_width() for bar in parameters] == [10, 90]
    assert [bar.get_width() for bar in multiply_adds] == [75, 25]
    assert [text.get_text() for text in axis.get_yticklabels()] == ["stage 1", "dense"]
    assert axis.yaxis_inverted()


def test_shares_of_different_parts_are_refused():
    with pytest.raises(ValueError, match=r"\['a'\] have parameters, \['b'\]"):
        shares({"a": 1}, {"b": 1})


def test_signals_draws_marks_beside_their_law():
    figure = signals(
        {"He": [1.5, 1.4]}, {"He": [1.0, 1.0]}, ["conv1", "conv2"], "CIFAR-10"
    )
    axis = figure.axes[0]
    law, marks = axis.lines
    assert list(law.get_ydata()) == [1.0, 1.0]
    assert list(marks.get_ydata()) == [1.5, 1.4]
    assert law.get_color() == marks.get_color()
    assert marks.get_linestyle() == "None"
    assert axis.get_yscale() == "log" and axis.get_title() == "CIFAR-10"
    assert [text.get_text() for text in axis.get_xticklabels()] == ["conv1", "conv2"]


def test_signals_refuses_what_is_missing():
    with pytest.raises(ValueError, match="no law for 'He'.*Glorot"):
        signals({"He": [1.0]}, {"Glorot": [1.0]}, ["conv1"])
    with pytest.raises(ValueError, match="He has 1 sizes for 2 layers"):
        signals({"He": [1.0, 1.0]}, {"He": [1.0]}, ["conv1", "conv2"])


def test_losses_counts_epochs_from_one_and_marks_guessing():
    figure = losses({"He": [2.3, 2.1, 1.9], "Glorot": [2.3, 2.3, 2.3]}, np.log(10))
    he, glorot, guessing = figure.axes[0].lines
    np.testing.assert_array_equal(he.get_xydata(), [[1, 2.3], [2, 2.1], [3, 1.9]])
    assert list(glorot.get_ydata()) == [2.3] * 3
    assert list(guessing.get_ydata()) == [np.log(10)] * 2
    assert legend(figure) == ["He", "Glorot", "guessing: 2.303"]
