"""Drawings of graphs have the edges of the model, and no layer hides another."""

import keras
import matplotlib.pyplot as plt
import pytest
from keras import layers
from matplotlib.patches import ConnectionStyle

from helpers.architectures.inception import inception_module
from helpers.architectures.resnet import residual_block
from helpers.plots.graphs import _placed, blocks, dot, edges


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def chain():
    inputs = keras.Input((8, 8, 4), name="in")
    x = layers.Conv2D(6, 3, name="conv")(inputs)
    return keras.Model(inputs, layers.ReLU(name="relu")(x), name="chain")


def residual():
    inputs = keras.Input((8, 8, 16), name="in")
    return keras.Model(inputs, residual_block(inputs, 16, name="r"), name="residual")


def inception():
    inputs = keras.Input((8, 8, 16), name="in")
    outputs = inception_module(inputs, (8, 8, 8, 8, 8, 8), name="mix")
    return keras.Model(inputs, outputs, name="inception")


def shared():
    """Builds a nested model of one layer that is called twice."""
    x = inner_inputs = keras.Input((8, 8, 4))
    conv = layers.Conv2D(4, 3, padding="same", name="conv")
    inner = keras.Model(inner_inputs, conv(conv(x)), name="inner")
    inputs = keras.Input((8, 8, 4), name="in")
    return keras.Model(inputs, layers.Add(name="add")([inner(inputs), inputs]))


def test_edges_of_a_chain_and_of_a_shortcut():
    assert edges(chain()) == [("in", "conv"), ("conv", "relu")]
    found = edges(residual())
    assert ("in", "r_add") in found and ("r_add", "r_relu") in found
    # A chain of seven layers has seven edges; the shortcut is one more.
    assert len(residual().layers) == 8 and len(found) == 8
    assert [after for before, after in found].count("r_add") == 2


def test_edges_go_through_nested_models_and_repeated_calls():
    assert edges(shared()) == [
        ("in", "inner/conv"),
        ("inner/conv", "inner/conv/1"),
        ("inner/conv/1", "add"),
        ("in", "add"),
    ]


def test_dot_has_a_line_for_each_edge():
    assert dot(chain()).splitlines() == [
        'digraph "chain" {',
        '  "in" -> "conv";',
        '  "conv" -> "relu";',
        "}",
    ]


@pytest.mark.parametrize("build", [chain, residual, inception, shared])
def test_layers_stand_below_their_inputs_and_apart(build):
    model = build()
    places = _placed(model)
    assert len(set(places.values())) == len(places)
    for before, after in edges(model):
        assert places[before][0] < places[after][0]


def test_branches_stand_side_by_side_and_meet_in_the_middle():
    model = inception()
    places = _placed(model)
    first = [places[after][1] for before, after in edges(model) if before == "in"]
    assert sorted(first) == [-1.5, -0.5, 0.5, 1.5]
    assert places["in"] == (0, 0) and places["mix"] == (5, 0)


def test_blocks_draws_every_layer_and_leads_the_shortcut_alone_past_boxes():
    models = {"chain": chain(), "residual": residual(), "inception": inception()}
    figure = blocks(models)
    for axis, (title, model) in zip(figure.axes, models.items(), strict=True):
        assert axis.get_title() == title
        assert len(axis.texts) == len(model.layers)
        assert len(axis.patches) == len(edges(model))
        styles = [arrow.get_connectionstyle() for arrow in axis.patches]
        beside = [isinstance(style, ConnectionStyle.Bar) for style in styles]
        assert sum(beside) == (title == "residual")
    labels = [text.get_text() for text in figure.axes[0].texts]
    assert labels == ["Input 4", "Conv 6", "ReLU 6"]


def test_no_model_is_refused():
    with pytest.raises(ValueError, match="no model to draw"):
        blocks({})
