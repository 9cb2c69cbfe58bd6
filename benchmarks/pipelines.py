"""Images per second of four ways to augment, and what a generator costs a training.

    python -m benchmarks.pipelines                 the four ways, two chains
    python -m benchmarks.pipelines --transforms    each transformation alone
    python -m benchmarks.pipelines --epoch base    an epoch of a network, fed by the
                                                   generator and by fixed arrays

Every way makes the same thing of uint8 images: shuffled batches of 128, moved,
mirrored and normalised as float32. Only cropping moves by whole pixels in ours and in
tf.data and by parts of them, interpolated, in the other two. Rounds are interleaved
and medians taken, so that what else the machine does falls on all alike; the spread is
printed. Images are random numbers: no way depends on what they show.
ImageDataGenerator needs SciPy, the warps need OpenCV.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

# It has no public name left in Keras 3; its users have moved on or still have it.
from keras.src.legacy.preprocessing.image import (  # noqa: E402
    ImageDataGenerator,
)

from helpers import augment, runtime  # noqa: E402
from helpers.architectures import BUILDERS  # noqa: E402

BATCH = 128
DEGREES = 15
SHIFT = 4 / 32
MEAN = np.array(augment.MEAN, "float32")
STD = np.array(augment.STD, "float32")


# The four ways. Each takes images, labels and whether to rotate, and returns a
# function that gives the batches of one epoch.


def ours(images, labels, rotate):
    chain = [augment.RandomCrop(4), augment.RandomFlip()]
    if rotate:
        chain = [
            augment.RandomRotation(DEGREES),
            augment.RandomShift(SHIFT, SHIFT),
            augment.RandomFlip(),
        ]
    generator = augment.BatchGenerator(images, labels, chain, BATCH)

    def epoch():
        yield from generator
        generator.set_epoch(generator.epoch + 1)

    return epoch


def image_data_generator(images, labels, rotate):
    generator = ImageDataGenerator(
        featurewise_center=True,
        featurewise_std_normalization=True,
        rotation_range=DEGREES if rotate else 0,
        width_shift_range=SHIFT,
        height_shift_range=SHIFT,
        horizontal_flip=True,
        fill_mode="reflect",
    )
    generator.mean, generator.std = MEAN, STD
    flow = generator.flow(images, labels, BATCH, seed=0)

    def epoch():
        flow.reset()
        for _ in range(len(flow)):
            yield next(flow)

    return epoch


def tf_data_per_image(images, labels, rotate):
    size = images.shape[1]

    def crop(image):
        image = tf.pad(image, [[4, 4], [4, 4], [0, 0]], mode="REFLECT")
        return tf.image.random_crop(image, [size, size, 3])

    def warp(image):
        angle = tf.random.uniform([], -DEGREES, DEGREES) * (np.pi / 180)
        shift = tf.random.uniform([2], -SHIFT * size, SHIFT * size)
        cos, sin, centre = tf.cos(angle), tf.sin(angle), (size - 1) / 2
        x = centre - cos * centre + sin * centre + shift[0]
        y = centre - sin * centre - cos * centre + shift[1]
        warped = tf.raw_ops.ImageProjectiveTransformV3(
            images=image[None],
            transforms=tf.stack([cos, -sin, x, sin, cos, y, 0.0, 0.0])[None],
            output_shape=[size, size],
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode="REFLECT",
        )
        return tf.ensure_shape(warped[0], [size, size, 3])

    def change(image, label):
        image = warp(image) if rotate else crop(image)
        image = tf.image.random_flip_left_right(image)
        return (tf.cast(image, "float32") - MEAN) / STD, label

    dataset = tf.data.Dataset.from_tensor_slices((images, labels))
    dataset = dataset.shuffle(len(images)).map(change, tf.data.AUTOTUNE)
    dataset = dataset.batch(BATCH).prefetch(tf.data.AUTOTUNE)
    return lambda: dataset


def keras_layers_in_tf_data(images, labels, rotate):
    # RandomCrop takes one place for the whole batch: RandomTranslation it is.
    chain = [
        keras.layers.RandomTranslation(SHIFT, SHIFT, "reflect"),
        keras.layers.RandomFlip("horizontal"),
        keras.layers.Normalization(mean=MEAN, variance=STD**2),
    ]
    if rotate:
        chain.insert(0, keras.layers.RandomRotation(DEGREES / 360, "reflect"))

    def change(batch, label):
        batch = tf.cast(batch, "float32")
        for layer in chain:
            batch = layer(batch, training=True)
        return batch, label

    dataset = tf.data.Dataset.from_tensor_slices((images, labels))
    dataset = dataset.shuffle(len(images)).batch(BATCH)
    dataset = dataset.map(change, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
    return lambda: dataset


WAYS = {
    "helpers.augment": ours,
    "ImageDataGenerator": image_data_generator,
    "tf.data, image by image": tf_data_per_image,
    "Keras layers in tf.data": keras_layers_in_tf_data,
}
CHAINS = {"crop + flip": False, "rotation + shift + flip": True}


def make_images(count):
    """Returns random uint8 images `(count, 32, 32, 3)` and labels `(count,)`."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, 32, 32, 3), dtype="uint8")
    return images, rng.integers(0, 10, count)


def seconds_of(epoch, count):
    """Runs one epoch, checks that it gave normalised images, and times it."""
    start = time.perf_counter()
    seen = 0
    for images, _ in epoch():
        seen += len(images)
    seconds = time.perf_counter() - start
    images = np.asarray(images)
    if seen != count or images.dtype != np.float32 or not 0.5 < images.std() < 1.5:
        raise RuntimeError(
            f"a way gave {seen} images of {count}, {images.dtype}, deviation "
            f"{images.std():.2f}: it does not do what the others do"
        )
    return seconds


def interleave(runs, rounds):
    """Calls every run once a round, after one call to warm up.

    Args:
        runs: functions by name that return seconds.
        rounds: how often each is called.

    Returns:
        The seconds by name, one a round.
    """
    for run in runs.values():
        run()
    seconds = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            seconds[name].append(run())
    return seconds


def compare_ways(count, rounds):
    """Prints the table of the four ways for each chain."""
    images, labels = make_images(count)
    for chain, rotate in CHAINS.items():
        epochs = {name: way(images, labels, rotate) for name, way in WAYS.items()}
        runs = {
            name: lambda epoch=epoch: seconds_of(epoch, count)
            for name, epoch in epochs.items()
        }
        seconds = interleave(runs, rounds)
        first = statistics.median(seconds["helpers.augment"])
        print(f"\n{chain:26s} images/s  slowest..fastest round   ours is faster by")
        for name, times in seconds.items():
            speeds = [count / value for value in times]
            median = count / statistics.median(times)
            spread = f"{min(speeds):,.0f}..{max(speeds):,.0f}"
            ratio = statistics.median(times) / first
            print(f"  {name:24s}{median:9,.0f}  {spread:>23s}   {ratio:8.1f}")


def compare_transforms(count, rounds):
    """Prints images per second of each transformation alone, without a generator."""
    images, labels = make_images(count)
    labels = augment.one_hot(labels, 10)
    transforms = [
        augment.RandomCrop(),
        augment.RandomFlip(),
        augment.RandomRotation(),
        augment.RandomShift(),
        augment.RandomShear(),
        augment.RandomZoom(),
        augment.ElasticWarp(),
        augment.ChannelShift(),
        augment.PCAColour(images),
        augment.Cutout(),
        augment.RandomErasing(),
        augment.Mixup(),
        augment.CutMix(),
    ]

    def run(transform):
        start = time.perf_counter()
        for first in range(0, count, BATCH):
            transform(images[first : first + BATCH], labels[first : first + BATCH])
        return time.perf_counter() - start

    runs = {type(t).__name__: lambda t=t: run(t) for t in transforms}
    print(f"\n{'transformation':20s} images/s")
    for name, times in interleave(runs, rounds).items():
        print(f"  {name:18s}{count / statistics.median(times):9,.0f}")


def compare_epochs(network, count, rounds):
    """Prints the time of an epoch fed by the generator and by fixed arrays.

    Processor time, over all threads, is what to read on a busy machine.
    """
    images, labels = make_images(count)
    model = BUILDERS[network]()
    model.compile("sgd", "sparse_categorical_crossentropy")
    fixed = augment.normalize(images)
    generator = augment.BatchGenerator(
        images, labels, [augment.RandomCrop(4), augment.RandomFlip()], BATCH
    )

    processor = {"fixed arrays": [], "generator": []}

    def fit(name, *data, **options):
        start, start_processor = time.perf_counter(), time.process_time()
        model.fit(*data, epochs=1, verbose=0, **options)
        processor[name].append(time.process_time() - start_processor)
        return time.perf_counter() - start

    seconds = interleave(
        {
            "fixed arrays": lambda: fit(
                "fixed arrays", fixed, labels, batch_size=BATCH
            ),
            "generator": lambda: fit("generator", generator, shuffle=False),
        },
        rounds,
    )
    print(f"\nan epoch of {network}, {count} images, {rounds} rounds")
    for measure, times in (("elapsed", seconds), ("processor", processor)):
        # The first of the processor's is the warm-up. Rounds are compared in
        # pairs: what slows one slows its neighbour.
        times = {name: values[-rounds:] for name, values in times.items()}
        for name, values in times.items():
            print(
                f"  {measure:10s}{name:13s}{statistics.median(values):8.2f} s   "
                f"{min(values):.2f}..{max(values):.2f}"
            )
        pairs = zip(times["generator"], times["fixed arrays"], strict=True)
        ratios = [fed / plain for fed, plain in pairs]
        print(
            f"  {measure:10s}generator / arrays, median of pairs: "
            f"{statistics.median(ratios):.3f} ({min(ratios):.3f}..{max(ratios):.3f})"
        )


def main(arguments=None):
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipelines")
    parser.add_argument("--epoch", choices=sorted(BUILDERS), metavar="NETWORK")
    parser.add_argument("--transforms", action="store_true")
    parser.add_argument("--images", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    print(runtime.hardware())
    if hasattr(os, "getloadavg"):
        print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    if options.epoch:
        compare_epochs(options.epoch, options.images, options.rounds)
    elif options.transforms:
        compare_transforms(options.images, options.rounds)
    else:
        compare_ways(options.images, options.rounds)


if __name__ == "__main__":
    main()
