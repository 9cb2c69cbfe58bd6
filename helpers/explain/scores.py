"""The scores of classes before their softmax, without a change to the model."""

import keras
import numpy as np
from keras import layers, ops, tree

from .network import Network, called

_SQUASHING = tuple(
    getattr(keras.activations, name) for name in ("softmax", "log_softmax", "sigmoid")
)
# Layers behind which a softmax is still the model's last computation.
_PASSING = (layers.Dropout, layers.Flatten, layers.Identity, layers.Reshape)


class Scores:
    """The scores of one output of a network.

    Where the output ends in a softmax or sigmoid, by a layer of its own or as the
    activation of a Dense or other layer, the scores are what goes into it: logits.
    Else they are the output as it is.

    Attributes:
        classes: number of classes.
        step: the step that makes the output.
        squashing: the step with the softmax or sigmoid, None without one.
    """

    def __init__(self, network: Network, output: int = 0):
        if not 0 <= output < len(network.outputs):
            raise ValueError(
                f"model {network.name!r} has no output {output}: it has "
                f"{len(network.outputs)}, counted from 0"
            )
        shape = tuple(network.function.outputs[output].shape)
        if len(shape) != 2 or shape[1] is None:
            raise ValueError(
                f"output {output} of model {network.name!r} has the shape {shape}, "
                "expected (batch, classes). Take another output, or end the model in "
                "one score a class"
            )
        self.network, self.output, self.classes = network, output, shape[1]
        self.step = step = network.outputs[output]
        while _passes(step.operation) and step.inputs:
            step = step.inputs[0]
        self.squashing = step if _squashes(step.operation) else None
        self._linear = self.squashing and _without_activation(step.operation)

    def __call__(self, arrays, known=None, note=lambda name, found: None, raw=False):
        """Computes the scores of a batch.

        Args:
            arrays: a batch for each input of the model.
            known: lists of outputs by the names of calls that are not to be computed.
            note: is given the name of each call and the list of its outputs.
            raw: whether to return the output as it is, softmax included.

        Returns:
            A float32 tensor of the backend, `(n, classes)`.
        """
        known = known or {}
        replaced = None if raw or not self.squashing else self.squashing.name

        def compute(name, node, args, kwargs):
            if name in known:
                return known[name]
            if name == replaced:
                return [self._linear(tree.flatten((args, kwargs))[0])]
            return called(name, node, args, kwargs)

        outputs = self.network.run(arrays, compute, note)
        return ops.cast(outputs[self.output], "float32")

    def chosen(self, classes, arrays) -> np.ndarray | None:
        """Returns the classes of each image, `(n, k)`; None for the predicted one.

        Raises:
            ValueError: where they are not classes of this output.
        """
        if classes is None:
            return None
        table, count = np.asarray(classes), len(arrays[0])
        if not np.issubdtype(table.dtype, np.integer):
            raise ValueError(
                f"classes are of type {table.dtype}, expected integers: "
                "one, some for all images, or an array (images, classes)"
            )
        if table.ndim < 2:
            table = np.tile(table.reshape(1, -1), (count, 1))
        if table.ndim != 2 or len(table) != count or not table.size:
            raise ValueError(
                f"classes have the shape {np.shape(classes)} for {count} images: give "
                "one class, some for all images, or an array (images, classes)"
            )
        wrong = table[(table < 0) | (table >= self.classes)]
        if wrong.size:
            known = f"{self.classes}, from 0 to {self.classes - 1}"
            if self.classes == 1:
                known = "one output, class 0 here, which is its positive class"
            raise ValueError(
                f"there is no class {wrong[0]}: model {self.network.name!r} has {known}"
            )
        return table


def predicted(scores: np.ndarray) -> np.ndarray:
    """Returns the class of the highest score for each image, `(n, 1)`.

    That of one column is always 0, its positive class.
    """
    return np.argmax(scores, axis=1)[:, None]


def _passes(operation):
    if isinstance(operation, layers.Activation):
        return operation.activation is keras.activations.linear
    return isinstance(operation, _PASSING)


def _squashes(operation):
    return _only_squashes(operation) or (
        isinstance(operation, layers.Layer)
        and getattr(operation, "activation", None) in _SQUASHING
    )


def _only_squashes(operation):
    """Whether the softmax or sigmoid is all that a layer or operation does."""
    if isinstance(operation, layers.Activation):
        return operation.activation in _SQUASHING
    if isinstance(operation, layers.Layer):
        return isinstance(operation, layers.Softmax)
    return type(operation).__name__ in ("Softmax", "LogSoftmax", "Sigmoid")


def _without_activation(operation):
    """Returns a callable that does what a layer does but for its activation.

    The layer itself stays as it is: a switched activation would be seen by every other
    call of it, and forgotten by functions that Keras has compiled.
    """
    if _only_squashes(operation):
        return lambda x: x
    config = operation.get_config()
    # Random values would be drawn for nothing, from the reader's random numbers.
    zeros = {key: "zeros" for key in config if key.endswith("_initializer")}
    copy = type(operation).from_config({**config, **zeros, "activation": "linear"})
    copy.build_from_config(operation.get_build_config())
    copy.set_weights(operation.get_weights())
    return copy
