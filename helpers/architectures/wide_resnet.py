"""Wide ResNet: fewer and wider residual blocks, which a GPU trains faster.

Paper: Wide Residual Networks, https://arxiv.org/abs/1605.07146
"""

import keras
from keras import layers

from helpers.architectures.arguments import large_enough
from helpers.architectures.parts import classifier, convolution, preactivation


def wide_block(x, filters, stride=1, dropout=0.0, name=None):
    """Two 3x3 convolutions with pre-activation and a shortcut.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result.
        stride: Stride of the first convolution, in pixels.
        dropout: Share of the values dropped between the convolutions.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, ceil(height / stride), ceil(width / stride),
        filters)`.
    """
    outputs = preactivation(x, f"{name}_1")
    residual = x
    if stride > 1 or x.shape[-1] != filters:
        residual = convolution(outputs, filters, 1, stride, name=f"{name}_shortcut")
    outputs = convolution(outputs, filters, 3, stride, name=f"{name}_1")
    outputs = preactivation(outputs, f"{name}_2")
    if dropout:
        outputs = layers.Dropout(dropout, name=f"{name}_dropout")(outputs)
    outputs = convolution(outputs, filters, 3, name=f"{name}_2")
    return layers.Add(name=f"{name}_add")([residual, outputs])


def wide_resnet_cifar(
    input_shape=(32, 32, 3), classes=10, depth=28, width=10, dropout=0.0, name=None
):
    """Build a wide ResNet: three stages of 16, 32 and 64 channels times the width.

    Args:
        input_shape: `(height, width, channels)` of an image, 4 pixels at least.
        classes: Number of classes.
        depth: Convolutions, the three of shortcuts included: 6n + 4 for n blocks a
            stage; the paper has 16, 22, 28 and 40.
        width: Factor of the channels, a whole number.
        dropout: Share of the values dropped inside each block; 0.3 in the paper's
            best networks for CIFAR-10.
        name: Name of the model; `None` for "wide_resnet", depth and width.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)` to
        class probabilities `(batch, classes)`; 36.5 million parameters for depth 28
        and width 10.

    Raises:
        ValueError: If the images are too small, the depth is not 6n + 4, or the
            width is not a whole number above 0.
    """
    if depth < 10 or depth % 6 != 4:
        raise ValueError(
            f"There is no wide ResNet of depth {depth}. Choose 6n + 4: 16, 22, 28, 40, "
            "or another."
        )
    if width < 1 or width % 1:
        raise ValueError(
            f"A wide ResNet has width={width!r}. Give a whole number above zero."
        )
    large_enough(input_shape, 4, "A wide ResNet that halves the image twice")
    inputs = keras.Input(input_shape, name="image")
    x = convolution(inputs, 16, 3, name="stem")
    for stage in (1, 2, 3):
        for index in range(1, (depth - 4) // 6 + 1):
            x = wide_block(
                x,
                8 * 2**stage * int(width),
                stride=2 if stage > 1 and index == 1 else 1,
                dropout=dropout,
                name=f"stage{stage}_block{index}",
            )
    x = preactivation(x, "last")
    outputs = classifier(x, classes)
    name = name or f"wide_resnet{depth}_{int(width)}"
    return keras.Model(inputs, outputs, name=name)
