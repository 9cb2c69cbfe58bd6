"""Network in Network: small dense networks that slide over the image.

A convolution followed by 1x1 convolutions is a network of several layers at each
position; a map for each class, averaged over all positions, takes the place of dense
layers.

Paper: Network In Network, https://arxiv.org/abs/1312.4400
"""

import keras
from keras import layers

from helpers.architectures.arguments import large_enough, one_of, require_positive

NORMALIZATIONS = ("none", "batch")
HEADS = ("average", "dense")


def mlpconv(x, filters, size, normalization="none", name=None):
    """A convolution and 1x1 convolutions, with ReLU: an MLP at each position.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Filters of the convolution, and of each 1x1 convolution.
        size: Height and width of the first kernel.
        normalization: "batch" in front of each ReLU, or "none" as published.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, height, width, filters[-1])`.
    """
    for index, count in enumerate(filters, start=1):
        x = layers.Conv2D(
            count,
            size if index == 1 else 1,
            padding="same",
            use_bias=normalization == "none",
            kernel_initializer="he_normal",
            name=f"{name}_conv{index}",
        )(x)
        if normalization == "batch":
            label = f"{name}_bn{index}"
            x = layers.BatchNormalization(momentum=0.9, name=label)(x)
        x = layers.ReLU(name=f"{name}_relu{index}")(x)
    return x


def nin(
    input_shape=(32, 32, 3),
    classes=10,
    head="average",
    normalization="none",
    dropout=0.5,
    width=1.0,
    name="nin",
):
    """Build Network in Network, which was published for CIFAR-10.

    Args:
        input_shape: `(height, width, channels)` of an image; 4 pixels at least.
        classes: Number of classes.
        head: "average" averages the map of each class over all positions; "dense"
            puts a dense layer on the maps, as the paper does for comparison.
        normalization: "none" as published, or "batch" in front of each ReLU.
        dropout: Share of values dropped after the first two poolings.
        width: Factor for all filters but the class maps, 1 as published.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`; 966,986 parameters.

    Raises:
        ValueError: If the images are too small, or a choice is unknown.
    """
    large_enough(input_shape, 4, "Network in Network")
    one_of("head", head, HEADS)
    one_of("normalization", normalization, NORMALIZATIONS)
    require_positive("Network in Network", width=width)

    def widths(*filters):
        return [max(1, round(width * count)) for count in filters]

    inputs = keras.Input(input_shape, name="image")
    x = mlpconv(inputs, widths(192, 160, 96), 5, normalization, name="mlpconv1")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1")(x)
    x = layers.Dropout(dropout, name="dropout1")(x)
    x = mlpconv(x, widths(192, 192, 192), 5, normalization, name="mlpconv2")
    x = layers.AveragePooling2D(3, strides=2, padding="same", name="pool2")(x)
    x = layers.Dropout(dropout, name="dropout2")(x)
    x = mlpconv(x, widths(192, 192), 3, normalization, name="mlpconv3")
    # A map for each class.
    x = layers.Conv2D(classes, 1, kernel_initializer="he_normal", name="maps")(x)
    x = layers.ReLU(name="maps_relu")(x)
    if head == "average":
        x = layers.GlobalAveragePooling2D(name="average")(x)
    else:
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(classes, name="dense_head")(x)
    outputs = layers.Softmax(dtype="float32", name="probabilities")(x)
    return keras.Model(inputs, outputs, name=name)
