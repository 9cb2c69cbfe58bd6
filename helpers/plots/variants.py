"""Figures of convolution variants: gridding, the checkerboard, counts and times."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import colormaps
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers.plots.palette import BLUE, OUTSIDE, SKY, VERMILION

FIELD, COUNTED, TIMED = SKY, BLUE, VERMILION


def coverage(maps: Mapping[str, np.ndarray], width: float = 8.0) -> Figure:
    """Draws which pixels of its receptive field an output reaches.

    Args:
        maps: by title, `(height, width)`, the influence of each pixel; zero where
            there is none. Each needs one pixel with influence at least.
        width: width of the figure, in inches.

    Returns:
        The figure. Pixels without influence have the colour of the ground, and a
        square marks the field; the title counts the pixels in it.

    Raises:
        ValueError: where a map is zero everywhere.
    """
    figure, axes = _panels(1, len(maps), width, 0.95 * width / len(maps) + 0.5)
    colours = colormaps["viridis"].with_extremes(bad=OUTSIDE)
    for axis, (title, values) in zip(axes[0], maps.items(), strict=True):
        reached = np.argwhere(values > 0)
        if not len(reached):
            raise ValueError(
                f"The map {title!r} is zero everywhere: there is no field to draw. "
                "Give the influence of the pixels on an output that depends on some."
            )
        (top, left), (bottom, right) = reached.min(axis=0), reached.max(axis=0)
        height, columns = bottom - top + 1, right - left + 1
        shown = np.ma.masked_equal(values, 0)
        picture = axis.imshow(shown, cmap=colours, norm=PowerNorm(0.5, 0, 1))
        corner = (left - 0.5, top - 0.5)
        square = Rectangle(
            corner, columns, height, fill=False, edgecolor=FIELD, linewidth=2
        )
        axis.add_patch(square)
        axis.set_title(f"{title}\n{len(reached)} of {height * columns} pixels")
        axis.set_xlabel("column (pixels)")
    axes[0][0].set_ylabel("row (pixels)")
    figure.colorbar(picture, ax=axes[0], label="paths (1 = most)", shrink=0.8)
    return figure


def checkerboard(
    results: Mapping[str, Sequence[np.ndarray]],
    rows: Sequence[str],
    width: float = 8.0,
) -> Figure:
    """Draws what several ways to enlarge images make of them.

    Args:
        results: by the name of the way, its grey images, `(height, width)` in [0, 1],
            one a row of the figure.
        rows: what each row shows.
        width: width of the figure, in inches.

    Returns:
        The figure, a column for each way.
    """
    side = width / len(results)
    figure, axes = _panels(len(rows), len(results), width, side * len(rows) + 0.4)
    for column, (title, pictures) in enumerate(results.items()):
        axes[0][column].set_title(title)
        for axis, picture in zip(axes[:, column], pictures, strict=True):
            # Every pixel keeps its edges: smoothing would hide the pattern.
            axis.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            axis.set_xticks([])
            axis.set_yticks([])
    for axis, label in zip(axes[:, 0], rows, strict=True):
        axis.set_ylabel(label)
    return figure


def counted_and_timed(
    multiply_adds: Mapping[str, float],
    milliseconds: Mapping[str, float],
    width: float = 8.0,
) -> Figure:
    """Draws counted cost beside measured time, in percent of the first variant's.

    Args:
        multiply_adds: by variant.
        milliseconds: by the same variants, in the same order.
        width: width of the figure, in inches.

    Returns:
        The figure, two bars a variant.

    Raises:
        ValueError: where the variants differ.
    """
    names = list(multiply_adds)
    if names != list(milliseconds):
        raise ValueError(
            f"The variants differ: {names} are counted, {list(milliseconds)} timed. "
            "Give the same ones, in the same order."
        )
    figure, axis = plt.subplots(
        figsize=(width, 0.55 * len(names) + 0.9), layout="constrained"
    )
    pairs = (
        ("multiply-adds", multiply_adds, COUNTED, -0.2),
        ("time", milliseconds, TIMED, 0.2),
    )
    for label, values, colour, shift in pairs:
        shares = [100 * values[name] / values[names[0]] for name in names]
        places = np.arange(len(names)) + shift
        bars = axis.barh(places, shares, height=0.38, color=colour, label=label)
        axis.bar_label(bars, fmt="%.0f", padding=3)
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    axis.margins(x=0.1)
    axis.set_xlabel(f"percent of {names[0]}")
    axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _panels(rows, columns, width, height):
    return plt.subplots(
        rows,
        columns,
        figsize=(width, height),
        squeeze=False,
        sharey="row",
        layout="constrained",
    )
