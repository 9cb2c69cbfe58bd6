"""Figures of EfficientNet: what scaling costs, and what it brings on ImageNet."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from helpers.plots.palette import BLUE, line, mark


def growth(
    alone: Mapping[str, Mapping[float, float]],
    together: Mapping[str, Mapping[float, float]],
    a_step: float,
    width: float = 8.0,
) -> Figure:
    """Draws multiply-adds of scaled networks, as multiples of the unscaled one's.

    Args:
        alone: by the legend's label, multiples by the factor of one dimension.
        together: by the legend's label, multiples by phi, the number of steps of
            compound scaling.
        a_step: multiple that theory gives to one step of compound scaling.
        width: width of the figure, in inches.

    Returns:
        The figure. On the left lines beside dotted laws, the factor and its square,
        both axes logarithmic; on the right a line for the first series and marks for
        the others beside the dotted law `a_step**phi`.
    """
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(width, 3.6), layout="constrained"
    )
    for index, (label, multiples) in enumerate(alone.items()):
        left.plot(
            list(multiples),
            list(multiples.values()),
            **line(index),
            label=label,
        )
    factors = sorted({factor for multiples in alone.values() for factor in multiples})
    for power, label in ((1, "factor and its square"), (2, None)):
        law = [factor**power for factor in factors]
        left.plot(factors, law, ":", color="black", linewidth=1, label=label)
    left.set_xscale("log", base=2)
    left.set_yscale("log", base=2)
    for axis in (left.xaxis, left.yaxis):
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
    left.set_xlabel("factor of depth, width or resolution alone")

    for index, (label, multiples) in enumerate(together.items()):
        right.plot(
            list(multiples),
            list(multiples.values()),
            **mark(len(alone) + index),
            linestyle="none" if index else "-",
            markerfacecolor="white" if index else None,
            label=label,
        )
    steps = sorted({phi for multiples in together.values() for phi in multiples})
    law = [a_step**phi for phi in steps]
    right.plot(steps, law, ":", color="black", linewidth=1, label=f"{a_step:.2f}^phi")
    right.set_yscale("log", base=2)
    right.yaxis.set_major_formatter("{x:g}")
    right.set_xlabel("phi, steps of all three together")
    for axis in (left, right):
        axis.set_ylabel("multiply-adds (1 = B0)")
        axis.grid(alpha=0.3)
        axis.legend(frameon=False, loc="upper left")
    return figure


def accuracy_by_cost(
    family: Mapping[str, tuple[float, float]],
    others: Mapping[str, tuple[float, float]],
    width: float = 8.0,
) -> Figure:
    """Draws accuracies of networks over their multiply-adds.

    Args:
        family: by the network's name, multiply-adds in billions and accuracy in
            percent, from the smallest to the largest.
        others: the same for networks outside the family.
        width: width of the figure, in inches.

    Returns:
        The figure: a line for the family, with names beside its marks, and marks for
        the others, named by the legend; the axis of the multiply-adds is logarithmic.
    """
    figure, axis = plt.subplots(figsize=(width, 4.0), layout="constrained")
    axis.plot(*zip(*family.values(), strict=True), "-o", color=BLUE)
    for name, point in family.items():
        axis.annotate(
            name,
            point,
            xytext=(-5, 4),
            textcoords="offset points",
            ha="right",
            va="bottom",
        )
    for index, (name, point) in enumerate(others.items(), start=1):
        axis.plot(
            *point,
            **mark(index),
            # Hollow, so that neighbours do not hide each other.
            markerfacecolor="none",
            linestyle="none",
            label=name,
        )
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.margins(x=0.1, y=0.1)
    axis.set_xlabel("multiply-adds (billions)")
    axis.set_ylabel("ImageNet top-1 accuracy (%)")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False, loc="lower right")
    return figure
