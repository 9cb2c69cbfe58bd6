"""LeNet-5 as it is read today: dense connections, plain pooling, a softmax head.

The network of 1998 itself is in `lenet_1998.py`.

Paper: Gradient-Based Learning Applied to Document Recognition,
https://doi.org/10.1109/5.726791
"""

import keras
from keras import layers

from helpers.architectures.arguments import large_enough, one_of

ACTIVATIONS = ("tanh", "relu", "elu", "gelu", "leaky_relu", "selu", "sigmoid", "silu")
POOLINGS = {"average": layers.AveragePooling2D, "max": layers.MaxPooling2D}


def lenet_stage(x, filters, activation="tanh", pooling="average", name=None):
    """A 5x5 convolution without padding, an activation and 2x2 pooling.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result.
        activation: Name of an activation of Keras.
        pooling: "average", as in 1998, or "max".
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, (height - 4) // 2, (width - 4) // 2, filters)`.
    """
    x = layers.Conv2D(filters, 5, name=f"{name}_conv")(x)
    x = layers.Activation(activation, name=f"{name}_{activation}")(x)
    return POOLINGS[pooling](2, name=f"{name}_pool")(x)


def lenet5(
    input_shape=(32, 32, 1),
    classes=10,
    activation="tanh",
    pooling="average",
    name="lenet5",
):
    """Build LeNet-5 as textbooks and libraries have it.

    Args:
        input_shape: `(height, width, channels)` of an image, 16 pixels at least
            each way; digits of 28x28 pixels are padded to 32x32.
        classes: Number of classes.
        activation: One of `ACTIVATIONS`; "tanh" as published.
        pooling: "average", as published, or "max".
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`; 61,706 parameters on 32x32x1.

    Raises:
        ValueError: If the images are too small, or a choice is unknown.
    """
    large_enough(input_shape, 16, "LeNet-5")
    one_of("activation", activation, ACTIVATIONS)
    one_of("pooling", pooling, POOLINGS)
    inputs = keras.Input(input_shape, name="image")
    x = inputs
    for index, filters in enumerate((6, 16), start=1):
        x = lenet_stage(x, filters, activation, pooling, name=f"stage{index}")
    x = layers.Flatten(name="flatten")(x)
    for index, units in enumerate((120, 84), start=1):
        x = layers.Dense(units, name=f"dense{index}")(x)
        x = layers.Activation(activation, name=f"dense{index}_{activation}")(x)
    outputs = layers.Dense(
        classes, activation="softmax", dtype="float32", name="probabilities"
    )(x)
    return keras.Model(inputs, outputs, name=name)


def lenet5_cifar(
    input_shape=(32, 32, 3),
    classes=10,
    activation="tanh",
    pooling="average",
    name="lenet5_cifar",
):
    """Build LeNet-5 for CIFAR-10.

    The network was made for 32x32 pixels, so nothing changes but the three
    channels of the first kernels: 62,006 parameters.

    Args:
        input_shape: `(height, width, channels)` of an image.
        classes: Number of classes.
        activation: One of `ACTIVATIONS`.
        pooling: "average" or "max".
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model`, as `lenet5` does.

    Raises:
        ValueError: As `lenet5` does.
    """
    return lenet5(input_shape, classes, activation, pooling, name)
