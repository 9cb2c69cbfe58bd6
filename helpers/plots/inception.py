"""Figures of Inception: what the branches of a module see, which gradients arrive."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from helpers.plots.palette import BLUE, NOTHING, VERMILION, line
from helpers.receptive_field import Field

SEEN, CENTRE, UNSEEN = BLUE, VERMILION, NOTHING


def branch_fields(fields: Mapping[str, Field], width: float = 8.0) -> Figure:
    """Draws the pixels that the middle output of each branch of a module sees.

    Args:
        fields: by title, the receptive field of the branch's last layer; all belong
            to inputs of the same size.
        width: width of the figure, in inches.

    Returns:
        The figure, a panel a branch: seen pixels are blue, the pixel at the output's
        own position carries a dot, and the title counts rows and columns.

    Raises:
        ValueError: where the inputs differ in size.
    """
    images = {title: field.feature_map.image for title, field in fields.items()}
    if len(set(images.values())) > 1:
        raise ValueError(
            f"the fields belong to inputs of different sizes: {images}. Take the "
            "branches of one module"
        )
    figure, axes = plt.subplots(
        1,
        len(fields),
        figsize=(width, width / len(fields) + 0.7),
        squeeze=False,
        sharey=True,
        layout="constrained",
    )
    for axis, (title, field) in zip(axes[0], fields.items(), strict=True):
        middle = tuple(size // 2 for size in field.output_size)
        (top, bottom), (left, right) = field.interval(middle)
        height, columns = field.feature_map.image
        seen = np.zeros((height, columns))
        seen[max(top, 0) : bottom + 1, max(left, 0) : right + 1] = 1
        axis.pcolormesh(
            seen,
            cmap=ListedColormap([UNSEEN, SEEN]),
            vmin=0,
            vmax=1,
            edgecolors="white",
            linewidth=12 / columns,
        )
        axis.plot(
            columns // 2 + 0.5, height // 2 + 0.5, "o", color=CENTRE, markersize=5
        )
        axis.set_aspect("equal")
        shape = f"{bottom - top + 1}x{right - left + 1}"
        axis.set_title(f"{title}\n{shape}", fontsize="medium")
        axis.set_xlabel("column")
        for set_ticks, size in ((axis.set_xticks, columns), (axis.set_yticks, height)):
            step = 2 if size < 12 else 4
            set_ticks(np.arange(0, size, step) + 0.5, range(0, size, step))
        axis.tick_params(length=0, labelsize="small")
    axes[0][0].set_ylabel("row")
    axes[0][0].invert_yaxis()
    return figure


def gradient_norms(
    norms: Mapping[str, Mapping[str, Sequence[float]]],
    places: Sequence[str],
    title: str = "",
    width: float = 8.0,
) -> Figure:
    """Draws how long the gradient of each part of a network is.

    Args:
        norms: by network, and then by loss, a norm for each place, all above 0.
        places: the parts of the network, from the image to the classes.
        title: what the images are.
        width: width of the figure, in inches.

    Returns:
        The figure, a panel a network with a line a loss; the axis of the norms is
        logarithmic, and the panels share it.

    Raises:
        ValueError: where a line has another number of norms than there are places.
    """
    for network, lines in norms.items():
        for loss, values in lines.items():
            if len(values) != len(places):
                raise ValueError(
                    f"{network!r}, {loss!r} has {len(values)} norms for "
                    f"{len(places)} places: give one for each"
                )
    figure, axes = plt.subplots(
        1,
        len(norms),
        figsize=(width, 3.2),
        squeeze=False,
        sharey=True,
        layout="constrained",
    )
    for axis, (network, lines) in zip(axes[0], norms.items(), strict=True):
        for index, (loss, values) in enumerate(lines.items()):
            axis.plot(
                range(len(places)),
                values,
                **line(index),
                marker="o",
                markersize=3,
                label=loss,
            )
        axis.set_yscale("log")
        axis.set_xticks(range(len(places)), places, rotation=90)
        axis.set_title(network, fontsize="medium")
        axis.set_xlabel("part of the network")
        axis.grid(alpha=0.3)
    axes[0][0].set_ylabel("norm of the gradient")
    axes[0][0].legend(frameon=False)
    figure.suptitle(title, fontsize="medium")
    return figure
