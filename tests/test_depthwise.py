"""The depthwise layers that train faster against Keras' own."""

import keras
import numpy as np
import pytest
from gradients import ERRORS, compare
from keras import layers

from helpers.architectures import mobilenet_cifar
from helpers.depthwise import FasterDepthwiseConv2D, FasterSeparableConv2D, is_slow
from helpers.fused import faster_on_cpu

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the kernels are TensorFlow's"
)
PAIRS = [
    (layers.DepthwiseConv2D, FasterDepthwiseConv2D, {"depth_multiplier": 2}),
    (layers.SeparableConv2D, FasterSeparableConv2D, {"filters": 5}),
]
SHAPES = [
    # Kernel, stride, padding, size of the images: odd ones and both paddings.
    ((3, 3), 2, "same", (8, 8)),
    ((3, 3), 2, "same", (7, 9)),
    ((3, 3), 2, "valid", (8, 9)),
    ((5, 5), 1, "same", (8, 6)),
    ((5, 5), 2, "same", (8, 7)),
    ((3, 4), 1, "same", (6, 8)),
    ((7, 7), 1, "valid", (9, 8)),
    ((2, 9), 3, "same", (7, 10)),
]


@pytest.mark.parametrize(
    ("kind", "faster", "more"), PAIRS, ids=["depthwise", "separable"]
)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ERRORS)
def test_gradients_are_those_of_keras(kind, faster, more, shape, dtype):
    kernel, stride, padding, size = shape
    settings = {"kernel_size": kernel, "strides": stride, "padding": padding, **more}
    weights = 2 + (kind is layers.SeparableConv2D)
    assert compare(kind, faster, size, dtype, **settings) == 2 + weights


@pytest.mark.parametrize("kernel", [3, 5])
def test_images_of_unknown_size_have_the_same_gradients(kernel):
    import tensorflow as tf

    images = np.random.default_rng(0).normal(size=(2, 6, 7, 3)).astype("float32")
    found = []
    for kind in (layers.DepthwiseConv2D, FasterDepthwiseConv2D):
        keras.utils.set_random_seed(1)
        layer = kind(kernel, strides=2, padding="same")
        layer.build((None, None, None, 3))

        @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3))])
        def gradient(x, layer=layer):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(layer(x) ** 2)
            return tape.gradient(loss, layer.kernel.value)

        found.append(gradient(images))
    np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-5)


def test_only_slow_layers_are_replaced():
    model = mobilenet_cifar(alpha=0.25)
    copy = faster_on_cpu(model)
    for layer, other in zip(model.layers, copy.layers, strict=True):
        if type(layer) is layers.DepthwiseConv2D:
            slow = layer.strides[0] > 1
            assert is_slow(layer) == slow
            assert (type(other) is FasterDepthwiseConv2D) == slow
    kinds = [type(layer) for layer in copy.layers]
    assert 0 < kinds.count(FasterDepthwiseConv2D) < kinds.count(layers.DepthwiseConv2D)


@pytest.mark.parametrize(
    ("settings", "slow"),
    [
        ({"kernel_size": 3}, False),
        ({"kernel_size": (5, 3)}, False),
        ({"kernel_size": (3, 5)}, True),
        ({"kernel_size": 3, "strides": 2}, True),
        ({"kernel_size": 5, "dilation_rate": 2}, False),
        ({"kernel_size": 5, "data_format": "channels_first"}, False),
    ],
)
def test_the_slow_cases(settings, slow):
    assert is_slow(layers.DepthwiseConv2D(**settings)) is slow
