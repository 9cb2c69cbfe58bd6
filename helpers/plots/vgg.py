"""Figures of VGG: errors by depth, where its costs lie, and how signals fade."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from helpers.plots.palette import COLOURS, line, mark


def errors_by_depth(
    series: Mapping[str, Mapping[int, float]], width: float = 8.0
) -> Figure:
    """Draws errors of networks over their depth.

    Args:
        series: by the legend's label, errors in percent by layers with weights.
        width: width of the figure, in inches.

    Returns:
        The figure, a line each; a series of one network is a mark alone.
    """
    figure, axis = plt.subplots(figsize=(width, 3.4), layout="constrained")
    for index, (label, errors) in enumerate(series.items()):
        axis.plot(
            list(errors),
            list(errors.values()),
            **mark(index),
            linestyle=line(index)["linestyle"] if len(errors) > 1 else "none",
            label=label,
        )
    depths = sorted({depth for errors in series.values() for depth in errors})
    axis.set_xticks(depths)
    axis.set_xlabel("depth (layers with weights)")
    axis.set_ylabel("top-5 error (%)")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    return figure


def shares(
    parameters: Mapping[str, int], multiply_adds: Mapping[str, int], width: float = 8.0
) -> Figure:
    """Draws the share of each part of a network in two costs.

    Args:
        parameters: by part, in the network's order.
        multiply_adds: by the same parts, in the same order.
        width: width of the figure, in inches.

    Returns:
        The figure, two bars a part, in percent of the whole network.

    Raises:
        ValueError: where the parts differ.
    """
    parts = list(parameters)
    if parts != list(multiply_adds):
        raise ValueError(
            f"The parts differ: {parts} have parameters, {list(multiply_adds)} "
            "multiply-adds. Give the same ones, in the same order."
        )
    figure, axis = plt.subplots(
        figsize=(width, 0.5 * len(parts) + 0.8), layout="constrained"
    )
    costs = {"parameters": parameters, "multiply-adds": multiply_adds}
    for index, (label, values) in enumerate(costs.items()):
        percent = 100 * np.array(list(values.values())) / sum(values.values())
        places = np.arange(len(parts)) + 0.4 * index - 0.2
        bars = axis.barh(places, percent, 0.38, color=COLOURS[index], label=label)
        axis.bar_label(bars, fmt="%.1f", padding=3)
    axis.set_yticks(range(len(parts)), parts)
    axis.invert_yaxis()
    axis.margins(x=0.1)
    axis.set_xlabel("share of the network (%)")
    axis.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def signals(
    measured: Mapping[str, Sequence[float]],
    laws: Mapping[str, Sequence[float]],
    names: Sequence[str],
    title: str = "",
    width: float = 8.0,
) -> Figure:
    """Draws the size of signals from layer to layer, measured and by theory.

    Args:
        measured: by the legend's label, a size a layer, all above 0.
        laws: by the same labels, what theory says.
        names: names of the layers.
        title: what the images are.
        width: width of the figure, in inches.

    Returns:
        The figure: marks are measured, lines are theory; sizes on a logarithmic axis.

    Raises:
        ValueError: where a label has no law, or a size is missing.
    """
    for label, sizes in measured.items():
        if label not in laws:
            raise ValueError(
                f"There is no law for {label!r}. There are: {', '.join(laws)}."
            )
        for values in (sizes, laws[label]):
            if len(values) != len(names):
                raise ValueError(
                    f"{label} has {len(values)} sizes for {len(names)} layers: give "
                    "one a layer."
                )
    figure, axis = plt.subplots(figsize=(width, 3.8), layout="constrained")
    places = range(len(names))
    for index, (label, sizes) in enumerate(measured.items()):
        axis.plot(places, laws[label], **line(index), label=f"{label}, theory")
        axis.plot(
            places,
            sizes,
            **mark(index),
            linestyle="none",
            markerfacecolor="white",
            label=label,
        )
    axis.set_yscale("log")
    axis.set_xticks(places, names, rotation=60, ha="right", rotation_mode="anchor")
    axis.set_ylabel("root mean square before ReLU")
    axis.grid(alpha=0.3)
    axis.set_title(title, fontsize="medium")
    axis.legend(frameon=False)
    return figure


def losses(
    curves: Mapping[str, Sequence[float]],
    guessing: float,
    title: str = "",
    width: float = 8.0,
) -> Figure:
    """Draws training losses by epoch beside the loss of a network that guesses.

    Args:
        curves: by the legend's label, the loss of each epoch.
        guessing: the loss of equal probabilities for all classes.
        title: what the images are.
        width: width of the figure, in inches.

    Returns:
        The figure.
    """
    figure, axis = plt.subplots(figsize=(width, 3.4), layout="constrained")
    for index, (label, values) in enumerate(curves.items()):
        axis.plot(
            range(1, len(values) + 1),
            values,
            **line(index) | mark(index),
            label=label,
        )
    axis.axhline(
        guessing, linestyle=":", color="black", label=f"guessing: {guessing:.3f}"
    )
    axis.set_xticks(range(1, max(map(len, curves.values())) + 1))
    axis.set_xlabel("epoch")
    axis.set_ylabel("training loss")
    axis.set_title(title, fontsize="medium")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    return figure
