"""The base network of the assignment.

Three pairs of 3x3 convolutions and two dense layers, 1,172,410 parameters: the
network that the assignment asks you to beat. No batch normalisation, no
augmentation, Adam at its default learning rate.
"""

import keras
from keras import layers


def convolution_pair(x, filters, name):
    """Two 3x3 convolutions, 2x2 max pooling and dropout.

    The first convolution keeps the size, the second trims one pixel from each
    side, the pooling halves what is left.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Filters of both convolutions.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, (height - 2) // 2, (width - 2) // 2,
        filters)`.
    """
    x = layers.Conv2D(filters, 3, padding="same", name=f"{name}_conv1")(x)
    x = layers.ReLU(name=f"{name}_relu1")(x)
    x = layers.Conv2D(filters, 3, name=f"{name}_conv2")(x)
    x = layers.ReLU(name=f"{name}_relu2")(x)
    x = layers.MaxPooling2D(2, name=f"{name}_pool")(x)
    return layers.Dropout(0.25, name=f"{name}_dropout")(x)


def base(input_shape=(32, 32, 3), classes=10, name="base"):
    """Build the base network of the assignment.

    Args:
        input_shape: `(height, width, channels)` of an image; 22 pixels at
            least each way, so that the third pair has something to pool.
        classes: Number of classes.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width,
        channels)` to class probabilities `(batch, classes)`; 1,172,410
        parameters for CIFAR-10.

    Raises:
        ValueError: If the images are too small for the three pairs.
    """
    height, width, _ = input_shape
    if min(height, width) < 22:
        raise ValueError(
            "The base network halves the image three times and needs at "
            f"least 22x22 pixels. Received: input_shape={input_shape}. "
            "Enlarge the images."
        )
    inputs = keras.Input(input_shape, name="image")
    x = inputs
    for index, filters in enumerate((48, 96, 192), start=1):
        x = convolution_pair(x, filters, name=f"pair{index}")
    x = layers.Flatten(name="flatten")(x)
    for index, units in enumerate((512, 256), start=1):
        x = layers.Dense(units, activation="relu", name=f"dense{index}")(x)
        x = layers.Dropout(0.5, name=f"dense{index}_dropout")(x)
    outputs = layers.Dense(
        classes, activation="softmax", dtype="float32", name="probabilities"
    )(x)
    return keras.Model(inputs, outputs, name=name)
