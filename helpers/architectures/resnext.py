"""ResNeXt: many narrow paths through a block instead of one wide one.

The number of paths, the cardinality, is a third size of a network beside depth and
width. Three ways to write a block are the same function; the last, one grouped
convolution, is how it is computed.

Paper: Aggregated Residual Transformations for Deep Neural Networks,
https://arxiv.org/abs/1611.05431
"""

from functools import partial

import keras
from keras import layers, ops

from helpers.architectures.arguments import large_enough, one_of
from helpers.architectures.parts import (
    classifier,
    convolution,
    convolution_unit,
    imagenet_stem,
    normalization,
)
from helpers.architectures.resnet import STAGES, bottleneck_branch, residual_stages

DEPTHS = (50, 101)


def path(x, width, stride=1, name=None):
    """One path: 1x1 to a few channels, and 3x3 among them.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        width: Channels of the path.
        stride: Stride of the 3x3 convolution, in pixels.
        name: Prefix of the layers' names.

    Returns:
        Tensor of as many channels, its height and width divided by the stride.
    """
    x = convolution_unit(x, width, 1, name=f"{name}_1")
    return convolution_unit(x, width, 3, stride, name=f"{name}_2")


def summed_paths(x, filters, cardinality, width, stride=1, name=None):
    """Form (a): each path returns to all channels by its own 1x1, then the sum.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result.
        cardinality: Number of paths, two at least.
        width: Channels of a path.
        stride: Stride of the 3x3 convolutions, in pixels.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, ceil(height / stride), ceil(width / stride),
        filters)`.
    """
    ends = []
    for index in range(cardinality):
        prefix = f"{name}_path{index}"
        end = path(x, width, stride, name=prefix)
        ends.append(convolution(end, filters, name=f"{prefix}_3"))
    x = layers.Add(name=f"{name}_sum")(ends)
    return normalization(x, name=f"{name}_3")


def concatenated_paths(x, filters, cardinality, width, stride=1, name=None):
    """Form (b): the paths side by side, and one 1x1 for all.

    Args:
        x, filters, cardinality, width, stride, name: As for `summed_paths`.

    Returns:
        Tensor as of `summed_paths`.
    """
    ends = [
        path(x, width, stride, name=f"{name}_path{index}")
        for index in range(cardinality)
    ]
    x = layers.Concatenate(name=f"{name}_concatenate")(ends)
    return convolution_unit(x, filters, relu=False, name=f"{name}_3")


def grouped_paths(x, filters, cardinality, width, stride=1, name=None):
    """Form (c): one 1x1 for all paths, a grouped 3x3, one 1x1.

    Args:
        x, filters, cardinality, width, stride, name: As for `summed_paths`.

    Returns:
        Tensor as of `summed_paths`.
    """
    return bottleneck_branch(
        x, filters, stride, cardinality * width, groups=cardinality, name=name
    )


def share_weights(grouped, divided):
    """Give a model of paths the weights of a model with grouped convolutions.

    Layers of a path are found by their names, `block_path3_1_conv` beside
    `block_1_conv`. Of a weight that all paths have together, path i gets the
    i-th part along the one axis where the shapes differ.

    Args:
        grouped: Model built from `grouped_paths`.
        divided: Model built from `summed_paths` or `concatenated_paths` with
            the same arguments; its weights are set.
    """
    for layer in divided.layers:
        if not layer.weights:
            continue
        before, _, after = layer.name.partition("_path")
        index, _, rest = after.partition("_")
        source = grouped.get_layer(f"{before}_{rest}" if after else layer.name)
        for weight, whole in zip(layer.weights, source.weights, strict=True):
            values = ops.convert_to_numpy(whole)
            for axis, size in enumerate(weight.shape):
                if size != values.shape[axis]:
                    start = int(index) * size
                    values = values.take(range(start, start + size), axis)
            weight.assign(values)


def resnext_branch(
    x, filters, stride=1, cardinality=32, width=4, first=256, **settings
):
    """The branch of a ResNeXt block, in form (c).

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result.
        stride: Stride of the 3x3 convolution, in pixels.
        cardinality: Number of paths.
        width: Channels of a path in the first stage; in the others in
            proportion to `filters`.
        first: Filters of the first stage.
        **settings: Further arguments of `resnet.bottleneck_branch`.

    Returns:
        Tensor of shape `(batch, ceil(height / stride), ceil(width / stride),
        filters)`.
    """
    together = cardinality * width * filters // first
    return bottleneck_branch(
        x, filters, stride, together, groups=cardinality, **settings
    )


def resnext(
    input_shape=(224, 224, 3),
    classes=1000,
    depth=50,
    cardinality=32,
    width=4,
    gate=None,
    zero_gamma=False,
    name=None,
):
    """Build a ResNeXt for ImageNet.

    Args:
        input_shape: `(height, width, channels)` of an image, 32 pixels at least.
        classes: Number of classes.
        depth: 50 or 101 layers with weights.
        cardinality: Number of paths of a block.
        width: Channels of a path in the first stage; they double from stage to
            stage.
        gate: Gate of each branch, see `resnet.residual_block`.
        zero_gamma: Whether each block begins as the identity.
        name: Name of the model; `None` for "resnext" and the depth.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width,
        channels)` to class probabilities `(batch, classes)`.

    Raises:
        ValueError: If the images are too small or the depth is unknown.
    """
    one_of("ResNeXt of depth", depth, DEPTHS)
    large_enough(input_shape, 32, "A ResNeXt that halves the image five times")
    inputs = keras.Input(input_shape, name="image")
    x = residual_stages(
        imagenet_stem(inputs),
        256,
        STAGES[depth],
        branch=partial(resnext_branch, cardinality=cardinality, width=width),
        gate=gate,
        zero_gamma=zero_gamma,
    )
    outputs = classifier(x, classes)
    return keras.Model(inputs, outputs, name=name or f"resnext{depth}")


def resnext_cifar(
    input_shape=(32, 32, 3),
    classes=10,
    depth=29,
    cardinality=8,
    width=64,
    filters=256,
    gate=None,
    zero_gamma=False,
    name=None,
):
    """Build a ResNeXt for CIFAR-10: a stem of 64 channels and three stages.

    Args:
        input_shape: `(height, width, channels)` of an image, 4 pixels at least.
        classes: Number of classes.
        depth: Layers with weights, 9n + 2 for n blocks a stage.
        cardinality: Number of paths of a block.
        width: Channels of a path in the first stage; they double from stage to
            stage.
        filters: Channels of the first stage; they double as well. As published,
            256.
        gate: Gate of each branch, see `resnet.residual_block`.
        zero_gamma: Whether each block begins as the identity.
        name: Name of the model; `None` for "resnext" and the depth.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width,
        channels)` to class probabilities `(batch, classes)`; 34.4 million
        trainable parameters for 8 paths of 64 channels.

    Raises:
        ValueError: If the images are too small or the depth is not 9n + 2.
    """
    if depth < 11 or depth % 9 != 2:
        raise ValueError(
            f"There is no ResNeXt of depth {depth} for CIFAR-10. Choose 9n + 2: 20, "
            "29, 38, or another."
        )
    large_enough(input_shape, 4, "A ResNeXt that halves the image twice")
    inputs = keras.Input(input_shape, name="image")
    x = residual_stages(
        convolution_unit(inputs, 64, 3, name="stem"),
        filters,
        3 * [(depth - 2) // 9],
        branch=partial(
            resnext_branch, cardinality=cardinality, width=width, first=filters
        ),
        gate=gate,
        zero_gamma=zero_gamma,
    )
    outputs = classifier(x, classes)
    return keras.Model(inputs, outputs, name=name or f"resnext{depth}")
