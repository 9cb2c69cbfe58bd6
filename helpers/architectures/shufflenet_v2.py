"""ShuffleNetV2: split the channels, compute on one half, shuffle.

Measured milliseconds depend on more than multiply-adds: memory traffic is least
where a 1x1 convolution keeps the number of channels, groups and additions cost
time that no count shows. So half of the channels pass unchanged, the other half go
through three convolutions without groups, and the shuffle mixes the halves.

Paper: ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design,
https://arxiv.org/abs/1807.11164
"""

import keras
from keras import layers

from helpers.architectures.arguments import choose, large_enough
from helpers.architectures.channel_shuffle import ChannelShuffle
from helpers.architectures.parts import classifier

# Channels of the three stages and of the last convolution by scale: table 5.
CHANNELS = {
    0.5: (48, 96, 192, 1024),
    1.0: (116, 232, 464, 1024),
    1.5: (176, 352, 704, 1024),
    2.0: (244, 488, 976, 2048),
}
UNITS = (4, 8, 4)


def normalized_convolution(x, filters, kernel_size=1, stride=1, name=None):
    """A convolution, batch normalisation and ReLU.

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
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def normalized_depthwise(x, stride=1, name=None):
    """A 3x3 depthwise convolution and batch normalisation, without ReLU.

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
    return layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)


def convolution_branch(x, filters, stride=1, name=None):
    """A 1x1, a depthwise and another 1x1 convolution of equal width.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result.
        stride: Stride of the depthwise convolution, in pixels.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, ceil(height / stride), ceil(width / stride),
        filters)`.
    """
    x = normalized_convolution(x, filters, name=f"{name}_first")
    x = normalized_depthwise(x, stride, name=f"{name}_depthwise")
    return normalized_convolution(x, filters, name=f"{name}_last")


def split_unit(x, shuffle=True, name=None):
    """Half of the channels pass, the others are computed: figure 3 (c).

    Args:
        x: Tensor of shape `(batch, height, width, channels)`, `channels` even.
        shuffle: Whether the halves are mixed at the end.
        name: Prefix of the layers' names.

    Returns:
        Tensor of the same shape.
    """
    # Slices of channels train much slower on a CPU than one split.
    passed, computed = keras.ops.split(x, 2, axis=-1)
    computed = convolution_branch(computed, x.shape[-1] // 2, name=name)
    x = layers.Concatenate(name=f"{name}_concatenate")([passed, computed])
    return ChannelShuffle(2, name=f"{name}_shuffle")(x) if shuffle else x


def downsampling_unit(x, filters, shuffle=True, name=None):
    """Two branches of stride 2, one behind the other: figure 3 (d).

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result, an even number.
        shuffle: Whether the branches are mixed at the end.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, ceil(height / 2), ceil(width / 2), filters)`.
    """
    shortcut = normalized_depthwise(x, 2, name=f"{name}_shortcut_depthwise")
    shortcut = normalized_convolution(
        shortcut, filters // 2, name=f"{name}_shortcut_last"
    )
    x = convolution_branch(x, filters // 2, stride=2, name=name)
    x = layers.Concatenate(name=f"{name}_concatenate")([shortcut, x])
    return ChannelShuffle(2, name=f"{name}_shuffle")(x) if shuffle else x


def split_stages(x, scale, shuffle=True):
    """The stages of units and the last convolution.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        scale: A key of `CHANNELS`.
        shuffle: Whether channels are shuffled.

    Returns:
        Tensor of shape `(batch, ceil(height / 8), ceil(width / 8),
        CHANNELS[scale][-1])`.
    """
    *stages, last = CHANNELS[scale]
    for stage, (filters, units) in enumerate(zip(stages, UNITS, strict=True), start=2):
        x = downsampling_unit(x, filters, shuffle, name=f"stage{stage}_unit1")
        for unit in range(2, units + 1):
            x = split_unit(x, shuffle, name=f"stage{stage}_unit{unit}")
    return normalized_convolution(x, last, name="last")


def shufflenet_v2(
    input_shape=(224, 224, 3),
    classes=1000,
    scale=1.0,
    shuffle=True,
    name="shufflenet_v2",
):
    """Build ShuffleNetV2 as published, 69.4% on ImageNet at scale 1.

    Args:
        input_shape: `(height, width, channels)` of an image.
        classes: Number of classes.
        scale: 0.5, 1.0, 1.5 or 2.0.
        shuffle: False to leave the shuffles out.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`; 2,278,604 trainable parameters
        and 145 M multiply-adds at 224x224.

    Raises:
        ValueError: If the images are smaller than 32x32 or there is no such scale.
    """
    choose(name, "scale", scale, CHANNELS)
    large_enough(input_shape, 32, name)
    inputs = keras.Input(input_shape, name="image")
    x = normalized_convolution(inputs, 24, 3, stride=2, name="stem")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)
    x = split_stages(x, scale, shuffle)
    return keras.Model(inputs, classifier(x, classes), name=name)


def shufflenet_v2_cifar(
    input_shape=(32, 32, 3), classes=10, scale=1.0, shuffle=True, name="shufflenet_v2"
):
    """Build ShuffleNetV2 for small images.

    Two strides are changed: the first convolution has 1 for 2, and the pooling
    behind it is left out, so that a 32x32 image leaves a 4x4 map.

    Args:
        input_shape: `(height, width, channels)` of an image.
        classes: Number of classes.
        scale: 0.5, 1.0, 1.5 or 2.0.
        shuffle: False to leave the shuffles out.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`; 1,280,034 parameters and 45 M
        multiply-adds for CIFAR-10.

    Raises:
        ValueError: As `shufflenet_v2` does; 8x8 pixels are the least.
    """
    choose(name, "scale", scale, CHANNELS)
    large_enough(input_shape, 8, name)
    inputs = keras.Input(input_shape, name="image")
    x = normalized_convolution(inputs, 24, 3, name="stem")
    x = split_stages(x, scale, shuffle)
    return keras.Model(inputs, classifier(x, classes), name=name)
