"""Xception: an Inception module for each channel, with shortcuts.

Inception looks at channels through 1x1 convolutions and at space through a few
branches. Taken to its extreme, every channel has a branch of its own, which is a
depthwise separable convolution; no ReLU stands between its two halves.

Paper: Xception: Deep Learning with Depthwise Separable Convolutions,
https://arxiv.org/abs/1610.02357
"""

import keras
from keras import layers

from helpers.architectures.arguments import large_enough
from helpers.architectures.parts import classifier

# Convolutions of all channels in front, entry flow, blocks of the middle flow, block
# that leaves the middle flow, and separable convolutions behind it: figure 5.
PUBLISHED = ((32, 64), (128, 256, 728), 8, (728, 1024), (1536, 2048))
CIFAR = ((16, 32), (64, 128, 256), 4, (256, 512), (768, 1024))


def separable_unit(x, filters, name=None):
    """A 3x3 separable convolution and batch normalisation, without ReLU.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, height, width, filters)`.
    """
    x = layers.SeparableConv2D(
        filters,
        3,
        padding="same",
        use_bias=False,
        pointwise_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)


def stem_unit(x, filters, stride=1, padding="valid", name=None):
    """A 3x3 convolution of all channels, batch normalisation and ReLU.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result.
        stride: Stride in pixels.
        padding: "valid" or "same".
        name: Prefix of the layers' names.

    Returns:
        Tensor with `filters` channels.
    """
    x = layers.Conv2D(
        filters,
        3,
        strides=stride,
        padding=padding,
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def pooled_block(x, filters, first_relu=True, name=None):
    """Two separable convolutions and pooling, and a 1x1 shortcut around them.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the first and of the second convolution.
        first_relu: Whether a ReLU stands in front of the first convolution.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, ceil(height / 2), ceil(width / 2),
        filters[1])`.
    """
    shortcut = layers.Conv2D(
        filters[1],
        1,
        strides=2,
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_shortcut_conv",
    )(x)
    norm = layers.BatchNormalization(momentum=0.9, name=f"{name}_shortcut_bn")
    shortcut = norm(shortcut)
    for index, channels in enumerate(filters, start=1):
        if index > 1 or first_relu:
            x = layers.ReLU(name=f"{name}_relu{index}")(x)
        x = separable_unit(x, channels, name=f"{name}_separable{index}")
    x = layers.MaxPooling2D(3, 2, padding="same", name=f"{name}_pool")(x)
    return layers.Add(name=f"{name}_add")([x, shortcut])


def middle_block(x, name=None):
    """Three separable convolutions, each behind a ReLU, added to their input.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        name: Prefix of the layers' names.

    Returns:
        Tensor of the same shape.
    """
    shortcut, filters = x, x.shape[-1]
    for index in range(1, 4):
        x = layers.ReLU(name=f"{name}_relu{index}")(x)
        x = separable_unit(x, filters, name=f"{name}_separable{index}")
    return layers.Add(name=f"{name}_add")([x, shortcut])


def separable_flows(x, entry, middle, leaving, last):
    """The three flows behind the first convolutions.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        entry: Channels of each block of the entry flow, which halves the size.
        middle: Number of blocks of the middle flow.
        leaving: Channels of both convolutions of the block behind the middle
            flow, which halves the size once more.
        last: Channels of the separable convolutions at the end.

    Returns:
        Tensor with `last[-1]` channels.
    """
    for index, filters in enumerate(entry, start=1):
        # The first block follows a ReLU.
        x = pooled_block(x, (filters, filters), index > 1, name=f"entry{index}")
    for index in range(1, middle + 1):
        x = middle_block(x, name=f"middle{index}")
    x = pooled_block(x, leaving, name="exit1")
    for index, filters in enumerate(last, start=2):
        x = separable_unit(x, filters, name=f"exit{index}_separable")
        x = layers.ReLU(name=f"exit{index}_relu")(x)
    return x


def xception(input_shape=(299, 299, 3), classes=1000, name="xception"):
    """Build Xception as published, 79.0% on ImageNet.

    The same function as `keras.applications.Xception`.

    Args:
        input_shape: `(height, width, channels)` of an image.
        classes: Number of classes.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`; 22,910,480 parameters (22,855,952
        trainable) and 8.4 G multiply-adds at 299x299.

    Raises:
        ValueError: If the images are smaller than 71x71, as in `keras.applications`.
    """
    large_enough(input_shape, 71, name)
    stem, *flows = PUBLISHED
    inputs = keras.Input(input_shape, name="image")
    x = stem_unit(inputs, stem[0], stride=2, name="stem1")
    x = stem_unit(x, stem[1], name="stem2")
    x = separable_flows(x, *flows)
    return keras.Model(inputs, classifier(x, classes), name=name)


def xception_cifar(input_shape=(32, 32, 3), classes=10, name="xception"):
    """Build an Xception for small images.

    One stride is changed: the first convolution has 1 for 2, and both convolutions
    of the stem are padded, so that a 32x32 image leaves a 2x2 map. All channels are
    a half to a third of the published ones, and the middle flow has 4 blocks for 8.

    Args:
        input_shape: `(height, width, channels)` of an image.
        classes: Number of classes.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`; 2,561,050 parameters and 49 M
        multiply-adds for CIFAR-10.

    Raises:
        ValueError: If the images are smaller than 16x16.
    """
    large_enough(input_shape, 16, name)
    stem, *flows = CIFAR
    inputs = keras.Input(input_shape, name="image")
    x = stem_unit(inputs, stem[0], padding="same", name="stem1")
    x = stem_unit(x, stem[1], padding="same", name="stem2")
    x = separable_flows(x, *flows)
    return keras.Model(inputs, classifier(x, classes), name=name)
