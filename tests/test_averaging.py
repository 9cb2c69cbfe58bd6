"""Averages of weights, and the statistics that belong to them."""

import keras
import numpy as np
import pytest
from keras import layers

from helpers.averaging import average_weights, update_normalisation
from helpers.fused import faster_on_cpu

IMAGES = np.random.default_rng(0).normal(2, 3, (30, 8, 8, 3)).astype("float32")


def network(seed=0):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, use_bias=False, name="conv1")(inputs)
    x = layers.BatchNormalization(momentum=0.9, name="norm1")(x)
    x = layers.Conv2D(4, 3, activation="relu", name="conv2")(x)
    x = layers.BatchNormalization(name="norm2")(x)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


def statistics(model, name):
    layer = model.get_layer(name)
    convert = keras.ops.convert_to_numpy
    return convert(layer.moving_mean), convert(layer.moving_variance)


def test_weights_are_averaged_one_by_one():
    sets = [network(seed).get_weights() for seed in (0, 1, 2)]
    found = average_weights(sets)
    for index, mean in enumerate(found):
        expected = (sets[0][index] + sets[1][index] + sets[2][index]) / 3
        np.testing.assert_allclose(mean, expected, rtol=1e-6)
    for one, same in zip(sets[1], average_weights(sets[1:2]), strict=True):
        np.testing.assert_array_equal(one, same)
    with pytest.raises(ValueError, match="2 lists of shapes"):
        average_weights([sets[0], sets[0][:-1]])
    with pytest.raises(ValueError, match="0 sets"):
        average_weights([])


def test_statistics_become_the_mean_over_the_batches():
    model = network()
    update_normalisation(model, IMAGES, batch_size=10)
    conv = keras.Model(model.input, model.get_layer("conv1").output)
    maps = keras.ops.convert_to_numpy(conv(IMAGES)).reshape(3, -1, 4)
    mean, variance = statistics(model, "norm1")
    np.testing.assert_allclose(mean, maps.mean(1).mean(0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(variance, maps.var(1).mean(0), rtol=1e-4)
    assert model.get_layer("norm1").momentum == 0.9
    # One batch of all images: in inference as in training.
    update_normalisation(model, IMAGES, batch_size=30)
    trained, inferred = (
        keras.ops.convert_to_numpy(model(IMAGES, training=training))
        for training in (True, False)
    )
    np.testing.assert_allclose(inferred, trained, atol=1e-4)


def test_what_was_measured_before_is_forgotten():
    model, spoiled = network(), network()
    spoiled.get_layer("norm1").moving_mean.assign(np.full(4, 1e3, "float32"))
    for one in (model, spoiled):
        update_normalisation(one, IMAGES, batch_size=10)
    for one, same in zip(model.get_weights(), spoiled.get_weights(), strict=True):
        np.testing.assert_array_equal(one, same)


def test_layers_of_a_faster_copy_are_found_and_a_smaller_last_batch_is_left_out():
    model, fast = network(), faster_on_cpu(network())
    update_normalisation(model, IMAGES[:20], batch_size=10)
    update_normalisation(fast, IMAGES[:29], batch_size=10)
    for one, same in zip(model.get_weights(), fast.get_weights(), strict=True):
        np.testing.assert_allclose(one, same, atol=1e-4)


def test_nothing_to_measure_is_said():
    inputs = keras.Input((8, 8, 3))
    plain = keras.Model(inputs, layers.Conv2D(4, 3)(inputs), name="plain")
    with pytest.raises(ValueError, match="plain has no BatchNormalization"):
        update_normalisation(plain, IMAGES)
    with pytest.raises(ValueError, match="30 images are no batch of 100"):
        update_normalisation(network(), IMAGES)
