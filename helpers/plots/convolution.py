"""Figures of what layers answer: filter responses, probabilities, predictions."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from helpers.plots.palette import BLUE, QUIET, line

RIGHT, OTHER = BLUE, QUIET


def responses(
    image: np.ndarray,
    maps: Mapping[str, np.ndarray],
    title: str = "",
    width: float = 8.0,
) -> Figure:
    """Draws an image and beside it what filters answer to it.

    All maps share one scale of colours: red is positive, white is zero, blue is
    negative.

    Args:
        image: `(height, width, 3)`, in 0..255.
        maps: by title, `(height, width)`.
        title: the figure's title, such as the data set's name.
        width: width of the figure, in inches.

    Returns:
        The figure.

    Raises:
        ValueError: if there is no map.
    """
    if not maps:
        raise ValueError("There is no map to draw: give at least one by its title.")
    largest = max(float(np.abs(values).max()) for values in maps.values())
    # Two flat colours would leave a scale without extent.
    largest = largest or 1.0
    figure, axes = plt.subplots(
        1,
        1 + len(maps),
        figsize=(width, width / (1 + len(maps)) + 0.6),
        layout="constrained",
    )
    axes[0].imshow(np.asarray(image) / 255, vmin=0, vmax=1)
    axes[0].set_title("image", fontsize="medium")
    for axis, (name, values) in zip(axes[1:], maps.items(), strict=True):
        picture = axis.imshow(values, cmap="RdBu_r", vmin=-largest, vmax=largest)
        axis.set_title(name, fontsize="medium")
    for axis in axes:
        axis.set_xticks([])
        axis.set_yticks([])
    figure.colorbar(picture, ax=axes[1:], label="response", shrink=0.75)
    if title:
        figure.suptitle(title, fontsize="medium")
    return figure


def temperatures(
    scores: Mapping[str, float],
    marks: Mapping[str, float] | None = None,
    width: float = 6.4,
) -> Figure:
    """Draws the softmax of scores over its temperature.

    Args:
        scores: the score of each class, by the class's name.
        marks: temperatures to mark with a vertical line, by their label.
        width: width of the figure, in inches.

    Returns:
        The figure; its horizontal axis is logarithmic, from 0.1 to 30.

    Raises:
        ValueError: if there are fewer than two scores.
    """
    if len(scores) < 2:
        raise ValueError(f"Softmax compares scores: give at least 2, got {scores}.")
    temperature = np.geomspace(0.1, 30, 200)
    scaled = np.array(list(scores.values()))[:, None] / temperature
    powers = np.exp(scaled - scaled.max(axis=0))
    probabilities = powers / powers.sum(axis=0)

    figure, axis = plt.subplots(figsize=(width, 0.5 * width), layout="constrained")
    for index, (name, curve) in enumerate(zip(scores, probabilities, strict=True)):
        axis.plot(
            temperature,
            100 * curve,
            **line(index),
            label=f"{name}, score {scores[name]:g}",
        )
    for label, value in (marks or {}).items():
        axis.axvline(value, color="black", linewidth=0.8, linestyle=":")
        axis.annotate(
            label,
            (value, 1.02),
            xycoords=("data", "axes fraction"),
            ha="center",
            fontsize="small",
        )
    axis.set_xscale("log")
    axis.set_xticks([0.1, 0.3, 1, 3, 10, 30], ["0.1", "0.3", "1", "3", "10", "30"])
    axis.set_xlabel("temperature")
    axis.set_ylabel("probability (%)")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    return figure


def predictions(
    images: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    names: Sequence[str],
    title: str = "",
    width: float = 8.0,
) -> Figure:
    """Draws images, and below each the probabilities that a network gives it.

    Args:
        images: `(n, height, width, 3)`, in 0..255.
        labels: `(n,)`, the right classes; their bars are blue, all others grey.
        probabilities: `(n, classes)`.
        names: the classes' names.
        title: the figure's title, such as the data set's name.
        width: width of the figure, in inches.

    Returns:
        The figure.

    Raises:
        ValueError: if there are not as many names as probabilities.
    """
    classes = probabilities.shape[1]
    if len(names) != classes:
        raise ValueError(
            f"There are {classes} probabilities an image and {len(names)} names: give "
            "one name a class."
        )
    figure, axes = plt.subplots(
        2,
        len(images),
        figsize=(width, width / len(images) + 0.2 * classes + 0.5),
        height_ratios=[width / len(images), 0.2 * classes + 0.5],
        squeeze=False,
        layout="constrained",
    )
    places = np.arange(classes)
    for column, (image, label) in enumerate(zip(images, labels, strict=True)):
        picture, bars = axes[0][column], axes[1][column]
        picture.imshow(np.asarray(image) / 255, vmin=0, vmax=1)
        picture.set_title(names[label], fontsize="medium")
        picture.axis("off")
        colours = [RIGHT if place == label else OTHER for place in places]
        bars.barh(places, 100 * probabilities[column], color=colours)
        bars.set_xlim(0, 100)
        bars.set_yticks(places, names if column == 0 else [""] * classes)
        bars.invert_yaxis()
        bars.set_xlabel("probability (%)")
    if title:
        figure.suptitle(title, fontsize="medium")
    return figure
