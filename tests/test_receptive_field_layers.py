"""Every kind of layer, at every output position, against gradients."""

import itertools

import keras
import numpy as np
import pytest
from architecture_checks import check_on
from keras import layers, ops

from helpers.receptive_field import receptive_fields
from helpers.receptive_field.measure import hull, sensitivities


def squeeze_excite(x):
    gate = layers.GlobalAveragePooling2D()(x)
    gate = layers.Dense(2, activation="relu")(gate)
    gate = layers.Dense(2, activation="sigmoid")(gate)
    return layers.Multiply()([x, layers.Reshape((1, 1, 2))(gate)])


def self_attention(x):
    height, width = x.shape[1:3]
    tokens = layers.Reshape((height * width, 2))(x)
    tokens = layers.MultiHeadAttention(1, 2)(tokens, tokens)
    return layers.Add()([x, layers.Reshape((height, width, 2))(tokens)])


def shuffle(x):
    height, width = x.shape[1:3]
    x = layers.Reshape((height, width, 2, 1))(x)
    x = layers.Permute((1, 2, 4, 3))(x)
    return layers.Conv2D(1, 3)(layers.Reshape((height, width, 2))(x))


def nested(x):
    inputs = keras.Input((None, None, 2))
    y = layers.Conv2D(2, 3, strides=2, padding="same")(inputs)
    model = keras.Model(inputs, layers.ReLU()(y))
    return model(model(x))


def sequential(x):
    model = keras.Sequential([layers.Conv2D(2, 3), layers.MaxPooling2D(2)])
    return model(x)


def empty_rows_in_one_branch(x):
    """At the last rows one branch sees nothing, so its columns do not count."""
    a = layers.Conv2D(2, (1, 5), padding="same")(x)
    a = layers.ZeroPadding2D(((0, 2), (0, 0)))(layers.Cropping2D(((2, 0), (0, 0)))(a))
    return layers.Conv2D(1, (2, 1))(layers.Concatenate()([a, x]))


DEFAULT_STRIDE = "ops average pool, a window's stride"
CASES = {
    "conv valid": lambda x: layers.Conv2D(1, (3, 2))(x),
    "conv same": lambda x: layers.Conv2D(1, (3, 4), padding="same")(x),
    "conv stride": lambda x: layers.Conv2D(1, 3, strides=2, padding="same")(x),
    "conv unequal strides": lambda x: layers.Conv2D(1, 2, strides=(2, 3))(x),
    "conv dilated": lambda x: layers.Conv2D(1, 3, dilation_rate=(2, 3), padding="same")(
        x
    ),
    "conv grouped": lambda x: layers.Conv2D(2, 3, groups=2)(x),
    "depthwise": lambda x: layers.DepthwiseConv2D(3, strides=2, padding="same")(x),
    "depthwise dilated": lambda x: layers.DepthwiseConv2D(
        3, dilation_rate=2, padding="same"
    )(x),
    "separable": lambda x: layers.SeparableConv2D(3, 4, padding="same")(x),
    "transposed same": lambda x: layers.Conv2DTranspose(
        1, 3, strides=2, padding="same"
    )(x),
    "transposed valid": lambda x: layers.Conv2DTranspose(1, (4, 2), strides=(3, 2))(x),
    "transposed holes": lambda x: layers.Conv2DTranspose(1, 2, strides=3)(x),
    "transposed output padding": lambda x: layers.Conv2DTranspose(
        1, 3, strides=3, padding="same", output_padding=1
    )(x),
    "max pooling": lambda x: layers.MaxPooling2D(2)(x),
    "max pooling same": lambda x: layers.MaxPooling2D(3, 2, padding="same")(x),
    "average pooling": lambda x: layers.AveragePooling2D((3, 2), (1, 2))(x),
    "global pooling": lambda x: layers.GlobalMaxPooling2D()(x),
    "global pooling kept": lambda x: layers.GlobalAveragePooling2D(keepdims=True)(x),
    "nearest": lambda x: layers.UpSampling2D((2, 3))(x),
    "bilinear": lambda x: layers.UpSampling2D((2, 4), interpolation="bilinear")(x),
    "bicubic": lambda x: layers.UpSampling2D(2, interpolation="bicubic")(x),
    "resizing nearest": lambda x: layers.Resizing(5, 9, interpolation="nearest")(x),
    "resizing bilinear": lambda x: layers.Resizing(4, 12)(x),
    "resizing antialiased": lambda x: layers.Resizing(4, 3, antialias=True)(x),
    "padding": lambda x: layers.ZeroPadding2D(((1, 2), (0, 3)))(x),
    "cropping": lambda x: layers.Cropping2D(((1, 2), (0, 3)))(x),
    "center crop": lambda x: layers.CenterCrop(4, 3)(x),
    "crop then pad": lambda x: layers.ZeroPadding2D(1)(layers.Cropping2D(1)(x)),
    "batch norm": lambda x: layers.BatchNormalization()(layers.Conv2D(2, 3)(x)),
    "layer norm": lambda x: layers.LayerNormalization()(x),
    "layer norm of rows": lambda x: layers.LayerNormalization(axis=(1, 3))(x),
    "group norm": lambda x: layers.GroupNormalization(1)(x),
    "softmax": lambda x: layers.Softmax()(x),
    "softmax of columns": lambda x: layers.Softmax(axis=2)(x),
    "dense on channels": lambda x: layers.Dense(3, activation="gelu")(x),
    "einsum dense": lambda x: layers.EinsumDense("bhwc,cd->bhwd", (None, None, 3))(x),
    "flatten": lambda x: layers.Dense(2)(layers.Flatten()(layers.Conv2D(1, 3)(x))),
    "decoder": lambda x: layers.Conv2DTranspose(1, 3, strides=2)(
        layers.Reshape((2, 2, 1))(layers.Dense(4)(layers.Flatten()(x)))
    ),
    "average of branches": lambda x: layers.Average()(
        [layers.Conv2D(2, 3, padding="same")(x), layers.Conv2D(2, 2, padding="same")(x)]
    ),
    "subtract": lambda x: layers.Subtract()([x, layers.Conv2D(2, 1)(x)]),
    "maximum": lambda x: layers.Maximum()(
        [x, layers.AveragePooling2D(3, 1, "same")(x)]
    ),
    "squeeze-excite": squeeze_excite,
    "attention": self_attention,
    "channel shuffle": shuffle,
    "nested twice": nested,
    "sequential inside": sequential,
    "empty rows in one branch": empty_rows_in_one_branch,
    "permuted axes": lambda x: layers.Conv2D(1, (3, 1))(layers.Permute((2, 1, 3))(x)),
    "permuted twice": lambda x: layers.Permute((2, 1, 3))(
        layers.Conv2D(1, (3, 1))(layers.Permute((2, 1, 3))(x))
    ),
    "spectral norm": lambda x: layers.SpectralNormalization(layers.Conv2D(1, 3))(x),
    "dropout": lambda x: layers.SpatialDropout2D(0.5)(layers.Dropout(0.5)(x)),
    "operators": lambda x: ops.relu(x * 2.0 + 1.0) - x / 3.0,
    "ops mean": lambda x: ops.mean(x, axis=(1, 2)),
    "ops mean of rows": lambda x: x + ops.mean(x, axis=1, keepdims=True),
    "ops max of channels": lambda x: ops.max(x, axis=-1, keepdims=True),
    "ops slice": lambda x: x[:, 1::2, :-1, :],
    "ops pixel": lambda x: x[:, 2, 3],
    "ops concatenate": lambda x: ops.concatenate([x, x * 2.0], axis=-1),
    "ops split": lambda x: ops.split(layers.Conv2D(2, 3)(x), 2, axis=-1)[1],
    "ops stack": lambda x: ops.sum(ops.stack([x, x], axis=1), axis=1),
    "ops transpose": lambda x: ops.transpose(x, (0, 2, 1, 3)),
    "ops moveaxis": lambda x: ops.moveaxis(x, 1, -1),
    "ops expand and squeeze": lambda x: ops.squeeze(ops.expand_dims(x, 1), 1),
    "ops pad": lambda x: ops.pad(x, ((0, 0), (1, 0), (0, 2), (0, 0))),
    "ops repeat": lambda x: ops.repeat(x, 2, axis=2),
    "ops reshape": lambda x: ops.reshape(x, (-1, *x.shape[1:], 1)),
    "ops matmul": lambda x: ops.matmul(x, ops.ones((2, 3))),
    "ops pool": lambda x: ops.max_pool(x, 3, 2, padding="same"),
    "ops average pool": lambda x: ops.average_pool(x, (2, 3), (2, 3)),
    DEFAULT_STRIDE: lambda x: ops.average_pool(x, (2, 3)),
    "ops resize": lambda x: ops.image.resize(x, (4, 12)),
    "ops softmax": lambda x: ops.softmax(x, axis=-1),
}


def compare(model, name=None):
    """Compares one layer's fields at all its positions with gradients.

    Returns:
        The field.
    """
    fields = receptive_fields(model)
    name = name or list(fields)[-1]
    field = fields[name]
    indices = list(itertools.product(*map(range, field.output_size)))
    measured = [hull(found) for found in sensitivities(model, name, indices)]
    assert measured == [field.visible(index) for index in indices]
    return field


@pytest.mark.parametrize("case", CASES)
def test_fields_are_where_the_gradients_are(case):
    if case == DEFAULT_STRIDE and keras.config.backend() == "jax":
        pytest.skip("Keras 3.15 extends the stride twice on JAX, and JAX refuses it")
    inputs = keras.Input((8, 6, 2))
    compare(keras.Model(inputs, CASES[case](inputs)))


def test_adaptive_pooling():
    if not hasattr(layers, "AdaptiveAveragePooling2D"):
        pytest.skip("this version of Keras has no adaptive pooling")
    inputs = keras.Input((7, 6, 1))
    x = layers.AdaptiveMaxPooling2D((3, 4))(inputs)
    compare(keras.Model(inputs, x))


@pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="TensorFlow alone has this kind"
)
def test_resizing_by_area():
    """TensorFlow has no gradient for it, so pixels are changed one by one."""
    inputs = keras.Input((7, 1, 1))
    resize = layers.Resizing(3, 1, interpolation="area")
    field = list(receptive_fields(keras.Model(inputs, resize(inputs))).values())[-1]
    image = np.ones((8, 7, 1, 1), dtype="float32")
    for row in range(7):
        image[row, row] = 2
    outputs = ops.convert_to_numpy(resize(image))[:, :, 0, 0]
    for i in range(3):
        rows = np.flatnonzero(np.abs(outputs[:7, i] - outputs[7, i]) > 1e-6)
        assert field.visible((i, 0))[0] == (rows[0], rows[-1])


def test_dilated_transposed_convolution():
    """Beyond TensorFlow's CPU kernels: input i reaches i - 2, i and i + 2."""
    inputs = keras.Input((9, 9, 1))
    x = layers.Conv2DTranspose(1, 3, dilation_rate=2, padding="same")(inputs)
    field = list(receptive_fields(keras.Model(inputs, x)).values())[-1]
    assert field.output_size == (9, 9)
    # Column -1 is padding, column 0 between the taps: 1 is the first that is seen.
    assert field.interval((4, 1)) == field.visible((4, 1)) == ((2, 6), (1, 3))


def test_channels_first():
    inputs = keras.Input((2, 8, 6))
    first = {"data_format": "channels_first"}
    x = layers.ZeroPadding2D(1, **first)(inputs)
    x = layers.Cropping2D(((2, 0), (0, 0)), **first)(x)
    x = layers.BatchNormalization(axis=1)(x)
    x = layers.UpSampling2D(2, **first)(x)
    x = layers.AveragePooling2D((3, 2), 1, **first)(x)
    field = compare(keras.Model(inputs, x))
    assert field.output_size == (14, 15)


def test_shared_layers_have_a_field_for_each_call():
    inputs = keras.Input((8, 8, 1))
    conv = layers.Conv2D(1, 3, padding="same", name="c")
    model = keras.Model(inputs, conv(conv(conv(inputs))))
    fields = receptive_fields(model)
    assert [fields[name].size[0] for name in ("c", "c/1", "c/2")] == [3, 5, 7]
    compare(model, "c/1")


def test_calls_outside_the_model_do_not_count():
    conv = layers.Conv2D(1, 3, padding="same", name="c")
    conv(keras.Input((5, 5, 1)))
    inputs = keras.Input((8, 8, 1))
    fields = receptive_fields(keras.Model(inputs, conv(inputs)))
    assert [name for name in fields if name.startswith("c")] == ["c"]


def test_nested_layers_have_fields():
    inner = keras.Input((8, 8, 1))
    block = keras.Model(inner, layers.Conv2D(1, 3, name="c")(inner), name="block")
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(1, 1, strides=1, name="stem")(inputs)
    fields = receptive_fields(keras.Model(inputs, block(x)))
    assert fields["block/c"].size == fields["block"].size == (3, 3)
    assert fields["c"] is fields["block/c"]


def test_several_inputs_and_outputs():
    a, b = keras.Input((8, 8, 1), name="a"), keras.Input((8, 8, 1), name="b")
    number = keras.Input((3,), name="number")
    x = layers.Conv2D(1, 3, padding="same", name="of_a")(a)
    y = layers.Conv2D(1, 5, padding="same", name="of_b")(b)
    gate = layers.Reshape((1, 1, 1))(layers.Dense(1, name="of_number")(number))
    merged = layers.Add(name="merged")([x, y])
    out = layers.Multiply(name="out")([merged, gate])
    pooled = layers.GlobalAveragePooling2D(name="pooled")(x)
    model = keras.Model([a, b, number], [out, pooled])
    fields = receptive_fields(model)
    assert fields["out"].size == (5, 5)
    assert fields["pooled"].whole and not fields["out"].whole
    assert fields["of_number"].size == (0, 0)
    assert receptive_fields(model, input="a")["out"].size == (3, 3)
    assert receptive_fields(model, input="b")["of_a"].size == (0, 0)
    compare(model, "out")


def test_squeeze_and_excitation_reports_both():
    inputs = keras.Input((8, 8, 2))
    x = layers.Conv2D(2, 3, padding="same")(inputs)
    x = squeeze_excite(x)
    model = keras.Model(inputs, layers.Conv2D(1, 3, name="c")(x))
    field = receptive_fields(model)["c"]
    assert field.size == (5, 5)
    assert field.whole
    assert field.interval(0) == ((-1, 3), (-1, 3))
    assert field.visible(0) == ((0, 7), (0, 7))


def test_heads_and_pooling_are_whole():
    inputs = keras.Input((8, 8, 2))
    x = layers.Conv2D(2, 3)(inputs)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(4)(x)
    field = list(receptive_fields(keras.Model(inputs, x)).values())[-1]
    assert field.whole
    assert (field.size, field.jump, field.start) == ((8, 8), (None, None), (4, 4))
    assert field.interval(0) == ((0, 7), (0, 7))


@pytest.mark.applications
@pytest.mark.parametrize(
    "backend, chosen",
    [
        # Keras 3.15 cannot average on JAX where the strides are left out.
        ("jax", "not backends and not (ops and average)"),
        ("torch", "not backends"),
    ],
)
def test_gradients_of_other_backends_agree(backend, chosen):
    check_on(backend, __file__, chosen)
