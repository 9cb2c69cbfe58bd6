"""The data set in memory: arrays, names, the fixed split and the images' hash."""

import dataclasses
import hashlib

import numpy as np

CLASS_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
CLASSES = len(CLASS_NAMES)
IMAGE_SHAPE = (32, 32, 3)
TRAIN_IMAGES = 50_000
TEST_IMAGES = 10_000
VALIDATION_IMAGES = 5_000
SPLIT_SEED = 0
SYNTHETIC = "synthetic stand-in"


class DataError(ValueError):
    """A data set is absent or damaged; the message names the file and the remedy."""


@dataclasses.dataclass(frozen=True, eq=False)
class Cifar10:
    """CIFAR-10 in memory, split into training, validation and test images.

    Attributes:
        x_train: uint8 images, shape `(45000, 32, 32, 3)`.
        y_train: uint8 labels from 0 to 9, shape `(45000,)`.
        x_val: the 5,000 images held out of the official training images.
        y_val: their labels.
        x_test: the 10,000 official test images.
        y_test: their labels.
        class_names: the ten names, in the order of the labels.
        source: what the images are, to be named beside every figure.
        sha256: SHA-256 of the images and labels (see `images_sha256`).
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...]
    source: str
    sha256: str

    @property
    def is_synthetic(self) -> bool:
        """True for the stand-in, whose results say nothing about CIFAR-10."""
        return self.source == SYNTHETIC

    def sheet(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Returns `(x_train, y_train, x_test, y_test)` by the assignment's sheet.

        The sheet trains on all 50,000 training images and validates on the test
        images: the validation images follow the training images again.
        """
        return (
            np.concatenate([self.x_train, self.x_val]),
            np.concatenate([self.y_train, self.y_val]),
            self.x_test,
            self.y_test,
        )


def assemble(x_train, y_train, x_test, y_test, source: str) -> Cifar10:
    """Splits complete training images and hashes everything."""
    keep, held_out = stratified_split(y_train, len(y_train) // 10)
    return Cifar10(
        x_train=x_train[keep],
        y_train=y_train[keep],
        x_val=x_train[held_out],
        y_val=y_train[held_out],
        x_test=x_test,
        y_test=y_test,
        class_names=CLASS_NAMES,
        source=source,
        sha256=images_sha256(x_train, y_train, x_test, y_test),
    )


def stratified_split(labels: np.ndarray, held_out: int) -> tuple[np.ndarray, ...]:
    """Divides indices so that every class gives the same share."""
    rng = np.random.default_rng(SPLIT_SEED)
    chosen = [
        rng.permutation(np.flatnonzero(labels == label))[: held_out // CLASSES]
        for label in range(CLASSES)
    ]
    mask = np.zeros(len(labels), bool)
    mask[np.concatenate(chosen)] = True
    return np.flatnonzero(~mask), np.flatnonzero(mask)


def images_sha256(x_train, y_train, x_test, y_test) -> str:
    """Returns the SHA-256 of train images, test images, train and test labels."""
    digest = hashlib.sha256()
    for array in (x_train, x_test, y_train, y_test):
        digest.update(np.ascontiguousarray(array, dtype=np.uint8))
    return digest.hexdigest()
