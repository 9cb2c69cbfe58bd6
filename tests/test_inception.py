"""Inception: the arithmetic of its modules, side branches, published tables."""

import keras
import numpy as np
import pytest
from architecture_checks import (
    cheap_weights,  # noqa: F401  (a fixture)
    check_same_function_as,
    output_size,
    outputs_of,
    parameters,
    random_images,
)

from helpers.architectures import inception_v1, inception_v2, inception_v3
from helpers.architectures.inception import Unit, inception_module, naive_module
from helpers.describe import describe
from helpers.receptive_field import receptive_fields


def module(build, shape=(28, 28, 192), *args, **kwargs):
    inputs = keras.Input(shape, name="input")
    return keras.Model(inputs, build(inputs, *args, name="m", **kwargs))


def costs(model):
    return {row.name: row.macs for row in describe(model).rows}


# Modules


def test_reduction_costs_a_tenth():
    naive = costs(module(naive_module, (28, 28, 192), (64, 128, 32)))
    assert naive["m_5x5_conv"] == 28 * 28 * 32 * 5 * 5 * 192 == 120_422_400
    reduced = costs(module(inception_module, (28, 28, 192), (64, 96, 128, 16, 32, 32)))
    assert reduced["m_5x5_reduce_conv"] == 2_408_448
    assert reduced["m_5x5_conv"] == 10_035_200
    assert reduced["m_5x5_reduce_conv"] + reduced["m_5x5_conv"] == 12_443_648


def test_naive_module_grows_and_the_reduced_one_does_not():
    assert module(naive_module, (28, 28, 192), (64, 128, 32)).output_shape[-1] == 416
    reduced = module(inception_module, (28, 28, 192), (64, 96, 128, 16, 32, 32))
    assert reduced.output_shape[-1] == 256


def test_branches_have_their_receptive_fields():
    fields = receptive_fields(module(naive_module, (28, 28, 8), (2, 2, 2)))
    sizes = [fields[f"m_{branch}"].size for branch in ("1x1_relu", "3x3_relu", "pool")]
    assert sizes == [(1, 1), (3, 3), (3, 3)]
    assert fields["m_5x5_relu"].size == fields["m"].size == (5, 5)
    unit = Unit()
    double = module(inception_v2.double_module, (28, 28, 8), (2,) * 6, unit)
    # Two 3x3 see what one 5x5 sees.
    assert receptive_fields(double)["m_double_3_relu"].size == (5, 5)
    fields = receptive_fields(module(inception_v3.module_b, (17, 17, 8), 4, unit))
    assert fields["m_single_2_relu"].size == (1, 7)
    assert fields["m_single_3_relu"].size == (7, 7)
    assert fields["m_double_5_relu"].size == (13, 13)
    fields = receptive_fields(module(inception_v3.module_c, (8, 8, 8), unit))
    assert fields["m_double_1x3_relu"].size == (3, 5)
    assert fields["m_double"].size == (5, 5)


def test_factorisation_saves_what_the_paper_says():
    def weights(*sizes):
        inputs = keras.Input((17, 17, 64), name="input")
        unit = Unit(normalization="none")
        x = unit.chain(inputs, [(64, size) for size in sizes], name="c")
        return parameters(keras.Model(inputs, x)) - 64 * len(sizes)

    # 28% less for two 3x3; 33% less for 3x1 and 1x3 than for 3x3.
    assert 1 - weights(3, 3) / weights(5) == pytest.approx(0.28)
    assert 1 - weights((3, 1), (1, 3)) / weights(3) == pytest.approx(1 / 3)
    assert weights((7, 1), (1, 7)) / weights(7) == pytest.approx(2 / 7)


def test_grid_reduction_halves_and_keeps_all_channels():
    branches = {"single": [(24, 3)], "double": [(8, 1), (12, 3), (12, 3)]}
    model = module(inception_v3.grid_reduction, (35, 35, 20), branches, Unit())
    assert model.output_shape == (None, 17, 17, 24 + 12 + 20)
    assert model.get_layer("m_double_2_conv").strides == (1, 1)
    assert model.get_layer("m_double_3_conv").strides == (2, 2)


# Version 1


def test_googlenet_has_the_papers_sizes(cheap_weights):  # noqa: F811
    model = inception_v1.googlenet()
    sizes = {
        "conv1_conv": (112, 112, 64),
        "pool1": (56, 56, 64),
        "conv2_conv": (56, 56, 192),
        "pool2": (28, 28, 192),
        "inception_3a": (28, 28, 256),
        "inception_3b": (28, 28, 480),
        "pool_3b": (14, 14, 480),
        "inception_4a": (14, 14, 512),
        "inception_4b": (14, 14, 512),
        "inception_4c": (14, 14, 512),
        "inception_4d": (14, 14, 528),
        "inception_4e": (14, 14, 832),
        "pool_4e": (7, 7, 832),
        "inception_5a": (7, 7, 832),
        "inception_5b": (7, 7, 1024),
        "average": (1024,),
    }
    assert {name: output_size(model, name) for name in sizes} == sizes
    side = inception_v1.googlenet(side_branches=True)
    assert output_size(side, "side1_average") == (4, 4, 512)
    assert output_size(side, "side2_average") == (4, 4, 528)


def test_side_branches_count_three_tenths_each():
    keras.utils.set_random_seed(0)
    model = inception_v1.googlenet_cifar(width=0.25, side_branches=True)
    assert len(model.outputs) == 3
    assert inception_v1.loss_weights(model) == [1.0, 0.3, 0.3]
    loss = "sparse_categorical_crossentropy"
    model.compile("sgd", [loss] * 3, loss_weights=inception_v1.loss_weights(model))
    images, labels = random_images(model, 4), np.arange(4)
    probabilities = outputs_of(model, images)
    each = [-np.log(p[np.arange(4), labels]).mean() for p in probabilities]
    total = model.evaluate(images, [labels] * 3, verbose=0)[0]
    assert total == pytest.approx(each[0] + 0.3 * each[1] + 0.3 * each[2], rel=1e-4)


def test_side_branches_are_removed_for_inference():
    keras.utils.set_random_seed(0)
    model = inception_v1.googlenet_cifar(side_branches=True)
    plain = inception_v1.without_side_branches(model)
    assert not any(x.name.startswith("side") for x in plain.layers)
    built = inception_v1.googlenet_cifar()
    assert parameters(plain) == parameters(built)
    assert [x.name for x in plain.layers] == [x.name for x in built.layers]
    images = random_images(model)
    with_sides, alone = outputs_of(model, images), outputs_of(plain, images)
    np.testing.assert_allclose(alone[0], with_sides[0], rtol=1e-5)
    assert inception_v1.loss_weights(plain) == [1.0]
    assert len(inception_v1.googlenet_cifar().outputs) == 1


# Version 2


def test_inception_v2_has_the_papers_sizes(cheap_weights):  # noqa: F811
    model = inception_v2.inception_v2()
    sizes = [output_size(model, f"inception_{x}") for x in inception_v2.MODULES]
    assert sizes == [
        (28, 28, 256),
        (28, 28, 320),
        (14, 14, 576),
        (14, 14, 576),
        (14, 14, 576),
        (14, 14, 576),
        (14, 14, 576),
        (7, 7, 1024),
        (7, 7, 1024),
        (7, 7, 1024),
    ]


def test_inception_v2_has_the_published_parameters(cheap_weights, monkeypatch):  # noqa: F811
    # The model file of 2015 follows the table to the letter (projections of 128, so
    # 608 channels where the table says 576) and has biases that batch normalisation
    # cancels: 11,295,240.
    table = inception_v2.MODULES
    for index in ("4c", "4d"):
        monkeypatch.setitem(table, index, (*table[index][:5], 128))
    model = inception_v2.inception_v2()
    biases = sum(x.filters for x in model.layers if isinstance(x, keras.layers.Conv2D))
    assert parameters(model, trainable=True) + biases == 11_295_240


# Version 3


def test_inception_v3_has_the_papers_sizes(cheap_weights):  # noqa: F811
    model = inception_v3.inception_v3()
    sizes = [output_size(model, f"mixed{i}") for i in range(11)]
    assert [size[0] for size in sizes] == [35] * 3 + [17] * 5 + [8] * 3
    assert [size[2] for size in sizes] == [256, 288, 288] + [768] * 5 + [
        1280,
        2048,
        2048,
    ]
    # Section 6: less than 25 million parameters and 5 billion multiply-adds; counted
    # with every layer it is 5.7.
    assert parameters(model) < 25e6
    assert describe(model).macs == pytest.approx(5.71e9, rel=1e-3)


def test_inception_v3_is_the_one_of_keras():
    shape = (75, 75, 3)
    other = keras.applications.InceptionV3(weights=None, input_shape=shape)
    check_same_function_as(inception_v3.inception_v3(shape), other)


def test_small_versions_keep_16_8_and_4_positions():
    for build, names in (
        (inception_v1.googlenet_cifar, ("3a", "4a", "5a")),
        (inception_v2.inception_v2_cifar, ("3a", "4a", "5a")),
    ):
        model = build()
        sizes = [output_size(model, f"inception_{x}")[0] for x in names]
        assert sizes == [16, 8, 4]
    model = inception_v3.inception_v3_cifar()
    assert [output_size(model, f"mixed{i}")[0] for i in (0, 4, 9)] == [16, 8, 4]
