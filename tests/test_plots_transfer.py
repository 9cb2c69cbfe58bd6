"""The figures of transfer show the numbers they are given."""

import matplotlib.pyplot as plt
import pytest

from helpers.plots.transfer import accuracy_by_labels, forgetting


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_lines_pass_through_the_means_and_every_draw_is_a_dot():
    results = {"frozen": {50: [80.0, 84.0], 10: [70.0, 60.0, 65.0]}}
    figure = accuracy_by_labels(results, "CIFAR-10")
    (axis,) = figure.axes
    *dots, line = axis.lines
    assert list(line.get_xdata()) == [10, 50] and list(line.get_ydata()) == [65, 82]
    assert [list(dot.get_ydata()) for dot in dots] == [[70, 60, 65], [80, 84]]
    assert axis.get_xscale() == "log"
    assert [text.get_text() for text in axis.get_xticklabels()] == ["10", "50"]
    assert axis.get_title() == "CIFAR-10"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["frozen"]


def test_lines_stand_beside_each_other_around_the_number():
    results = {name: {10: [50.0]} for name in ("a", "b", "c")}
    lines = [
        line
        for line in accuracy_by_labels(results, "CIFAR-10").axes[0].lines
        if line.get_label() in results
    ]
    left, middle, right = (line.get_xdata()[0] for line in lines)
    assert left < middle == 10 < right


def test_number_without_a_run_is_refused():
    with pytest.raises(ValueError, match="'frozen' has no accuracy at 50 images"):
        accuracy_by_labels({"frozen": {10: [60.0], 50: []}}, "CIFAR-10")


def test_forgetting_draws_each_series():
    series = {"frozen": {0: 90.0, 8: 90.0}, "left to move": {0: 90.0, 8: 40.0}}
    (axis,) = forgetting(series, "CIFAR-10").axes
    assert [list(line.get_ydata()) for line in axis.lines] == [[90, 90], [90, 40]]
    assert list(axis.lines[1].get_xdata()) == [0, 8]
    shown = [text.get_text() for text in axis.get_legend().get_texts()]
    assert shown == list(series) and axis.get_title() == "CIFAR-10"
