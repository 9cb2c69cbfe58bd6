"""MobileNet: depthwise separable convolutions throughout.

A 3x3 convolution of all channels becomes a depthwise one, 3x3 on each channel
alone, and a pointwise one, 1x1 across channels, each with batch normalisation and
ReLU. That is eight to nine times cheaper for one per cent of accuracy.

Paper: MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
Applications, https://arxiv.org/abs/1704.04861
"""

import math

import keras
from keras import layers

from helpers.architectures.arguments import large_enough, require_positive

# Filters and stride of each block after the first convolution: table 1. The table
# prints stride 2 for the last one as well; its sizes, 7x7 before and after, need 1.
BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *[(512, 1)] * 5,
    (1024, 2),
    (1024, 1),
)


def normalized_relu6(x, name):
    """Batch normalisation and a ReLU that ends at 6.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        name: Prefix of the layers' names.

    Returns:
        Tensor of the same shape, with values from 0 to 6.
    """
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)


def convolution_unit(x, filters, kernel_size=3, stride=1, name=None):
    """A convolution of all channels, batch normalisation and ReLU6.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result.
        kernel_size: Rows and columns of the kernel.
        stride: Stride in pixels.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, ceil(height / stride), ceil(width / stride),
        filters)`.
    """
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return normalized_relu6(x, name)


def depthwise_unit(x, stride=1, name=None):
    """A 3x3 convolution of each channel alone, batch normalisation and ReLU6.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        stride: Stride in pixels.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, ceil(height / stride), ceil(width / stride),
        channels)`.
    """
    x = layers.DepthwiseConv2D(
        3, strides=stride, padding="same", use_bias=False, name=f"{name}_conv"
    )(x)
    return normalized_relu6(x, name)


def depthwise_separable_block(x, filters, stride=1, name=None):
    """A depthwise and a pointwise convolution.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result.
        stride: Stride of the depthwise convolution, in pixels.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, ceil(height / stride), ceil(width / stride),
        filters)`.
    """
    x = depthwise_unit(x, stride, name=f"{name}_depthwise")
    return convolution_unit(x, filters, 1, name=f"{name}_pointwise")


def mobilenet(
    input_shape=(224, 224, 3),
    classes=1000,
    alpha=1.0,
    rho=1.0,
    separable=True,
    stem_stride=2,
    blocks=BLOCKS,
    dropout=1e-3,
    name="mobilenet",
):
    """Build MobileNet as published, 70.6% on ImageNet.

    The same function as `keras.applications.MobileNet` on images whose sides are
    multiples of 32; there, stride 2 drops the last row of a map with odd sides.

    Args:
        input_shape: `(height, width, channels)` of an image.
        classes: Number of classes.
        alpha: Width multiplier: every layer has `int(alpha * filters)` filters.
        rho: Resolution multiplier: images have `round(rho * height)` rows and
            `round(rho * width)` columns.
        separable: False for 3x3 convolutions of all channels in place of the
            separable ones, the network that the paper compares with.
        stem_stride: Stride of the first convolution, in pixels.
        blocks: Filters and stride of each block.
        dropout: Share of the values in front of the classifier that is dropped.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`; 4,253,864 parameters and 569 M
        multiply-adds at 224x224, without separable convolutions 29.3 M and 4,866 M.

    Raises:
        ValueError: If the images are smaller than the product of all strides or a
            multiplier is not above zero.
    """
    require_positive(name, alpha=alpha, rho=rho)
    if rho != 1:
        height, width, channels = input_shape
        input_shape = (round(rho * height), round(rho * width), channels)
    total_stride = stem_stride * math.prod(stride for _, stride in blocks)
    large_enough(input_shape, total_stride, name)
    inputs = keras.Input(input_shape, name="image")
    x = convolution_unit(inputs, int(alpha * 32), 3, stem_stride, name="stem")
    block = depthwise_separable_block if separable else full_block
    for index, (filters, stride) in enumerate(blocks, start=1):
        x = block(x, int(alpha * filters), stride, name=f"block{index}")
    x = layers.GlobalAveragePooling2D(keepdims=True, name="average")(x)
    x = layers.Dropout(dropout, name="head_dropout")(x)
    # A dense layer, written as a 1x1 convolution: the published weights are.
    x = layers.Conv2D(classes, 1, name="scores")(x)
    x = layers.Flatten(name="flatten")(x)
    outputs = layers.Softmax(dtype="float32", name="probabilities")(x)
    return keras.Model(inputs, outputs, name=name)


def full_block(x, filters, stride=1, name=None):
    """A 3x3 convolution of all channels, in place of a separable block.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result.
        stride: Stride in pixels.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, ceil(height / stride), ceil(width / stride),
        filters)`.
    """
    return convolution_unit(x, filters, 3, stride, name=f"{name}_full")


def mobilenet_cifar(
    input_shape=(32, 32, 3), classes=10, alpha=1.0, separable=True, name="mobilenet"
):
    """Build MobileNet for small images.

    One stride is changed: the first convolution has 1 for 2, so that a 32x32 image
    leaves a 2x2 map in front of the average and not a single position.

    Args:
        input_shape: `(height, width, channels)` of an image.
        classes: Number of classes.
        alpha: Width multiplier.
        separable: False for 3x3 convolutions of all channels.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`; 3,239,114 parameters and 46 M
        multiply-adds for CIFAR-10.

    Raises:
        ValueError: As `mobilenet` does; 16x16 pixels are the least.
    """
    return mobilenet(
        input_shape,
        classes,
        alpha=alpha,
        separable=separable,
        stem_stride=1,
        name=name,
    )
