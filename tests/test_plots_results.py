"""The figures of results show the numbers they are given, each name readable."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.text import Text

from helpers.plots.labels import place_names
from helpers.plots.results import accuracy_by_cost, comparisons

COSTS = {"lenet": 62_006, "base": 1_172_410, "alexnet": 1_790_154}
ACCURACIES = {"lenet": [68.3], "base": [79.0, 79.6, 79.3], "alexnet": [85.4]}


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def boxes(axis):
    axis.figure.draw_without_rendering()
    return {text.get_text(): Text.get_window_extent(text) for text in axis.texts}


def test_networks_stand_at_their_cost_and_mean_accuracy():
    axis = accuracy_by_cost(COSTS, ACCURACIES, "parameters", title="images").axes[0]
    (marks,) = axis.lines
    np.testing.assert_allclose(
        marks.get_xydata(), [[62_006, 68.3], [1_172_410, 79.3], [1_790_154, 85.4]]
    )
    assert axis.get_xscale() == "log"
    assert axis.get_xlabel() == "parameters" and axis.get_title() == "images"
    assert set(boxes(axis)) == set(COSTS)


def test_two_marks_may_carry_one_name():
    costs, reached = (
        {"net, CPU": 60, "net, GPU": 4},
        {"net, CPU": [90], "net, GPU": [91]},
    )
    names = {"net, CPU": "net", "net, GPU": "net"}
    axis = accuracy_by_cost(costs, reached, "seconds", names=names).axes[0]
    assert [(text.get_text(), *text.xy) for text in axis.texts] == [
        ("net", 60, 90),
        ("net", 4, 91),
    ]


def test_a_bar_spans_the_seeds():
    axis = accuracy_by_cost(COSTS, ACCURACIES, "parameters").axes[0]
    bars = [bar.get_segments()[0].tolist() for bar in axis.collections]
    assert [[1_172_410, 79.0], [1_172_410, 79.6]] in bars
    assert [[62_006, 68.3], [62_006, 68.3]] in bars


def test_halving_the_error_is_always_the_same_distance():
    axis = accuracy_by_cost(COSTS, ACCURACIES, "parameters").axes[0]
    axis.figure.draw_without_rendering()
    heights = axis.transData.transform([(1e6, y) for y in (60, 80, 90, 95)])[:, 1]
    steps = np.diff(heights)
    assert steps[0] > 0
    np.testing.assert_allclose(steps, steps[0])


def test_groups_differ_in_colour_and_mark_and_are_named():
    groups = {"lenet": "course", "alexnet": "course", "base": "sheet"}
    figure = accuracy_by_cost(COSTS, ACCURACIES, "parameters", groups)
    course, sheet = figure.axes[0].lines
    np.testing.assert_array_equal(course.get_xdata(), [62_006, 1_790_154])
    assert course.get_marker() != sheet.get_marker()
    assert course.get_color() != sheet.get_color()
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["course", "sheet"]


def test_published_accuracies_are_open_marks_at_the_same_cost():
    published = {"lenet": (76.2, 76.2), "alexnet": (75.6, 78.4), "nin": (91.2, 91.6)}
    figure = accuracy_by_cost(COSTS, ACCURACIES, "parameters", published=published)
    axis = figure.axes[0]
    (marks,) = [line for line in axis.lines if "published" in line.get_label()]
    # What was not run here has no place in the figure.
    np.testing.assert_allclose(marks.get_xydata(), [[62_006, 76.2], [1_790_154, 77.0]])
    assert marks.get_markerfacecolor() == "white" and marks.get_linestyle() == "None"
    bars = [bar.get_segments()[0].tolist() for bar in axis.collections]
    assert [[1_790_154, 75.6], [1_790_154, 78.4]] in bars


def test_the_front_rises_where_a_better_network_begins():
    figure = accuracy_by_cost(
        COSTS, ACCURACIES, "parameters", front=["alexnet", "lenet"]
    )
    (line,) = [x for x in figure.axes[0].lines if x.get_label() == "beaten by none"]
    np.testing.assert_allclose(line.get_xydata(), [[62_006, 68.3], [1_790_154, 85.4]])
    assert line.get_drawstyle() == "steps-post"


@pytest.mark.parametrize(
    "costs, accuracies, message",
    [
        ({"a": 0}, {"a": [90.0]}, "'a' costs 0"),
        ({"a": 1}, {}, "'a' has no accuracy"),
        ({"a": 1}, {"a": []}, "'a' has no accuracy"),
    ],
)
def test_what_cannot_be_drawn_is_named(costs, accuracies, message):
    with pytest.raises(ValueError, match=message):
        accuracy_by_cost(costs, accuracies, "parameters")


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.floats(0.05, 0.95), st.floats(0.1, 0.9)), max_size=14))
def test_names_cover_no_name_and_no_mark_and_stay_inside(points):
    figure, axis = plt.subplots(figsize=(8, 5), layout="constrained")
    axis.set(xlim=(0, 1), ylim=(0, 1))
    place_names(axis, [(f"network {n}", point) for n, point in enumerate(points)])
    found = boxes(axis)
    room = axis.get_window_extent()
    for one, other in combinations(found.values(), 2):
        assert not one.overlaps(other)
    for name, box in found.items():
        assert room.x0 <= box.x0 and box.x1 <= room.x1, name
        assert room.y0 <= box.y0 and box.y1 <= room.y1, name
        for place in axis.transData.transform(np.reshape(points, (-1, 2))):
            assert not box.contains(*place), name
    plt.close(figure)


def test_a_name_far_from_its_point_has_a_line_and_a_near_one_has_none():
    _, axis = plt.subplots(figsize=(8, 5), layout="constrained")
    axis.set(xlim=(0, 1), ylim=(0, 1))
    crowd = [(f"network {n}", (0.5, 0.5)) for n in range(20)]
    place_names(axis, crowd)
    axis.figure.draw_without_rendering()
    lines = [text.arrow_patch.get_visible() for text in axis.texts]
    assert not lines[0] and lines[-1]


def test_a_difference_is_filled_where_it_exceeds_its_margin():
    found = {"crop": (2.0, 1.3), "decay": (0.3, 1.3), "dropout": (-21.1, 1.4)}
    figure = comparisons(found, title="images")
    axis = figure.axes[0]
    marks = [line for line in axis.lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in marks] == [2.0, 0.3, -21.1]
    filled = [line.get_markerfacecolor() != "white" for line in marks]
    assert filled == [True, False, True]
    (bar, _, _) = [bar.get_segments()[0] for bar in axis.collections]
    np.testing.assert_allclose(bar, [[0.7, 0], [3.3, 0]])
    assert [text.get_text() for text in axis.get_yticklabels()] == list(found)
