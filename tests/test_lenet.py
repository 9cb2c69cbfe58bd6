"""LeNet-5 of 1998 against the numbers and formulas of its paper."""

import keras
import numpy as np
import pytest
from architecture_checks import (
    check_saves_and_reloads,
    output_size,
    outputs_of,
    random_images,
)

from helpers.architectures.lenet_1998 import (
    C3_TABLE,
    RadialBasis,
    ScaledTanh,
    TableConv2D,
    digit_codes,
    lenet5_1998,
    subsampling,
)
from helpers.describe import describe


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def test_layers_have_the_papers_parameters_and_connections():
    model = lenet5_1998()
    rows = {row.name: row for row in describe(model).rows}
    # Section II.B, in order: C1, S2, C3, S4, C5, F6.
    layers = ["c1", "s2_scale", "c3", "s4_scale", "c5", "f6"]
    trainable = [rows[name].trainable_parameters for name in layers]
    assert trainable == [156, 12, 1_516, 32, 48_120, 10_164]
    assert sum(trainable) == 60_000
    positions = [int(np.prod(rows[name].output_size or (1,))) for name in layers]
    assert positions == [28 * 28, 14 * 14, 10 * 10, 5 * 5, 1, 1]
    # A unit of S2 or S4 is connected to four values and a bias.
    per_position = [156, 6 * 5, 1_516, 16 * 5, 48_120, 10_164]
    connections = np.multiply(positions, per_position)
    assert connections.tolist()[:4] == [122_304, 5_880, 151_600, 2_000]
    # And 84 from F6 to each of the ten outputs: "340,908 connections".
    assert connections.sum() + 84 * 10 == 340_908


def test_maps_have_the_papers_sizes():
    model = lenet5_1998()
    names = ["c1", "s2_tanh", "c3", "s4_tanh", "c5", "f6"]
    assert [output_size(model, name) for name in names] == [
        (28, 28, 6),
        (14, 14, 6),
        (10, 10, 16),
        (5, 5, 16),
        (1, 1, 120),
        (84,),
    ]


def test_table_is_that_of_the_paper():
    # Table I: an X for each map of S2 (rows) that a map of C3 (columns) sees.
    drawn = """
        X...XXX..XXXX.XX
        XX...XXX..XXXX.X
        XXX...XXX..X.XXX
        .XXX..XXXX..X.XX
        ..XXX..XXXX.XX.X
        ...XXX..XXXX.XXX
    """.split()
    columns = ["".join(row[i] for row in drawn) for i in range(16)]
    table = [tuple(i for i, x in enumerate(column) if x == "X") for column in columns]
    assert [tuple(sorted(row)) for row in C3_TABLE] == table
    assert [len(row) for row in C3_TABLE] == [3] * 6 + [4] * 9 + [6]


def test_table_convolution_is_one_convolution_a_map():
    table = ((0, 2), (1,), (0, 1, 2))
    x = np.random.default_rng(0).normal(size=(2, 6, 5, 3)).astype("float32")
    layer = TableConv2D(table, 3, bias_initializer="ones")
    found = numpy(layer(x))
    kernel = numpy(layer.kernel)
    assert kernel.shape == (3, 3, 6)
    start = 0
    for number, row in enumerate(table):
        own = kernel[..., start : start + len(row)]
        start += len(row)
        windows = np.lib.stride_tricks.sliding_window_view(
            x[..., list(row)], (3, 3), axis=(1, 2)
        )
        expected = np.einsum("bhwcij,ijc->bhw", windows, own) + 1.0
        np.testing.assert_allclose(found[..., number], expected, atol=1e-5)


def test_table_convolution_refuses_channels_that_do_not_exist():
    with pytest.raises(ValueError, match="channel 5, but the input has 3 channels"):
        TableConv2D(C3_TABLE, 5)(np.zeros((1, 8, 8, 3), "float32"))


def test_subsampling_adds_scales_and_shifts():
    inputs = keras.Input((4, 4, 2))
    model = keras.Model(inputs, subsampling(inputs, name="s"))
    scale = np.array([0.5, -2.0], "float32")
    shift = np.array([0.1, 0.3], "float32")
    model.get_layer("s_scale").set_weights([scale.reshape(1, 1, 2, 1), shift])
    x = random_images(model)
    total = x.reshape(2, 2, 2, 2, 2, 2).sum((2, 4))
    # The paper's coefficient multiplies the sum of four.
    expected = 1.7159 * np.tanh(2 / 3 * (scale / 4 * total + shift))
    (found,) = outputs_of(model, x)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_scaled_tanh_passes_through_one():
    x = np.array([-1.0, 0.0, 1.0, 100.0], "float32")
    np.testing.assert_allclose(
        numpy(ScaledTanh()(x)), [-1.0, 0.0, 1.0, 1.7159], atol=1e-4
    )


def test_codes_are_ten_different_drawings():
    codes = digit_codes()
    assert codes.shape == (84, 10)
    assert set(np.unique(codes)) == {-1.0, 1.0}
    distances = (codes[:, :, None] != codes[:, None, :]).sum(0)
    assert distances[~np.eye(10, dtype=bool)].min() >= 3
    one = codes[:, 1].reshape(12, 7) > 0
    # The digit one is a vertical line on a foot.
    assert one[:, 3].all() and one[-1].sum() == 5


def test_distances_are_a_dense_layer_with_fixed_weights():
    """What a softmax head changed: it lets training move the weights.

    The squares of x and of the codes are the same for every class, so
    softmax(-|x - w|^2) = softmax(2 w x).
    """
    x = np.random.default_rng(0).normal(size=(3, 84)).astype("float32")
    codes = digit_codes()
    distances = ((x[:, :, None] - codes) ** 2).sum(1)
    found = numpy(RadialBasis()(x))
    np.testing.assert_allclose(found, -distances, rtol=1e-4)
    dense = numpy(keras.ops.softmax(2 * x @ codes))
    np.testing.assert_allclose(numpy(keras.ops.softmax(found)), dense, atol=1e-4)


def test_a_vector_equal_to_a_code_is_that_digit():
    layer = RadialBasis()
    codes = digit_codes()
    assert (numpy(layer(codes.T)).argmax(-1) == np.arange(10)).all()
    np.testing.assert_array_equal(np.diag(numpy(layer(codes.T))), np.zeros(10))
    assert not layer.trainable_weights


def test_distances_need_84_values():
    with pytest.raises(ValueError, match="84 pixels"):
        RadialBasis()(np.zeros((1, 80), "float32"))


def test_softmax_head_saves_and_reloads(tmp_path):
    check_saves_and_reloads(lenet5_1998(head="softmax"), tmp_path)
