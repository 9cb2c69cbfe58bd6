"""Figures of ResNet: how gradients change on their way through a network."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from helpers.plots.palette import COLOURS, DASHES


def gradients_by_layer(
    norms: Mapping[str, Mapping[int, Sequence[float]]],
    title: str = "",
    width: float = 8.0,
) -> Figure:
    """Draws how long the gradient of each layer's kernel is.

    Args:
        norms: by kind of network ("plain") and then by depth, a norm for each layer
            with weights, from the image to the classes, all above 0.
        title: what the images are.
        width: width of the figure, in inches.

    Returns:
        The figure: a colour for each kind, a line style for each network; the axis of
        the norms is logarithmic.

    Raises:
        ValueError: where a network has another number of norms than layers.
    """
    figure, axis = plt.subplots(figsize=(width, 3.6), layout="constrained")
    for kind, (label, networks) in enumerate(norms.items()):
        for line, (depth, values) in enumerate(networks.items()):
            if len(values) != depth:
                raise ValueError(
                    f"The {label} network of {depth} layers has {len(values)} norms: "
                    "give one for each layer."
                )
            axis.plot(
                range(1, depth + 1),
                values,
                # The first network has dashes, which the longer line of the next
                # one cannot hide.
                linestyle=DASHES[(2 * kind + (line + 1) % 2) % len(DASHES)],
                color=COLOURS[kind % len(COLOURS)],
                label=f"{depth} layers, {label}",
            )
    axis.set_yscale("log")
    axis.set_xlabel("layer with weights, counted from the image")
    axis.set_ylabel("norm of the kernel's gradient")
    axis.set_title(title, fontsize="medium")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    return figure
