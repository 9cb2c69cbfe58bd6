"""DenseNet: every layer reads what all layers before it in its block have written.

Paper: Densely Connected Convolutional Networks, https://arxiv.org/abs/1608.06993
"""

import keras
from keras import layers

from helpers.architectures.arguments import large_enough, one_of
from helpers.architectures.parts import (
    classifier,
    convolution,
    imagenet_stem,
    preactivation,
)

# Layers of each dense block, as in Table 1 of the paper.
BLOCKS = {
    121: (6, 12, 24, 16),
    169: (6, 12, 32, 32),
    201: (6, 12, 48, 32),
}


def dense_layer(x, growth_rate, bottleneck=True, dropout=0.0, name=None):
    """Compute a few channels from all, and append them.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        growth_rate: Channels that the layer adds.
        bottleneck: Whether a 1x1 convolution to `4 * growth_rate` channels
            comes before the 3x3 one.
        dropout: Share of activations dropped after each convolution; the paper
            takes 0.2 where it trains without augmentation.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, height, width, channels + growth_rate)`.
    """
    new = preactivation(x, f"{name}_1")
    if bottleneck:
        new = convolution(new, 4 * growth_rate, name=f"{name}_1")
        new = dropped(new, dropout, f"{name}_1")
        new = preactivation(new, f"{name}_2")
    new = convolution(new, growth_rate, 3, name=f"{name}_2")
    new = dropped(new, dropout, f"{name}_2")
    return layers.Concatenate(name=f"{name}_concatenate")([x, new])


def dropped(x, dropout, name):
    """Dropout, where there is any.

    Args:
        x: A tensor.
        dropout: Share of activations dropped; 0 for no layer.
        name: Prefix of the layer's name.

    Returns:
        Tensor of the same shape.
    """
    return layers.Dropout(dropout, name=f"{name}_dropout")(x) if dropout else x


def dense_block(x, count, growth_rate, bottleneck=True, dropout=0.0, name=None):
    """Dense layers, one after the other.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        count: Number of layers.
        growth_rate, bottleneck, dropout: As for `dense_layer`.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, height, width, channels + count *
        growth_rate)`.
    """
    for index in range(1, count + 1):
        layer = f"{name}_layer{index}"
        x = dense_layer(x, growth_rate, bottleneck, dropout, layer)
    return x


def transition(x, compression=0.5, dropout=0.0, name=None):
    """Fewer channels, and half the size.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        compression: Share of the channels that is kept.
        dropout: Share of activations dropped after the convolution.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, height // 2, width // 2,
        int(channels * compression))`.
    """
    x = preactivation(x, name)
    x = convolution(x, int(x.shape[-1] * compression), name=name)
    x = dropped(x, dropout, name)
    return layers.AveragePooling2D(2, name=f"{name}_pool")(x)


def dense_blocks(x, counts, growth_rate, bottleneck=True, compression=0.5, dropout=0.0):
    """Dense blocks with a transition between them, normalisation and ReLU.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        counts: Layers of each block.
        growth_rate, bottleneck, dropout: As for `dense_layer`.
        compression: As for `transition`.

    Returns:
        Tensor of shape `(batch, height // 2 ** n, width // 2 ** n, channels)` for
        n transitions.
    """
    for index, count in enumerate(counts, start=1):
        if index > 1:
            x = transition(x, compression, dropout, f"transition{index - 1}")
        name = f"block{index}"
        x = dense_block(x, count, growth_rate, bottleneck, dropout, name)
    return preactivation(x, "last")


def densenet(
    input_shape=(224, 224, 3), classes=1000, depth=121, dropout=0.0, name=None
):
    """Build a DenseNet for ImageNet, the network of `keras.applications`.

    Growth rate 32, bottlenecks, compression 0.5.

    Args:
        input_shape: `(height, width, channels)` of an image, 32 pixels at least.
        classes: Number of classes.
        depth: 121, 169 or 201 layers with weights.
        dropout: Share of activations dropped after each convolution but the first.
        name: Name of the model; `None` for "densenet" and the depth.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width,
        channels)` to class probabilities `(batch, classes)`.

    Raises:
        ValueError: If the images are too small or the depth is unknown.
    """
    one_of("DenseNet of depth", depth, BLOCKS)
    large_enough(input_shape, 32, "A DenseNet that halves the image five times")
    inputs = keras.Input(input_shape, name="image")
    x = imagenet_stem(inputs)
    x = dense_blocks(x, BLOCKS[depth], growth_rate=32, dropout=dropout)
    outputs = classifier(x, classes)
    return keras.Model(inputs, outputs, name=name or f"densenet{depth}")


def densenet_cifar(
    input_shape=(32, 32, 3),
    classes=10,
    depth=40,
    growth_rate=12,
    bottleneck=False,
    compression=1.0,
    dropout=0.0,
    name=None,
):
    """Build a DenseNet for CIFAR-10: three dense blocks of equal length.

    DenseNet-BC is `depth=100, bottleneck=True, compression=0.5`.

    Args:
        input_shape: `(height, width, channels)` of an image, 4 pixels at least.
        classes: Number of classes.
        depth: Layers with weights: 3n + 4 for n layers a block, 6n + 4 with
            bottlenecks.
        growth_rate: Channels that a layer adds.
        bottleneck: See `dense_layer`.
        compression: See `transition`, above 0 and at most 1.
        dropout: Share of activations dropped after each convolution but the first.
        name: Name of the model; `None` for "densenet", "_bc" where it is one, and the
            depth.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width,
        channels)` to class probabilities `(batch, classes)`.

    Raises:
        ValueError: If the images are too small, or depth or compression are not as
            above.
    """
    step = 6 if bottleneck else 3
    if depth < step + 4 or depth % step != 4 % step:
        raise ValueError(
            f"There is no DenseNet of depth {depth} with bottleneck={bottleneck}. "
            f"Choose {step}n + 4: {6 * step + 4}, {12 * step + 4}, {16 * step + 4}, or "
            "another."
        )
    if not 0 < compression <= 1:
        raise ValueError(
            f"compression is {compression}: choose a share of the channels above 0 "
            "and at most 1."
        )
    large_enough(input_shape, 4, "A DenseNet that halves the image twice")
    inputs = keras.Input(input_shape, name="image")
    # As published: 16 channels, or twice the growth rate for DenseNet-BC.
    bc = bottleneck and compression < 1
    x = convolution(inputs, 2 * growth_rate if bc else 16, 3, name="stem")
    counts = 3 * [(depth - 4) // step]
    x = dense_blocks(x, counts, growth_rate, bottleneck, compression, dropout)
    outputs = classifier(x, classes)
    name = name or f"densenet{'_bc' if bc else ''}{depth}"
    return keras.Model(inputs, outputs, name=name)
