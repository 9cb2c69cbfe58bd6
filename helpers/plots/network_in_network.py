"""Figures of Network in Network: the map of each class beside its image."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers.plots.palette import VERMILION

# Visible on all colours of the maps.
FRAME = VERMILION
Box = tuple[float, float, float, float]


def class_maps(
    images: np.ndarray,
    maps: np.ndarray,
    labels: Sequence[str],
    titles: Sequence[Sequence[str]],
    frames: Sequence[Sequence[Box | None]],
    title: str = "",
    width: float = 8.0,
) -> Figure:
    """Draws images, and beside each the maps that a network makes of it.

    A map is stretched to the size of its image. All maps share one scale of colours,
    from zero to their largest value.

    Args:
        images: `(n, height, width, 3)`, in 0..255.
        maps: `(n, rows, columns, k)`, not negative.
        labels: a text beside each image, n of them.
        titles: the texts above the k maps, one row of them for each image.
        frames: for each image and map, the box to mark, (top, left, bottom, right) in
            pixels of the image, or None.
        title: the figure's title, such as the data set's name.
        width: width of the figure, in inches.

    Returns:
        The figure, a row for each image.

    Raises:
        ValueError: if there are not as many labels, titles or frames as panels.
    """
    count, height, columns = images.shape[:3]
    shown = maps.shape[-1]
    for name, rows in (("titles", titles), ("frames", frames)):
        sizes = [len(row) for row in rows]
        if sizes != [shown] * count:
            raise ValueError(
                f"{name} has rows of {sizes} entries: give {count} rows of {shown}, "
                "one entry a map."
            )
    if len(labels) != count:
        raise ValueError(f"There are {count} images and {len(labels)} labels.")
    # An inch is left for the scale.
    side = (width - 1) / (shown + 1)
    figure, axes = plt.subplots(
        count,
        1 + shown,
        figsize=(width, (side + 0.1) * count + 0.5),
        squeeze=False,
        layout="constrained",
    )
    # Maps that are zero everywhere would leave a scale without extent.
    largest = float(maps.max()) or 1.0
    for index, row in enumerate(axes):
        row[0].imshow(np.asarray(images[index]) / 255, vmin=0, vmax=1)
        row[0].set_ylabel(labels[index], fontsize="x-small")
        for place, axis in enumerate(row[1:]):
            picture = axis.imshow(
                maps[index, ..., place],
                vmin=0,
                vmax=largest,
                extent=(0, columns, height, 0),
                interpolation="nearest",
            )
            axis.set_title(titles[index][place], fontsize="x-small")
            if frames[index][place] is not None:
                axis.add_patch(_box(frames[index][place]))
    for axis in axes.flat:
        axis.set_xticks([])
        axis.set_yticks([])
    figure.colorbar(picture, ax=axes[:, 1:], label="value of the map", aspect=30)
    if title:
        figure.suptitle(title, fontsize="medium")
    return figure


def _box(frame: Box) -> Rectangle:
    """The outline of a box; half of its line would be cut off at a panel's edge."""
    top, left, bottom, right = frame
    return Rectangle(
        (left, top),
        right - left,
        bottom - top,
        fill=False,
        edgecolor=FRAME,
        linewidth=3,
        clip_on=False,
    )
