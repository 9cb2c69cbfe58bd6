"""The figures of the speed run show the numbers they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.plots.speedrun import epochs_by_step, filters_by_variance


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_filters_are_drawn_widest_first_above_their_variances():
    kernel = np.zeros((2, 2, 3, 3))
    kernel[..., 0, 0], kernel[..., 1, 1], kernel[0, ..., 2] = 4.0, -2.0, 1.0
    *pictures, bars = filters_by_variance(kernel, [0.1, 5.0, 0.02], 0.01, "x").axes
    shown = [axis.images[0].get_array() for axis in pictures]
    # The second filter is the widest: green at its most negative, the rest grey.
    np.testing.assert_allclose(shown[0], np.broadcast_to([0.5, 0, 0.5], (2, 2, 3)))
    np.testing.assert_allclose(shown[1], np.broadcast_to([1, 0.5, 0.5], (2, 2, 3)))
    np.testing.assert_allclose(shown[2][0], 1.0)
    np.testing.assert_allclose(shown[2][1], 0.5)
    assert [bar.get_height() for bar in bars.patches] == [5.0, 0.1, 0.02]
    assert bars.get_yscale() == "log"
    assert bars.lines[0].get_ydata()[0] == 0.01


@pytest.mark.parametrize("variances", [[1.0, 2.0], [1.0, 2.0, 0.0]])
def test_filters_need_a_variance_each(variances):
    with pytest.raises(ValueError, match="give one above 0 for each filter"):
        filters_by_variance(np.ones((2, 2, 3, 3)), variances, 0.1)


def test_steps_have_a_bar_and_a_number_each():
    axis = epochs_by_step({"baseline": 35, "whitening": 21, "all": 9.9}).axes[0]
    assert [bar.get_width() for bar in axis.patches] == [35, 21, 9.9]
    assert [text.get_text() for text in axis.texts] == ["35", "21", "9.9"]
    assert axis.yaxis_inverted()
