"""What several families share: a convolution with its normalisation and ReLU, and
the layers that begin and end a network.

Papers: Batch Normalization, https://arxiv.org/abs/1502.03167; Delving Deep into
Rectifiers (He initialisation), https://arxiv.org/abs/1502.01852
"""

from keras import layers

# 1e-5, and the least that cuDNN accepts.
EPSILON = 1.001e-5


def convolution(
    x, filters, size=1, stride=1, groups=1, use_bias=False, zeros=False, name=None
):
    """A convolution that keeps the size, or divides it by its stride.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the result.
        size: Height and width of the kernel, odd.
        stride: Stride, in pixels.
        groups: Groups that the channels are divided into.
        use_bias: Whether it has a bias; a normalisation that follows would take
            it away again.
        zeros: Whether the kernel begins with zeros instead of He's normal values.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, ceil(height / stride), ceil(width / stride),
        filters)`.
    """
    padding = "same"
    if stride > 1 and size > 1:
        # With a stride, "same" pads an even size on the right and below only.
        x = layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x)
        padding = "valid"
    return layers.Conv2D(
        filters,
        size,
        strides=stride,
        padding=padding,
        groups=groups,
        use_bias=use_bias,
        kernel_initializer="zeros" if zeros else "he_normal",
        name=f"{name}_conv",
    )(x)


def normalization(x, zero_gamma=False, name=None):
    """Batch normalisation, with the momentum and epsilon of the published runs.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        zero_gamma: Whether its scale begins at zero instead of one.
        name: Prefix of the layer's name.

    Returns:
        Tensor of the same shape.
    """
    return layers.BatchNormalization(
        momentum=0.9,
        epsilon=EPSILON,
        gamma_initializer="zeros" if zero_gamma else "ones",
        name=f"{name}_bn",
    )(x)


def convolution_unit(
    x,
    filters,
    size=1,
    stride=1,
    groups=1,
    use_bias=False,
    relu=True,
    zero_gamma=False,
    name=None,
):
    """A convolution, batch normalisation and ReLU.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters, size, stride, groups, use_bias, name: As for `convolution`.
        relu: Whether a ReLU follows; not where a branch ends.
        zero_gamma: As for `normalization`.

    Returns:
        Tensor of shape `(batch, ceil(height / stride), ceil(width / stride),
        filters)`.
    """
    x = convolution(x, filters, size, stride, groups, use_bias, name=name)
    x = normalization(x, zero_gamma, name=name)
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x


def preactivation(x, name):
    """Batch normalisation and ReLU, for what comes before a convolution.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        name: Prefix of the layers' names.

    Returns:
        Tensor of the same shape.
    """
    x = normalization(x, name=name)
    return layers.ReLU(name=f"{name}_relu")(x)


def imagenet_stem(x, use_bias=False):
    """A 7x7 convolution and 3x3 pooling, stride 2 each: 224 pixels become 56.

    Args:
        x: Images `(batch, height, width, channels)`.
        use_bias: Whether the convolution has a bias.

    Returns:
        Tensor of shape `(batch, ceil(height / 4), ceil(width / 4), 64)`.
    """
    x = convolution_unit(x, 64, 7, 2, use_bias=use_bias, name="stem")
    x = layers.ZeroPadding2D(1, name="stem_pool_pad")(x)
    return layers.MaxPooling2D(3, strides=2, name="stem_pool")(x)


def classifier(x, classes):
    """Global average pooling and a dense softmax layer.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        classes: Number of classes.

    Returns:
        Probabilities of shape `(batch, classes)`, float32 in mixed precision too.
    """
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return layers.Dense(
        classes, activation="softmax", dtype="float32", name="probabilities"
    )(x)
