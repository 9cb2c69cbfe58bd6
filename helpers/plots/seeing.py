"""Figures of what a trained network looks at, and of where it is wrong."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from helpers.plots.palette import COLOURS

# Vermilion and blue of Okabe and Ito, told apart with every kind of colour vision.
FOR, AGAINST = np.array([213.0, 94.0, 0.0]), np.array([0.0, 114.0, 178.0])
# How much of a pixel the strongest colour covers: the picture stays visible.
COVER = 0.75
# Brightness as the eye weighs red, green and blue (ITU-R BT.601).
BRIGHTNESS = (0.299, 0.587, 0.114)
# The quantiles between which a bar of correlations reaches.
MIDDLE = (0.1, 0.9)


def tinted(
    values: np.ndarray, image: np.ndarray | None = None, largest: float | None = None
) -> np.ndarray:
    """Colours the values of a map: orange above zero, blue below, none at zero.

    Args:
        values: `(height, width)`.
        image: `(height, width, 3)` in 0..255, to lie in grey under the colours; white
            by default.
        largest: the absolute value that gets the full colour; by default the largest
            one of the map. Maps that are compared need a common one.

    Returns:
        `(height, width, 3)`, uint8, for `helpers.plots.augmentation.image_rows`.

    Raises:
        ValueError: where the image has another size than the map.
    """
    values = np.asarray(values, dtype="float64")
    if image is None:
        ground = np.full(values.shape, 255.0)
    else:
        if np.shape(image)[:2] != values.shape:
            raise ValueError(
                f"the map is of {values.shape} pixels, the image of shape "
                f"{np.shape(image)}: put the map on the image, with explain.on_image"
            )
        ground = np.asarray(image) @ np.array(BRIGHTNESS)
    # A map of zeros has no largest value to divide by.
    largest = largest or abs(values).max() or 1.0
    # Without an image there is nothing to leave visible.
    cover = COVER if image is not None else 1.0
    share = np.clip(abs(values) / largest, 0, 1)[..., None] * cover
    colour = np.where(values[..., None] > 0, FOR, AGAINST)
    mixed = (1 - share) * ground[..., None] + share * colour
    return np.rint(mixed).astype("uint8")


def confusion(
    matrix: np.ndarray, names: Sequence[str], title: str = "", width: float = 5.6
) -> Figure:
    """Draws a confusion matrix; the mistakes alone have colours.

    Args:
        matrix: `(classes, classes)`, counts, true classes down, predicted across.
        names: the classes' names.
        title: the figure's title, such as the data set's name.
        width: width of the figure, in inches.

    Returns:
        The figure, the count in every cell, darker for more mistakes. The right
        answers, which would drown them, stay white and are bold.

    Raises:
        ValueError: where the matrix is not square, or the names are not as many.
    """
    matrix = np.asarray(matrix)
    if matrix.shape != (len(names), len(names)):
        raise ValueError(
            f"the matrix has the shape {matrix.shape} for {len(names)} names: give one "
            "row and one column a class"
        )
    wrong = np.where(np.eye(len(names), dtype=bool), 0, matrix)
    figure, axis = plt.subplots(figsize=(width, 0.9 * width), layout="constrained")
    most = max(int(wrong.max()), 1)
    axis.imshow(wrong, cmap="Oranges", vmin=0, vmax=most)
    for (row, column), count in np.ndenumerate(matrix):
        axis.text(
            column,
            row,
            str(count),
            ha="center",
            va="center",
            fontsize="small",
            fontweight="bold" if row == column else "normal",
            color="white" if wrong[row, column] > 0.7 * most else "black",
        )
    places = range(len(names))
    axis.set_xticks(places, names, rotation=40, ha="right", fontsize="small")
    axis.set_yticks(places, names, fontsize="small")
    axis.set_xlabel("predicted class")
    axis.set_ylabel("true class")
    if title:
        axis.set_title(title, fontsize="medium")
    return figure


def agreements(
    groups: Mapping[str, np.ndarray], title: str = "", width: float = 8.0
) -> Figure:
    """Draws rank correlations of pairs of maps, a row for each kind of pair.

    Args:
        groups: by the row's label, correlations from -1 to 1, `(n,)`; those of flat
            maps, NaN, are left out.
        title: the figure's title, such as the data set's name.
        width: width of the figure, in inches.

    Returns:
        The figure: a bar over the middle 80% of the pairs, a line at their mean, and
        the mean as a number.

    Raises:
        ValueError: where a row has no correlation to draw.
    """
    figure, axis = plt.subplots(
        figsize=(width, 0.3 * len(groups) + 1.0), layout="constrained"
    )
    for row, (label, values) in enumerate(groups.items()):
        values = np.asarray(values, dtype="float64")
        values = values[np.isfinite(values)]
        if not values.size:
            plt.close(figure)
            raise ValueError(
                f"{label!r} has no correlation to draw: every pair has a flat map"
            )
        mean, low, high = values.mean(), *np.quantile(values, MIDDLE)
        axis.barh(row, high - low, left=low, height=0.5, color=COLOURS[5])
        axis.plot([mean, mean], [row - 0.4, row + 0.4], color=COLOURS[1], linewidth=3)
        axis.annotate(
            f"{mean:z.2f}",
            (1.02, row),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize="small",
        )
    axis.axvline(0, color="0.6", linewidth=1)
    axis.set_xlim(-1, 1)
    axis.set_ylim(len(groups) - 0.5, -0.5)
    axis.set_yticks(range(len(groups)), list(groups))
    axis.set_xlabel("rank correlation (bar: middle 80% of the images; line: mean)")
    axis.grid(axis="x", alpha=0.3)
    if title:
        axis.set_title(title, fontsize="medium")
    return figure
