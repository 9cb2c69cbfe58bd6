"""The generator: batches for `fit`, each a function of (seed, epoch, index) alone.

So batch 7 of epoch 12 is the same whether it is asked for first or last, by one
thread, by four or by other processes, and a resumed run sees what an
uninterrupted one would have seen.
"""

import warnings

import keras
import numpy as np

from helpers.augment.base import Transformation, check_number
from helpers.augment.geometry import RandomCrop

# The 50,000 training images of CIFAR-10, by channel, in units of 0..255.
MEAN = (125.3, 122.95, 113.87)
STD = (62.99, 62.09, 66.7)


def normalize(images: np.ndarray, mean=MEAN, std=STD) -> np.ndarray:
    """Turns images of 0..255 into what a network trains on.

    Args:
        images: `(batch, height, width, channels)`, uint8 or float32 in 0..255.
        mean: one value a channel in units of 0..255, or None with `std`.
        std: likewise.

    Returns:
        float32 of the same shape: `(images - mean) / std`, or `images / 255` when
        both are None.

    Raises:
        ValueError: if one of the two is missing, has another length than there
            are channels, or a standard deviation is not positive.
    """
    channels = images.shape[-1]
    if mean is None and std is None:
        mean, std = np.zeros(channels), np.full(channels, 255.0)
    if mean is None or std is None:
        raise ValueError(f"give mean and std, or neither: got {mean!r} and {std!r}")
    mean, std = np.asarray(mean, "float64"), np.asarray(std, "float64")
    for name, values in (("mean", mean), ("std", std)):
        if values.shape != (channels,):
            raise ValueError(
                f"{name} must hold {channels} values, one a channel, got {values}"
            )
    if not (std > 0).all():
        raise ValueError(f"std must be positive, got {std}")
    # Whole images are the inner loop; a loop over three channels is 7 times slower.
    pixels = images[0].size // channels if len(images) else 0
    flat = images.reshape(len(images), pixels * channels).astype("float32")
    flat -= np.tile(mean.astype("float32"), pixels)
    flat *= np.tile((1 / std).astype("float32"), pixels)
    return flat.reshape(images.shape)


class BatchGenerator(keras.utils.PyDataset):
    """Shuffled, augmented, normalised batches of an array of images.

    Pass it to `fit(generator, shuffle=False)`: the generator shuffles, and `fit`
    would only put the order of the batches at the mercy of Python's `random`.
    Leave `steps_per_epoch` alone, so that an epoch of `fit` is an epoch here.

    `epoch` counts from 0 and moves on when `fit` ends an epoch; a run that is
    resumed calls `set_epoch`.

    Args:
        images: `(n, height, width, channels)`, uint8.
        labels: `(n,)` or `(n, 1)` integers, or `(n, classes)` probabilities.
        transforms: the transformations, applied in this order.
        batch_size: images a batch; the last batch of an epoch may be smaller.
        seed: whole number below 2**32 that everything random depends on.
        mean: one value a channel in units of 0..255; None, with `std`, divides by
            255 instead.
        std: likewise.
        classes: number of classes; given, integer labels become one-hot.
        label_smoothing: share of the label spread evenly over all classes; above
            0 labels become one-hot.
        shuffle: whether each epoch has its own order.
        drop_remainder: whether a smaller last batch is left out.
        **workers: `workers`, `use_multiprocessing` and `max_queue_size` of
            `keras.utils.PyDataset`.

    Raises:
        ValueError: if an argument does not fit, naming it and its value.
    """

    def __init__(
        self,
        images,
        labels,
        transforms=(),
        batch_size: int = 128,
        seed: int = 0,
        mean=MEAN,
        std=STD,
        classes: int | None = None,
        label_smoothing: float = 0.0,
        shuffle: bool = True,
        drop_remainder: bool = False,
        **workers,
    ):
        super().__init__(**workers)
        images, labels = np.asarray(images), np.asarray(labels)
        if images.ndim != 4 or images.dtype != np.uint8:
            raise ValueError(
                "images must be uint8 of shape (n, height, width, channels), got "
                f"{images.dtype} of shape {images.shape}"
            )
        if len(images) == 0 or len(images) != len(labels):
            raise ValueError(
                "there must be one label an image and at least one image, got "
                f"{len(images)} images and {len(labels)} labels"
            )
        for transform in transforms:
            if not isinstance(transform, Transformation):
                raise ValueError(
                    f"transforms must hold transformations, got {transform!r}"
                )
        self.transforms = tuple(transforms)
        self.batch_size = check_number("batch_size", batch_size, 1, integer=True)
        self.seed = check_number("seed", seed, 0, 2**32 - 1, integer=True)
        self.mean, self.std = mean, std
        normalize(images[:1], mean, std)
        self.shuffle = bool(shuffle)
        self.drop_remainder = bool(drop_remainder)
        if self.drop_remainder and self.batch_size > len(images):
            raise ValueError(
                f"batch_size={batch_size} is more than the {len(images)} images, so "
                "drop_remainder=True leaves nothing"
            )
        self.labels = _prepare_labels(labels, classes, label_smoothing)
        # A crop that comes first is cut straight out of images padded once.
        self._crop = None
        if self.transforms and isinstance(self.transforms[0], RandomCrop):
            self._crop = self.transforms[0]
        self._rest = self.transforms[1:] if self._crop else self.transforms
        self._images = self._crop.pad(images) if self._crop else images
        self.epoch = 0
        self._within_epoch = False
        self._expect_first = False
        self._order = (None, None)

    def __len__(self) -> int:
        """Number of batches of an epoch."""
        if self.drop_remainder:
            return len(self.labels) // self.batch_size
        return -(-len(self.labels) // self.batch_size)

    def __getitem__(self, index: int):
        """Returns batch `index` of the present epoch: `(images, labels)`."""
        if self._expect_first and self.workers <= 1 and not self.use_multiprocessing:
            self._expect_first = False
            if index != 0:
                warnings.warn(
                    f"epoch {self.epoch} began with batch {index} instead of 0, so "
                    "a resumed run will not see the same order: call fit with "
                    "shuffle=False (the generator shuffles) and without "
                    "steps_per_epoch",
                    stacklevel=2,
                )
        return self.batch(self.epoch, index)

    def batch(self, epoch: int, index: int):
        """Returns any batch, whatever was asked for before.

        Args:
            epoch: counted from 0.
            index: number of the batch, 0 to `len(generator) - 1`.

        Returns:
            The images, float32 `(batch, height, width, channels)`, and their
            labels, `(batch,)` integers or `(batch, classes)` float32.

        Raises:
            IndexError: if there is no such batch.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"there are batches 0 to {len(self) - 1}, not {index}")
        start = index * self.batch_size
        which = self.order(epoch)[start : start + self.batch_size]
        # The numbers of SeedSequence are padded with zeros, so (seed, epoch) would
        # be the stream of (seed, epoch, 0): the order has 0, batches start at 1.
        rng = np.random.default_rng((self.seed, epoch, index + 1))
        images, labels = self._gather(which, rng), self.labels[which]
        for transform in self._rest:
            images = transform.apply(images, rng)
        return normalize(images, self.mean, self.std), labels

    def order(self, epoch: int) -> np.ndarray:
        """Returns the order in which an epoch visits the images, `(n,)` numbers."""
        known, order = self._order
        if known != epoch:
            order = np.arange(len(self.labels))
            if self.shuffle:
                np.random.default_rng((self.seed, epoch, 0)).shuffle(order)
            # One assignment, so that another thread sees the old pair or the new.
            self._order = (epoch, order)
        return order

    def set_epoch(self, epoch: int) -> None:
        """Makes `epoch`, counted from 0, the present one."""
        self.epoch = check_number("epoch", epoch, 0, integer=True)
        self._within_epoch = False

    def on_epoch_begin(self) -> None:
        """Keras calls this before the first batch of an epoch."""
        self._within_epoch = True
        self._expect_first = True

    def on_epoch_end(self) -> None:
        """Keras calls this after the last batch, and once before the first epoch."""
        if self._within_epoch:
            self.epoch += 1
        self._within_epoch = False

    def _gather(self, which, rng):
        if self._crop:
            return self._crop.gather(self._images, which, rng)
        return self._images[which]


def _prepare_labels(labels, classes, smoothing):
    """Returns the labels as `fit` gets them: integers, or rows that sum to 1."""
    smoothing = check_number("label_smoothing", smoothing, 0, 1)
    if classes is not None:
        classes = check_number("classes", classes, 2, integer=True)
    if np.issubdtype(labels.dtype, np.integer):
        if labels.ndim > 2 or labels[0].size != 1:
            raise ValueError(
                f"integer labels must have the shape (n,) or (n, 1), got {labels.shape}"
            )
        if classes is None and smoothing == 0:
            return labels
        labels = labels.reshape(-1)
        classes = classes or int(labels.max()) + 1
        if labels.min() < 0 or labels.max() >= classes:
            raise ValueError(
                f"labels must be 0 to {classes - 1} for classes={classes}, got "
                f"{labels.min()} to {labels.max()}"
            )
        labels = np.eye(classes, dtype="float32")[labels]
    elif labels.ndim != 2 or classes not in (None, labels.shape[1]):
        raise ValueError(
            "labels that are not integers must have the shape (n, classes), got "
            f"{labels.shape} with classes={classes}"
        )
    labels = labels.astype("float32")
    return labels * (1 - smoothing) + np.float32(smoothing / labels.shape[1])
