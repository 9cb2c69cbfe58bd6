"""Heat maps put on the image where their positions look."""

import numpy as np
from scipy import stats

from helpers.receptive_field import Field

INTERPOLATIONS = ("linear", "nearest")


def on_image(
    maps: np.ndarray, field: Field, interpolation: str = "linear"
) -> np.ndarray:
    """Puts maps on the image by the geometry of their receptive fields.

    The position (i, j) looks at the pixels around `start + (i, j) * jump`. A map that
    is only stretched to the image's size is off by pixels wherever a network does not
    pad its convolutions evenly, or crops.

    Args:
        maps: `(..., rows, columns)`, such as those of `grad_cam`.
        field: the layer's field, `receptive_fields(model)[layer]`.
        interpolation: "linear" between the centres of fields, the values at the edge
            going on beyond; or "nearest".

    Returns:
        `(..., height, width)`; zero beyond the outermost fields. Between fields that
        leave a gap it is interpolated like everywhere.

    Raises:
        ValueError: where the maps are not of the field's size, or the size of the
            image is not known.
    """
    if maps.shape[-2:] != field.output_size:
        raise ValueError(
            f"the maps have {maps.shape[-2:]} positions, layer {field.name!r} has "
            f"{field.output_size}. Give the field of the layer that the maps are of"
        )
    if not field.feature_map.sighted:
        raise ValueError(f"layer {field.name!r} does not depend on the image")
    rows, columns = field.output_size
    # The first and last pixel in a field of the row or column; asking for them
    # tells too where the size of the image is not known.
    down = [field.interval((i, 0))[0] for i in range(rows)]
    across = [field.interval((0, j))[1] for j in range(columns)]
    placed = place(
        maps, field.start, field.jump, field.feature_map.image, interpolation
    )
    for axis, ends in ((-2, down), (-1, across)):
        pixels = np.arange(placed.shape[axis])
        lows, highs = zip(*ends, strict=True)
        seen = (pixels >= min(lows)) & (pixels <= max(highs))
        placed = placed * (seen[:, None] if axis == -2 else seen)
    return placed


def place(maps, start, jump, size, interpolation: str = "linear") -> np.ndarray:
    """Puts maps on a grid of pixels.

    Args:
        maps: `(..., rows, columns)`.
        start: centre of the first position, (vertical, horizontal), in pixels; that
            of pixel 0 is 0.5.
        jump: pixels from one position to the next, (vertical, horizontal); None for
            the one position of a direction that a layer has joined.
        size: of the image, (height, width).
        interpolation: "linear" or "nearest".

    Returns:
        `(..., height, width)`.

    Raises:
        ValueError: where the interpolation is not known.
    """
    if interpolation not in INTERPOLATIONS:
        raise ValueError(
            f"interpolation is {interpolation!r}, expected one of {INTERPOLATIONS}"
        )
    down, across = (
        _weights(cells, *geometry, interpolation)
        for cells, *geometry in zip(maps.shape[-2:], start, jump, size, strict=True)
    )
    return down @ maps @ across.T


def _weights(cells, start, jump, size, interpolation):
    """Returns what each pixel takes of each position, `(size, cells)`."""
    places = (np.arange(size) + 0.5 - start) / (jump or 1)
    places = np.clip(places, 0, cells - 1)
    if interpolation == "nearest":
        places = np.floor(places + 0.5)
    distances = np.abs(places[:, None] - np.arange(cells))
    return np.maximum(0, 1 - distances).astype("float32")


def agreement(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns how far two kinds of maps rank the pixels alike.

    Args:
        first: `(..., height, width)`, such as signed Grad-CAM on the image.
        second: the same shape, such as an occlusion map on the image.

    Returns:
        Spearman's rank correlation of each pair, from -1 to 1, `(...)`; NaN where a
        map is the same everywhere, since it ranks nothing.

    Raises:
        ValueError: where the shapes differ.
    """
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape:
        raise ValueError(
            f"the maps have the shapes {first.shape} and {second.shape}: put both on "
            "the image, with on_image"
        )
    found = np.full(first.shape[:-2], np.nan)
    for index in np.ndindex(found.shape):
        pair = first[index].ravel(), second[index].ravel()
        if all(map(_varies, pair)):
            found[index] = stats.spearmanr(*pair).statistic
    return found


def _varies(values):
    """Whether values differ by more than interpolation rounds."""
    return np.ptp(values) > 1e-6 * np.abs(values).max()
