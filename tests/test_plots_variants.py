"""The figures of convolution variants show the numbers that they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.plots.variants import checkerboard, counted_and_timed, coverage


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_coverage_counts_the_pixels_in_the_field():
    # Every second pixel of a 5x5 field that begins at row 2, column 1.
    grid = np.zeros((9, 8))
    grid[2:7:2, 1:6:2] = 1.0
    figure = coverage({"grid": grid, "all": np.ones((9, 8))})
    titles = [axis.get_title() for axis in figure.axes[:2]]
    assert titles == ["grid\n9 of 25 pixels", "all\n72 of 72 pixels"]
    square = figure.axes[0].patches[0]
    assert square.get_xy() == (0.5, 1.5)
    assert (square.get_width(), square.get_height()) == (5, 5)


def test_coverage_leaves_unreached_pixels_without_a_colour_of_the_scale():
    grid = np.eye(3)
    shown = coverage({"diagonal": grid}).axes[0].images[0].get_array()
    assert np.array_equal(np.ma.getmaskarray(shown), grid == 0)


def test_coverage_names_an_empty_map():
    with pytest.raises(ValueError, match="'nothing'"):
        coverage({"nothing": np.zeros((3, 3))})


def test_checkerboard_puts_ways_into_columns_and_images_into_rows():
    white, picture = np.ones((4, 4)), np.eye(4)
    figure = checkerboard(
        {"a": (white, picture), "b": (picture, white)}, ("white", "real")
    )
    assert [axis.get_title() for axis in figure.axes[:2]] == ["a", "b"]
    assert [axis.get_ylabel() for axis in figure.axes[::2]] == ["white", "real"]
    shown = [np.asarray(axis.images[0].get_array()) for axis in figure.axes]
    for found, expected in zip(shown, (white, picture, picture, white), strict=True):
        assert np.array_equal(found, expected)
    assert {axis.images[0].get_clim() for axis in figure.axes} == {(0, 1)}


def test_bars_are_percent_of_the_first_variant():
    figure = counted_and_timed({"a": 800, "b": 100}, {"a": 4.0, "b": 2.0})
    counted, timed = figure.axes[0].containers
    assert [bar.get_width() for bar in counted] == [100, 12.5]
    assert [bar.get_width() for bar in timed] == [100, 50]
    assert figure.axes[0].get_xlabel() == "percent of a"
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["multiply-adds", "time"]


def test_variants_that_differ_are_named():
    with pytest.raises(ValueError, match=r"\['a'\].*\['b'\]"):
        counted_and_timed({"a": 1}, {"b": 1})
