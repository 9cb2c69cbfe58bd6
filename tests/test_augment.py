"""Augmentation: what each transformation does, and that batches repeat exactly."""

import ast
import pickle
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import augment
from helpers.augment.colour import colour_covariance
from helpers.augment.geometry import flip
from helpers.augment.warp import Warp, fuse, resample

PIXELS = np.random.default_rng(0).integers(0, 256, (60, 12, 12, 3), dtype="uint8")

# One of each, all of them doing something to nearly every image.
EVERY = (
    augment.RandomCrop(2),
    augment.RandomFlip(),
    augment.RandomRotation(30),
    augment.RandomShift(0.2, 0.2),
    augment.RandomShear(20),
    augment.RandomZoom((0.5, 2)),
    augment.ElasticWarp(1, 3),
    augment.ChannelShift(40),
    augment.PCAColour(PIXELS, 1.0),
    augment.Cutout(5),
    augment.RandomErasing(),
)
MIXING = (augment.Mixup(1.0), augment.CutMix(1.0, 1.0))

# The same transformations where they should change nothing.
NOTHING = (
    augment.RandomCrop(0),
    augment.RandomFlip(0),
    augment.RandomRotation(0),
    augment.RandomShift(0, 0),
    augment.RandomShear(0),
    augment.RandomZoom((1, 1)),
    augment.ElasticWarp(0),
    augment.ChannelShift(0),
    augment.PCAColour(PIXELS, 0),
    augment.Cutout(probability=0),
    augment.RandomErasing(probability=0),
    augment.Mixup(probability=0),
    augment.CutMix(probability=0),
)

seeds = st.integers(0, 2**32 - 1)


def name_of(value):
    return type(value).__name__


def random_images(seed, dtype, batch, height, width, channels=3):
    rng = np.random.default_rng(seed)
    shape = (batch, height, width, channels)
    return rng.integers(0, 256, shape, dtype="uint8").astype(dtype)


def ramps(batch, height, width):
    """Images whose two channels are the x and y of each pixel, from the centre."""
    y, x = np.mgrid[:height, :width].astype("float32")
    image = np.stack([x - (width - 1) / 2, y - (height - 1) / 2], axis=-1)
    return np.tile(image, (batch, 1, 1, 1))


# The generator ---------------------------------------------------------------


def test_a_batch_is_what_the_plain_loop_makes():
    """Crop, mirror and normalise one image at a time, from the same numbers."""
    generator = augment.BatchGenerator(
        PIXELS,
        np.arange(60),
        [augment.RandomCrop(4), augment.RandomFlip()],
        batch_size=16,
        seed=5,
    )
    for epoch, index, size in ((0, 0, 16), (7, 2, 16), (12, 3, 12)):
        order = np.arange(60)
        np.random.default_rng((5, epoch, 0)).shuffle(order)
        which = order[16 * index : 16 * index + 16]
        rng = np.random.default_rng((5, epoch, index + 1))
        tops, lefts = rng.integers(9, size=(2, size))
        mirrored = rng.random(size) < 0.5
        images, labels = generator.batch(epoch, index)
        assert images.shape == (size, 12, 12, 3) and images.dtype == np.float32
        assert labels.tolist() == which.tolist()
        for k in range(size):
            one = np.pad(PIXELS[which[k]], ((4, 4), (4, 4), (0, 0)), mode="reflect")
            one = one[tops[k] : tops[k] + 12, lefts[k] : lefts[k] + 12]
            one = one[:, ::-1] if mirrored[k] else one
            expected = (one - np.array(augment.MEAN)) / np.array(augment.STD)
            np.testing.assert_allclose(images[k], expected, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, epoch=st.integers(0, 500), data=st.data())
def test_a_batch_is_the_same_by_any_route(seed, epoch, data):
    def make():
        return augment.BatchGenerator(
            PIXELS, np.arange(60) % 10, EVERY + MIXING, 16, seed=seed
        )

    wanted = data.draw(st.permutations([0, 1, 2, 3]))
    first, other = make(), make()
    straight = [first.batch(epoch, index) for index in range(4)]
    other.set_epoch(epoch)
    with ThreadPoolExecutor(4) as pool:
        threaded = dict(zip(wanted, pool.map(other.__getitem__, wanted), strict=True))
    copy = pickle.loads(pickle.dumps(first))
    for index in wanted:
        for route in (threaded[index], copy.batch(epoch, index)):
            assert np.array_equal(route[0], straight[index][0])
            assert np.array_equal(route[1], straight[index][1])


def test_epochs_batches_and_seeds_differ():
    generator = augment.BatchGenerator(PIXELS, np.arange(60), EVERY, 30, seed=1)
    other = augment.BatchGenerator(PIXELS, np.arange(60), EVERY, 30, seed=2)
    batches = [generator.batch(*place)[0] for place in ((0, 0), (0, 1), (1, 0), (2, 0))]
    batches.append(other.batch(0, 0)[0])
    for k, batch in enumerate(batches):
        assert not any(np.array_equal(batch, earlier) for earlier in batches[:k])


@settings(max_examples=30, deadline=None)
@given(
    count=st.integers(1, 60),
    batch_size=st.integers(1, 70),
    seed=seeds,
    epoch=st.integers(0, 99),
    shuffle=st.booleans(),
)
def test_an_epoch_visits_every_image_once(count, batch_size, seed, epoch, shuffle):
    generator = augment.BatchGenerator(
        PIXELS[:count], np.arange(count), (), batch_size, seed, shuffle=shuffle
    )
    labels = [generator.batch(epoch, index)[1] for index in range(len(generator))]
    assert [len(part) for part in labels[:-1]] == [batch_size] * (len(labels) - 1)
    visited = np.concatenate(labels).tolist()
    assert sorted(visited) == list(range(count))
    if not shuffle:
        assert visited == list(range(count))


def test_drop_remainder_leaves_whole_batches():
    generator = augment.BatchGenerator(
        PIXELS, np.arange(60), batch_size=16, drop_remainder=True
    )
    assert [len(labels) for _, labels in generator] == [16, 16, 16]


@settings(max_examples=20, deadline=None)
@given(seed=seeds, epoch=st.integers(0, 99), integers=st.booleans())
def test_labels_follow_their_images(seed, epoch, integers):
    """An image of one colour stays it under every geometric transformation."""
    values = np.arange(60)
    images = np.tile(values.astype("uint8")[:, None, None, None], (1, 12, 12, 3))
    generator = augment.BatchGenerator(
        images,
        values,
        EVERY[:7],
        16,
        seed,
        mean=None,
        std=None,
        classes=None if integers else 60,
    )
    for index in range(len(generator)):
        batch, labels = generator.batch(epoch, index)
        if not integers:
            labels = labels.argmax(axis=1)
        expected = np.broadcast_to(labels[:, None, None, None] / 255, batch.shape)
        np.testing.assert_allclose(batch, expected, atol=1e-6)


@pytest.mark.parametrize("first", [(), EVERY[:1], (augment.RandomCrop(0), *MIXING)])
def test_plain_has_the_images_and_labels_themselves(first):
    """Stored with borders or not, mixed or not, the last small batch included."""
    generator = augment.BatchGenerator(
        PIXELS,
        np.arange(60),
        (*first, *EVERY[1:]),
        16,
        mean=(1, 2, 3),
        std=(4, 5, 6),
        drop_remainder=True,
        outputs=2,
    )
    before = pickle.dumps(generator)
    plain = generator.plain()
    batches = [plain[index] for index in range(len(plain))]
    assert [len(images) for images, _ in batches] == [16, 16, 16, 12]
    images = np.concatenate([images for images, _ in batches])
    np.testing.assert_allclose(images, (PIXELS - [1, 2, 3]) / [4, 5, 6], atol=1e-5)
    for output in (0, 1):
        labels = np.concatenate([labels[output] for _, labels in batches])
        if labels.ndim == 2:
            labels = labels.argmax(axis=-1)
        assert labels.tolist() == list(range(60))
    # It costs no memory, and the generator goes on as if nobody had asked.
    assert np.shares_memory(plain._images, generator._images)
    assert pickle.dumps(generator) == before


def test_plain_keeps_smoothed_labels_and_workers():
    generator = augment.BatchGenerator(
        PIXELS,
        np.arange(60) % 10,
        EVERY,
        label_smoothing=0.2,
        workers=3,
        max_queue_size=7,
    )
    plain = generator.plain()
    np.testing.assert_array_equal(plain.labels, generator.labels)
    assert plain.labels.min() == np.float32(0.02)
    assert (plain.workers, plain.max_queue_size) == (3, 7)
    assert not (plain.transforms or plain.shuffle or plain.use_multiprocessing)


def test_without_transformations_it_is_a_plain_iterator():
    generator = augment.BatchGenerator(
        PIXELS, np.arange(60), batch_size=25, shuffle=False, mean=None, std=None
    )
    images = np.concatenate([images for images, _ in generator])
    np.testing.assert_allclose(images, PIXELS / 255, atol=1e-7)
    assert generator.labels.dtype == np.arange(60).dtype


def digest_run(generators, follow=False, **fit):
    """Trains a network that does not learn; its losses tell which batches it saw.

    Returns:
        The running mean of the loss after every batch, over all epochs.
    """
    losses = []

    class Record(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            losses.append(logs["loss"])

    inputs = keras.Input((12, 12, 3))
    dense = keras.layers.Dense(1)
    model = keras.Model(inputs, dense(keras.layers.Flatten()(inputs)))
    weights = np.random.default_rng(3).normal(size=(432, 1)).astype("float32")
    dense.set_weights([weights, np.zeros(1)])

    def loss(labels, outputs):
        return outputs * (1 + keras.ops.cast(labels, "float32"))

    model.compile(keras.optimizers.SGD(0.0), loss)
    for generator, epochs in generators:
        callbacks = [Record(), generator.follow()] if follow else [Record()]
        model.fit(generator, epochs=epochs, verbose=0, callbacks=callbacks, **fit)
    return losses


def make_for_fit(**workers):
    return augment.BatchGenerator(
        PIXELS, np.arange(60), EVERY, batch_size=16, seed=9, **workers
    )


needs_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="on other backends Keras leaves batches of its first look in the queue",
)


def test_fit_sees_the_batches_in_order():
    generator = make_for_fit()
    expected = []
    weights = np.random.default_rng(3).normal(size=(432, 1)).astype("float32")
    for epoch in range(3):
        total = seen = 0
        for index in range(4):
            images, labels = generator.batch(epoch, index)
            outputs = images.reshape(len(images), -1) @ weights
            total += (outputs[:, 0] * (1 + labels)).sum()
            seen += len(images)
            expected.append(total / seen)
    runs = [
        digest_run([(make_for_fit(workers=workers), 3)], follow, shuffle=False)
        for workers, follow in ((0, False), (1, False), (1, True))
    ]
    np.testing.assert_allclose(runs[0], expected, rtol=1e-3)
    assert runs[0] == runs[1] == runs[2]


@needs_tensorflow
def test_worker_threads_make_the_same_batches():
    alone = digest_run([(make_for_fit(workers=0), 3)], shuffle=False)
    for follow in (False, True):
        many = make_for_fit(workers=3)
        assert digest_run([(many, 3)], follow, shuffle=False) == alone


@needs_tensorflow
def test_worker_processes_make_the_same_batches():
    """In a process of its own, where a worker that waits for ever is noticed.

    The parent has warped images before the workers are forked, as in a notebook.
    """
    code = (
        "import tests.test_augment as t\n"
        "t.make_for_fit()[0]\n"
        "alone = t.digest_run([(t.make_for_fit(workers=0), 2)], shuffle=False)\n"
        "many = t.make_for_fit(workers=2, use_multiprocessing=True)\n"
        "assert t.digest_run([(many, 2)], shuffle=False) == alone\n"
        "print('same', len(alone), many.epoch)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.stdout.split() == ["same", "8", "2"], done.stderr


def test_a_run_in_pieces_sees_what_one_run_sees():
    whole = digest_run([(make_for_fit(), 4)], shuffle=False)
    same, later = make_for_fit(), make_for_fit()
    assert digest_run([(same, 2), (same, 2)], shuffle=False) == whole
    later.set_epoch(3)
    assert digest_run([(later, 1)], shuffle=False) == whole[-4:]
    assert later.epoch == 4
    told = digest_run([(later, 4)], follow=True, shuffle=False, initial_epoch=2)
    assert told == whole[-8:]


def test_an_epoch_ends_when_its_last_batch_was_asked_for():
    """Keras ends an epoch before the first one, and one begun to build a model."""
    generator = make_for_fit()
    generator[3]
    generator.on_epoch_end()
    assert generator.epoch == 0
    generator.on_epoch_begin()
    generator[0]
    generator.on_epoch_end()
    assert generator.epoch == 0
    generator.on_epoch_begin()
    list(generator)
    generator.on_epoch_end()
    generator.on_epoch_end()
    assert generator.epoch == 1


def test_a_second_shuffle_by_fit_is_warned_about():
    random.seed(1)
    with pytest.warns(UserWarning, match="shuffle=False"):
        digest_run([(make_for_fit(), 4)])


def test_no_backend_is_imported():
    """Batches are NumPy's and OpenCV's; Keras gives base classes and its settings."""
    used, imported = set(), set()
    for module in Path(augment.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported.update(name.name for name in node.names)
            elif isinstance(node, ast.ImportFrom):
                imported.add(".".join(node.module.split(".")[:2]))
            elif isinstance(node, ast.Attribute) and ast.unparse(node)[:6] == "keras.":
                used.add(ast.unparse(node).split(".")[1])
    third_party = imported - set(sys.stdlib_module_names) - {"helpers.augment"}
    assert third_party == {"numpy", "numpy.lib", "keras", "cv2"}
    assert used == {"utils", "callbacks", "config"}


# Labels and normalisation ----------------------------------------------------


def test_label_smoothing_spreads_evenly():
    labels = augment.one_hot([[3], [0]], classes=10, smoothing=0.1)
    np.testing.assert_allclose(labels[0], [0.01] * 3 + [0.91] + [0.01] * 6, atol=1e-7)
    np.testing.assert_allclose(labels[1], [0.91] + [0.01] * 9, atol=1e-7)


@pytest.mark.parametrize(
    "options", [{"classes": 12}, {"label_smoothing": 0.2}, {"transforms": MIXING[:1]}]
)
def test_labels_become_one_hot_where_something_asks(options):
    generator = augment.BatchGenerator(PIXELS, np.arange(60) % 10, **options)
    labels = generator.batch(0, 0)[1]
    assert labels.shape == (60, options.get("classes", 10))
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_normalised_images_have_mean_0_and_deviation_1(dtype):
    pixels = PIXELS.astype(dtype)
    mean, std = PIXELS.mean(axis=(0, 1, 2)), PIXELS.std(axis=(0, 1, 2))
    result = augment.normalize(pixels, mean, std)
    np.testing.assert_allclose(result.mean(axis=(0, 1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(result.std(axis=(0, 1, 2)), 1, atol=1e-4)
    assert np.array_equal(pixels, PIXELS)


# Laws that every transformation keeps ----------------------------------------


@pytest.mark.parametrize("transform", EVERY + MIXING, ids=name_of)
@settings(max_examples=15, deadline=None)
@given(
    seed=seeds,
    dtype=st.sampled_from(["uint8", "float32"]),
    batch=st.integers(1, 5),
    height=st.integers(4, 20),
    width=st.integers(4, 20),
)
def test_shape_dtype_and_range_are_kept(transform, seed, dtype, batch, height, width):
    images = random_images(seed, dtype, batch, height, width)
    labels = np.eye(7, dtype="float32")[np.arange(batch)]
    before = images.copy()
    result, new_labels = transform(images, labels, seed=seed)
    again, _ = transform(images, labels, seed=seed)
    assert result.shape == images.shape
    kept = "float32" if isinstance(transform, augment.Mixup) else dtype
    assert result.dtype == kept
    assert result.min() >= 0 and result.max() <= 255.001
    assert np.array_equal(images, before) and np.array_equal(result, again)
    np.testing.assert_allclose(new_labels.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("transform", NOTHING, ids=name_of)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_strength_of_nothing_is_the_identity(transform, dtype):
    images = PIXELS.astype(dtype)
    labels = np.eye(60, dtype="float32")
    result, new_labels = transform(images, labels, seed=3)
    assert np.array_equal(result, images)
    assert np.array_equal(new_labels, labels)


@pytest.mark.parametrize("transform", EVERY, ids=name_of)
def test_images_of_a_batch_change_independently(transform):
    images = np.tile(random_images(0, "float32", 1, 16, 16), (12, 1, 1, 1))
    result = transform(images, seed=0)
    assert len(np.unique(result.reshape(12, -1), axis=0)) > 1


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_images_need_not_have_three_channels(channels):
    images = random_images(0, "uint8", 6, 10, 10, channels)
    neutral = augment.Cutout(4, fill=0), augment.PCAColour(images, 1.0)
    for transform in (*EVERY[:8], *neutral, EVERY[10]):
        assert transform(images).shape == images.shape


# Whole pixels ----------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(seed=seeds, height=st.integers(1, 9), width=st.integers(1, 9))
def test_a_flip_twice_is_the_identity(seed, height, width):
    images = random_images(seed, "uint8", 6, height, width)
    mirrored = np.random.default_rng(seed).random(6) < 0.5
    once = flip(images, mirrored)
    for k in range(6):
        assert np.array_equal(once[k], images[k, :, ::-1] if mirrored[k] else images[k])
    assert np.array_equal(flip(once, mirrored), images)


def test_the_share_of_mirrored_images_is_the_probability():
    images = np.tile(ramps(1, 1, 2), (20000, 1, 1, 1))
    for probability in (0.5, 0.2):
        result = augment.RandomFlip(probability)(images, seed=2)
        share = (result[:, 0, 0, 0] > 0).mean()
        assert abs(share - probability) < 0.012  # 3.4 standard deviations


@pytest.mark.parametrize("mode", ["reflect", "symmetric", "edge", "constant", "wrap"])
def test_a_crop_is_a_window_of_the_padded_image_and_all_are_as_likely(mode):
    images = np.tile(random_images(1, "uint8", 1, 6, 6), (5000, 1, 1, 1))
    result = augment.RandomCrop(2, mode)(images, seed=1)
    padded = np.pad(images[0], ((2, 2), (2, 2), (0, 0)), mode=mode)
    windows = [padded[y : y + 6, x : x + 6] for y in range(5) for x in range(5)]
    same = (result[:, None] == np.array(windows)).all(axis=(2, 3, 4))
    assert same.any(axis=1).all()
    counts = same.sum(axis=0)
    # 25 places, 200 expected in each: chi-squared with 24 degrees of freedom stays
    # below 51 in 999 of 1000 runs.
    assert ((counts - 200) ** 2 / 200).sum() < 51


@settings(max_examples=20, deadline=None)
@given(seed=seeds, padding=st.integers(0, 5))
def test_a_crop_in_the_generator_is_the_crop_alone(seed, padding):
    crop = augment.RandomCrop(padding)
    which = np.random.default_rng(seed).permutation(60)[:20]
    rngs = [np.random.default_rng(seed) for _ in range(2)]
    gathered = crop.gather(crop.pad(PIXELS), which, rngs[0])
    assert np.array_equal(gathered, crop.apply(PIXELS[which], rngs[1]))


# Warps -----------------------------------------------------------------------


def test_matrices_of_whole_steps_move_whole_pixels():
    def matrix(*rows):
        return np.array([[*rows, (0, 0, 1)]], "float64")

    image = random_images(2, "uint8", 1, 8, 8)
    quarter = resample(image, matrix((0, -1, 0), (1, 0, 0)))
    assert np.array_equal(quarter[0], np.rot90(image[0]))
    moved = resample(image, matrix((1, 0, 2), (0, 1, -1)), mode="constant")
    assert np.array_equal(moved[0, 1:, :-2], image[0, :-1, 2:])
    assert not moved[0, 0].any() and not moved[0, :, -2:].any()
    mirrored = resample(image, matrix((-1, 0, 0), (0, 1, 0)))
    assert np.array_equal(mirrored, image[:, :, ::-1])


@pytest.mark.parametrize("mode", ["reflect", "symmetric", "edge", "constant", "wrap"])
def test_warps_see_the_border_that_numpy_pads(mode):
    image = random_images(3, "uint8", 1, 7, 9)
    padded = np.pad(image[0], ((5, 5), (5, 5), (0, 0)), mode=mode)
    for x, y in ((5, -5), (-3, 2)):
        matrix = np.array([[[1, 0, x], [0, 1, y], [0, 0, 1]]], "float64")
        moved = resample(image, matrix, mode=mode)[0]
        assert np.array_equal(moved, padded[5 + y : 12 + y, 5 + x : 14 + x])


@settings(max_examples=30, deadline=None)
@given(seed=seeds)
def test_a_chain_of_warps_is_one_resampling_with_the_same_numbers(seed):
    """A ramp shows where each pixel came from; compose those maps by hand."""
    parts = [
        augment.RandomRotation(20),
        augment.RandomFlip(),
        augment.RandomShift(0.1, 0.1),
        augment.RandomShear(10),
        augment.RandomZoom((1.0, 1.3)),
        augment.ElasticWarp(0.5, 4),
    ]
    (chain,) = fuse(parts)
    images = ramps(3, 21, 25)
    shown = chain.apply(images, np.random.default_rng(seed))

    rng = np.random.default_rng(seed)
    steps = []
    for part in parts[:-1]:
        if isinstance(part, augment.RandomFlip):
            signs = np.where(part.draw(3, rng), -1.0, 1.0)
            steps.append([np.diag([sign, 1, 1]) for sign in signs])
        else:
            steps.append(part.matrices(3, 21, 25, rng))
    bends = parts[-1].displacements(3, 21, 25, rng)
    for k in range(3):
        points = images[k].reshape(-1, 2).T + bends[k].reshape(2, -1)
        for step in reversed(steps):
            points = step[k][:2, :2] @ points + step[k][:2, 2:]
        inside = (np.abs(points) <= [[11], [9]]).all(axis=0)
        got = shown[k].reshape(-1, 2).T
        assert inside.sum() > 100
        # OpenCV before 5 places samples at 32nds of a pixel.
        np.testing.assert_allclose(got[:, inside], points[:, inside], atol=0.04)


def test_only_neighbours_are_fused():
    rotation, shift = augment.RandomRotation(), augment.RandomShift()
    mirror, colour = augment.RandomFlip(), augment.ChannelShift()
    elastic, constant = augment.ElasticWarp(), augment.RandomZoom(mode="constant")

    def shape_of(*transforms):
        return [
            len(step.parts) if isinstance(step, Warp) else step
            for step in fuse(transforms)
        ]

    assert shape_of(rotation, shift, mirror) == [3]
    assert shape_of(mirror, mirror) == [mirror, mirror]
    assert shape_of(mirror, colour, rotation) == [mirror, colour, rotation]
    assert shape_of(rotation, colour, shift, mirror) == [rotation, colour, 2]
    assert shape_of(rotation, elastic, shift) == [2, shift]
    assert shape_of(rotation, shift, constant) == [2, constant]
    assert shape_of() == []


def assert_uniform(values, low, high):
    count, width = len(values), high - low
    assert values.min() >= low and values.max() <= high
    error = width / np.sqrt(12 * count)
    assert abs(values.mean() - (low + high) / 2) < 4 * error
    assert abs(values.std() * np.sqrt(12) / width - 1) < 0.03


def test_parameters_of_the_affine_warps_are_uniform():
    def draw(transform):
        return transform.matrices(10000, 20, 40, np.random.default_rng(0))

    turns = draw(augment.RandomRotation(25))
    assert_uniform(np.degrees(np.arctan2(turns[:, 1, 0], turns[:, 0, 0])), -25, 25)
    np.testing.assert_allclose(np.linalg.det(turns), 1, atol=1e-12)
    shifts = draw(augment.RandomShift(horizontal=0.1, vertical=0.2))
    assert_uniform(shifts[:, 0, 2], -4, 4)
    assert_uniform(shifts[:, 1, 2], -4, 4)
    assert abs(np.corrcoef(shifts[:, 0, 2], shifts[:, 1, 2])[0, 1]) < 0.04
    shears = draw(augment.RandomShear(12))
    assert_uniform(np.degrees(np.arctan(shears[:, 0, 1])), -12, 12)
    zooms = draw(augment.RandomZoom((0.5, 4)))
    assert_uniform(-np.log2(zooms[:, 0, 0]), -1, 2)
    assert np.array_equal(zooms[:, 0, 0], zooms[:, 1, 1])


@pytest.mark.parametrize("strength, smoothness", [(1.0, 4.0), (0.3, 2.0)])
def test_elastic_displacements_have_the_strength_and_smoothness(strength, smoothness):
    warp = augment.ElasticWarp(strength, smoothness)
    field = warp.displacements(6000, 12, 10, np.random.default_rng(0))
    assert field.shape == (6000, 2, 12, 10)
    # At every pixel, corners included.
    np.testing.assert_allclose(field.std(axis=0), strength, rtol=0.05)
    np.testing.assert_allclose(field.mean(axis=0), 0, atol=0.06 * strength)
    # Noise smoothed with a Gaussian of deviation s is correlated over a distance d
    # by exp(-d^2 / 4 s^2).
    for distance in (1, 3, 6):
        near, far = field[..., distance], field[..., 0]
        correlation = (near * far).mean() / strength**2
        expected = np.exp(-((distance / smoothness) ** 2) / 4)
        assert abs(correlation - expected) < 0.03


def test_a_missing_opencv_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ImportError, match="pip install opencv-python-headless"):
        augment.RandomRotation()(PIXELS)


# Colour ----------------------------------------------------------------------


def test_channel_shifts_are_uniform_and_one_an_image_and_channel():
    images = np.full((5000, 3, 3, 3), 128, "float32")
    shifts = augment.ChannelShift(30)(images) - 128
    assert np.array_equal(np.ptp(shifts, axis=(1, 2)), np.zeros((5000, 3)))
    for channel in range(3):
        assert_uniform(shifts[:, 0, 0, channel], -30, 30)
    assert abs(np.corrcoef(shifts[:, 0, 0].T) - np.eye(3)).max() < 0.05


def test_colour_is_clipped_not_wrapped():
    images = np.zeros((200, 2, 2, 3), "uint8")
    images[:, 0] = 255
    result = augment.ChannelShift(100)(images)
    assert result[:, 0].min() >= 155 and result[:, 1].max() <= 100


def correlated_images(count):
    rng = np.random.default_rng(8)
    mixing = np.array([[30, 12, 5], [25, -8, 9], [28, 2, -14]], "float64")
    pixels = rng.normal(size=(count, 3, 3, 3)) @ mixing.T + 120
    return pixels.clip(0, 255).astype("uint8")


def test_the_covariance_is_numpys():
    images = correlated_images(2300)
    expected = np.cov(images.reshape(-1, 3).astype("float64"), rowvar=False, bias=True)
    np.testing.assert_allclose(colour_covariance(images), expected, rtol=1e-9)


def test_pca_colour_shifts_have_the_covariance_of_the_formula():
    """Shifts P (a * l), a of deviation s, have the covariance s^2 P l^2 P', which
    is s^2 times the square of the data's covariance: no eigenvectors needed."""
    images = correlated_images(1000)
    covariance = np.cov(images.reshape(-1, 3) / 255, rowvar=False, bias=True)
    grey = np.full((40000, 1, 1, 3), 128, "float32")
    shifts = augment.PCAColour(images, strength=0.5)(grey)[:, 0, 0] / 255 - 128 / 255
    measured = np.cov(shifts.astype("float64"), rowvar=False)
    expected = 0.25 * covariance @ covariance
    assert np.linalg.norm(measured - expected) < 0.03 * np.linalg.norm(expected)
    np.testing.assert_allclose(shifts.mean(axis=0), 0, atol=1e-3)


def test_pca_colour_moves_along_the_eigenvectors_by_the_eigenvalues():
    images = correlated_images(1000)
    transform = augment.PCAColour(images, strength=0.5)
    pixels = images.reshape(-1, 3) / 255
    _, singular, axes = np.linalg.svd(pixels - pixels.mean(axis=0), full_matrices=False)
    grey = np.full((20000, 1, 1, 3), 128, "float32")
    shifts = (transform(grey)[:, 0, 0].astype("float64") - 128) / 255
    along = shifts @ axes.T
    np.testing.assert_allclose(
        along.std(axis=0), 0.5 * singular**2 / len(pixels), rtol=0.03
    )


# Erasing ---------------------------------------------------------------------


def test_cutout_covers_a_square_that_may_leave_the_image():
    size, side = 6, 14
    images = np.full((4000, side, side, 3), 200, "uint8")
    hidden = (augment.Cutout(size, fill=(1, 2, 3))(images) != 200).all(axis=3)
    rows, columns = hidden.any(axis=2).sum(axis=1), hidden.any(axis=1).sum(axis=1)
    assert np.array_equal(hidden.sum(axis=(1, 2)), rows * columns)
    assert rows.max() == columns.max() == size
    overlaps = [
        len(set(range(centre - 3, centre + 3)) & set(range(side)))
        for centre in range(side)
    ]
    assert rows.min() == min(overlaps)
    assert abs(rows.mean() / np.mean(overlaps) - 1) < 0.02
    assert abs((rows * columns).mean() / np.mean(overlaps) ** 2 - 1) < 0.03


def test_cutout_fills_with_the_rounded_colour():
    images = np.zeros((3, 8, 8, 3), "uint8")
    result = augment.Cutout(40)(images)
    assert np.array_equal(np.unique(result.reshape(-1, 3), axis=0), [[125, 123, 114]])
    result = augment.Cutout(40)(images.astype("float32"))
    np.testing.assert_allclose(result[0, 0, 0], augment.MEAN, rtol=1e-6)


def test_random_erasing_stays_inside_its_ranges():
    images = np.full((3000, 40, 32, 1), 255, "uint8")
    transform = augment.RandomErasing(0.7, (0.1, 0.3), (0.5, 2), fill=0)
    hidden = transform(images)[..., 0] == 0
    rows, columns = hidden.any(axis=2).sum(axis=1), hidden.any(axis=1).sum(axis=1)
    areas = hidden.sum(axis=(1, 2))
    assert np.array_equal(areas, rows * columns)
    assert abs((areas > 0).mean() - 0.7) < 0.03
    rows, columns = rows[areas > 0], columns[areas > 0]
    shares = rows * columns / (40 * 32)
    # Sides are whole pixels: half a pixel off at most.
    assert shares.min() > 0.09 and shares.max() < 0.32
    assert abs(shares.mean() - 0.2) < 0.005
    assert (rows / columns).min() > 0.46 and (rows / columns).max() < 2.2
    assert abs(np.log(rows / columns).mean()) < 0.05


def test_erasing_with_noise_draws_every_pixel():
    images = np.zeros((400, 16, 16, 3), "uint8")
    result = augment.RandomErasing(1.0, (0.4, 0.4), (1, 1))(images)
    noise = result[result.any(axis=3)]
    assert_uniform(noise.ravel().astype(float), 0, 255)


# Mixing ----------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(
    seed=seeds, alpha=st.floats(0.05, 5), probability=st.floats(0, 1), size=st.just(12)
)
def test_mixup_labels_are_the_weights_of_the_images(seed, alpha, probability, size):
    """With one class an image, the label matrix times the images is the result."""
    images = random_images(seed, "uint8", size, 5, 5)
    transform = augment.Mixup(alpha, probability)
    mixed, labels = transform(images, np.eye(size, dtype="float32"), seed=seed)
    expected = labels @ images.reshape(size, -1).astype("float32")
    np.testing.assert_allclose(mixed.reshape(size, -1), expected, atol=1e-3)


@settings(max_examples=20, deadline=None)
@given(
    seed=seeds,
    alpha=st.floats(0.05, 5),
    height=st.integers(1, 15),
    width=st.integers(1, 15),
)
def test_cutmix_labels_are_the_areas(seed, alpha, height, width):
    """With one colour an image, count the pixels of each colour."""
    size = 9
    colours = np.arange(size, dtype="uint8")
    images = np.tile(colours[:, None, None, None], (1, height, width, 3))
    transform = augment.CutMix(alpha, 1.0)
    mixed, labels = transform(images, np.eye(size, dtype="float32"), seed=seed)
    areas = (mixed[..., 0].reshape(size, -1, 1) == colours).mean(axis=1)
    np.testing.assert_allclose(labels, areas, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, smoothing=st.floats(0, 1))
def test_mixed_and_smoothed_labels_sum_to_1(seed, smoothing):
    generator = augment.BatchGenerator(
        PIXELS, np.arange(60) % 10, MIXING, 16, seed, label_smoothing=smoothing
    )
    for _, labels in generator:
        np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-5)
        assert labels.min() >= 0


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_shares_are_beta_distributed(alpha):
    count = 20000
    labels = np.zeros((count, 2), "float32")
    labels[np.arange(count), np.arange(count) % 2] = 1
    images = np.zeros((count, 1, 1, 1), "float32")
    _, mixed = augment.Mixup(alpha)(images, labels, seed=1)
    # An image that meets one of its own class keeps its label: half of them.
    own = mixed[np.arange(count), np.arange(count) % 2]
    shares = own[(own > 0) & (own < 1)]
    assert abs(len(shares) / count - 0.5) < 0.06
    assert abs(shares.mean() - 0.5) < 0.02
    assert abs(shares.var() * 4 * (2 * alpha + 1) - 1) < 0.04


# Errors ----------------------------------------------------------------------

LABELS = np.arange(60) % 10
ERRORS = [
    (lambda: augment.RandomCrop(-1), "padding must be a whole number.*-1"),
    (lambda: augment.RandomCrop(2.5), "padding must be a whole number.*2.5"),
    (lambda: augment.RandomCrop(4, "mirror"), "mode must be one of.*'mirror'"),
    (lambda: augment.RandomCrop(12)(PIXELS), "padding=12 is more.*at most 11"),
    (lambda: augment.RandomFlip(1.5), "probability must be.*0 to 1.*1.5"),
    (lambda: augment.RandomFlip("half"), "probability must be a number.*'half'"),
    (lambda: augment.RandomRotation(-5), "degrees must be.*-5"),
    (lambda: augment.RandomRotation(5, "none"), "mode must be one of.*'none'"),
    (lambda: augment.RandomShift(2), "horizontal must be.*2"),
    (lambda: augment.RandomShift(0, np.nan), "vertical must be.*nan"),
    (lambda: augment.RandomShear(90), "degrees must be.*80.*90"),
    (lambda: augment.RandomZoom(2), r"factors must be a pair.*2"),
    (lambda: augment.RandomZoom((2, 1)), r"factors must be a pair.*\(2, 1\)"),
    (lambda: augment.RandomZoom((0, 1)), r"factors must be a number.*0.1 to 10.*0"),
    (lambda: augment.ElasticWarp(-1), "strength must be.*-1"),
    (lambda: augment.ElasticWarp(1, 0.5), "smoothness must be.*0.5"),
    (lambda: augment.ChannelShift(300), "intensity must be.*300"),
    (lambda: augment.PCAColour(PIXELS, -1), "strength must be.*-1"),
    (lambda: augment.PCAColour(PIXELS[0]), r"images must have.*\(12, 12, 3\)"),
    (lambda: EVERY[8](PIXELS[..., :1]), r"3 channels.*\(60, 12, 12, 1\)"),
    (lambda: augment.Cutout(0), "size must be.*0"),
    (lambda: augment.Cutout(4, fill="grey"), "fill must be.*'grey'"),
    (lambda: augment.Cutout(4, fill=256), "fill must be.*256"),
    (lambda: augment.Cutout(4)(PIXELS[..., :1]), "fill must hold 1 values"),
    (lambda: augment.RandomErasing(area=(0.5, 0.1)), "area must be a pair.*0.5"),
    (lambda: augment.RandomErasing(aspect=(0, 1)), "aspect must be.*0"),
    (lambda: augment.Mixup(0), "alpha must be.*0"),
    (lambda: augment.CutMix(probability=2), "probability must be.*2"),
    (lambda: augment.Mixup()(PIXELS), "Mixup changes the labels too"),
    (lambda: augment.CutMix()(PIXELS, LABELS), "CutMix needs one-hot.*int64"),
    (lambda: augment.RandomFlip()(PIXELS[0]), r"images must have.*\(12, 12, 3\)"),
    (lambda: augment.RandomFlip()(PIXELS / 255), "uint8 or float32.*float64"),
    (lambda: augment.one_hot([1.5]), "labels that are not integers"),
    (lambda: augment.one_hot([[1, 2]]), r"integer labels.*\(1, 2\)"),
    (lambda: augment.one_hot([0, 3], classes=3), "0 to 2 for classes=3.*0 to 3"),
    (lambda: augment.one_hot([0], classes=1), "classes must be.*1"),
    (lambda: augment.one_hot([0, 1], smoothing=2), "label_smoothing must be.*2"),
    (lambda: augment.normalize(PIXELS, None), "give mean and std, or neither"),
    (lambda: augment.normalize(PIXELS, (0, 0), (1, 1)), "mean must hold 3 values"),
    (lambda: augment.normalize(PIXELS, std=(1, 0, 1)), "std must be positive"),
    (lambda: augment.BatchGenerator(PIXELS / 255, LABELS), "uint8.*float64"),
    (lambda: augment.BatchGenerator(PIXELS, LABELS[1:]), "60 images and 59 labels"),
    (lambda: augment.BatchGenerator(PIXELS[:0], LABELS[:0]), "at least one image"),
    (lambda: augment.BatchGenerator(PIXELS, LABELS, [flip]), "got <function flip"),
    (lambda: augment.BatchGenerator(PIXELS, LABELS, batch_size=0), "batch_size.*0"),
    (lambda: augment.BatchGenerator(PIXELS, LABELS, seed=-1), "seed must be.*-1"),
    (lambda: augment.BatchGenerator(PIXELS, LABELS, mean=None), "or neither"),
    (
        lambda: augment.BatchGenerator(PIXELS, LABELS, drop_remainder=True),
        "batch_size=128 is more than the 60 images",
    ),
    (lambda: make_for_fit().set_epoch(-1), "epoch must be.*-1"),
]


@pytest.mark.parametrize("call, message", ERRORS, ids=[m for _, m in ERRORS])
def test_errors_name_the_value(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_there_is_no_batch_after_the_last():
    generator = make_for_fit()
    with pytest.raises(IndexError, match="batches 0 to 3, not 4"):
        generator.batch(0, 4)
