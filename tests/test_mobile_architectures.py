"""MobileNet, Xception, ShuffleNet and EfficientNet against papers and Keras."""

import itertools
import math

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
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import receptive_field
from helpers.architectures import BUILDERS
from helpers.architectures.channel_shuffle import ChannelShuffle
from helpers.architectures.efficientnet import efficientnet
from helpers.architectures.imagenet import copy_weights
from helpers.architectures.mobilenet import BLOCKS, mobilenet, mobilenet_cifar
from helpers.architectures.mobilenet_v2 import divisible, mobilenet_v2
from helpers.architectures.shufflenet import grouped_pointwise, shufflenet
from helpers.architectures.shufflenet_v2 import shufflenet_v2
from helpers.architectures.xception import xception
from helpers.multiply_adds import multiply_adds

applications = keras.applications

# The networks for CIFAR-10 with the smallest image that each takes.
CIFAR = {
    "mobilenet": 16,
    "mobilenet_v2": 8,
    "xception": 16,
    "shufflenet": 8,
    "shufflenet_v2": 8,
    "efficientnet_b0": 8,
}


def macs(model):
    """Multiply-adds of a model, without the receptive fields that take longest."""
    return sum(
        multiply_adds(
            layer,
            [x.shape for x in keras.tree.flatten(layer.input)],
            [layer.output.shape],
        )
        for layer in model.layers
    )


def check_same_function(model, reference, images=None, tolerance=1e-4):
    """With the weights of the reference, a model gives its outputs.

    Batch normalisation takes its statistics from the images: with drawn ones, the
    values shrink from layer to layer until the image makes no difference.
    """
    assert parameters(model) == parameters(reference)
    assert parameters(model, trainable=True) == parameters(reference, trainable=True)
    images = random_images(reference, count=3) if images is None else images
    draw_weights(reference)
    for layer in reference.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    reference(images, training=True)
    copy_weights(reference, model)
    (found,), (expected,) = outputs_of(model, images), outputs_of(reference, images)
    assert np.ptp(expected, axis=0).max() > 0.1 * expected.max()
    difference = np.abs(found - expected).max() / expected.max()
    assert difference <= tolerance
    return difference


# ------------------------------------------------------------- networks for CIFAR-10


@pytest.mark.parametrize("name", CIFAR)
def test_cifar_network_has_names_gives_probabilities_and_reloads(name, tmp_path):
    model = BUILDERS[name]()
    assert model.name == name
    check_names(model)
    check_probabilities(model)
    check_saves_and_reloads(model, tmp_path)


@pytest.mark.parametrize("name", CIFAR)
def test_cifar_network_trains_one_step(name):
    keras.utils.set_random_seed(0)
    check_trains_one_step(BUILDERS[name]())


@pytest.mark.parametrize(
    "builder, side",
    [
        (mobilenet, 64),
        (mobilenet_v2, 64),
        (xception, 71),
        (shufflenet, 64),
        (shufflenet_v2, 64),
        (efficientnet, 64),
    ],
)
def test_published_network_reloads_and_trains_one_step(builder, side, tmp_path):
    keras.utils.set_random_seed(0)
    model = builder((side, side, 3), 10)
    check_names(model)
    check_saves_and_reloads(model, tmp_path)
    check_trains_one_step(model)


@pytest.mark.parametrize(
    "backend, networks",
    [
        ("jax", "shufflenet_v2"),
        pytest.param("jax", "cifar", marks=pytest.mark.applications),
        pytest.param("torch", "cifar", marks=pytest.mark.applications),
    ],
)
def test_networks_train_one_step_elsewhere(backend, networks):
    choice = f"test_cifar_network_trains_one_step and ({networks})"
    check_on(backend, __file__, choice)


@pytest.mark.parametrize("name", CIFAR)
def test_cifar_network_refuses_images_that_vanish(name, cheap_weights):  # noqa: F811
    check_smallest_image(BUILDERS[name], CIFAR[name])


@pytest.mark.parametrize(
    "name, millions, last",
    [
        ("mobilenet", 46, 2),
        ("mobilenet_half", 12, 2),
        ("mobilenet_v2", 44, 4),
        ("xception", 49, 2),
        ("shufflenet", 43, 4),
        ("shufflenet_v2", 45, 4),
        ("efficientnet_b0", 63, 4),
    ],
)
def test_cifar_network_costs_what_two_cores_can_pay(
    name,
    millions,
    last,
    cheap_weights,  # noqa: F811
):
    model = BUILDERS[name]()
    assert round(macs(model) / 1e6) == millions
    pooled = model.get_layer("average").input
    assert tuple(pooled.shape[1:3]) == (last, last)


# ------------------------------------------------------------------------ MobileNet


def test_mobilenet_has_the_papers_costs(cheap_weights):  # noqa: F811
    model = mobilenet()
    # Table 4: 569 million multiply-adds and 4.2 million parameters, and with 3x3
    # convolutions of all channels 4,866 and 29.3.
    assert round(macs(model) / 1e6) == 569
    assert round(parameters(model, trainable=True) / 1e6, 1) == 4.2
    full = mobilenet(separable=False)
    assert macs(full) / 1e6 == pytest.approx(4866, rel=5e-4)
    assert round(parameters(full) / 1e6, 1) == 29.3
    assert not any(isinstance(x, keras.layers.DepthwiseConv2D) for x in full.layers)


@pytest.mark.parametrize(
    "alpha, rho, cost, size",
    [
        # Table 6, the width multiplier: multiply-adds and parameters in millions.
        (0.75, 1, 325, 2.6),
        (0.5, 1, 149, 1.3),
        (0.25, 1, 41, 0.5),
        # Table 7, the resolution multiplier.
        (1.0, 192 / 224, 418, 4.2),
        (1.0, 160 / 224, 290, 4.2),
        (1.0, 128 / 224, 186, 4.2),
    ],
)
def test_mobilenet_multipliers_have_the_papers_costs(
    alpha,
    rho,
    cost,
    size,
    cheap_weights,  # noqa: F811
):
    model = mobilenet(alpha=alpha, rho=rho)
    assert macs(model) / 1e6 == pytest.approx(cost, abs=1)
    assert round(parameters(model, trainable=True) / 1e6, 1) == size


def test_mobilenet_has_the_papers_sizes(cheap_weights):  # noqa: F811
    model = mobilenet()
    # Table 1, filters of the pointwise convolutions and the size behind them.
    sizes = [112, 56, 56, 28, 28, *[14] * 6, 7, 7]
    assert output_size(model, "stem_conv") == (112, 112, 32)
    for index, (size, (filters, _)) in enumerate(zip(sizes, BLOCKS, strict=True), 1):
        layer = f"block{index}_pointwise_conv"
        assert output_size(model, layer) == (size, size, filters)


@pytest.mark.parametrize("alpha", [0.25, 0.5, 0.75, 1.0])
def test_mobilenet_is_that_of_keras(alpha):
    shape = (64, 96, 3)
    check_same_function(
        mobilenet(shape, alpha=alpha),
        applications.MobileNet(shape, alpha=alpha, weights=None),
    )


def test_mobilenet_refuses_what_leaves_nothing():
    with pytest.raises(ValueError, match="alpha=0"):
        mobilenet(alpha=0)
    with pytest.raises(ValueError, match="rho=-1"):
        mobilenet(rho=-1)
    with pytest.raises(ValueError, match=r"\(28, 28, 3\)"):
        mobilenet((224, 224, 3), rho=0.125)


# ---------------------------------------------------------------------- MobileNetV2


def test_mobilenet_v2_has_the_papers_costs(cheap_weights):  # noqa: F811
    model = mobilenet_v2()
    # Table 4: 300 million and 3.4 million; torchvision counts 3,504,872.
    assert round(macs(model) / 1e9, 2) == 0.30
    assert parameters(model, trainable=True) == 3_504_872
    # Table 2: size in front of each stage, and channels behind it.
    sizes = [112, 56, 28, 14, 14, 7, 7]
    channels = [16, 24, 32, 64, 96, 160, 320]
    for index, (size, filters) in enumerate(zip(sizes, channels, strict=True), 1):
        layer = f"stage{index}_block1_project_conv"
        assert output_size(model, layer) == (size, size, filters)


@pytest.mark.parametrize("alpha", [0.35, 0.5, 0.75, 1.0, 1.3, 1.4])
def test_mobilenet_v2_is_that_of_keras(alpha):
    shape = (64, 45, 3)
    check_same_function(
        mobilenet_v2(shape, alpha=alpha),
        applications.MobileNetV2(shape, alpha=alpha, weights=None),
    )


def test_bottlenecks_are_linear(cheap_weights):  # noqa: F811
    """The tensors between blocks come from no ReLU, unless that is asked for."""
    kinds = {}
    for linear in (True, False):
        model = mobilenet_v2((32, 32, 3), linear=linear)
        ends = [x for x in model.layers if x.name.endswith("_expand_conv")]
        kinds[linear] = {type(x.input._keras_history.operation).__name__ for x in ends}
    assert kinds == {True: {"BatchNormalization", "Add"}, False: {"ReLU", "Add"}}


@settings(deadline=None)
@given(st.floats(1, 3000), st.sampled_from([4, 8, 16]))
def test_rounding_of_channels_loses_a_tenth_at_most(channels, divisor):
    rounded = divisible(channels, divisor)
    assert rounded % divisor == 0 and rounded >= 0.9 * channels
    # No smaller multiple is nearer, unless it loses too much.
    below = rounded - divisor
    assert below < 0.9 * channels or abs(rounded - channels) <= divisor / 2


# ------------------------------------------------------------------------- Xception


def test_xception_has_the_papers_costs(cheap_weights):  # noqa: F811
    model = xception()
    # Table 3: 22,855,952 parameters; figure 5: the sizes of the three flows.
    assert parameters(model, trainable=True) == 22_855_952
    assert round(macs(model) / 1e9, 1) == 8.4
    assert output_size(model, "stem2_conv") == (147, 147, 64)
    assert output_size(model, "entry3_add") == (19, 19, 728)
    assert output_size(model, "middle8_add") == (19, 19, 728)
    assert output_size(model, "exit3_relu") == (10, 10, 2048)
    check_smallest_image(xception, 71)


def test_xception_is_that_of_keras():
    shape = (71, 96, 3)
    check_same_function(
        xception(shape), applications.Xception(input_shape=shape, weights=None)
    )


# ----------------------------------------------------------------------- ShuffleNet


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 3), st.integers(1, 3))
def test_shuffle_is_the_papers_permutation(groups, size, height, width):
    channels = groups * size
    x = np.arange(2 * height * width * channels, dtype="float32")
    x = x.reshape(2, height, width, channels)
    found = keras.ops.convert_to_numpy(ChannelShuffle(groups)(x))
    for group, index in itertools.product(range(groups), range(size)):
        source, target = group * size + index, index * groups + group
        np.testing.assert_array_equal(found[..., target], x[..., source])
    # As many groups as a group had channels turn the table back.
    back = keras.ops.convert_to_numpy(ChannelShuffle(size)(found))
    np.testing.assert_array_equal(back, x)


def test_shuffle_refuses_what_it_cannot_divide():
    with pytest.raises(ValueError, match="10 channels into 3 groups"):
        ChannelShuffle(3)(np.zeros((1, 2, 2, 10), "float32"))
    with pytest.raises(ValueError, match="^0 groups"):
        ChannelShuffle(0)


def test_shuffle_keeps_the_receptive_field():
    inputs = keras.Input((None, None, 4), name="image")
    x = keras.layers.Conv2D(6, 3, padding="same", name="conv")(inputs)
    x = ChannelShuffle(2, name="shuffle")(x)
    model = keras.Model(inputs, x)
    assert model(np.zeros((1, 5, 7, 4), "float32")).shape == (1, 5, 7, 6)
    assert receptive_field.receptive_fields(model)["shuffle"].size == (3, 3)


@pytest.mark.parametrize("groups", [1, 3])
def test_grouped_pointwise_is_a_convolution_in_groups(groups):
    inputs = keras.Input((4, 5, 12))
    ours = keras.Model(inputs, grouped_pointwise(inputs, 6, groups, name="ours"))
    convolution = keras.layers.Conv2D(6, 1, groups=groups, use_bias=False)
    x = np.random.default_rng(0).normal(size=(2, 4, 5, 12)).astype("float32")
    convolution.build(x.shape)
    # Keras lays all groups' outputs side by side: (1, 1, inputs of a group, outputs).
    kernel = np.random.default_rng(1).normal(size=(groups, 12 // groups, 6 // groups))
    ours.get_layer("ours_conv").set_weights([kernel])
    side_by_side = np.concatenate(list(kernel), axis=-1)
    convolution.set_weights([side_by_side.reshape(convolution.kernel.shape)])
    scale = 1 / math.sqrt(1 + ours.get_layer("ours_bn").epsilon)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(ours(x)),
        keras.ops.convert_to_numpy(convolution(x)) * scale,
        atol=1e-5,
    )


def test_grouped_pointwise_starts_as_he_and_others_say():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((1, 1, 240))
    model = keras.Model(inputs, grouped_pointwise(inputs, 240, 3, name="x"))
    kernel = keras.ops.convert_to_numpy(model.get_layer("x_conv").kernel)
    # 80 inputs of each output, whatever the number of groups.
    assert kernel.std() == pytest.approx(math.sqrt(2 / 80), rel=0.02)


@pytest.mark.parametrize("shuffle", [True, False])
def test_groups_meet_through_the_shuffle_alone(shuffle):
    inputs = keras.Input((1, 1, 9))
    x = grouped_pointwise(inputs, 9, 3, name="first")
    if shuffle:
        x = ChannelShuffle(3)(x)
    model = keras.Model(inputs, grouped_pointwise(x, 9, 3, name="second"))
    unit = np.eye(9, dtype="float32").reshape(9, 1, 1, 9)
    # Row i: which outputs a change of input i reaches.
    reached = keras.ops.convert_to_numpy(model(unit)).reshape(9, 9) != 0
    expected = np.ones((9, 9)) if shuffle else np.kron(np.eye(3), np.ones((3, 3)))
    np.testing.assert_array_equal(reached, expected)


@pytest.mark.parametrize(
    "groups, cost, channels",
    [(1, 143, 144), (2, 140, 200), (3, 137, 240), (4, 133, 272), (8, 137, 384)],
)
def test_shufflenet_has_the_papers_costs(
    groups,
    cost,
    channels,
    cheap_weights,  # noqa: F811
):
    model = shufflenet(groups=groups)
    # Table 1; its complexity leaves the classifier out.
    classifier = 4 * channels * 1000
    assert (macs(model) - classifier) / 1e6 == pytest.approx(cost, abs=0.6)
    for stage, units, size in ((2, 4, 28), (3, 8, 14), (4, 4, 7)):
        last = f"stage{stage}_unit{units}_relu"
        width = channels * 2 ** (stage - 2)
        assert output_size(model, last) == (size, size, width)


def test_shufflenet_counts(cheap_weights):  # noqa: F811
    # As counted by the authors of ShuffleNet V2 for three groups.
    assert round(parameters(shufflenet(), trainable=True) / 1e6, 1) == 1.9
    without = shufflenet(shuffle=False)
    assert parameters(without) == parameters(shufflenet())
    assert not any(isinstance(x, ChannelShuffle) for x in without.layers)


@pytest.mark.parametrize(
    "scale, cost, size",
    [
        # Trainable parameters as torchvision counts them, cost of table 8.
        (0.5, 41, 1_366_792),
        (1.0, 146, 2_278_604),
        (1.5, 299, 3_503_624),
        (2.0, 591, 7_393_996),
    ],
)
def test_shufflenet_v2_has_the_papers_costs(
    scale,
    cost,
    size,
    cheap_weights,  # noqa: F811
):
    model = shufflenet_v2(scale=scale)
    assert parameters(model, trainable=True) == size
    # The paper counts one or two per cent more than the convolutions.
    assert macs(model) / 1e6 == pytest.approx(cost, rel=0.02)
    assert output_size(model, "last_relu")[:2] == (7, 7)


def test_shufflenet_v2_has_the_papers_sizes(cheap_weights):  # noqa: F811
    model = shufflenet_v2()
    assert output_size(model, "stem_pool") == (56, 56, 24)
    for stage, units, size, filters in (
        (2, 4, 28, 116),
        (3, 8, 14, 232),
        (4, 4, 7, 464),
    ):
        last = f"stage{stage}_unit{units}_shuffle"
        assert output_size(model, last) == (size, size, filters)
    assert output_size(model, "last_relu") == (7, 7, 1024)


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: shufflenet(groups=5), "groups=5.*1, 2, 3, 4, 8"),
        (lambda: shufflenet(scale=0), "scale=0"),
        (lambda: shufflenet(groups=8, scale=0.25), "6, 96.*24 .*groups=8"),
        (lambda: shufflenet_v2(scale=3), "scale=3.*0.5, 1.0, 1.5, 2.0"),
        (lambda: shufflenet((31, 32, 3)), r"32x32.*\(31, 32, 3\)"),
        (lambda: shufflenet_v2((32, 31, 3)), r"32x32.*\(32, 31, 3\)"),
        (lambda: mobilenet_v2((32, 31, 3)), r"32x32.*\(32, 31, 3\)"),
        (lambda: mobilenet_v2(alpha=-0.5), "alpha=-0.5"),
        (lambda: mobilenet_cifar((16, 15, 3)), r"16x16.*\(16, 15, 3\)"),
    ],
)
def test_unknown_variants_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
