"""Which channels of a layer's input reach which of its output."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from helpers.plots.palette import COLOURS

# Of a pair of channels that no weight connects, and of one that is connected.
APART, TOGETHER = "#f2f2f2", COLOURS[0]
# Up to so many channels, each has a label and each pair an edge.
FEW = 16


def connections(
    masks: Mapping[str, np.ndarray], groups: int = 1, width: float = 8.0
) -> Figure:
    """Draws which output channels each input channel reaches.

    Args:
        masks: by title, `(inputs, outputs)`, not zero where the input channel reaches
            the output channel.
        groups: groups that lines divide both kinds of channels into.
        width: width of the figure, in inches.

    Returns:
        The figure, a panel each at one scale, input channels from the top; the title
        counts the pairs that are connected.

    Raises:
        ValueError: where a mask has no two axes that the groups divide.
    """
    for title, mask in masks.items():
        shape = np.shape(mask)
        if len(shape) != 2 or shape[0] % groups or shape[1] % groups:
            raise ValueError(
                f"{title!r} has the shape {shape}: give (inputs, outputs), each a "
                f"multiple of the {groups} groups."
            )
    figure, axes = plt.subplots(
        1,
        len(masks),
        figsize=(width, width / len(masks) + 0.7),
        squeeze=False,
        sharex=True,
        sharey=True,
        layout="constrained",
    )
    side = max(max(mask.shape) for mask in masks.values())
    edges = {"edgecolors": "white", "linewidth": 1} if side <= FEW else {}
    colours = ListedColormap([APART, TOGETHER])
    for axis, (title, mask) in zip(axes[0], masks.items(), strict=True):
        connected = np.asarray(mask) != 0
        inputs, outputs = connected.shape
        axis.pcolormesh(connected, cmap=colours, vmin=0, vmax=1, **edges)
        for group in range(1, groups):
            axis.axhline(group * inputs / groups, color="black", linewidth=1)
            axis.axvline(group * outputs / groups, color="black", linewidth=1)
        pairs = f"{connected.sum():,} of {connected.size:,} pairs"
        axis.set_title(f"{title}\n{pairs}", fontsize="medium")
        axis.set_aspect("equal")
        axis.set_xlabel("output channel")
        axis.spines[:].set_visible(False)
    if side <= FEW:
        # The axes are shared: the first has the ticks of all.
        names = np.arange(side)
        axes[0][0].set_xticks(names + 0.5, names)
        axes[0][0].set_yticks(names + 0.5, names)
    axes[0][0].set_xlim(0, side)
    axes[0][0].set_ylim(side, 0)
    axes[0][0].set_ylabel("input channel")
    return figure
