"""The figures of filter responses, softmax temperatures and predictions."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from helpers.plots.convolution import OTHER, RIGHT, predictions, responses, temperatures


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_maps_share_one_scale_around_zero():
    image = np.full((4, 4, 3), 255, "uint8")
    weak, strong = np.array([[0.5, -1.0]]), np.array([[3.0, -7.0]])
    figure = responses(image, {"weak": weak, "strong": strong}, "CIFAR-10")
    picture, *drawn = [axis.images[0] for axis in figure.axes[:3]]
    assert np.array_equal(picture.get_array(), np.ones((4, 4, 3)))
    assert [axis.get_title() for axis in figure.axes[:3]] == ["image", "weak", "strong"]
    assert np.array_equal(drawn[0].get_array(), weak)
    assert [shown.get_clim() for shown in drawn] == [(-7.0, 7.0)] * 2
    assert figure.get_suptitle() == "CIFAR-10"


def test_map_of_zeros_is_drawn_in_the_colour_of_zero():
    figure = responses(np.zeros((2, 2, 3)), {"nothing": np.zeros((2, 2))})
    assert figure.axes[1].images[0].get_clim() == (-1.0, 1.0)


def test_no_map_is_refused():
    with pytest.raises(ValueError, match="no map"):
        responses(np.zeros((2, 2, 3)), {})


def test_temperature_moves_from_certainty_to_indifference():
    figure = temperatures({"cat": 2.0, "dog": 0.0}, {"here": 2 / math.log(9)})
    lines = figure.axes[0].lines
    cat, dog = lines[0], lines[1]
    assert np.allclose(cat.get_ydata() + dog.get_ydata(), 100)
    assert cat.get_ydata()[0] > 99.9 and abs(cat.get_ydata()[-1] - 50) < 2
    # Odds of exp(2 / T): nine to one at T = 2 / log(9).
    at_mark = np.interp(2 / math.log(9), cat.get_xdata(), cat.get_ydata())
    assert at_mark == pytest.approx(90, abs=0.05)
    assert lines[2].get_xdata()[0] == pytest.approx(2 / math.log(9))
    assert [text.get_text() for text in figure.axes[0].texts] == ["here"]


def test_large_scores_do_not_overflow():
    figure = temperatures({"cat": 5000.0, "dog": 4999.0})
    assert np.isfinite(figure.axes[0].lines[0].get_ydata()).all()


def test_single_score_is_refused():
    with pytest.raises(ValueError, match="at least 2"):
        temperatures({"cat": 1.0})


def test_bars_hold_the_probabilities_and_mark_the_right_class():
    images = np.zeros((2, 4, 4, 3), "uint8")
    probabilities = np.array([[0.25, 0.75], [0.5, 0.5]])
    figure = predictions(images, np.array([1, 0]), probabilities, ["cat", "dog"])
    titles = [axis.get_title() for axis in figure.axes[:2]]
    assert titles == ["dog", "cat"]
    bars = figure.axes[2].patches
    assert [bar.get_width() for bar in bars] == [25.0, 75.0]
    shown = [to_hex(bar.get_facecolor()).upper() for bar in bars]
    assert shown == [OTHER.upper(), RIGHT]
    names = [text.get_text() for text in figure.axes[2].get_yticklabels()]
    assert names == ["cat", "dog"]


def test_names_and_classes_must_agree():
    with pytest.raises(ValueError, match="3 probabilities an image and 2 names"):
        predictions(np.zeros((1, 2, 2, 3)), np.array([0]), np.ones((1, 3)), ["a", "b"])
