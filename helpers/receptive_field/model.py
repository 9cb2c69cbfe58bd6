"""From a model to the receptive fields of its layers."""

import difflib
from dataclasses import replace

from . import graph
from .feature_map import AxesError, FeatureMap
from .fields import Field
from .registry import ReceptiveFieldError


class Fields(dict):
    """Fields by the name of the layer call, in the order of the graph.

    A layer of a nested model is found by its own name too where that is unique.
    """

    def __missing__(self, name):
        inner = [key for key in self if key.endswith(f"/{name}")]
        if len(inner) == 1:
            return self[inner[0]]
        near = inner or difflib.get_close_matches(str(name), self, 3) or list(self)[-3:]
        raise KeyError(f"no layer {name!r}; did you mean {', '.join(map(repr, near))}?")


def receptive_fields(model, input: str | None = None) -> Fields:
    """Computes the receptive field of every layer of a functional model, exactly.

    The field of an output is the interval of pixels, vertically and horizontally, that
    it can depend on. Intervals pass from layer to layer through the graph; where
    branches merge, they are united. See Araujo, Norris and Sim, "Computing Receptive
    Fields of Convolutional Neural Networks", https://distill.pub/2019/computing-
    receptive-fields, for the formulas of ordinary networks.

    Args:
        model: a functional or built Sequential model.
        input: name of the input whose pixels count. By default those of all image
            inputs, which share one grid.

    Returns:
        A dict of `Field` by layer name: `name`, `name/1` for the second call of a
        shared layer, `outer/name` inside a nested model. `keras.ops` operations are
        layers like others.

    Raises:
        ReceptiveFieldError: for models without a graph (subclassed or not built),
            layers without a rule, and merges of branches with unequal jumps.
    """
    calls = trace(model, input)
    return Fields((call.name, Field(call.name, call.outputs[0])) for call in calls)


def trace(model, input: str | None = None) -> list[graph.Call]:
    """Returns the calls of a model's layers with their feature maps.

    Takes the arguments and raises the errors of `receptive_fields`.
    """
    function = graph.functional_of(model)
    images = image_inputs(function, input)
    try:
        calls, _ = graph.walk(function, _sources(function, images, (1, 2)))
    except AxesError as first:
        try:
            calls, _ = graph.walk(function, _sources(function, images, (2, 3)))
        except ReceptiveFieldError:
            raise first from None
    return [_upright(call) for call in calls]


def _upright(call):
    """Returns a call with every pair of its maps as (rows, columns) of the image."""
    if not any(m.turned for m in (*call.inputs, *call.outputs)):
        return call
    inputs, outputs = (
        tuple(m.turn() if m.turned else m for m in maps)
        for maps in (call.inputs, call.outputs)
    )
    return replace(call, inputs=inputs, outputs=outputs)


def image_inputs(function, name: str | None) -> list:
    """Returns the inputs of a graph that are images, or the one of them named."""
    ranks = [len(t.shape) for t in function.inputs]
    images = [t for t in function.inputs if len(t.shape) == 4]
    if not images:
        images = [t for t in function.inputs if len(t.shape) == 3]
    if not images:
        raise ReceptiveFieldError(
            f"the model has no image among its inputs: their ranks are {ranks}, "
            "expected (batch, height, width, channels)"
        )
    if name is None:
        return images
    chosen = [t for t in images if t._keras_history.operation.name == name]
    if not chosen:
        names = [t._keras_history.operation.name for t in images]
        raise ReceptiveFieldError(f"no image input {name!r}; there are {names}")
    return chosen


def _sources(function, images, axes):
    chosen = {id(t) for t in images}
    sources = []
    for t in function.inputs:
        name = t._keras_history.operation.name
        if id(t) in chosen:
            place = axes if len(t.shape) == 4 else (1, 2)
            sources.append(FeatureMap.of_image(t.shape, place, name))
        else:
            sources.append(FeatureMap.blind(tuple(t.shape), name))
    return sources
