"""Muon for convolutions: what its steps are, and which weights take them."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from helpers.architectures.separable import separable
from helpers.grouped_sgd import GroupedSGD
from helpers.muon import MuonSGD
from helpers.optimizers import one_cycle_sgd
from helpers.recipes import RECIPES, compile_model

SETTINGS = {"momentum": 0.9, "nesterov": True}
MUON = {"kernels": ("conv/kernel", "conv/pointwise_kernel"), "factor": 0.5, **SETTINGS}
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(64, 8, 8, 3)).astype("float32")
LABELS = RANDOM.integers(0, 10, 64)


def network():
    """A convolution and a separable one, each before its normalisation."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(6, 3, use_bias=False, name="plain_conv")(inputs)
    x = layers.BatchNormalization(name="plain_bn")(x)
    x = layers.SeparableConv2D(12, 3, use_bias=False, name="other_conv")(x)
    x = layers.BatchNormalization(name="other_bn")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax", name="scores")(x))


def matrix(kernel):
    return np.reshape(kernel, (-1, kernel.shape[-1]))


def values(model):
    """Weights that learn, by path."""
    return {
        one.path: keras.ops.convert_to_numpy(one) for one in model.trainable_variables
    }


def trained(optimizer, steps=1):
    """A network's weights by path, before and after steps on the same images."""
    model = network()
    model.compile(optimizer, "sparse_categorical_crossentropy")
    weights = [values(model)]
    for _ in range(steps):
        model.train_on_batch(IMAGES, LABELS)
        weights.append(values(model))
    return model, weights


def steps_of(before, after, rate):
    """What was taken from kernels of an orthogonal matrix's length."""
    length = np.sqrt(min(matrix(before).shape))
    return (before * length / np.linalg.norm(before) - after) / rate


@pytest.mark.parametrize("path", ["plain_conv/kernel", "other_conv/pointwise_kernel"])
def test_a_step_is_nearly_an_orthogonal_matrix(path):
    _, (before, after) = trained(MuonSGD(0.1, **MUON))
    step = matrix(steps_of(before[path], after[path], 0.05))
    lengths = np.linalg.svd(step, compute_uv=False)
    assert len(lengths) == min(step.shape)
    # Those that were far below the largest may still be on their way.
    assert np.all(lengths < 1.3)
    assert np.median(lengths) > 0.65


def test_a_step_has_the_directions_of_the_gradient():
    path = "plain_conv/kernel"
    _, (before, by_sgd) = trained(GroupedSGD(0.1, **SETTINGS))
    _, (_, by_muon) = trained(MuonSGD(0.1, **MUON))
    gradient = matrix(before[path] - by_sgd[path]) / 0.1
    left, _, right = np.linalg.svd(gradient, full_matrices=False)
    step = matrix(steps_of(before[path], by_muon[path], 0.05))
    turned = left.T @ step @ right.T
    np.testing.assert_allclose(turned, np.diag(np.diag(turned)), atol=2e-3)
    assert np.all(np.diag(turned) > 0)


def test_kernels_keep_their_length():
    _, weights = trained(MuonSGD(0.1, **MUON), steps=20)
    for path, kernel in weights[-1].items():
        if path.endswith(MUON["kernels"]):
            length = np.sqrt(min(matrix(kernel).shape))
            assert np.linalg.norm(kernel) == pytest.approx(length, rel=0.05)


def test_all_else_moves_as_by_sgd():
    factors = {"factors": {"beta": 4.0}, **SETTINGS}
    _, (_, by_sgd) = trained(GroupedSGD(0.1, **factors))
    _, (_, by_muon) = trained(MuonSGD(0.1, **MUON, factors={"beta": 4.0}))
    for path, weight in by_sgd.items():
        same = np.array_equal(weight, by_muon[path])
        assert same != path.endswith(MUON["kernels"]), path


def orthogonal(matrix):
    """Five steps of the published iteration, on the side with fewer rows."""
    if matrix.shape[0] > matrix.shape[1]:
        return orthogonal(matrix.T).T
    x = matrix / np.linalg.norm(matrix)
    for _ in range(5):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x


@pytest.mark.parametrize("nesterov", [True, False])
@pytest.mark.parametrize("shape", [(3, 3, 4, 8), (1, 1, 4, 6)])
def test_two_steps_are_those_computed_by_hand(nesterov, shape):
    kernel = keras.Variable(RANDOM.normal(size=shape), name="kernel")
    gradients = RANDOM.normal(size=(2, *shape)).astype("float32")
    expected, total = keras.ops.convert_to_numpy(kernel), np.zeros(shape, "float32")
    optimizer = MuonSGD(0.1, "kernel", 0.5, momentum=0.9, nesterov=nesterov)
    length = np.sqrt(min(matrix(expected).shape))
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [kernel])
        total = 0.9 * total + gradient
        step = orthogonal(matrix(gradient + 0.9 * total if nesterov else total))
        expected *= length / np.linalg.norm(expected)
        expected -= 0.05 * step.reshape(shape)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(kernel), expected, atol=2e-5)


def test_a_run_goes_on_with_the_saved_state(tmp_path):
    model, weights = trained(MuonSGD(0.1, **MUON), steps=4)
    half, _ = trained(MuonSGD(0.1, **MUON), steps=2)
    half.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for _ in range(2):
        again.train_on_batch(IMAGES, LABELS)
    expected = values(model)
    for path, weight in values(again).items():
        np.testing.assert_array_equal(weight, expected[path])


def test_it_learns():
    model, _ = trained(MuonSGD(0.1, **MUON))
    before = model.evaluate(IMAGES, LABELS, verbose=0)
    model.fit(IMAGES, LABELS, epochs=15, verbose=0)
    assert model.evaluate(IMAGES, LABELS, verbose=0) < 0.8 * before


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"momentum": 0.0}, "momentum is 0.0: Muon needs a number above 0"),
        ({"kernels": ()}, r"kernels is \(\): Muon needs the ending of a path"),
        ({"factor": -1.0}, "factor is -1.0: Muon needs a number above 0"),
        ({"newton_steps": 0}, "newton_steps is 0: Muon needs a number above 0"),
    ],
)
def test_settings_that_mean_nothing_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        MuonSGD(0.1, **MUON | wrong)


def test_an_ending_that_no_kernel_has_is_refused():
    with pytest.raises(ValueError, match="No variable's path ends with 'dense/kernel'"):
        trained(MuonSGD(0.1, **MUON | {"kernels": ("dense/kernel",)}))


def test_the_recipe_reaches_the_kernels_that_it_means():
    model = separable()
    recipe = RECIPES["assignment_muon"]
    compile_model(model, recipe, steps=100)
    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)
    chosen = [
        variable.path
        for variable, orthogonal in zip(
            model.trainable_variables, optimizer._orthogonal, strict=True
        )
        if orthogonal
    ]
    normalised = [
        f"{layer.name.removesuffix('_bn')}_conv/pointwise_kernel"
        for layer in model.layers
        if isinstance(layer, layers.BatchNormalization)
    ]
    assert chosen == normalised
    assert len(chosen) == 15
    # Apart from the optimiser, it is the recipe of SGD.
    assert replace(recipe, optimizer=one_cycle_sgd) == RECIPES["assignment"]
