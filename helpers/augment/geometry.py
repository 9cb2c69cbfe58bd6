"""Transformations that move whole pixels: crop and mirror.

Paper: Deeply-Supervised Nets, https://arxiv.org/abs/1409.5185 (section 4: pad by
4 pixels, crop 32 x 32 at random, mirror half of the images).
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from helpers.augment.base import Transformation, check_number

PADDINGS = ("reflect", "symmetric", "edge", "constant", "wrap")


class RandomCrop(Transformation):
    """Pads every side and cuts a window of the old size at a random place.

    The windows of a batch are one fancy index into a view of all windows. Height
    and width are the only axes of that view that move, width and channels being
    flattened into one, so each image is copied as whole rows.

    Args:
        padding: pixels added to each side; 0 makes this the identity.
        mode: what they hold, as `numpy.pad` names it; `"constant"` is black.
    """

    def __init__(self, padding: int = 4, mode: str = "reflect"):
        self.padding = check_number("padding", padding, low=0, integer=True)
        if mode not in PADDINGS:
            raise ValueError(f"mode must be one of {PADDINGS}, got {mode!r}")
        self.mode = mode

    def pad(self, images: np.ndarray) -> np.ndarray:
        """Returns the images with their borders, `2 * padding` larger each way."""
        height, width = images.shape[1:3]
        # A reflection leaves the edge itself out and needs one pixel more.
        room = min(height, width) - (self.mode == "reflect")
        if self.mode in ("reflect", "symmetric", "wrap") and self.padding > room:
            raise ValueError(
                f"padding={self.padding} is more than {self.mode!r} finds in "
                f"images of {height} x {width}: use at most {room}"
            )
        border = (self.padding, self.padding)
        return np.pad(images, ((0, 0), border, border, (0, 0)), mode=self.mode)

    def gather(self, padded: np.ndarray, which: np.ndarray, rng) -> np.ndarray:
        """Cuts one window out of each chosen padded image.

        Args:
            padded: what `pad` returned, `(n, height + 2p, width + 2p, channels)`.
            which: the images wanted, `(batch,)`, numbers below n.
            rng: where the offsets come from.

        Returns:
            `(batch, height, width, channels)`, a copy.
        """
        count, tall, wide, channels = padded.shape
        places = 2 * self.padding + 1
        height, width = tall - places + 1, wide - places + 1
        tops, lefts = rng.integers(places, size=(2, len(which)))
        rows = padded.reshape(count, tall, wide * channels)
        windows = sliding_window_view(rows, (height, width * channels), axis=(1, 2))
        cut = windows[which, tops, lefts * channels]
        return cut.reshape(len(which), height, width, channels)

    def apply(self, images, rng):
        return self.gather(self.pad(images), np.arange(len(images)), rng)


class RandomFlip(Transformation):
    """Mirrors each image left to right with a probability.

    Args:
        probability: share of the images that is mirrored.
    """

    def __init__(self, probability: float = 0.5):
        self.probability = check_number("probability", probability, 0, 1)

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Returns which of `count` images are mirrored, `(count,)` bool."""
        return rng.random(count) < self.probability

    def apply(self, images, rng):
        return flip(images, self.draw(len(images), rng))


class AlternatingFlip(Transformation):
    """Mirrors each image in every other epoch: half of them first, the others next.

    By chance an image may be seen the same way in several epochs; here two epochs
    in a row show every image both ways. Outside a `BatchGenerator` it mirrors half
    of the images at random.

    Paper: 94% on CIFAR-10 in 3.29 Seconds on a Single GPU,
    https://arxiv.org/abs/2404.00498
    """

    def at(self, numbers, epoch, seed):
        return _Mirrored((_coin(numbers, seed) + epoch) % 2 == 1)

    def apply(self, images, rng):
        return flip(images, rng.random(len(images)) < 0.5)


class _Mirrored(Transformation):
    """Mirrors given images of a batch."""

    def __init__(self, mirrored):
        self.mirrored = mirrored

    def apply(self, images, rng):
        return flip(images, self.mirrored)


def _coin(numbers, seed):
    """0 or 1 for each number, always the same: the top bit of SplitMix64's output."""
    bits = np.asarray(numbers, "uint64") + np.uint64(1 + seed * 2**32 % 2**64)
    with np.errstate(over="ignore"):
        bits *= np.uint64(0x9E3779B97F4A7C15)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((bits ^ (bits >> np.uint64(31))) >> np.uint64(63)).astype("int64")


def flip(images: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """Mirrors the images whose entry in `mirrored` is true, left to right.

    Args:
        images: `(batch, height, width, channels)`.
        mirrored: `(batch,)`, bool.

    Returns:
        A new array like `images`.
    """
    batch, height, width, channels = images.shape
    # Columns taken from flat rows: 2.7 times faster than reversing pixels, whose
    # inner loop is three bytes long.
    columns = np.arange(width * channels).reshape(width, channels)[::-1].ravel()
    rows = images.reshape(batch, height, width * channels).copy()
    rows[mirrored] = rows[mirrored].take(columns, axis=2)
    return rows.reshape(images.shape)
