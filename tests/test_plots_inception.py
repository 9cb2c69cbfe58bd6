"""The figures of the Inception lecture show the fields and norms they are given."""

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from keras import layers

from helpers.plots.inception import branch_fields, gradient_norms
from helpers.receptive_field import receptive_fields


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def fields(size=9):
    inputs = keras.Input((size, size, 2))
    square = layers.Conv2D(2, 5, padding="same", name="square")(inputs)
    row = layers.Conv2D(2, (1, 3), padding="same", name="row")(inputs)
    found = receptive_fields(keras.Model(inputs, [square, row]))
    return {"5x5": found["square"], "1x3": found["row"]}


def test_each_branch_colours_what_it_sees():
    square, row = branch_fields(fields()).axes
    expected = np.zeros((9, 9))
    expected[2:7, 2:7] = 1
    seen = np.asarray(square.collections[0].get_array()).reshape(9, 9)
    np.testing.assert_array_equal(seen, expected)
    expected = np.zeros((9, 9))
    expected[4, 3:6] = 1
    seen = np.asarray(row.collections[0].get_array()).reshape(9, 9)
    np.testing.assert_array_equal(seen, expected)
    assert row.lines[0].get_xydata().tolist() == [[4.5, 4.5]]
    assert [axis.get_title() for axis in (square, row)] == ["5x5\n5x5", "1x3\n1x3"]


def test_what_lies_outside_is_not_drawn():
    square = branch_fields({"5x5": fields(size=3)["5x5"]}).axes[0]
    assert np.asarray(square.collections[0].get_array()).min() == 1
    assert square.get_title() == "5x5\n5x5"


def test_branches_of_different_inputs_are_refused():
    with pytest.raises(ValueError, match="different sizes.*(9, 9).*(7, 7)"):
        branch_fields({"a": fields(9)["5x5"], "b": fields(7)["5x5"]})


def test_norms_are_drawn_by_network_and_loss():
    norms = {
        "small": {"main": [1e-3, 1.0], "all": [1e-2, 1.1]},
        "normalised": {"main": [2.0, 1.0], "all": [2.2, 1.2]},
    }
    figure = gradient_norms(norms, ["3a", "5b"], "CIFAR-10")
    small, normalised = figure.axes
    assert list(small.lines[0].get_ydata()) == [1e-3, 1.0]
    assert list(normalised.lines[1].get_ydata()) == [2.2, 1.2]
    assert [line.get_label() for line in small.lines] == ["main", "all"]
    assert [text.get_text() for text in small.get_xticklabels()] == ["3a", "5b"]
    assert small.get_yscale() == "log"
    assert figure.get_suptitle() == "CIFAR-10"


def test_a_norm_that_is_missing_is_named():
    with pytest.raises(ValueError, match="'small', 'all' has 1 norms for 2 places"):
        gradient_norms({"small": {"all": [1.0]}}, ["3a", "5b"])
