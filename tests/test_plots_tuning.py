"""The figures of a search show the numbers they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.plots.tuning import by_trials, panels, projections, stopped


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_projections_draws_the_trials_and_what_they_see():
    grid = np.array([(x, y) for x in (0.25, 0.75) for y in (0.25, 0.75)])
    free = np.array([(0.1, 0.2), (0.4, 0.9), (0.8, 0.3)])
    figure = projections({"grid": grid, "random": free}, lambda x, y: 10 * x + y)
    upper, lower = figure.axes[:2], figure.axes[2:]
    for points, above, square in zip((grid, free), upper, lower, strict=True):
        np.testing.assert_array_equal(square.lines[0].get_xydata(), points)
        values = np.unique(points[:, 0])
        drawn = above.lines[1].get_xydata()
        np.testing.assert_allclose(drawn, np.c_[values, 10 * values + 0.5])
    assert [axis.get_title() for axis in upper] == [
        "grid: 2 values of the first",
        "random: 3 values of the first",
    ]


def test_panels_mark_the_best_and_what_is_as_good():
    candidates = [
        {"peak": 0.01, "batch_size": 32},
        {"peak": 0.1, "batch_size": 64},
        {"peak": 1.0, "batch_size": 64},
    ]
    figure = panels(
        candidates,
        [50.0, 70.0, 69.0],
        "CIFAR-10",
        logarithmic=("peak",),
        margin=1.5,
        labels={"peak": "peak learning rate"},
    )
    peak, batch = figure.axes
    far, near, best = peak.lines
    np.testing.assert_array_equal(far.get_xydata(), [[0.01, 50]])
    np.testing.assert_array_equal(near.get_xydata(), [[0.1, 70], [1.0, 69]])
    np.testing.assert_array_equal(best.get_xydata(), [[0.1, 70]])
    assert (peak.get_xscale(), batch.get_xscale()) == ("log", "linear")
    labels = [axis.get_xlabel() for axis in figure.axes]
    assert labels == ["peak learning rate", "batch size"]
    assert figure.get_suptitle() == "CIFAR-10"


def test_panels_name_the_values_of_a_choice():
    candidates = [{"peak": 0.1 * n, "size": 32 * 2 ** (n % 3)} for n in range(1, 8)]
    scales = ("peak", "size")
    figure = panels(candidates, range(7), "CIFAR-10", logarithmic=scales)
    size = figure.axes[1]
    assert [tick.get_text() for tick in size.get_xticklabels()] == ["32", "64", "128"]
    assert len(size.get_xticks(minor=True)) == 0


@pytest.mark.parametrize("candidates, accuracies", [([], []), ([{"a": 1}], [1, 2])])
def test_panels_without_trials_are_refused(candidates, accuracies):
    told = f"{len(candidates)} trials and {len(accuracies)} accuracies"
    with pytest.raises(ValueError, match=told):
        panels(candidates, accuracies, "CIFAR-10")


def test_by_trials_counts_from_one():
    figure = by_trials(
        {"random": [1.0, 2.0, 2.5], "TPE": [0.5, 3.0]},
        "accuracy (%)",
        "CIFAR-10",
        points={"drawn": ([2], [1.9])},
        logarithmic=True,
    )
    axis = figure.axes[0]
    first, second, dots = axis.lines
    np.testing.assert_array_equal(first.get_xydata(), [[1, 1], [2, 2], [3, 2.5]])
    np.testing.assert_array_equal(second.get_xydata(), [[1, 0.5], [2, 3]])
    np.testing.assert_array_equal(dots.get_xydata(), [[2, 1.9]])
    texts = [text.get_text() for text in axis.get_legend().get_texts()]
    assert texts == ["random", "TPE", "drawn"]
    assert axis.get_xscale() == "log" and axis.get_ylabel() == "accuracy (%)"


def test_stopped_ends_each_curve_where_the_rule_did():
    curves = [[10.0, 20.0, 30.0], [12.0, 15.0, 18.0]]
    figure = stopped({"median": curves}, {"median": [3, 1]}, "CIFAR-10")
    axis = figure.axes[0]
    pale, whole, pale2, short, best = axis.lines
    np.testing.assert_array_equal(pale.get_ydata(), curves[0])
    np.testing.assert_array_equal(whole.get_ydata(), curves[0])
    np.testing.assert_array_equal(pale2.get_ydata(), curves[1])
    np.testing.assert_array_equal(short.get_xydata(), [[1, 12.0]])
    np.testing.assert_array_equal(best.get_xydata(), [[3, 30.0]])
    assert whole.get_color() != short.get_color()
    assert axis.get_title() == "median"
