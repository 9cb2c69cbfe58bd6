"""Rules for the layers of Keras."""

from keras import layers

from . import windows
from .feature_map import merge
from .registry import ReceptiveFieldError, find_rule, rule
from .transforms import (
    join_axes,
    maps_in,
    pad,
    reshape_to,
    resize,
    stack_channels,
    transpose,
    transpose_axes,
    with_statistics,
)


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
    layers.SpatialDropout2D,
    # By name, because not every version of Keras has all of them.
    "AugMix",
    "CutMix",
    "MixUp",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
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
    return join_axes(x, 2 if layer.data_format == "channels_first" else 1)


@rule("AdaptiveAveragePooling2D", "AdaptiveMaxPooling2D")
def adaptive_pooling(layer, x, *args, **kwargs):
    """Windows that divide the map evenly."""
    return resize(x.spatial(layer.data_format), layer.output_size, "area", False)


@rule(layers.Flatten)
def flatten(layer, x, *args, **kwargs):
    """All positions end in one vector."""
    return x.join()


@rule(layers.Dense)
def dense(layer, x, *args, **kwargs):
    """All values of the last axis meet: on channels last, a 1x1 convolution."""
    return join_axes(x, -1)


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


@rule(layers.Reshape)
def reshape(layer, x, *args, **kwargs):
    """A reshape that keeps rows and columns, or makes one axis of them."""
    return reshape_to(x, layer.compute_output_shape(x.shape))
