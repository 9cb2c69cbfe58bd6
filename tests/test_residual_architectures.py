"""ResNet, ResNeXt, SENet and DenseNet against papers, formulas and Keras."""

import keras
import numpy as np
import pytest
from architecture_checks import (
    cheap_weights,  # noqa: F401  (a fixture)
    check_names,
    check_on,
    check_probabilities,
    check_saves_and_reloads,
    check_smallest_image,
    check_trains_one_step,
    draw_weights,
    output_size,
    outputs_of,
    parameters,
    random_images,
)

from helpers.architectures.densenet import (
    dense_block,
    dense_blocks,
    densenet,
    densenet_cifar,
    transition,
)
from helpers.architectures.imagenet import copy_weights
from helpers.architectures.parts import classifier, convolution
from helpers.architectures.resnet import (
    bottleneck_branch,
    residual_block,
    resnet,
    resnet_cifar,
)
from helpers.architectures.resnet_v2 import (
    preactivation_block,
    resnet_v2,
    resnet_v2_cifar,
)
from helpers.architectures.resnext import (
    concatenated_paths,
    grouped_paths,
    resnext,
    resnext_cifar,
    share_weights,
    summed_paths,
)
from helpers.architectures.senet import (
    se_resnet,
    se_resnet_cifar,
    squeeze_excitation,
)
from helpers.architectures.shortcuts import PaddedIdentity
from helpers.architectures.wide_resnet import wide_resnet_cifar
from helpers.describe import describe

BC100 = {"depth": 100, "bottleneck": True, "compression": 0.5}

# Builder, arguments, layers with weights, trainable parameters, and multiply-adds in
# billions to two decimals: those of the authors' programs and of torchvision. The
# papers round the parameters of the CIFAR sizes: 0.27, 0.46, 0.66, 0.85 and 1.7 M for
# the ResNets, 1.7 M for ResNet-164, 34.4 and 68.1 M for the ResNeXts, 1.0 and 0.8 M
# for the DenseNets.
PUBLISHED = [
    (resnet_cifar, {"depth": 20}, 20, 269_722, "0.04"),
    (resnet_cifar, {"depth": 32}, 32, 464_154, "0.07"),
    (resnet_cifar, {"depth": 44}, 44, 658_586, None),
    (resnet_cifar, {"depth": 56}, 56, 853_018, "0.13"),
    (resnet_cifar, {"depth": 110}, 110, 1_727_962, "0.25"),
    # Without shortcuts the parameters are the same.
    (resnet_cifar, {"depth": 20, "shortcut": "none"}, 20, 269_722, "0.04"),
    (resnet_cifar, {"depth": 56, "shortcut": "none"}, 56, 853_018, "0.13"),
    (resnet_v2_cifar, {"depth": 164}, 164, 1_703_258, None),
    (resnext_cifar, {"cardinality": 8}, 29, 34_426_698, None),
    (resnext_cifar, {"cardinality": 16}, 29, 68_155_210, None),
    (densenet_cifar, {}, 40, 1_019_722, None),
    (densenet_cifar, BC100, 100, 769_162, None),
    (resnet, {"depth": 18}, 18, 11_689_512, "1.81"),
    (resnet, {"depth": 34}, 34, 21_797_672, "3.66"),
    # 3.86 in papers that have the stride on the 1x1.
    (resnet, {"depth": 50}, 50, 25_557_032, "3.86"),
    (resnet, {"depth": 50, "strided": "3x3"}, 50, 25_557_032, "4.09"),
    (resnet, {"depth": 101}, 101, 44_549_160, None),
    (resnet, {"depth": 152}, 152, 60_192_808, None),
    (resnext, {"depth": 50}, 50, 25_028_904, "4.23"),
    (resnext, {"depth": 101}, 101, 44_177_704, None),
    (se_resnet, {"depth": 50}, 50, 28_088_024, "3.86"),
    # The gate in another family's blocks: SE-ResNeXt-50.
    (resnext, {"depth": 50, "gate": squeeze_excitation}, 50, 27_559_896, None),
    (densenet, {"depth": 121}, 121, 7_978_856, "2.83"),
    (densenet, {"depth": 169}, 169, 14_149_480, "3.36"),
    (densenet, {"depth": 201}, 201, 20_013_928, "4.29"),
]

# Smallest images and depth of each builder, to train and to reload.
SMALL = [
    (resnet_cifar, {"depth": 8}),
    (resnet_cifar, {"depth": 8, "shortcut": "project"}),
    (resnet_cifar, {"depth": 8, "shortcut": "project_all"}),
    (resnet_cifar, {"depth": 8, "shortcut": "none"}),
    (resnet_v2_cifar, {"depth": 11}),
    (wide_resnet_cifar, {"depth": 10, "width": 1, "dropout": 0.3}),
    (resnext_cifar, {"depth": 11, "cardinality": 4, "width": 4, "filters": 32}),
    (se_resnet_cifar, {"depth": 8, "ratio": 4}),
    (densenet_cifar, {"depth": 7, "dropout": 0.2}),
    (densenet_cifar, {"depth": 10, "bottleneck": True, "compression": 0.5}),
]
LARGE = [
    (resnet, {"depth": 50, "strided": "3x3"}),
    (resnet_v2, {"depth": 50}),
    (resnext, {"depth": 50}),
    (se_resnet, {"depth": 18}),
    (densenet, {"depth": 121}),
]


def case_name(value):
    """A builder's name and its arguments, for pytest's report."""
    if callable(value):
        return value.__name__
    if isinstance(value, dict):
        return "-".join(str(getattr(v, "__name__", v)) for v in value.values())
    return None


def block_model(block, shape=(6, 6, 8), **kwargs):
    """A model of one block, its layers' names beginning with "block"."""
    inputs = keras.Input(shape)
    return keras.Model(inputs, block(inputs, name="block", **kwargs))


def layers_of(model, kind):
    return [layer for layer in model.layers if isinstance(layer, kind)]


# Counts and sizes


@pytest.mark.usefixtures("cheap_weights")
@pytest.mark.parametrize(
    "builder, kwargs, depth, trainable, billions", PUBLISHED, ids=case_name
)
def test_counts_are_the_published_ones(builder, kwargs, depth, trainable, billions):
    model = builder(**kwargs)
    assert parameters(model, trainable=True) == trainable
    weighted = layers_of(model, (keras.layers.Conv2D, keras.layers.Dense))
    extra = [x for x in weighted if "shortcut" in x.name or "gate" in x.name]
    assert len(weighted) - len(extra) == depth
    if billions is not None:
        assert f"{describe(model).macs / 1e9:.2f}" == billions


@pytest.mark.usefixtures("cheap_weights")
def test_resnet50_needs_4_11_billion_with_normalisation_counted():
    # Profilers that give 4.11 G add two operations a value for each normalisation.
    table = describe(resnet(depth=50, strided="3x3"))
    normalised = sum(
        row.output_size[0] * row.output_size[1] * row.channels
        for row in table.rows
        if row.kind == "BatchNormalization"
    )
    assert f"{(table.macs + 2 * normalised) / 1e9:.2f}" == "4.11"


@pytest.mark.usefixtures("cheap_weights")
def test_resnet50_has_the_papers_sizes():
    model = resnet(depth=50)
    assert output_size(model, "stem_relu") == (112, 112, 64)
    assert output_size(model, "stem_pool") == (56, 56, 64)
    assert output_size(model, "stage1_block3_relu") == (56, 56, 256)
    assert output_size(model, "stage2_block4_relu") == (28, 28, 512)
    assert output_size(model, "stage3_block6_relu") == (14, 14, 1024)
    assert output_size(model, "stage4_block3_relu") == (7, 7, 2048)
    assert output_size(model, "probabilities") == (1000,)


@pytest.mark.usefixtures("cheap_weights")
@pytest.mark.parametrize(
    "builder, kwargs, blocks, channels",
    [
        (resnet, {"depth": 18}, (2, 2, 2, 2), 64),
        (resnet, {"depth": 34}, (3, 4, 6, 3), 64),
        (resnext, {"depth": 50}, (3, 4, 6, 3), 256),
        (resnext, {"depth": 101}, (3, 4, 23, 3), 256),
        (se_resnet, {"depth": 50}, (3, 4, 6, 3), 256),
    ],
    ids=case_name,
)
def test_stages_have_the_papers_sizes(builder, kwargs, blocks, channels):
    model = builder(**kwargs)
    assert output_size(model, "stem_pool") == (56, 56, 64)
    for stage, count in enumerate(blocks):
        size, filters = 56 // 2**stage, channels * 2**stage
        last = f"stage{stage + 1}_block{count}_relu"
        assert output_size(model, last) == (size, size, filters)


@pytest.mark.usefixtures("cheap_weights")
def test_resnet_cifar_has_the_papers_sizes():
    model = resnet_cifar(depth=56)
    assert output_size(model, "stage1_block9_relu") == (32, 32, 16)
    assert output_size(model, "stage2_block9_relu") == (16, 16, 32)
    assert output_size(model, "stage3_block9_relu") == (8, 8, 64)


@pytest.mark.usefixtures("cheap_weights")
def test_densenet121_has_the_papers_sizes():
    model = densenet(depth=121)
    # Channels grow by 32 a layer from 64, and each transition halves them.
    assert output_size(model, "block1_layer6_concatenate") == (56, 56, 256)
    assert output_size(model, "transition1_pool") == (28, 28, 128)
    assert output_size(model, "block2_layer12_concatenate") == (28, 28, 512)
    assert output_size(model, "transition2_pool") == (14, 14, 256)
    assert output_size(model, "block3_layer24_concatenate") == (14, 14, 1024)
    assert output_size(model, "transition3_pool") == (7, 7, 512)
    assert output_size(model, "block4_layer16_concatenate") == (7, 7, 1024)


# Agreement with keras.applications


def pooled(model):
    """The model up to its pooled features: where a softmax saturates they do not."""
    return keras.Model(model.input, model.get_layer("average").output)


@pytest.mark.usefixtures("cheap_weights")
@pytest.mark.parametrize(
    "builder, kwargs, application, parameters_of_both",
    [
        (resnet, {"depth": 50, "use_bias": True}, "ResNet50", 25_636_712),
        (resnet, {"depth": 101, "use_bias": True}, "ResNet101", 44_707_176),
        (resnet, {"depth": 152, "use_bias": True}, "ResNet152", 60_419_944),
        (resnet_v2, {"depth": 50}, "ResNet50V2", 25_613_800),
        (resnet_v2, {"depth": 101}, "ResNet101V2", 44_675_560),
        (resnet_v2, {"depth": 152}, "ResNet152V2", 60_380_648),
        (densenet, {"depth": 121}, "DenseNet121", 8_062_504),
        (densenet, {"depth": 169}, "DenseNet169", 14_307_880),
        (densenet, {"depth": 201}, "DenseNet201", 20_242_984),
    ],
    ids=case_name,
)
def test_same_function_as_keras_applications(
    builder, kwargs, application, parameters_of_both
):
    size = (64, 64, 3)
    model = builder(size, **kwargs)
    assert parameters(model) == parameters_of_both
    build = getattr(keras.applications, application)
    reference = build(weights=None, include_top=False, pooling="avg", input_shape=size)
    features = pooled(model)
    assert parameters(features) == parameters(reference)
    draw_weights(reference)
    copy_weights(reference, features)
    images = random_images(reference, count=3)
    (found,), (expected,) = (outputs_of(x, images) for x in (features, reference))
    # Deep networks of random weights give images much in common: what tells them
    # apart must agree.
    spread = np.ptp(expected, axis=0).max()
    assert np.abs(found - expected).max() <= 1e-4 * spread


# ResNet


def test_block_with_zero_gamma_is_the_identity():
    images = np.abs(random_images(block_model(residual_block, filters=8)))
    for settings in ({}, {"branch": bottleneck_branch}, {"gate": gate_of_two}):
        model = block_model(residual_block, filters=8, zero_gamma=True, **settings)
        np.testing.assert_array_equal(outputs_of(model, images)[0], images)
        plain = block_model(residual_block, filters=8, **settings)
        assert np.abs(outputs_of(plain, images)[0] - images).max() > 0.1


def gate_of_two(x, name):
    return squeeze_excitation(x, ratio=2, name=name)


@pytest.mark.usefixtures("cheap_weights")
@pytest.mark.parametrize(
    "depth, width, millions", [(28, 10, "36.5"), (16, 8, "11.0"), (40, 4, "8.9")]
)
def test_wide_networks_have_the_papers_convolutions_and_parameters(
    depth, width, millions
):
    model = wide_resnet_cifar(depth=depth, width=width)
    convolutions = layers_of(model, keras.layers.Conv2D)
    assert len(convolutions) == depth
    trainable = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert f"{trainable / 1e6:.1f}" == millions


def test_preactivation_block_with_a_last_zero_is_the_identity():
    model = block_model(preactivation_block, filters=8, zero_last=True)
    images = random_images(model)
    # Values below zero pass too: there is no ReLU after the sum.
    np.testing.assert_array_equal(outputs_of(model, images)[0], images)


@pytest.mark.parametrize(
    "builder, shallow, deep",
    [(resnet_cifar, 8, 26), (resnet_v2_cifar, 11, 29)],
    ids=case_name,
)
def test_depth_does_not_hurt_where_blocks_begin_as_identities(builder, shallow, deep):
    zero = {"zero_gamma" if builder is resnet_cifar else "zero_last": True}
    small, large = builder(depth=shallow, **zero), builder(depth=deep, **zero)
    draw_weights(small)
    names = {layer.name for layer in small.layers}
    for layer in large.layers:
        if layer.name in names:
            layer.set_weights(small.get_layer(layer.name).get_weights())
    # The first block of each stage changes the shape; the last weights of the
    # others are as the builder made them.
    images = random_images(small)
    np.testing.assert_allclose(
        outputs_of(large, images)[0], outputs_of(small, images)[0], rtol=1e-5
    )


def test_option_a_takes_every_second_pixel_and_appends_zeros():
    settings = {"filters": 20, "stride": 2, "shortcut": "pad", "zero_gamma": True}
    model = block_model(residual_block, (7, 6, 8), **settings)
    images = np.abs(random_images(model))
    expected = np.zeros((2, 4, 3, 20), "float32")
    expected[..., :8] = images[:, ::2, ::2]
    np.testing.assert_array_equal(outputs_of(model, images)[0], expected)
    shortcut = layers_of(model, PaddedIdentity)
    assert [layer.count_params() for layer in shortcut] == [0]


@pytest.mark.usefixtures("cheap_weights")
@pytest.mark.parametrize(
    "shortcut, projections, additions",
    [("pad", 0, 9), ("project", 2, 9), ("project_all", 9, 9), ("none", 0, 0)],
)
def test_shortcuts_project_where_their_option_says(shortcut, projections, additions):
    model = resnet_cifar(depth=20, shortcut=shortcut)
    convolutions = layers_of(model, keras.layers.Conv2D)
    assert sum("shortcut" in x.name for x in convolutions) == projections
    assert len(layers_of(model, keras.layers.Add)) == additions
    assert model.name == ("plain20" if shortcut == "none" else "resnet20")


def test_projection_is_a_normalised_product_of_every_second_pixel():
    settings = {"filters": 12, "stride": 2, "zero_gamma": True}
    model = block_model(residual_block, shortcut="project", **settings)
    layer = model.get_layer("block_shortcut_conv")
    images = random_images(model)
    kernel = keras.ops.convert_to_numpy(layer.kernel)[0, 0]
    # New statistics are mean 0 and variance 1.
    projected = images[:, ::2, ::2] @ kernel / np.sqrt(1.0 + 1.001e-5)
    np.testing.assert_allclose(
        outputs_of(model, images)[0], np.maximum(projected, 0.0), rtol=1e-4, atol=1e-5
    )


@pytest.mark.usefixtures("cheap_weights")
@pytest.mark.parametrize("strided, layer", [("1x1", "1_conv"), ("3x3", "2_conv")])
def test_stride_is_where_the_argument_says(strided, layer):
    model = resnet(depth=50, strided=strided)
    halving = {
        x.name for x in layers_of(model, keras.layers.Conv2D) if x.strides == (2, 2)
    }
    blocks = [f"stage{stage}_block1_" for stage in (2, 3, 4)]
    assert halving == {"stem_conv"} | {
        block + end for block in blocks for end in (layer, "shortcut_conv")
    }


def test_convolutions_begin_as_he_and_others_say():
    model = resnet_cifar(depth=8)
    for layer in layers_of(model, keras.layers.Conv2D):
        assert not layer.use_bias
        kernel = keras.ops.convert_to_numpy(layer.kernel)
        if kernel.size > 4_000:
            expected = np.sqrt(2.0 / np.prod(kernel.shape[:-1]))
            assert kernel.std() == pytest.approx(expected, rel=0.05), layer.name


# ResNeXt


@pytest.mark.parametrize("divided", [summed_paths, concatenated_paths], ids=case_name)
@pytest.mark.parametrize(
    "cardinality, width, stride", [(4, 3, 1), (8, 1, 2), (2, 8, 2)]
)
def test_three_forms_are_one_function(divided, cardinality, width, stride):
    settings = {"filters": 10, "cardinality": cardinality, "width": width}
    whole = block_model(grouped_paths, stride=stride, **settings)
    parts = block_model(divided, stride=stride, **settings)
    draw_weights(whole)
    share_weights(whole, parts)
    assert parameters(parts, trainable=True) == parameters(whole, trainable=True)
    images = random_images(whole)
    expected = outputs_of(whole, images)[0]
    np.testing.assert_allclose(
        outputs_of(parts, images)[0], expected, atol=1e-5 * np.abs(expected).max()
    )


@pytest.mark.parametrize(
    "cardinality, width", [(1, 64), (2, 40), (4, 24), (8, 14), (32, 4)]
)
def test_a_block_has_about_70_thousand_weights_at_every_cardinality(cardinality, width):
    model = block_model(
        grouped_paths,
        (8, 8, 256),
        filters=256,
        cardinality=cardinality,
        width=width,
    )
    kernels = sum(
        np.prod(layer.kernel.shape) for layer in layers_of(model, keras.layers.Conv2D)
    )
    # Section 3.3 of the paper.
    path = 256 * width + 3 * 3 * width * width + width * 256
    assert kernels == cardinality * path
    assert kernels == pytest.approx(70_000, rel=0.03)


# SENet


def test_gate_is_the_papers_formula():
    model = block_model(squeeze_excitation, ratio=4)
    draw_weights(model)
    first, bias1, second, bias2 = model.get_weights()
    assert first.shape == (8, 2) and second.shape == (2, 8)
    images = random_images(model)
    squeezed = images.mean((1, 2))
    excited = np.maximum(squeezed @ first + bias1, 0.0) @ second + bias2
    gate = 1.0 / (1.0 + np.exp(-excited))
    np.testing.assert_allclose(
        outputs_of(model, images)[0], images * gate[:, None, None], atol=1e-5
    )


def test_gate_has_a_unit_where_the_ratio_leaves_none():
    model = block_model(squeeze_excitation, ratio=16)
    assert model.get_layer("block_reduce").units == 1


@pytest.mark.usefixtures("cheap_weights")
@pytest.mark.parametrize("ratio", [4, 16])
def test_se_resnet20_is_resnet20_and_its_gates(ratio):
    gates = 0
    for channels in 3 * [16] + 3 * [32] + 3 * [64]:
        units = channels // ratio
        gates += 2 * channels * units + units + channels
    model = se_resnet_cifar(depth=20, ratio=ratio)
    assert parameters(model, trainable=True) == 269_722 + gates
    assert (
        model.get_layer("stage1_block1_add").input[1]
        is model.get_layer("stage1_block1_gate_scale").output
    )


# DenseNet


def test_a_dense_block_keeps_its_input_and_adds_to_it():
    model = block_model(dense_block, count=3, growth_rate=5)
    draw_weights(model)
    images = random_images(model)
    output = outputs_of(model, images)[0]
    assert output.shape == (2, 6, 6, 8 + 3 * 5)
    np.testing.assert_array_equal(output[..., :8], images)
    # The second layer reads the image and what the first has written.
    assert model.get_layer("block_layer2_1_conv").kernel.shape == (1, 1, 13, 20)
    assert model.get_layer("block_layer2_2_conv").kernel.shape == (3, 3, 20, 5)


def test_a_transition_compresses_and_halves():
    model = block_model(transition, (7, 6, 9), compression=0.5)
    assert model.output.shape == (None, 3, 3, 4)


@pytest.mark.usefixtures("cheap_weights")
def test_dropout_follows_every_convolution_but_the_first():
    for settings in ({"depth": 13}, {**BC100, "depth": 16}):
        model = densenet_cifar(dropout=0.2, **settings)
        convolutions = layers_of(model, keras.layers.Conv2D)
        dropouts = layers_of(model, keras.layers.Dropout)
        assert len(dropouts) == len(convolutions) - 1
        assert {layer.rate for layer in dropouts} == {0.2}
        before = {x.input._keras_history.operation.name for x in dropouts}
        assert before == {x.name for x in convolutions} - {"stem_conv"}
        assert not layers_of(densenet_cifar(**settings), keras.layers.Dropout)


@pytest.mark.usefixtures("cheap_weights")
def test_densenet_of_the_authors_program_has_its_parameters():
    # Compression without bottlenecks and 24 channels to begin with, as their program
    # was run in https://github.com/liuzhuang13/DenseNet/issues/14.
    inputs = keras.Input((32, 32, 3))
    x = convolution(inputs, 24, 3, name="stem")
    x = dense_blocks(x, (12, 12, 12), 12, bottleneck=False, compression=0.5)
    model = keras.Model(inputs, classifier(x, 10))
    assert parameters(model, trainable=True) == 599_050


# Every builder


@pytest.mark.parametrize("builder, kwargs", SMALL, ids=case_name)
def test_small_reloads_and_trains_one_step(builder, kwargs, tmp_path):
    keras.utils.set_random_seed(0)
    model = builder((16, 16, 3), 10, **kwargs)
    check_names(model)
    check_probabilities(model)
    check_saves_and_reloads(model, tmp_path)
    check_trains_one_step(model)


@pytest.mark.parametrize("builder, kwargs", LARGE, ids=case_name)
def test_large_reloads_and_trains_one_step(builder, kwargs, tmp_path):
    keras.utils.set_random_seed(0)
    model = builder((32, 32, 3), 10, **kwargs)
    check_names(model)
    check_saves_and_reloads(model, tmp_path)
    check_trains_one_step(model)


# One of each family; a gated ResNet is a ResNet with all its parts.
FAMILIES = "resnet_v2 or resnext or se_resnet or densenet_cifar-7"


@pytest.mark.parametrize(
    "backend, networks",
    [
        ("jax", "se_resnet"),
        pytest.param("jax", FAMILIES, marks=pytest.mark.applications),
        pytest.param("torch", "cifar", marks=pytest.mark.applications),
    ],
)
def test_trains_elsewhere(backend, networks):
    check_on(backend, __file__, f"test_small_reloads and ({networks})")


@pytest.mark.usefixtures("cheap_weights")
@pytest.mark.parametrize(
    "builder, smallest, kwargs",
    [
        (resnet, 32, {"depth": 18}),
        (resnet_v2, 32, {}),
        (resnext, 32, {}),
        (se_resnet, 32, {"depth": 18}),
        (densenet, 32, {}),
        (resnet_cifar, 4, {"depth": 8}),
        (resnet_v2_cifar, 4, {"depth": 11}),
        (wide_resnet_cifar, 4, {"depth": 10, "width": 1}),
        (resnext_cifar, 4, {"depth": 11}),
        (se_resnet_cifar, 4, {"depth": 8}),
        (densenet_cifar, 4, {"depth": 7}),
    ],
    ids=case_name,
)
def test_smallest_image(builder, smallest, kwargs):
    check_smallest_image(builder, smallest, **kwargs)


@pytest.mark.usefixtures("cheap_weights")
@pytest.mark.parametrize(
    "builder, kwargs, value, choice",
    [
        (resnet, {"depth": 51}, "51", "18, 34, 50, 101, 152"),
        (se_resnet, {"depth": 51}, "51", "18, 34, 50, 101, 152"),
        (resnet_v2, {"depth": 18}, "18", "50, 101, 152"),
        (resnext, {"depth": 152}, "152", "50, 101"),
        (densenet, {"depth": 161}, "161", "121, 169, 201"),
        (resnet_cifar, {"depth": 21}, "21", "20, 32, 44, 56, 110"),
        (resnet_cifar, {"depth": 2}, "2", r"6n \+ 2"),
        (se_resnet_cifar, {"depth": 51}, "51", r"6n \+ 2"),
        (resnet_v2_cifar, {"depth": 163}, "163", r"9n \+ 2"),
        (wide_resnet_cifar, {"depth": 26}, "26", r"6n \+ 4"),
        (wide_resnet_cifar, {"width": 1.5}, "1.5", "whole number"),
        (wide_resnet_cifar, {"width": 0}, "0", "above zero"),
        (resnext_cifar, {"depth": 28}, "28", r"9n \+ 2"),
        (densenet_cifar, {"depth": 41}, "41", r"3n \+ 4"),
        (densenet_cifar, {"depth": 43, "bottleneck": True}, "43", r"6n \+ 4"),
        (densenet_cifar, {"compression": 1.5}, "1.5", "at most 1"),
        (densenet_cifar, {"compression": 0.0}, "0.0", "above 0"),
        (resnet, {"shortcut": "A"}, "'A'", "pad, project, project_all, none"),
        (resnet_cifar, {"shortcut": None}, "None", "pad, project, project_all, none"),
        (resnet, {"strided": "5x5"}, "'5x5'", "1x1, 3x3"),
        (resnet, {"depth": 18, "strided": "5x5"}, "'5x5'", "1x1, 3x3"),
        (resnet_cifar, {"shortcut": "none", "zero_gamma": True}, "'none'", "shortcut"),
    ],
    ids=case_name,
)
def test_unknown_arguments_are_named_beside_the_choices(builder, kwargs, value, choice):
    with pytest.raises(ValueError, match=value) as error:
        builder(**kwargs)
    assert error.match(choice)


def test_option_a_cannot_lose_channels():
    with pytest.raises(ValueError, match="8 channels to 4"):
        block_model(residual_block, filters=4, shortcut="pad")
