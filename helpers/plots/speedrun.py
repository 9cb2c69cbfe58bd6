"""Figures of the speed run: what whitening filters see, what each step saved."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from helpers.plots.palette import COLOURS


def filters_by_variance(
    kernel: np.ndarray,
    variances: np.ndarray,
    epsilon: float,
    title: str = "",
    width: float = 8.0,
) -> Figure:
    """Draws filters as small pictures, above the variance of what they see.

    Args:
        kernel: `(height, width, 3, filters)`; each filter is scaled so that its
            largest weight is white or a full colour and its negative is black.
        variances: Variance of the patches along each filter, above 0.
        epsilon: What is added to the variances, drawn as a line.
        title: What the images are.
        width: Width of the figure, in inches.

    Returns:
        The figure, the widest direction first; the axis of the variances is
        logarithmic.

    Raises:
        ValueError: If there is not one variance above 0 a filter.
    """
    count = kernel.shape[-1]
    variances = np.asarray(variances)
    if variances.shape != (count,) or variances.min() <= 0:
        raise ValueError(
            f"There are {count} filters and the variances {variances}: give one above "
            "0 for each filter."
        )
    figure = plt.figure(figsize=(width, 3.8), layout="constrained")
    grid = figure.add_gridspec(2, count, height_ratios=(1, 3))
    order = np.argsort(variances)[::-1]
    for place, index in enumerate(order):
        axis = figure.add_subplot(grid[0, place])
        weights = kernel[..., index]
        axis.imshow(0.5 + 0.5 * weights / np.abs(weights).max(), vmin=0, vmax=1)
        axis.set_xticks([])
        axis.set_yticks([])
    axis = figure.add_subplot(grid[1, :])
    places = np.arange(1, count + 1)
    axis.bar(places, variances[order], color=COLOURS[0])
    axis.axhline(epsilon, linestyle="--", color=COLOURS[1], label="epsilon")
    axis.set_yscale("log")
    axis.set_xlim(0.5, count + 0.5)
    axis.set_xticks(places)
    axis.set_xlabel("direction")
    axis.set_ylabel("variance of the patches")
    axis.grid(axis="y", alpha=0.3)
    axis.legend(frameon=False)
    if title:
        figure.suptitle(title, fontsize="medium")
    return figure


def epochs_by_step(epochs: Mapping[str, float], width: float = 8.0) -> Figure:
    """Draws how many epochs a training takes as one step after the other is added.

    Args:
        epochs: Epochs by the step that was added last, in order.
        width: Width of the figure, in inches.

    Returns:
        The figure, a bar for each step, labelled with its number.
    """
    height = 0.34 * len(epochs) + 0.8
    figure, axis = plt.subplots(figsize=(width, height), layout="constrained")
    bars = axis.barh(list(epochs), list(epochs.values()), color=COLOURS[0])
    axis.bar_label(bars, fmt="{:g}", padding=3)
    axis.invert_yaxis()
    axis.set_xlim(0, 1.08 * max(epochs.values()))
    axis.set_xlabel("epochs to 94%")
    axis.grid(axis="x", alpha=0.3)
    return figure
