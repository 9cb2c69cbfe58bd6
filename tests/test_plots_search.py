"""The figures of architecture search show the numbers they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.architectures.search import Trial
from helpers.plots.search import agreement, fronts, progress, sizes

TRIALS = [Trial({}, 30_000, 0.6), Trial({}, 10_000, 0.4), Trial({}, 20_000, 0.3)]
FRONT = [TRIALS[1], TRIALS[0]]


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_sizes_counts_every_candidate_once_on_its_side_of_the_limit():
    parameters = np.array([[5, 99], [100, 101], [9, 250]])
    axis = sizes(parameters, limit=100).axes[0]
    bars = [
        (round(1000 * bar.get_x()), round(1000 * bar.get_height()))
        for bar in axis.patches
        if bar.get_height()
    ]
    assert bars == [(0, 2), (90, 1), (100, 2), (250, 1)]
    labels = [text.get_text() for text in axis.get_legend().get_texts()]
    assert labels == ["below the limit: 3", "too large: 3"]


def test_progress_draws_median_and_middle_half_of_the_searches():
    values = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 8.0]])
    panels = {"one": {"a": values}, "two": {"a": values[:1], "b": values[1]}}
    figure = progress(panels, "value", ceiling=9.0)
    first, second = figure.axes
    median, ceiling = first.lines
    np.testing.assert_array_equal(median.get_xydata(), [[1, 3], [2, 4]])
    assert list(ceiling.get_ydata()) == [9.0, 9.0]
    band = first.collections[0].get_paths()[0].vertices
    assert {(1, 2.0), (1, 4.0), (2, 3.0), (2, 6.0)} <= set(map(tuple, band.tolist()))
    np.testing.assert_array_equal(second.lines[0].get_ydata(), [1, 2])
    np.testing.assert_array_equal(second.lines[1].get_ydata(), [3, 4])
    assert first.get_ylim() == second.get_ylim()
    assert [axis.get_title() for axis in figure.axes] == ["one", "two"]


def test_fronts_draws_trials_as_marks_and_fronts_as_steps():
    axis = fronts({"a": (TRIALS, FRONT)}, known=TRIALS[:1], title="t").axes[0]
    marks, steps, known = axis.lines
    np.testing.assert_allclose(marks.get_xydata(), [[30, 60], [10, 40], [20, 30]])
    assert marks.get_linestyle() == "None"
    np.testing.assert_allclose(steps.get_xydata(), [[10, 40], [30, 60]])
    assert steps.get_drawstyle() == "steps-post"
    np.testing.assert_allclose(known.get_xydata(), [[30, 60]])
    labels = [text.get_text() for text in axis.get_legend().get_texts()]
    assert labels == ["a", "whole space"]
    assert axis.get_title() == "t"


def test_agreement_draws_pairs_and_the_diagonal_where_it_passes():
    near = {"a": ([50.0, 60.0], [52.0, 58.0]), "b": ([55.0], [55.0])}
    far = {"a": ([50.0, 60.0], [80.0, 90.0])}
    figure = agreement({"again": near, "longer": far}, "short", "images")
    left, right = figure.axes
    np.testing.assert_array_equal(left.lines[0].get_xydata(), [[50, 52], [60, 58]])
    np.testing.assert_array_equal(left.lines[1].get_xydata(), [[55, 55]])
    assert list(left.lines[2].get_xdata()) == list(left.lines[2].get_ydata())
    assert len(right.lines) == 1
    assert (left.get_ylabel(), right.get_ylabel()) == ("again", "longer")
    assert figure.get_suptitle() == "images"
