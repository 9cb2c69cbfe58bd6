"""SENet: a gate that weighs each channel by what the whole image shows.

Paper: Squeeze-and-Excitation Networks, https://arxiv.org/abs/1709.01507
"""

from functools import partial

from keras import layers

from helpers.architectures.resnet import resnet, resnet_cifar


def squeeze_excitation(x, ratio=16, name=None):
    """Multiply each channel by a number between 0 and 1 that the image decides.

    Squeeze: the mean of each channel. Excitation: two dense layers, narrow
    between them, give a weight for each channel.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        ratio: Channels divided by the units of the first dense layer, which has
            one unit at least.
        name: Prefix of the layers' names.

    Returns:
        Tensor of the same shape; the weights, `(batch, 1, 1, channels)`, are
        the output of the layer `{name}_excite`.
    """
    channels = x.shape[-1]
    gate = layers.GlobalAveragePooling2D(
        keepdims=True,
        name=f"{name}_squeeze",
    )(x)
    gate = layers.Dense(
        max(1, channels // ratio),
        activation="relu",
        kernel_initializer="he_normal",
        name=f"{name}_reduce",
    )(gate)
    gate = layers.Dense(
        channels,
        activation="sigmoid",
        name=f"{name}_excite",
    )(gate)
    return layers.Multiply(name=f"{name}_scale")([x, gate])


def se_resnet(
    input_shape=(224, 224, 3), classes=1000, depth=50, ratio=16, name=None, **settings
):
    """Build a ResNet for ImageNet with a gate at the end of each branch.

    Args:
        input_shape: `(height, width, channels)` of an image, 32 pixels at least.
        classes: Number of classes.
        depth: 18, 34, 50, 101 or 152 layers with weights, those of gates aside.
        ratio: See `squeeze_excitation`.
        name: Name of the model; `None` for "se_resnet" and the depth.
        **settings: Further arguments of `resnet.resnet`.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width,
        channels)` to class probabilities `(batch, classes)`; 28,088,024 trainable
        parameters for depth 50.

    Raises:
        ValueError: As `resnet.resnet` does.
    """
    gate = partial(squeeze_excitation, ratio=ratio)
    name = name or f"se_resnet{depth}"
    return resnet(input_shape, classes, depth, gate=gate, name=name, **settings)


def se_resnet_cifar(
    input_shape=(32, 32, 3),
    classes=10,
    depth=20,
    ratio=16,
    name=None,
    **settings,
):
    """Build a ResNet for CIFAR-10 with a gate at the end of each branch.

    Args:
        input_shape: `(height, width, channels)` of an image, 4 pixels at least.
        classes: Number of classes.
        depth: Layers with weights, those of gates aside: 6n + 2.
        ratio: See `squeeze_excitation`.
        name: Name of the model; `None` for "se_resnet" and the depth.
        **settings: Further arguments of `resnet.resnet_cifar`.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width,
        channels)` to class probabilities `(batch, classes)`.

    Raises:
        ValueError: As `resnet.resnet_cifar` does.
    """
    gate = partial(squeeze_excitation, ratio=ratio)
    name = name or f"se_resnet{depth}"
    return resnet_cifar(
        input_shape,
        classes,
        depth,
        gate=gate,
        name=name,
        **settings,
    )
