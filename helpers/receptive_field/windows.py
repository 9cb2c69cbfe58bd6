"""What each kind of layer reads along one axis, as a `Window`, and its output size.

Every function is cached: a network has few different windows, and equal ones are one
object, so that a square layer on a square image is computed for one axis only.
"""

import math
from fractions import Fraction
from functools import cache

from .intervals import Window, window


@cache
def sliding(kernel: int, stride: int, dilation: int, before: int) -> Window:
    """Convolution or pooling with `before` positions of padding in front."""
    return window([[t * dilation - before for t in range(kernel)]], stride)


@cache
def shifted(start: int, step: int = 1) -> Window:
    """Cropping (`start` positions), padding (`-start`) or a slice with a step."""
    return window([[start]], step)


@cache
def repeated(times: int) -> Window:
    """Each position `times` times: nearest upsampling by a whole factor."""
    return window([[0]] * times, 1)


@cache
def transposed(kernel: int, stride: int, dilation: int, before: int) -> Window:
    """Transposed convolution whose full output lost `before` positions in front.

    Input i adds to the outputs `i * stride + t * dilation - before` for each tap t;
    the taps that reach an output therefore depend on its phase.
    """
    rows = []
    for phase in range(stride):
        reached = [phase + before - t * dilation for t in range(kernel)]
        rows.append([r // stride for r in reached if r % stride == 0])
    return window(rows, 1)


@cache
def adaptive(size: int, outputs: int) -> Window:
    """Adaptive pooling: output i covers `[i * n / m, (i + 1) * n / m]`, rounded out."""
    shared = math.gcd(size, outputs)
    n, m = size // shared, outputs // shared
    return window([range(i * n // m, -(-(i + 1) * n // m)) for i in range(m)], n)


# Half the width of each kernel in input positions; a tap exactly there weighs zero.
_RADIUS = {"bilinear": 1, "bicubic": 2, "lanczos3": 3, "lanczos5": 5}


@cache
def resized(size: int, outputs: int, interpolation: str, antialias: bool) -> Window:
    """Resizing with pixel centres at 0.5, 1.5, ... as all Keras backends do.

    Raises:
        ValueError: where the interpolation is not known.
    """
    if interpolation == "area":
        return adaptive(size, outputs)
    shared = math.gcd(size, outputs)
    n, m = size // shared, outputs // shared
    scale = Fraction(n, m)
    if interpolation == "nearest":
        return window([[math.floor((i + Fraction(1, 2)) * scale)] for i in range(m)], n)
    if interpolation not in _RADIUS:
        raise ValueError(
            f"the interpolation {interpolation!r} is not known; "
            f"known are 'nearest', 'area', {', '.join(map(repr, _RADIUS))}"
        )
    radius = _RADIUS[interpolation] * (max(scale, 1) if antialias else 1)
    rows = []
    for i in range(m):
        centre = (i + Fraction(1, 2)) * scale - Fraction(1, 2)
        first = math.floor(centre - radius) + 1
        last = math.ceil(centre + radius) - 1
        taps = range(first, last + 1)
        # On a position, the other taps of an interpolating kernel weigh zero.
        if centre.denominator == 1 and radius == _RADIUS[interpolation]:
            taps = [int(centre)]
        rows.append(taps)
    return window(rows, n)


def same_padding(
    size: int | None, kernel: int, stride: int, dilation: int
) -> tuple[int, bool]:
    """Padding in front of a `same` window, as TensorFlow places it.

    The total makes the output `ceil(size / stride)`; the smaller half goes in front.

    Returns:
        The padding, and whether it is certain. With an unknown size it is that of a
        multiple of the stride, certain only where every size gives the same.
    """
    extent = (kernel - 1) * dilation + 1
    if size is None:
        smallest, largest = max(extent - stride, 0), max(extent - 1, 0)
        return smallest // 2, smallest // 2 == largest // 2
    total = (-(-size // stride) - 1) * stride + extent - size
    return max(total, 0) // 2, True


def sliding_size(size: int | None, kernel: int, stride: int, dilation: int, same: bool):
    """Output size of a convolution or pooling, None where `size` is None."""
    if size is None:
        return None
    if same:
        return -(-size // stride)
    return (size - (kernel - 1) * dilation - 1) // stride + 1


def transposed_size(
    size: int | None,
    kernel: int,
    stride: int,
    dilation: int,
    same: bool,
    output_padding: int | None,
) -> tuple[int | None, int]:
    """Output size of a transposed convolution, and what it cuts off in front."""
    extent = (kernel - 1) * dilation + 1
    if not same:
        extra = max(stride - extent, 0) if output_padding is None else output_padding
        return size and (size - 1) * stride + extent + extra, 0
    # How far the output goes beyond the last input's first tap.
    tail = stride if output_padding is None else extent % 2 + output_padding
    return size and (size - 1) * stride + tail, max(extent - tail, 0) // 2
