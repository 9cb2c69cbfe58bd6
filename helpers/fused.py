"""The same layers, trained faster on a CPU.

Keras 3 computes batch normalisation from elementary operations. On a GPU XLA
fuses them again; on a CPU nothing does, and a network of many small convolutions
spends most of a training step there. TensorFlow's own fused kernel computes the
same four equations in one pass each way. Grouped convolutions run on a CPU through
a nested XLA function, ten times slower than a convolution of all channels whose
kernel is zero between groups. For depthwise convolutions see `helpers.depthwise`,
for maps of a few pixels in half precision `helpers.small_maps`.

Paper: Batch Normalization, https://arxiv.org/abs/1502.03167
"""

import keras
import numpy as np

from helpers import depthwise, small_maps


@keras.saving.register_keras_serializable("course")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` with a fused training step on TensorFlow.

    Weights, configuration and results are those of the base class (to rounding);
    only the time of a training step differs. In inference, with a mask, with
    `renorm`, without a centre, on fewer than four axes, with channels first and on
    other backends the base class computes.
    """

    def call(self, inputs, training=None, mask=None):
        fusible = (
            training
            and self.trainable
            and mask is None
            and not getattr(self, "renorm", False)
            and not getattr(self, "synchronized", False)
            and self.center
            and len(inputs.shape) == 4
            and self.axis in (-1, 3)
        )
        if keras.backend.backend() != "tensorflow" or not fusible:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        kind = inputs.dtype
        if inputs.shape[-1] % 16:
            # The kernel takes twice as long over such channels in half precision.
            inputs = tf.cast(inputs, "float32")
        beta = tf.cast(self.beta, "float32")
        gamma = tf.cast(self.gamma, "float32") if self.scale else tf.ones_like(beta)
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs,
            gamma,
            beta,
            epsilon=self.epsilon,
            is_training=True,
        )
        # The kernel returns the unbiased variance; Keras keeps the biased one.
        count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:3]), "float32")
        variance = variance * (count - 1.0) / count
        kept = self.momentum
        self.moving_mean.assign(self.moving_mean * kept + mean * (1.0 - kept))
        self.moving_variance.assign(
            self.moving_variance * kept + variance * (1.0 - kept)
        )
        return tf.cast(outputs, kind)


@keras.saving.register_keras_serializable("course")
class BlockDiagonalConv2D(keras.layers.Conv2D):
    """A grouped `keras.layers.Conv2D`, computed as one convolution of all channels.

    Its kernel is padded with zeros, from which no group sees another's channels.
    Weights, configuration and results are those of the base class (to rounding).
    """

    def build(self, input_shape):
        super().build(input_shape)
        _, _, per_group, filters = self.kernel.shape
        group = np.arange(self.groups)
        inputs, outputs = group.repeat(per_group), group.repeat(filters // self.groups)
        self._within = (inputs[:, None] == outputs).astype("float32")

    def convolution_op(self, inputs, kernel):
        within = keras.ops.cast(self._within, kernel.dtype)
        return keras.ops.conv(
            inputs,
            keras.ops.tile(kernel, (1, 1, self.groups, 1)) * within,
            strides=list(self.strides),
            padding=self.padding,
            dilation_rate=self.dilation_rate,
            data_format=self.data_format,
        )


DEPTHWISE = {
    keras.layers.DepthwiseConv2D: depthwise.FasterDepthwiseConv2D,
    keras.layers.SeparableConv2D: depthwise.FasterSeparableConv2D,
}


def _replacement(layer):
    """The class that trains a layer faster; `None` where there is none."""
    if type(layer) is keras.layers.BatchNormalization:
        return FusedBatchNormalization
    if type(layer) is keras.layers.Conv2D and layer.groups > 1:
        return BlockDiagonalConv2D
    if type(layer) is keras.layers.Conv2D and small_maps.is_slow(layer):
        return small_maps.SmallMapsConv2D
    if type(layer) in DEPTHWISE and depthwise.is_slow(layer):
        return DEPTHWISE[type(layer)]
    return None


def faster_on_cpu(model):
    """Copy a model with layers that train faster on a CPU.

    The copy has the same layers under the same names and the weights in the same
    order, so `model.set_weights(copy.get_weights())` brings the trained weights
    back into the plain model.

    Args:
        model: A functional `keras.Model` or `keras.Sequential`, not compiled.

    Returns:
        A model of the same function with weights of its own, equal to the
        model's. Where nothing would be gained (no layer that has a faster one, a GPU,
        or another backend than TensorFlow) the model itself.
    """
    if keras.backend.backend() != "tensorflow":
        return model
    import tensorflow as tf

    layers = list(model._flatten_layers(include_self=False))
    if not any(map(_replacement, layers)) or tf.config.list_physical_devices("GPU"):
        return model

    def clone(layer):
        kind = _replacement(layer) or layer.__class__
        return kind.from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=clone, recursive=True)
    copy.set_weights(model.get_weights())
    return copy


def is_fused(model):
    """Whether a model has fused batch normalisation."""
    layers = model._flatten_layers(include_self=False)
    return any(isinstance(layer, FusedBatchNormalization) for layer in layers)
