"""Figures of MobileNet: what a ReLU leaves of a curve, and accuracy by cost."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from helpers.plots.palette import line, mark


def embeddings(pictures: Mapping[str, np.ndarray], width: float = 8.0) -> Figure:
    """Draws a curve in the plane as several maps return it.

    Args:
        pictures: by title, the same points of the curve in the same order,
            `(points, 2)`.
        width: width of the figure, in inches.

    Returns:
        The figure, three panels a row on equal axes; a point's colour tells its
        place on the curve.

    Raises:
        ValueError: where the pictures are not the same number of points in the plane.
    """
    shapes = {title: np.shape(points) for title, points in pictures.items()}
    if len(set(shapes.values())) > 1 or any(
        len(shape) != 2 or shape[1] != 2 for shape in shapes.values()
    ):
        raise ValueError(
            f"the pictures have the shapes {shapes}: give each the same number of "
            "points, (points, 2)"
        )
    rows = -(-len(pictures) // 3)
    figure, axes = plt.subplots(
        rows,
        3,
        figsize=(width, rows * (width / 3 + 0.1)),
        squeeze=False,
        sharex=True,
        sharey=True,
        layout="constrained",
    )
    for axis in axes.flat[len(pictures) :]:
        axis.remove()
    for axis, (title, points) in zip(axes.flat, pictures.items(), strict=False):
        places = np.linspace(0, 1, len(points))
        axis.scatter(*np.transpose(points), c=places, cmap="viridis", s=4)
        axis.set_title(title, fontsize="medium")
        axis.set_aspect("equal")
        axis.grid(alpha=0.3)
    figure.supxlabel("first coordinate", fontsize="medium")
    figure.supylabel("second coordinate", fontsize="medium")
    return figure


def accuracy_by_cost(
    series: Mapping[str, Mapping[str, Sequence[float]]], width: float = 8.0
) -> Figure:
    """Draws accuracies of networks over their multiply-adds.

    Args:
        series: by the legend's label, by a network's name, its multiply-adds in
            millions, above 0, and its accuracy in percent.
        width: width of the figure, in inches.

    Returns:
        The figure, a line each, the cost on a logarithmic axis, every network's name
        beside its mark; a name that two lines share is written once.

    Raises:
        ValueError: where a cost is not above 0.
    """
    for label, networks in series.items():
        for name, (cost, _) in networks.items():
            if not cost > 0:
                raise ValueError(
                    f"{name!r} of {label!r} costs {cost}: a logarithmic axis shows "
                    "costs above 0 only"
                )
    figure, axis = plt.subplots(figsize=(width, 3.6), layout="constrained")
    named = set()
    for index, (label, networks) in enumerate(series.items()):
        axis.plot(
            *zip(*networks.values(), strict=True),
            **mark(index),
            linestyle=line(index)["linestyle"] if len(networks) > 1 else "none",
            label=label,
        )
        # Names of one line stand above its marks, those of the next below.
        above = index % 2 == 0
        for name, place in networks.items():
            if name not in named:
                axis.annotate(
                    name,
                    place,
                    xytext=(0, 8 if above else -8),
                    textcoords="offset points",
                    ha="center",
                    va="bottom" if above else "top",
                    fontsize="small",
                )
            named.add(name)
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel("multiply-adds (millions)")
    axis.set_ylabel("top-1 accuracy (%)")
    axis.margins(x=0.08, y=0.18)
    axis.grid(alpha=0.3)
    axis.legend(frameon=False, loc="lower right")
    return figure
