"""Our network for the assignment: separable convolutions only, under 100,000
parameters.

Every convolution is a `SeparableConv2D`, each is followed by batch
normalisation, and residual additions carry the signal past pairs of them.

Papers:
    Xception: Deep Learning with Depthwise Separable Convolutions,
    https://arxiv.org/abs/1610.02357
    Deep Residual Learning for Image Recognition, https://arxiv.org/abs/1512.03385
"""

import keras
from keras import layers


def separable_unit(x, filters, stride=1, activation=True, name=None):
    """A 3x3 depthwise separable convolution, batch normalisation and ReLU.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result.
        stride: Stride of the depthwise convolution, in pixels.
        activation: Whether a ReLU follows.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, ceil(height / stride), ceil(width / stride),
        filters)`.
    """
    x = layers.SeparableConv2D(
        filters,
        3,
        strides=stride,
        padding="same",
        use_bias=False,
        pointwise_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    if activation:
        x = layers.ReLU(name=f"{name}_relu")(x)
    return x


def separable_block(x, name):
    """Two separable convolutions and an addition around them.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        name: Prefix of the layers' names.

    Returns:
        Tensor of the same shape.
    """
    residual = x
    filters = x.shape[-1]
    x = separable_unit(x, filters, name=f"{name}_a")
    x = separable_unit(x, filters, activation=False, name=f"{name}_b")
    x = layers.Add(name=f"{name}_add")([x, residual])
    return layers.ReLU(name=f"{name}_relu")(x)


def separable(
    input_shape=(32, 32, 3),
    classes=10,
    stages=((32, 1), (64, 3), (108, 2)),
    dropout=0.05,
    name="separable",
):
    """Build our network for the assignment.

    Args:
        input_shape: `(height, width, channels)` of an image.
        classes: Number of classes.
        stages: Channels and residual blocks of each stage; every stage but
            the first halves the size.
        dropout: Share of activations dropped after each stage.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width,
        channels)` to class probabilities `(batch, classes)`; 96,681
        parameters for CIFAR-10.
    """
    inputs = keras.Input(input_shape, name="image")
    x = inputs
    for index, (filters, blocks) in enumerate(stages, start=1):
        stride = 1 if index == 1 else 2
        x = separable_unit(x, filters, stride, name=f"stage{index}_first")
        for block in range(1, blocks + 1):
            x = separable_block(x, name=f"stage{index}_block{block}")
        x = layers.Dropout(dropout, name=f"stage{index}_dropout")(x)
    x = layers.SeparableConv2D(classes, 1, name="scores")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    outputs = layers.Softmax(dtype="float32", name="probabilities")(x)
    return keras.Model(inputs, outputs, name=name)
