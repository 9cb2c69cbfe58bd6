"""Effective fields against theory, and the figures of fields."""

import keras
import matplotlib
import numpy as np
import pytest
from keras import layers

from helpers import plots
from helpers.architectures.base import base
from helpers.plots.fields import concentration
from helpers.receptive_field import (
    ReceptiveFieldError,
    effective_field,
    measured_field,
    receptive_fields,
)

matplotlib.use("agg")


def averages(depth):
    """Builds a stack of 3x3 convolutions whose weights are all equal."""
    inputs = keras.Input((31, 31, 1))
    x = inputs
    for _ in range(depth):
        x = layers.Conv2D(1, 3, padding="same", kernel_initializer="ones")(x)
    return keras.Model(inputs, layers.Identity(name="last")(x))


def test_equal_weights_give_trinomial_coefficients():
    """Each pixel counts as many paths as lead to it (Luo et al. 2016, section 2)."""
    paths = np.ones(1)
    for _ in range(5):
        paths = np.convolve(paths, np.ones(3))
    expected = np.outer(paths, paths) / paths.max() ** 2
    found = effective_field(averages(5), "last", np.zeros((2, 31, 31, 1)))
    assert found.shape == (31, 31)
    np.testing.assert_allclose(found[10:21, 10:21], expected, rtol=1e-5)
    assert np.count_nonzero(found) == 11 * 11


def test_the_effective_width_grows_with_the_root_of_the_depth():
    """A 3x3 mean has a variance of 2/3 a direction, and variances add."""
    for depth in (2, 8, 14):
        field = effective_field(averages(depth), "last", np.zeros((1, 31, 31, 1)))
        share = field.sum(axis=0) / field.sum()
        variance = (share * (np.arange(31) - 15) ** 2).sum()
        assert variance == pytest.approx(depth * 2 / 3, rel=1e-4)


def test_the_effective_field_lies_in_the_theoretical_one():
    model = base()
    images = np.random.default_rng(0).uniform(size=(4, 32, 32, 3))
    field = receptive_fields(model)["pair2_conv2"]
    values = effective_field(model, "pair2_conv2", images, index=(0, 5))
    rows, columns = field.visible((0, 5))
    assert values.max() == 1
    values[rows[0] : rows[1] + 1, columns[0] : columns[1] + 1] = 0
    assert not values.any()
    assert measured_field(model, "pair2_conv2", (0, 5)) == (rows, columns)


def test_effective_fields_need_one_input():
    a, b = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    model = keras.Model([a, b], layers.Add(name="sum")([a, b]))
    with pytest.raises(ReceptiveFieldError, match="one input, got 2"):
        effective_field(model, "sum", np.zeros((1, 8, 8, 1)))


def test_concentration():
    values = np.zeros((10, 10))
    values[3, 3:8] = 1.0
    # 90% of the sum need all five equal pixels.
    assert concentration(values) == pytest.approx(0.05)
    assert concentration(values, share=0.4) == pytest.approx(0.02)


def test_the_figure_draws_one_square_for_each_size():
    figure = plots.receptive_field(base(), "pair2_conv2", index=(0, 3))
    axis = figure.axes[0]
    squares = [p for p in axis.patches if "x" in p.get_label()]
    widths = [int(p.get_width()) for p in squares]
    assert widths == [1, 3, 5, 6, 10, 14]
    assert squares[-1].get_label() == "14x14  pair2_conv2"
    # The last square: rows -3 to 10, which the axis shows whole.
    (top, bottom), (left, right) = receptive_fields(base())["pair2_conv2"].interval(
        (0, 3)
    )
    assert (top, bottom) == (-3, 10)
    assert squares[-1].get_xy() == (left - 0.5, top - 0.5)
    assert axis.get_ylim()[1] < top and axis.get_xlim()[1] > right


def test_squares_share_a_centre_between_two_poolings():
    figure = plots.receptive_field(base(), "pair3_conv1")
    centres = {}
    for p in figure.axes[0].patches:
        if "x" in p.get_label():
            name = p.get_label().split()[-1]
            corner, size = np.array(p.get_xy()), (p.get_width(), p.get_height())
            centres[name] = corner + np.array(size) / 2
    for equal in (("image", "pair1_conv2"), ("pair1_pool", "pair2_conv2")):
        np.testing.assert_array_equal(*(centres[name] for name in equal))
    # A pooling moves the grid by half a pixel of its input, which is 1 or 2 pixels.
    for before, after, step in (
        ("pair1_conv2", "pair1_pool", 0.5),
        ("pair2_conv2", "pair2_pool", 1.0),
    ):
        assert (abs(centres[after] - centres[before]) == step).all()


def test_layers_without_a_local_field_cannot_be_drawn():
    with pytest.raises(ReceptiveFieldError, match="'flatten' has no local field"):
        plots.receptive_field(base(), "flatten")


def test_the_figure_of_effective_fields():
    model = averages(3)
    field = receptive_fields(model)["last"]
    values = effective_field(model, "last", np.zeros((1, 31, 31, 1)))
    figure = plots.effective_field({"a": values, "b": values}, field)
    pictures = [axis for axis in figure.axes if axis.images]
    assert len(pictures) == 2
    for axis in pictures:
        (square,) = axis.patches
        assert square.get_xy() == (11.5, 11.5)
        assert square.get_width() == square.get_height() == 7
        np.testing.assert_array_equal(axis.images[0].get_array(), values)
