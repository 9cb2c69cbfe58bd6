"""The figures of LeNet-5 show the numbers they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.plots.lenet import connections, drawings, shares, steps


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_connections_mark_what_the_table_names():
    axis = connections([(0, 2), (1,), (0, 1, 2)], 3).axes[0]
    shown = np.asarray(axis.collections[0].get_array()).reshape(3, 3)
    expected = [[1, 0, 1], [0, 1, 1], [1, 0, 1]]
    np.testing.assert_array_equal(shown, expected)
    assert axis.yaxis_inverted()
    counts = axis.child_axes[0].get_xticklabels()
    assert [text.get_text() for text in counts] == ["2", "1", "3"]


@pytest.mark.parametrize("channel", [-1, 3])
def test_connections_refuse_a_map_that_does_not_exist(channel):
    with pytest.raises(ValueError, match=rf"map 1 .*\({channel},\).*0 to 2"):
        connections([(0,), (channel,)], 3)


def test_drawings_are_rows_of_seven_pixels_on_one_scale():
    ramp = np.arange(84.0)
    figure = drawings({"up": ramp, "down": -2 * ramp}, "output")
    up, down, bar = figure.axes
    picture = up.images[0].get_array()
    assert picture.shape == (12, 7)
    assert (picture[0, 6], picture[1, 0]) == (6, 7)
    assert up.images[0].get_clim() == down.images[0].get_clim() == (-166, 166)
    assert bar.get_ylabel() == "output"


def test_a_vector_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"'short'.*\(83,\).*84"):
        drawings({"short": np.zeros(83)}, "output")


def test_shares_are_percentages_of_the_columns():
    axis = shares({"convolution": (10, 900), "dense": (30, 100)}).axes[0]
    lengths = [[bar.get_width() for bar in bars] for bars in axis.containers]
    assert lengths == [[25, 75], [90, 10]]
    assert [text.get_text() for text in axis.get_yticklabels()] == [
        "convolution",
        "dense",
    ]


def test_steps_show_runs_with_their_error_and_published_figures():
    results = {"pixels": (80.0, 50.0), "standardised": (90.0, 60.0)}
    axis = steps(results, {"others": 76.2}, "CIFAR-10").axes[0]
    train, test, published = axis.lines[0], axis.containers[0], axis.lines[2]
    assert list(train.get_xdata()) == [80, 90]
    assert list(test.lines[0].get_xdata()) == [50, 60]
    # The standard error of a half is half of one over the root of the number.
    (first, _) = test.lines[2][0].get_segments()
    np.testing.assert_allclose(first[:, 0], [49, 51])
    assert (list(published.get_xdata()), list(published.get_ydata())) == ([76.2], [2])
    labels = [text.get_text() for text in axis.get_yticklabels()]
    assert labels == ["pixels", "standardised", "others"]
    assert axis.get_title() == "CIFAR-10"


def test_published_figures_stand_alone_where_nothing_has_run():
    axis = steps({}, {"others": 76.2}, "no runs").axes[0]
    assert list(axis.lines[-2].get_xdata()) == [76.2]
