"""Sizes, parameters and receptive fields of a rebuilt network, in plain arithmetic.

The arithmetic is the one of `helpers.receptive_field` and `helpers.describe`,
kept free of Keras so that a hostile submission costs milliseconds and no
memory; the tests compare the two on random networks.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from grader import layers as kinds
from grader.layers import Layer

_LARGEST = 10**9


class Unfollowed(Exception):
    """The network cannot be followed beyond this point; the text says why."""


@dataclasses.dataclass(eq=False)
class Node:
    """One use of a layer: the layer and the nodes it reads."""

    layer: Layer
    # Left out of repr: a shared parent would be printed once a path to it.
    parents: tuple[Node, ...] = dataclasses.field(default=(), repr=False)


@dataclasses.dataclass(frozen=True)
class Axis:
    """What one output unit sees along one axis, in input pixels.

    Unit i sees pixels [i * jump + low, i * jump + high].
    """

    jump: int
    low: int
    high: int

    @property
    def size(self) -> int:
        """Return the receptive field along this axis, in pixels."""
        return self.high - self.low + 1


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


_PIXEL = (Axis(1, 0, 0), Axis(1, 0, 0))
State = tuple[tuple[int, ...], tuple[Axis, Axis] | None]


def _start(layer: Layer, fallback: tuple[int, ...] | None) -> State:
    shape = layer.options.get("input_shape")
    if shape is None and layer.options.get("batch_input_shape"):
        shape = tuple(layer.options["batch_input_shape"])[1:]
    if not (
        isinstance(shape, list | tuple)
        and shape
        and all(type(n) is int and 0 < n < _LARGEST for n in shape)
    ):
        shape = fallback
    if shape is None:
        raise Unfollowed("the input shape is not known")
    shape = tuple(shape)
    return shape, _PIXEL if len(shape) == 3 else None


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
        return (*_merge(kind, inputs), 0)
    if kind in kinds.CONVOLUTIONS:
        return _convolve(layer, shape, axes)
    if kind in kinds.POOLINGS:
        shape, axes = _slide(
            _image(layer, shape),
            axes,
            options["pool"],
            options["strides"],
            (1, 1),
            options["padding"],
        )
        return shape, axes, 0
    if kind in kinds.GLOBAL_POOLINGS:
        height, width, channels = _image(layer, shape)
        if axes is not None:
            axes = _widen(axes, height, width)
        if options.get("keepdims"):
            return (1, 1, channels), axes, 0
        return (channels,), axes, 0
    if kind == "Flatten":
        total = 1
        for side in shape:
            total *= side
        return (total,), None, 0
    if kind == "Reshape":
        return _reshape(shape, options.get("target")), axes, 0
    if kind == "Dense":
        units = options.get("units")
        if type(units) is not int or not 0 < units < _LARGEST:
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
        return (*_pad(layer, shape, axes), 0)
    if kind in ("UpSampling2D", "Lambda"):
        raise Unfollowed(f"{kind} is not followed")
    return shape, axes, 0


def _image(layer: Layer, shape: tuple[int, ...]) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise Unfollowed(f"{layer.kind} needs (height, width, channels), got {shape}")
    return shape[0], shape[1], shape[2]


def _slide(shape, axes, kernel, strides, dilation, padding):
    """Slide a window over an image: the new shape and the new axes."""
    sides: list[int] = []
    moved: list[Axis] = []
    for i in range(2):
        span = (kernel[i] - 1) * dilation[i] + 1
        step = strides[i]
        if span < 1 or step < 1:
            raise Unfollowed("a kernel or stride is below 1")
        if padding == "same":
            side = -(-shape[i] // step)
            before = max((side - 1) * step + span - shape[i], 0) // 2
        elif padding == "valid":
            side = (shape[i] - span) // step + 1
            before = 0
        else:
            raise Unfollowed(f"padding {padding!r} is not followed")
        if side < 1:
            raise Unfollowed("an output size falls below 1")
        sides.append(side)
        if axes is not None:
            axis = axes[i]
            low = axis.low - before * axis.jump
            high = axis.high + (span - 1 - before) * axis.jump
            moved.append(Axis(axis.jump * step, low, high))
    pair = (moved[0], moved[1]) if axes is not None else None
    return (sides[0], sides[1], shape[2]), pair


def _convolve(layer: Layer, shape, axes):
    options = layer.options
    height, width, channels = _image(layer, shape)
    kernel = options.get("kernel")
    if not isinstance(kernel, tuple) or len(kernel) != 2:
        raise Unfollowed(f"the kernel of {layer.kind} is not known")
    if layer.kind in ("Conv2DTranspose", "LocallyConnected2D", "Conv1D"):
        raise Unfollowed(f"{layer.kind} is not followed")
    window = kernel[0] * kernel[1]
    if layer.kind == "DepthwiseConv2D":
        filters = channels * options["multiplier"]
        count = window * filters
    else:
        filters = options.get("filters")
        if type(filters) is not int or not 0 < filters < _LARGEST:
            raise Unfollowed(f"the filters of {layer.kind} are not known")
        if layer.kind == "SeparableConv2D":
            middle = channels * options["multiplier"]
            count = window * middle + middle * filters
        else:
            groups = options.get("groups") or 1
            count = window * (channels // groups) * filters
    if options["bias"]:
        count += filters
    (rows, columns, _), axes = _slide(
        (height, width, channels),
        axes,
        kernel,
        options["strides"],
        options["dilation"],
        options["padding"],
    )
    return (rows, columns, filters), axes, count


def _widen(axes: tuple[Axis, Axis], height: int, width: int) -> tuple[Axis, Axis]:
    grown = [
        Axis(axis.jump, axis.low, axis.high + (side - 1) * axis.jump)
        for axis, side in zip(axes, (height, width), strict=True)
    ]
    return grown[0], grown[1]


def _pad(layer: Layer, shape, axes):
    height, width, channels = _image(layer, shape)
    value: Any = layer.options["pad"]
    if isinstance(value, int):
        value = (value, value)
    sides = [(v, v) if isinstance(v, int) else (v[0], v[1]) for v in value]
    sign = 1 if layer.kind == "ZeroPadding2D" else -1
    rows = height + sign * sum(sides[0])
    columns = width + sign * sum(sides[1])
    if rows < 1 or columns < 1:
        raise Unfollowed("an output size falls below 1")
    if axes is not None:
        moved = [
            Axis(a.jump, a.low - sign * s[0] * a.jump, a.high - sign * s[0] * a.jump)
            for a, s in zip(axes, sides, strict=True)
        ]
        axes = (moved[0], moved[1])
    return (rows, columns, channels), axes


def _reshape(shape: tuple[int, ...], target: Any) -> tuple[int, ...]:
    if isinstance(target, int):
        target = (target,)
    if not isinstance(target, list | tuple) or not target:
        raise Unfollowed("the target of Reshape is not known")
    total = 1
    for side in shape:
        total *= side
    known = 1
    for side in target:
        known *= side if side != -1 else 1
    return tuple(total // known if side == -1 else side for side in target)


def _merge(kind: str, inputs: list[State]) -> State:
    shapes = [shape for shape, _ in inputs]
    if kind == "Concatenate":
        if any(shape[:-1] != shapes[0][:-1] for shape in shapes):
            raise Unfollowed("Concatenate joins tensors of different sizes")
        shape = (*shapes[0][:-1], sum(shape[-1] for shape in shapes))
    else:
        if any(shape != shapes[0] for shape in shapes):
            raise Unfollowed(f"{kind} joins tensors of different shapes")
        shape = shapes[0]
    fields = [axes for _, axes in inputs]
    if any(axes is None for axes in fields):
        return shape, None
    joined = []
    for i in range(2):
        parts = [axes[i] for axes in fields]
        if len({part.jump for part in parts}) > 1:
            return shape, None
        joined.append(
            Axis(
                parts[0].jump,
                min(part.low for part in parts),
                max(part.high for part in parts),
            )
        )
    return shape, (joined[0], joined[1])
