"""The assignment's two networks against the sheet."""

import keras
import numpy as np
import pytest

from helpers.architectures import BUILDERS, base, separable


def test_base_has_the_sheets_parameters():
    model = base()
    assert model.count_params() == 1_172_410
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == 1_172_410


def test_base_has_the_sheets_sizes():
    model = base()
    kinds = (keras.layers.Conv2D, keras.layers.MaxPooling2D)
    sizes = [x.output.shape[1] for x in model.layers if isinstance(x, kinds)]
    assert sizes == [32, 30, 15, 15, 13, 6, 6, 4, 2]


def test_base_refuses_images_that_vanish():
    assert base((22, 22, 3)).count_params() < 1_172_410
    with pytest.raises(ValueError, match=r"\(21, 32, 3\)"):
        base((21, 32, 3))


def test_separable_keeps_the_sheets_rules():
    model = separable()
    # Counted by hand: weights of the depthwise and pointwise steps, and four
    # numbers a channel for each batch normalisation.
    channels = [3] + 3 * [32] + 7 * [64] + 5 * [108]
    steps = list(zip(channels, channels[1:], strict=False))
    convolutions = sum(9 * m + m * n for m, n in steps)
    normalisations = sum(4 * n for _, n in steps)
    scores = 108 + 108 * 10 + 10
    assert model.count_params() == convolutions + normalisations + scores == 96_681
    kinds = {type(x).__name__ for x in model.layers}
    assert "SeparableConv2D" in kinds
    assert not kinds & {"Conv2D", "DepthwiseConv2D", "Dense", "Conv2DTranspose"}


@pytest.mark.parametrize("name", ["base", "separable"])
def test_builder_saves_reloads_and_gives_probabilities(name, tmp_path):
    model = BUILDERS[name]()
    images = np.random.default_rng(0).normal(size=(2, 32, 32, 3)).astype("float32")
    expected = keras.ops.convert_to_numpy(model(images))
    np.testing.assert_allclose(expected.sum(-1), 1.0, rtol=1e-5)
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(reloaded(images)), expected
    )


@pytest.mark.parametrize("name", ["base", "separable"])
def test_one_step_changes_every_trainable_weight(name):
    keras.utils.set_random_seed(0)
    model = BUILDERS[name]()
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    images = np.random.default_rng(1).normal(size=(8, 32, 32, 3)).astype("float32")
    before = [np.array(w) for w in model.trainable_weights]
    model.train_on_batch(images, np.arange(8))
    for weight, old in zip(model.trainable_weights, before, strict=True):
        new = np.array(weight)
        assert np.isfinite(new).all(), weight.path
        assert (new != old).any(), weight.path


def test_mixed_precision_ends_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        for builder in BUILDERS.values():
            assert builder().layers[-1].compute_dtype == "float32"
    finally:
        keras.config.set_dtype_policy("float32")
