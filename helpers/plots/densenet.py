"""Figures of DenseNet: what each layer reads, what it weighs, what training keeps."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from helpers.plots.palette import COLOURS, NOTHING, line, mark


def channels_read(
    first: int, growth_rate: int, count: int, width: float = 8.0
) -> Figure:
    """Draws the channels that each layer of a dense block reads, by who wrote them.

    Args:
        first: channels of the block's input.
        growth_rate: channels that a layer adds.
        count: layers of the block.
        width: width of the figure, in inches.

    Returns:
        The figure: a bar a layer and one for what leaves the block, each of the
        block's input and of what the layers before have written.
    """
    figure, axis = plt.subplots(
        figsize=(width, 0.4 * (count + 1) + 0.9), layout="constrained"
    )
    sources = {"the block's input": first}
    sources.update({f"layer {n}": growth_rate for n in range(1, count + 1)})
    left = 0
    for index, (label, channels) in enumerate(sources.items()):
        # A source is read by the layers after it, and leaves the block.
        axis.barh(
            range(index, count + 1),
            channels,
            left=left,
            height=0.7,
            color=COLOURS[index % len(COLOURS)],
            edgecolor="white",
            label=label,
        )
        left += channels
    readers = [f"layer {n}" for n in range(1, count + 1)]
    axis.set_yticks(range(count + 1), [*readers, "after the block"])
    axis.invert_yaxis()
    axis.set_xlabel("channels read")
    axis.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right upper", title="written by", frameon=False)
    return figure


def kept(
    laws: Mapping[str, Mapping[int, float]],
    measured: Mapping[str, Mapping[int, float]],
    width: float = 8.0,
) -> Figure:
    """Draws what a training step keeps in memory over the depth of the network.

    Args:
        laws: by the legend's label, bytes an image by layers with weights.
        measured: the same, for marks.
        width: width of the figure, in inches.

    Returns:
        The figure: a line for each law, marks for what was measured.
    """
    figure, axis = plt.subplots(figsize=(width, 3.4), layout="constrained")
    for index, (label, sizes) in enumerate(laws.items()):
        axis.plot(
            list(sizes),
            [size / 1e6 for size in sizes.values()],
            **line(index),
            label=label,
        )
    for index, (label, sizes) in enumerate(measured.items()):
        axis.plot(
            list(sizes),
            [size / 1e6 for size in sizes.values()],
            **mark(len(laws) + index),
            linestyle="none",
            label=label,
        )
    axis.set_ylim(bottom=0)
    axis.set_xlabel("depth (layers with weights)")
    axis.set_ylabel("megabytes an image")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    return figure


def reading(
    blocks: Mapping[str, np.ndarray], title: str = "", width: float = 8.0
) -> Figure:
    """Draws how strongly each layer of a block weighs the maps that it reads.

    Paper: the figure follows the idea of Figure 5 of
    https://arxiv.org/abs/1608.06993

    Args:
        blocks: by title, `(sources, readers)`: the mean size of the weights that a
            layer gives to the maps of a source, in shares of its mean over all
            sources; NaN where it cannot read them. The block's input is source 0,
            and what follows the block the last reader.
        title: what the network was trained on.
        width: width of the figure, in inches.

    Returns:
        The figure, a panel a block; all share one scale, which begins at zero.

    Raises:
        ValueError: where a map has not as many sources as readers.
    """
    for name, sizes in blocks.items():
        if sizes.ndim != 2 or sizes.shape[0] != sizes.shape[1]:
            raise ValueError(
                f"{name!r} has the shape {sizes.shape}: give a square, a row for the "
                "block's input and for each layer, a column for each layer and for "
                "what follows."
            )
    figure, axes = plt.subplots(
        1,
        len(blocks),
        figsize=(width, width / len(blocks) + 0.6),
        squeeze=False,
        layout="constrained",
    )
    largest = max(np.nanmax(sizes) for sizes in blocks.values())
    for axis, (name, sizes) in zip(axes[0], blocks.items(), strict=True):
        count = len(sizes)
        # Readers count from 1, where sources count from 0, the block's input.
        picture = axis.imshow(
            sizes,
            cmap=plt.get_cmap("viridis").with_extremes(bad=NOTHING),
            vmin=0,
            vmax=largest,
            extent=(0.5, count + 0.5, count - 0.5, -0.5),
        )
        axis.set_xticks(range(1, count + 1, 3))
        axis.set_yticks(range(0, count, 3))
        axis.set_title(name, fontsize="medium")
        axis.set_xlabel("reading layer")
    axes[0][0].set_ylabel("source (0: input)")
    figure.colorbar(picture, ax=axes[0], label="size (1: reader's mean)", shrink=0.8)
    figure.suptitle(title, fontsize="medium")
    return figure
