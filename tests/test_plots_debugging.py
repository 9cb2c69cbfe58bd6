"""The figures of debugging show the numbers that they are given."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from helpers.plots.debugging import BLUE, ORANGE, best_of_many, symptoms

SICK = {"loss": [9.0, math.nan, math.inf, 2.0], "accuracy": [0.1, 0.1, 0.1, 0.2]}
WELL = {"loss": [2.0, 1.5, 1.0], "accuracy": [0.3, 0.4, 0.5]}


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_the_best_of_many_is_drawn_in_percent():
    axis = best_of_many((1, 10), {50: [0.1, 0.25], 500: [0.1, 0.15]}).axes[0]
    few, many, chance = axis.lines
    np.testing.assert_allclose(few.get_xydata(), [[1, 10], [10, 25]])
    np.testing.assert_allclose(many.get_ydata(), [10, 15])
    np.testing.assert_allclose(chance.get_ydata(), [10, 10])
    assert few.get_label() == "50 validation images"
    assert axis.get_xscale() == "log"


def test_each_number_of_tries_needs_an_accuracy():
    with pytest.raises(ValueError, match="1 accuracies on 50 images for 2 numbers"):
        best_of_many((1, 10), {50: [0.1]})


def test_a_panel_holds_the_training_with_the_fault_and_the_one_without():
    figure = symptoms({"deaf": SICK, "blind": WELL}, {"deaf": WELL, "blind": WELL})
    deaf, blind = figure.axes
    assert (deaf.get_title(), blind.get_title()) == ("deaf", "blind")
    cured, _, _, broken, above, no_number, guess = deaf.lines
    assert (to_hex(cured.get_color()), to_hex(broken.get_color())) == (
        BLUE.lower(),
        ORANGE.lower(),
    )
    np.testing.assert_allclose(cured.get_xydata(), [[1, 2.0], [2, 1.5], [3, 1.0]])
    np.testing.assert_allclose(broken.get_ydata(), [np.nan, np.nan, np.nan, 2.0])
    np.testing.assert_allclose(guess.get_ydata(), [math.log(10)] * 2)
    # What is too high, and what is no number, at the upper end, and not alike.
    top = 3.5 * math.log(10)
    np.testing.assert_allclose(above.get_xydata(), [[1, top]])
    np.testing.assert_allclose(no_number.get_xydata(), [[2, top], [3, top]])
    assert (above.get_marker(), no_number.get_marker()) == ("^", "x")
    assert deaf.get_ylim()[1] > top
    assert deaf.get_ylabel() == "training loss"


def test_the_axis_of_losses_ends_above_the_highest_one():
    high = {"loss": [2.5, 2.0]}
    axis = symptoms({"a": high}, {"a": WELL}).axes[0]
    assert axis.get_ylim() == pytest.approx((0, 1.02 * 1.1 * 2.5))
    # A guess is always in the figure.
    axis = symptoms({"a": WELL}, {"a": WELL}, classes=100).axes[0]
    assert axis.get_ylim()[1] > math.log(100)
    beyond = [line for line in axis.lines if line.get_marker() in ("^", "x")]
    assert len(beyond) == 4
    assert not any(np.size(line.get_xdata()) for line in beyond)


def test_scores_for_probabilities_do_not_look_like_a_rate_that_is_too_high():
    """Losses of lecture 21: at a rate of 4, and without a softmax."""
    lost, clipped = {"loss": [math.nan] * 3}, {"loss": [6.9, 6.8, 6.78]}
    figure = symptoms({"a": lost, "b": clipped}, {"a": WELL, "b": WELL})
    shown = [axis.lines[3].get_ydata() for axis in figure.axes]
    marked = [
        [line.get_xdata().size for line in axis.lines[4:6]] for axis in figure.axes
    ]
    assert np.isnan(shown[0]).all() and marked[0] == [0, 3]
    np.testing.assert_allclose(shown[1], [6.9, 6.8, 6.78])
    assert marked[1] == [0, 0]
    assert figure.axes[0].get_ylim()[1] == pytest.approx(1.02 * 1.1 * 6.9)


def test_accuracies_are_in_percent_and_validation_has_dashes():
    history = {"accuracy": [0.5, 0.9], "val_accuracy": [0.2, 0.3]}
    columns = "accuracy", "val_accuracy"
    figure = symptoms({"a": history}, {"a": history}, columns, "drawn", classes=4)
    axis = figure.axes[0]
    training, validation = axis.lines[3], axis.lines[9]
    np.testing.assert_allclose(training.get_ydata(), [50, 90])
    np.testing.assert_allclose(validation.get_ydata(), [20, 30])
    assert (training.get_linestyle(), validation.get_linestyle()) == ("-", "--")
    np.testing.assert_allclose(axis.lines[-1].get_ydata(), [25, 25])
    assert axis.get_ylabel() == "accuracy (%)"
    assert figure.get_suptitle() == "drawn"
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[-2:] == ["training images", "validation images"]


def test_a_fault_without_cure_and_mixed_quantities_are_refused():
    with pytest.raises(ValueError, match="no cured training for 'deaf'"):
        symptoms({"deaf": SICK}, {})
    with pytest.raises(ValueError, match="share no axis"):
        symptoms({"deaf": SICK}, {"deaf": WELL}, ("loss", "accuracy"))
