"""Transformations that move points: rotate, shift, shear, zoom, warp locally.

Each says where a point of the result comes from. Those that follow each other are
composed first (`fuse`) and the images resampled once: faster, and sharper than
one blur a transformation. OpenCV's `remap` resamples, bilinearly. For rotation,
shift and mirror of 32 x 32 images it needs 9 us an image, coordinates included;
`keras.ops.image.affine_transform` needs 46 us on the TensorFlow backend and gives
other values on each backend, `scipy.ndimage.map_coordinates` 80 us, and NumPy
27 us (pixels packed into words) or 140 us (plain). OpenCV draws nothing: all
parameters come from the generator's numbers.

Paper: Best Practices for Convolutional Neural Networks Applied to Visual Document
Analysis, https://doi.org/10.1109/ICDAR.2003.1227801 (affine and elastic).
"""

import numpy as np

from helpers.augment.base import Transformation, check_number, check_range
from helpers.augment.geometry import PADDINGS, RandomFlip


class Geometric(Transformation):
    """A transformation given by where each point of the result comes from.

    Points are `(x, y)` in pixels, x to the right and y down, from the centre of
    the image.
    """

    def __init__(self, mode: str = "reflect"):
        if mode not in PADDINGS:
            raise ValueError(f"mode must be one of {PADDINGS}, got {mode!r}")
        self.mode = mode

    def matrices(self, count: int, height: int, width: int, rng) -> np.ndarray:
        """Draws the affine part: `(count, 3, 3)`, from result points to sources."""
        return np.tile(np.eye(3), (count, 1, 1))

    def displacements(self, count: int, height: int, width: int, rng):
        """Draws what is added to a point before that, or None for nothing.

        Returns:
            `(count, 2, height, width)` in pixels, x first.
        """
        return None

    def apply(self, images, rng):
        size = images.shape[:3]
        matrices = self.matrices(*size, rng)
        return resample(images, matrices, self.displacements(*size, rng), self.mode)


class RandomRotation(Geometric):
    """Rotates about the centre.

    Args:
        degrees: the angle is uniform in -degrees..degrees; positive angles turn
            counter-clockwise.
        mode: what is seen beyond the border, as `numpy.pad` names it.
    """

    def __init__(self, degrees: float = 15.0, mode: str = "reflect"):
        super().__init__(mode)
        self.degrees = check_number("degrees", degrees, 0, 180)

    def matrices(self, count, height, width, rng):
        angles = np.radians(rng.uniform(-self.degrees, self.degrees, count))
        matrices = super().matrices(count, height, width, rng)
        matrices[:, 0, 0] = matrices[:, 1, 1] = np.cos(angles)
        matrices[:, 1, 0] = np.sin(angles)
        matrices[:, 0, 1] = -matrices[:, 1, 0]
        return matrices


class RandomShift(Geometric):
    """Moves the image, by fractions of a pixel too.

    Args:
        horizontal: the largest shift as a share of the width; shifts are uniform
            in -horizontal..horizontal.
        vertical: likewise, of the height.
        mode: what is seen beyond the border, as `numpy.pad` names it.
    """

    def __init__(
        self, horizontal: float = 0.1, vertical: float = 0.1, mode: str = "reflect"
    ):
        super().__init__(mode)
        self.horizontal = check_number("horizontal", horizontal, 0, 1)
        self.vertical = check_number("vertical", vertical, 0, 1)

    def matrices(self, count, height, width, rng):
        shifts = rng.uniform(-1, 1, (count, 2))
        matrices = super().matrices(count, height, width, rng)
        matrices[:, :2, 2] = shifts * (self.horizontal * width, self.vertical * height)
        return matrices


class RandomShear(Geometric):
    """Slants upright lines and leaves level ones level.

    Args:
        degrees: the slant is uniform in -degrees..degrees.
        mode: what is seen beyond the border, as `numpy.pad` names it.
    """

    def __init__(self, degrees: float = 10.0, mode: str = "reflect"):
        super().__init__(mode)
        self.degrees = check_number("degrees", degrees, 0, 80)

    def matrices(self, count, height, width, rng):
        slants = np.radians(rng.uniform(-self.degrees, self.degrees, count))
        matrices = super().matrices(count, height, width, rng)
        matrices[:, 0, 1] = np.tan(slants)
        return matrices


class RandomZoom(Geometric):
    """Enlarges or shrinks the image about its centre, keeping its proportions.

    Args:
        factors: smallest and largest factor; 2 shows everything twice as large.
            The logarithm is uniform, so halving is as likely as doubling.
        mode: what is seen beyond the border, as `numpy.pad` names it.
    """

    def __init__(self, factors: tuple = (0.8, 1.25), mode: str = "reflect"):
        super().__init__(mode)
        self.factors = check_range("factors", factors, 0.1, 10)

    def matrices(self, count, height, width, rng):
        factors = np.exp(rng.uniform(*np.log(self.factors), count))
        matrices = super().matrices(count, height, width, rng)
        matrices[:, 0, 0] = matrices[:, 1, 1] = 1 / factors
        return matrices


class ElasticWarp(Geometric):
    """Displaces every point by a smooth random field.

    The paper smooths noise with a Gaussian and scales it by a factor whose meaning
    depends on that Gaussian. Here the field is a sum of Gaussian bumps, one at
    each knot of a grid, scaled to a known standard deviation at every pixel; two
    small matrix products a field, instead of a convolution.

    Args:
        strength: standard deviation of the displacement along each axis, in
            pixels. Above about half of `smoothness` the image folds over itself.
        smoothness: standard deviation of a bump, and spacing of the knots, in
            pixels.
        mode: what is seen beyond the border, as `numpy.pad` names it.
    """

    def __init__(
        self, strength: float = 1.0, smoothness: float = 4.0, mode: str = "reflect"
    ):
        super().__init__(mode)
        self.strength = check_number("strength", strength, 0)
        self.smoothness = check_number("smoothness", smoothness, 1)

    def displacements(self, count, height, width, rng):
        rows, columns = self._bumps(height), self._bumps(width)
        knots = (count, 2, rows.shape[1], columns.shape[1])
        noise = rng.standard_normal(knots, dtype="float32")
        return rows @ noise @ columns.T

    def _bumps(self, length):
        """Returns the bumps along one axis, `(length, knots)`, squares summing to 1
        at each pixel, or the square root of the strength."""
        step = self.smoothness
        knots = np.arange(-2 * step, length - 1 + 3 * step, step)
        bumps = np.exp(-0.5 * ((np.arange(length)[:, None] - knots) / step) ** 2)
        bumps /= np.linalg.norm(bumps, axis=1, keepdims=True)
        return (bumps * np.sqrt(self.strength)).astype("float32")


class Warp(Geometric):
    """Several geometric transformations, composed, as one resampling.

    Args:
        parts: geometric transformations and mirrors of one `mode`, in order; only
            the last may displace points.
    """

    def __init__(self, parts):
        super().__init__(next(part.mode for part in parts if hasattr(part, "mode")))
        self.parts = tuple(parts)

    def matrices(self, count, height, width, rng):
        total = super().matrices(count, height, width, rng)
        for part in self.parts:
            if isinstance(part, RandomFlip):
                # Negates x where the image is mirrored.
                total[part.draw(count, rng), :, 0] *= -1
            else:
                total = total @ part.matrices(count, height, width, rng)
        return total

    def displacements(self, count, height, width, rng):
        last = self.parts[-1]
        if isinstance(last, Geometric):
            return last.displacements(count, height, width, rng)
        return None


def fuse(transforms) -> tuple[Transformation, ...]:
    """Puts geometric transformations that follow each other into one `Warp`.

    Args:
        transforms: transformations in order.

    Returns:
        Transformations that do the same with the same random numbers. A mirror
        joins its neighbours; one that stands alone stays the exact mirror. An
        elastic warp ends a group.
    """
    fused, group = [], []

    def close():
        if all(isinstance(part, RandomFlip) for part in group) or len(group) == 1:
            fused.extend(group)
        else:
            fused.append(Warp(group))
        group.clear()

    for transform in transforms:
        modes = {part.mode for part in [*group, transform] if hasattr(part, "mode")}
        if not isinstance(transform, Geometric | RandomFlip):
            close()
            fused.append(transform)
            continue
        if len(modes) > 1 or (group and isinstance(group[-1], ElasticWarp)):
            close()
        group.append(transform)
    close()
    return tuple(fused)


def resample(images, matrices, displacements=None, mode="reflect") -> np.ndarray:
    """Reads each pixel of the result from where a map says that it comes from.

    Args:
        images: `(batch, height, width, channels)`, uint8 or float32.
        matrices: `(batch, 3, 3)`, from points of the result to points of the
            image, in pixels from the centre, x first.
        displacements: `(batch, 2, height, width)` added to the points of the
            result first, or None.
        mode: what is seen beyond the border, as `numpy.pad` names it.

    Returns:
        Images of the same shape and dtype, interpolated bilinearly.
    """
    cv2 = _opencv()
    border = {
        "reflect": cv2.BORDER_REFLECT_101,
        "symmetric": cv2.BORDER_REFLECT,
        "edge": cv2.BORDER_REPLICATE,
        "constant": cv2.BORDER_CONSTANT,
        "wrap": cv2.BORDER_WRAP,
    }[mode]
    height, width = images.shape[1:3]
    x = np.arange(width, dtype="float32") - np.float32((width - 1) / 2)
    y = np.arange(height, dtype="float32")[:, None] - np.float32((height - 1) / 2)
    if displacements is not None:
        x, y = x + displacements[:, 0], y + displacements[:, 1]
    entries = matrices[:, :2].astype("float32")[..., None, None]
    from_x = entries[:, 0, 0] * x + (entries[:, 0, 1] * y + entries[:, 0, 2])
    from_y = entries[:, 1, 0] * x + (entries[:, 1, 1] * y + entries[:, 1, 2])
    from_x += np.float32((width - 1) / 2)
    from_y += np.float32((height - 1) / 2)
    result = np.empty_like(images)
    # An image a call, not one tall image: borders are OpenCV's own, and calls this
    # small start no threads, which a forked worker would wait for in vain.
    for source, target, column, row in zip(images, result, from_x, from_y, strict=True):
        cv2.remap(source, column, row, cv2.INTER_LINEAR, dst=target, borderMode=border)
    return result


def _opencv():
    """Imports OpenCV when the first image is warped: crops and colours need none."""
    try:
        import cv2
    except ImportError as error:
        raise ImportError(
            "rotation, shift, shear, zoom and elastic warps need OpenCV: "
            "pip install opencv-python-headless"
        ) from error
    return cv2
