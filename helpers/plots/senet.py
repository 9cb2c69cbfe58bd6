"""Figures of SENet: which channels the gates let through, for which class."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from helpers.plots.palette import line, mark


def mean_gates(
    means: Mapping[str, np.ndarray],
    classes: Sequence[str],
    title: str = "",
    width: float = 9.0,
) -> Figure:
    """Draws the mean gate of every channel for every class, block by block.

    Channels stand in the order of their mean over the classes, so a block whose gates
    are the same for all classes shows stripes without a break. All blocks share one
    scale of colours.

    Args:
        means: by block, `(classes, channels)`, gates between 0 and 1.
        classes: names of the classes.
        title: the figure's title, such as the data set's name.
        width: width of the figure, in inches.

    Returns:
        The figure, a panel a block.

    Raises:
        ValueError: if a block has not one row a class.
    """
    for name, values in means.items():
        _row_a_class(name, values, classes)
    figure, axes = plt.subplots(
        1,
        len(means),
        figsize=(width, 3.3),
        squeeze=False,
        sharey=True,
        layout="constrained",
    )
    low = min(values.min() for values in means.values())
    high = max(values.max() for values in means.values())
    for axis, (name, values) in zip(axes[0], means.items(), strict=True):
        order = values.mean(axis=0).argsort()
        picture = axis.imshow(
            values[:, order],
            vmin=low,
            vmax=high,
            aspect="auto",
            interpolation="nearest",
        )
        axis.set_title(name, fontsize="medium")
        axis.set_xlabel(f"{values.shape[1]} channels, by mean gate")
        axis.set_xticks([])
    axes[0][0].set_yticks(range(len(classes)), classes)
    figure.colorbar(picture, ax=axes[0], label="mean gate")
    figure.suptitle(title, fontsize="medium")
    return figure


def spread_by_block(
    spreads: Mapping[str, Sequence[float]],
    blocks: Sequence[str],
    title: str = "",
    width: float = 8.0,
) -> Figure:
    """Draws standard deviations of gates from block to block.

    Args:
        spreads: by the legend's label, a standard deviation a block.
        blocks: names of the blocks, from the image to the classes.
        title: the figure's title, such as the data set's name.
        width: width of the figure, in inches.

    Returns:
        The figure, a line each.

    Raises:
        ValueError: if a label has not one value a block.
    """
    for label, values in spreads.items():
        if len(values) != len(blocks):
            raise ValueError(
                f"{label!r} has {len(values)} values for {len(blocks)} blocks: give "
                "one a block."
            )
    figure, axis = plt.subplots(figsize=(width, 3.6), layout="constrained")
    for index, (label, values) in enumerate(spreads.items()):
        axis.plot(
            range(len(blocks)),
            values,
            **line(index) | mark(index),
            label=label,
        )
    names = [block.replace("_", "\n") for block in blocks]
    axis.set_xticks(range(len(blocks)), names, fontsize="small")
    axis.set_ylim(bottom=0)
    axis.set_ylabel("standard deviation of the gate")
    axis.set_title(title, fontsize="medium")
    axis.grid(alpha=0.3)
    figure.legend(frameon=False, loc="outside lower center", ncols=3)
    return figure


def raised_channels(
    means: np.ndarray,
    classes: Sequence[str],
    title: str = "",
    width: float = 9.0,
) -> Figure:
    """Draws by how much each class raises or lowers the gate of each channel.

    Channels stand in the order of the class that raises them most, so a block whose
    gates are specific to the classes shows a diagonal.

    Args:
        means: `(classes, channels)`, the mean gates of each class.
        classes: names of the classes.
        title: the figure's title, such as the data set's name.
        width: width of the figure, in inches.

    Returns:
        The figure; zero, the mean over the classes, is white, and each column is
        labelled with its channel.

    Raises:
        ValueError: if there is not one row a class.
    """
    _row_a_class("means", means, classes)
    difference = means - means.mean(axis=0)
    # Within a class, the channel that it raises most comes first.
    order = np.lexsort((-difference.max(axis=0), difference.argmax(axis=0)))
    # Gates that no class changes would leave a scale without extent.
    largest = float(np.abs(difference).max()) or 1.0
    figure, axis = plt.subplots(figsize=(width, 3.4), layout="constrained")
    picture = axis.imshow(
        difference[:, order],
        cmap="RdBu_r",
        vmin=-largest,
        vmax=largest,
        aspect="auto",
        interpolation="nearest",
    )
    axis.set_yticks(range(len(classes)), classes)
    axis.set_xticks(range(len(order)), order, fontsize="xx-small", rotation=90)
    axis.set_xlabel("channel, by the class that raises it most")
    figure.colorbar(picture, ax=axis, label="mean gate - mean of all classes")
    axis.set_title(title, fontsize="medium")
    return figure


def _row_a_class(name, values, classes):
    """Refuses gates that do not have one row a class."""
    if np.ndim(values) != 2 or len(values) != len(classes):
        raise ValueError(
            f"{name!r} has the shape {np.shape(values)} for {len(classes)} classes: "
            "give (classes, channels)."
        )
