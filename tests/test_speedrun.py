"""The pieces of the speed run, each against its definition."""

import keras
import numpy as np
import pytest
from architecture_checks import check_saves_and_reloads, check_trains_one_step

from helpers import augment, data, train
from helpers.architectures import BUILDERS, speedrun
from helpers.architectures.speedrun import Dirac, whiten, whitening_kernel
from helpers.data.dataset import assemble
from helpers.describe import describe
from helpers.grouped_sgd import GroupedSGD
from helpers.optimizers import nesterov_sgd, speedrun_sgd
from helpers.recipes import RECIPES, compile_model, generators
from helpers.views import UNSHIFTED, shifted, with_views

IMAGES = np.random.default_rng(0).normal(size=(60, 32, 32, 3)).astype("float32")
# Neighbouring pixels that resemble each other, as those of photographs do.
SMOOTH = (
    IMAGES + np.roll(IMAGES, 1, 1) + np.roll(IMAGES, 1, 2) + IMAGES[..., ::-1]
) / 2


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def test_parameters_are_those_counted_by_hand():
    # Whitening and its bias; kernels; three numbers a channel in each normalisation.
    kernels = 9 * (24 * 64 + 64 * 64 + 64 * 256 + 3 * 256 * 256)
    total = 2 * 2 * 3 * 24 + 24 + kernels + 2 * 3 * (64 + 256 + 256) + 256 * 10
    table = describe(BUILDERS["speedrun"]())
    assert table.parameters == total == 1_973_944
    not_trained = 2 * 2 * 3 * 24 + 2 * 2 * (64 + 256 + 256)
    assert table.trainable == total - not_trained


def test_it_reloads_with_the_same_outputs(tmp_path):
    check_saves_and_reloads(speedrun(filters=(4, 8, 8)), tmp_path)


def test_it_trains_one_step():
    check_trains_one_step(speedrun(filters=(4, 8, 8), activation="gelu"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"activation": "elu"}, "There is no activation 'elu'"),
        ({"input_shape": (24, 24, 3)}, "at least 25x25"),
    ],
)
def test_wrong_arguments_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        speedrun(**wrong)


def test_25_pixels_are_enough():
    # 25 - 1 = 24, then 12, 6 and 3, which the last pooling takes whole.
    assert speedrun((25, 25, 3)).get_layer("pool").output.shape[1:3] == (1, 1)


def test_whitened_patches_are_uncorrelated_and_of_variance_1():
    kernel = whitening_kernel(SMOOTH, epsilon=0.0)
    assert kernel.shape == (2, 2, 3, 24)
    values = numpy(keras.ops.conv(SMOOTH, kernel)).reshape(-1, 24)
    positive, negative = values[:, :12], values[:, 12:]
    np.testing.assert_allclose(negative, -positive, atol=1e-4)
    covariance = positive.T @ positive / len(positive)
    np.testing.assert_allclose(covariance, np.eye(12), atol=1e-3)
    # Before, the patches were anything but that.
    patches = SMOOTH[:, :2, :2].reshape(60, 12)
    assert abs(np.corrcoef(patches.T) - np.eye(12)).max() > 0.3


def test_epsilon_damps_the_narrow_directions():
    model = speedrun(filters=(4, 8, 8))
    whiten(model, SMOOTH, epsilon=0.5)
    kernel = numpy(model.get_layer("whitening").kernel)[..., :12]
    values = numpy(keras.ops.conv(SMOOTH, kernel)).reshape(-1, 12)
    exact = whitening_kernel(SMOOTH, epsilon=0.0)[..., :12]
    # A filter's length says how wide its direction is: one over the deviation.
    variances = 1 / (exact.reshape(12, 12) ** 2).sum(axis=0)
    np.testing.assert_allclose(
        (values**2).mean(axis=0), variances / (variances + 0.5), atol=1e-3
    )


def test_the_kernel_of_the_whitening_stands_still_and_its_bias_learns():
    model = speedrun(filters=(4, 8, 8))
    whiten(model, SMOOTH)
    layer = model.get_layer("whitening")
    np.testing.assert_allclose(layer.kernel, whitening_kernel(SMOOTH), rtol=1e-5)
    before = [numpy(layer.kernel), numpy(layer.bias)]
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.train_on_batch(IMAGES, np.arange(60) % 10)
    np.testing.assert_array_equal(layer.kernel, before[0])
    assert abs(numpy(layer.bias) - before[1]).max() > 0


def test_dirac_kernels_pass_the_channels_on():
    inputs = keras.Input((8, 8, 3))
    layer = keras.layers.Conv2D(
        5, 3, padding="same", use_bias=False, kernel_initializer=Dirac(seed=1)
    )
    model = keras.Model(inputs, layer(inputs))
    outputs = numpy(model(IMAGES[:2, :8, :8]))
    np.testing.assert_allclose(outputs[..., :3], IMAGES[:2, :8, :8], atol=1e-6)
    others = numpy(layer.kernel)[..., 3:]
    bound = 1 / np.sqrt(9 * 3)
    assert 0.8 * bound < abs(others).max() <= bound
    again = Dirac.from_config(Dirac(seed=1).get_config())((3, 3, 3, 5))
    np.testing.assert_array_equal(numpy(again), numpy(layer.kernel))


def two_weights():
    """A model whose gradients are known: the loss is the mean of its outputs."""
    inputs = keras.Input((1,))
    x = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones", name="a")
    y = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones", name="b")
    outputs = x(inputs) + y(inputs)
    return keras.Model(inputs, outputs)


def trained(optimizer, steps):
    model = two_weights()
    model.compile(optimizer, lambda y, outputs: keras.ops.mean(outputs))
    for _ in range(steps):
        model.train_on_batch(np.ones((4, 1), "float32"), np.ones((4, 1), "float32"))
    return [float(w.item()) for w in model.get_weights()]


def test_factors_multiply_the_rate_of_the_weights_they_name():
    settings = {"momentum": 0.5, "nesterov": True}
    a, b = trained(GroupedSGD(0.01, {"b/kernel": 3.0}, **settings), 4)
    plain, fast = (
        trained(keras.optimizers.SGD(rate, **settings), 4)[0] for rate in (0.01, 0.03)
    )
    assert (a, b) == pytest.approx((plain, fast))
    assert fast < plain < 1


def test_weights_stand_still_after_their_steps():
    for steps in (0, 2, 3, 6):
        a, b = trained(GroupedSGD(0.01, until={"b/kernel": 3}, momentum=0.9), steps)
        expected = trained(keras.optimizers.SGD(0.01, momentum=0.9), min(steps, 3))
        assert b == pytest.approx(expected[1])
        assert (a == pytest.approx(b)) == (steps <= 3)


@pytest.mark.parametrize("end", [0.07, 0.0])
def test_the_rate_is_the_published_triangle(end):
    # 11.5 for 1,024 images over 1 + 1 / (1 - 0.85); the rise takes 23% of the steps.
    rate = speedrun_sgd(1000, 0.0, end=end)._learning_rate
    rates = [float(numpy(rate(step))) for step in (0, 230, 1000)]
    peak = 11.5 / (1 + 1 / 0.15)
    assert rates == pytest.approx([0.2 * peak, peak, end * peak], abs=1e-6)


def test_the_recipe_reaches_the_weights_that_it_means():
    model = speedrun(filters=(4, 8, 8))
    compile_model(model, RECIPES["speedrun"], steps=100)
    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)
    groups = dict(
        zip((w.path for w in model.trainable_variables), optimizer._groups, strict=True)
    )
    fast = [path for path, (factor, _) in groups.items() if factor == 64.0]
    blocks = [f"block{k}_{part}_bn/beta" for k in (1, 2, 3) for part in "ab"]
    assert sorted(fast) == blocks
    stopping = {path: until for path, (_, until) in groups.items() if until is not None}
    assert stopping == {"whitening/bias": 30}
    decaying = [
        w.path for w in model.trainable_variables if optimizer._use_weight_decay(w)
    ]
    kernels = [f"block{k}_{part}_conv/kernel" for k in (1, 2, 3) for part in "ab"]
    assert sorted(decaying) == [*kernels, "scores/kernel"]


def test_a_step_is_that_of_the_published_program():
    # He adds up the losses of 1,024 images, and his rate is for such a sum.
    momentum = 0.85
    scale = 1024 * (1 + 1 / (1 - momentum))
    rate = 11.5 / scale
    w, velocity = 1.0, 0.0
    for _ in range(3):
        gradient = 1024 * 1.0
        velocity = momentum * velocity + gradient
        w -= rate * (gradient + momentum * velocity)
    ours, _ = trained(nesterov_sgd(1.5, 0.0, momentum), 3)
    assert ours == pytest.approx(w, rel=1e-6)


def test_the_decay_is_that_of_the_published_program():
    # He divides the decay by the rate, and PyTorch adds it to the gradient.
    momentum = 0.85
    scale = 1024 * (1 + 1 / (1 - momentum))
    rate, decay = 11.5 / scale, 0.0153 * 1024 / scale
    assert RECIPES["speedrun"].weight_decay == pytest.approx(0.0153 / 11.5)
    # A tenth of it: his momentum remembers larger weights, which only matters where
    # they shrink fast; the published decay leaves the two logarithms 5% apart.
    decay /= 10
    w, velocity = 1.0, 0.0
    variable = keras.Variable([1.0])
    sgd = nesterov_sgd(1.5, RECIPES["speedrun"].weight_decay / 10, momentum)
    sgd.build([variable])
    for _ in range(300):
        gradient = w * decay / rate
        velocity = momentum * velocity + gradient
        w -= rate * (gradient + momentum * velocity)
        sgd.apply([keras.ops.zeros(1)])
    assert np.log(numpy(variable)[0]) == pytest.approx(np.log(w), rel=0.03)


def test_an_ending_that_no_weight_has_is_refused():
    with pytest.raises(ValueError, match="No variable's path ends with 'gamma'"):
        trained(GroupedSGD(0.01, {"gamma": 64.0}), 1)


def test_an_optimizer_comes_back_from_its_configuration():
    one = GroupedSGD(0.1, {"beta": 64.0}, {"bias": 5}, momentum=0.8)
    other = GroupedSGD.from_config(one.get_config())
    assert (other.factors, other.until) == ({"beta": 64.0}, {"bias": 5})
    assert other.momentum == 0.8


@pytest.mark.parametrize(
    "wrong", [{"factors": {"beta": 0.0}}, {"until": {"whitening/bias": -1}}]
)
def test_groups_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match=r"has (0.0|-1) for '(beta|whitening/bias)'"):
        GroupedSGD(0.1, **wrong)


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (1, 1), (-1, 2), (3, 0)])
def test_shifts_move_whole_pixels_and_mirror_the_border(rows, columns):
    moved = numpy(shifted(keras.ops.convert_to_tensor(IMAGES[:1]), rows, columns))
    mirrored = np.pad(IMAGES[:1], ((0, 0), (3, 3), (3, 3), (0, 0)), mode="reflect")
    top, left = 3 - rows, 3 - columns
    expected = mirrored[:, top : top + 32, left : left + 32]
    np.testing.assert_array_equal(moved, expected)


def test_views_are_averaged_with_their_weights():
    model = speedrun(filters=(4, 8, 8))
    averaged = with_views(model, {(0, 0): 3.0, (0, 2): 1.0})
    right = numpy(shifted(keras.ops.convert_to_tensor(IMAGES[:5]), 0, 2))
    views = {
        0.375: (IMAGES[:5], IMAGES[:5, :, ::-1]),
        0.125: (right, right[:, :, ::-1]),
    }
    expected = sum(
        share * numpy(model(view)) for share, pair in views.items() for view in pair
    )
    np.testing.assert_allclose(numpy(averaged(IMAGES[:5])), expected, atol=1e-6)
    same = with_views(model, UNSHIFTED, mirror=False)
    one, other = (numpy(m(IMAGES[:5])) for m in (same, model))
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_views_need_a_weight():
    with pytest.raises(ValueError, match="give a weight above 0"):
        with_views(speedrun(filters=(4, 8, 8)), {(0, 0): 0.0})


def test_alternating_flips_show_every_image_both_ways_in_two_epochs():
    pixels = np.random.default_rng(1).integers(0, 256, (200, 4, 4, 1), dtype="uint8")
    generator = augment.BatchGenerator(
        pixels, np.arange(200), [augment.AlternatingFlip()], 64, mean=None, std=None
    )
    mirrored = {}
    for epoch in range(4):
        for index in range(len(generator)):
            images, numbers = generator.batch(epoch, index)
            for image, number in zip(images, numbers, strict=True):
                same = np.array_equal(np.round(image * 255), pixels[number])
                mirrored[epoch, number] = not same
    first = [mirrored[0, n] for n in range(200)]
    assert 70 < sum(first) < 130
    for n in range(200):
        assert mirrored[1, n] != mirrored[0, n]
        assert mirrored[2, n] == mirrored[0, n]


def test_the_run_trains_on_all_images_and_tests_once(tmp_path, monkeypatch):
    rng = np.random.default_rng(2)
    labels = np.tile(np.arange(10), 20)
    pixels = rng.integers(0, 256, (200, 32, 32, 3), dtype=np.uint8)
    images = assemble(pixels, labels, pixels[:40], labels[:40], "CIFAR-10 (JPEG copy)")
    monkeypatch.setattr(data, "load_cifar10", lambda *a, **k: images)
    monkeypatch.setitem(BUILDERS, "speedrun", lambda: speedrun(filters=(4, 8, 8)))
    folder = train.train("speedrun", epochs=2, folder=tmp_path / "run")
    run = train.callbacks.read_run(folder)
    assert run["data"]["images"] == 200
    assert run["precision"] == "mixed_bfloat16"
    assert keras.config.dtype_policy().name == "float32", "the policy is put back"
    assert run["data"]["protocol"].startswith("all: ")
    # All that one waits for belongs to the twenty minutes.
    assert run["wall_seconds"] > run["seconds"] + run["test_seconds"] > 0
    rows = train.callbacks.read_rows(folder)
    assert len(rows) == 2 and rows[-1]["val_accuracy"] is None
    # The saved network is whitened, by training images without augmentation.
    training, _, _ = generators(RECIPES["speedrun"], images, 0)
    sample = augment.normalize(images.x_train, training.mean, training.std)
    saved = keras.models.load_model(folder / "model.keras")
    kernel = saved.get_layer("whitening").kernel
    np.testing.assert_allclose(kernel, whitening_kernel(sample), rtol=1e-4, atol=1e-5)
    # What was measured is what the saved network says about the test images.
    views = {"test_accuracy": saved, "test_accuracy_views": with_views(saved)}
    test = augment.normalize(images.x_test, training.mean, training.std)
    for name, model in views.items():
        said = numpy(model(test)).argmax(axis=1)
        assert run[name] == pytest.approx(np.mean(said == images.y_test), abs=1e-6)
