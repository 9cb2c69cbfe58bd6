"""VGG: 3x3 convolutions only, in five stages that each halve the size.

Two 3x3 convolutions see 5x5 pixels and three see 7x7, with fewer weights than one
kernel of that size and a ReLU after each.

Paper: Very Deep Convolutional Networks for Large-Scale Image Recognition,
https://arxiv.org/abs/1409.1556
"""

import keras
from keras import layers

from helpers.architectures.arguments import large_enough, one_of
from helpers.architectures.local_response import LocalResponseNormalization

FILTERS = (64, 128, 256, 512, 512)

# Kernel sizes of each stage: the columns A, A-LRN, B, C, D and E of Table 1.
CONFIGURATIONS = {
    "11": ((3,), (3,), (3, 3), (3, 3), (3, 3)),
    "11-LRN": ((3,), (3,), (3, 3), (3, 3), (3, 3)),
    "13": ((3, 3), (3, 3), (3, 3), (3, 3), (3, 3)),
    "16-1x1": ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1)),
    "16": ((3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3)),
    "19": ((3, 3), (3, 3), (3, 3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3)),
}
NORMALIZATIONS = ("batch", "none")


def vgg_convolution(
    x,
    filters,
    size=3,
    normalization="none",
    kernel_initializer="glorot_uniform",
    name=None,
):
    """A convolution that keeps the size, and ReLU.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result.
        size: Height and width of the kernel.
        normalization: "batch" in front of the ReLU, or "none".
        kernel_initializer: How the kernel begins.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, height, width, filters)`.
    """
    x = layers.Conv2D(
        filters,
        size,
        padding="same",
        use_bias=normalization == "none",
        kernel_initializer=kernel_initializer,
        name=name,
    )(x)
    if normalization == "batch":
        x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def vgg_body(
    x,
    depth,
    filters=FILTERS,
    normalization="none",
    kernel_initializer="glorot_uniform",
):
    """The convolutions of one configuration, 2x2 max pooling after each stage.

    Args:
        x: Images `(batch, height, width, channels)`.
        depth: A name of `CONFIGURATIONS`.
        filters: Filters of each stage.
        normalization: "batch" or "none".
        kernel_initializer: How the kernels begin.

    Returns:
        Tensor of shape `(batch, height // 32, width // 32, filters[-1])`.
    """
    for stage, sizes in enumerate(CONFIGURATIONS[depth], start=1):
        for index, size in enumerate(sizes, start=1):
            x = vgg_convolution(
                x,
                filters[stage - 1],
                size,
                normalization,
                kernel_initializer,
                name=f"block{stage}_conv{index}",
            )
            if depth == "11-LRN" and stage == 1:
                x = LocalResponseNormalization(name="block1_lrn")(x)
        x = layers.MaxPooling2D(2, name=f"block{stage}_pool")(x)
    return x


def vgg_head(x, units, classes, dropout=0.5, kernel_initializer="glorot_uniform"):
    """Two dense layers with ReLU and dropout, then a dense softmax layer.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        units: Units of each hidden layer.
        classes: Number of classes.
        dropout: Share of values dropped after each hidden layer.
        kernel_initializer: How the hidden kernels begin.

    Returns:
        Probabilities of shape `(batch, classes)`.
    """
    x = layers.Flatten(name="flatten")(x)
    for index, width in enumerate(units, start=1):
        x = layers.Dense(
            width, kernel_initializer=kernel_initializer, name=f"fc{index}"
        )(x)
        x = layers.ReLU(name=f"fc{index}_relu")(x)
        x = layers.Dropout(dropout, name=f"fc{index}_dropout")(x)
    return layers.Dense(
        classes, activation="softmax", dtype="float32", name="probabilities"
    )(x)


def vgg(depth=16, input_shape=(224, 224, 3), classes=1000, dropout=0.5, name=None):
    """Build a VGG network as published.

    Args:
        depth: A name of `CONFIGURATIONS`: layers with weights, 11 to 19; "11-LRN"
            has local response normalisation, "16-1x1" has 1x1 convolutions.
        input_shape: `(height, width, channels)` of an image; 32 pixels at least.
        classes: Number of classes.
        dropout: Share of values dropped after each hidden dense layer.
        name: Name of the model; "vgg16" and the like if `None`.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`; 138,357,544 parameters for
        VGG-16.

    Raises:
        ValueError: If the images are too small, or there is no such depth.
    """
    one_of("depth of VGG", str(depth), CONFIGURATIONS)
    large_enough(input_shape, 32, "VGG")
    inputs = keras.Input(input_shape, name="image")
    x = vgg_body(inputs, str(depth))
    outputs = vgg_head(x, (4096, 4096), classes, dropout)
    name = name or f"vgg{depth}".replace("-", "_").lower()
    return keras.Model(inputs, outputs, name=name)


def vgg_cifar(
    depth=16,
    input_shape=(32, 32, 3),
    classes=10,
    width=1.0,
    units=(512, 512),
    normalization="batch",
    kernel_initializer="he_normal",
    dropout=0.5,
    name=None,
):
    """Build a VGG network for 32x32 pixels.

    The convolutions stay as published: five poolings leave one position of 32x32.
    The dense layers have 512 units in place of 4,096, and batch normalisation, which
    VGG came too early for, makes the deep ones trainable from scratch.

    Args:
        depth: A name of `CONFIGURATIONS`.
        input_shape: `(height, width, channels)` of an image; 32 pixels at least.
        classes: Number of classes.
        width: Factor on the filters of every stage.
        units: Units of each hidden dense layer.
        normalization: "batch", or "none" as published.
        kernel_initializer: How the kernels begin: "he_normal" keeps the variance of
            signals through ReLUs, "glorot_uniform" halves it at each.
        dropout: Share of values dropped after each hidden dense layer.
        name: Name of the model; "vgg16_cifar" and the like if `None`.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`.

    Raises:
        ValueError: If the images are too small, or a choice is unknown.
    """
    one_of("depth of VGG", str(depth), CONFIGURATIONS)
    one_of("normalization", normalization, NORMALIZATIONS)
    large_enough(input_shape, 32, "VGG")
    filters = [max(1, round(count * width)) for count in FILTERS]
    inputs = keras.Input(input_shape, name="image")
    x = vgg_body(inputs, str(depth), filters, normalization, kernel_initializer)
    outputs = vgg_head(x, units, classes, dropout, kernel_initializer)
    name = name or f"vgg{depth}_cifar".replace("-", "_").lower()
    return keras.Model(inputs, outputs, name=name)


def initialise_from(model, shallower, convolutions=4, dense=3):
    """Begin a deep VGG network with weights of a trained shallower one.

    As in section 3.1 of the paper: the first four convolutions and the three dense
    layers of VGG-11 go to the layers of the same place, which have the same name
    (the first of each stage, and the second of the third); the others keep their
    random weights. Batch normalisation goes with its convolution.

    Args:
        model: The deep `keras.Model`, whose weights change.
        shallower: The trained `keras.Model`, for images of the same size.
        convolutions: How many of its convolutions are taken, from the first on.
        dense: How many of its dense layers are taken, from the last on.

    Returns:
        Names of the layers that were taken over, in order.

    Raises:
        ValueError: If a layer does not exist in the deep network, or differs there.
    """
    kinds = {
        kind: [x.name for x in shallower.layers if isinstance(x, kind)]
        for kind in (layers.Conv2D, layers.Dense)
    }
    last = kinds[layers.Dense]
    names = []
    for name in kinds[layers.Conv2D][:convolutions]:
        names += [name, f"{name}_bn"]
    names += last[max(0, len(last) - dense) :]
    given = {x.name: x for x in shallower.layers}
    taken = {x.name: x for x in model.layers}
    names = [name for name in names if name in given]
    for name in names:
        shapes = [
            [tuple(w.shape) for w in found[name].weights] if name in found else None
            for found in (given, taken)
        ]
        if shapes[0] != shapes[1]:
            raise ValueError(
                f"Layer {name!r} has weights of shapes {shapes[0]} in "
                f"{shallower.name!r} and {shapes[1]} in {model.name!r}. Build both "
                "with the same image size, classes, width, units and normalization."
            )
    for name in names:
        taken[name].set_weights(given[name].get_weights())
    return names
