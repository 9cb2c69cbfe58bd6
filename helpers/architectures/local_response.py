"""Local response normalisation, which batch normalisation has replaced.

Paper: ImageNet Classification with Deep Convolutional Neural Networks, section 3.3,
https://papers.nips.cc/paper/4824
"""

import keras
import numpy as np
from keras import layers, ops

from helpers import receptive_field


@keras.saving.register_keras_serializable("course")
class LocalResponseNormalization(layers.Layer):
    """Divides each value by what its neighbours in other channels have.

    b_i = a_i / (k + alpha * sum of a_j ** 2) ** beta, where j runs over the `size`
    channels around i that exist. No weights.

    Args:
        size: Channels in the sum, odd (n in the paper).
        k: What is added, so that small sums do not divide by zero.
        alpha: Weight of the sum.
        beta: Exponent.
        **kwargs: As for `keras.layers.Layer`.

    Raises:
        ValueError: If the size is not an odd number of channels.
    """

    def __init__(self, size=5, k=2.0, alpha=1e-4, beta=0.75, **kwargs):
        super().__init__(**kwargs)
        if size < 1 or size % 2 == 0:
            raise ValueError(
                f"size is {size}: give an odd number of channels, so that there are as "
                "many neighbours on both sides."
            )
        self.size, self.k, self.alpha, self.beta = size, k, alpha, beta

    def call(self, x):
        # In float16 the square of 300 is infinite.
        squares = ops.square(ops.cast(x, "float32"))
        # One product with a band of ones adds up all neighbours.
        channel = np.arange(x.shape[-1])
        band = abs(channel[:, None] - channel) <= self.size // 2
        total = self.k + self.alpha * ops.matmul(squares, band.astype("float32"))
        if self.beta == 0.75:
            # Roots cost a CPU a fraction of a power.
            scale = ops.rsqrt(total * ops.sqrt(total))
        else:
            scale = ops.power(total, -self.beta)
        return x * ops.cast(scale, x.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        own = {"size": self.size, "k": self.k, "alpha": self.alpha, "beta": self.beta}
        return {**super().get_config(), **own}


@receptive_field.rule(LocalResponseNormalization)
def local_response_field(layer, x):
    """Neighbours are other channels of the same position."""
    return x
