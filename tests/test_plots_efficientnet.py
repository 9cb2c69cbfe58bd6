"""The figures of EfficientNet show the numbers they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.plots.efficientnet import accuracy_by_cost, growth


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def legend(axis):
    return [text.get_text() for text in axis.get_legend().get_texts()]


def test_growth_alone_stands_between_the_factor_and_its_square():
    alone = {"depth": {1.0: 1.0, 3.0: 2.5}, "width": {1.0: 1.0, 2.0: 3.5}}
    figure = growth(alone, {"phi": {0: 1.0}}, 2.0)
    left = figure.axes[0]
    depth, width, once, squared = left.lines
    np.testing.assert_array_equal(depth.get_xydata(), [[1, 1], [3, 2.5]])
    np.testing.assert_array_equal(width.get_xydata(), [[1, 1], [2, 3.5]])
    # The laws are drawn at every factor that occurs.
    np.testing.assert_array_equal(once.get_xydata(), [[1, 1], [2, 2], [3, 3]])
    np.testing.assert_array_equal(squared.get_xydata(), [[1, 1], [2, 4], [3, 9]])
    assert once.get_linestyle() == squared.get_linestyle() == ":"
    assert legend(left) == ["depth", "width", "factor and its square"]
    assert (left.get_xscale(), left.get_yscale()) == ("log", "log")


def test_growth_together_stands_beside_its_law():
    together = {"rounded": {0: 1.0, 2: 4.5}, "published": {1: 1.75}}
    figure = growth({"depth": {1: 1}}, together, 1.92)
    right = figure.axes[1]
    rounded, published, law = right.lines
    np.testing.assert_array_equal(rounded.get_xydata(), [[0, 1], [2, 4.5]])
    np.testing.assert_array_equal(published.get_xydata(), [[1, 1.75]])
    np.testing.assert_allclose(law.get_xydata(), [[0, 1], [1, 1.92], [2, 1.92**2]])
    # What follows no single phi is no line.
    assert (rounded.get_linestyle(), published.get_linestyle()) == ("-", "None")
    assert published.get_marker() not in ("", "None", None)
    assert legend(right) == ["rounded", "published", "1.92^phi"]


def test_accuracies_are_drawn_over_costs_and_named():
    family = {"B0": (0.39, 77.1), "B1": (0.7, 79.1)}
    figure = accuracy_by_cost(family, {"width x 2": (1.45, 78.9), "r": (4.1, 76.0)})
    axis = figure.axes[0]
    together, wide, residual = axis.lines
    np.testing.assert_array_equal(together.get_xydata(), [[0.39, 77.1], [0.7, 79.1]])
    np.testing.assert_array_equal(wide.get_xydata(), [[1.45, 78.9]])
    np.testing.assert_array_equal(residual.get_xydata(), [[4.1, 76.0]])
    assert wide.get_marker() != residual.get_marker()
    assert {text.get_text(): text.xy for text in axis.texts} == family
    assert legend(axis) == ["width x 2", "r"]
    assert axis.get_xscale() == "log"
