"""GoogLeNet, the first Inception network: nine modules and two side branches.

Paper: Going Deeper with Convolutions, https://arxiv.org/abs/1409.4842
"""

import keras
from keras import layers

from helpers.architectures.arguments import large_enough, one_of
from helpers.architectures.inception import NORMALIZATIONS, Unit, inception_module
from helpers.architectures.local_response import LocalResponseNormalization

# Table 1 of the paper: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection.
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
# Modules that a side branch looks at, and modules that pooling follows.
SIDE_BRANCHES = ("4a", "4d")
POOLED = ("3b", "4e")
SIDE_LOSS_WEIGHT = 0.3


def side_branch(
    x,
    classes,
    unit,
    units=1024,
    pool=(5, 3),
    dropout=0.7,
    name=None,
):
    """A small classifier on the side, which brings gradients to the middle.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        classes: Number of classes.
        unit: The network's `Unit`.
        units: Units of the hidden dense layer.
        pool: Size and stride of the average pooling.
        dropout: Share of values dropped in front of the last layer.
        name: Prefix of the layers' names.

    Returns:
        Probabilities of shape `(batch, classes)`.
    """
    x = layers.AveragePooling2D(*pool, name=f"{name}_average")(x)
    x = unit(x, 128, 1, name=name)
    x = layers.Flatten(name=f"{name}_flatten")(x)
    x = layers.Dense(units, name=f"{name}_dense")(x)
    x = layers.ReLU(name=f"{name}_dense_relu")(x)
    x = layers.Dropout(dropout, name=f"{name}_dropout")(x)
    return layers.Dense(
        classes,
        activation="softmax",
        dtype="float32",
        name=f"{name}_probabilities",
    )(x)


def googlenet_modules(x, classes, unit, large=5, side=None):
    """The nine modules, with pooling in between.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        classes: Number of classes of the side branches.
        unit: The network's `Unit`.
        large: Height and width of the largest kernel of each module.
        side: Arguments of `side_branch`; `None` for no side branches.

    Returns:
        Tensor of shape `(batch, height / 4, width / 4, 1024 * unit.width)`, and
        a list of the side branches' probabilities.
    """
    sides = []
    for index, filters in MODULES.items():
        x = inception_module(x, filters, unit, large, name=f"inception_{index}")
        if side is not None and index in SIDE_BRANCHES:
            name = f"side{len(sides) + 1}"
            sides.append(side_branch(x, classes, unit, name=name, **side))
        if index in POOLED:
            pool = layers.MaxPooling2D(
                3,
                strides=2,
                padding="same",
                name=f"pool_{index}",
            )
            x = pool(x)
    return x, sides


def googlenet(
    input_shape=(224, 224, 3),
    classes=1000,
    side_branches=False,
    normalization="none",
    large=5,
    name="googlenet",
):
    """Build GoogLeNet.

    Args:
        input_shape: `(height, width, channels)` of an image; 32 pixels at least, 65
            with side branches, which pool 5x5 positions.
        classes: Number of classes.
        side_branches: Whether the two classifiers of the side are outputs as well,
            for training; `loss_weights` says what their losses count.
        normalization: "none" as published, with local response normalisation near
            the image; "batch" after every convolution.
        large: Height and width of the largest kernel of each module: 5 as published.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`, a list of three with side
        branches; 6,998,552 parameters without them, 13,378,280 with them at 224x224.

    Raises:
        ValueError: If the images are too small, or a choice is unknown.
    """
    one_of("normalization", normalization, NORMALIZATIONS)
    if side_branches:
        large_enough(input_shape, 65, "GoogLeNet with side branches")
    large_enough(input_shape, 32, "GoogLeNet")
    unit = Unit(normalization)
    inputs = keras.Input(input_shape, name="image")
    x = unit(inputs, 64, 7, 2, name="conv1")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1")(x)
    if normalization == "none":
        x = LocalResponseNormalization(name="lrn1")(x)
    x = unit(x, 64, 1, name="conv2_reduce")
    x = unit(x, 192, 3, name="conv2")
    if normalization == "none":
        x = LocalResponseNormalization(name="lrn2")(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool2")(x)
    side = {} if side_branches else None
    x, sides = googlenet_modules(x, classes, unit, large, side)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(0.4, name="average_dropout")(x)
    outputs = layers.Dense(
        classes, activation="softmax", dtype="float32", name="probabilities"
    )(x)
    return keras.Model(inputs, [outputs, *sides] if sides else outputs, name=name)


def googlenet_cifar(
    input_shape=(32, 32, 3),
    classes=10,
    width=0.5,
    side_branches=False,
    normalization="batch",
    dropout=0.2,
    name="googlenet_cifar",
):
    """Build a GoogLeNet for 32x32 pixels.

    The first layers of GoogLeNet divide the size by 8 before the first module; here
    they divide it by 2, and the modules see 16, 8 and 4 positions each way where the
    published network has 28, 14 and 7.

    Args:
        input_shape: `(height, width, channels)` of an image; 8 pixels at least.
        classes: Number of classes.
        width: Factor on the filters of every convolution.
        side_branches: Whether the two classifiers of the side are outputs as well.
        normalization: "batch" after every convolution, or "none".
        dropout: Share of values dropped in front of the last layer.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model`, as `googlenet` does.

    Raises:
        ValueError: If the images are too small, or a choice is unknown.
    """
    one_of("normalization", normalization, NORMALIZATIONS)
    large_enough(input_shape, 8, "The small GoogLeNet")
    unit = Unit(normalization, width=width, kernel_initializer="he_normal")
    inputs = keras.Input(input_shape, name="image")
    x = unit(inputs, 64, 3, name="conv1")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1")(x)
    x = unit(x, 64, 1, name="conv2_reduce")
    x = unit(x, 192, 3, name="conv2")
    # 8x8 positions become 4x4 here, as 14x14 do in the published network.
    side = {"units": 128, "pool": (2, 2), "dropout": 0.5} if side_branches else None
    x, sides = googlenet_modules(x, classes, unit, side=side)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(dropout, name="average_dropout")(x)
    outputs = layers.Dense(
        classes, activation="softmax", dtype="float32", name="probabilities"
    )(x)
    return keras.Model(inputs, [outputs, *sides] if sides else outputs, name=name)


def loss_weights(model):
    """What each output's loss counts in training, for `compile(loss_weights=...)`.

    Args:
        model: A GoogLeNet with or without side branches.

    Returns:
        A list: 1 for the classifier, 0.3 for each side branch.
    """
    return [1.0] + [SIDE_LOSS_WEIGHT] * (len(model.outputs) - 1)


def without_side_branches(model):
    """The network that is used after training: the classifier alone.

    Args:
        model: A GoogLeNet with side branches.

    Returns:
        A `keras.Model` of one output that shares the layers, and so the weights, of
        the model; the layers of the side branches are not part of it.
    """
    return keras.Model(model.inputs[0], model.outputs[0], name=model.name)
