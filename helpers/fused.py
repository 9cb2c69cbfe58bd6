"""Batch normalisation by TensorFlow's fused kernel: the same layer, trained faster.

Keras 3 computes batch normalisation from elementary operations. On a GPU XLA
fuses them again; on a CPU nothing does, and a network of many small convolutions
spends most of a training step there. TensorFlow's own fused kernel computes the
same four equations in one pass each way.

Paper: Batch Normalization, https://arxiv.org/abs/1502.03167
"""

import keras


@keras.saving.register_keras_serializable("course")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` with a fused training step on TensorFlow.

    Weights, configuration and results are those of the base class (to rounding);
    only the time of a training step differs. In inference, with a mask, with
    `renorm`, on fewer than four axes, with channels first and on other backends
    the base class computes.
    """

    def call(self, inputs, training=None, mask=None):
        fusible = (
            training
            and self.trainable
            and mask is None
            and not getattr(self, "renorm", False)
            and not getattr(self, "synchronized", False)
            and self.scale
            and self.center
            and len(inputs.shape) == 4
            and self.axis in (-1, 3)
        )
        if keras.backend.backend() != "tensorflow" or not fusible:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs,
            tf.cast(self.gamma, "float32"),
            tf.cast(self.beta, "float32"),
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
        return outputs


def fuse_batch_normalization(model):
    """Copy a model with fused batch normalisation, for training on a CPU.

    The copy has the same layers under the same names and the weights in the same
    order, so `model.set_weights(copy.get_weights())` brings the trained weights
    back into the plain model.

    Args:
        model: A functional `keras.Model` or `keras.Sequential`, not compiled.

    Returns:
        A model of the same function with weights of its own, equal to the
        model's. Where nothing would be gained (no batch normalisation, a GPU, or
        another backend than TensorFlow) the model itself.
    """
    if keras.backend.backend() != "tensorflow":
        return model
    import tensorflow as tf

    layers = list(model._flatten_layers(include_self=False))
    plain = [x for x in layers if type(x) is keras.layers.BatchNormalization]
    if not plain or tf.config.list_physical_devices("GPU"):
        return model

    def clone(layer):
        if type(layer) is keras.layers.BatchNormalization:
            return FusedBatchNormalization.from_config(layer.get_config())
        return layer.__class__.from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=clone, recursive=True)
    copy.set_weights(model.get_weights())
    return copy
