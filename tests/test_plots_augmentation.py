"""The figures of augmentation: pixels stay what they are, and points lie in place."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from helpers.plots.augmentation import effects, image_rows

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype="uint8")


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    plt.close("all")


def rendered(figure):
    """The figure as `show` stores it, `(height, width, 3)`."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=100)
    return np.asarray(Image.open(picture).convert("RGB"))


@pytest.mark.parametrize("captions", [None, {"second": ["a", "b\nc"]}])
def test_every_pixel_of_an_image_is_three_by_three_in_the_figure(captions):
    rows = {"first": PIXELS[:3], "second": PIXELS[3:]}
    figure = image_rows(rows, ["original"], captions, title="noise")
    canvas = rendered(figure)
    height, width = canvas.shape[:2]
    assert len(figure.axes) == 5
    for axis, image in zip(figure.axes, PIXELS, strict=True):
        box = axis.get_position()
        left, top = round(box.x0 * width), round((1 - box.y1) * height)
        shown = canvas[top : top + 96, left : left + 96]
        assert np.array_equal(shown, image.repeat(3, axis=0).repeat(3, axis=1))


def test_truth_values_are_black_and_numbers_are_rounded_and_clipped():
    letter = np.array([[True, False], [False, True]])
    grey = np.full((2, 2, 3), [[[-3.0, 99.6, 300.0]]])
    figure = image_rows({"row": [letter, grey]})
    first, second = (axis.images[0] for axis in figure.axes)
    assert np.array_equal(first.to_rgba(first.get_array())[..., 0], 1.0 - letter)
    assert np.array_equal(second.get_array()[0, 0], [0, 100, 255])


def test_texts_stand_in_the_figure():
    figure = image_rows(
        {"row": PIXELS[:2]}, ["left", "right"], {"row": ["x", "y"]}, title="noise"
    )
    texts = {text.get_text() for text in figure.texts}
    assert texts == {"row", "left", "right", "x", "y", "noise"}


def test_effects_are_sorted_by_validation_and_in_percent():
    results = {"none": (0.9, 0.6), "worse": (0.7, 0.5), "better": (0.8, 0.7)}
    figure = effects(results, "none", margin=0.02, title="CIFAR-10")
    (axis,) = figure.axes
    names = [label.get_text() for label in axis.get_yticklabels()]
    assert names == ["worse", "none", "better"]
    lines = {line.get_label(): line for line in axis.lines}
    np.testing.assert_allclose(lines["validation"].get_xdata(), [50, 60, 70])
    np.testing.assert_allclose(lines["training"].get_xdata(), [70, 90, 80])
    band = axis.patches[0].get_extents().transformed(axis.transData.inverted())
    np.testing.assert_allclose([band.x0, band.x1], [58, 62])
    assert axis.get_title() == "CIFAR-10"


def test_without_its_baseline_there_is_no_band():
    (axis,) = effects({"crop": (0.9, 0.6)}, "none", margin=0.02).axes
    assert not axis.patches and len(axis.lines) == 2


def test_what_cannot_be_drawn_is_named():
    with pytest.raises(ValueError, match="no row"):
        image_rows({})
    with pytest.raises(ValueError, match="'row' has 2 images and 1 captions"):
        image_rows({"row": PIXELS[:2]}, captions={"row": ["one"]})
    with pytest.raises(ValueError, match="no result"):
        effects({}, "none")
