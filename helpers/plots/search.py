"""Figures of architecture search: sizes, progress, the front, and agreement."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from helpers.architectures.search import Trial
from helpers.plots.palette import COLOURS, MARKERS, STYLES


def sizes(parameters: np.ndarray, limit: int, width: float = 8.0) -> Figure:
    """Draws how many networks of a space have how many parameters.

    Args:
        parameters: parameters of every candidate, in any shape.
        limit: the number that a network must stay below; a bar ends there.
        width: width of the figure, in inches.

    Returns:
        The figure, the networks below the limit in another colour than the others.
    """
    parameters = np.ravel(parameters)
    bar = limit / 10
    edges = bar * np.arange(np.floor(parameters.max() / bar) + 2)
    figure, axis = plt.subplots(figsize=(width, 3.0), layout="constrained")
    kinds = {"below the limit": parameters < limit, "too large": parameters >= limit}
    for (label, kind), colour in zip(kinds.items(), COLOURS, strict=False):
        counts, _ = np.histogram(parameters[kind], edges)
        axis.bar(
            edges[:-1] / 1000,
            counts / 1000,
            width=0.9 * bar / 1000,
            align="edge",
            color=colour,
            label=f"{label}: {kind.sum():,}",
        )
    axis.set_xlabel("parameters (thousands)")
    axis.set_ylabel("candidates (thousands)")
    axis.grid(axis="y", alpha=0.3)
    axis.legend(frameon=False)
    return figure


def progress(
    panels: Mapping[str, Mapping[str, Sequence]],
    ylabel: str,
    ceiling: float | None = None,
    width: float = 8.0,
) -> Figure:
    """Draws what searches have reached after each trial.

    Args:
        panels: by title, by the legend's label, an array `(searches, trials)`.
        ylabel: what the numbers are, with its unit.
        ceiling: the most that can be reached, where it is known; a dotted line.
        width: width of the figure, in inches.

    Returns:
        The figure, a panel each on one scale: a line for the median of the searches
        and a band for their middle half.
    """
    figure, axes = plt.subplots(
        1,
        len(panels),
        figsize=(width, 3.4),
        squeeze=False,
        sharey=True,
        layout="constrained",
    )
    for axis, (title, searches) in zip(axes[0], panels.items(), strict=True):
        for index, (label, values) in enumerate(searches.items()):
            low, middle, high = np.quantile(np.atleast_2d(values), (0.25, 0.5, 0.75), 0)
            trials = np.arange(1, len(middle) + 1)
            colour, style = COLOURS[index], STYLES[index % len(STYLES)]
            axis.plot(trials, middle, style, color=colour, label=label)
            axis.fill_between(trials, low, high, color=colour, alpha=0.2, linewidth=0)
        if ceiling is not None:
            axis.axhline(ceiling, linestyle=":", color="black", linewidth=1)
        axis.set_title(title, fontsize="medium")
        axis.set_xlabel("trials")
        axis.grid(alpha=0.3)
    axes[0][0].set_ylabel(ylabel)
    axes[0][-1].legend(frameon=False, loc="lower right")
    return figure


def fronts(
    searches: Mapping[str, tuple[Sequence[Trial], Sequence[Trial]]],
    known: Sequence[Trial] = (),
    title: str = "",
    width: float = 8.0,
) -> Figure:
    """Draws the accuracy of networks over their parameters, and fronts.

    Args:
        searches: by the legend's label, the trials and those of their front.
        known: the front of the whole space, where it is known.
        title: the data set that the accuracies were measured on.
        width: width of the figure, in inches.

    Returns:
        The figure: a mark a trial, a staircase a front, dotted for the known one.
    """
    figure, axis = plt.subplots(figsize=(width, 3.6), layout="constrained")
    for index, (label, (trials, best)) in enumerate(searches.items()):
        colour, marker = COLOURS[index], MARKERS[index % len(MARKERS)]
        points = _points(trials)
        axis.plot(*points, marker, color=colour, alpha=0.4, markersize=4)
        style = STYLES[index % len(STYLES)]
        axis.step(*_points(best), style, where="post", color=colour, label=label)
    if known:
        axis.step(
            *_points(known), ":", where="post", color="black", label="whole space"
        )
    axis.set_title(title, fontsize="medium")
    axis.set_xlabel("parameters (thousands)")
    axis.set_ylabel("accuracy (%)")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False, loc="lower right")
    return figure


def agreement(
    panels: Mapping[str, Mapping[str, tuple[Sequence[float], Sequence[float]]]],
    xlabel: str,
    title: str = "",
    width: float = 8.0,
) -> Figure:
    """Draws pairs of accuracies of the same networks.

    Args:
        panels: by the label of the vertical axis, by the legend's label, the
            accuracies of the horizontal axis and of the vertical one, in percent.
        xlabel: label of the horizontal axes.
        title: the data set that the accuracies were measured on.
        width: width of the figure, in inches.

    Returns:
        The figure, a panel each; a dotted line marks equal accuracies where a panel
        shows any.
    """
    figure, axes = plt.subplots(
        1, len(panels), figsize=(width, 3.6), squeeze=False, layout="constrained"
    )
    for axis, (ylabel, groups) in zip(axes[0], panels.items(), strict=True):
        for index, (label, pair) in enumerate(groups.items()):
            marker = MARKERS[index % len(MARKERS)]
            axis.plot(*pair, marker, color=COLOURS[index], label=label)
        (left, right), (bottom, top) = axis.get_xlim(), axis.get_ylim()
        if max(left, bottom) < min(right, top):
            ends = max(left, bottom), min(right, top)
            axis.plot(ends, ends, ":", color="black", linewidth=1)
        axis.set_xlabel(xlabel)
        axis.set_ylabel(ylabel)
        axis.grid(alpha=0.3)
    axes[0][0].legend(frameon=False)
    figure.suptitle(title, fontsize="medium")
    return figure


def _points(trials):
    """Thousands of parameters and percent."""
    return (
        [trial.parameters / 1000 for trial in trials],
        [100 * trial.accuracy for trial in trials],
    )
