"""ResNet v2: normalisation and ReLU before each convolution, nothing after the sum.

The shortcuts then form one path from the stem to the end on which nothing but
additions happens (and a 1x1 convolution where the shape changes).

Paper: Identity Mappings in Deep Residual Networks, https://arxiv.org/abs/1603.05027
"""

from functools import partial

import keras
from keras import layers

from helpers.architectures.arguments import large_enough, one_of
from helpers.architectures.parts import classifier, convolution, preactivation
from helpers.architectures.resnet import STAGES

# Those that have bottlenecks.
DEPTHS = (50, 101, 152)


def preactivation_block(
    x, filters, stride=1, use_bias=False, zero_last=False, name=None
):
    """A bottleneck with pre-activation: x + F(x), and no ReLU after the sum.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result, four times those of the 3x3.
        stride: Stride of the 3x3 convolution, in pixels.
        use_bias: Whether the convolutions that end in the sum have biases; the
            others end in a normalisation, which would take a bias away again.
        zero_last: Whether the last convolution begins with zeros, so that the
            block passes on what it is given.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, ceil(height / stride), ceil(width / stride),
        filters)`.
    """
    last = partial(convolution, filters=filters, use_bias=use_bias)
    outputs = preactivation(x, f"{name}_1")
    if x.shape[-1] != filters:
        residual = last(outputs, stride=stride, name=f"{name}_shortcut")
    elif stride > 1:
        pooling = layers.MaxPooling2D(1, stride, name=f"{name}_subsample")
        residual = pooling(x)
    else:
        residual = x
    outputs = convolution(outputs, filters // 4, name=f"{name}_1")
    outputs = preactivation(outputs, f"{name}_2")
    outputs = convolution(outputs, filters // 4, 3, stride, name=f"{name}_2")
    outputs = preactivation(outputs, f"{name}_3")
    outputs = last(outputs, zeros=zero_last, name=f"{name}_3")
    return layers.Add(name=f"{name}_add")([residual, outputs])


def resnet_v2(
    input_shape=(224, 224, 3), classes=1000, depth=50, zero_last=False, name=None
):
    """Build a ResNet v2 for ImageNet, as `keras.applications` has it.

    There the last block of a stage has the stride, not the first of the next one,
    and the convolutions that no normalisation follows have biases.

    Args:
        input_shape: `(height, width, channels)` of an image, 32 pixels at least.
        classes: Number of classes.
        depth: 50, 101 or 152 layers with weights.
        zero_last: Whether each block begins as the identity.
        name: Name of the model; `None` for "resnet", the depth and "_v2".

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width,
        channels)` to class probabilities `(batch, classes)`.

    Raises:
        ValueError: If the images are too small or the depth is unknown.
    """
    one_of("ResNet v2 of depth", depth, DEPTHS)
    large_enough(input_shape, 32, "A ResNet v2 that halves the image five times")
    inputs = keras.Input(input_shape, name="image")
    x = convolution(inputs, 64, 7, 2, use_bias=True, name="stem")
    x = layers.ZeroPadding2D(1, name="stem_pool_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="stem_pool")(x)
    for stage, count in enumerate(STAGES[depth], start=1):
        for index in range(1, count + 1):
            x = preactivation_block(
                x,
                128 * 2**stage,
                stride=2 if index == count and stage < 4 else 1,
                use_bias=True,
                zero_last=zero_last,
                name=f"stage{stage}_block{index}",
            )
    x = preactivation(x, "last")
    outputs = classifier(x, classes)
    return keras.Model(inputs, outputs, name=name or f"resnet{depth}_v2")


def resnet_v2_cifar(
    input_shape=(32, 32, 3), classes=10, depth=164, zero_last=False, name=None
):
    """Build a ResNet v2 for CIFAR-10: three stages of 64, 128 and 256 channels.

    Args:
        input_shape: `(height, width, channels)` of an image, 4 pixels at least.
        classes: Number of classes.
        depth: Layers with weights, 9n + 2 for n blocks a stage; the paper has 164
            and 1001, and another network of 110 layers, without bottlenecks.
        zero_last: Whether each block begins as the identity.
        name: Name of the model; `None` for "resnet", the depth and "_v2".

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width,
        channels)` to class probabilities `(batch, classes)`; 1.7 million
        parameters for depth 164.

    Raises:
        ValueError: If the images are too small or the depth is not 9n + 2.
    """
    if depth < 11 or depth % 9 != 2:
        raise ValueError(
            f"There is no ResNet v2 of depth {depth} for CIFAR-10. Choose 9n + 2: "
            "29, 56, 164, 1001, or another; all have bottlenecks."
        )
    large_enough(input_shape, 4, "A ResNet v2 that halves the image twice")
    inputs = keras.Input(input_shape, name="image")
    x = convolution(inputs, 16, 3, name="stem")
    for stage in (1, 2, 3):
        for index in range(1, (depth - 2) // 9 + 1):
            x = preactivation_block(
                x,
                32 * 2**stage,
                stride=2 if stage > 1 and index == 1 else 1,
                zero_last=zero_last,
                name=f"stage{stage}_block{index}",
            )
    x = preactivation(x, "last")
    outputs = classifier(x, classes)
    return keras.Model(inputs, outputs, name=name or f"resnet{depth}_v2")
