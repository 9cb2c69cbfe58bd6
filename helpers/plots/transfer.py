"""Figures of transfer: accuracy by the number of labels, and what is forgotten."""

import statistics
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from helpers.plots.palette import COLOURS, MARKERS, STYLES


def accuracy_by_labels(
    results: Mapping[str, Mapping[int, Sequence[float]]],
    source: str,
    width: float = 8.0,
) -> Figure:
    """Draws accuracies over the number of labels, every draw of the images a dot.

    Args:
        results: by the legend's label, by images a class, the accuracies in percent
            of all draws.
        source: data set of the runs, for the title.
        width: width of the figure, in inches.

    Returns:
        The figure: lines through the means, the number of images on a logarithmic
        axis; dots of different lines stand beside each other.

    Raises:
        ValueError: where a number of images has no accuracy.
    """
    for label, series in results.items():
        for number, values in series.items():
            if not values:
                raise ValueError(
                    f"{label!r} has no accuracy at {number} images a class: leave the "
                    "number out, or give one"
                )
    figure, axis = plt.subplots(figsize=(width, 3.8), layout="constrained")
    for index, (label, series) in enumerate(results.items()):
        colour = COLOURS[index % len(COLOURS)]
        # Moved by a factor, since the axis is logarithmic.
        moved = 1.06 ** (index - (len(results) - 1) / 2)
        numbers = sorted(series)
        places = [number * moved for number in numbers]
        for place, number in zip(places, numbers, strict=True):
            values = series[number]
            axis.plot([place] * len(values), values, ".", color=colour, alpha=0.5)
        axis.plot(
            places,
            [statistics.mean(series[number]) for number in numbers],
            linestyle=STYLES[index % len(STYLES)],
            marker=MARKERS[index % len(MARKERS)],
            color=colour,
            label=label,
        )
    axis.set_xscale("log")
    ticks = sorted({number for series in results.values() for number in series})
    axis.set_xticks(ticks, [f"{number:,}" for number in ticks])
    axis.minorticks_off()
    axis.set_xlabel("labelled images a class")
    axis.set_ylabel("test accuracy, new classes (%)")
    axis.set_title(source, fontsize="medium")
    axis.grid(alpha=0.3)
    figure.legend(frameon=False, loc="outside lower center", ncols=2)
    return figure


def forgetting(
    series: Mapping[str, Mapping[int, float]], source: str, width: float = 6.4
) -> Figure:
    """Draws what a network still knows while its statistics follow some classes.

    Args:
        series: by the legend's label, by the number of batches seen, the accuracy
            in percent.
        source: data set, for the title.
        width: width of the figure, in inches.

    Returns:
        The figure, a line each.
    """
    figure, axis = plt.subplots(figsize=(width, 3.4), layout="constrained")
    for index, (label, values) in enumerate(series.items()):
        axis.plot(
            list(values),
            list(values.values()),
            linestyle=STYLES[index % len(STYLES)],
            marker=MARKERS[index % len(MARKERS)],
            color=COLOURS[index % len(COLOURS)],
            label=label,
        )
    axis.set_xlabel("batches of airplanes and birds seen, no weight trained")
    axis.set_ylabel("test accuracy, ten classes (%)")
    axis.set_title(source, fontsize="medium")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    return figure
