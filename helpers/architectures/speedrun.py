"""The network of the speed run: fixed whitening, then three blocks of two convolutions.

A first layer that decorrelates patches need not be learned, it can be computed.
Kernels that begin as identities pass the image through to all depths, so that every
layer learns from the first step on.

Papers: 94% on CIFAR-10 in 3.29 Seconds on a Single GPU,
https://arxiv.org/abs/2404.00498 (the recipe); DiracNets,
https://arxiv.org/abs/1706.00388 (the initialisation)
"""

import keras
import numpy as np
from keras import layers

from helpers.architectures.arguments import large_enough, one_of

ACTIVATIONS = ("relu", "gelu")
# Images that the whitening is measured on.
SAMPLE = 5_000


@keras.saving.register_keras_serializable("course")
class WhiteningConv2D(layers.Conv2D):
    """A convolution whose bias learns and whose kernel is set from images.

    See `whiten`; until it is called, the kernel holds its initial values.
    """

    def build(self, input_shape):
        super().build(input_shape)
        self.kernel.trainable = False


def uniform(seed=None):
    """Kernels as PyTorch begins them: uniform within `1 / sqrt(fan_in)`."""
    return keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform", seed)


@keras.saving.register_keras_serializable("course")
class Dirac(keras.initializers.Initializer):
    """Kernels that pass each input channel on; the other filters begin at random.

    Filter i of the first `channels` is one at the kernel's centre of channel i and
    zero elsewhere. Filters beyond them are uniform within `1 / sqrt(fan_in)`.

    Args:
        seed: Seed of the random filters.

    Paper: DiracNets, https://arxiv.org/abs/1706.00388
    """

    def __init__(self, seed=None):
        self.random = uniform(seed)

    def __call__(self, shape, dtype=None):
        rows, columns, channels, filters = shape
        copies = np.arange(min(channels, filters))
        identity = np.zeros(shape)
        identity[rows // 2, columns // 2, copies, copies] = 1.0
        return keras.ops.where(
            np.arange(filters) < channels,
            keras.ops.cast(identity, dtype or "float32"),
            self.random(shape, dtype),
        )

    def get_config(self):
        return {"seed": self.random.seed}


def whitening_kernel(images, size=2, epsilon=5e-4):
    """The kernel whose outputs on patches are uncorrelated, of variance 1.

    Args:
        images: Standardised images `(n, height, width, channels)`.
        size: Rows and columns of a patch.
        epsilon: Added to the variances, so that directions which hardly
            vary are not blown up to noise.

    Returns:
        `(size, size, channels, 2 * size * size * channels)`, float32: a
        filter for each eigenvector of the patches' covariance, the widest
        last, and the negatives of all, which keep what a ReLU would lose.
    """
    patches = np.lib.stride_tricks.sliding_window_view(
        np.asarray(images, "float32"), (size, size), axis=(1, 2)
    )
    # From (n, rows, columns, channels, size, size) to a kernel's order.
    patches = patches.transpose(0, 1, 2, 4, 5, 3)
    shape = patches.shape[3:]
    flat = patches.reshape(-1, np.prod(shape))
    covariance = flat.T @ flat / len(flat)
    variances, vectors = np.linalg.eigh(covariance.astype("float64"))
    filters = vectors / np.sqrt(variances + epsilon)
    kernel = filters.reshape(*shape, -1)
    return np.concatenate([kernel, -kernel], axis=-1).astype("float32")


def whiten(model, images, epsilon=5e-4):
    """Set the kernel of a `speedrun` network from training images.

    Args:
        model: The network.
        images: Standardised training images `(n, height, width, channels)`; the
            first 5,000 are used.
        epsilon: As for `whitening_kernel`.
    """
    layer = model.get_layer("whitening")
    size = layer.kernel_size[0]
    layer.kernel.assign(whitening_kernel(images[:SAMPLE], size, epsilon))


def normalized_activation(x, activation="relu", momentum=0.6, name=None):
    """Batch normalisation without a scale, and an activation.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        activation: "relu" or "gelu".
        momentum: Share of the moving statistics that stays in a step.
        name: Prefix of the layers' names.

    Returns:
        Tensor of the same shape.
    """
    x = layers.BatchNormalization(
        momentum=momentum, epsilon=1.001e-5, scale=False, name=f"{name}_bn"
    )(x)
    return layers.Activation(activation, name=f"{name}_{activation}")(x)


def speedrun_block(
    x,
    filters,
    activation="relu",
    dirac=True,
    momentum=0.6,
    name=None,
):
    """Two 3x3 convolutions, the first of them pooled.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result.
        activation: "relu" or "gelu".
        dirac: Whether the kernels begin as identities.
        momentum: Share of the moving statistics that stays in a step.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, height // 2, width // 2, filters)`.
    """
    for part in ("a", "b"):
        x = layers.Conv2D(
            filters,
            3,
            padding="same",
            use_bias=False,
            kernel_initializer=Dirac() if dirac else uniform(),
            name=f"{name}_{part}_conv",
        )(x)
        if part == "a":
            x = layers.MaxPooling2D(2, name=f"{name}_pool")(x)
        x = normalized_activation(x, activation, momentum, f"{name}_{part}")
    return x


def speedrun(
    input_shape=(32, 32, 3),
    classes=10,
    filters=(64, 256, 256),
    activation="relu",
    whitened=True,
    dirac=True,
    momentum=0.6,
    name="speedrun",
):
    """Build the network of the speed run; `whiten` it before training.

    Args:
        input_shape: `(height, width, channels)` of an image; 25 pixels at least.
        classes: Number of classes.
        filters: Channels of each block.
        activation: "relu", or "gelu" as published.
        whitened: False for a first layer that learns like any other.
        dirac: Whether the kernels begin as identities.
        momentum: Share of the moving statistics of batch normalisation that stays
            in a step; 0.6 goes with the average of `callbacks.Lookahead`.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`; 1,973,944 parameters and 118 M
        multiply-adds for CIFAR-10.

    Raises:
        ValueError: If the images are too small, or there is no such activation.
    """
    large_enough(input_shape, 25, "The network of the speed run")
    one_of("activation", activation, ACTIVATIONS)
    first = WhiteningConv2D if whitened else layers.Conv2D
    inputs = keras.Input(input_shape, name="image")
    x = first(2 * 2 * 2 * input_shape[-1], 2, name="whitening")(inputs)
    x = layers.Activation(activation, name=f"whitening_{activation}")(x)
    for index, width in enumerate(filters, start=1):
        x = speedrun_block(x, width, activation, dirac, momentum, name=f"block{index}")
    x = layers.MaxPooling2D(3, name="pool")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(
        classes, use_bias=False, kernel_initializer=uniform(), name="scores"
    )(x)
    # Small scores at first, so that no class begins with a probability near 1.
    x = layers.Rescaling(1 / 9, name="scaled")(x)
    outputs = layers.Softmax(dtype="float32", name="probabilities")(x)
    return keras.Model(inputs, outputs, name=name)
