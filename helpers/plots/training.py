"""Figures of training: the noise of a batch's gradient, learning rates by epoch."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from helpers.plots.palette import BLUE, VERMILION, line


def gradient_noise(
    sizes: Sequence[int],
    measured: Sequence[float],
    at_one: float,
    title: str = "",
    width: float = 6.4,
) -> Figure:
    """Draws the noise of a batch's gradient over the batch size, beside its law.

    Noise is the root mean square of the distance between a batch's gradient and the
    mean gradient, divided by the length of the latter. It falls as one over the
    square root of the batch size; it is 1 at the simple noise scale.

    Paper: An Empirical Model of Large-Batch Training, https://arxiv.org/abs/1812.06162

    Args:
        sizes: Batch sizes, images.
        measured: Noise measured at each size.
        at_one: The law's noise of a single image.
        title: What the images are.
        width: Width of the figure, in inches.

    Returns:
        The figure; both axes are logarithmic.

    Raises:
        ValueError: If there is not one noise a size.
    """
    if len(sizes) != len(measured):
        raise ValueError(
            f"There are {len(sizes)} sizes and {len(measured)} measured values: each "
            "size needs one."
        )
    figure, axis = plt.subplots(figsize=(width, 3.4), layout="constrained")
    law = [at_one / size**0.5 for size in sizes]
    axis.plot(sizes, law, color=BLUE, label="one over the square root")
    axis.plot(sizes, measured, "o", color=VERMILION, label="measured")
    axis.axhline(1.0, linestyle=":", color="black", label="as long as the gradient")
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.set_xticks(sizes, [str(size) for size in sizes])
    axis.set_xlabel("batch size (images)")
    axis.set_ylabel("noise / gradient")
    axis.set_title(title, fontsize="medium")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    return figure


def learning_rates(rates: Mapping[str, Sequence[float]], width: float = 6.4) -> Figure:
    """Draws learning rates over the epochs.

    Args:
        rates: The rate at the beginning of each epoch, all above 0, by the label
            that the legend gives it.
        width: Width of the figure, in inches.

    Returns:
        The figure; the axis of the rates is logarithmic.

    Raises:
        ValueError: If a rate is not above 0, which a logarithmic axis cannot show.
    """
    figure, axis = plt.subplots(figsize=(width, 3.4), layout="constrained")
    for index, (label, values) in enumerate(rates.items()):
        if min(values) <= 0:
            plt.close(figure)
            raise ValueError(
                f"{label} has the rate {min(values)}: rates are drawn on a logarithmic "
                "axis and must be above 0."
            )
        axis.plot(
            range(1, len(values) + 1),
            values,
            **line(index),
            label=label,
        )
    axis.set_yscale("log")
    axis.set_xlabel("epoch")
    axis.set_ylabel("learning rate")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    return figure
