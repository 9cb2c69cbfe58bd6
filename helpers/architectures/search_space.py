"""The search space: networks of the assignment's kind, and what each would weigh.

A candidate is a dictionary with one value of each choice. Its parameters are
counted by arithmetic, so that a network that is too large is never built.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import keras
from keras import layers

CHOICES = {
    "channels1": (16, 24, 32, 40, 48),
    "channels2": (32, 48, 64, 80, 96),
    "channels3": (64, 80, 96, 108, 128, 160),
    "blocks1": (0, 1, 2),
    "blocks2": (0, 1, 2, 3),
    "blocks3": (0, 1, 2, 3),
    "kernel1": (3, 5, 7),
    "kernel2": (3, 5, 7),
    "kernel3": (3, 5, 7),
}
STAGES = (1, 2, 3)


@dataclass(frozen=True)
class Space:
    """A search space: what can be chosen, and what a choice means.

    Attributes:
        choices: The values of each choice, by name.
        build: Function of a candidate that returns an uncompiled `keras.Model`.
        parameters: Function of a candidate that counts the weights of its network.
    """

    choices: Mapping[str, tuple]
    build: Callable
    parameters: Callable


def separable_unit(
    x,
    filters,
    kernel_size,
    stride=1,
    activation="relu",
    multiplier=1,
    name=None,
):
    """A separable convolution, batch normalisation and an activation.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result.
        kernel_size: Rows and columns of the depthwise kernel.
        stride: Stride of the depthwise convolution, in pixels.
        activation: Name of a Keras activation; `None` for none.
        multiplier: Depthwise kernels for each channel of `x`.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, ceil(height / stride), ceil(width / stride),
        filters)`.
    """
    x = layers.SeparableConv2D(
        filters,
        kernel_size,
        strides=stride,
        padding="same",
        depth_multiplier=multiplier,
        use_bias=False,
        pointwise_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    if activation is None:
        return x
    return layers.Activation(activation, name=f"{name}_{activation}")(x)


def separable_stages(
    stages,
    input_shape=(32, 32, 3),
    classes=10,
    dropout=0.05,
    stem=1,
    activation="relu",
    after_addition=True,
    name="separable_stages",
):
    """Build `separable` with any number of stages and a kernel for each.

    Args:
        stages: Channels, residual blocks and kernel of each stage; every stage but
            the first halves the size.
        input_shape: `(height, width, channels)` of an image.
        classes: Number of classes.
        dropout: Share of activations dropped after each stage.
        stem: Depthwise kernels of the first convolution for each colour.
        activation: Name of the Keras activation.
        after_addition: Whether an activation follows each residual addition, as in
            ResNet; without it the sum reaches the end of its stage unchanged.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`.
    """
    inputs = keras.Input(input_shape, name="image")
    x = inputs
    for stage, (filters, blocks, kernel_size) in enumerate(stages, start=1):
        stride = 1 if stage == 1 else 2
        x = separable_unit(
            x,
            filters,
            kernel_size,
            stride,
            activation,
            multiplier=stem if stage == 1 else 1,
            name=f"stage{stage}_first",
        )
        for block in range(1, blocks + 1):
            unit = f"stage{stage}_block{block}"
            residual = x
            x = separable_unit(
                x, filters, kernel_size, activation=activation, name=f"{unit}_a"
            )
            x = separable_unit(
                x, filters, kernel_size, activation=None, name=f"{unit}_b"
            )
            x = layers.Add(name=f"{unit}_add")([x, residual])
            if after_addition:
                x = layers.Activation(activation, name=f"{unit}_{activation}")(x)
        x = layers.Dropout(dropout, name=f"stage{stage}_dropout")(x)
    x = layers.SeparableConv2D(classes, 1, name="scores")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    outputs = layers.Softmax(dtype="float32", name="probabilities")(x)
    return keras.Model(inputs, outputs, name=name)


def build_candidate(
    candidate, input_shape=(32, 32, 3), classes=10, dropout=0.05, name="candidate"
):
    """Build the network of a candidate.

    Args:
        candidate: Channels, residual blocks and kernel of each of three stages, as
            in `CHOICES`.
        input_shape: `(height, width, channels)` of an image.
        classes: Number of classes.
        dropout: Share of activations dropped after each stage.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model`; see `separable_stages`.
    """
    stages = [
        [candidate[f"{choice}{stage}"] for choice in ("channels", "blocks", "kernel")]
        for stage in STAGES
    ]
    return separable_stages(stages, input_shape, classes, dropout, name=name)


def count_parameters(candidate, channels=3, classes=10):
    """Count the weights of a candidate's network without building it.

    Args:
        candidate: As for `build_candidate`.
        channels: Channels of an image.
        classes: Number of classes.

    Returns:
        All weights, the statistics of batch normalisation included.
    """
    total = 0
    for stage in STAGES:
        filters, kernel_size = (
            candidate[f"channels{stage}"],
            candidate[f"kernel{stage}"],
        )
        total += _unit_parameters(channels, filters, kernel_size)
        blocks = candidate[f"blocks{stage}"]
        total += 2 * blocks * _unit_parameters(filters, filters, kernel_size)
        channels = filters
    return total + channels + channels * classes + classes


def _unit_parameters(channels, filters, kernel_size):
    """Weights of `separable_unit`: two kernels, and four numbers a channel."""
    return kernel_size**2 * channels + channels * filters + 4 * filters


SEPARABLE = Space(CHOICES, build_candidate, count_parameters)
