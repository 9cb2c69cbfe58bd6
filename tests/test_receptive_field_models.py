"""Models that can be analysed only in part, and those that cannot."""

import keras
import pytest
from keras import layers, ops

from helpers import receptive_field
from helpers.receptive_field import (
    FeatureMap,
    ReceptiveFieldError,
    measured_field,
    receptive_fields,
)


class Shifted(keras.layers.Layer):
    """A layer without a rule, which looks two rows ahead."""

    def call(self, x):
        return ops.roll(x, -2, axis=1)

    def compute_output_shape(self, shape):
        return shape


def test_sequential_models():
    model = keras.Sequential(
        [keras.Input((9, 9, 1)), layers.Conv2D(1, 3), layers.Conv2D(1, 3, name="c")]
    )
    assert receptive_fields(model)["c"].size == (5, 5)
    assert measured_field(model, "c", 2) == ((2, 6), (2, 6))


def test_unbuilt_models_are_refused():
    model = keras.Sequential([layers.Conv2D(1, 3)])
    with pytest.raises(ReceptiveFieldError, match="not built.*keras.Input"):
        receptive_fields(model)


def test_subclassed_models_are_refused():
    class Net(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(ReceptiveFieldError, match="subclassed Net"):
        receptive_fields(Net())
    inputs = keras.Input((9, 9, 1))
    outer = keras.Model(inputs, Net(name="inner")(inputs))
    with pytest.raises(ReceptiveFieldError, match="'inner'.*rule"):
        receptive_fields(outer)
    with pytest.raises(ReceptiveFieldError, match="expected a Keras model, got int"):
        receptive_fields(7)


def test_models_without_an_image_are_refused():
    inputs = keras.Input((9,))
    with pytest.raises(ReceptiveFieldError, match="no image among its inputs"):
        receptive_fields(keras.Model(inputs, layers.Dense(1)(inputs)))
    inputs = keras.Input((9, 9, 1), name="photo")
    model = keras.Model(inputs, layers.Conv2D(1, 3)(inputs))
    with pytest.raises(ReceptiveFieldError, match="no image input 'x'.*photo"):
        receptive_fields(model, input="x")


def test_unknown_layers_ask_for_a_rule(monkeypatch):
    # Rules live as long as the process; this one only as long as the test.
    from helpers.receptive_field import registry

    monkeypatch.setattr(registry, "_RULES", dict(registry._RULES))
    inputs = keras.Input((9, 9, 1))
    x = Shifted(name="ahead")(layers.Conv2D(1, 3)(inputs))
    model = keras.Model(inputs, layers.Conv2D(1, 1, name="c")(x))
    with pytest.raises(ReceptiveFieldError) as error:
        receptive_fields(model)
    assert "'ahead'" in str(error.value)
    assert "@receptive_field.rule(Shifted)" in str(error.value)

    @receptive_field.rule(Shifted)
    def ahead(layer, x: FeatureMap) -> FeatureMap:
        return x.slide(kernel=(3, 1), padding="same")

    assert receptive_fields(model)["c"].size == (5, 3)

    @receptive_field.rule(Shifted)
    def wrong(layer, x):
        return x.slide(kernel=(3, 1))

    with pytest.raises(ReceptiveFieldError, match=r"'ahead'.*\(5, 7\).*\(7, 7\)"):
        receptive_fields(model)


def test_lambda_layers_ask_for_a_rule():
    inputs = keras.Input((9, 9, 1))
    x = layers.Lambda(lambda t: t * 2, output_shape=(9, 9, 1))(inputs)
    with pytest.raises(ReceptiveFieldError, match="Lambda"):
        receptive_fields(keras.Model(inputs, x))


@pytest.mark.parametrize(
    "apply, words",
    [
        (lambda x: ops.roll(x, 1, axis=1), "moves rows or columns"),
        (lambda x: ops.flip(x, axis=2), "moves rows or columns"),
        (lambda x: ops.concatenate([x, x], axis=1), "no common grid"),
        (lambda x: layers.Reshape((3, 27, 2))(x), "does not keep rows"),
        (lambda x: x[:, ::-1], "positive steps"),
        (
            lambda x: ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect"),
            "mode 'reflect'",
        ),
        (
            lambda x: layers.Resizing(4, 5, crop_to_aspect_ratio=True)(x),
            "crop_to_aspect_ratio",
        ),
        (lambda x: layers.CenterCrop(12, 12)(x), "Cropping2D or Resizing"),
        (
            lambda x: layers.Conv2D(1, 1)(layers.Permute((3, 1, 2))(x)),
            "rows and columns",
        ),
    ],
)
def test_what_is_not_covered_is_said(apply, words):
    inputs = keras.Input((9, 9, 2))
    with pytest.raises(ReceptiveFieldError, match=words) as error:
        receptive_fields(keras.Model(inputs, apply(inputs)))
    assert "layer '" in str(error.value)


def test_unknown_sizes():
    inputs = keras.Input((None, None, 3))
    a = layers.Conv2D(2, 3, padding="same", name="a")(inputs)
    b = layers.Conv2D(2, 3, strides=2, padding="same", name="b")(a)
    c = layers.MaxPooling2D(2, name="c")(a)
    d = layers.Conv2D(2, 2, strides=2, padding="same", name="d")(a)
    pooled = layers.GlobalAveragePooling2D(name="pooled")(b)
    fields = receptive_fields(keras.Model(inputs, [pooled, c, d]))
    assert fields["a"].output_size == (None, None)
    assert fields["a"].start == (0.5, 0.5)
    assert fields["a"].interval(3) == ((2, 4), (2, 4))
    assert (fields["b"].size, fields["b"].jump) == ((5, 5), (2, 2))
    # TensorFlow pads an even image by (0, 1) and an odd one by (1, 1).
    assert fields["b"].start == fields["b"].padding == (None, None)
    with pytest.raises(ReceptiveFieldError, match="depends on the size"):
        fields["b"].interval(0)
    assert fields["c"].start == (1, 1)
    # A kernel of 2 is padded by (0, 0) or (0, 1): the start is certain.
    assert fields["d"].start == (1, 1)
    assert fields["pooled"].whole
    assert fields["pooled"].size == (None, None)
    for call in (lambda: fields["a"].visible(0), lambda: fields["a"].outside()):
        with pytest.raises(ReceptiveFieldError, match="fixed input size"):
            call()
    assert not fields["b"].whole


def test_known_and_unknown_sizes_agree():
    def network(size):
        inputs = keras.Input((size, size, 3))
        x = layers.Conv2D(2, 7, strides=2, padding="same")(inputs)
        y = layers.Conv2D(2, 3, strides=2, padding="same")(x)
        z = layers.Conv2D(2, 1, strides=2)(x)
        x = layers.Concatenate()([y, z])
        x = layers.Conv2DTranspose(2, 4, strides=2, padding="same")(x)
        return keras.Model(inputs, x)

    known = list(receptive_fields(network(32)).values())[-1]
    unknown = list(receptive_fields(network(None)).values())[-1]
    assert (known.size, known.jump) == (unknown.size, unknown.jump)


def test_resizing_an_unknown_size_is_refused():
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, layers.Resizing(8, 8, name="r")(inputs))
    with pytest.raises(ReceptiveFieldError, match="'r'.*unknown size"):
        receptive_fields(model)


def test_images_without_channels():
    inputs = keras.Input((9, 9))
    x = layers.Reshape((9, 9, 1))(inputs)
    model = keras.Model(inputs, layers.Conv2D(1, 3, name="c")(x))
    assert receptive_fields(model)["c"].interval(1) == ((1, 3), (1, 3))
    assert measured_field(model, "c", 1) == ((1, 3), (1, 3))


def test_outputs_that_do_not_exist():
    inputs = keras.Input((9, 9, 1))
    field = receptive_fields(keras.Model(inputs, layers.Conv2D(1, 3)(inputs)))
    field = list(field.values())[-1]
    for index in (7, -1, (0, 9)):
        with pytest.raises(IndexError, match=r"\(7, 7\) positions"):
            field.interval(index)


def test_names_that_do_not_exist():
    inputs = keras.Input((9, 9, 1))
    model = keras.Model(inputs, layers.Conv2D(1, 3, name="stem_conv")(inputs))
    with pytest.raises(KeyError, match="did you mean 'stem_conv'"):
        receptive_fields(model)["stem_con"]
    with pytest.raises(KeyError, match="stem_conv"):
        measured_field(model, "stem", 0)
