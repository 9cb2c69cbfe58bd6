"""A functional model, run call by call, so that any tensor in it can be had."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers, ops, tree

from helpers.receptive_field import Fields
from helpers.receptive_field.graph import functional_of, is_nested, ordered_nodes


@dataclass(frozen=True, eq=False)
class Step:
    """One call of a layer in a model.

    Attributes:
        name: `name`, `name/1` for the second call of a shared layer, `outer/name`
            inside a nested model, as in `helpers.receptive_field`.
        operation: the layer or `keras.ops` operation; None for an input.
        shape: shape of its (first) output, batch first, None where not known.
        inputs: the steps whose outputs it takes.
        upstream: the names of the steps that it depends on, its own included.
    """

    name: str
    operation: object
    shape: tuple[int | None, ...]
    inputs: tuple["Step", ...] = ()
    upstream: frozenset[str] = frozenset()

    @property
    def is_map(self) -> bool:
        """Whether its output has rows and columns."""
        return len(self.shape) == 4

    @property
    def is_spatial(self) -> bool:
        """Whether it has rows and columns, and more than one position."""
        return self.is_map and any(self.shape[axis] != 1 for axis in spatial_axes())


class Network:
    """The graph of a model.

    Attributes:
        steps: every call by name, in the order of the graph. The name of a nested
            model gives the last step in it; the name of a layer in it is enough
            where it is unique.
        outputs: the step that makes each output of the model.
    """

    def __init__(self, model):
        self.name = getattr(model, "name", "")
        self.function = functional_of(model)
        # A dict that knows short names and proposes near ones.
        self.steps = Fields()

        def follow(name, node, args, kwargs):
            given = [x for x in tree.flatten((args, kwargs)) if isinstance(x, Step)]
            upstream = frozenset([name]).union(*(step.upstream for step in given))
            shape = tuple(node.outputs[0].shape)
            step = Step(name, node.operation, shape, tuple(given), upstream)
            return [step] * len(node.outputs)

        def note(name, found):
            self.steps[name] = found[0]

        inputs = [Step(t.name, None, tuple(t.shape)) for t in self.function.inputs]
        self.outputs = _walk(self.function, inputs, follow, note)

    def arrays(self, images) -> list[np.ndarray]:
        """Returns the model's inputs as arrays, after a check of their shapes.

        Args:
            images: an array `(n, height, width, channels)`; for a model of several
                inputs a list or dict of arrays, as the model takes them.

        Raises:
            ValueError: where number or shape is not the model's.
        """
        found = [np.asarray(x) for x in tree.flatten(images)]
        inputs = self.function.inputs
        if len(found) != len(inputs):
            raise ValueError(
                f"model {self.name!r} has {len(inputs)} input(s), got {len(found)} "
                "array(s). Give one array for each, images stacked along its first axis"
            )
        for array, tensor in zip(found, inputs, strict=True):
            fits = array.ndim == len(tensor.shape) and all(
                size in (None, given)
                for size, given in zip(tensor.shape[1:], array.shape[1:], strict=True)
            )
            if not fits or not len(array):
                hint = " A single image needs a batch axis: images[None]." * (
                    array.ndim == len(tensor.shape) - 1
                )
                raise ValueError(
                    f"images have the shape {array.shape}; input {tensor.name!r} takes "
                    f"{tuple(tensor.shape)} with at least one image.{hint}"
                )
        if len({len(array) for array in found}) > 1:
            counts = [len(array) for array in found]
            raise ValueError(f"the inputs hold {counts} images: give as many to each")
        return found

    def run(
        self,
        arrays: list[np.ndarray],
        compute: Callable | None = None,
        note: Callable = lambda name, found: None,
    ) -> list:
        """Runs the model in inference mode.

        Args:
            arrays: a batch for each input.
            compute: takes the name of a call, its node, positional and keyword
                arguments, returns its outputs as a list; by default the layer does.
            note: is given the name of each call, nested models included, and the
                list of its outputs.

        Returns:
            The model's outputs, as tensors of the backend.
        """
        tensors = [
            ops.convert_to_tensor(array, dtype=tensor.dtype)
            for array, tensor in zip(arrays, self.function.inputs, strict=True)
        ]
        return _walk(self.function, tensors, compute or called, note)


def called(name, node, args, kwargs) -> list:
    """Calls a layer as `model(images, training=False)` would, returns its outputs."""
    operation = node.operation
    # Left unsaid, preprocessing layers such as RandomFlip take it to be True.
    if isinstance(operation, layers.Layer) and (
        "training" in inspect.signature(operation.call).parameters
    ):
        kwargs = {**kwargs, "training": False}
    return tree.flatten(operation(*args, **kwargs))


def spatial_axes() -> tuple[int, int]:
    """Returns the axes of rows and columns in Keras's data format."""
    return (2, 3) if keras.config.image_data_format() == "channels_first" else (1, 2)


def channels_last(array: np.ndarray) -> np.ndarray:
    """Returns feature maps as `(n, rows, columns, channels)`."""
    return np.moveaxis(array, spatial_axes(), (1, 2))


def to_numpy(tensor) -> np.ndarray:
    """Returns a tensor as an array; floats of 16 bits, which few tools read, as 32."""
    if keras.backend.standardize_dtype(tensor.dtype) in ("bfloat16", "float16"):
        tensor = ops.cast(tensor, "float32")
    return ops.convert_to_numpy(tensor)


def _walk(function, inputs, compute, note, prefix=""):
    """Carries values, whatever they are, through a graph; returns its outputs."""
    values = {id(t): x for t, x in zip(function.inputs, inputs, strict=True)}
    for node, name in ordered_nodes(function):
        if node.is_input:
            continue
        name = prefix + name
        if is_nested(node.operation):
            given = [values[id(t)] for t in node.input_tensors]
            inner = functional_of(node.operation)
            found = _walk(inner, given, compute, note, f"{name}/")
        else:
            args, kwargs = node.arguments.fill_in(values)
            found = compute(name, node, args, kwargs)
        note(name, found)
        values.update((id(t), x) for t, x in zip(node.outputs, found, strict=True))
    return [values[id(t)] for t in function.outputs]
