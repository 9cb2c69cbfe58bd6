"""Sizes, parameters and receptive fields of a rebuilt network, in plain arithmetic.

The arithmetic is the one of `helpers.receptive_field` and `helpers.describe`,
kept free of Keras so that a hostile submission costs milliseconds and no
memory; the tests compare the two on random networks.
"""

from __future__ import annotations

import dataclasses

from grader import layers as kinds
from grader.arithmetic import (
    LARGEST,
    PIXEL,
    Axis,
    State,
    Unfollowed,
    convolve,
    image,
    merge,
    pad,
    reshape,
    slide,
    widen,
)
from grader.layers import Layer


@dataclasses.dataclass(eq=False)
class Node:
    """One use of a layer: the layer and the nodes it reads."""

    layer: Layer
    # Left out of repr: a shared parent would be printed once a path to it.
    parents: tuple[Node, ...] = dataclasses.field(default=(), repr=False)


@dataclasses.dataclass(frozen=True)
class Row:
    """One layer of a described network.

    Attributes:
        layer: the layer.
        shape: output shape without the batch: (height, width, channels) or
            (units,).
        parameters: weights that this layer adds, statistics of batch
            normalisation included.
        field: receptive field (height, width), or None where no window is left.
    """

    layer: Layer
    shape: tuple[int, ...]
    parameters: int
    field: tuple[int, int] | None


@dataclasses.dataclass(frozen=True)
class Description:
    """Rows in the order of computation, as far as the network could be followed.

    Attributes:
        rows: one a layer.
        broken: why the description ends early, or None.
    """

    rows: tuple[Row, ...]
    broken: str | None = None

    @property
    def parameters(self) -> int | None:
        """Return the total number of parameters, or None when broken."""
        return None if self.broken else sum(row.parameters for row in self.rows)


def chain(stack: list[Layer]) -> list[Node]:
    """Return the nodes of a sequential network."""
    nodes: list[Node] = []
    for layer in stack:
        nodes.append(Node(layer, (nodes[-1],) if nodes else ()))
    return nodes


def describe(
    nodes: list[Node], input_shape: tuple[int, ...] | None = None
) -> Description:
    """Follow a network from its input.

    Args:
        nodes: in an order in which parents come first.
        input_shape: (height, width, channels) where the code does not say.

    Returns:
        The rows; `broken` is set where a layer is unknown or does not fit.
    """
    state: dict[int, tuple[tuple[int, ...], tuple[Axis, Axis] | None]] = {}
    counted: set[int] = set()
    rows: list[Row] = []
    for node in nodes:
        try:
            inputs = [state[id(parent)] for parent in node.parents]
            shape, axes, count = _apply(node.layer, inputs, input_shape)
        except Unfollowed as error:
            return Description(tuple(rows), str(error))
        except KeyError:
            return Description(tuple(rows), "a layer reads a tensor of another network")
        except (TypeError, ValueError, OverflowError, ZeroDivisionError):
            message = f"{node.layer.kind} has arguments that do not fit"
            return Description(tuple(rows), message)
        state[id(node)] = (shape, axes)
        if id(node.layer) in counted:
            count = 0
        counted.add(id(node.layer))
        if node.layer.kind == "InputLayer":
            continue
        field = None if axes is None else (axes[0].size, axes[1].size)
        rows.append(Row(node.layer, shape, count, field))
    return Description(tuple(rows))


def _start(layer: Layer, fallback: tuple[int, ...] | None) -> State:
    shape = layer.options.get("input_shape")
    if shape is None and layer.options.get("batch_input_shape"):
        shape = tuple(layer.options["batch_input_shape"])[1:]
    if not (
        isinstance(shape, list | tuple)
        and shape
        and all(type(n) is int and 0 < n < LARGEST for n in shape)
    ):
        shape = fallback
    if shape is None:
        raise Unfollowed("the input shape is not known")
    shape = tuple(shape)
    return shape, PIXEL if len(shape) == 3 else None


def _apply(
    layer: Layer, inputs: list[State], fallback: tuple[int, ...] | None
) -> tuple[tuple[int, ...], tuple[Axis, Axis] | None, int]:
    kind, options = layer.kind, layer.options
    if layer.unread and kind not in ("Activation", "Identity", "Dropout"):
        if set(layer.unread) - {"input_shape", "batch_input_shape", "rate", "name"}:
            raise Unfollowed(
                f"the {layer.unread[0]} of {kind} is not a value that can be followed"
            )
    if kind == "InputLayer":
        return (*_start(layer, fallback), 0)
    if not inputs:
        inputs = [_start(layer, fallback)]
    shape, axes = inputs[0]
    if str(options.get("data_format", "")).lower() in ("channels_first", "th"):
        raise Unfollowed("channels_first is not followed")
    if kind in kinds.MERGES:
        return (*merge(kind, inputs), 0)
    if kind in kinds.CONVOLUTIONS:
        return convolve(layer, shape, axes)
    if kind in kinds.POOLINGS:
        shape, axes = slide(
            image(layer, shape),
            axes,
            options["pool"],
            options["strides"],
            (1, 1),
            options["padding"],
        )
        return shape, axes, 0
    if kind in kinds.GLOBAL_POOLINGS:
        height, width, channels = image(layer, shape)
        if axes is not None:
            axes = widen(axes, height, width)
        if options.get("keepdims"):
            return (1, 1, channels), axes, 0
        return (channels,), axes, 0
    if kind == "Flatten":
        total = 1
        for side in shape:
            total *= side
        return (total,), None, 0
    if kind == "Reshape":
        return reshape(shape, options.get("target")), axes, 0
    if kind == "Dense":
        units = options.get("units")
        if type(units) is not int or not 0 < units < LARGEST:
            raise Unfollowed("the units of Dense are not known")
        count = shape[-1] * units + (units if options["bias"] else 0)
        return (*shape[:-1], units), axes, count
    if kind == "BatchNormalization":
        groups = 2 + bool(options["center"]) + bool(options["scale"])
        return shape, axes, groups * shape[-1]
    if kind == "LayerNormalization":
        return shape, axes, 2 * shape[-1]
    if kind == "PReLU":
        free = shape
        shared = options.get("shared_axes")
        if shared:
            free = tuple(n for i, n in enumerate(shape, 1) if i not in tuple(shared))
        count = 1
        for side in free:
            count *= side
        return shape, axes, count
    if kind in ("ZeroPadding2D", "Cropping2D"):
        return (*pad(layer, shape, axes), 0)
    if kind in ("UpSampling2D", "Lambda"):
        raise Unfollowed(f"{kind} is not followed")
    return shape, axes, 0
