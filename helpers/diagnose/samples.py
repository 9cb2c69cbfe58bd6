"""Some of a data set, read so that the data set does not notice."""

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from helpers.augment import BatchGenerator
from helpers.callbacks.randomness import capture_random, restore_random

# The batch size of `fit` for arrays, where none is given.
_FIT_BATCH = 32
# Times as many images of a generator without its augmentation: they are compared by
# narrow limits, and the constants of ImageNet in place of CIFAR-10's shift a channel
# by 0.15 standard deviations, which 1,000 images beside 1,000 do not tell from chance.
_MORE = 2
# Images of each batch of a long `tf.data.Dataset`: as many as tell whether batches are
# of one class.
_OF_A_BATCH = 8


@dataclass(frozen=True)
class Sample:
    """Images of a data set, as a model gets them.

    Attributes:
        images: `(n, height, width, channels)`, or another shape behind `n`.
        labels: `(n,)`, `(n, 1)` or `(n, classes)`, as the loss gets them.
        batches: Which batch each image comes from, `(n,)`; one for arrays, which
            `fit` shuffles.
        total: Images of the whole data set; None where that is not known.
        batch_size: Images a training step.
        augmented: Whether the images have been changed at random; None where that is
            not known.
        plain: Images from all over the data set that nothing has changed at random,
            `(m, height, width, channels)`; None where only changed ones are known.
        beginning: Whether only the beginning of the data set could be read, whose
            classes need not be those of the rest.
    """

    images: np.ndarray
    labels: np.ndarray
    batches: np.ndarray
    total: int | None
    batch_size: int
    augmented: bool | None
    plain: np.ndarray | None
    beginning: bool = False

    @property
    def classes(self) -> np.ndarray:
        """The class of each image, `(n,)`."""
        return classes_of(self.labels)

    def head(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns some images and labels from all over the sample."""
        which = _some(len(self.images), count)
        return self.images[which], self.labels[which]

    def as_batches(self, size: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Cuts the sample into mixed batches of one size; what is left is left out."""
        order = np.random.default_rng(0).permutation(len(self.images))
        size = min(size, len(order))
        cuts = [order[i : i + size] for i in range(0, len(order) - size + 1, size)]
        return [(self.images[which], self.labels[which]) for which in cuts]


def classes_of(labels: np.ndarray) -> np.ndarray:
    """Returns the class of each label, `(n,)`, of whichever form."""
    if labels.ndim == 2 and labels.shape[1] > 1:
        return labels.argmax(axis=1)
    return labels.reshape(len(labels))


def read(data: Any, images: int, batch_size: int | None = None) -> Sample:
    """Reads some images of a data set.

    Args:
        data: `(images, labels)` arrays, a `keras.utils.PyDataset`, a list of batches
            `(images, labels)`, or a `tf.data.Dataset` of batches.
        images: About how many to read, evenly from the beginning to the end. A
            `tf.data.Dataset` is gone through once for it, as `fit` does for an epoch;
            where it does not know its length or has no end, its beginning is read.
        batch_size: Images a step; by default 32 for arrays, else as in the data.

    Returns:
        The sample. A `PyDataset` is read through a copy, whose counters and random
        generators are not its own, so that it goes on as if it had not been read;
        and the global random numbers are put back.

    Raises:
        TypeError: If the data cannot be read without using them up.
        ValueError: If there are no images, or images and labels do not pair up.
    """
    # Keras' older generators, ImageDataGenerator.flow, are both.
    if isinstance(data, Iterator) and not isinstance(data, keras.utils.PyDataset):
        raise TypeError(
            f"The data are an iterator ({type(data).__name__}), which a look would use "
            "up. Give arrays (images, labels), a keras.utils.PyDataset or a list of "
            "batches."
        )
    random_before = capture_random()
    try:
        return _read(data, images, batch_size)
    finally:
        restore_random(random_before)


def _read(data, images, batch_size):
    if isinstance(data, tuple | list) and len(data) == 2 and hasattr(data[0], "shape"):
        return _from_arrays(*data, images, batch_size or _FIT_BATCH)
    if hasattr(data, "as_numpy_iterator"):
        return _from_dataset(data, images, batch_size)
    if hasattr(data, "__getitem__") and hasattr(data, "__len__"):
        return _from_batches(_apart(data), images, batch_size)
    raise TypeError(
        f"The data are of type {type(data).__name__}: give arrays (images, labels), a "
        "keras.utils.PyDataset, a list of batches or a batched tf.data.Dataset."
    )


def _from_arrays(images, labels, count, batch_size):
    images, labels = np.asarray(images), np.asarray(labels)
    _pair_up(images, labels)
    # Not every tenth image: classes that take turns would leave one of them.
    which = np.random.default_rng(0).permutation(len(images))[:count]
    return Sample(
        images[which],
        labels[which],
        np.zeros(len(which), int),
        len(images),
        batch_size,
        augmented=False,
        plain=images[which],
    )


def _from_batches(data, count, batch_size):
    if len(data) == 0:
        raise ValueError("The data hold no batch: give at least one image.")
    size = len(data[0][0])
    chosen = _some(len(data), max(1, -(-count // max(size, 1))))
    pairs = [data[int(index)][:2] for index in chosen]
    total = (len(data) - 1) * size + len(pairs[-1][0])
    transforms = getattr(data, "transforms", None)
    augmented = None if transforms is None else bool(transforms)
    if isinstance(data, list | tuple):  # the same at each look
        augmented = False
    plain = _plain(data, count) if isinstance(data, BatchGenerator) else None
    return _joined(pairs, total, batch_size or size, augmented, plain)


def _plain(data, count):
    """Returns images of a generator before its augmentation."""
    plain = data.plain()
    # Images may lie class by class: draw them, instead of some neighbours.
    count = _MORE * count
    plain.shuffle, plain.batch_size = True, min(plain.batch_size, count)
    batches = min(len(plain), -(-count // plain.batch_size))
    return np.concatenate([plain[index][0] for index in range(batches)])


def _from_dataset(data, count, batch_size):
    batches, pairs, total = int(data.cardinality()), [], None
    for index, batch in enumerate(data.as_numpy_iterator()):
        images, labels = batch[:2]
        _pair_up(images, labels)
        if index == 0:
            size = len(images)
            chosen, taken = _spread(batches, size, count)
        if index in chosen:
            which = _some(len(images), taken)
            pairs.append((images[which], labels[which]))
        if index >= chosen[-1]:
            break
    if not pairs:
        raise ValueError("The data hold no batch: give at least one image.")
    if batches > 0:
        total = (batches - 1) * size + len(images)
    # Where the length was not known it has come to its end, or else there is more.
    beginning = batches < 0 and index >= chosen[-1]
    batch_size = batch_size or size
    return _joined(pairs, total, batch_size, augmented=None, beginning=beginning)


def _spread(batches, size, count):
    """Returns which batches to read, and how many images to take of each."""
    wanted = max(1, -(-count // size))
    if batches < 0:  # -1 without end, -2 unknown
        return np.arange(wanted), size
    # Neighbours may be of one class, as in folders that are not shuffled: a few images
    # of many batches instead of all images of a few.
    chosen = _some(batches, max(wanted, count // _OF_A_BATCH))
    return chosen, -(-count // len(chosen))


def _joined(pairs, total, batch_size, augmented, plain=None, beginning=False):
    for images, labels in pairs:
        _pair_up(images, labels)
    images = np.concatenate([np.asarray(images) for images, _ in pairs])
    labels = np.concatenate([np.asarray(labels) for _, labels in pairs])
    numbers = np.repeat(np.arange(len(pairs)), [len(x) for x, _ in pairs])
    if plain is None and augmented is False:
        plain = images
    return Sample(
        images, labels, numbers, total, batch_size, augmented, plain, beginning
    )


def _pair_up(images, labels):
    if isinstance(labels, tuple | list | dict):
        raise ValueError(
            f"The labels of a batch are a {type(labels).__name__}, for a model of "
            "several outputs. Check its first output: give "
            "keras.Model(model.inputs, model.outputs[0]) and its labels."
        )
    if np.ndim(images) < 2 or np.ndim(labels) not in (1, 2) or len(images) == 0:
        raise ValueError(
            f"Images of shape {np.shape(images)} and labels of shape "
            f"{np.shape(labels)}: expected (n, height, width, channels) and (n,) or "
            "(n, classes), n at least 1."
        )
    if len(images) != len(labels):
        raise ValueError(
            f"There are {len(images)} images and {len(labels)} labels: give one label "
            "an image."
        )


def _some(length, count):
    """Returns up to `count` numbers below `length`, evenly spread, ends included."""
    return np.unique(np.linspace(0, length - 1, min(count, length)).astype(int))


def _apart(data):
    """Copies a data set, but not its arrays: reading sets attributes and draws."""
    if not isinstance(data, keras.utils.PyDataset):
        return data
    apart = copy.copy(data)
    drawing = np.random.Generator | np.random.RandomState | random.Random
    for name, value in vars(data).items():
        if isinstance(value, drawing):
            setattr(apart, name, copy.deepcopy(value))
    return apart
