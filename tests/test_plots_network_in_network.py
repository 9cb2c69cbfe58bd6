"""The figure of class maps shows the numbers that it is given, where they belong."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.plots.network_in_network import class_maps


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


IMAGES = np.full((2, 8, 12, 3), 51, np.uint8)
MAPS = np.arange(2 * 2 * 3 * 3, dtype=float).reshape(2, 2, 3, 3)
LABELS = ("a cat", "a ship")
TITLES = [["cat", "dog", "ship"], ["", "", "still a ship"]]
FRAMES = [[(0, 0, 8, 12), None, None], [None, None, (4, 6, 8, 12)]]


def panels(**changed):
    arguments = {"labels": LABELS, "titles": TITLES, "frames": FRAMES, **changed}
    figure = class_maps(IMAGES, MAPS, **arguments, title="CIFAR-10")
    # The last axes are those of the scale.
    return figure, np.array(figure.axes[:-1]).reshape(2, 4)


def test_maps_stand_beside_their_image():
    figure, axes = panels()
    for index, row in enumerate(axes):
        np.testing.assert_allclose(row[0].images[0].get_array(), 0.2)
        assert row[0].get_ylabel() == LABELS[index]
        for place, axis in enumerate(row[1:]):
            drawn = axis.images[0].get_array()
            np.testing.assert_array_equal(drawn, MAPS[index, ..., place])
            assert axis.get_title() == TITLES[index][place]
    assert figure.get_suptitle() == "CIFAR-10"


def test_maps_share_one_scale_and_the_extent_of_the_image():
    _, axes = panels()
    for axis in axes[:, 1:].flat:
        assert axis.images[0].get_clim() == (0, MAPS.max())
        assert tuple(axis.images[0].get_extent()) == (0, 12, 8, 0)


def test_frames_mark_pixels_of_the_image():
    _, axes = panels()
    found = {
        place: axis.patches[0].get_bbox().extents.tolist()
        for place, axis in np.ndenumerate(axes)
        if axis.patches
    }
    assert found == {(0, 1): [0, 0, 12, 8], (1, 3): [6, 4, 12, 8]}


def test_maps_of_zeros_have_a_scale():
    figure = class_maps(IMAGES, 0 * MAPS, LABELS, TITLES, FRAMES)
    assert figure.axes[1].images[0].get_clim() == (0, 1)
    assert figure.get_suptitle() == ""


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"titles": TITLES[:1]}, r"titles has rows of \[3\].*2 rows of 3"),
        ({"frames": [FRAMES[0], [None]]}, r"frames has rows of \[3, 1\]"),
        ({"labels": ("a cat",)}, "2 images and 1 labels"),
    ],
)
def test_wrong_numbers_of_texts_are_named(changed, message):
    with pytest.raises(ValueError, match=message):
        panels(**changed)
