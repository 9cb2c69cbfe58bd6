"""What each layer gets and gives while images pass, in nested models too."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import keras
import numpy as np
from keras import activations, layers, ops

_KINDS = {
    activations.relu: "relu",
    activations.sigmoid: "sigmoid",
    activations.softmax: "softmax",
    activations.tanh: "tanh",
}
# Outputs this near to an end of tanh or the logistic function: slope below 0.04 of
# the largest.
_SATURATED = 0.98


@dataclass(frozen=True)
class Passage:
    """One call of one layer, in numbers.

    Attributes:
        layer: The layer.
        input_shape: With the batch; of the first input.
        mean: Mean of the input by channel, `(channels,)`.
        std: Standard deviation of the input by channel.
        spread: Standard deviation of all of the input.
        output_shape: With the batch.
        dead: Share of channels that are nowhere above zero, for ReLU; else 0.
        saturated: Share of values near an end, for tanh and sigmoid; else 0.
    """

    layer: keras.Layer
    input_shape: tuple[int, ...]
    mean: np.ndarray
    std: np.ndarray
    spread: float
    output_shape: tuple[int, ...]
    dead: float
    saturated: float


def activation_of(layer: keras.Layer) -> str | None:
    """Returns the activation that a layer ends in: "relu", "softmax" ... or None."""
    if isinstance(layer, layers.ReLU):
        plain = not layer.negative_slope and not layer.threshold
        return "relu" if plain else None
    if isinstance(layer, layers.Softmax):
        return "softmax"
    return _KINDS.get(getattr(layer, "activation", None))


def kernel_of(layer: keras.Layer) -> keras.Variable | None:
    """Returns the weights that a layer mixes its input channels by, or None."""
    for name in ("pointwise_kernel", "kernel"):
        kernel = getattr(layer, name, None)
        if isinstance(kernel, keras.Variable):
            return kernel
    return None


def leaves(model: keras.Model) -> list[keras.Layer]:
    """Returns the layers of a model that hold no other layers, in no fixed order."""
    found = model._flatten_layers(include_self=False)
    return [layer for layer in found if not list(layer._flatten_layers(False))]


def passages(
    model: keras.Model, images: np.ndarray, training: bool
) -> tuple[list[Passage], np.ndarray]:
    """Passes images through a model and measures each layer on the way.

    Args:
        model: A built model.
        images: `(batch, height, width, channels)`.
        training: Whether in training mode: then normalisations take their statistics
            from the batch, as at the first step, and remember them; call it inside
            `preserved(model)`.

    Returns:
        The passages in the order of the calls, and the model's output.
    """
    found = []
    with _watched(leaves(model), found):
        output = model(ops.convert_to_tensor(images), training=training)
    return found, _array(output)


@contextmanager
def _watched(watched, found) -> Iterator[None]:
    def wrapped(layer, call):
        @functools.wraps(call)
        def inner(*args, **kwargs):
            result = call(*args, **kwargs)
            tensors = [x for x in keras.tree.flatten((args, kwargs)) if _is_float(x)]
            results = [x for x in keras.tree.flatten(result) if _is_float(x)]
            if tensors and results:
                found.append(_measure(layer, tensors[0], results[0]))
            return result

        return inner

    changed = []
    try:
        for layer in watched:
            # Past Keras' bookkeeping of attributes, so that nothing of it stays.
            object.__setattr__(layer, "call", wrapped(layer, layer.call))
            changed.append(layer)
        yield
    finally:
        for layer in changed:
            object.__delattr__(layer, "call")


def _measure(layer, given, result):
    given, result = _array(given), _array(result)
    axes = tuple(range(given.ndim - 1)) if given.ndim > 2 else None
    kind, dead, saturated = activation_of(layer), 0.0, 0.0
    if kind == "relu":
        highest = result.max(axis=tuple(range(result.ndim - 1)))
        dead = float(np.mean(highest <= 0))
    elif kind in ("tanh", "sigmoid"):
        ends = np.abs(result if kind == "tanh" else 2.0 * result - 1.0)
        saturated = float(np.mean(ends > _SATURATED))
    return Passage(
        layer,
        given.shape,
        np.atleast_1d(given.mean(axis=axes)),
        np.atleast_1d(given.std(axis=axes)),
        float(given.std()),
        result.shape,
        dead,
        saturated,
    )


def _is_float(x):
    return hasattr(x, "dtype") and "float" in keras.backend.standardize_dtype(x.dtype)


def _array(tensor):
    return np.asarray(ops.convert_to_numpy(ops.cast(tensor, "float32")))
