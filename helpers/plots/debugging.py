"""Figures of debugging: what chance makes of many tries, and symptoms side by side."""

import math
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from helpers.plots.palette import COLOURS, STYLES
from helpers.plots.runs import LABELS

BLUE, ORANGE = COLOURS[:2]
# An axis of losses ends at this many times the loss of a guess, at the latest: what
# lies higher is a failure whose height says nothing more. Scores taken for
# probabilities, a fault of lecture 21, come to three times that loss.
_TOP = 3.5


def best_of_many(
    tries: Sequence[int],
    best: Mapping[int, Sequence[float]],
    chance: float = 0.1,
    width: float = 6.4,
) -> Figure:
    """Draws the accuracy of the best of many classifiers that guess.

    Args:
        tries: How many classifiers there are to choose from.
        best: Accuracy of the best on the images it was chosen by, a share for each
            of `tries`, by the number of these images.
        chance: Accuracy of each of them on other images.
        width: Width of the figure, in inches.

    Returns:
        The figure; the axis of the tries is logarithmic.

    Raises:
        ValueError: If there is not one accuracy for each number of tries.
    """
    for count, shares in best.items():
        if len(shares) != len(tries):
            raise ValueError(
                f"There are {len(shares)} accuracies on {count} images for "
                f"{len(tries)} numbers of tries: each needs one."
            )
    figure, axis = plt.subplots(figsize=(width, 3.4), layout="constrained")
    for index, (count, shares) in enumerate(best.items()):
        axis.plot(
            tries,
            100 * np.asarray(shares, float),
            "o" + STYLES[index % len(STYLES)],
            color=COLOURS[index % len(COLOURS)],
            label=f"{count:,} validation images",
        )
    axis.axhline(100 * chance, linestyle=":", color="black", label="on other images")
    axis.set_xscale("log")
    axis.set_xlabel("classifiers to choose from")
    axis.set_ylabel("validation accuracy of the best (%)")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    return figure


def symptoms(
    broken: Mapping[str, Mapping[str, Sequence[float]]],
    cured: Mapping[str, Mapping[str, Sequence[float]]],
    columns: Sequence[str] = ("loss",),
    source: str = "",
    classes: int = 10,
    width: float = 10.0,
) -> Figure:
    """Draws trainings with a fault beside those without, a panel a fault.

    Args:
        broken: By fault, the `history` that `fit` returned.
        cured: The same for the training without the fault, by the same names.
        columns: What to draw, either of losses or of accuracies: columns of
            `history.csv`; those that begin with "val_" have dashes.
        source: Data set of the trainings, for the title.
        classes: Number of classes, for the dotted line of a guess.
        width: Width of the figure, in inches.

    Returns:
        The figure. Accuracies are in percent. At the upper end of the axis, a
        triangle is a loss above three and a half times that of a guess, a cross
        (x) one that is no number.

    Raises:
        ValueError: If a fault has no training without it, or `columns` mixes losses
            and accuracies.
    """
    alone = [fault for fault in broken if fault not in cured]
    if alone:
        raise ValueError(f"There is no cured training for {alone[0]!r}: give one.")
    quantities = {column.removeprefix("val_") for column in columns}
    if quantities not in ({"loss"}, {"accuracy"}):
        raise ValueError(
            f"The columns {tuple(columns)} share no axis: give losses or accuracies."
        )
    quantity = quantities.pop()
    guess = math.log(classes) if quantity == "loss" else 100.0 / classes
    top = 100.0
    if quantity == "loss":
        runs = (*broken.values(), *cured.values())
        top = _loss_axis([run[column] for run in runs for column in columns], guess)
    figure, axes = plt.subplots(
        1,
        len(broken),
        figsize=(width, 3.3),
        squeeze=False,
        sharey=True,
        layout="constrained",
    )
    for axis, fault in zip(axes[0], broken, strict=True):
        for column in columns:
            # The wide line first: where both agree, both are seen.
            _draw(axis, cured[fault], column, top, BLUE, 3.0)
            _draw(axis, broken[fault], column, top, ORANGE, 1.4)
        axis.axhline(guess, linestyle=":", color="black")
        axis.set_title(fault, fontsize="medium")
        axis.set_xlabel("epoch")
        axis.grid(alpha=0.3)
    axes[0][0].set_ylim(0.0, 1.02 * top)
    label = LABELS[quantity] if len(columns) == 1 else LABELS[f"val_{quantity}"]
    axes[0][0].set_ylabel(label.removeprefix("validation "))
    handles = _legend(columns)
    figure.legend(
        handles=handles, frameon=False, loc="outside lower center", ncols=len(handles)
    )
    figure.suptitle(source, fontsize="medium")
    return figure


def _loss_axis(losses, guess):
    """Returns where the axis ends: above all losses, unless one is too high for it."""
    values = np.concatenate([np.asarray(values, float) for values in losses])
    highest = np.max(values[np.isfinite(values)], initial=guess)
    return min(1.1 * highest, _TOP * guess)


def _draw(axis, history, column, top, colour, linewidth):
    scale = 100.0 if column.endswith("accuracy") else 1.0
    values = scale * np.asarray(history[column], float)
    epochs = np.arange(1, len(values) + 1)
    number = np.isfinite(values)
    above = number & (values > top)
    axis.plot(
        epochs,
        np.where(number & ~above, values, np.nan),
        ".--" if column.startswith("val_") else ".-",
        color=colour,
        linewidth=linewidth,
    )
    for which, marker in ((above, "^"), (~number, "x")):
        axis.plot(epochs[which], np.full(which.sum(), top), marker, color=colour)


def _legend(columns):
    handles = [
        Line2D([], [], color=ORANGE, linewidth=1.4, label="with the fault"),
        Line2D([], [], color=BLUE, linewidth=3.0, label="without"),
        Line2D([], [], color="black", linestyle=":", label="guessing"),
    ]
    if len(columns) > 1:
        handles += [
            Line2D([], [], color="0.4", linestyle="-", label="training images"),
            Line2D([], [], color="0.4", linestyle="--", label="validation images"),
        ]
    return handles
