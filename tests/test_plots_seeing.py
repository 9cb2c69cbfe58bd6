"""The figures of what a network looks at show the numbers they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.plots.seeing import COVER, agreements, confusion, tinted


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_tints_tell_signs_and_sizes():
    found = tinted(np.array([[2.0, 1.0, 0.0, -2.0]])).astype(int)
    assert found.shape == (1, 4, 3)
    strong, weak, none, against = found[0]
    # Orange has more red than blue, blue the reverse; zero is the white ground.
    assert strong[0] > strong[2] and against[0] < against[2]
    assert none.tolist() == [255, 255, 255]
    # Half of the value is half of the way from white, up to rounding.
    assert (abs(weak - (255 + strong) / 2) <= 1).all()


def test_tints_of_maps_on_one_scale_can_be_compared():
    small, large = np.array([[1.0]]), np.array([[4.0]])
    assert (tinted(small) == tinted(large)).all()
    same = tinted(small, largest=4.0), tinted(np.array([[1.0, 4.0]]))[:, :1]
    assert (same[0] == same[1]).all() and (same[0] != tinted(large)).any()
    # What exceeds the scale has its full colour.
    assert (tinted(large, largest=1.0) == tinted(large)).all()


def test_the_image_stays_visible_in_grey():
    image = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0]]], "uint8")
    bare = tinted(np.zeros((1, 3)), image)[0]
    assert bare.tolist() == [[0] * 3, [255] * 3, [76] * 3]
    covered = tinted(np.ones((1, 3)), image)[0].astype(int)
    difference = covered[1] - covered[0]
    assert (abs(difference - 255 * (1 - COVER)) <= 1).all()


def test_a_map_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"\(8, 8\) pixels.*\(32, 32, 3\)"):
        tinted(np.zeros((8, 8)), np.zeros((32, 32, 3)))


def test_confusion_writes_every_count_and_colours_mistakes_alone():
    matrix = np.array([[90, 7, 3], [0, 95, 5], [20, 0, 80]])
    figure = confusion(matrix, ["a", "b", "c"], "images")
    axis = figure.axes[0]
    assert [text.get_text() for text in axis.texts] == list(map(str, matrix.flat))
    (picture,) = axis.images
    coloured = matrix - np.diag(np.diag(matrix))
    np.testing.assert_array_equal(picture.get_array(), coloured)
    assert picture.get_clim() == (0, 20)
    # True classes are the rows, which imshow draws downwards.
    assert axis.get_ylabel() == "true class"
    assert axis.get_xlabel() == "predicted class"
    bold = [text.get_text() for text in axis.texts if text.get_fontweight() == "bold"]
    assert bold == ["90", "95", "80"]
    assert axis.get_title() == "images"


def test_a_network_without_mistakes_has_a_matrix_too():
    figure = confusion(np.diag([3, 4]), ["a", "b"])
    assert not figure.axes[0].images[0].get_array().any()


@pytest.mark.parametrize("shape", [(2, 3), (2, 2)])
def test_confusion_wants_a_row_and_a_column_a_class(shape):
    with pytest.raises(ValueError, match=r"the shape \(2, \d\) for 3 names"):
        confusion(np.zeros(shape, int), ["a", "b", "c"])


def test_agreements_draws_the_middle_and_the_mean_of_each_row():
    # Eleven values in steps of 0.1: the middle 80% lies between 0.1 and 0.9.
    even = np.append(np.linspace(0, 1, 11), np.nan)
    groups = {"same": even, "other": np.array([-0.2])}
    figure = agreements(groups, "images")
    axis = figure.axes[0]
    bar, point = axis.patches
    assert bar.get_x() == pytest.approx(0.1) and bar.get_width() == pytest.approx(0.8)
    assert point.get_x() == pytest.approx(-0.2) and point.get_width() == 0
    mean, lone, zero = axis.lines
    np.testing.assert_allclose(mean.get_xdata(), 0.5)
    np.testing.assert_allclose(lone.get_xdata(), -0.2)
    assert zero.get_xdata() == [0, 0]
    assert [text.get_text() for text in axis.texts] == ["0.50", "-0.20"]
    assert [label.get_text() for label in axis.get_yticklabels()] == list(groups)
    # The first row stands at the top.
    assert axis.get_ylim()[0] > axis.get_ylim()[1] and axis.get_xlim() == (-1, 1)


def test_a_mean_that_rounds_to_zero_has_no_sign():
    (text,) = agreements({"noise": np.array([-0.001])}).axes[0].texts
    assert text.get_text() == "0.00"


def test_flat_maps_alone_leave_nothing_to_draw():
    with pytest.raises(ValueError, match="'flat' has no correlation"):
        agreements({"fine": np.ones(2), "flat": np.array([np.nan])})
