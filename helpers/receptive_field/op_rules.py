"""Rules for `keras.ops` operations and operators on tensors.

Their classes have no public import path, so they are registered by name.
"""

import keras

from . import windows
from .feature_map import FeatureMap, merge
from .registry import ReceptiveFieldError, rule
from .transforms import (
    drop_axes,
    insert_axis,
    join_axes,
    maps_in,
    pad,
    pair,
    reduce,
    reshape_to,
    resize,
    stack_channels,
    transpose,
    transpose_axes,
    with_statistics,
)

ELEMENTWISE = """
    Abs Absolute Add Angle Arccos Arccosh Arcsin Arcsinh Arctan Arctan2 Arctanh
    BatchNorm BitwiseAnd BitwiseInvert BitwiseLeftShift BitwiseNot BitwiseOr
    BitwiseRightShift BitwiseXor Cast Cbrt Ceil Celu Clip Conj Conjugate
    ConvertToTensor Copy Cos Cosh Deg2rad Digitize Divide DivideNoNan Elu Equal Erf
    Erfc Erfinv Exp Exp2 Expm1 Fabs Floor FloorDivide Fmax Fmin Fmod Gelu Greater
    GreaterEqual HardShrink HardSigmoid HardSilu HardTanh Heaviside Hypot I0 Imag
    Isclose Isfinite Isinf Isnan Isneginf Isposinf Isreal Ldexp LeakyRelu LeftShift
    Less LessEqual Log Log10 Log1p Log2 LogSigmoid Logaddexp Logaddexp2 LogicalAnd
    LogicalNot LogicalOr LogicalXor Maximum Minimum Mod Multiply NanToNum Negative
    Nextafter NotEqual Power Rad2deg Real Reciprocal Relu Relu6 RightShift Round
    Rsqrt SaturateCast Select Selu Sigmoid Sign Signbit Silu Sin Sinc Sinh SoftShrink
    Softplus Softsign SparsePlus SparseSigmoid Sqrt Square Squareplus StopGradient
    Subtract Tan Tanh TanhShrink Threshold TrueDivide Trunc View Where
    HSVToRGB RGBToGrayscale RGBToHSV
"""

REDUCTIONS = """
    All Amax Amin Any Argmax Argmin Average CountNonzero Logsumexp Max Mean Median
    Min Nanmax Nanmean Nanmedian Nanmin Nanprod Nanstd Nansum Nanvar Norm Prod Ptp
    Std Sum Var
"""


@rule(*ELEMENTWISE.split())
def elementwise(op, *args, **kwargs):
    """Each position on its own; several tensors broadcast."""
    return merge(maps_in(args, kwargs))


@rule(*REDUCTIONS.split())
def reduction(op, x, *args, **kwargs):
    """The positions of the given axes meet."""
    return reduce(x, op.axis, getattr(op, "keepdims", False))


@rule("LayerNorm", "LogSoftmax", "Normalize", "RMSNorm", "Softmax", "Sparsemax")
def over_axes(op, x, *args, **kwargs):
    """Values divided by a statistic over the axis."""
    axes = range(len(x.shape)) if op.axis is None else op.axis
    return with_statistics(x, axes)


@rule("Argsort", "Cumprod", "Cumsum", "Flip", "Glu", "Roll", "Sort", "Take")
def along_channels(op, x, *args, **kwargs):
    """Orders or gathers channels; rows and columns must be left alone."""
    axes = range(len(x.shape)) if op.axis is None else op.axis
    if join_axes(x, axes).axes != x.axes:
        raise ReceptiveFieldError(
            f"along axis {op.axis} it moves rows or columns, which is not covered"
        )
    return x


@rule("Concatenate")
def concatenate(op, xs):
    """Concatenation along the channels."""
    return stack_channels(xs, op.axis)


@rule("Stack")
def stack(op, xs):
    """A new axis for several tensors."""
    return merge([insert_axis(x, op.axis) for x in maps_in(xs)])


@rule("ArraySplit", "Split")
def split(op, x):
    """Groups of channels, all with the field of the whole."""
    sections = op.indices_or_sections
    count = sections if isinstance(sections, int) else len(sections) + 1
    return [along_channels(op, x)] * count


@rule("Unstack")
def unstack(op, x):
    """The slices of an axis that holds neither rows nor columns."""
    place = op.axis % len(x.shape)
    x = along_channels(op, x)
    return [x.placed([a if a is None else a - (a > place) for a in x.axes])] * x.shape[
        place
    ]


@rule("Matmul", "Dot", "DotProductAttention", "Einsum", "Tensordot")
def product(op, *args, **kwargs):
    """A matrix of weights mixes channels; two tensors mix all positions."""
    maps = maps_in(args, kwargs)
    weights_last = type(op).__name__ in ("Matmul", "Dot") and args[0] is maps[0]
    if len(maps) == 1 and weights_last and len(args[1].shape) == 2:
        return join_axes(maps[0], -1)
    return merge([m.join() for m in maps])


@rule("Reshape")
def reshape(op, x):
    """A reshape that keeps rows and columns, or makes one axis of them."""
    shape = op.compute_output_spec(keras.KerasTensor(x.shape)).shape
    return reshape_to(x, tuple(shape))


@rule("Ravel")
def ravel(op, x):
    """All positions end in one vector."""
    return x.join()


@rule("BroadcastTo")
def broadcast_to(op, x):
    """Axes of size 1 are repeated."""
    lead = len(op.shape) - len(x.shape)
    x = x.placed([a if a is None else a + lead for a in x.axes])
    return x.spread(
        [n if a is None else op.shape[a] for a, n in zip(x.axes, x.grid, strict=True)]
    )


@rule("Transpose")
def transpose_op(op, x):
    """Rows and columns move to other axes."""
    return transpose_axes(x, op.axes or range(len(x.shape))[::-1])


@rule("Swapaxes")
def swap_axes(op, x):
    """Two axes change places."""
    order = list(range(len(x.shape)))
    order[op.axis1], order[op.axis2] = order[op.axis2], order[op.axis1]
    return transpose_axes(x, order)


@rule("Moveaxis")
def move_axis(op, x):
    """Some axes move, the others keep their order."""
    rank = len(x.shape)
    moves = {d % rank: s % rank for s, d in zip(op.source, op.destination, strict=True)}
    rest = (a for a in range(rank) if a not in moves.values())
    return transpose_axes(
        x, [moves[d] if d in moves else next(rest) for d in range(rank)]
    )


@rule("ExpandDims")
def expand_dims(op, x):
    """New axes of size 1."""
    axes = op.axis if isinstance(op.axis, list | tuple) else [op.axis]
    rank = len(x.shape) + len(axes)
    for axis in sorted(a % rank for a in axes):
        x = insert_axis(x, axis)
    return x


@rule("Squeeze")
def squeeze(op, x):
    """Axes of size 1 go."""
    return drop_axes(x, op.axis)


@rule("GetItem")
def get_item(op, x, key):
    """Slices; with a step they are a stride."""
    keys = list(key) if isinstance(key, list | tuple) else [key]
    taken = sum(k is not None and k is not Ellipsis for k in keys)
    fill = [slice(None)] * (len(x.shape) - taken)
    at = keys.index(Ellipsis) if Ellipsis in keys else len(keys)
    keys[at : at + 1] = fill
    steps, grid, places, gone = [None, None], list(x.grid), {}, []
    axis = place = 0
    for k in keys:
        if k is None:
            place += 1
            continue
        if axis in x.axes:
            i = x.axes.index(axis)
            if k != slice(None):
                steps[i], grid[i] = _slice(k, x.shape[axis])
            if isinstance(k, int):
                gone.append(i)
        elif not isinstance(k, int | slice):
            raise ReceptiveFieldError(f"the index {k!r} is not covered; use slices")
        places[axis] = place
        place += not isinstance(k, int)
        axis += 1
    if any(steps) and x.axes[0] == x.axes[1]:
        raise ReceptiveFieldError("it slices flattened positions; slice before")
    x = x.read(steps, grid)
    return x.placed(
        [None if a is None or i in gone else places[a] for i, a in enumerate(x.axes)]
    )


def _slice(key, size):
    """Returns the window of a slice or a position, and the size that is left."""
    if isinstance(key, int):
        if key < 0 and size is None:
            raise ReceptiveFieldError(f"the index {key} needs a known size")
        return windows.shifted(key % size if key < 0 else key), 1
    step = 1 if key.step is None else key.step
    if not isinstance(key, slice) or step < 1 or size is None:
        raise ReceptiveFieldError(
            f"the index {key!r} on {size} positions is not covered; use slices with "
            "positive steps on a known size"
        )
    taken = range(size)[key]
    return windows.shifted(taken.start, step), len(taken)


@rule("Pad")
def pad_op(op, x, constant_values=None):
    """Positions that see nothing, around the map."""
    if op.mode != "constant":
        raise ReceptiveFieldError(
            f"padding of mode {op.mode!r} repeats pixels, which is not covered. Use "
            "mode 'constant'"
        )
    widths = op.pad_width
    if len(widths) == 1:
        widths = widths * len(x.shape)
    return pad(x, [(0, 0) if a is None else widths[a] for a in x.axes])


@rule("Repeat")
def repeat(op, x):
    """Each position several times, one after the other."""
    axis = op.axis % len(x.shape) if op.axis is not None else None
    if axis is None or not isinstance(op.repeats, int) or x.axes[0] == x.axes[1]:
        raise ReceptiveFieldError("repeat is covered for one axis and one number alone")
    hit = [a == axis for a in x.axes]
    steps = [windows.repeated(op.repeats) if h else None for h in hit]
    grid = [n and n * op.repeats if h else n for h, n in zip(hit, x.grid, strict=True)]
    return x.read(steps, grid)


def _spatial(op, x) -> FeatureMap:
    return x.spatial(op.data_format or keras.config.image_data_format())


@rule("Conv", "DepthwiseConv", "SeparableConv")
def convolution(op, x, kernel, *args):
    """A window with stride and dilation."""
    return _spatial(op, x).slide(
        kernel.shape[:2], pair(op.strides), op.padding, pair(op.dilation_rate)
    )


@rule("ConvTranspose")
def transposed_convolution(op, x, kernel):
    """A window that depends on the output's phase."""
    return transpose(
        _spatial(op, x),
        kernel.shape[:2],
        pair(op.strides),
        op.padding,
        pair(op.dilation_rate),
        op.output_padding,
    )


@rule("AveragePool", "MaxPool")
def pooling(op, x):
    """A window."""
    size = pair(op.pool_size)
    return _spatial(op, x).slide(size, pair(op.strides or size), op.padding)


@rule("AdaptiveAveragePool", "AdaptiveMaxPool")
def adaptive_pooling(op, x):
    """Windows that divide the map evenly."""
    return resize(_spatial(op, x), pair(op.output_size), "area", False)


@rule("SpaceToDepth")
def space_to_depth(op, x):
    """Blocks become channels."""
    block = pair(op.block_size)
    return _spatial(op, x).slide(block, block)


@rule("DepthToSpace")
def depth_to_space(op, x):
    """Channels become blocks."""
    x = _spatial(op, x)
    steps = [windows.repeated(op.block_size)] * 2
    return x.read(steps, [n and n * op.block_size for n in x.grid])


@rule("ExtractPatches")
def extract_patches(op, x):
    """Windows become channels."""
    size = pair(op.size)
    return _spatial(op, x).slide(
        size, pair(op.strides or size), op.padding, pair(op.dilation_rate)
    )


@rule("Resize")
def resize_op(op, x):
    """Interpolation to a given size."""
    if op.crop_to_aspect_ratio or op.pad_to_aspect_ratio:
        raise ReceptiveFieldError(
            "crop_to_aspect_ratio and pad_to_aspect_ratio are not covered"
        )
    return resize(_spatial(op, x), op.size, op.interpolation, op.antialias)
