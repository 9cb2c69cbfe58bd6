"""The data set in memory: its arrays, the fixed split and the images' hash."""

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
SYNTHETIC = "synthetic stand-in"

# One tenth of the training images is held out: 5,000 of CIFAR-10's 50,000.
_HELD_OUT = 10
# The seed of the split: another text holds out other images.
_SPLIT_KEY = "validation 0"


class DataError(ValueError):
    """A data set is absent or damaged; the message names the file and the remedy."""


@dataclasses.dataclass(frozen=True, eq=False)
class Cifar10:
    """CIFAR-10 in memory, split into training, validation and test images.

    Images are uint8 of shape `(n, 32, 32, 3)`, labels uint8 of shape `(n,)`.

    Attributes:
        x_train: the 45,000 images to train on.
        y_train: their labels, 0 to 9.
        x_val: the 5,000 images held out of the official training images.
        y_val: their labels.
        x_test: the 10,000 official test images.
        y_test: their labels.
        class_names: the ten names, in the order of the labels. The stand-in has
            names of its own, so that no figure of it reads as CIFAR-10.
        source: what the images are, to be named beside every figure.
        sha256: `images_sha256` of all images that were loaded.
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
        """Returns the arrays by the protocol of the assignment's sheet.

        The sheet trains on all training images and validates on the test images,
        so nothing is held out: the validation images follow the training images.

        Returns:
            `(x_train, y_train, x_test, y_test)`, 50,000 and 10,000 images.
        """
        return (
            np.concatenate([self.x_train, self.x_val]),
            np.concatenate([self.y_train, self.y_val]),
            self.x_test,
            self.y_test,
        )

    def take(
        self,
        train: int | None = None,
        validation: int | None = None,
        test: int | None = None,
    ) -> "Cifar10":
        """Returns a smaller data set of the same kind, the same one every time.

        Every class gives the same number of images, up to one where ten does not
        divide the number. A smaller choice is part of a larger one. The source
        and the hash stay those of the data set that the images come from.

        Args:
            train: number of training images; None keeps them all.
            validation: number of validation images; None keeps them all.
            test: number of test images; None keeps them all.

        Raises:
            ValueError: if a number is below 1 or above what there is.
        """
        parts = {}
        for part, number in (("train", train), ("val", validation), ("test", test)):
            images, labels = getattr(self, f"x_{part}"), getattr(self, f"y_{part}")
            if number is not None:
                if not 1 <= number <= len(images):
                    raise ValueError(
                        f"take() was asked for {number} {part} images: choose from "
                        f"1 to {len(images)}."
                    )
                chosen = _stratified(images, labels, number)
                images, labels = images[chosen], labels[chosen]
            parts[f"x_{part}"], parts[f"y_{part}"] = images, labels
        return dataclasses.replace(self, **parts)


def assemble(
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_test: np.ndarray,
    y_test: np.ndarray,
    source: str,
    class_names: tuple[str, ...] = CLASS_NAMES,
) -> Cifar10:
    """Splits complete training images and hashes everything."""
    keep, held_out = split(x_train, y_train)
    return Cifar10(
        x_train=x_train[keep],
        y_train=y_train[keep],
        x_val=x_train[held_out],
        y_val=y_train[held_out],
        x_test=x_test,
        y_test=y_test,
        class_names=class_names,
        source=source,
        sha256=images_sha256(x_train, y_train, x_test, y_test),
    )


def split(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Divides the training images into those to train on and those held out.

    An image is held out by its own pixels: in every class the tenth with the
    smallest keyed hashes. No random generator takes part, so the choice is the
    same with every version of NumPy and for every layout on disk, in whatever
    order that layout has the images. What the layout does decide is the order of
    the images inside the parts, and so the batches of a run.

    Args:
        images: uint8, `(n, height, width, channels)`.
        labels: `(n,)`.

    Returns:
        The two arrays of indices, each ascending.
    """
    held_out = _stratified(images, labels, len(images) // _HELD_OUT)
    keep = np.ones(len(images), bool)
    keep[held_out] = False
    return np.flatnonzero(keep), held_out


def content_order(images: np.ndarray, key: str) -> np.ndarray:
    """Returns the indices that put images in the order of their keyed hashes.

    Another key gives an unrelated order.
    """
    rows = np.ascontiguousarray(images).reshape(len(images), -1)
    hashes = b"".join(
        hashlib.blake2b(row, digest_size=8, key=key.encode()).digest() for row in rows
    )
    return np.argsort(np.frombuffer(hashes, dtype=">u8"), kind="stable")


def images_sha256(
    x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, y_test: np.ndarray
) -> str:
    """Returns the SHA-256 over training images, test images, and their labels.

    All are hashed as uint8, images as `(n, 32, 32, 3)` in the order of the files
    before any split: `x_train`, `x_test`, `y_train`, `y_test`.
    """
    digest = hashlib.sha256()
    for array in (x_train, x_test, y_train, y_test):
        digest.update(np.ascontiguousarray(array, dtype=np.uint8))
    return digest.hexdigest()


def _stratified(images: np.ndarray, labels: np.ndarray, number: int) -> np.ndarray:
    """Chooses `number` ascending indices, the same share of every class."""
    order = content_order(images, key=_SPLIT_KEY)
    # The rank of an image inside its class; choosing by (rank, class) takes the
    # classes in turn, so a remainder goes to the first classes.
    rank = np.empty(len(images), np.int64)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        rank[members] = np.arange(len(members))
    return np.sort(np.lexsort((labels, rank))[:number])
