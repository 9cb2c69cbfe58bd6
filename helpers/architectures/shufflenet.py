"""ShuffleNet: grouped 1x1 convolutions, and a shuffle so that groups meet.

Where depthwise convolutions are cheap, the 1x1 convolutions cost most. In groups they
cost a fraction, but then no group would ever see another: the channel shuffle deals
the channels of each group out to all groups of the next convolution.

Paper: ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile
Devices, https://arxiv.org/abs/1707.01083
"""

import math

import keras
from keras import layers

from helpers.architectures.arguments import choose, large_enough, require_positive
from helpers.architectures.channel_shuffle import ChannelShuffle
from helpers.architectures.parts import classifier

# Channels of the first stage by number of groups, which keep the cost alike: table
# 1. Each later stage has twice the channels of the one in front of it.
CHANNELS = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}
STAGES = (4, 8, 4)


def grouped_pointwise(x, filters, groups, name=None):
    """A 1x1 convolution in groups, and batch normalisation.

    The same function as `Conv2D(filters, 1, groups=groups)`, whose gradient Keras
    computes eight times slower on a CPU.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result, a multiple of the groups.
        groups: Number of groups.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, height, width, filters)`.
    """
    _, height, width, channels = x.shape
    x = layers.Reshape(
        (height, width, groups, channels // groups), name=f"{name}_split"
    )(x)
    x = layers.EinsumDense(
        "bhwgi,gio->bhwgo",
        output_shape=(height, width, groups, filters // groups),
        # He initialisation; what Keras takes for the inputs of such a kernel
        # depends on its version.
        kernel_initializer=keras.initializers.RandomNormal(
            stddev=math.sqrt(2 * groups / channels)
        ),
        name=f"{name}_conv",
    )(x)
    x = layers.Reshape((height, width, filters), name=f"{name}_join")(x)
    return layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)


def shuffle_branch(
    x,
    width,
    filters,
    stride,
    groups,
    first_groups,
    shuffle=True,
    name=None,
):
    """1x1 in groups to fewer channels, shuffle, 3x3 of each, and 1x1 in groups.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        width: Channels of the 3x3 convolution.
        filters: Channels of the result.
        stride: Stride of the 3x3 convolution, in pixels.
        groups: Groups of the shuffle and of the last convolution.
        first_groups: Groups of the first convolution.
        shuffle: Whether the channels are shuffled.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, ceil(height / stride), ceil(width / stride),
        filters)`.
    """
    x = grouped_pointwise(x, width, first_groups, name=f"{name}_reduce")
    x = layers.ReLU(name=f"{name}_reduce_relu")(x)
    if shuffle and groups > 1:
        x = ChannelShuffle(groups, name=f"{name}_shuffle")(x)
    x = layers.DepthwiseConv2D(
        3,
        strides=stride,
        padding="same",
        use_bias=False,
        name=f"{name}_depthwise_conv",
    )(x)
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_depthwise_bn")(x)
    return grouped_pointwise(x, filters, groups, name=f"{name}_expand")


def shuffle_unit(
    x,
    filters,
    stride,
    groups,
    first_groups,
    shuffle=True,
    name=None,
):
    """A branch with a shuffle and a shortcut: figure 2 (b) and (c).

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result; the branch inside has a quarter.
        stride: 1, and the input is added, or 2, and the input is averaged over
            3x3 pixels and put in front.
        groups, first_groups, shuffle, name: As for `shuffle_branch`.

    Returns:
        Tensor of shape `(batch, ceil(height / stride), ceil(width / stride),
        filters)`, nowhere negative.
    """
    computed = filters if stride == 1 else filters - x.shape[-1]
    settings = stride, groups, first_groups, shuffle, name
    branch = shuffle_branch(x, filters // 4, computed, *settings)
    if stride == 1:
        x = layers.Add(name=f"{name}_add")([x, branch])
    else:
        x = layers.AveragePooling2D(3, 2, "same", name=f"{name}_pool")(x)
        x = layers.Concatenate(name=f"{name}_concatenate")([x, branch])
    return layers.ReLU(name=f"{name}_relu")(x)


def shuffle_stages(x, scale, groups, shuffle=True):
    """The stages of shuffle units; each halves the size and doubles the channels.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        scale: Multiplier of all channels.
        groups: Groups of the 1x1 convolutions.
        shuffle: Whether the channels are shuffled.

    Returns:
        Tensor with `4 * scale * CHANNELS[groups]` channels.
    """
    filters = int(scale * CHANNELS[groups])
    for stage, units in enumerate(STAGES, start=2):
        for unit in range(1, units + 1):
            x = shuffle_unit(
                x,
                filters,
                stride=2 if unit == 1 else 1,
                groups=groups,
                # The first convolution of all has too few channels for groups.
                first_groups=1 if (stage, unit) == (2, 1) else groups,
                shuffle=shuffle,
                name=f"stage{stage}_unit{unit}",
            )
        filters *= 2
    return x


def shufflenet(
    input_shape=(224, 224, 3),
    classes=1000,
    groups=3,
    scale=1.0,
    shuffle=True,
    name="shufflenet",
):
    """Build ShuffleNet as published, 67.4% on ImageNet with three groups.

    Args:
        input_shape: `(height, width, channels)` of an image.
        classes: Number of classes.
        groups: Groups of the 1x1 convolutions: 1, 2, 3, 4 or 8.
        scale: Multiplier of all channels.
        shuffle: False to leave the shuffles out.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`; 1,890,208 parameters (1,865,728
        trainable) and 137 M multiply-adds at 224x224 with three groups.

    Raises:
        ValueError: If the images are smaller than 32x32, there is no such network,
            or its channels cannot be divided into the groups.
    """
    _check(name, groups, scale)
    large_enough(input_shape, 32, name)
    inputs = keras.Input(input_shape, name="image")
    x = _stem(inputs, scale, stride=2)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)
    x = shuffle_stages(x, scale, groups, shuffle)
    return keras.Model(inputs, classifier(x, classes), name=name)


def shufflenet_cifar(
    input_shape=(32, 32, 3),
    classes=10,
    groups=3,
    scale=1.0,
    shuffle=True,
    name="shufflenet",
):
    """Build ShuffleNet for small images.

    Two strides are changed: the first convolution has 1 for 2, and the pooling
    behind it is left out, so that a 32x32 image leaves a 4x4 map.

    Args:
        input_shape: `(height, width, channels)` of an image.
        classes: Number of classes.
        groups: Groups of the 1x1 convolutions: 1, 2, 3, 4 or 8.
        scale: Multiplier of all channels.
        shuffle: False to leave the shuffles out.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`; 938,818 parameters and 43 M
        multiply-adds for CIFAR-10.

    Raises:
        ValueError: As `shufflenet` does; 8x8 pixels are the least.
    """
    _check(name, groups, scale)
    large_enough(input_shape, 8, name)
    inputs = keras.Input(input_shape, name="image")
    x = shuffle_stages(_stem(inputs, scale, stride=1), scale, groups, shuffle)
    return keras.Model(inputs, classifier(x, classes), name=name)


def _stem(x, scale, stride):
    x = layers.Conv2D(
        int(24 * scale),
        3,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name="stem_conv",
    )(x)
    x = layers.BatchNormalization(momentum=0.9, name="stem_bn")(x)
    return layers.ReLU(name="stem_relu")(x)


def _check(network, groups, scale):
    require_positive(network, scale=scale)
    filters = int(scale * choose(network, "groups", groups, CHANNELS))
    widths = int(24 * scale), filters, filters // 4
    if any(width % groups or not width for width in widths):
        raise ValueError(
            f"{network} with scale={scale!r} has tensors of {widths[0]}, {widths[1]} "
            f"and {widths[2]} channels to divide into groups={groups!r}. Choose "
            "another scale, such as 0.5 or 2."
        )
