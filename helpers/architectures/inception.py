"""The Inception module: convolutions of several sizes side by side.

What the three versions of the network share, and the two modules that the lecture
begins with: the naive one, and the one that reduces channels first.

Paper: Going Deeper with Convolutions, https://arxiv.org/abs/1409.4842
"""

from dataclasses import dataclass

from keras import layers

NORMALIZATIONS = ("batch", "none")


@dataclass(frozen=True)
class Unit:
    """How the convolutions of a network are followed, and how wide they are.

    Attributes:
        normalization: "batch" in front of each ReLU, or "none".
        scale: Whether batch normalisation has a scale gamma; a convolution after the
            ReLU can do its work.
        width: Factor on the filters of every convolution.
        kernel_initializer: How the kernels begin.
    """

    normalization: str = "batch"
    scale: bool = True
    width: float = 1.0
    kernel_initializer: str = "glorot_uniform"

    def __call__(self, x, filters, size=1, stride=1, padding="same", name=None):
        """A convolution, batch normalisation and ReLU.

        Args:
            x: Tensor of shape `(batch, height, width, channels)`.
            filters: Channels of the result, before the factor `width`.
            size: Height and width of the kernel, one number or two.
            stride: Stride, in pixels.
            padding: "same" or "valid".
            name: Prefix of the layers' names.

        Returns:
            Tensor of shape `(batch, height, width, filters)`.
        """
        x = layers.Conv2D(
            max(1, round(filters * self.width)),
            size,
            strides=stride,
            padding=padding,
            use_bias=self.normalization == "none",
            kernel_initializer=self.kernel_initializer,
            name=f"{name}_conv",
        )(x)
        if self.normalization == "batch":
            x = layers.BatchNormalization(
                momentum=0.9, scale=self.scale, name=f"{name}_bn"
            )(x)
        return layers.ReLU(name=f"{name}_relu")(x)

    def chain(self, x, steps, name=None):
        """Several convolutions one after another: a branch of a module.

        Args:
            x: Tensor of shape `(batch, height, width, channels)`.
            steps: `(filters, size)` of each, or `(filters, size, stride, padding)`.
            name: Prefix of the layers' names, which are numbered from 1.

        Returns:
            Tensor of shape `(batch, height, width, filters of the last)`.
        """
        for index, step in enumerate(steps, start=1):
            x = self(x, *step, name=f"{name}_{index}")
        return x


def naive_module(x, filters, name=None):
    """1x1, 3x3 and 5x5 convolutions and pooling side by side.

    The pooling keeps all channels, so the result has more than it was given,
    and the 5x5 convolution of the next module costs more still.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Filters of the 1x1, the 3x3 and the 5x5 convolution.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, height, width, sum(filters) + channels)`.
    """
    branches = []
    for size, count in zip((1, 3, 5), filters, strict=True):
        branch = layers.Conv2D(
            count, size, padding="same", name=f"{name}_{size}x{size}_conv"
        )(x)
        branches.append(layers.ReLU(name=f"{name}_{size}x{size}_relu")(branch))
    pool = layers.MaxPooling2D(
        3,
        strides=1,
        padding="same",
        name=f"{name}_pool",
    )
    branches.append(pool(x))
    return layers.Concatenate(name=name)(branches)


def inception_module(x, filters, unit=None, large=5, name=None):
    """The module of GoogLeNet: 1x1 convolutions reduce channels first.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Filters of the 1x1 branch, of the reduction and the 3x3, of the
            reduction and the 5x5, and of the projection after the pooling.
        unit: The network's `Unit`; `None` for convolutions with bias and ReLU,
            as published.
        large: Height and width of the largest kernel.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, height, width, channels)`: those of the 1x1,
        the 3x3, the 5x5 and the projection.
    """
    unit = unit or Unit(normalization="none")
    one, reduce3, three, reduce5, five, projection = filters
    branch1 = unit(x, one, 1, name=f"{name}_1x1")
    branch3 = unit(x, reduce3, 1, name=f"{name}_3x3_reduce")
    branch3 = unit(branch3, three, 3, name=f"{name}_3x3")
    branch5 = unit(x, reduce5, 1, name=f"{name}_5x5_reduce")
    branch5 = unit(branch5, five, large, name=f"{name}_5x5")
    pooled = layers.MaxPooling2D(
        3,
        strides=1,
        padding="same",
        name=f"{name}_pool",
    )(x)
    pooled = unit(pooled, projection, 1, name=f"{name}_project")
    return layers.Concatenate(name=name)([branch1, branch3, branch5, pooled])
