"""What layers and `keras.ops` have in common, as functions of feature maps."""

import math
from dataclasses import replace

import keras
from keras import tree

from . import windows
from .feature_map import FeatureMap, merge
from .registry import ReceptiveFieldError


def maps_in(*arguments) -> list[FeatureMap]:
    """Returns the feature maps in the (nested) arguments of a call."""
    return [x for x in tree.flatten(arguments) if isinstance(x, FeatureMap)]


def join_axes(x: FeatureMap, axes) -> FeatureMap:
    """Joins the positions of those of rows and columns that are among `axes`."""
    axes = {axis % len(x.shape) for axis in _listed(axes)}
    return x.join(x.axes[0] in axes, x.axes[1] in axes)


def _listed(value) -> list:
    return list(value) if isinstance(value, list | tuple) else [value]


def stack_channels(inputs, axis: int) -> FeatureMap:
    """Merges tensors that are put one behind the other along `axis`.

    Raises:
        ReceptiveFieldError: where `axis` is that of rows or columns.
    """
    maps = maps_in(inputs)
    for x in maps:
        place = axis % len(x.shape)
        if place in x.axes:
            raise ReceptiveFieldError(
                f"it puts positions of {x.origin!r} behind those of another tensor "
                f"(axis {axis}), so they lie on no common grid. Analyse the model up "
                "to its inputs"
            )
    return merge(maps)


def with_statistics(x: FeatureMap, axes) -> FeatureMap:
    """Returns the map of values normalised by a statistic over `axes`."""
    joined = join_axes(x, axes)
    return x if joined.axes == x.axes else merge([x, joined])


def transpose(x, kernel, stride, padding, dilation, output_padding) -> FeatureMap:
    """Returns the map behind a transposed convolution, all settings as pairs."""
    if output_padding is None or isinstance(output_padding, int):
        output_padding = (output_padding, output_padding)
    steps, grid = [], []
    for k, s, d, extra, size in zip(
        kernel, stride, dilation, output_padding, x.grid, strict=True
    ):
        same = padding == "same"
        outputs, before = windows.transposed_size(size, k, s, d, same, extra)
        steps.append(windows.transposed(k, s, d, before))
        grid.append(outputs)
    return x.read(steps, grid)


def pad(x: FeatureMap, amounts) -> FeatureMap:
    """Adds (before, after) positions to rows and columns; negative ones crop."""
    steps = [windows.shifted(-before) for before, _ in amounts]
    grid = [
        size if size is None else size + before + after
        for size, (before, after) in zip(x.grid, amounts, strict=True)
    ]
    return x.read(steps, grid)


def resize(x: FeatureMap, size, interpolation: str, antialias: bool) -> FeatureMap:
    """Returns the map resized to `size` positions."""
    if None in x.grid:
        raise ReceptiveFieldError(
            f"it resizes a map of unknown size {x.grid} to {tuple(size)}, so the jump "
            "depends on the image. Build the model with a fixed input size"
        )
    steps = [
        windows.resized(n, m, interpolation, antialias)
        for n, m in zip(x.grid, size, strict=True)
    ]
    return x.read(steps, tuple(size))


def transpose_axes(x: FeatureMap, order) -> FeatureMap:
    """Returns the map with its axes in the given order."""
    order = [axis % len(x.shape) for axis in order]
    return x.placed([a if a is None else order.index(a) for a in x.axes])


def reshape_to(x: FeatureMap, shape) -> FeatureMap:
    """Returns the map in a new shape.

    An axis is followed by its size and by the product of the sizes in front of it.

    Raises:
        ReceptiveFieldError: where rows or columns are cut or mixed with channels.
    """
    if len(shape) == 2:
        return x.join()
    if x.axes == (None, None):
        if len(shape) != 4:
            return x
        reshaped = replace(x, shape=tuple(shape))
        return reshaped.spatial(keras.config.image_data_format())
    rows, columns = x.axes
    if rows is not None and rows == columns:
        before, size = x.shape[1:rows], x.shape[rows]
        place = _find(shape, before, size)
        if place is not None:
            return x.placed((place, place))
        place = _find(shape, before, x.grid[0])
        if place is not None and shape[place + 1 : place + 2] == (x.grid[1],):
            return x.placed((place, place + 1))
    else:
        places = [
            a if a is None else _find(shape, x.shape[1:a], x.shape[a]) for a in x.axes
        ]
        if all((a is None) == (b is None) for a, b in zip(x.axes, places, strict=True)):
            return x.placed(places)
        if columns == rows + 1 and None not in x.grid:
            place = _find(shape, x.shape[1:rows], math.prod(x.grid))
            if place is not None:
                return x.placed((place, place))
    raise ReceptiveFieldError(
        f"the reshape from {x.shape} to {tuple(shape)} does not keep rows and columns "
        f"(axes {x.axes}) as they are"
    )


def _find(shape, before, size):
    """Returns the axis of `size` with as many values in front of it as `before`."""
    for axis in range(1, len(shape)):
        front = tuple(shape[1:axis])
        if shape[axis] == size and (
            front == tuple(before)
            or (
                None not in front
                and None not in before
                and math.prod(front) == math.prod(before)
            )
        ):
            return axis
    return None


def reduce(x: FeatureMap, axes, keepdims: bool) -> FeatureMap:
    """Returns the map of a sum, mean, maximum or the like over `axes` (None: all)."""
    rank = len(x.shape)
    gone = {a % rank for a in (range(rank) if axes is None else _listed(axes))}
    joined = join_axes(x, sorted(gone))
    if keepdims:
        return joined.placed(x.axes)
    return joined.placed(
        [a if a is None else a - sum(g < a for g in gone) for a in joined.axes]
    )


def insert_axis(x: FeatureMap, axis: int) -> FeatureMap:
    """Returns the map with a new axis of size 1 at `axis` of the result."""
    place = axis % (len(x.shape) + 1)
    return x.placed([a if a is None else a + (a >= place) for a in x.axes])


def drop_axes(x: FeatureMap, axes) -> FeatureMap:
    """Returns the map without some axes of size 1 (None: all of them).

    Rows or columns among them leave the shape; their one position keeps its interval.
    """
    rank = len(x.shape)
    if axes is None:
        axes = [a for a in range(1, rank) if x.shape[a] == 1]
    gone = {a % rank for a in _listed(axes)}
    kept = [None if a in gone else a for a in x.axes]
    return x.placed([a if a is None else a - sum(g < a for g in gone) for a in kept])


def pair(value) -> tuple:
    """Returns a setting of `keras.ops` as (rows, columns)."""
    return (value, value) if isinstance(value, int) else tuple(value)
