"""Compares a layer that trains faster with the one of Keras that it stands for."""

import keras
import numpy as np

# Rounding of sums: float32 has 24 bits, bfloat16 has 8.
ERRORS = {"float32": 1e-5, "mixed_bfloat16": 0.03}


def step(kind, images, dtype, **settings):
    """Outputs of a layer, then the gradients of the images and of its weights."""
    import tensorflow as tf

    keras.utils.set_random_seed(1)
    layer = kind(dtype=dtype, bias_initializer="ones", activation="tanh", **settings)
    x = tf.Variable(images)
    with tf.GradientTape() as tape:
        outputs = tf.cast(layer(x), "float32")
        signs = np.linspace(-1.0, 1.0, outputs.shape[-1], dtype="float32")
        loss = tf.reduce_sum(outputs * signs)
    weights = [weight.value for weight in layer.trainable_weights]
    return [np.asarray(t) for t in (outputs, *tape.gradient(loss, [x, *weights]))]


def compare(kind, faster, size, dtype, **settings):
    """Asserts that outputs are equal and gradients are to rounding.

    Returns:
        How many arrays were compared: outputs, gradients of images and weights.
    """
    images = np.random.default_rng(0).normal(size=(3, *size, 4)).astype("float32")
    expected = step(kind, images, dtype, **settings)
    found = step(faster, images, dtype, **settings)
    np.testing.assert_array_equal(found[0], expected[0])
    for one, other in zip(found[1:], expected[1:], strict=True):
        assert one.shape == other.shape
        assert np.abs(other).max() > 0
        assert np.abs(one - other).max() <= ERRORS[dtype] * np.abs(other).max()
    return len(found)
