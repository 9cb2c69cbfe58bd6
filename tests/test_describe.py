"""The annotated summary: numbers from the sheet, papers and TensorFlow's profiler."""

import csv
import io
import re

import keras
import pytest
from keras import layers, ops

from helpers.architectures.base import base
from helpers.architectures.separable import separable
from helpers.describe import describe


def branched():
    """Branches, strides, transposed convolution, gates and operators."""
    inputs = keras.Input((16, 16, 3), name="image")
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(inputs)
    shortcut = x
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.Activation("swish")(x)
    x = layers.DepthwiseConv2D((3, 5), padding="same", depth_multiplier=2)(x)
    x = layers.SeparableConv2D(8, 3, padding="same", name="mix")(x)
    x = layers.Add()([x, shortcut])
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(8, 1, activation="sigmoid")(gate)
    x = layers.Multiply()([x, gate])
    x = layers.Conv2DTranspose(4, 3, strides=2, padding="same", output_padding=1)(x)
    x = layers.Concatenate()([x, inputs])
    x = layers.Conv2D(
        4, 3, dilation_rate=2, kernel_regularizer=keras.regularizers.L2(1e-4)
    )(x)
    x = layers.MaxPooling2D(pool_size=(2, 3), strides=1)(x)
    outputs = layers.Dense(5)(layers.Flatten()(x))
    return keras.Model(inputs, outputs, name="branched")


def test_the_base_network():
    description = describe(base())
    assert description.parameters == description.trainable_parameters == 1_172_410
    spatial = [r for r in description.rows if r.kind in ("Conv2D", "MaxPooling2D")]
    assert [r.output_size[0] for r in spatial] == [32, 30, 15, 15, 13, 6, 6, 4, 2]
    fields = [r.field.size[0] for r in spatial]
    assert fields == [3, 5, 6, 10, 14, 16, 24, 32, 36]
    by_hand = (
        32 * 32 * 27 * 48
        + 30 * 30 * 9 * 48 * 48
        + 15 * 15 * 9 * 48 * 96
        + 13 * 13 * 9 * 96 * 96
        + 6 * 6 * 9 * 96 * 192
        + 4 * 4 * 9 * 192 * 192
        + 768 * 512
        + 512 * 256
        + 256 * 10
    )
    assert description.macs == by_hand
    assert sum(row.parameters for row in description.rows) == 1_172_410


def test_parameters_that_training_leaves_alone():
    model = separable()
    description = describe(model)
    assert description.parameters == model.count_params() < 100_000
    frozen = sum(
        2 * r.channels for r in description.rows if r.kind == "BatchNormalization"
    )
    assert description.parameters - description.trainable_parameters == frozen
    assert description.trainable == description.trainable_parameters


@pytest.mark.parametrize("build", [base, separable, branched])
def test_macs_agree_with_the_profiler(build):
    model = build()
    assert describe(model).macs == profiled(model)


def profiled(model):
    """Returns the multiply-adds that TensorFlow's profiler counts.

    It counts two operations each, and those of additions and pooling beside them.
    """
    tf = pytest.importorskip("tensorflow")
    if keras.config.backend() != "tensorflow":
        pytest.skip("the profiler is TensorFlow's")
    from tensorflow.python.framework import convert_to_constants as constants

    shape = (1, *model.input_shape[1:])
    function = tf.function(lambda x: model(x, training=False))
    function = function.get_concrete_function(tf.TensorSpec(shape))
    graph = constants.convert_variables_to_constants_v2(function).graph
    products = ["Conv2D", "DepthwiseConv2dNative", "MatMul", "Conv2DBackpropInput"]
    builder = tf.compat.v1.profiler.ProfileOptionBuilder
    options = (
        builder(builder.float_operation())
        .with_accounted_types(products)
        .with_empty_output()
        .build()
    )
    found = tf.compat.v1.profiler.profile(graph, cmd="scope", options=options)
    return found.total_float_ops // 2


def test_macs_of_grouped_convolutions():
    inputs = keras.Input((8, 8, 12))
    x = layers.Conv2D(24, 3, groups=4, name="grouped")(inputs)
    x = layers.Conv2D(24, 1, groups=24, name="single")(x)
    rows = {row.name: row for row in describe(keras.Model(inputs, x)).rows}
    assert rows["grouped"].macs == 6 * 6 * 9 * (12 // 4) * 24
    assert rows["single"].macs == 6 * 6 * 24


def test_macs_of_attention():
    inputs = keras.Input((4, 4, 6))
    x = layers.Reshape((16, 6))(inputs)
    x = layers.MultiHeadAttention(2, 3, name="heads")(x, x)
    x = layers.EinsumDense("abc,cd->abd", (None, 5), name="einsum")(x)
    rows = {row.name: row for row in describe(keras.Model(inputs, x)).rows}
    # Query, key, value and output 6 x 6 for 16 tokens; scores and sums 16 x 16 x 6.
    assert rows["heads"].macs == 4 * 16 * 6 * 6 + 2 * 16 * 16 * 6
    assert rows["einsum"].macs == 16 * 6 * 5


@pytest.mark.parametrize(
    "name, parameters, macs",
    # Howard et al. 2017 and Sandler et al. 2018.
    [("MobileNet", 4.2e6, 569e6), ("MobileNetV2", 3.5e6, 300e6)],
)
def test_costs_in_papers(name, parameters, macs):
    model = getattr(keras.applications, name)(weights=None)
    description = describe(model)
    assert description.macs == pytest.approx(macs, rel=0.005)
    assert description.parameters == pytest.approx(parameters, rel=0.02)


def test_shared_layers_count_once_and_cost_twice():
    inputs = keras.Input((8, 8, 4))
    conv = layers.Conv2D(4, 3, padding="same", name="c")
    description = describe(keras.Model(inputs, conv(conv(inputs))))
    assert [r.parameters for r in description.rows] == [0, 148, 0]
    assert description.parameters == 148
    assert [r.macs for r in description.rows] == [0, 9216, 9216]


def test_nested_models_count_once():
    inner = keras.Input((8, 8, 4))
    block = keras.Model(inner, layers.Conv2D(4, 3)(inner), name="block")
    inputs = keras.Input((8, 8, 4))
    description = describe(keras.Model(inputs, block(inputs)))
    assert sum(row.parameters for row in description.rows) == 148
    assert description.macs == 6 * 6 * 9 * 16


def repeated():
    """A shared layer, a model called twice and one in a model."""
    inputs = keras.Input((16, 16, 4))
    conv = layers.Conv2D(4, 3, padding="same", name="shared")
    x = conv(conv(inputs))
    inner = keras.Input((16, 16, 4))
    y = layers.DepthwiseConv2D(3, padding="same")(inner)
    block = keras.Model(inner, layers.Add()([inner, y]), name="block")
    x = block(block(x))
    tail = keras.Sequential([layers.Conv2D(6, 1), layers.ReLU()], name="tail")
    return keras.Model(inputs, layers.Flatten()(tail(x)))


def with_operators():
    """Operators, slices, several outputs and attention."""
    inputs = keras.Input((8, 8, 4))
    x = layers.Conv2D(6, 1, name="class")(inputs) * 2.0
    a, b = ops.split(x, 2, axis=-1)
    x = ops.relu(a - b)[:, ::2, 1:, :]
    x = ops.pad(x, ((0, 0), (1, 1), (0, 0), (0, 0)))
    tokens = layers.Reshape((42, 3))(x)
    tokens = layers.MultiHeadAttention(2, 3)(tokens, tokens)
    return keras.Model(inputs, ops.mean(tokens, axis=1))


@pytest.mark.parametrize("build", [base, separable, branched, repeated, with_operators])
def test_the_definition_builds_the_same_model(build):
    model = build()
    text = describe(model).as_comments()
    space = {"keras": keras, "layers": layers}
    exec(text, space)
    last = text.splitlines()[-1].split(" = ")[0]
    copy = keras.Model(space["inputs"], space[last])
    assert [w.shape for w in copy.weights] == [w.shape for w in model.weights]
    again, rows = describe(copy), describe(model)
    found = [
        # Nested models are written out, so they themselves are not there again.
        [(r.kind, r.output, r.receptive_field, r.macs) for r in d.rows if not r.nested]
        for d in (again, rows)
    ]
    assert found[0] == found[1]
    assert again.rows[-1].receptive_field == rows.rows[-1].receptive_field
    assert (again.macs, again.parameters) == (rows.macs, rows.parameters)


def test_definition_lines():
    lines = describe(base()).as_comments().splitlines()
    assert (
        lines[0] == "inputs = keras.Input((32, 32, 3))  # 32x32x3, receptive field 1x1"
    )
    assert lines[1] == (
        'x = layers.Conv2D(48, 3, padding="same")(inputs)'
        "  # 32x32x48, receptive field 3x3"
    )
    assert "  # 30x30x48, receptive field 5x5" in lines[3]
    assert lines[-1].endswith("  # 10, receptive field 32x32 (whole image)")
    text = describe(branched()).as_comments()
    assert "kernel_regularizer=keras.regularizers.L2(l2=0.0001)" in text
    assert "layers.MaxPooling2D(pool_size=(2, 3), strides=1)(x)" in text
    assert "layers.Add()([x, conv2d" in text


@keras.saving.register_keras_serializable("tests")
def doubled(x):
    return 2.0 * x


def test_own_activations_and_settings_of_initialisers_are_written():
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(
        4, 3, activation=doubled, bias_initializer=keras.initializers.Constant(0.5)
    )(inputs)
    line = describe(keras.Model(inputs, x)).as_comments().splitlines()[1]
    assert line.startswith(
        "x = layers.Conv2D(4, 3, activation=doubled, "
        "bias_initializer=keras.initializers.Constant(value=0.5))(inputs)"
    )


def test_operators_are_written_as_functions():
    inputs = keras.Input((8, 8, 4))
    x = layers.Conv2D(4, 1, name="c")(inputs)
    description = describe(keras.Model(inputs, ops.relu(x + inputs)))
    lines = description.as_comments().splitlines()
    assert lines[2].startswith("x = keras.ops.add(x, inputs)  # 8x8x4")
    assert lines[3].split("  #")[0].endswith("= keras.ops.relu(x)")
    text = describe(with_operators()).as_comments()
    for line in (
        "x = keras.ops.split(x, indices_or_sections=2, axis=-1)",
        "x = keras.ops.subtract(x[0], x[1])",
        "x = x[:, ::2, 1:, :]",
    ):
        assert line in text


def test_shared_layers_are_made_once():
    lines = describe(repeated()).as_comments().splitlines()
    assert lines[1] == 'shared_layer = layers.Conv2D(4, 3, padding="same")'
    assert lines[2].startswith(
        "x = shared_layer(inputs)  # 16x16x4, receptive field 3x3"
    )
    assert lines[3].split(" = ")[1].startswith("shared_layer(x)  # 16x16x4")
    assert "receptive field 5x5" in lines[3]


def test_markdown():
    text = describe(branched()).to_markdown()
    head, rule, *rows = [line for line in text.splitlines() if line.startswith("|")]
    assert head.count("|") == rule.count("|") == 9
    assert all(row.count("|") == 9 for row in rows)
    assert len(rows) == len(describe(branched()).rows)
    assert re.search(r"branched: [\d,]+ parameters \([\d,]+ trainable, 16 not\)", text)
    assert "(gate: whole image)" in text


def test_csv(tmp_path):
    description = describe(branched())
    path = tmp_path / "model.csv"
    text = description.to_csv(path)
    assert path.read_text(encoding="utf-8") == text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [int(row["macs"]) for row in rows] == [r.macs for r in description.rows]
    assert sum(int(row["parameters"]) for row in rows) == description.parameters
    mix = next(row for row in rows if row["layer"] == "mix")
    # 3x3 at stride 2, then 3x5 and 3x3 at jump 2.
    assert (mix["height"], mix["field_y"], mix["field_x"]) == ("8", "11", "15")


def test_text_and_html():
    description = describe(branched())
    lines = str(description).splitlines()
    assert lines[0].split()[:3] == ["layer", "kind", "output"]
    assert lines[-1] == description.totals
    html = description._repr_html_()
    assert html.count("<tr>") == len(description.rows) + 1
    assert html.count("<td") == 8 * len(description.rows)


def test_unknown_sizes():
    inputs = keras.Input((None, None, 3))
    description = describe(keras.Model(inputs, layers.Conv2D(4, 3)(inputs)))
    assert description.macs is None
    assert description.rows[1].output == "?x?x4"
    assert "unknown multiply-adds" in description.totals
