"""The channel shuffle of ShuffleNet, as a layer.

Papers: ShuffleNet, https://arxiv.org/abs/1707.01083; ShuffleNet V2,
https://arxiv.org/abs/1807.11164
"""

import keras
from keras import layers, ops

from helpers import receptive_field


def shuffle_channels(x, groups):
    """Write channels in a table with a row for each group; read it by columns.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        groups: Number of groups, of which the channels are a multiple.

    Returns:
        Tensor of the same shape.
    """
    _, height, width, channels = ops.shape(x)
    table = ops.reshape(x, (-1, height, width, groups, channels // groups))
    table = ops.transpose(table, (0, 1, 2, 4, 3))
    return ops.reshape(table, (-1, height, width, channels))


@keras.saving.register_keras_serializable("course")
class ChannelShuffle(layers.Layer):
    """Deals out the channels of each group in turn, as cards to players.

    With `groups` groups of n channels, channel `i * n + j` moves to
    `j * groups + i`: a table of groups by channels is read by columns.
    """

    def __init__(self, groups, **kwargs):
        """Create the layer.

        Args:
            groups: Number of groups, of which the channels are a multiple.
            **kwargs: Name and data type, as of every layer.

        Raises:
            ValueError: If there are fewer groups than one.
        """
        super().__init__(**kwargs)
        if groups < 1:
            raise ValueError(f"{groups!r} groups cannot be shuffled. Give 1 or more.")
        self.groups = groups

    def build(self, input_shape):
        if input_shape[-1] % self.groups:
            raise ValueError(
                f"{self.name} cannot divide {input_shape[-1]} channels into "
                f"{self.groups} groups. Choose a multiple."
            )

    def call(self, inputs):
        return shuffle_channels(inputs, self.groups)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "groups": self.groups}


@receptive_field.rule(ChannelShuffle)
def _shuffle_keeps_positions(layer, x):
    return x
