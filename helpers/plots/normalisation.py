"""Figures of normalisation and regularisation: surfaces, statistics and results."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from helpers.callbacks import read_run
from helpers.plots.palette import BLUE, FAINT, VERMILION, line
from helpers.plots.runs import LABELS, draw


def descent(
    hessians: Mapping[str, np.ndarray],
    paths: Mapping[str, np.ndarray],
    names: Sequence[str] = ("weight 1", "weight 2"),
    width: float = 8.0,
) -> Figure:
    """Draws quadratic losses of two weights and the ways that descents take on them.

    Args:
        hessians: by title, symmetric, positive definite `(2, 2)`.
        paths: by the same titles, `(steps + 1, 2)`: distances from the minimum.
        names: labels of the two axes.
        width: width of the figure, in inches.

    Returns:
        The figure, a panel each, with contours of equal loss that double from one
        to the next, and the condition number in the title.

    Raises:
        ValueError: where a matrix is not positive definite: it has no contours.
    """
    for title, hessian in hessians.items():
        low = np.linalg.eigvalsh(hessian)[0]
        if low <= 0:
            raise ValueError(
                f"the Hessian of {title!r} has the eigenvalue {low:g}: give a positive "
                "definite matrix"
            )
    count = len(hessians)
    figure, axes = plt.subplots(
        1,
        count,
        figsize=(width, width / count + 0.9),
        squeeze=False,
        sharex=True,
        sharey=True,
        layout="constrained",
    )
    reach = 1.15 * max(np.abs(path).max() for path in paths.values())
    ticks = np.linspace(-reach, reach, 121)
    plane = np.stack(np.meshgrid(ticks, ticks), axis=-1)
    for axis, (title, hessian) in zip(axes[0], hessians.items(), strict=True):
        loss = 0.5 * np.einsum("...i,ij,...j", plane, hessian, plane)
        levels = loss.max() * 0.5 ** np.arange(14, 0, -1)
        axis.contour(ticks, ticks, loss, levels, colors="0.65", linewidths=0.7)
        axis.plot(*paths[title].T, "o-", color=BLUE, markersize=3, linewidth=1)
        axis.plot(0, 0, "x", color=VERMILION, markersize=9, markeredgewidth=2)
        axis.set_aspect("equal")
        axis.set_title(f"{title}\ncondition number {np.linalg.cond(hessian):.0f}")
        axis.set_xlabel(f"{names[0]} - best")
    axes[0][0].set_ylabel(f"{names[1]} - best")
    return figure


def shared_statistics(
    touched: Mapping[str, np.ndarray],
    changed: tuple[int, int],
    width: float = 8.0,
) -> Figure:
    """Draws which feature maps share their mean and variance with a chosen one.

    Args:
        touched: by title, booleans `(images, channels)`: the maps of a batch that
            change when a value of the chosen map does.
        changed: the chosen map, (image, channel).
        width: width of the figure, in inches.

    Returns:
        The figure, a panel each; the chosen map carries a dot.
    """
    figure, axes = plt.subplots(
        1,
        len(touched),
        figsize=(width, 0.75 * width / len(touched) + 0.4),
        squeeze=False,
        sharey=True,
        layout="constrained",
    )
    for axis, (title, maps) in zip(axes[0], touched.items(), strict=True):
        axis.pcolormesh(
            maps,
            cmap=ListedColormap([FAINT, BLUE]),
            vmin=0,
            vmax=1,
            edgecolors="white",
            linewidth=1.5,
        )
        axis.plot(changed[1] + 0.5, changed[0] + 0.5, "o", color="white")
        axis.set_title(title)
        axis.set_xlabel("channel")
        axis.set_xticks(np.arange(maps.shape[1]) + 0.5, range(maps.shape[1]))
        axis.set_yticks(np.arange(maps.shape[0]) + 0.5, range(maps.shape[0]))
        axis.tick_params(length=0, labelsize="small")
    axes[0][0].set_ylabel("image of the batch")
    axes[0][0].invert_yaxis()
    return figure


def stopping(
    folder: str | Path, epochs: Mapping[str, int], width: float = 8.0
) -> Figure:
    """Draws a run's loss and accuracy on training and validation images.

    Args:
        folder: the run's folder.
        epochs: by label, epochs to mark with a vertical line.
        width: width of the figure, in inches.

    Returns:
        The figure, titled with the run's data set.
    """
    figure, axes = plt.subplots(1, 2, figsize=(width, 3.4), layout="constrained")
    for axis, quantity in zip(axes, ("loss", "accuracy"), strict=True):
        draw(axis, folder, quantity, "training images", 0)
        draw(axis, folder, f"val_{quantity}", "validation images", 1)
        for index, (label, epoch) in enumerate(epochs.items(), start=2):
            axis.axvline(epoch, **line(index), linewidth=2, label=label)
        axis.set_xlabel("epoch")
        axis.set_ylabel(LABELS[quantity].removeprefix("training "))
        axis.grid(alpha=0.3)
    axes[0].legend(frameon=False)
    source = read_run(folder).get("data", {}).get("source", "unknown data")
    figure.suptitle(source, fontsize="medium")
    return figure


def changes(
    results: Mapping[str, tuple[float, float]],
    reference: str,
    margin: float,
    source: str,
    width: float = 8.0,
) -> Figure:
    """Draws training and test accuracy of runs that differ by one change.

    Args:
        results: by label, accuracy on training and on test images, in percent.
        reference: label of the run that the others are compared with.
        margin: difference of test accuracies, in points, that is none.
        source: data set of the runs, for the title.
        width: width of the figure, in inches.

    Returns:
        The figure, a line each in the given order, with a band of `margin` around
        the reference's test accuracy.

    Raises:
        ValueError: where the reference is not among the results.
    """
    if reference not in results:
        raise ValueError(
            f"there is no result {reference!r}: choose from {', '.join(results)}"
        )
    places = np.arange(len(results))
    train, test = np.array(list(results.values())).T
    figure, axis = plt.subplots(
        figsize=(width, 0.3 * len(results) + 1.3), layout="constrained"
    )
    middle = results[reference][1]
    axis.axvspan(middle - margin, middle + margin, color=FAINT, zorder=0)
    axis.hlines(places, test, train, color="0.7", linewidth=1, zorder=1)
    axis.plot(train, places, "o", color=BLUE, markerfacecolor="white", label="training")
    axis.plot(test, places, "o", color=VERMILION, label="test")
    axis.set_yticks(places, results)
    axis.set_ylim(len(places) - 0.5, -0.5)
    axis.grid(axis="x", alpha=0.3)
    axis.set_xlabel("accuracy (%)")
    axis.set_title(source, fontsize="medium")
    figure.legend(loc="outside right upper", frameon=False)
    return figure
