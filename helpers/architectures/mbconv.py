"""MBConv, the block of EfficientNet: MobileNetV2's with a gate, and swish for ReLU.

Papers: EfficientNet, https://arxiv.org/abs/1905.11946; Squeeze-and-Excitation
Networks, https://arxiv.org/abs/1709.01507; Swish, https://arxiv.org/abs/1710.05941;
Deep Networks with Stochastic Depth, https://arxiv.org/abs/1603.09382
"""

import keras
from keras import layers


def he_fan_out():
    """He initialisation by the number of outputs, as published."""
    # A new one each time: one initializer gives every layer the same numbers.
    return keras.initializers.VarianceScaling(2.0, "fan_out")


def squeeze_excitation(x, filters, name=None):
    """The gate of EfficientNet: swish inside, and written as 1x1 convolutions.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Values that the averages are squeezed to: a quarter of the channels
            of the block's input, not of `x`.
        name: Prefix of the layers' names.

    Returns:
        Tensor of the same shape, each channel times a number from 0 to 1.
    """
    gate = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_squeeze")(x)
    gate = layers.Conv2D(
        filters,
        1,
        activation="silu",
        kernel_initializer=he_fan_out(),
        name=f"{name}_reduce",
    )(gate)
    gate = layers.Conv2D(
        x.shape[-1],
        1,
        activation="sigmoid",
        kernel_initializer=he_fan_out(),
        name=f"{name}_expand",
    )(gate)
    return layers.Multiply(name=f"{name}_excite")([x, gate])


def convolution_unit(x, filters, kernel_size=1, stride=1, swish=True, name=None):
    """A convolution, batch normalisation and swish, x * sigmoid(x).

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result; `None` for a depthwise convolution.
        kernel_size: Rows and columns of the kernel.
        stride: Stride in pixels.
        swish: Whether the activation follows.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, ceil(height / stride), ceil(width / stride),
        filters)`.
    """
    settings = {"strides": stride, "padding": "same", "use_bias": False}
    if filters is None:
        convolution = layers.DepthwiseConv2D(
            kernel_size,
            depthwise_initializer=he_fan_out(),
            name=f"{name}_conv",
            **settings,
        )
    else:
        convolution = layers.Conv2D(
            filters,
            kernel_size,
            kernel_initializer=he_fan_out(),
            name=f"{name}_conv",
            **settings,
        )
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(convolution(x))
    return layers.Activation("silu", name=f"{name}_swish")(x) if swish else x


def mbconv(
    x,
    filters,
    kernel_size=3,
    stride=1,
    expansion=6,
    drop=0.0,
    gate=True,
    name=None,
):
    """Expansion, depthwise convolution, gate and projection, with a shortcut.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result.
        kernel_size: Rows and columns of the depthwise kernel.
        stride: Stride of the depthwise convolution, in pixels.
        expansion: Channels of the depthwise convolution, over those of `x`.
        drop: Probability that training leaves the block out (stochastic depth).
        gate: Whether squeeze and excitation stand in front of the projection.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, ceil(height / stride), ceil(width / stride),
        filters)`; `x` is added where that is its own shape.
    """
    shortcut, channels = x, x.shape[-1]
    if expansion != 1:
        x = convolution_unit(x, expansion * channels, name=f"{name}_expand")
    x = convolution_unit(x, None, kernel_size, stride, name=f"{name}_depthwise")
    if gate:
        x = squeeze_excitation(x, max(1, channels // 4), name=f"{name}_gate")
    x = convolution_unit(x, filters, swish=False, name=f"{name}_project")
    if stride == 1 and channels == filters:
        if drop:
            whole_branch = (None, 1, 1, 1)
            x = layers.Dropout(drop, whole_branch, name=f"{name}_drop")(x)
        x = layers.Add(name=f"{name}_add")([x, shortcut])
    return x
