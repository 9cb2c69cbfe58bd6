"""Figures of a search: where trials lie, what they found, when they were stopped."""

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from helpers.plots.palette import COLOURS, STYLES

BLUE, ORANGE = COLOURS[:2]
QUIET = "0.75"


def projections(
    trials: Mapping[str, np.ndarray], response: Callable, width: float = 7.0
) -> Figure:
    """Draws trials in a square whose first side matters, and what they see of it.

    Paper: Random Search for Hyper-Parameter Optimization,
    https://jmlr.org/papers/v13/bergstra12a.html

    Args:
        trials: By title, shares `(n, 2)` of two hyperparameters.
        response: Function of both shares, arrays of one shape, that returns the
            accuracy.
        width: Width of the figure, in inches.

    Returns:
        The figure: a panel each with lines of equal accuracy, above it the accuracy
        by the first hyperparameter, at the middle of the second.
    """
    figure, axes = plt.subplots(
        2,
        len(trials),
        figsize=(width, width / len(trials) + 1.2),
        height_ratios=(1, 3),
        sharex=True,
        sharey="row",
        squeeze=False,
        layout="constrained",
    )
    ticks = np.linspace(0, 1, 201)
    both = np.meshgrid(ticks, ticks)
    for (above, square), (title, points) in zip(axes.T, trials.items(), strict=True):
        first, second = np.asarray(points).T
        square.contour(*both, response(*both), 8, colors=QUIET, linewidths=0.7)
        square.plot(first, second, "o", color=BLUE)
        above.plot(ticks, response(ticks, np.full_like(ticks, 0.5)), color=QUIET)
        seen = np.unique(first.round(9))
        above.plot(seen, response(seen, np.full_like(seen, 0.5)), "o", color=BLUE)
        above.set_title(f"{title}: {len(seen)} values of the first")
        square.set_xlabel("first hyperparameter (share of its range)")
    axes[0][0].set_ylabel("accuracy (%)")
    axes[1][0].set_ylabel("second (share of its range)")
    return figure


def panels(
    candidates: Sequence[Mapping[str, float]],
    accuracies: Sequence[float],
    source: str,
    logarithmic: Sequence[str] = (),
    margin: float = 0.0,
    labels: Mapping[str, str] | None = None,
    width: float = 9.0,
) -> Figure:
    """Draws accuracy against each hyperparameter, a small panel each.

    Every trial is a point in every panel; the best one carries a ring, and those
    that luck does not tell from it have the colour of the best.

    Args:
        candidates: A value of each hyperparameter, by name, for each trial.
        accuracies: The trials' accuracies, in percent.
        source: What was measured on, for the title.
        logarithmic: Hyperparameters whose axis is logarithmic.
        margin: Points below the best that mean nothing.
        labels: Text of a hyperparameter's axis, where its name does not do.
        width: Width of the figure, in inches.

    Returns:
        The figure; all panels share their vertical axis.

    Raises:
        ValueError: If there is no trial, or not one accuracy a trial.
    """
    if not candidates or len(candidates) != len(accuracies):
        raise ValueError(
            f"There are {len(candidates)} trials and {len(accuracies)} accuracies: "
            "give one trial or more, and an accuracy of each."
        )
    names = list(candidates[0])
    values = np.asarray(accuracies, float)
    best = int(values.argmax())
    near = values >= values[best] - margin
    figure, axes = plt.subplots(
        1,
        len(names),
        figsize=(width, 3.0),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for axis, name in zip(axes[0], names, strict=True):
        x = np.array([candidate[name] for candidate in candidates], float)
        axis.plot(x[~near], values[~near], "o", color=QUIET, markersize=4)
        axis.plot(x[near], values[near], "o", color=BLUE, markersize=4)
        axis.plot(
            x[best],
            values[best],
            "o",
            color=ORANGE,
            markersize=11,
            markerfacecolor="none",
            markeredgewidth=2,
        )
        if name in logarithmic:
            axis.set_xscale("log")
        few = np.unique(x)
        if len(few) <= 5 < len(x):
            # A choice of a few values: these are the ticks.
            axis.set_xticks(few, [f"{value:g}" for value in few])
            axis.minorticks_off()
        axis.set_xlabel((labels or {}).get(name, name.replace("_", " ")))
        axis.grid(alpha=0.3)
    axes[0][0].set_ylabel("validation accuracy (%)")
    figure.suptitle(source, fontsize="medium")
    return figure


def by_trials(
    series: Mapping[str, Sequence[float]],
    ylabel: str,
    title: str = "",
    points: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
    logarithmic: bool = False,
    width: float = 6.4,
) -> Figure:
    """Draws what 1, 2, 3 ... trials reach.

    Args:
        series: By label, a value for each number of trials, from 1 on.
        ylabel: What the values are, with their unit.
        title: What was measured on.
        points: By label, numbers of trials and values that are drawn as dots.
        logarithmic: Whether the axis of the trials is logarithmic.
        width: Width of the figure, in inches.

    Returns:
        The figure, a line or a row of dots each.
    """
    figure, axis = plt.subplots(figsize=(width, 3.4), layout="constrained")
    for index, (label, values) in enumerate(series.items()):
        axis.plot(
            range(1, len(values) + 1),
            values,
            STYLES[index % len(STYLES)],
            color=COLOURS[index % len(COLOURS)],
            label=label,
        )
    for index, (label, (x, y)) in enumerate((points or {}).items(), start=len(series)):
        axis.plot(x, y, "o", color=COLOURS[index % len(COLOURS)], label=label)
    if logarithmic:
        axis.set_xscale("log")
    axis.set_xlabel("trials")
    axis.set_ylabel(ylabel)
    axis.set_title(title, fontsize="medium")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    return figure


def stopped(
    curves: Mapping[str, Sequence[Sequence[float]]],
    kept: Mapping[str, Sequence[int]],
    title: str = "",
    width: float = 7.0,
) -> Figure:
    """Draws learning curves and where a rule would have stopped them.

    Args:
        curves: By name of the rule, the accuracy of each trial after each epoch, in
            percent.
        kept: By the same names, epochs after which each trial was stopped; a
            trial's whole length where it was not.
        title: What was measured on.
        width: Width of the figure, in inches.

    Returns:
        The figure, a panel a rule: what was trained is drawn in colour, what was
        saved is pale, and the trial that ends best carries a ring.
    """
    figure, axes = plt.subplots(
        1,
        len(curves),
        figsize=(width, 3.4),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for axis, (rule, trials) in zip(axes[0], curves.items(), strict=True):
        for curve, end in zip(trials, kept[rule], strict=True):
            epochs = np.arange(1, len(curve) + 1)
            whole = end >= len(curve)
            axis.plot(epochs, curve, color="0.9", linewidth=0.8, zorder=1)
            axis.plot(
                epochs[:end],
                curve[:end],
                color=ORANGE if whole else BLUE,
                linewidth=1.2 if whole else 0.8,
                zorder=3 if whole else 2,
            )
        best = max(trials, key=lambda curve: curve[-1])
        axis.plot(
            len(best),
            best[-1],
            "o",
            color="black",
            markersize=10,
            markerfacecolor="none",
            zorder=4,
        )
        axis.set_title(rule, fontsize="medium")
        axis.set_xlabel("epoch")
        axis.grid(alpha=0.3)
    axes[0][0].set_ylabel("validation accuracy (%)")
    figure.suptitle(title, fontsize="medium")
    return figure
