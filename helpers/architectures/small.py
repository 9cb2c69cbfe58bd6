"""A small network for comparisons: three convolutions, one thing changed at a time.

It trains in a minute where the course's other networks take an hour, so that a
lecture can compare a dozen ways to train it. Its accuracy is nothing to admire.

Papers: Batch Normalization, https://arxiv.org/abs/1502.03167; Group Normalization,
https://arxiv.org/abs/1803.08494, which counts layer and instance normalisation as
its two extremes; Dropout, https://jmlr.org/papers/v15/srivastava14a.html
"""

import keras
from keras import layers

NORMALIZATIONS = ("batch", "layer", "group", "instance", None)
ORDERS = ("conv_norm_relu", "conv_relu_norm")
DROPOUT_PLACES = ("end", "before_norm")


def normalize(x, kind, name):
    """Normalise a feature map.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        kind: "batch" (over batch, height and width), "layer" (over height, width
            and channels of an image), "group" (the same in eight groups of
            channels), "instance" (over height and width), or `None`.
        name: Name of the layer.

    Returns:
        Tensor of the same shape.
    """
    if kind is None:
        return x
    if kind == "batch":
        return layers.BatchNormalization(momentum=0.9, name=name)(x)
    groups = {"layer": 1, "group": 8, "instance": -1}[kind]
    return layers.GroupNormalization(groups, name=name)(x)


def small_unit(x, filters, normalization, order, dropout, l2, name):
    """A 3x3 convolution with ReLU and normalisation in either order.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result.
        normalization: A kind of `normalize`.
        order: "conv_norm_relu" or "conv_relu_norm".
        dropout: Share of activations dropped between convolution and normalisation.
        l2: The loss gains `l2 / 2` times the sum of the squared kernel.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, height, width, filters)`.
    """
    regularizer = keras.regularizers.L2(l2 / 2) if l2 else None
    x = layers.Conv2D(
        filters,
        3,
        padding="same",
        use_bias=normalization is None,
        kernel_initializer="he_normal",
        kernel_regularizer=regularizer,
        name=f"{name}_conv",
    )(x)
    if dropout:
        x = layers.Dropout(dropout, name=f"{name}_dropout")(x)
    if order == "conv_norm_relu":
        x = normalize(x, normalization, name=f"{name}_norm")
        return layers.ReLU(name=f"{name}_relu")(x)
    x = layers.ReLU(name=f"{name}_relu")(x)
    return normalize(x, normalization, name=f"{name}_norm")


def small(
    input_shape=(32, 32, 3),
    classes=10,
    filters=(32, 64, 128),
    normalization="batch",
    order="conv_norm_relu",
    dropout=0.0,
    dropout_place="end",
    l2=0.0,
    name="small",
):
    """Build the small network of the comparisons.

    Args:
        input_shape: `(height, width, channels)` of an image.
        classes: Number of classes.
        filters: Channels of each convolution; 2x2 maximum pooling between them.
        normalization: "batch", "layer", "group", "instance" or `None`.
        order: "conv_norm_relu" or "conv_relu_norm".
        dropout: Share of activations dropped.
        dropout_place: "end", before the dense layer, or "before_norm", in front of
            every normalisation.
        l2: The loss gains `l2 / 2` times the sum of the squared kernels.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`; 95,210 parameters for CIFAR-10
        with batch normalisation.

    Raises:
        ValueError: If a choice does not exist.
    """
    for what, value, choices in (
        ("normalization", normalization, NORMALIZATIONS),
        ("order", order, ORDERS),
        ("dropout_place", dropout_place, DROPOUT_PLACES),
    ):
        if value not in choices:
            raise ValueError(
                f"small() has {what}={value!r}: choose one of "
                f"{', '.join(map(repr, choices))}."
            )
    inside = dropout if dropout_place == "before_norm" else 0.0
    inputs = keras.Input(input_shape, name="image")
    x = inputs
    for index, channels in enumerate(filters, start=1):
        if index > 1:
            x = layers.MaxPooling2D(2, name=f"pool{index - 1}")(x)
        x = small_unit(
            x, channels, normalization, order, inside, l2, name=f"unit{index}"
        )
    x = layers.GlobalAveragePooling2D(name="average")(x)
    if dropout_place == "end" and dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    outputs = layers.Dense(
        classes, activation="softmax", dtype="float32", name="probabilities"
    )(x)
    return keras.Model(inputs, outputs, name=name)
