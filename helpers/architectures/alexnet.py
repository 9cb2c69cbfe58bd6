"""AlexNet: five convolutions, three dense layers, and ReLU in between.

Trained on two GPUs of 3 GB, half of the channels on each: the second, fourth and
fifth convolution see only the half of their own GPU, which are convolutions of two
groups.

Paper: ImageNet Classification with Deep Convolutional Neural Networks,
https://papers.nips.cc/paper/4824
"""

import keras
from keras import initializers, layers

from helpers.architectures.arguments import large_enough, one_of
from helpers.architectures.local_response import LocalResponseNormalization

NORMALIZATIONS = ("lrn", "batch", "none")

# Filters, kernel, stride, whether each tower sees its own half alone, and whether
# pooling follows. Local response normalisation follows the first two.
IMAGENET = (
    (96, 11, 4, False, True),
    (256, 5, 1, True, True),
    (384, 3, 1, False, False),
    (384, 3, 1, True, False),
    (256, 3, 1, True, True),
)
CIFAR = (
    (48, 5, 1, False, True),
    (128, 5, 1, True, True),
    (192, 3, 1, False, False),
    (192, 3, 1, True, False),
    (128, 3, 1, True, True),
)


def alexnet_convolution(
    x,
    filters,
    size,
    stride=1,
    padding="same",
    groups=1,
    normalization="none",
    pool=False,
    kernel_initializer="he_normal",
    bias_initializer="zeros",
    name=None,
):
    """A convolution with ReLU, then normalisation and overlapping pooling if asked.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result.
        size: Height and width of the kernel.
        stride: Stride of the convolution, in pixels.
        padding: "same" or "valid".
        groups: Towers that see only their own channels.
        normalization: "lrn" after the ReLU, as published; "batch" in front of it;
            "none".
        pool: Whether 3x3 max pooling of stride 2 follows: windows overlap by one.
        kernel_initializer: How the kernel begins.
        bias_initializer: How the bias begins.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, height, width, filters)`, sizes after the stride and
        the pooling.
    """
    x = layers.Conv2D(
        filters,
        size,
        strides=stride,
        padding=padding,
        groups=groups,
        use_bias=normalization != "batch",
        kernel_initializer=kernel_initializer,
        bias_initializer=bias_initializer,
        name=name,
    )(x)
    if normalization == "batch":
        x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    x = layers.ReLU(name=f"{name}_relu")(x)
    if normalization == "lrn":
        x = LocalResponseNormalization(name=f"{name}_lrn")(x)
    if pool:
        x = layers.MaxPooling2D(3, strides=2, name=f"{name}_pool")(x)
    return x


def alexnet_head(
    x,
    units,
    classes,
    dropout=0.5,
    kernel_initializer="he_normal",
    bias_initializer="zeros",
):
    """Dense layers with ReLU and dropout, then a dense softmax layer.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        units: Units of each hidden layer.
        classes: Number of classes.
        dropout: Share of values dropped after each hidden layer.
        kernel_initializer: How the kernels begin.
        bias_initializer: How the biases of hidden layers begin.

    Returns:
        Probabilities of shape `(batch, classes)`.
    """
    x = layers.Flatten(name="flatten")(x)
    for index, width in enumerate(units, start=6):
        x = layers.Dense(
            width,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            name=f"fc{index}",
        )(x)
        x = layers.ReLU(name=f"fc{index}_relu")(x)
        x = layers.Dropout(dropout, name=f"fc{index}_dropout")(x)
    return layers.Dense(
        classes, activation="softmax", dtype="float32", name="probabilities"
    )(x)


def alexnet_body(x, rows, towers, normalization, kernel_initializer, bias_initializer):
    """The five convolutions of a table.

    Args:
        x: Images `(batch, height, width, channels)`.
        rows: `IMAGENET` or `CIFAR`.
        towers: Groups of the second, fourth and fifth convolution.
        normalization: One of `NORMALIZATIONS`.
        kernel_initializer: How the kernels begin.
        bias_initializer: How the biases of those three convolutions begin.

    Returns:
        Tensor of shape `(batch, height, width, filters of the last)`.
    """
    for index, (filters, size, stride, own, pool) in enumerate(rows, start=1):
        local = normalization == "lrn" and index > 2
        x = alexnet_convolution(
            x,
            filters,
            size,
            stride=stride,
            padding="same" if stride == 1 else "valid",
            groups=towers if own else 1,
            normalization="none" if local else normalization,
            pool=pool,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer if own else "zeros",
            name=f"conv{index}",
        )
    return x


def alexnet(
    input_shape=(227, 227, 3), classes=1000, towers=2, normalization="lrn", name=None
):
    """Build AlexNet as published.

    The paper says 224x224 pixels; with an 11x11 kernel and stride 4 only 227 makes
    the 55x55 positions of its figure: (227 - 11) / 4 + 1 = 55.

    Args:
        input_shape: `(height, width, channels)` of an image; 67 pixels at least.
        classes: Number of classes.
        towers: 2 as published (60,965,224 parameters), or 1, in which each
            convolution sees all channels (62,378,344).
        normalization: "lrn" as published, "batch" or "none".
        name: Name of the model; "alexnet" or "alexnet_one_tower" if `None`.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`.

    Raises:
        ValueError: If the images are too small, or a choice is unknown.
    """
    large_enough(input_shape, 67, "AlexNet")
    one_of("number of towers", towers, (1, 2))
    one_of("normalization", normalization, NORMALIZATIONS)
    # As published: small kernels, and biases of one, so that ReLUs begin with
    # positive inputs.
    small = initializers.RandomNormal(stddev=0.01)
    start = {"kernel_initializer": small, "bias_initializer": "ones"}
    inputs = keras.Input(input_shape, name="image")
    x = alexnet_body(inputs, IMAGENET, towers, normalization, **start)
    outputs = alexnet_head(x, (4096, 4096), classes, **start)
    name = name or ("alexnet" if towers == 2 else "alexnet_one_tower")
    return keras.Model(inputs, outputs, name=name)


def alexnet_cifar(
    input_shape=(32, 32, 3),
    classes=10,
    towers=1,
    normalization="lrn",
    dropout=0.5,
    name="alexnet_cifar",
):
    """Build an AlexNet for 32x32 pixels: half the channels, no stride at the start.

    An 11x11 kernel of stride 4 would leave 6x6 positions of 32x32; a 5x5 kernel of
    stride 1 leaves all, and the three poolings make 15, 7 and 3 of 32.

    Args:
        input_shape: `(height, width, channels)` of an image; 15 pixels at least.
        classes: Number of classes.
        towers: 1 or 2.
        normalization: "lrn", "batch" or "none".
        dropout: Share of values dropped after each hidden dense layer.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`.

    Raises:
        ValueError: If the images are too small, or a choice is unknown.
    """
    large_enough(input_shape, 15, "The small AlexNet")
    one_of("number of towers", towers, (1, 2))
    one_of("normalization", normalization, NORMALIZATIONS)
    start = {"kernel_initializer": "he_normal", "bias_initializer": "zeros"}
    inputs = keras.Input(input_shape, name="image")
    x = alexnet_body(inputs, CIFAR, towers, normalization, **start)
    outputs = alexnet_head(x, (512, 512), classes, dropout, **start)
    return keras.Model(inputs, outputs, name=name)
