"""LeNet-5, AlexNet, VGG, NiN and Inception: what holds for all, and published sizes."""

from functools import partial

import keras
import numpy as np
import pytest
from architecture_checks import (
    cheap_weights,  # noqa: F401  (a fixture)
    check_names,
    check_on,
    check_probabilities,
    check_same_function_as,
    check_saves_and_reloads,
    check_smallest_image,
    check_trains_one_step,
    output_size,
    outputs_of,
    parameters,
    random_images,
)

from helpers.architectures.alexnet import alexnet, alexnet_cifar
from helpers.architectures.inception_v1 import googlenet, googlenet_cifar
from helpers.architectures.inception_v2 import inception_v2, inception_v2_cifar
from helpers.architectures.inception_v3 import inception_v3, inception_v3_cifar
from helpers.architectures.lenet import lenet5, lenet5_cifar
from helpers.architectures.lenet_1998 import lenet5_1998, lenet5_1998_cifar
from helpers.architectures.local_response import LocalResponseNormalization
from helpers.architectures.network_in_network import nin
from helpers.architectures.vgg import CONFIGURATIONS, initialise_from, vgg, vgg_cifar
from helpers.describe import describe

# Total and trainable parameters. LeNet: the paper, and its modern reading. AlexNet,
# VGG, NiN: the papers' layers added up. GoogLeNet: its model file of 2014; with batch
# normalisation the 7,280 biases become scales and shifts; with 3x3 kernels in place of
# 5x5 it is torchvision's network.
COUNTS = [
    (lenet5, 61_706, 61_706),
    (lenet5_cifar, 62_006, 62_006),
    (lenet5_1998, 60_840, 60_000),
    (partial(lenet5_1998, head="softmax"), 60_850, 60_850),
    (alexnet, 60_965_224, 60_965_224),
    (partial(alexnet, towers=1), 62_378_344, 62_378_344),
    (partial(vgg, "11"), 132_863_336, 132_863_336),
    (partial(vgg, "11-LRN"), 132_863_336, 132_863_336),
    (partial(vgg, "13"), 133_047_848, 133_047_848),
    (partial(vgg, "16-1x1"), 133_638_952, 133_638_952),
    (partial(vgg, "16"), 138_357_544, 138_357_544),
    (partial(vgg, "19"), 143_667_240, 143_667_240),
    (nin, 966_986, 966_986),
    (googlenet, 6_998_552, 6_998_552),
    (partial(googlenet, side_branches=True), 13_378_280, 13_378_280),
    (
        partial(googlenet, normalization="batch"),
        6_998_552 + 3 * 7_280,
        6_998_552 + 7_280,
    ),
    (partial(googlenet, normalization="batch", large=3), 6_639_464, 6_624_904),
    (inception_v3, 23_851_784, 23_817_352),
]

# The smallest image of each, and what else it is built with.
BUILDERS = {
    "lenet5": (lenet5, 16, 1, {}),
    "lenet5_1998": (lenet5_1998, 32, 1, {}),
    "alexnet": (alexnet, 67, 3, {}),
    "alexnet_one_tower": (alexnet, 67, 3, {"towers": 1}),
    "vgg11_lrn": (partial(vgg, "11-LRN"), 32, 3, {}),
    "vgg16_1x1": (partial(vgg, "16-1x1"), 32, 3, {}),
    "googlenet": (googlenet, 32, 3, {}),
    "googlenet_side": (googlenet, 65, 3, {"side_branches": True}),
    "inception_v2": (inception_v2, 32, 3, {}),
    "inception_v3": (inception_v3, 75, 3, {}),
    "lenet5_cifar": (lenet5_cifar, 16, 3, {"activation": "relu", "pooling": "max"}),
    "lenet5_1998_cifar": (lenet5_1998_cifar, 32, 3, {}),
    "alexnet_cifar": (alexnet_cifar, 15, 3, {}),
    "alexnet_cifar_towers": (alexnet_cifar, 15, 3, {"towers": 2}),
    "alexnet_cifar_batch": (alexnet_cifar, 15, 3, {"normalization": "batch"}),
    "vgg16_cifar": (partial(vgg_cifar, 16), 32, 3, {"width": 0.25}),
    "vgg11_cifar_plain": (
        partial(vgg_cifar, 11),
        32,
        3,
        {"width": 0.25, "normalization": "none"},
    ),
    "nin": (nin, 4, 3, {}),
    "nin_dense": (nin, 4, 3, {"head": "dense", "normalization": "batch"}),
    "googlenet_cifar": (googlenet_cifar, 8, 3, {}),
    "googlenet_cifar_side": (googlenet_cifar, 8, 3, {"side_branches": True}),
    "inception_v2_cifar": (inception_v2_cifar, 8, 3, {}),
    "inception_v3_cifar": (inception_v3_cifar, 8, 3, {}),
}


def small_model(name):
    """A network for ten classes of the smallest images that it takes."""
    builder, smallest, channels, options = BUILDERS[name]
    keras.utils.set_random_seed(0)
    shape = (smallest, smallest, channels)
    return builder(input_shape=shape, classes=10, **options)


@pytest.mark.parametrize(("builder", "total", "trainable"), COUNTS)
def test_parameters_are_the_published_ones(builder, total, trainable, cheap_weights):  # noqa: F811
    model = builder()
    assert parameters(model) == total
    assert parameters(model, trainable=True) == trainable


@pytest.mark.parametrize("name", BUILDERS)
def test_smallest_image_is_named(name, cheap_weights):  # noqa: F811
    builder, smallest, channels, options = BUILDERS[name]
    check_smallest_image(builder, smallest, channels, **options)


@pytest.mark.parametrize("name", BUILDERS)
def test_saves_and_reloads(name, tmp_path):
    model = small_model(name)
    check_names(model)
    check_probabilities(model)
    check_saves_and_reloads(model, tmp_path)


@pytest.mark.parametrize("name", BUILDERS)
def test_one_step_is_finite(name):
    check_trains_one_step(small_model(name))


@pytest.mark.parametrize(
    "backend, networks",
    [
        ("jax", "lenet5"),
        pytest.param("jax", "one_step", marks=pytest.mark.applications),
        pytest.param("torch", "one_step", marks=pytest.mark.applications),
    ],
)
def test_trains_elsewhere(backend, networks):
    check_on(backend, __file__, f"one_step_is_finite and ({networks})")


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (partial(lenet5, activation="tahn"), "'tahn'. Choose one of: tanh, relu"),
        (partial(lenet5, pooling="mean"), "'mean'. Choose one of: average, max"),
        (partial(lenet5_1998, head="gauss"), "'gauss'. Choose one of: rbf, softmax"),
        (partial(lenet5_1998, classes=7), "classes=7"),
        (partial(alexnet, towers=3), "3. Choose one of: 1, 2"),
        (partial(alexnet_cifar, normalization="lnr"), "'lnr'. Choose one of: lrn"),
        (partial(vgg, 12), "'12'. Choose one of: 11, 11-LRN, 13, 16-1x1, 16, 19"),
        (partial(vgg_cifar, normalization=True), "True. Choose one of: batch, none"),
        (partial(nin, width=0), "width=0"),
        (partial(nin, head="max"), "'max'. Choose one of: average, dense"),
        (partial(googlenet, normalization="lrn"), "'lrn'. Choose one of: batch"),
    ],
)
def test_unknown_choices_are_named(build, words):
    with pytest.raises(ValueError) as error:
        build()
    assert words in str(error.value)


# Local response normalisation


def test_local_response_normalization_is_its_formula():
    x = np.random.default_rng(0).normal(0, 30, (2, 3, 4, 7)).astype("float32")
    n, k, alpha, beta = 5, 2.0, 1e-4, 0.75
    expected = np.empty_like(x)
    for i in range(7):
        near = range(max(0, i - n // 2), min(7, i + n // 2 + 1))
        total = sum(x[..., j].astype("float64") ** 2 for j in near)
        expected[..., i] = x[..., i] / (k + alpha * total) ** beta
    found = keras.ops.convert_to_numpy(LocalResponseNormalization()(x))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    other = LocalResponseNormalization(size=1, k=1.0, alpha=1.0, beta=1.0)(x)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(other), x / (1 + x**2), rtol=1e-5
    )


def test_local_response_normalization_sums_in_32_bits():
    x = np.full((1, 1, 1, 5), 300.0, "float32")
    layer = LocalResponseNormalization(dtype="mixed_float16")
    found = keras.ops.convert_to_numpy(keras.ops.cast(layer(x), "float32"))
    # 300 ** 2 is infinite in float16. In the middle: 2 + 1e-4 * 5 * 90,000 = 47.
    assert found[0, 0, 0, 2] == pytest.approx(300 / 47**0.75, rel=2e-3)


def test_local_response_normalization_refuses_even_sizes():
    with pytest.raises(ValueError, match="size is 4"):
        LocalResponseNormalization(size=4)


# AlexNet


def test_alexnet_has_the_papers_sizes(cheap_weights):  # noqa: F811
    model = alexnet()
    names = ["conv1", "conv1_pool", "conv2", "conv2_pool", "conv3", "conv4", "conv5"]
    sizes = [output_size(model, name) for name in [*names, "conv5_pool"]]
    # (n - k) / s + 1, and n where "same" pads.
    assert (227 - 11) / 4 + 1 == 55
    assert sizes == [
        (55, 55, 96),
        (27, 27, 96),
        (27, 27, 256),
        (13, 13, 256),
        (13, 13, 384),
        (13, 13, 384),
        (13, 13, 256),
        (6, 6, 256),
    ]
    # Without biases, 724 million multiply-adds; a tower that sees all needs more.
    assert round(describe(model).macs / 1e6) == 724
    assert round(describe(alexnet(towers=1)).macs / 1e6) == 1135


def test_towers_meet_in_the_third_convolution_alone():
    def seen(towers, layer):
        """The channels of a layer that change with the first tower's of conv1."""
        keras.utils.set_random_seed(1)
        model = alexnet((67, 67, 3), 10, towers, normalization="none")
        first = keras.Model(model.input, model.get_layer("conv1_pool").output)
        rest = keras.Model(
            model.get_layer("conv1_pool").output, model.get_layer(layer).output
        )
        x = keras.ops.convert_to_numpy(first(random_images(model, 1)))
        changed = x.copy()
        changed[..., :48] += 1.0
        (a,), (b,) = outputs_of(rest, x), outputs_of(rest, changed)
        return np.abs(a - b).max((0, 1, 2)) > 0

    assert seen(2, "conv2")[:128].all() and not seen(2, "conv2")[128:].any()
    assert seen(2, "conv3").all()
    assert seen(1, "conv2").all()


# VGG


def test_vgg_counts_by_hand(cheap_weights):  # noqa: F811
    def convolutions(sizes, filters=(64, 128, 256, 512, 512)):
        total, channels = 0, 3
        for count, stage in zip(filters, sizes, strict=True):
            for size in stage:
                total += size * size * channels * count + count
                channels = count
        return total

    dense = 7 * 7 * 512 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000
    found = {
        name: convolutions(sizes) + dense for name, sizes in CONFIGURATIONS.items()
    }
    # The last line of Table 2, in millions.
    assert [round(n / 1e6) for n in found.values()] == [133, 133, 133, 134, 138, 144]
    assert found["16-1x1"] == 133_638_952
    # Nine of ten parameters sit in the dense layers.
    assert dense == 123_642_856


def test_vgg_multiply_adds_and_sizes(cheap_weights):  # noqa: F811
    giga = [describe(vgg(depth)).macs / 1e9 for depth in (11, 13, 16, 19)]
    assert np.round(giga, 2).tolist() == [7.61, 11.31, 15.47, 19.63]
    model = vgg(16)
    sizes = [output_size(model, f"block{stage}_pool")[0] for stage in range(1, 6)]
    assert sizes == [112, 56, 28, 14, 7]


@pytest.mark.parametrize(("depth", "reference"), [(16, "VGG16"), (19, "VGG19")])
def test_vgg_is_the_one_of_keras(depth, reference):
    shape = (64, 64, 3)
    model = vgg(depth, shape)
    other = getattr(keras.applications, reference)(weights=None, input_shape=shape)
    check_same_function_as(model, other)


def test_deep_vgg_begins_with_weights_of_a_shallow_one():
    keras.utils.set_random_seed(0)
    options = {"width": 0.125, "units": (16, 16), "normalization": "none"}
    shallow, deep = vgg_cifar(11, **options), vgg_cifar(16, **options)
    before = {x.name: x.get_weights() for x in deep.layers}
    names = initialise_from(deep, shallow)
    assert names == [
        "block1_conv1",
        "block2_conv1",
        "block3_conv1",
        "block3_conv2",
        "fc1",
        "fc2",
        "probabilities",
    ]
    for layer in deep.layers:
        source = shallow.get_layer(layer.name) if layer.name in names else None
        expected = source.get_weights() if source else before[layer.name]
        for value, other in zip(layer.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(value, other)


def test_deep_vgg_takes_batch_normalisation_too():
    options = {"width": 0.125, "units": (16, 16)}
    names = initialise_from(vgg_cifar(13, **options), vgg_cifar(11, **options), 1, 0)
    assert names == ["block1_conv1", "block1_conv1_bn"]


def test_weights_of_another_width_are_refused():
    wide = vgg_cifar(11, width=0.25, units=(16, 16))
    narrow = vgg_cifar(13, width=0.125, units=(16, 16))
    with pytest.raises(ValueError, match=r"'block1_conv1'.*\(3, 3, 3, 16\).*"):
        initialise_from(narrow, wide)


def test_glorot_halves_the_variance_that_he_keeps():
    variances = {}
    for initializer in ("he_normal", "glorot_uniform"):
        keras.utils.set_random_seed(0)
        model = vgg_cifar(
            19, width=0.5, normalization="none", kernel_initializer=initializer
        )
        ends = [model.get_layer(f"block4_conv{i}").output for i in (2, 4)]
        first, last = outputs_of(keras.Model(model.input, ends), random_images(model))
        variances[initializer] = last.var() / first.var()
    # Two convolutions of as many channels: a quarter, whatever the borders do.
    ratio = variances["glorot_uniform"] / variances["he_normal"]
    assert ratio == pytest.approx(0.25, rel=0.25)


# Network in Network


def test_nin_has_the_papers_maps():
    model = nin()
    sizes = [output_size(model, f"mlpconv{i}_relu1") for i in (1, 2, 3)]
    assert sizes == [(32, 32, 192), (16, 16, 192), (8, 8, 192)]
    assert output_size(model, "maps") == (8, 8, 10)
    assert output_size(model, "average") == (10,)
    # A dense layer on the maps has 640 weights and a bias for each class.
    assert parameters(nin(head="dense")) - parameters(model) == 6_410


def test_nin_with_half_of_the_filters():
    model = nin(width=0.5)
    shapes = {layer.name: layer.kernel.shape for layer in model.layers if layer.weights}
    assert shapes["mlpconv1_conv1"] == (5, 5, 3, 96)
    assert shapes["mlpconv2_conv1"] == (5, 5, 48, 96)
    # The maps are one for each class at any width.
    assert shapes["maps"] == (1, 1, 96, 10)


def test_nin_averages_the_map_of_each_class():
    model = nin()
    ends = [model.get_layer(name).output for name in ("maps_relu", "probabilities")]
    maps, found = outputs_of(keras.Model(model.input, ends), random_images(model))
    scores = np.exp(maps.mean((1, 2)))
    np.testing.assert_allclose(found, scores / scores.sum(-1, keepdims=True), rtol=1e-5)
