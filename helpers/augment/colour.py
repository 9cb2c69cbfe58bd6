"""Transformations of colour: shifts by channel, and along the data's own colours."""

import numpy as np

from helpers.augment.base import Transformation, check_number


class ChannelShift(Transformation):
    """Adds one random number to each channel of each image.

    Args:
        intensity: the numbers are uniform in -intensity..intensity, in units of
            0..255.
    """

    def __init__(self, intensity: float = 20.0):
        self.intensity = check_number("intensity", intensity, 0, 255)

    def apply(self, images, rng):
        size = (len(images), images.shape[-1])
        return add_colour(images, rng.uniform(-self.intensity, self.intensity, size))


class PCAColour(Transformation):
    """Shifts each image's colour along the principal colours of the data.

    With eigenvectors p and eigenvalues l of the 3 x 3 covariance of the data's
    pixels, every pixel of an image gets p1 a1 l1 + p2 a2 l2 + p3 a3 l3, the a drawn
    once an image from a normal distribution. The eigenvalues are squares of
    colours and the shift is a colour, so the scale of the pixels matters: here
    they are those of pixels in 0..1, as in the networks that made this known.

    Paper: ImageNet Classification with Deep Convolutional Neural Networks,
    https://papers.nips.cc/paper/4824 (section 4.1).

    Args:
        images: `(n, height, width, channels)` in 0..255, the training images whose
            colours count.
        strength: standard deviation of the a; 0.1 in the paper.
    """

    def __init__(self, images, strength: float = 0.1):
        self.strength = check_number("strength", strength, 0)
        values, vectors = np.linalg.eigh(colour_covariance(images) / 255**2)
        self.eigenvalues, self.eigenvectors = values, vectors

    def apply(self, images, rng):
        if images.shape[-1] != len(self.eigenvalues):
            raise ValueError(
                f"PCAColour knows {len(self.eigenvalues)} channels, got images of "
                f"shape {images.shape}"
            )
        factors = rng.normal(0, self.strength, (len(images), len(self.eigenvalues)))
        shifts = factors * self.eigenvalues @ self.eigenvectors.T
        return add_colour(images, 255 * shifts)


def colour_covariance(images) -> np.ndarray:
    """Returns the covariance of the channels over all pixels of all images.

    Args:
        images: `(n, height, width, channels)`.

    Returns:
        `(channels, channels)`, float64, in the square of the images' units.

    Raises:
        ValueError: if there are not four axes or no image.
    """
    images = np.asarray(images)
    if images.ndim != 4 or len(images) == 0:
        raise ValueError(
            "images must have the shape (n, height, width, channels), got "
            f"{images.shape}"
        )
    channels = images.shape[-1]
    total, products = np.zeros(channels), np.zeros((channels, channels))
    # In parts: all pixels as float64 would take a gigabyte.
    for start in range(0, len(images), 1000):
        pixels = images[start : start + 1000].reshape(-1, channels).astype("float64")
        total += pixels.sum(axis=0)
        products += pixels.T @ pixels
    count = images.size / channels
    mean = total / count
    return products / count - np.outer(mean, mean)


def add_colour(images: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Adds a colour to every pixel of an image and clips the sum to 0..255.

    Args:
        images: `(batch, height, width, channels)`, uint8 or float32 in 0..255.
        colours: `(batch, channels)`; rounded for uint8 images.

    Returns:
        Images of the same shape and dtype.
    """
    batch, height, width, channels = images.shape
    whole = images.dtype == np.uint8
    wide = "int16" if whole else "float32"
    colours = np.rint(colours) if whole else colours
    # A row is the inner loop: one over three channels is far slower.
    row = np.tile(colours, width).astype(wide)[:, None, :]
    shifted = images.reshape(batch, height, width * channels) + row
    np.clip(shifted, 0, 255, out=shifted)
    return shifted.astype(images.dtype).reshape(images.shape)
