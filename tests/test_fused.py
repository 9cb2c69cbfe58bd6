"""The layers that train faster against Keras' own."""

import keras
import numpy as np
import pytest

from helpers.architectures import separable
from helpers.fused import (
    BlockDiagonalConv2D,
    FusedBatchNormalization,
    faster_on_cpu,
    is_fused,
)

tensorflow_only = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the kernel is TensorFlow's"
)


def train_once(model, images, labels):
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    loss = model.train_on_batch(images, labels)
    return float(loss), model.get_weights()


@tensorflow_only
@pytest.mark.parametrize("scale", [True, False])
def test_one_step_equals_keras(scale):
    rng = np.random.default_rng(0)
    images = rng.normal(1.0, 3.0, (6, 5, 7, 4)).astype("float32")
    labels = rng.normal(size=(6, 5, 7, 4)).astype("float32")
    results = []
    for layer in (keras.layers.BatchNormalization, FusedBatchNormalization):
        keras.utils.set_random_seed(1)
        inputs = keras.Input((5, 7, 4))
        x = keras.layers.Conv2D(4, 3, padding="same")(inputs)
        outputs = layer(momentum=0.5, scale=scale)(x)
        results.append(train_once(keras.Model(inputs, outputs), images, labels))
    (loss, weights), (fused_loss, fused_weights) = results
    assert fused_loss == pytest.approx(loss, rel=1e-6)
    assert len(weights) == len(fused_weights) == 5 + scale
    for expected, found in zip(weights, fused_weights, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@tensorflow_only
def test_moving_statistics_are_the_batch_statistics():
    images = np.random.default_rng(2).normal(3.0, 2.0, (8, 4, 4, 3)).astype("float32")
    layer = FusedBatchNormalization(momentum=0.0)
    layer(images, training=True)
    np.testing.assert_allclose(layer.moving_mean, images.mean((0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, images.var((0, 1, 2)), rtol=1e-5)


@tensorflow_only
@pytest.mark.parametrize("channels", [20, 32])
def test_half_precision_stays_near_keras(channels):
    import tensorflow as tf

    rng = np.random.default_rng(3)
    images = rng.normal(1.0, 3.0, (8, 6, 6, channels)).astype("float32")
    weights = tf.constant(rng.normal(size=images.shape), "bfloat16")
    results = []
    for kind in (keras.layers.BatchNormalization, FusedBatchNormalization):
        layer, x = kind(dtype="mixed_bfloat16"), tf.Variable(images)
        with tf.GradientTape() as tape:
            outputs = layer(tf.cast(x, "bfloat16"), training=True)
            loss = tf.reduce_sum(tf.cast(outputs * weights, "float32"))
        assert outputs.dtype == "bfloat16"
        found = [tf.cast(outputs, "float32"), *tape.gradient(loss, [x, layer.gamma])]
        results.append([*map(np.asarray, found), np.asarray(layer.moving_variance)])
    for expected, found in zip(*results, strict=True):
        # bfloat16 has 8 bits: a relative rounding of 1/256, here in sums of terms.
        assert np.abs(found - expected).max() < 0.02 * np.abs(expected).max()


@tensorflow_only
def test_copy_keeps_names_weights_and_outputs():
    model = separable(stages=((4, 1), (8, 1)))
    copy = faster_on_cpu(model)
    kinds = {type(layer) for layer in copy.layers}
    assert FusedBatchNormalization in kinds
    assert keras.layers.BatchNormalization not in kinds
    assert [x.name for x in copy.layers] == [x.name for x in model.layers]
    images = np.random.default_rng(3).normal(size=(2, 32, 32, 3)).astype("float32")
    np.testing.assert_array_equal(model(images), copy(images))


def test_model_without_batch_normalization_is_returned_as_it_is():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    assert faster_on_cpu(model) is model


def test_grouped_convolution_keeps_its_function_and_its_gradients():
    rng = np.random.default_rng(4)
    images = rng.normal(size=(3, 8, 8, 6)).astype("float32")
    labels = rng.normal(size=(3, 4, 4, 9)).astype("float32")
    results = []
    for layer in (keras.layers.Conv2D, BlockDiagonalConv2D):
        keras.utils.set_random_seed(5)
        inputs = keras.Input((8, 8, 6))
        x = layer(9, 3, strides=2, padding="same", groups=3)(inputs)
        results.append(train_once(keras.Model(inputs, x), images, labels))
    (loss, weights), (other_loss, other_weights) = results
    assert other_loss == pytest.approx(loss, rel=1e-6)
    assert [w.shape for w in weights] == [(3, 3, 2, 9), (9,)]
    for expected, found in zip(weights, other_weights, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@tensorflow_only
def test_groups_alone_are_copied_too():
    inputs = keras.Input((8, 8, 4))
    x = keras.layers.Conv2D(4, 3, groups=2, name="grouped")(inputs)
    outputs = keras.layers.Conv2D(4, 3, name="whole")(x)
    copy = faster_on_cpu(keras.Model(inputs, outputs))
    kinds = [type(layer) for layer in copy.layers[1:]]
    assert kinds == [BlockDiagonalConv2D, keras.layers.Conv2D]
    assert not is_fused(copy)
