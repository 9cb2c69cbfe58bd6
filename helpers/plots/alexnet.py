"""Figures of AlexNet: the contest it won, what its layers do, and where it is large."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from helpers.plots.palette import BLUE, FAINT, QUIET, VERMILION, line

# White figures are read on the first, black ones on the others.
SHARES = (BLUE, VERMILION, FAINT, "#cccccc")


def winners(
    errors: Mapping[int, tuple[str, float]],
    first_network: int,
    human: float,
    width: float = 8.0,
) -> Figure:
    """Draws the error of each year's winning entry, and a person's.

    Args:
        errors: by year, the winner's name and its error, in percent.
        first_network: first year in which a convolutional network won.
        human: a person's error, in percent.
        width: width of the figure, in inches.

    Returns:
        The figure: a bar a year, grey before the first network.
    """
    names, values = zip(*errors.values(), strict=True)
    colours = [BLUE if year >= first_network else QUIET for year in errors]
    figure, axis = plt.subplots(figsize=(width, 3.6), layout="constrained")
    bars = axis.bar(range(len(errors)), values, color=colours)
    axis.bar_label(bars, labels=[f"{value:g}" for value in values])
    axis.axhline(human, color=VERMILION, linestyle="--", label=f"a person: {human:g}")
    labels = [f"{year}\n{name}" for year, name in zip(errors, names, strict=True)]
    axis.set_xticks(range(len(errors)), labels, fontsize="small")
    axis.set_ylabel("top-5 error of the winner (%)")
    axis.legend(frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def responses(
    before: Sequence[float],
    after: Mapping[str, Sequence[float]],
    width: float = 8.0,
) -> Figure:
    """Draws the values of the channels at one position, before and after a layer.

    Args:
        before: a value a channel.
        after: the same for what a layer made of them, by label.
        width: width of the figure, in inches.

    Returns:
        The figure: on the left the values, on the right those after the layer.
    """
    channels = np.arange(len(before))
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(width, 3.2), layout="constrained"
    )
    left.bar(channels, before, color=BLUE)
    left.set_ylabel("value before the layer")
    step = 0.8 / len(after)
    for index, (label, values) in enumerate(after.items()):
        place = channels - 0.4 + step * (index + 0.5)
        right.bar(place, values, step, color=(QUIET, BLUE)[index % 2], label=label)
    right.set_ylabel("value after the layer")
    right.legend(frameon=False, fontsize="small")
    for axis in (left, right):
        axis.set_xlabel("channel")
        axis.set_xticks(channels)
        axis.spines[["top", "right"]].set_visible(False)
    return figure


def training_errors(
    errors: Mapping[str, Sequence[float]],
    target: float,
    source: str,
    width: float = 8.0,
) -> Figure:
    """Draws training errors by epoch, with the error that is waited for.

    Args:
        errors: by label, the training error of each epoch, in percent.
        target: the error that is waited for, in percent.
        source: data set of the runs, for the title.
        width: width of the figure, in inches.

    Returns:
        The figure, a curve each and a grey line at the target.
    """
    figure, axis = plt.subplots(figsize=(width, 3.4), layout="constrained")
    for index, (label, values) in enumerate(errors.items()):
        axis.plot(
            range(1, len(values) + 1),
            values,
            **line(index),
            label=label,
        )
    axis.axhline(target, color="0.5", linewidth=1)
    axis.annotate(
        f"{target:g}%", (1, target), xytext=(0, 3), textcoords="offset points"
    )
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_xlabel("epoch")
    axis.set_ylabel("training error (%)")
    axis.set_ylim(bottom=0)
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    axis.set_title(source, fontsize="medium")
    return figure


def shares(
    counts: Mapping[str, Mapping[str, int]],
    width: float = 8.0,
) -> Figure:
    """Draws how quantities of a network are divided among its parts.

    Args:
        counts: by quantity, how much of it each part has; the same parts for all.
        width: width of the figure, in inches.

    Returns:
        The figure: a bar of 100% a quantity, divided by part.

    Raises:
        ValueError: where there are more parts than shades.
    """
    parts = list(next(iter(counts.values())))
    if len(parts) > len(SHARES):
        raise ValueError(
            f"there are {len(parts)} parts: put them together to {len(SHARES)} at most"
        )
    figure, axis = plt.subplots(
        figsize=(width, 0.55 * len(counts) + 1.3), layout="constrained"
    )
    total = np.array([sum(each.values()) for each in counts.values()])
    begin = np.zeros(len(counts))
    for index, part in enumerate(parts):
        share = 100 * np.array([each[part] for each in counts.values()]) / total
        bars = axis.barh(
            range(len(counts)), share, left=begin, color=SHARES[index], label=part
        )
        # A figure in a narrower piece would overlap its neighbours.
        axis.bar_label(
            bars,
            labels=[f"{value:.0f}" if value > 2.5 else "" for value in share],
            label_type="center",
            color="black" if index else "white",
        )
        begin += share
    axis.set_yticks(range(len(counts)), counts)
    axis.invert_yaxis()
    axis.set_xlim(0, 100)
    axis.set_xlabel("share (%)")
    axis.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=len(parts), frameon=False)
    return figure
