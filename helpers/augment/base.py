"""What every transformation is: a small object that changes a batch of images.

A transformation keeps the shape, the dtype (uint8 or float32) and the range
(0 to 255) of the images; mixup alone turns uint8 into float32. It draws all its
random numbers from the generator that it is given, so whoever owns the generator
decides what is repeated.
"""

import numbers

import numpy as np


class Transformation:
    """One random change of a batch of images.

    A subclass implements `apply`. To try one alone, call it:
    `RandomFlip()(images, seed=3)`.
    """

    def apply(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Returns the changed images and leaves the given ones as they were.

        Args:
            images: `(batch, height, width, channels)`, uint8 or float32 in 0..255.
            rng: where every random number comes from.

        Returns:
            Images of the same shape, dtype and range.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement apply")

    def apply_pairs(self, images, labels, rng):
        """Returns the changed images and the labels that belong to them."""
        return self.apply(images, rng), labels

    def at(self, numbers, epoch, seed):
        """Returns the transformation of certain images in a certain epoch: itself.

        A subclass that treats an image differently from epoch to epoch returns
        another one.

        Args:
            numbers: which images, `(batch,)`, numbers of the whole set.
            epoch: counted from 0.
            seed: the generator's.
        """
        return self

    def __call__(self, images, labels=None, seed: int = 0):
        """Applies the transformation with random numbers from `seed`.

        Args:
            images: `(batch, height, width, channels)`, uint8 or float32 in 0..255.
            labels: `(batch,)` or `(batch, classes)`; needed by what mixes images.
            seed: the same seed gives the same result.

        Returns:
            The images, or with labels the pair of images and labels.
        """
        images = check_images(images)
        rng = np.random.default_rng(seed)
        if labels is None:
            return self.apply(images, rng)
        return self.apply_pairs(images, np.asarray(labels), rng)

    def __repr__(self):
        values = ", ".join(
            f"{name}={value!r}"
            for name, value in vars(self).items()
            if not name.startswith("_")
        )
        return f"{type(self).__name__}({values})"


def check_images(images) -> np.ndarray:
    """Returns `images` as an array, or says what keeps it from being a batch.

    Args:
        images: `(batch, height, width, channels)`, uint8 or float32 in 0..255.

    Returns:
        The same images as a NumPy array, not copied.

    Raises:
        ValueError: if the shape or the dtype is another one.
    """
    images = np.asarray(images)
    if images.ndim != 4:
        raise ValueError(
            "images must have the shape (batch, height, width, channels), "
            f"got {images.shape}"
        )
    if images.dtype not in (np.uint8, np.float32):
        raise ValueError(
            f"images must be uint8 or float32 in 0..255, got {images.dtype}: "
            "convert them with images.astype('uint8')"
        )
    return images


def check_number(name: str, value, low=-np.inf, high=np.inf, integer=False):
    """Returns `value` if it is a finite number of low..high, else raises.

    Args:
        name: what the error calls it.
        value: the number.
        low: smallest value allowed.
        high: largest value allowed.
        integer: whether it must be a whole number.

    Returns:
        `value`, as a plain int or float.

    Raises:
        ValueError: naming the parameter, the value and what is allowed.
    """
    kind = numbers.Integral if integer else numbers.Real
    valid = isinstance(value, kind) and not isinstance(value, bool)
    if not (valid and np.isfinite(value) and low <= value <= high):
        what = "a whole number" if integer else "a number"
        raise ValueError(
            f"{name} must be {what} from {low:g} to {high:g}, got {value!r}"
        )
    return int(value) if integer else float(value)


def check_range(name: str, values, low=-np.inf, high=np.inf) -> tuple[float, float]:
    """Returns `values` as a pair of numbers in order, within low..high, else raises.

    Raises:
        ValueError: naming the parameter, the value and what is allowed.
    """
    if np.shape(values) != (2,) or not values[0] <= values[1]:
        raise ValueError(f"{name} must be a pair (smallest, largest), got {values!r}")
    return tuple(check_number(name, value, low, high) for value in values)
