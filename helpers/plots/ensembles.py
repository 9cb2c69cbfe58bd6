"""Figures of ensembles: measures by number of members, correlations, reliability."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from helpers.calibration import Reliability
from helpers.plots.palette import COLOURS, MARKERS, STYLES


def by_members(
    panels: Mapping[str, Mapping[str, Mapping[int, float]]],
    title: str = "",
    width: float = 8.0,
) -> Figure:
    """Draws measures of averages over the number of networks averaged.

    Args:
        panels: by the label of the vertical axis, by the legend's label, "" for none,
            the measure by number of networks.
        title: what the images are.
        width: width of the figure, in inches.

    Returns:
        The figure, a panel a measure; the legend, for all panels, stands below.
    """
    figure, axes = plt.subplots(
        1, len(panels), figsize=(width, 3.3), squeeze=False, layout="constrained"
    )
    for axis, (measure, series) in zip(axes[0], panels.items(), strict=True):
        for index, (label, values) in enumerate(series.items()):
            axis.plot(
                list(values),
                list(values.values()),
                linestyle=STYLES[index % len(STYLES)],
                marker=MARKERS[index % len(MARKERS)],
                color=COLOURS[index % len(COLOURS)],
                label=label,
            )
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.set_xlabel("networks averaged")
        axis.set_ylabel(measure)
        axis.grid(alpha=0.3)
    if any(next(iter(panels.values()))):
        handles = axes[0][0].get_lines()
        figure.legend(
            handles=handles,
            frameon=False,
            fontsize="small",
            loc="outside lower center",
            ncols=4,
        )
    figure.suptitle(title, fontsize="medium")
    return figure


def correlations(
    matrix: np.ndarray, names: Sequence[str], title: str = "", width: float = 5.4
) -> Figure:
    """Draws the correlation of the errors of every two networks.

    Args:
        matrix: `(networks, networks)`, values up to 1.
        names: the networks' names.
        title: what the images are.
        width: width of the figure, in inches.

    Returns:
        The figure, with the value in every square.

    Raises:
        ValueError: if the matrix does not have a row and a column a name.
    """
    matrix = np.asarray(matrix)
    if matrix.shape != (len(names), len(names)):
        raise ValueError(
            f"the matrix has the shape {matrix.shape} for {len(names)} names: give a "
            "row and a column for each."
        )
    figure, axis = plt.subplots(
        figsize=(width, 1.2 + 0.42 * len(names)), layout="constrained"
    )
    axis.imshow(matrix, vmin=0, vmax=1, cmap="Blues", aspect="auto")
    for row, column in np.ndindex(*matrix.shape):
        value = matrix[row, column]
        axis.text(
            column,
            row,
            f"{value:.2f}",
            ha="center",
            va="center",
            color="white" if value > 0.6 else "black",
            fontsize="small",
        )
    axis.set_xticks(range(len(names)), names, rotation=30, ha="right")
    axis.set_yticks(range(len(names)), names)
    axis.set_title(title, fontsize="medium")
    return figure


def reliability_diagrams(
    measured: Mapping[str, Reliability], title: str = "", width: float = 8.0
) -> Figure:
    """Draws how often networks are right, by how sure they are.

    Args:
        measured: by title, a network's `Reliability`.
        title: what the images are.
        width: width of the figure, in inches.

    Returns:
        The figure, up to three panels a row: a bar a bin, as high as the accuracy,
        and a mark at the mean probability, both over the bin's place; the expected
        calibration error stands in the title.
    """
    columns = min(3, len(measured))
    rows = -(-len(measured) // columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(width, 0.4 + 2.9 * rows),
        squeeze=False,
        sharex=True,
        sharey=True,
        layout="constrained",
    )
    for axis in axes.flat[len(measured) :]:
        axis.remove()
    for axis, (name, one) in zip(axes.flat, measured.items(), strict=False):
        filled = one.count > 0
        middles = (one.edges[1:] + one.edges[:-1]) / 2
        axis.bar(
            middles[filled],
            100 * one.accuracy[filled],
            width=np.diff(one.edges)[filled],
            color=COLOURS[5],
            edgecolor="white",
            label="right",
        )
        axis.plot(
            middles[filled],
            100 * one.confidence[filled],
            MARKERS[0],
            color=COLOURS[1],
            markersize=4,
            label="says it is",
        )
        axis.set_title(f"{name}: ECE {100 * one.error:.1f}%", fontsize="medium")
        axis.grid(alpha=0.3)
        axis.set_axisbelow(True)
    # A low bin may hold one image that is right, and then its bar is high.
    axes[0][0].legend(loc="upper left", fontsize="small", framealpha=0.9)
    figure.supxlabel("probability of the class predicted", fontsize="medium")
    figure.supylabel("images (%)", fontsize="medium")
    figure.suptitle(title, fontsize="medium")
    return figure
