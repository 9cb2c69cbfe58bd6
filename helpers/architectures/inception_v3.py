"""Inception v3: kernels taken apart, and sizes halved without losing channels.

Its modules are named after their place in the network: A at 35x35 positions, B at
17x17, C at 8x8. Between them, a convolution and a pooling of stride 2 stand side by
side, so that neither comes before the other.

Paper: Rethinking the Inception Architecture for Computer Vision,
https://arxiv.org/abs/1512.00567
"""

import keras
from keras import layers

from helpers.architectures.arguments import large_enough
from helpers.architectures.inception import Unit
from helpers.architectures.parts import classifier


def pool_projection(x, filters, unit, name=None):
    """3x3 average pooling and a 1x1 convolution, a branch of every module.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Filters of the convolution.
        unit: The network's `Unit`.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, height, width, filters)`.
    """
    x = layers.AveragePooling2D(3, strides=1, padding="same", name=f"{name}_pool")(x)
    return unit(x, filters, 1, name=f"{name}_project")


def module_a(x, projection, unit, name=None):
    """1x1, 5x5, and two 3x3 one after another, which see 5x5 pixels as well.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        projection: Filters after the pooling.
        unit: The network's `Unit`.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, height, width, 224 + projection)`.
    """
    branches = [
        unit(x, 64, 1, name=f"{name}_1x1"),
        unit.chain(x, [(48, 1), (64, 5)], name=f"{name}_5x5"),
        unit.chain(x, [(64, 1), (96, 3), (96, 3)], name=f"{name}_double"),
        pool_projection(x, projection, unit, name=name),
    ]
    return layers.Concatenate(name=name)(branches)


def module_b(x, filters, unit, size=7, name=None):
    """n x n convolutions as 1 x n and n x 1: 2n weights in place of n * n.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Filters inside the branches.
        unit: The network's `Unit`.
        size: n, in pixels.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, height, width, 768)`.
    """
    row, column = (1, size), (size, 1)
    single = [(filters, 1), (filters, row), (192, column)]
    double = [(filters, 1), (filters, column), (filters, row)]
    double += [(filters, column), (192, row)]
    branches = [
        unit(x, 192, 1, name=f"{name}_1x1"),
        unit.chain(x, single, name=f"{name}_single"),
        unit.chain(x, double, name=f"{name}_double"),
        pool_projection(x, 192, unit, name=name),
    ]
    return layers.Concatenate(name=name)(branches)


def module_c(x, unit, name=None):
    """1x3 and 3x1 side by side: many channels where few positions are left.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        unit: The network's `Unit`.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, height, width, 2048)`.
    """
    split = [unit(x, 320, 1, name=f"{name}_1x1")]
    for branch, steps in (
        ("single", [(384, 1)]),
        ("double", [(448, 1), (384, 3)]),
    ):
        stem = unit.chain(x, steps, name=f"{name}_{branch}")
        halves = [
            unit(stem, 384, (1, 3), name=f"{name}_{branch}_1x3"),
            unit(stem, 384, (3, 1), name=f"{name}_{branch}_3x1"),
        ]
        split.append(layers.Concatenate(name=f"{name}_{branch}")(halves))
    split.append(pool_projection(x, 192, unit, name=name))
    return layers.Concatenate(name=name)(split)


def grid_reduction(x, branches, unit, padding="valid", name=None):
    """Convolutions and max pooling of stride 2 side by side.

    Pooling first would lose what it drops before a convolution sees it; a
    convolution first would cost four times as much.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        branches: For each branch of convolutions, its name and its steps, as
            `Unit.chain` takes them; the last step is given stride 2.
        unit: The network's `Unit`.
        padding: Padding of what has stride 2.
        name: Prefix of the layers' names.

    Returns:
        Tensor of half the size, with the channels of all branches and of the input.
    """
    results = []
    for branch, steps in branches.items():
        *first, (filters, size) = steps
        strided = [*first, (filters, size, 2, padding)]
        results.append(unit.chain(x, strided, name=f"{name}_{branch}"))
    pool = layers.MaxPooling2D(3, strides=2, padding=padding, name=f"{name}_pool")
    return layers.Concatenate(name=name)([*results, pool(x)])


def inception_v3_modules(x, unit, size=7, padding="valid"):
    """Eleven modules, named as in `keras.applications`: mixed0 to mixed10.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        unit: The network's `Unit`.
        size: Length of the kernels that the B modules take apart.
        padding: Padding of the grid reductions.

    Returns:
        Tensor of about a quarter of the size, with 2,048 channels (times the width).
    """
    for index, projection in enumerate((32, 64, 64)):
        x = module_a(x, projection, unit, name=f"mixed{index}")
    first = {"single": [(384, 3)], "double": [(64, 1), (96, 3), (96, 3)]}
    x = grid_reduction(x, first, unit, padding, name="mixed3")
    for index, filters in enumerate((128, 160, 160, 192), start=4):
        x = module_b(x, filters, unit, size, name=f"mixed{index}")
    apart = [(192, 1), (192, (1, size)), (192, (size, 1)), (192, 3)]
    second = {"single": [(192, 1), (320, 3)], "apart": apart}
    x = grid_reduction(x, second, unit, padding, name="mixed8")
    for index in (9, 10):
        x = module_c(x, unit, name=f"mixed{index}")
    return x


def inception_v3(input_shape=(299, 299, 3), classes=1000, name="inception_v3"):
    """Build Inception v3, the network of `keras.applications.InceptionV3`.

    Args:
        input_shape: `(height, width, channels)` of an image; 75 pixels at least.
        classes: Number of classes.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`.

    Raises:
        ValueError: If the images are too small.
    """
    large_enough(input_shape, 75, "Inception v3")
    unit = Unit(scale=False)
    inputs = keras.Input(input_shape, name="image")
    x = unit(inputs, 32, 3, 2, "valid", name="stem1")
    x = unit(x, 32, 3, 1, "valid", name="stem2")
    x = unit(x, 64, 3, name="stem3")
    x = layers.MaxPooling2D(3, strides=2, name="stem_pool1")(x)
    x = unit(x, 80, 1, 1, "valid", name="stem4")
    x = unit(x, 192, 3, 1, "valid", name="stem5")
    x = layers.MaxPooling2D(3, strides=2, name="stem_pool2")(x)
    x = inception_v3_modules(x, unit)
    return keras.Model(inputs, classifier(x, classes), name=name)


def inception_v3_cifar(
    input_shape=(32, 32, 3), classes=10, width=0.25, size=3, name="inception_v3_cifar"
):
    """Build an Inception v3 for 32x32 pixels.

    The first layers divide the size by 2 in place of 8, and the modules see 16, 8 and
    4 positions each way where the published network has 35, 17 and 8. Kernels of 7
    on 17 positions become kernels of 3 on 8.

    Args:
        input_shape: `(height, width, channels)` of an image; 8 pixels at least.
        classes: Number of classes.
        width: Factor on the filters of every convolution.
        size: Length of the kernels that the B modules take apart, in pixels.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model`, as `inception_v3` does.

    Raises:
        ValueError: If the images are too small.
    """
    large_enough(input_shape, 8, "The small Inception v3")
    unit = Unit(width=width, kernel_initializer="he_normal")
    inputs = keras.Input(input_shape, name="image")
    x = unit.chain(inputs, [(64, 3), (64, 3)], name="stem")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)
    x = unit(x, 192, 3, name="stem3")
    x = inception_v3_modules(x, unit, size, padding="same")
    return keras.Model(inputs, classifier(x, classes), name=name)
