"""Figures of results: accuracy by cost, and what a comparison decides."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, LogLocator, NullFormatter, NullLocator

from helpers.plots.labels import place_names
from helpers.plots.palette import COLOURS, MARKERS

ACCURACIES = (10, 30, 50, 60, 65, 70, 75, 80, 85, 88, 90, 92, 94, 95, 96, 97, 98, 99)


def accuracy_by_cost(
    costs: Mapping[str, float],
    accuracies: Mapping[str, Sequence[float]],
    cost: str,
    groups: Mapping[str, str] | None = None,
    published: Mapping[str, tuple[float, float]] | None = None,
    front: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
    title: str = "",
    width: float = 8.0,
) -> Figure:
    """Draws test accuracies of networks over what they cost.

    The axis of the accuracies is logarithmic in the error: from 90% to 95% is as far
    as from 80% to 90%. Names are placed so that none covers another or a mark.

    Args:
        costs: by the network's name, its cost, above 0.
        accuracies: by the same names, test accuracies in percent, one a seed.
        cost: what the cost is, with its unit.
        groups: by name, what the legend says of the network; marks of one group
            look alike.
        published: by name, lowest and highest accuracy that others report, in percent;
            drawn as open marks at the cost of the network of that name.
        front: names of the networks that no other beats, which a line joins.
        names: by name, what stands beside the mark, where it is not the name itself.
        title: which images the accuracies are of.
        width: width of the figure, in inches.

    Returns:
        The figure: a mark at the mean of each network, with a bar from its lowest to
        its highest seed.

    Raises:
        ValueError: where a network has no accuracy, or a cost is not above 0.
    """
    for name, value in costs.items():
        if not value > 0:
            raise ValueError(
                f"{name!r} costs {value}: a logarithmic axis shows costs above 0 only"
            )
        if not len(accuracies.get(name, ())):
            raise ValueError(f"{name!r} has no accuracy: give one a seed, in percent")
    groups, published, names = groups or {}, published or {}, names or {}
    means = {name: float(np.mean(accuracies[name])) for name in costs}
    # Many names need room.
    height = 5.0 if len(costs) <= 20 else 6.0
    figure, axis = plt.subplots(figsize=(width, height), layout="constrained")
    _scale(axis)
    labels = sorted({groups.get(name, "test accuracy") for name in costs})
    for index, label in enumerate(labels):
        members = [n for n in costs if groups.get(n, "test accuracy") == label]
        colour = COLOURS[index % len(COLOURS)]
        for name in members:
            ends = min(accuracies[name]), max(accuracies[name])
            axis.vlines(costs[name], *ends, color=colour, linewidth=1.5)
        axis.plot(
            [costs[name] for name in members],
            [means[name] for name in members],
            MARKERS[index % len(MARKERS)],
            color=colour,
            label=label,
        )
    shown = [name for name in published if name in costs]
    for name in shown:
        low, high = published[name]
        axis.vlines(costs[name], low, high, color="0.35", linewidth=1)
        # Thin, so that it reads as "of this network" and not as a range.
        ends = means[name], (low + high) / 2
        axis.plot([costs[name]] * 2, ends, ":", color="0.6", linewidth=0.8, zorder=0)
    middles = {name: sum(published[name]) / 2 for name in shown}
    if shown:
        axis.plot(
            [costs[name] for name in shown],
            list(middles.values()),
            "o",
            color="0.35",
            markerfacecolor="white",
            label="published, original images",
        )
    if front:
        steps = sorted((costs[name], means[name]) for name in front)
        axis.step(
            *zip(*steps, strict=True),
            where="post",
            color="0.6",
            linewidth=1,
            zorder=0,
            label="beaten by none",
        )
    axis.set_xlabel(cost)
    axis.set_title(title, fontsize="medium")
    longest = max(map(len, labels))
    ncols = 3 if longest < 26 else 2 if longest < 44 else 1
    figure.legend(loc="outside lower center", ncols=ncols, frameon=False)
    points = [(names.get(n, n), (costs[n], means[n])) for n in costs]
    place_names(axis, points, [(costs[name], middles[name]) for name in shown])
    return figure


def _scale(axis: Axes) -> None:
    """Makes costs logarithmic, and accuracies logarithmic in the error."""
    axis.set_xscale("log")
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.xaxis.set_minor_locator(LogLocator(subs="all"))
    axis.set_yscale(
        "function",
        functions=(
            lambda y: -np.log(np.maximum(100 - np.asarray(y, float), 1e-6)),
            lambda z: 100 - np.exp(-np.asarray(z, float)),
        ),
    )
    axis.yaxis.set_major_locator(FixedLocator(ACCURACIES))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_locator(NullLocator())
    axis.set_ylabel("test accuracy (%)")
    axis.margins(x=0.12, y=0.12)
    axis.grid(alpha=0.3)


def comparisons(
    found: Mapping[str, tuple[float, float]], title: str = "", width: float = 8.0
) -> Figure:
    """Draws differences of test accuracies with their margins.

    Args:
        found: by label, a difference and its margin, both in points.
        title: which images the accuracies are of.
        width: width of the figure, in inches.

    Returns:
        The figure, a line each in the given order. A mark is filled where the margin
        leaves zero out, open where it does not.
    """
    figure, axis = plt.subplots(
        figsize=(width, 0.26 * len(found) + 1.0), layout="constrained"
    )
    axis.axvline(0, color="0.4", linewidth=1)
    for place, (difference, margin) in enumerate(found.values()):
        decided = abs(difference) > margin
        axis.errorbar(
            difference,
            place,
            xerr=margin,
            fmt="o",
            color=COLOURS[0] if decided else "0.5",
            markerfacecolor=COLOURS[0] if decided else "white",
            elinewidth=1.5,
        )
    axis.set_yticks(range(len(found)), found)
    axis.invert_yaxis()
    axis.set_xlabel("difference of test accuracies (points)")
    axis.set_title(title, fontsize="medium")
    axis.grid(axis="x", alpha=0.3)
    marks = [
        Line2D([], [], marker="o", color=COLOURS[0], linestyle="none"),
        Line2D(
            [], [], marker="o", color="0.5", markerfacecolor="white", linestyle="none"
        ),
    ]
    figure.legend(
        marks,
        ["beyond its margin", "undecided"],
        loc="outside lower center",
        ncols=2,
        frameon=False,
    )
    return figure
