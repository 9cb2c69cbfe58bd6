"""Inception v2: batch normalisation, and two 3x3 convolutions in place of one 5x5.

Paper: Batch Normalization, https://arxiv.org/abs/1502.03167 (its Figure 5)
"""

import keras
from keras import layers

from helpers.architectures.arguments import large_enough
from helpers.architectures.inception import Unit
from helpers.architectures.parts import classifier

# 1x1, 3x3 reduce, 3x3, double 3x3 reduce, double 3x3, pool projection. Modules
# without a 1x1 and a projection have stride 2. The paper's table gives 128 channels
# to the projections of 4c and 4d, too many for its own sums of 576; 96 fit.
MODULES = {
    "3a": (64, 64, 64, 64, 96, 32),
    "3b": (64, 64, 96, 64, 96, 64),
    "3c": (0, 128, 160, 64, 96, 0),
    "4a": (224, 64, 96, 96, 128, 128),
    "4b": (192, 96, 128, 96, 128, 128),
    "4c": (160, 128, 160, 128, 160, 96),
    "4d": (96, 128, 192, 160, 192, 96),
    "4e": (0, 128, 192, 192, 256, 0),
    "5a": (352, 192, 320, 160, 224, 128),
    "5b": (352, 192, 320, 192, 224, 128),
}


def double_module(x, filters, unit, pooling="average", name=None):
    """A module whose 5x5 convolution is two of 3x3: 18/25 of the weights.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Filters of the 1x1 branch, of the reduction and the 3x3, of the
            reduction and both 3x3 of the double branch, and of the projection.
        unit: The network's `Unit`.
        pooling: "average" or "max", in front of the projection.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, height, width, channels)`: those of the four
        branches.
    """
    one, reduce3, three, reduce5, five, projection = filters
    pool = layers.MaxPooling2D if pooling == "max" else layers.AveragePooling2D
    branch1 = unit(x, one, 1, name=f"{name}_1x1")
    branch3 = unit.chain(x, [(reduce3, 1), (three, 3)], name=f"{name}_3x3")
    double = [(reduce5, 1), (five, 3), (five, 3)]
    branch5 = unit.chain(x, double, name=f"{name}_double")
    pooled = pool(3, strides=1, padding="same", name=f"{name}_pool")(x)
    pooled = unit(pooled, projection, 1, name=f"{name}_project")
    return layers.Concatenate(name=name)([branch1, branch3, branch5, pooled])


def strided_module(x, filters, unit, name=None):
    """A module of stride 2: two convolution branches and a pooling that passes on.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: As for `double_module`; the first and the last are 0.
        unit: The network's `Unit`.
        name: Prefix of the layers' names.

    Returns:
        Tensor of half the size, with the channels of the two branches and of the
        input.
    """
    _, reduce3, three, reduce5, five, _ = filters
    branch3 = unit.chain(x, [(reduce3, 1), (three, 3, 2)], name=f"{name}_3x3")
    double = [(reduce5, 1), (five, 3), (five, 3, 2)]
    branch5 = unit.chain(x, double, name=f"{name}_double")
    pooled = layers.MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
    return layers.Concatenate(name=name)([branch3, branch5, pooled])


def inception_v2_modules(x, unit):
    """The ten modules of Inception v2.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        unit: The network's `Unit`.

    Returns:
        Tensor of a quarter of the size, with 1,024 channels (times the width).
    """
    for index, filters in MODULES.items():
        name = f"inception_{index}"
        if filters[0] == 0:
            x = strided_module(x, filters, unit, name=name)
            continue
        pooling = "max" if index == "5b" else "average"
        x = double_module(x, filters, unit, pooling, name=name)
    return x


def inception_v2(input_shape=(224, 224, 3), classes=1000, name="inception_v2"):
    """Build Inception v2 as published, often called BN-Inception.

    Args:
        input_shape: `(height, width, channels)` of an image; 32 pixels at least.
        classes: Number of classes.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`.

    Raises:
        ValueError: If the images are too small.
    """
    large_enough(input_shape, 32, "Inception v2")
    unit = Unit()
    inputs = keras.Input(input_shape, name="image")
    x = unit(inputs, 64, 7, 2, name="conv1")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1")(x)
    x = unit.chain(x, [(64, 1), (192, 3)], name="conv2")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool2")(x)
    x = inception_v2_modules(x, unit)
    return keras.Model(inputs, classifier(x, classes), name=name)


def inception_v2_cifar(
    input_shape=(32, 32, 3), classes=10, width=0.5, name="inception_v2_cifar"
):
    """Build an Inception v2 for 32x32 pixels.

    As in `googlenet_cifar`, the first layers divide the size by 2 in place of 8.

    Args:
        input_shape: `(height, width, channels)` of an image; 8 pixels at least.
        classes: Number of classes.
        width: Factor on the filters of every convolution.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model`, as `inception_v2` does.

    Raises:
        ValueError: If the images are too small.
    """
    large_enough(input_shape, 8, "The small Inception v2")
    unit = Unit(width=width, kernel_initializer="he_normal")
    inputs = keras.Input(input_shape, name="image")
    x = unit(inputs, 64, 3, name="conv1")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1")(x)
    x = unit.chain(x, [(64, 1), (192, 3)], name="conv2")
    x = inception_v2_modules(x, unit)
    return keras.Model(inputs, classifier(x, classes), name=name)
