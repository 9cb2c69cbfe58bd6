"""Occlusion: how a score drops where a patch of the image is covered.

Paper: Visualizing and Understanding Convolutional Networks,
    https://arxiv.org/abs/1311.2901
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .network import Network, channels_last, spatial_axes, to_numpy
from .placing import place
from .scores import Scores, predicted

SCORES = ("logit", "probability")


@dataclass(frozen=True, eq=False, repr=False)
class Occlusion:
    """Drops of scores, by the place of the patch.

    Attributes:
        drops: `(n, k, rows, columns)`: score of the whole image less that of the
            covered one, one for each image, class and place. Positive where the patch
            hides what speaks for the class.
        classes: `(n, k)`, the classes.
        scores: `(n, k)`, their scores for the whole images.
        score: "logit" or "probability".
        start: centre of the first patch, (vertical, horizontal), in pixels.
        jump: pixels from one patch to the next, (vertical, horizontal).
        image_size: (height, width).
    """

    drops: np.ndarray
    classes: np.ndarray
    scores: np.ndarray
    score: str
    start: tuple[float, float]
    jump: tuple[int, int]
    image_size: tuple[int, int]

    def on_image(self, interpolation: str = "linear") -> np.ndarray:
        """Returns the drops at every pixel, `(n, k, height, width)`.

        A pixel takes the drops of the patches with the nearest centres: interpolated
        ("linear"), or the one ("nearest").
        """
        return place(self.drops, self.start, self.jump, self.image_size, interpolation)

    def __repr__(self):
        count, classes, rows, columns = self.drops.shape
        return (
            f"<Occlusion, drop of the {self.score}: {count} images, {classes} classes, "
            f"{rows}x{columns} places>"
        )


def occlusion(
    model,
    images: np.ndarray,
    classes: int | Sequence[int] | np.ndarray | None = None,
    size: int = 8,
    stride: int = 4,
    fill: float | Sequence[float] | None = None,
    score: str = "logit",
    output: int = 0,
    batch_size: int = 128,
) -> Occlusion:
    """Measures how scores drop where a square patch of each image is covered.

    It uses no gradient and no feature map, so it is an independent check of
    `grad_cam`; it costs a forward pass for each place. Paper: Visualizing and
    Understanding Convolutional Networks, https://arxiv.org/abs/1311.2901

    The places form a grid that is centred on the image; every pixel is covered by at
    least one patch, and patches at the edge may stick out.

    Args:
        model: a functional or built Sequential model with one input; it is not
            changed.
        images: `(n, height, width, channels)`, as the model takes them.
        classes: one class, k classes for all images, or `(n, k)` classes of each
            image; by default the predicted one of each. A model with one output has
            class 0 only, which is its positive class, whatever it predicts.
        size: height and width of the patch, in pixels.
        stride: pixels from one place to the next, at most `size`.
        fill: value of a patch, or one value a channel, in the unit of the images; by
            default the mean of each channel of the image itself.
        score: "logit", before the softmax or sigmoid (or the output as it is without
            one), or "probability", behind it.
        output: which output of a model with several.
        batch_size: covered images in one forward pass.

    Returns:
        The drops, float32, with their classes, scores and places.

    Raises:
        ValueError: where size, stride, fill or score is not possible, the images do
            not fit, a class or output does not exist, or the model has no graph or
            several inputs.
    """
    network = Network(model)
    scores = Scores(network, output)
    arrays = network.arrays(images)
    image_size = _image_size(network, arrays)
    _check(scores, image_size, size, stride, score)
    table = scores.chosen(classes, arrays)
    images = arrays[0]
    tops, lefts = (_places(length, size, stride) for length in image_size)
    fills = _fills(images, fill)

    def computed(batch):
        return to_numpy(scores([batch], raw=score == "probability"))

    whole = np.concatenate(
        [
            computed(images[first : first + batch_size])
            for first in range(0, len(images), batch_size)
        ]
    )
    if table is None:
        table = predicted(whole)
    shape = (len(images), len(tops), len(lefts))
    count, covered = int(np.prod(shape)), []
    for first in range(0, count, batch_size):
        places = np.unravel_index(range(first, min(first + batch_size, count)), shape)
        batch = images[places[0]]
        view = channels_last(batch)
        for covering, image, i, j in zip(view, *places, strict=True):
            rows = slice(max(0, tops[i]), tops[i] + size)
            columns = slice(max(0, lefts[j]), lefts[j] + size)
            covering[rows, columns] = fills[image]
        covered.append(computed(batch))
    covered = np.concatenate(covered).reshape(*shape, -1)
    kept = np.take_along_axis(whole, table, axis=1)
    left = np.take_along_axis(covered, table[:, None, None, :], axis=-1)
    return Occlusion(
        kept[:, :, None, None] - np.moveaxis(left, -1, 1),
        table,
        kept,
        score,
        (tops[0] + size / 2, lefts[0] + size / 2),
        (stride, stride),
        image_size,
    )


def _image_size(network, arrays):
    if len(arrays) != 1 or arrays[0].ndim != 4:
        shapes = [array.shape for array in arrays]
        raise ValueError(
            f"model {network.name!r} takes inputs of the shapes {shapes}, expected one "
            "of (n, height, width, channels)"
        )
    return tuple(arrays[0].shape[axis] for axis in spatial_axes())


def _check(scores, image_size, size, stride, score):
    if not 1 <= size <= min(image_size):
        raise ValueError(
            f"a patch of {size} pixels does not fit an image of {image_size}: choose a "
            f"size from 1 to {min(image_size)}"
        )
    if not 1 <= stride <= size:
        raise ValueError(
            f"a stride of {stride} with a patch of {size} pixels: choose a stride from "
            "1 to the size, so that every pixel is covered"
        )
    if score not in SCORES:
        raise ValueError(f"score is {score!r}, expected one of {SCORES}")
    if score == "probability" and scores.squashing is None:
        raise ValueError(
            f"output {scores.output} of model {scores.network.name!r} does not end in "
            'a softmax or sigmoid, so it is no probability. Take score="logit"'
        )


def _places(length, size, stride):
    """Returns the first pixels of the patches, which cover `length` pixels."""
    count = -(-(length - size) // stride) + 1
    excess = (count - 1) * stride + size - length
    return [index * stride - excess // 2 for index in range(count)]


def _fills(images, fill):
    """Returns the values of a patch for each image, `(n, channels)`."""
    last = channels_last(images)
    shape = (len(last), last.shape[-1])
    if fill is None:
        return last.mean(axis=(1, 2)).astype(images.dtype)
    try:
        return np.broadcast_to(np.asarray(fill, dtype=images.dtype), shape)
    except ValueError as error:
        raise ValueError(
            f"fill has the shape {np.shape(fill)}: give one value, or one for each of "
            f"the {shape[1]} channels"
        ) from error
