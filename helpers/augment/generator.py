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
from helpers.augment.mixing import Mixing
from helpers.augment.normalise import MEAN, STD, normalize, one_hot
from helpers.augment.warp import fuse


class BatchGenerator(keras.utils.PyDataset):
    """Shuffled, augmented, normalised batches of an array of images.

    Pass it to `fit(generator, shuffle=False)`: the generator shuffles, and `fit`
    would only put the order of the batches at the mercy of Python's `random`.
    Leave `steps_per_epoch` alone, so that an epoch of `fit` is an epoch here.

    `epoch` counts from 0 and moves on when `fit` has come to the end of one. A run
    that is resumed calls `set_epoch`, or gives `fit` the callback `follow()`, which
    takes the number from `fit` itself, `initial_epoch` included.

    On TensorFlow two threads prepare batches beside the training. Keras then queues
    them itself; with one thread it leaves that to tf.data, whose tuning can sleep at
    the end of an epoch, for up to a minute. On JAX and PyTorch leave it at one: with
    more, Keras starts its queue once to build the model and the first epoch begins
    with what was left.

    Args:
        images: `(n, height, width, channels)`, uint8.
        labels: `(n,)` or `(n, 1)` integers, or `(n, classes)` probabilities.
        transforms: the transformations, applied in this order. Rotation, shift,
            shear, zoom and mirror that follow each other are one resampling.
        batch_size: images a batch; the last batch of an epoch may be smaller.
        seed: whole number below 2**32 that everything random depends on.
        mean: one value a channel in units of 0..255; None, with `std`, divides by
            255 instead.
        std: likewise.
        classes: number of classes; given, integer labels become one-hot. Mixing
            and label smoothing need one-hot labels and, without this, take the
            largest label for the last class.
        label_smoothing: share of the label spread evenly over all classes.
        shuffle: whether each epoch has its own order.
        drop_remainder: whether a smaller last batch is left out.
        outputs: outputs of the network that learn the labels; for more than one,
            as with side branches, a batch has the labels as many times.
        **workers: `workers`, `use_multiprocessing` and `max_queue_size` of
            `keras.utils.PyDataset`; 2 workers by default on TensorFlow, else 1.

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
        outputs: int = 1,
        **workers,
    ):
        threads = 2 if keras.config.backend() == "tensorflow" else 1
        super().__init__(**{"workers": threads, **workers})
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
        self.outputs = check_number("outputs", outputs, 1, integer=True)
        self.shuffle = bool(shuffle)
        self.drop_remainder = bool(drop_remainder)
        if self.drop_remainder and self.batch_size > len(images):
            raise ValueError(
                f"batch_size={batch_size} is more than the {len(images)} images, so "
                "drop_remainder=True leaves nothing"
            )
        mixes = any(isinstance(transform, Mixing) for transform in self.transforms)
        integers = np.issubdtype(labels.dtype, np.integer)
        if classes is not None or label_smoothing or mixes or not integers:
            labels = one_hot(labels, classes, label_smoothing)
        self.labels = labels
        # A crop that comes first is cut straight out of images padded once.
        self._crop = None
        if self.transforms and isinstance(self.transforms[0], RandomCrop):
            self._crop = self.transforms[0]
        self._steps = fuse(self.transforms[1:] if self._crop else self.transforms)
        self._images = self._crop.pad(images) if self._crop else images
        self.epoch = 0
        self._within_epoch = False
        self._forget()
        self._order = (None, None)

    def __len__(self) -> int:
        """Number of batches of an epoch."""
        if self.drop_remainder:
            return len(self.labels) // self.batch_size
        return -(-len(self.labels) // self.batch_size)

    def __getitem__(self, index: int):
        """Returns batch `index` of the present epoch: `(images, labels)`."""
        if self._first is None:
            self._first = index
        if index == len(self) - 1:
            self._asked_last = True
        return self.batch(self.epoch, index)

    def batch(self, epoch: int, index: int):
        """Returns any batch, whatever was asked for before.

        Args:
            epoch: counted from 0.
            index: number of the batch, 0 to `len(generator) - 1`.

        Returns:
            The images, float32 `(batch, height, width, channels)`, and their
            labels, `(batch,)` integers or `(batch, classes)` float32; a tuple of
            them for a network of several outputs.

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
        for step in self._steps:
            step = step.at(which, epoch, self.seed)
            images, labels = step.apply_pairs(images, labels, rng)
        if self.outputs > 1:
            labels = (labels,) * self.outputs
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

    def plain(self) -> "BatchGenerator":
        """Returns a generator of the same images and labels without augmentation.

        Returns:
            Batches of the same size and normalisation, in the order of the images,
            none left out. It shares the memory of the images.
        """
        images = self._images
        if self._crop:  # stored with borders
            border = self._crop.padding
            height, width = images.shape[1] - border, images.shape[2] - border
            images = images[:, border:height, border:width]
        return BatchGenerator(
            images,
            self.labels,
            batch_size=self.batch_size,
            seed=self.seed,
            mean=self.mean,
            std=self.std,
            shuffle=False,
            outputs=self.outputs,
            workers=self.workers,
            use_multiprocessing=self.use_multiprocessing,
            max_queue_size=self.max_queue_size,
        )

    def set_epoch(self, epoch: int) -> None:
        """Makes `epoch`, counted from 0, the present one."""
        self.epoch = check_number("epoch", epoch, 0, integer=True)
        self._within_epoch = False

    def follow(self) -> keras.callbacks.Callback:
        """Returns a callback for `fit` that sets the epoch to the one `fit` is in."""
        return keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: self.set_epoch(epoch)
        )

    def on_epoch_begin(self) -> None:
        """Keras calls this before the first batch of an epoch."""
        self._within_epoch = True
        # Threads have been asking since before Keras called this.
        if self.workers <= 1:
            self._forget()

    def on_epoch_end(self) -> None:
        """Keras calls this after the last batch, but not only then.

        `fit` calls it once before the first epoch too; on JAX and PyTorch it has
        then begun one and read a batch, to build the model. So an epoch has ended
        if it began and its last batch was asked for, which is not seen here when
        other processes make the batches.
        """
        if self._within_epoch:
            # Of several threads the second may be first to ask.
            if self._first is not None and self._first >= max(self.workers, 1):
                warnings.warn(
                    f"epoch {self.epoch} began with batch {self._first} instead of 0, "
                    "so a resumed run will not see the same order: call fit with "
                    "shuffle=False (the generator shuffles) and without "
                    "steps_per_epoch",
                    stacklevel=2,
                )
            if self._asked_last or self.use_multiprocessing:
                self.epoch += 1
        self._within_epoch = False
        self._forget()

    def _forget(self):
        """What was asked for before an epoch says nothing about it."""
        self._first, self._asked_last = None, False

    def _gather(self, which, rng):
        if self._crop:
            return self._crop.gather(self._images, which, rng)
        return self._images[which]
