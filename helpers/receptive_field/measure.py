"""Receptive fields measured by gradients: theory's check, and the effective field."""

import keras
import numpy as np
from keras import ops

from . import graph
from .gradients import gradient
from .model import image_inputs, trace
from .neutral import neutral
from .registry import ReceptiveFieldError

Interval = tuple[int, int]


def measured_field(
    model, layer: str, index: int | tuple[int, int], input: str | None = None
) -> tuple[Interval, Interval] | None:
    """Measures which pixels of the image one output depends on.

    The gradient of the output at `index` is taken through a copy of the network in
    which it vanishes nowhere by chance: positive random weights, means in place of
    maxima, no activations, 64-bit numbers.

    Args:
        model: a functional or built Sequential model of fixed input size.
        layer: name of a layer call, as in `receptive_fields`.
        index: position of the output, (row, column), or one number for both.
        input: name of the input whose pixels count; by default all image inputs.

    Returns:
        First and last row, first and last column with a gradient; None without any.

    Raises:
        ReceptiveFieldError: where the model has no graph or no fixed size.
        KeyError: where there is no such layer.
    """
    pair = (index, index) if isinstance(index, int) else tuple(index)
    return hull(sensitivities(model, layer, [pair], input)[0])


def hull(sensitivity: np.ndarray) -> tuple[Interval, Interval] | None:
    """Returns the rows and columns between which an array is not zero."""
    rows, columns = (np.flatnonzero(sensitivity.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    return (int(rows[0]), int(rows[-1])), (int(columns[0]), int(columns[-1]))


def sensitivities(
    model,
    layer: str,
    indices: list[tuple[int, int]],
    input: str | None = None,
    seed: int = 0,
) -> np.ndarray:
    """Returns how much outputs depend on each pixel, in a network of positive weights.

    Args:
        model: a functional or built Sequential model of fixed input size.
        layer: name of a layer call.
        indices: positions of outputs, (row, column) each.
        input: name of the input whose pixels count; by default all image inputs.
        seed: of the positive weights.

    Returns:
        Sums of absolute gradients, `(len(indices), height, width)`.
    """
    random = np.random.default_rng(seed)
    copies = {}

    def replaced(operation):
        if id(operation) not in copies:
            copies[id(operation)] = neutral(operation, random)
        return copies[id(operation)]

    function = graph.functional_of(model)
    arrays = []
    for tensor in function.inputs:
        shape = (len(indices), *tensor.shape[1:])
        if None in shape:
            raise ReceptiveFieldError(
                f"input {tensor.name!r} of shape {tensor.shape} has no fixed size to "
                "measure on. Build the model with one"
            )
        arrays.append(random.uniform(0.5, 1.5, shape))
    return _sensitivities(model, layer, indices, input, arrays, replaced, random)


def effective_field(
    model, layer: str, images: np.ndarray, index: int | tuple[int, int] | None = None
) -> np.ndarray:
    """Returns the effective receptive field of an output of a network as it is.

    The mean over images of the absolute gradient of the sum of all channels at one
    position, with the model's own weights, in inference mode. Paper: Understanding the
    Effective Receptive Field, https://arxiv.org/abs/1701.04128

    Args:
        model: a functional or built Sequential model with one input.
        layer: name of a layer call.
        images: `(n, height, width, channels)`, as the model takes them.
        index: position of the output, (row, column) or one number for both; the
            middle one by default.

    Returns:
        `(height, width)`, scaled to a maximum of 1.

    Raises:
        ReceptiveFieldError: where the model has no graph or several inputs.
        KeyError: where there is no such layer.
    """
    function = graph.functional_of(model)
    if len(function.inputs) != 1:
        raise ReceptiveFieldError(
            f"expected a model with one input, got {len(function.inputs)}"
        )
    if index is None:
        index = tuple(size // 2 for size in _traced(model, layer)[layer].grid)
    pair = (index, index) if isinstance(index, int) else tuple(index)
    images = np.asarray(images, dtype="float32")
    found = _sensitivities(
        model, layer, [pair] * len(images), None, [images], lambda op: op, None
    ).mean(axis=0)
    return found / max(found.max(), np.finfo(found.dtype).tiny)


def _traced(model, layer, input=None):
    """Returns the calls of a model by name, after a look for the layer."""
    calls = {call.name: call.outputs[0] for call in trace(model, input)}
    if layer not in calls:
        raise KeyError(f"no layer {layer!r}; there are {', '.join(calls)}")
    return calls


def _sensitivities(model, layer, indices, input, arrays, replaced, random):
    function = graph.functional_of(model)
    maps = _traced(model, layer, input)
    images = {id(t) for t in image_inputs(function, input)}
    places = [i for i, t in enumerate(function.inputs) if id(t) in images]

    def selected(tensors):
        values = list(arrays)
        for place, tensor in zip(places, tensors, strict=True):
            values[place] = tensor
        reached = {}
        _run(function, values, "", layer, replaced, reached)
        output = reached[layer]
        mask = _mask(tuple(output.shape), maps[layer], indices, random)
        return ops.sum(output * ops.cast(mask, output.dtype))

    found = gradient(selected, [arrays[place] for place in places])
    views = []
    for place, g in zip(places, found, strict=True):
        rows, columns = maps[function.inputs[place]._keras_history.operation.name].axes
        others = [axis for axis in range(1, g.ndim) if axis not in (rows, columns)]
        views.append(np.abs(g).sum(axis=tuple(others)))
    total = np.zeros(np.max([view.shape for view in views], axis=0))
    for view in views:
        total[:, : view.shape[1], : view.shape[2]] += view
    return total


def _mask(shape, feature_map, indices, random):
    """Selects one position in each image of the batch, and weighs its channels.

    Unequal weights keep channels that sum to a constant, as after a softmax, from
    cancelling.
    """
    mask = np.ones(shape) if random is None else random.uniform(0.5, 1.5, shape)
    rows, columns = feature_map.axes
    wanted = {rows: [pair[0] for pair in indices], columns: [p[1] for p in indices]}
    if rows == columns:
        width = feature_map.grid[1]
        wanted[rows] = [row * width + column for row, column in indices]
    for axis, positions in wanted.items():
        if axis is not None:
            chosen = np.arange(shape[axis]) == np.array(positions)[:, None]
            where = [1] * len(shape)
            where[0], where[axis] = len(indices), shape[axis]
            mask = mask * chosen.reshape(where)
    return mask


def _run(function, inputs, prefix, wanted, replaced, reached):
    """Runs a graph on tensors until the wanted call, with layers replaced."""
    values = {id(t): x for t, x in zip(function.inputs, inputs, strict=True)}
    for node, name in graph.ordered_nodes(function):
        name = prefix + name
        if node.is_input:
            found = [values[id(t)] for t in node.outputs]
        else:
            args, kwargs = node.arguments.fill_in(values)
            if graph.is_nested(node.operation):
                inner = graph.functional_of(node.operation)
                given = [values[id(t)] for t in node.input_tensors]
                found = _run(inner, given, f"{name}/", wanted, replaced, reached)
                if found is None:
                    return None
            else:
                found = keras.tree.flatten(replaced(node.operation)(*args, **kwargs))
        if name == wanted:
            reached[name] = found[0]
            return None
        values.update((id(t), x) for t, x in zip(node.outputs, found, strict=True))
    return [values[id(t)] for t in function.outputs]
