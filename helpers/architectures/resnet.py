"""ResNet: blocks that add what they compute to what they were given.

A block learns the difference F(x) between its output and its input x, so a block
whose last weights are zero passes x on, and more depth cannot hurt.

Paper: Deep Residual Learning for Image Recognition, https://arxiv.org/abs/1512.03385
"""

from functools import partial

import keras
from keras import layers

from helpers.architectures.arguments import large_enough, one_of
from helpers.architectures.parts import classifier, convolution_unit, imagenet_stem
from helpers.architectures.shortcuts import check_shortcut, shortcut_path

# Blocks of each stage, as in Table 1 of the paper.
STAGES = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}


def basic_branch(
    x,
    filters,
    stride=1,
    use_bias=False,
    zero_gamma=False,
    name=None,
):
    """Two 3x3 convolutions: the branch of ResNet-18 and -34, and for CIFAR-10.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result.
        stride: Stride of the first convolution, in pixels.
        use_bias: Whether the convolutions have biases.
        zero_gamma: Whether the last normalisation begins with scale zero, so
            that the branch begins as zeros.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, ceil(height / stride), ceil(width / stride),
        filters)`.
    """
    unit = partial(convolution_unit, size=3, use_bias=use_bias)
    x = unit(x, filters, stride=stride, name=f"{name}_1")
    return unit(x, filters, relu=False, zero_gamma=zero_gamma, name=f"{name}_2")


def bottleneck_branch(
    x,
    filters,
    stride=1,
    width=None,
    groups=1,
    strided="3x3",
    use_bias=False,
    zero_gamma=False,
    name=None,
):
    """1x1 to fewer channels, 3x3, and 1x1 back: the branch from ResNet-50 on.

    Args:
        x, filters, use_bias, zero_gamma, name: As for `basic_branch`.
        stride: Stride of the branch, in pixels.
        width: Channels of the 3x3; `None` for a quarter of `filters`.
        groups: Groups of the 3x3 convolution.
        strided: Which has the stride: "1x1", the first, as published, or "3x3",
            as most later programs have it, which skips no pixel.

    Returns:
        Tensor of shape `(batch, ceil(height / stride), ceil(width / stride),
        filters)`.

    Raises:
        ValueError: If `strided` is neither.
    """
    one_of("strided convolution", strided, ("1x1", "3x3"))
    first, second = (stride, 1) if strided == "1x1" else (1, stride)
    unit = partial(convolution_unit, use_bias=use_bias)
    width = width or filters // 4
    x = unit(x, width, 1, first, name=f"{name}_1")
    x = unit(x, width, 3, second, groups, name=f"{name}_2")
    return unit(x, filters, relu=False, zero_gamma=zero_gamma, name=f"{name}_3")


def residual_block(
    x,
    filters,
    stride=1,
    branch=basic_branch,
    shortcut="project",
    gate=None,
    use_bias=False,
    zero_gamma=False,
    name=None,
):
    """A branch of convolutions, added to its own input: ReLU(x + F(x)).

    Args:
        x, filters, stride, use_bias, zero_gamma, name: As for the branch.
        branch: F, a function like `basic_branch` or `bottleneck_branch`.
        shortcut: "pad", "project" or "project_all", see `shortcut_path`; "none"
            leaves the shortcut out, for the plain network of the same layers.
        gate: Function of a tensor and a name that scales the branch's result,
            such as `senet.squeeze_excitation`.

    Returns:
        Tensor of the shape of the branch's result, nowhere negative.

    Raises:
        ValueError: If there is no such shortcut, or `zero_gamma` comes without.
    """
    check_shortcut(shortcut, zero_gamma)
    outputs = branch(
        x, filters, stride, use_bias=use_bias, zero_gamma=zero_gamma, name=name
    )
    if gate is not None:
        outputs = gate(outputs, name=f"{name}_gate")
    if shortcut != "none":
        residual = shortcut_path(x, filters, stride, shortcut, use_bias, name)
        outputs = layers.Add(name=f"{name}_add")([residual, outputs])
    return layers.ReLU(name=f"{name}_relu")(outputs)


def residual_stages(x, filters, blocks, **settings):
    """Stages of blocks; from one to the next sizes halve and channels double.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the first stage.
        blocks: Blocks of each stage.
        **settings: Further arguments of `residual_block`.

    Returns:
        Tensor of `filters * 2 ** (len(blocks) - 1)` channels.
    """
    for stage, count in enumerate(blocks, start=1):
        for index in range(1, count + 1):
            stride = 2 if stage > 1 and index == 1 else 1
            name = f"stage{stage}_block{index}"
            x = residual_block(x, filters, stride, name=name, **settings)
        filters *= 2
    return x


def resnet(
    input_shape=(224, 224, 3),
    classes=1000,
    depth=50,
    shortcut="project",
    strided="1x1",
    gate=None,
    use_bias=False,
    zero_gamma=False,
    name=None,
):
    """Build a ResNet for ImageNet.

    Args:
        input_shape: `(height, width, channels)` of an image, 32 pixels at least.
        classes: Number of classes.
        depth: 18, 34, 50, 101 or 152 layers with weights.
        shortcut: "pad", "project", "project_all" or "none", see `residual_block`.
        strided: "1x1" or "3x3", see `bottleneck_branch`; without effect for depths
            18 and 34.
        gate: Gate of each branch, see `residual_block`.
        use_bias: Whether the convolutions have biases; with them and
            `strided="1x1"`, depths 50, 101 and 152 are the networks of
            `keras.applications`, and take their weights.
        zero_gamma: Whether each block begins as the identity.
        name: Name of the model; `None` for "resnet" or "plain" and the depth.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width,
        channels)` to class probabilities `(batch, classes)`.

    Raises:
        ValueError: If the images are too small, or depth, shortcut or `strided`
            is unknown.
    """
    one_of("ResNet of depth", depth, STAGES)
    one_of("strided convolution", strided, ("1x1", "3x3"))
    large_enough(input_shape, 32, "A ResNet that halves the image five times")
    deep = depth >= 50
    inputs = keras.Input(input_shape, name="image")
    x = imagenet_stem(inputs, use_bias)
    x = residual_stages(
        x,
        256 if deep else 64,
        STAGES[depth],
        branch=partial(bottleneck_branch, strided=strided) if deep else basic_branch,
        shortcut=shortcut,
        gate=gate,
        use_bias=use_bias,
        zero_gamma=zero_gamma,
    )
    outputs = classifier(x, classes)
    return keras.Model(inputs, outputs, name=name or _name(depth, shortcut))


def resnet_cifar(
    input_shape=(32, 32, 3),
    classes=10,
    depth=20,
    shortcut="pad",
    gate=None,
    zero_gamma=False,
    name=None,
):
    """Build a ResNet for CIFAR-10: three stages of 16, 32 and 64 channels.

    Args:
        input_shape: `(height, width, channels)` of an image, 4 pixels at least.
        classes: Number of classes.
        depth: Layers with weights, 6n + 2 for n blocks a stage; the paper has 20,
            32, 44, 56 and 110.
        shortcut: "pad" as published, "project", "project_all", or "none" for the
            plain network of the same layers; see `residual_block`.
        gate: Gate of each branch, see `residual_block`.
        zero_gamma: Whether each block begins as the identity.
        name: Name of the model; `None` for "resnet" or "plain" and the depth.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width,
        channels)` to class probabilities `(batch, classes)`; 271,098 parameters,
        269,722 of them trainable, for depth 20 and CIFAR-10.

    Raises:
        ValueError: If the images are too small, the depth is not 6n + 2, or the
            shortcut is unknown.
    """
    if depth < 8 or depth % 6 != 2:
        raise ValueError(
            f"There is no ResNet of depth {depth} for CIFAR-10. Choose 6n + 2: 20, "
            "32, 44, 56, 110, or another."
        )
    large_enough(input_shape, 4, "A ResNet that halves the image twice")
    inputs = keras.Input(input_shape, name="image")
    x = convolution_unit(inputs, 16, 3, name="stem")
    x = residual_stages(
        x,
        16,
        3 * [(depth - 2) // 6],
        shortcut=shortcut,
        gate=gate,
        zero_gamma=zero_gamma,
    )
    outputs = classifier(x, classes)
    return keras.Model(inputs, outputs, name=name or _name(depth, shortcut))


def _name(depth, shortcut):
    """The plain network is named for what it lacks."""
    return f"plain{depth}" if shortcut == "none" else f"resnet{depth}"
