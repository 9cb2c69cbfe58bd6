"""Transformations that hide a part of the image."""

import numpy as np

from helpers.augment.base import Transformation, check_number, check_range
from helpers.augment.normalise import MEAN


class Cutout(Transformation):
    """Covers a square around a random pixel; what lies outside the image is lost.

    So squares near the border cover less, which the paper found to matter.

    Paper: Improved Regularization of Convolutional Neural Networks with Cutout,
    https://arxiv.org/abs/1708.04552

    Args:
        size: side of the square in pixels; 16 in the paper for CIFAR-10.
        fill: a number, or one a channel, in 0..255; the mean colour becomes about 0
            when the images are normalised, as in the paper.
        probability: share of the images that is covered.
    """

    def __init__(self, size: int = 16, fill=MEAN, probability: float = 1.0):
        self.size = check_number("size", size, 1, integer=True)
        self.fill = check_fill(fill)
        self.probability = check_number("probability", probability, 0, 1)

    def apply(self, images, rng):
        count, height, width = images.shape[:3]
        tops = rng.integers(height, size=count) - self.size // 2
        lefts = rng.integers(width, size=count) - self.size // 2
        sides = np.where(rng.random(count) < self.probability, self.size, 0)
        masks = box_masks(tops, lefts, sides, sides, height, width)
        return cover(images, masks, self.fill, rng)


class RandomErasing(Transformation):
    """Covers a rectangle of random area, shape and place, inside the image.

    The paper draws shapes until one fits; here the range of shapes is cut to those
    that fit the drawn area.

    Paper: Random Erasing Data Augmentation, https://arxiv.org/abs/1708.04896

    Args:
        probability: share of the images that is covered.
        area: smallest and largest share of the image.
        aspect: smallest and largest height over width; the logarithm is uniform,
            so that lying and standing rectangles are equally likely; the paper
            draws the ratio itself.
        fill: `"noise"`, or a number, or one a channel, in 0..255.
    """

    def __init__(
        self,
        probability: float = 0.5,
        area: tuple = (0.02, 0.4),
        aspect: tuple = (0.3, 1 / 0.3),
        fill="noise",
    ):
        self.probability = check_number("probability", probability, 0, 1)
        self.area = check_range("area", area, 0, 1)
        self.aspect = check_range("aspect", aspect, 0.01, 100)
        self.fill = check_fill(fill)

    def apply(self, images, rng):
        count, height, width = images.shape[:3]
        chosen = rng.random(count) < self.probability
        areas = rng.uniform(*self.area, count) * height * width
        low = np.maximum(self.aspect[0], areas / width**2)
        high = np.minimum(self.aspect[1], height**2 / np.maximum(areas, 1))
        share = rng.random(count)
        aspects = np.exp((1 - share) * np.log(low) + share * np.log(high))
        tall = np.rint(np.sqrt(areas * aspects)).clip(0, height).astype(int)
        wide = np.rint(np.sqrt(areas / aspects)).clip(0, width).astype(int)
        tops = rng.integers(height - tall + 1)
        lefts = rng.integers(width - wide + 1)
        masks = box_masks(tops, lefts, tall * chosen, wide * chosen, height, width)
        return cover(images, masks, self.fill, rng)


def box_masks(tops, lefts, heights, widths, height: int, width: int) -> np.ndarray:
    """Marks one box in each image.

    Args:
        tops: `(batch,)`, first row of each box; may lie outside the image.
        lefts: `(batch,)`, first column.
        heights: `(batch,)`, rows of each box; 0 for none.
        widths: `(batch,)`, columns of each box.
        height: rows of an image.
        width: columns of an image.

    Returns:
        `(batch, height, width)`, true inside the box.
    """
    rows, columns = np.arange(height), np.arange(width)
    tops, lefts = np.asarray(tops)[:, None], np.asarray(lefts)[:, None]
    heights, widths = np.asarray(heights)[:, None], np.asarray(widths)[:, None]
    inside_rows = (rows >= tops) & (rows < tops + heights)
    inside_columns = (columns >= lefts) & (columns < lefts + widths)
    return inside_rows[:, :, None] & inside_columns[:, None, :]


def cover(images: np.ndarray, masks: np.ndarray, fill, rng) -> np.ndarray:
    """Paints over the marked pixels.

    Args:
        images: `(batch, height, width, channels)`, uint8 or float32 in 0..255.
        masks: `(batch, height, width)`, bool.
        fill: `"noise"`, or a number, or one a channel, in 0..255.
        rng: where noise comes from.

    Returns:
        Images of the same shape and dtype.
    """
    if isinstance(fill, str):
        colours = rng.integers(256, size=images.shape, dtype="uint8")
    elif np.ndim(fill) and len(fill) != images.shape[-1]:
        raise ValueError(
            f"fill must hold {images.shape[-1]} values, one a channel, got {fill}"
        )
    else:
        # NumPy would cut the fraction off.
        colours = np.rint(fill) if images.dtype == np.uint8 else fill
        colours = np.broadcast_to(colours, (1, 1, 1, images.shape[-1]))
    return paste(images, colours.astype(images.dtype), masks)


def paste(images: np.ndarray, others: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Replaces the marked pixels by those of other images.

    Args:
        images: `(batch, height, width, channels)`.
        others: the same dtype and shape, or 1 for an axis along which it is equal.
        masks: `(batch, height, width)`, bool.

    Returns:
        Images of the same shape and dtype.
    """
    result = images.copy()
    # A pixel is one item of raw bytes here: ten times faster than a mask by channel.
    pixel = np.dtype((np.void, images.dtype.itemsize * images.shape[-1]))
    source = np.ascontiguousarray(others).view(pixel)[..., 0]
    np.copyto(result.view(pixel)[..., 0], source, where=masks)
    return result


def check_fill(fill):
    """Returns a fill that is `"noise"`, a number or one a channel, else raises."""
    if isinstance(fill, str):
        if fill != "noise":
            raise ValueError(f"fill must be 'noise' or numbers in 0..255, got {fill!r}")
        return fill
    if np.ndim(fill) == 0:
        return check_number("fill", fill, 0, 255)
    return tuple(check_number("fill", value, 0, 255) for value in fill)
