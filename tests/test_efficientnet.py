"""EfficientNet: counts, costs, scaling and the preprocessing that Keras puts in it."""

import math

import keras
import numpy as np
import pytest
from architecture_checks import (
    cheap_weights,  # noqa: F401  (a fixture)
    check_saves_and_reloads,
    check_smallest_image,
    draw_weights,
    output_size,
    outputs_of,
    parameters,
)
from test_mobile_architectures import check_same_function, macs

from helpers.architectures.efficientnet import (
    DEVIATIONS,
    VARIANTS,
    Scaling,
    compound_scaling,
    efficientnet,
    efficientnet_b0_cifar,
)
from helpers.architectures.imagenet import copy_weights, load_imagenet_weights
from helpers.architectures.mbconv import mbconv

# Parameters as keras.applications counts them, seven of which are the
# normalisation's, and multiply-adds in billions: table 2 of the paper.
PUBLISHED = {
    "b0": (5_330_571, 0.39),
    "b1": (7_856_239, 0.70),
    "b2": (9_177_569, 1.0),
    "b3": (12_320_535, 1.8),
    "b4": (19_466_823, 4.2),
    "b5": (30_562_527, 9.9),
    "b6": (43_265_143, 19),
    "b7": (66_658_687, 37),
}


def pixels(model, count=3):
    """Images of 0 to 255, each brighter than the last."""
    random = np.random.default_rng(0)
    images = random.uniform(0, 1, (count, *model.input_shape[1:]))
    brightness = np.linspace(60, 255, count).reshape(count, 1, 1, 1)
    return (images * brightness).astype("float32")


@pytest.mark.parametrize("variant", PUBLISHED)
def test_variant_has_the_published_size(variant, cheap_weights):  # noqa: F811
    model = efficientnet(scaling=variant)
    count, cost = PUBLISHED[variant]
    assert parameters(model) == count
    # The paper prints two digits, and up to 5% less than the convolutions have.
    assert macs(model) / 1e9 == pytest.approx(cost, rel=0.05)
    side = VARIANTS[variant].resolution
    assert model.input_shape == (None, side, side, 3)
    assert model.name == f"efficientnet_{variant}"


@pytest.mark.applications
@pytest.mark.parametrize("variant", PUBLISHED)
def test_variant_has_the_size_in_keras(variant, cheap_weights):  # noqa: F811
    reference = getattr(keras.applications, f"EfficientNet{variant.upper()}")
    reference = reference(weights=None)
    model = efficientnet(scaling=variant)
    assert parameters(model) == parameters(reference)
    assert parameters(model, trainable=True) == parameters(reference, trainable=True)


def test_b0_has_the_papers_stages(cheap_weights):  # noqa: F811
    model = efficientnet()
    # Table 1: size behind each stage, channels and blocks.
    stages = [(112, 16, 1), (56, 24, 2), (28, 40, 2), (14, 80, 3)]
    stages += [(14, 112, 3), (7, 192, 4), (7, 320, 1)]
    assert output_size(model, "stem_conv") == (112, 112, 32)
    for index, (size, channels, blocks) in enumerate(stages, start=1):
        layer = f"stage{index}_block{blocks}_project_conv"
        assert output_size(model, layer) == (size, size, channels)
        names = [x.name for x in model.layers]
        assert f"stage{index}_block{blocks + 1}_project_conv" not in names
    assert output_size(model, "last_conv") == (7, 7, 1280)


@pytest.mark.parametrize(
    "variant, shape",
    [
        ("b0", (64, 45, 3)),
        ("b3", (50, 64, 3)),
        *[
            pytest.param(variant, (64, 64, 3), marks=pytest.mark.applications)
            for variant in ("b1", "b2", "b4", "b5", "b6", "b7")
        ],
    ],
)
def test_variant_is_that_of_keras(variant, shape):
    reference = getattr(keras.applications, f"EfficientNet{variant.upper()}")
    reference = reference(input_shape=shape, weights=None)
    model = efficientnet(shape, scaling=variant)
    check_same_function(model, reference, pixels(model))


def test_without_preprocessing_the_other_weights_keep_their_order():
    whole = efficientnet((32, 32, 3), 10, width=0.5)
    draw_weights(whole)
    bare = efficientnet((32, 32, 3), 10, width=0.5, preprocessing=False)
    whole.get_layer("normalized").finalize_state()  # or only PyTorch sees new weights
    (means, variances, _), others = whole.get_weights()[:3], whole.get_weights()[3:]
    bare.set_weights(others)
    images = pixels(whole)
    # The very bits that it gets inside: 80 layers make more of one that differs.
    prepared = features(whole, "normalized", images)
    expected = (images / 255 - means) / np.sqrt(variances)
    np.testing.assert_allclose(prepared, expected, rtol=1e-5, atol=1e-6)
    (found,), (expected,) = outputs_of(bare, prepared), outputs_of(whole, images)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def features(model, name, images):
    """What a layer of a model gives for images."""
    return outputs_of(keras.Model(model.input, model.get_layer(name).output), images)[0]


def test_imagenet_weights_of_keras_mean_the_same_here(tmp_path, monkeypatch):
    """The way that weights="imagenet" takes in Keras, with a file of our own."""
    module = keras.src.applications.efficientnet
    source = keras.applications.EfficientNetB0(weights=None)
    draw_weights(source)
    # As published: standard deviations where variances are expected.
    normalization = source.layers[2]
    assert isinstance(normalization, keras.layers.Normalization)
    means = np.array([0.485, 0.456, 0.406])
    normalization.set_weights([means, np.array(DEVIATIONS), np.array(1)])
    file = tmp_path / "b0.weights.h5"
    source.save_weights(file)
    monkeypatch.setattr(module.file_utils, "get_file", lambda *a, **k: str(file))
    reference = keras.applications.EfficientNetB0(weights="imagenet")
    # Statistics that let the image through; a dropped branch would have none.
    for layer in reference.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    images = pixels(reference, count=2)
    reference(images, training=True)
    reference.save_weights(file)
    model = efficientnet()
    copy_weights(reference, model)
    # Features, because the softmax of large scores shows their largest alone.
    expected = features(reference, "avg_pool", images)
    other = features(model, "average", images)
    assert np.abs(other - expected).max() > 0.1 * np.ptp(expected)
    loaded = load_imagenet_weights(efficientnet())
    found = features(loaded, "average", images)
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.ptp(expected))
    # Then the network sees what every ImageNet network does.
    normalized = keras.Model(loaded.input, loaded.get_layer("normalized").output)
    by_hand = (images / 255 - means) / DEVIATIONS
    np.testing.assert_allclose(outputs_of(normalized, images)[0], by_hand, atol=1e-4)
    check_saves_and_reloads(loaded, tmp_path)


@pytest.mark.parametrize("phi, variant", [(0, "b0"), (0.5, "b1"), (1, "b2"), (2, "b3")])
def test_compound_scaling_gives_the_first_variants(phi, variant):
    scaling, published = compound_scaling(phi), VARIANTS[variant]
    assert (scaling.depth, scaling.width) == (published.depth, published.width)
    # Resolutions were then rounded, to multiples of 20 where they are these.
    assert scaling.resolution == pytest.approx(published.resolution, abs=4)


def test_later_variants_follow_no_single_phi():
    for variant in ("b5", "b6", "b7"):
        published = VARIANTS[variant]
        phis = np.arange(0, 9, 0.005)
        depths = {p for p in phis if compound_scaling(p).depth == published.depth}
        widths = {p for p in phis if compound_scaling(p).width == published.width}
        assert depths and widths and max(depths) < min(widths)
    # B4 has both digits at phi = 3.2, with a much smaller image.
    assert compound_scaling(3.2) == Scaling(1.8, 1.4, 350)
    assert VARIANTS["b4"].resolution == 380


def test_compound_scaling_doubles_the_cost(cheap_weights):  # noqa: F811
    # alpha * beta**2 * gamma**2, from the published constants.
    growth = 1.2 * 1.1**2 * 1.15**2
    assert growth == pytest.approx(1.92, abs=0.005)
    base = macs(efficientnet())
    both = macs(efficientnet(scaling=compound_scaling(2)))
    # Rounding up of depth and to multiples of 8 adds to the growth.
    assert growth**2 < both / base < 1.35 * growth**2


def test_one_of_the_three_alone(cheap_weights):  # noqa: F811
    base = efficientnet(resolution=64)
    deeper = efficientnet(resolution=64, depth=2)
    assert len([x for x in deeper.layers if "project_conv" in x.name]) == 2 * 16
    assert deeper.input_shape == base.input_shape
    wider = efficientnet(resolution=64, width=2)
    assert wider.get_layer("last_conv").filters == 2 * 1280
    # Without the classifier and the first convolution, which sees three channels,
    # and the depthwise ones, costs grow with the square of the width.
    assert 3 < macs(wider) / macs(base) < 4
    finer = efficientnet(resolution=128)
    assert parameters(finer) == parameters(base)
    # Gates and classifier see no positions.
    assert 3.7 < macs(finer) / macs(base) < 4


def test_stochastic_depth_grows_with_the_block():
    model = efficientnet((32, 32, 3), width=0.25, drop=0.2)
    rates = [x.rate for x in model.layers if x.name.endswith("_drop")]
    names = [x.name for x in model.layers if x.name.endswith("_project_conv")]
    assert len(names) == 16
    # Shortcuts, which alone can be left out, stand at these blocks of 16.
    places = [2, 4, 6, 7, 9, 10, 12, 13, 14]
    np.testing.assert_allclose(rates, [0.2 * place / 16 for place in places])


def test_a_dropped_block_is_its_shortcut():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4, 4, 8))
    outputs = mbconv(inputs, 8, drop=0.5, name="block")
    model = keras.Model(inputs, outputs)
    normalizations = [
        x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)
    ]
    for layer in normalizations:
        # With the statistics of inference, the branch is the same in both modes.
        layer.trainable = False
    x = np.random.default_rng(0).normal(size=(64, 4, 4, 8)).astype("float32")
    branch = keras.ops.convert_to_numpy(model(x)) - x
    change = keras.ops.convert_to_numpy(model(x, training=True)) - x
    dropped = np.abs(change).max(axis=(1, 2, 3)) == 0
    assert 15 < dropped.sum() < 49
    np.testing.assert_allclose(change[~dropped], 2 * branch[~dropped], atol=1e-5)


def test_the_gate_has_a_quarter_of_the_blocks_input():
    model = efficientnet((32, 32, 3), preprocessing=False)
    # Stage 3 begins with 24 channels, expanded to 144.
    assert output_size(model, "stage3_block1_gate_reduce") == (1, 1, 6)
    assert output_size(model, "stage3_block1_gate_expand") == (1, 1, 144)
    bare = efficientnet((32, 32, 3), preprocessing=False, gate=False)
    assert not any("gate" in x.name for x in bare.layers)


def test_no_two_layers_begin_with_the_same_numbers():
    keras.utils.set_random_seed(0)
    model = efficientnet_b0_cifar(width=0.25)
    kernels = [
        keras.ops.convert_to_numpy(x.kernel)
        for x in model.layers
        if isinstance(x, keras.layers.Conv2D)
    ]
    firsts = [float(kernel.ravel()[0] / kernel.std()) for kernel in kernels]
    assert len(set(np.round(firsts, 4))) == len(firsts)
    # He and others by outputs: sqrt(2 / 320) for the last stage's projection.
    kernel = model.get_layer("last_conv").kernel
    deviation = keras.ops.convert_to_numpy(kernel).std()
    assert deviation == pytest.approx(math.sqrt(2 / 320), rel=0.02)


def test_what_does_not_exist_is_refused(cheap_weights):  # noqa: F811
    with pytest.raises(ValueError, match="'b8'.*'b0', 'b1'"):
        efficientnet(scaling="b8")
    with pytest.raises(ValueError, match="depth=0"):
        efficientnet(depth=0)
    with pytest.raises(ValueError, match="width=-1"):
        efficientnet(width=-1)
    check_smallest_image(efficientnet, 32)
