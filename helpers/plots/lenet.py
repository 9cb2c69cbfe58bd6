"""Figures of LeNet-5: its connection table, its codes, its costs and its results."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from helpers.plots.palette import BLUE, FAINT, VERMILION

# Height and width of the drawing that F6's 84 units are read as.
DRAWING = (12, 7)


def connections(
    table: Sequence[Sequence[int]], inputs: int, width: float = 8.0
) -> Figure:
    """Draws which maps of one layer each map of the next is connected to.

    Args:
        table: for each map of the next layer, the input maps that it sees.
        inputs: number of input maps.
        width: width of the figure, in inches.

    Returns:
        The figure, a column for each map of the next layer; above it stands how many
        input maps it sees.

    Raises:
        ValueError: where the table names an input map that does not exist.
    """
    seen = np.zeros((inputs, len(table)), bool)
    for number, row in enumerate(table):
        if not all(0 <= channel < inputs for channel in row):
            raise ValueError(
                f"map {number} is connected to {tuple(row)}: there are input maps 0 "
                f"to {inputs - 1}"
            )
        seen[list(row), number] = True
    figure, axis = plt.subplots(
        figsize=(width, width * inputs / len(table) + 0.9), layout="constrained"
    )
    axis.pcolormesh(
        seen,
        cmap=ListedColormap([FAINT, BLUE]),
        vmin=0,
        vmax=1,
        edgecolors="white",
        linewidth=1.5,
    )
    axis.set_xticks(np.arange(len(table)) + 0.5, range(len(table)))
    axis.set_yticks(np.arange(inputs) + 0.5, range(inputs))
    axis.set_xlabel("map of C3")
    axis.set_ylabel("map of S2")
    axis.invert_yaxis()
    axis.set_aspect("equal")
    axis.tick_params(length=0)
    above = axis.secondary_xaxis("top")
    above.set_xticks(np.arange(len(table)) + 0.5, seen.sum(axis=0))
    above.set_xlabel("maps of S2 that it sees")
    above.tick_params(length=0)
    return figure


def drawings(
    pictures: Mapping[str, np.ndarray], label: str, width: float = 8.0
) -> Figure:
    """Draws vectors of F6's 84 values as pictures of 12x7 pixels.

    Args:
        pictures: by title, `(84,)`, rows of pixels one after another.
        label: what the values are, for the colour bar.
        width: width of the figure, in inches.

    Returns:
        The figure, a panel each. All share one scale, white at zero, orange above
        and purple below.

    Raises:
        ValueError: where a vector has another length.
    """
    for title, values in pictures.items():
        if np.shape(values) != (DRAWING[0] * DRAWING[1],):
            raise ValueError(
                f"{title!r} has the shape {np.shape(values)}: a drawing has 84 values"
            )
    reach = max(np.abs(values).max() for values in pictures.values())
    side = min(1.1, 0.86 * width / len(pictures))
    figure, axes = plt.subplots(
        1,
        len(pictures),
        figsize=(width, side * DRAWING[0] / DRAWING[1] + 0.7),
        squeeze=False,
        layout="constrained",
    )
    for axis, (title, values) in zip(axes[0], pictures.items(), strict=True):
        picture = axis.imshow(
            np.reshape(values, DRAWING), cmap="PuOr_r", vmin=-reach, vmax=reach
        )
        axis.set_title(title, fontsize="medium")
        axis.set_xticks([])
        axis.set_yticks([])
    figure.colorbar(picture, ax=axes[0], label=label, shrink=0.9)
    return figure


def shares(counts: Mapping[str, tuple[int, int]], width: float = 8.0) -> Figure:
    """Draws how parameters and multiply-adds are spread over the layers.

    Args:
        counts: by layer, its parameters and its multiply-adds.
        width: width of the figure, in inches.

    Returns:
        The figure, two bars a layer, in percent of the whole network.
    """
    figure, axis = plt.subplots(
        figsize=(width, 0.5 * len(counts) + 1.0), layout="constrained"
    )
    places = np.arange(len(counts))
    percent = 100 * np.array(list(counts.values())) / np.sum(list(counts.values()), 0)
    kinds = (("parameters", BLUE, -0.2), ("multiply-adds", VERMILION, 0.2))
    for column, (kind, colour, shift) in enumerate(kinds):
        values = percent[:, column]
        bars = axis.barh(places + shift, values, height=0.38, color=colour, label=kind)
        axis.bar_label(bars, fmt="%.1f", padding=3)
    axis.set_yticks(places, counts)
    axis.invert_yaxis()
    axis.margins(x=0.1)
    axis.set_xlabel("share of the whole network (%)")
    axis.legend(frameon=False)
    return figure


def steps(
    results: Mapping[str, tuple[float, float]],
    published: Mapping[str, float],
    source: str,
    test_images: int = 10_000,
    width: float = 8.0,
) -> Figure:
    """Draws accuracies of runs that each add one thing, beside published ones.

    Args:
        results: by label, accuracy on training and on test images, in percent.
        published: by label, test accuracies of others, in percent.
        source: data set of the runs, for the title.
        test_images: number of images that the test accuracies are of.
        width: width of the figure, in inches.

    Returns:
        The figure, a line for each run and below them one for each published
        accuracy. Test accuracies of runs have a bar of two standard errors to both
        sides.
    """
    figure, axis = plt.subplots(
        figsize=(width, 0.34 * (len(results) + len(published)) + 1.3),
        layout="constrained",
    )
    places = np.arange(len(results))
    train, test = np.array(list(results.values())).reshape(-1, 2).T
    error = 2 * np.sqrt(test * (100 - test) / test_images)
    axis.hlines(places, test, train, color="0.7", linewidth=1, zorder=1)
    axis.plot(train, places, "o", color=BLUE, markerfacecolor="white", label="training")
    axis.errorbar(test, places, xerr=error, fmt="o", color=VERMILION, label="test")
    below = len(results) + np.arange(len(published))
    axis.plot(
        list(published.values()),
        below,
        "s",
        color="black",
        label="test, published elsewhere",
    )
    axis.axhline(len(results) - 0.5, color="0.7", linewidth=0.8, linestyle=":")
    axis.set_yticks([*places, *below], [*results, *published])
    axis.invert_yaxis()
    axis.grid(axis="x", alpha=0.3)
    axis.set_xlabel("accuracy (%)")
    axis.set_title(source, fontsize="medium")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure
