"""The convolution of small maps against Keras' own."""

import keras
import pytest
from gradients import ERRORS, compare
from keras import layers

from helpers.fused import faster_on_cpu
from helpers.small_maps import SmallMapsConv2D, is_slow

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the kernels are TensorFlow's"
)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("kernel", [(3, 3), (2, 2), (4, 5), (1, 3)], ids=str)
@pytest.mark.parametrize("size", [(8, 8), (5, 7)], ids=str)
@pytest.mark.parametrize("dtype", ERRORS)
def test_gradients_are_those_of_keras(padding, kernel, size, dtype, monkeypatch):
    monkeypatch.setattr("helpers.small_maps.CHANNELS", 4)
    settings = {"filters": 5, "kernel_size": kernel, "padding": padding}
    assert compare(layers.Conv2D, SmallMapsConv2D, size, dtype, **settings) == 4


@pytest.mark.parametrize(
    ("side", "channels", "products"),
    [(8, 128, True), (8, 127, False), (9, 128, False), (None, 128, False)],
)
def test_small_maps_alone_take_the_other_way(side, channels, products, monkeypatch):
    import tensorflow as tf

    taken = []
    monkeypatch.setattr(
        "helpers.small_maps.conv",
        lambda inputs, kernel, padding: (
            taken.append(inputs.shape) or keras.ops.conv(inputs, kernel, 1, padding)
        ),
    )
    layer = SmallMapsConv2D(2, 3, padding="same", dtype="mixed_bfloat16")
    layer.build((None, side, side, channels))
    images = tf.TensorSpec((None, side, side, channels))
    tf.function(layer).get_concrete_function(images)
    assert bool(taken) == products


@pytest.mark.parametrize(
    ("settings", "slow"),
    [
        ({}, True),
        ({"dtype": "float32"}, False),
        ({"kernel_size": 1}, False),
        ({"kernel_size": (1, 3)}, True),
        ({"strides": 2}, False),
        ({"dilation_rate": 2}, False),
        ({"groups": 2}, False),
        ({"data_format": "channels_first"}, False),
    ],
)
def test_the_slow_cases(settings, slow):
    settings = {"kernel_size": 3, "dtype": "mixed_bfloat16", **settings}
    assert is_slow(layers.Conv2D(4, **settings)) is slow


def test_a_copied_network_has_them_in_half_precision_alone():
    for precision, kind in (("float32", layers.Conv2D), ("bfloat16", SmallMapsConv2D)):
        inputs = keras.Input((8, 8, 3), dtype=precision)
        x = layers.Conv2D(4, 3, dtype=precision)(inputs)
        x = layers.BatchNormalization(dtype=precision)(x)
        copy = faster_on_cpu(keras.Model(inputs, x))
        assert type(copy.layers[1]) is kind
