"""MobileNetV2: narrow tensors between blocks, wide ones inside.

A block expands its input to six times the channels, filters each channel alone,
and projects to few channels again. Shortcuts join the narrow ends, so that little
has to be kept in memory between blocks; and no ReLU follows the projection, because
in few channels what a ReLU sets to zero is lost ("linear bottleneck").

Paper: MobileNetV2: Inverted Residuals and Linear Bottlenecks,
https://arxiv.org/abs/1801.04381
"""

import math

import keras
from keras import layers

from helpers.architectures.arguments import large_enough, require_positive
from helpers.architectures.mobilenet import convolution_unit, depthwise_unit
from helpers.architectures.parts import classifier

# Expansion, channels, blocks and stride of the first block of each stage: table 2.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)

# The same with stride 1 in front of the 160 channels.
STAGES_CIFAR = (*STAGES[:5], (6, 160, 3, 1), STAGES[6])


def divisible(channels, divisor=8):
    """Round a number of channels to a multiple, losing at most a tenth.

    Args:
        channels: Number of channels, not necessarily whole.
        divisor: What the result is a multiple of.

    Returns:
        The nearest multiple, the next one up where that lies below 90% of the
        number; at least `divisor`.
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def inverted_residual(
    x,
    filters,
    stride=1,
    expansion=6,
    linear=True,
    name=None,
):
    """Expand, convolve each channel, project; with a shortcut where it fits.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result.
        stride: Stride of the depthwise convolution, in pixels.
        expansion: Channels inside for each one of `x`; 1 for no expansion.
        linear: False for a ReLU6 after the projection, what the paper warns of.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, ceil(height / stride), ceil(width / stride),
        filters)`; `x` is added where that is its own shape.
    """
    shortcut, channels = x, x.shape[-1]
    if expansion != 1:
        x = convolution_unit(x, expansion * channels, 1, name=f"{name}_expand")
    x = depthwise_unit(x, stride, name=f"{name}_depthwise")
    x = layers.Conv2D(
        filters,
        1,
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_project_conv",
    )(x)
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_project_bn")(x)
    if not linear:
        x = layers.ReLU(6.0, name=f"{name}_project_relu")(x)
    if stride == 1 and channels == filters:
        x = layers.Add(name=f"{name}_add")([shortcut, x])
    return x


def mobilenet_v2(
    input_shape=(224, 224, 3),
    classes=1000,
    alpha=1.0,
    linear=True,
    stem_stride=2,
    stages=STAGES,
    name="mobilenet_v2",
):
    """Build MobileNetV2 as published, 72.0% on ImageNet.

    The same function as `keras.applications.MobileNetV2`.

    Args:
        input_shape: `(height, width, channels)` of an image.
        classes: Number of classes.
        alpha: Width multiplier; channels are rounded to multiples of 8, and the
            last 1280 grow with it but do not shrink.
        linear: False for a ReLU6 after every projection.
        stem_stride: Stride of the first convolution, in pixels.
        stages: Expansion, channels, blocks and first stride of each stage.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`; 3,538,984 parameters (3,504,872
        trainable) and 0.30 G multiply-adds at 224x224.

    Raises:
        ValueError: If the images are smaller than the product of all strides or
            `alpha` is not above zero.
    """
    require_positive(name, alpha=alpha)
    total_stride = stem_stride * math.prod(stride for _, _, _, stride in stages)
    large_enough(input_shape, total_stride, name)
    inputs = keras.Input(input_shape, name="image")
    x = convolution_unit(inputs, divisible(32 * alpha), 3, stem_stride, name="stem")
    for index, (expansion, filters, blocks, stride) in enumerate(stages, start=1):
        # keras.applications cuts to a whole number before it rounds to eights.
        filters = divisible(int(filters * alpha))
        for block in range(1, blocks + 1):
            x = inverted_residual(
                x,
                filters,
                stride if block == 1 else 1,
                expansion,
                linear,
                name=f"stage{index}_block{block}",
            )
    x = convolution_unit(x, divisible(1280 * max(alpha, 1.0)), 1, name="last")
    outputs = classifier(x, classes)
    return keras.Model(inputs, outputs, name=name)


def mobilenet_v2_cifar(
    input_shape=(32, 32, 3), classes=10, alpha=1.0, linear=True, name="mobilenet_v2"
):
    """Build MobileNetV2 for small images.

    Two strides are changed from 2 to 1: that of the first convolution and that of
    the stage with 160 channels, so that a 32x32 image leaves a 4x4 map.

    Args:
        input_shape: `(height, width, channels)` of an image.
        classes: Number of classes.
        alpha: Width multiplier.
        linear: False for a ReLU6 after every projection.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`; 2,270,794 parameters and 44 M
        multiply-adds for CIFAR-10.

    Raises:
        ValueError: As `mobilenet_v2` does; 8x8 pixels are the least.
    """
    return mobilenet_v2(
        input_shape,
        classes,
        alpha=alpha,
        linear=linear,
        stem_stride=1,
        stages=STAGES_CIFAR,
        name=name,
    )
