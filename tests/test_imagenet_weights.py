"""Published weights: the order they are copied in, and what is said without them."""

from urllib.error import URLError

import keras
import numpy as np
import pytest
from architecture_checks import check_same_function_as, draw_weights

from helpers.architectures.imagenet import (
    WeightsError,
    application_for,
    copy_weights,
    load_imagenet_weights,
    weighted_layers,
)
from helpers.architectures.small import small
from helpers.architectures.vgg import vgg

layers = keras.layers


def two_branches(padded=False, normalized=False, convolution_head=False):
    """Two branches of the same shapes: only the order tells them apart."""
    inputs = keras.Input((8, 8, 3))
    x = layers.Normalization(mean=[0.0] * 3, variance=[1.0] * 3)(inputs)
    x = x if normalized else inputs
    a = layers.Conv2D(4, 1)(x)
    if padded:
        # The same function; Keras sorts by depth, which these change.
        for _ in range(3):
            a = layers.Activation("linear")(a)
    a = layers.BatchNormalization()(a)
    b = layers.BatchNormalization()(layers.Conv2D(4, 1)(x))
    x = layers.Subtract()([a, b])
    if convolution_head:
        x = layers.GlobalAveragePooling2D(keepdims=True)(x)
        outputs = layers.Flatten()(layers.Conv2D(5, 1)(x))
    else:
        outputs = layers.Dense(5)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, outputs)


def test_order_follows_the_graph_not_the_depth():
    plain, padded = two_branches(), two_branches(padded=True)

    def kinds(found):
        return [type(x).__name__ for x in found]

    unit = ["Conv2D", "BatchNormalization"]
    assert kinds(weighted_layers(padded)) == [*unit, *unit, "Dense"]
    assert kinds(weighted_layers(plain)) == [*unit, *unit, "Dense"]
    by_depth = [x for x in padded.layers if x.weights]
    assert kinds(by_depth) != [*unit, *unit, "Dense"]
    check_same_function_as(padded, plain)


def test_dense_head_takes_a_1x1_convolution():
    check_same_function_as(two_branches(), two_branches(convolution_head=True))


def test_shared_layer_is_listed_once():
    inputs = keras.Input((4,))
    shared = layers.Dense(4)
    outputs = layers.Add()([shared(inputs), shared(shared(inputs))])
    assert weighted_layers(keras.Model(inputs, outputs)) == [shared]


def test_normalisation_of_the_image_is_left_out():
    source, target = two_branches(normalized=True), two_branches()
    draw_weights(source)
    copy_weights(source, target)
    convolution = next(x for x in source.layers if isinstance(x, layers.Conv2D))
    np.testing.assert_array_equal(
        target.layers[1].get_weights()[0], convolution.get_weights()[0]
    )


def test_layers_that_do_not_fit_are_named_and_nothing_is_copied():
    source, target = two_branches(), two_branches()
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 1, name="first")(inputs)
    x = layers.GlobalAveragePooling2D()(layers.BatchNormalization()(x))
    with pytest.raises(WeightsError, match="5 layers with weights and .* has 3"):
        copy_weights(keras.Model(inputs, layers.Dense(5)(x)), target)
    inputs = keras.Input((8, 8, 6))
    other = keras.models.clone_model(source)
    wide = keras.Model(inputs, layers.Conv2D(4, 1, name="wide")(inputs))
    before = other.get_weights()
    with pytest.raises(WeightsError, match=r"\(1, 1, 3, 4\).*'wide'.*\(1, 1, 6, 4\)"):
        copy_weights(wide, other, head=False)
    for value, old in zip(other.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, old)


@pytest.mark.parametrize(
    ("name", "application"),
    [
        ("vgg16", "VGG16"),
        ("inception_v3", "InceptionV3"),
        ("resnet50_v2", "ResNet50V2"),
        ("efficientnet_b0", "EfficientNetB0"),
        ("densenet121", "DenseNet121"),
        ("mobilenet_v2", "MobileNetV2"),
    ],
)
def test_names_are_found_in_keras(name, application):
    assert application_for(name) == application


def test_networks_without_weights_are_refused():
    with pytest.raises(WeightsError, match="no network 'small'.*VGG16, VGG19"):
        load_imagenet_weights(small())


def test_weights_without_head_leave_the_head_alone(monkeypatch):
    published = keras.applications.VGG16(weights=None, include_top=False)
    asked = {}

    def build(**options):
        asked.update(options)
        return published

    monkeypatch.setattr(keras.applications, "VGG16", build)
    model = vgg(16, (32, 32, 3), classes=10)
    head = model.get_layer("probabilities").get_weights()
    assert load_imagenet_weights(model, top=False) is model
    assert asked == {"weights": "imagenet", "include_top": False}
    for name in ("block1_conv1", "block5_conv3"):
        value, other = (m.get_layer(name).get_weights() for m in (model, published))
        np.testing.assert_array_equal(value[0], other[0])
    for value, old in zip(
        model.get_layer("probabilities").get_weights(), head, strict=True
    ):
        np.testing.assert_array_equal(value, old)


def test_without_a_network_it_says_so(monkeypatch, tmp_path):
    from keras.src.utils import file_utils

    def no_network(*args, **kwargs):
        raise URLError("no route to host")

    monkeypatch.setattr(file_utils, "urlretrieve", no_network)
    monkeypatch.setattr(file_utils.config, "keras_home", lambda: str(tmp_path))
    model = vgg(16, (32, 32, 3), classes=10)
    with pytest.raises(WeightsError, match="VGG16 could not be downloaded.*network"):
        load_imagenet_weights(model, top=False)


def test_other_failures_are_not_called_a_missing_network(monkeypatch):
    def broken(**options):
        raise ValueError("Incomplete or corrupted file detected")

    monkeypatch.setattr(keras.applications, "VGG16", broken)
    with pytest.raises(ValueError, match="corrupted"):
        load_imagenet_weights(vgg(16, (32, 32, 3), classes=10), top=False)
