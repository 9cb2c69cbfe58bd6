"""Rules for the layers of Keras."""

import math
from dataclasses import replace

import keras
from keras import layers, tree

from . import windows
from .feature_map import FeatureMap, merge
from .registry import ReceptiveFieldError, find_rule, rule


def maps_in(*arguments) -> list[FeatureMap]:
    """Returns the feature maps in the (nested) arguments of a call."""
    return [x for x in tree.flatten(arguments) if isinstance(x, FeatureMap)]


def _joins(x: FeatureMap, axes) -> FeatureMap:
    """Joins the positions of those of rows and columns that are among `axes`."""
    axes = {axis % len(x.shape) for axis in _listed(axes)}
    return x.join(x.axes[0] in axes, x.axes[1] in axes)


def _listed(value) -> list:
    return list(value) if isinstance(value, list | tuple) else [value]


@rule(
    layers.Activation,
    layers.BatchNormalization,
    layers.Dropout,
    layers.ELU,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.Identity,
    layers.InputLayer,
    layers.LeakyReLU,
    layers.Masking,
    layers.Normalization,
    layers.PReLU,
    layers.ReLU,
    layers.Rescaling,
    layers.ActivityRegularization,
    layers.AlphaDropout,
    "LayerScale",  # of ConvNeXt
    "StochasticDepth",  # of ConvNeXt
)
def pointwise(layer, *args, **kwargs):
    """A layer that treats each position on its own, or several tensors' together."""
    return merge(maps_in(args, kwargs))


@rule(
    layers.RandomBrightness,
    layers.RandomColorDegeneration,
    layers.RandomColorJitter,
    layers.RandomContrast,
    layers.RandomFlip,
    layers.RandomGrayscale,
    layers.RandomHue,
    layers.RandomPosterization,
    layers.RandomRotation,
    layers.RandomSaturation,
    layers.RandomSharpness,
    layers.RandomShear,
    layers.RandomTranslation,
    layers.RandomZoom,
    layers.SpatialDropout2D,
)
def augmentation(layer, x, *args, **kwargs):
    """A layer that does nothing but during training."""
    return x


@rule(
    layers.Add,
    layers.Average,
    layers.Maximum,
    layers.Minimum,
    layers.Multiply,
    layers.Subtract,
    "CustomScaleLayer",  # of InceptionResNetV2
)
def merging(layer, inputs, *args, **kwargs):
    """An element-wise combination of several tensors."""
    return merge(maps_in(inputs))


@rule(layers.Concatenate)
def concatenate(layer, inputs, *args, **kwargs):
    """Concatenation along the channels."""
    return stack_channels(inputs, layer.axis)


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


@rule(layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
def convolution(layer, x, *args, **kwargs):
    """A window with stride and dilation; depth does not matter here."""
    return x.spatial(layer.data_format).slide(
        layer.kernel_size, layer.strides, layer.padding, layer.dilation_rate
    )


@rule(layers.Conv2DTranspose)
def transposed_convolution(layer, x, *args, **kwargs):
    """A window that depends on the output's phase."""
    return transpose(
        x.spatial(layer.data_format),
        layer.kernel_size,
        layer.strides,
        layer.padding,
        layer.dilation_rate,
        layer.output_padding,
    )


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


@rule(layers.MaxPooling2D, layers.AveragePooling2D)
def pooling(layer, x, *args, **kwargs):
    """A window; padding is left out of the maximum and of the mean."""
    x = x.spatial(layer.data_format)
    return x.slide(layer.pool_size, layer.strides, layer.padding)


@rule(layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D)
def global_pooling(layer, x, *args, **kwargs):
    """All positions meet; with `keepdims` one is left."""
    x = x.spatial(layer.data_format)
    axes, x = x.axes, x.join()
    return x.placed(axes) if layer.keepdims else x


@rule(layers.GlobalAveragePooling1D, layers.GlobalMaxPooling1D)
def token_pooling(layer, x, *args, **kwargs):
    """Pooling over the tokens of a flattened map."""
    return _joins(x, 2 if layer.data_format == "channels_first" else 1)


@rule(layers.Flatten)
def flatten(layer, x, *args, **kwargs):
    """All positions end in one vector."""
    return x.join()


@rule(layers.Dense)
def dense(layer, x, *args, **kwargs):
    """All values of the last axis meet: on channels last, a 1x1 convolution."""
    return _joins(x, -1)


@rule(layers.EinsumDense)
def einsum_dense(layer, x, *args, **kwargs):
    """Axes that the equation sums over are joined, others kept in their place."""
    inputs, output = _letters(layer.equation, len(x.shape))
    kept = [a if a is None or inputs[a] in output else None for a in x.axes]
    axes = [None if a is None else output.index(inputs[a]) for a in kept]
    return x.join(kept[0] is None, kept[1] is None).placed(axes)


def _letters(equation, rank):
    """Returns the letters of an equation's first input and of its output."""
    inputs, output = equation.replace(" ", "").split("->")
    inputs = inputs.split(",")[0]
    # An ellipsis stands for the axes that the letters do not name.
    hidden = "".join(chr(0x4E00 + i) for i in range(rank - len(inputs) + 3))
    return inputs.replace("...", hidden), output.replace("...", hidden)


@rule(layers.LayerNormalization, layers.RMSNormalization, layers.Softmax)
def normalization_over_axes(layer, x, *args, **kwargs):
    """Statistics over `axis`: over rows or columns they bring in all positions."""
    return with_statistics(x, layer.axis)


@rule(layers.UnitNormalization)
def unit_normalization(layer, x, *args, **kwargs):
    """The norm over `axis`."""
    return with_statistics(x, layer.axis)


@rule(layers.GroupNormalization)
def group_normalization(layer, x, *args, **kwargs):
    """Statistics over all positions and a group of channels, at inference too."""
    return merge([x, x.join()])


def with_statistics(x: FeatureMap, axes) -> FeatureMap:
    """Returns the map of values normalised by a statistic over `axes`."""
    joined = _joins(x, axes)
    return x if joined.axes == x.axes else merge([x, joined])


@rule(
    layers.Attention,
    layers.AdditiveAttention,
    layers.Dot,
    layers.GroupQueryAttention,
    layers.MultiHeadAttention,
)
def attention(layer, *args, **kwargs):
    """Every position looks at every position."""
    return merge(maps_in(args, kwargs)).join()


@rule(layers.SpectralNormalization)
def spectral_normalization(layer, x, *args, **kwargs):
    """A wrapper that changes the kernel alone."""
    return find_rule(layer.layer)(layer.layer, x)


@rule(layers.ZeroPadding2D)
def zero_padding(layer, x, *args, **kwargs):
    """Positions that see nothing, around the map."""
    return pad(x.spatial(layer.data_format), layer.padding)


@rule(layers.Cropping2D)
def cropping(layer, x, *args, **kwargs):
    """A part of the map."""
    return pad(x.spatial(layer.data_format), [(-a, -b) for a, b in layer.cropping])


def pad(x: FeatureMap, amounts) -> FeatureMap:
    """Adds (before, after) positions to rows and columns; negative ones crop."""
    steps = [windows.shifted(-before) for before, _ in amounts]
    grid = [
        size if size is None else size + before + after
        for size, (before, after) in zip(x.grid, amounts, strict=True)
    ]
    return x.read(steps, grid)


@rule(layers.UpSampling2D)
def upsampling(layer, x, *args, **kwargs):
    """Repetition, or interpolation by a whole factor."""
    x = x.spatial(layer.data_format)
    sizes = [s and s * factor for s, factor in zip(x.grid, layer.size, strict=True)]
    if layer.interpolation == "nearest":
        return x.read([windows.repeated(factor) for factor in layer.size], sizes)
    # The window depends on the factor alone, so an unknown size does no harm.
    steps = [windows.resized(1, f, layer.interpolation, False) for f in layer.size]
    return x.read(steps, sizes)


@rule(layers.Resizing)
def resizing(layer, x, *args, **kwargs):
    """Interpolation to a given size."""
    if layer.crop_to_aspect_ratio or layer.pad_to_aspect_ratio:
        raise ReceptiveFieldError(
            "crop_to_aspect_ratio and pad_to_aspect_ratio are not covered. "
            "Crop or pad with a layer of its own before Resizing"
        )
    return resize(
        x.spatial(layer.data_format),
        (layer.height, layer.width),
        layer.interpolation,
        layer.antialias,
    )


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


@rule(layers.CenterCrop)
def center_crop(layer, x, *args, **kwargs):
    """The middle of the map, in front of the right one where there are two."""
    x = x.spatial(layer.data_format)
    size = (layer.height, layer.width)
    if None in x.grid or any(n < m for n, m in zip(x.grid, size, strict=True)):
        raise ReceptiveFieldError(
            f"it crops a map of size {x.grid} to {size}; smaller or unknown sizes are "
            "resized, which is not covered. Use Cropping2D or Resizing"
        )
    starts = [(n - m) // 2 for n, m in zip(x.grid, size, strict=True)]
    return pad(
        x,
        [(-a, m + a - n) for a, n, m in zip(starts, x.grid, size, strict=True)],
    )


@rule(layers.Permute)
def permute(layer, x, *args, **kwargs):
    """Rows and columns move to other axes."""
    return transpose_axes(x, (0, *layer.dims))


def transpose_axes(x: FeatureMap, order) -> FeatureMap:
    """Returns the map with its axes in the given order."""
    order = [axis % len(x.shape) for axis in order]
    return x.placed([a if a is None else order.index(a) for a in x.axes])


@rule(layers.Reshape)
def reshape(layer, x, *args, **kwargs):
    """A reshape that keeps rows and columns, or makes one axis of them."""
    return reshape_to(x, layer.compute_output_shape(x.shape))


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
