"""The figures of MobileNet show the numbers they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.plots.mobilenet import accuracy_by_cost, embeddings


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_embeddings_draws_each_picture_on_the_same_axes():
    curve = np.array([[0.0, 0.0], [1.0, 2.0], [-3.0, 1.0]])
    figure = embeddings({f"n = {n}": n * curve for n in (1, 2, 3, 4)})
    assert len(figure.axes) == 4
    for n, axis in zip((1, 2, 3, 4), figure.axes, strict=True):
        (points,) = axis.collections
        np.testing.assert_array_equal(points.get_offsets(), n * curve)
        # The first point has the first colour, the last point the last.
        np.testing.assert_allclose(points.get_array(), [0, 0.5, 1])
        assert axis.get_title() == f"n = {n}"
        assert axis.get_xlim() == figure.axes[0].get_xlim()
        assert axis.get_aspect() == 1
    low, high = figure.axes[0].get_xlim()
    assert low <= -12 and high >= 4


@pytest.mark.parametrize(
    "pictures, shape",
    [
        ({"a": np.zeros((3, 2)), "b": np.zeros((4, 2))}, r"\(4, 2\)"),
        ({"a": np.zeros((3, 3))}, r"\(3, 3\)"),
        ({"a": np.zeros(3)}, r"\(3,\)"),
    ],
)
def test_embeddings_refuses_what_are_not_the_same_points(pictures, shape):
    with pytest.raises(ValueError, match=shape):
        embeddings(pictures)


def test_accuracy_by_cost_draws_each_network_at_its_cost():
    figure = accuracy_by_cost(
        {
            "width": {"1.0": (569, 70.6), "0.5": (149, 63.7)},
            "resolution": {"1.0": (569, 70.6), "128": (186, 64.4)},
            "3x3": {"all": (4866, 71.7)},
        }
    )
    axis = figure.axes[0]
    width, resolution, alone = axis.lines
    np.testing.assert_array_equal(width.get_xydata(), [[569, 70.6], [149, 63.7]])
    np.testing.assert_array_equal(resolution.get_xydata(), [[569, 70.6], [186, 64.4]])
    np.testing.assert_array_equal(alone.get_xydata(), [[4866, 71.7]])
    assert axis.get_xscale() == "log" and axis.get_yscale() == "linear"
    # One network has no line, so its mark is all there is to see.
    assert alone.get_linestyle() == "None" and alone.get_marker() not in ("", "None")
    labels = [text.get_text() for text in axis.get_legend().get_texts()]
    assert labels == ["width", "resolution", "3x3"]
    # The network that two lines share is named once.
    names = [(text.get_text(), *text.xy) for text in axis.texts]
    assert names == [
        ("1.0", 569, 70.6),
        ("0.5", 149, 63.7),
        ("128", 186, 64.4),
        ("all", 4866, 71.7),
    ]


def test_accuracy_by_cost_refuses_a_cost_that_a_logarithm_cannot_show():
    with pytest.raises(ValueError, match="'free' of 'width' costs 0"):
        accuracy_by_cost({"width": {"free": (0, 50.0)}})
