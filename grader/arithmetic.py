"""What a window, a padding or a merge does to sizes and receptive fields."""

from __future__ import annotations

import dataclasses
from typing import Any

from grader.layers import Layer

LARGEST = 10**9


class Unfollowed(Exception):
    """The network cannot be followed beyond this point; the text says why."""


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


PIXEL = (Axis(1, 0, 0), Axis(1, 0, 0))
State = tuple[tuple[int, ...], tuple[Axis, Axis] | None]


def image(layer: Layer, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return a shape as (height, width, channels), or say what it is instead."""
    if len(shape) != 3:
        raise Unfollowed(f"{layer.kind} needs (height, width, channels), got {shape}")
    return shape[0], shape[1], shape[2]


def slide(shape, axes, kernel, strides, dilation, padding):
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


def convolve(layer: Layer, shape, axes):
    """Return shape, axes and number of weights behind a convolution."""
    options = layer.options
    height, width, channels = image(layer, shape)
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
        if type(filters) is not int or not 0 < filters < LARGEST:
            raise Unfollowed(f"the filters of {layer.kind} are not known")
        if layer.kind == "SeparableConv2D":
            middle = channels * options["multiplier"]
            count = window * middle + middle * filters
        else:
            groups = options.get("groups") or 1
            count = window * (channels // groups) * filters
    if options["bias"]:
        count += filters
    (rows, columns, _), axes = slide(
        (height, width, channels),
        axes,
        kernel,
        options["strides"],
        options["dilation"],
        options["padding"],
    )
    return (rows, columns, filters), axes, count


def widen(axes: tuple[Axis, Axis], height: int, width: int) -> tuple[Axis, Axis]:
    """Return the axes behind a pooling over a whole map of this size."""
    grown = [
        Axis(axis.jump, axis.low, axis.high + (side - 1) * axis.jump)
        for axis, side in zip(axes, (height, width), strict=True)
    ]
    return grown[0], grown[1]


def pad(layer: Layer, shape, axes):
    """Return shape and axes behind padding or cropping."""
    height, width, channels = image(layer, shape)
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


def reshape(shape: tuple[int, ...], target: Any) -> tuple[int, ...]:
    """Return the shape behind Reshape, -1 worked out."""
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


def merge(kind: str, inputs: list[State]) -> State:
    """Return shape and axes where tensors are added or joined."""
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
