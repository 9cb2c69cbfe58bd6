"""What a residual block adds to its branch: three kinds of shortcut.

Paper: Deep Residual Learning for Image Recognition, https://arxiv.org/abs/1512.03385
"""

import keras
from keras import layers, ops

from helpers.architectures.arguments import one_of
from helpers.architectures.parts import convolution_unit

# The paper's options A, B and C, and its plain networks.
SHORTCUTS = ("pad", "project", "project_all", "none")


@keras.saving.register_keras_serializable("course")
class PaddedIdentity(layers.Identity):
    """The input, followed by channels of zeros: the shortcut without parameters.

    A kind of `Identity`, so whatever analyses a network knows that each position
    is treated on its own.

    Args:
        filters: Channels of the result, at least those of the input.
    """

    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters

    def call(self, inputs):
        missing = self.filters - inputs.shape[-1]
        return ops.pad(inputs, [(0, 0), (0, 0), (0, 0), (0, missing)])

    def compute_output_shape(self, input_shape):
        if input_shape[-1] > self.filters:
            raise ValueError(
                f"A shortcut cannot pad {input_shape[-1]} channels to "
                f"{self.filters}. Use shortcut='project' where channels are lost."
            )
        return (*input_shape[:-1], self.filters)

    def compute_output_spec(self, inputs):
        shape = self.compute_output_shape(inputs.shape)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}


def check_shortcut(kind, zero_gamma=False):
    """Refuse a shortcut that does not exist, or that a block cannot do without.

    Args:
        kind: "pad", "project", "project_all", or "none" for no shortcut.
        zero_gamma: Whether the block's branch begins as zeros.

    Raises:
        ValueError: If there is no such shortcut, or `zero_gamma` comes without.
    """
    one_of("shortcut", kind, SHORTCUTS)
    if zero_gamma and kind == "none":
        raise ValueError(
            "A block without a shortcut whose last scale is zero gives zeros. Choose "
            f"zero_gamma=False or a shortcut. Received: shortcut={kind!r}."
        )


def shortcut_path(x, filters, stride=1, kind="project", use_bias=False, name=None):
    """What a block adds to its branch: the input, brought to the branch's shape.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Channels of the branch's result.
        stride: Stride of the branch, in pixels.
        kind: "pad" takes every `stride`-th pixel and appends channels of zeros
            (the paper's option A); "project" is a 1x1 convolution where the shape
            changes (option B); "project_all" is one everywhere (option C). Where
            the shape stays, the first two pass the input on.
        use_bias: Whether the 1x1 convolution has a bias.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, ceil(height / stride), ceil(width / stride),
        filters)`.
    """
    changes = stride > 1 or x.shape[-1] != filters
    if kind == "project_all" or (kind == "project" and changes):
        return convolution_unit(
            x,
            filters,
            stride=stride,
            relu=False,
            use_bias=use_bias,
            name=f"{name}_shortcut",
        )
    if stride > 1:
        x = layers.MaxPooling2D(1, strides=stride, name=f"{name}_subsample")(x)
    if x.shape[-1] != filters:
        x = PaddedIdentity(filters, name=f"{name}_channels")(x)
    return x
