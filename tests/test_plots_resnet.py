"""The figure of ResNet shows the norms that it is given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.plots.resnet import gradients_by_layer


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_gradients_are_drawn_over_layers_counted_from_one():
    norms = {
        "plain": {2: [8.0, 4.0], 3: [32.0, 16.0, 8.0]},
        "residual": {2: [1.0, 2.0]},
    }
    axis = gradients_by_layer(norms, "CIFAR-10").axes[0]
    short, long, residual = axis.lines
    np.testing.assert_array_equal(short.get_xydata(), [[1, 8], [2, 4]])
    np.testing.assert_array_equal(long.get_xydata(), [[1, 32], [2, 16], [3, 8]])
    np.testing.assert_array_equal(residual.get_xydata(), [[1, 1], [2, 2]])
    labels = [text.get_text() for text in axis.get_legend().get_texts()]
    assert labels == ["2 layers, plain", "3 layers, plain", "2 layers, residual"]
    assert axis.get_yscale() == "log" and axis.get_title() == "CIFAR-10"


def test_a_kind_has_one_colour_and_each_network_its_own_style():
    both = {2: [1.0, 2.0], 3: [1.0, 2.0, 3.0]}
    lines = gradients_by_layer({"plain": both, "residual": both}).axes[0].lines
    colours = [line.get_color() for line in lines]
    styles = [line.get_linestyle() for line in lines]
    assert colours[0] == colours[1] != colours[2] == colours[3]
    # A longer line of the same kind would hide a shorter one without dashes.
    assert len(set(styles)) == 4 and styles[1] == "-"


def test_a_network_without_a_norm_for_each_layer_is_refused():
    with pytest.raises(ValueError, match="plain network of 20 layers has 2 norms"):
        gradients_by_layer({"plain": {20: [1.0, 2.0]}})
