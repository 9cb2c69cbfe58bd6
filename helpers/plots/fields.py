"""Figures of receptive fields: what a layer can see, and what it really looks at."""

import math
from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import colormaps, patheffects
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers.plots.palette import OUTSIDE, SKY
from helpers.receptive_field import Field, ReceptiveFieldError, receptive_fields

# Visible on black and on yellow.
THEORY = SKY


def receptive_field(
    model,
    layer: str,
    image: np.ndarray | None = None,
    index: int | tuple[int, int] | None = None,
    width: float = 6.4,
) -> Figure:
    """Draws how the receptive field of one output grows from layer to layer.

    Each square is the field of one earlier layer, at the position nearest to the
    chosen output; layers of equal field share a square. What lies beyond the image is
    padding.

    Args:
        model: a functional or built Sequential model of fixed input size.
        layer: name of the layer whose output is chosen.
        image: `(height, width, channels)`, in [0, 1] or 0 to 255; a grid of pixels by
            default.
        index: position of the output, (row, column) or one number for both; the
            middle one by default.
        width: width of the figure, in inches.

    Returns:
        The figure.

    Raises:
        ReceptiveFieldError: where the layer has no local field, or a size is unknown.
        KeyError: where there is no such layer.
    """
    fields = receptive_fields(model)
    chosen = fields[layer]
    if None in (*chosen.jump, *chosen.output_size):
        raise ReceptiveFieldError(
            f"layer {layer!r} has no local field of known size to draw: its jump is "
            f"{chosen.jump}, its output {chosen.output_size}. Choose an earlier layer "
            "and a model with a fixed input size"
        )
    if index is None:
        index = tuple(size // 2 for size in chosen.output_size)
    target = chosen.interval(index)
    squares = _growth(fields, chosen, target)
    height, columns = chosen.feature_map.image

    figure, axis = plt.subplots(figsize=(width, width * 0.62), layout="constrained")
    _draw_image(axis, image, height, columns)
    shades = colormaps["plasma"](np.linspace(0.95, 0.3, len(squares)))
    for (name, interval), shade in zip(squares, shades, strict=True):
        rows, cols = ((last - first + 1) for first, last in interval)
        label = f"{rows}x{cols}  {name}"
        square = _square(interval, edgecolor=shade, linewidth=1.8, label=label)
        # A dark seam keeps the squares apart from bright images.
        seam = patheffects.withStroke(linewidth=3.2, foreground="black", alpha=0.6)
        square.set_path_effects([seam])
        axis.add_patch(square)
    (top, bottom), (left, right) = target
    axis.set_xlim(min(left, 0) - 1, max(right, columns - 1) + 1)
    axis.set_ylim(max(bottom, height - 1) + 1, min(top, 0) - 1)
    axis.set_xlabel("column (pixels)")
    axis.set_ylabel("row (pixels)")
    axis.set_title(f"Output {_plain(index)} of {layer}")
    figure.legend(loc="outside right upper", fontsize="small", frameon=False)
    return figure


def effective_field(
    maps: Mapping[str, np.ndarray],
    field: Field,
    index: int | tuple[int, int] | None = None,
    width: float = 8.0,
) -> Figure:
    """Draws effective receptive fields as heat maps, with the theoretical square.

    Paper: Understanding the Effective Receptive Field, https://arxiv.org/abs/1701.04128

    Args:
        maps: by title, `(height, width)` with a maximum of 1, as
            `receptive_field.effective_field` returns them.
        field: the theoretical field of the same layer.
        index: the output's position, as it was given there; the middle one by default.
        width: width of the figure, in inches.

    Returns:
        The figure; the colours follow the square root, which shows weak influence.
    """
    if index is None:
        index = tuple(size // 2 for size in field.output_size)
    square = field.interval(index)
    figure, axes = plt.subplots(
        1,
        len(maps),
        figsize=(width, 0.9 * width / len(maps) + 0.9),
        squeeze=False,
        sharey=True,
        layout="constrained",
    )
    for axis, (title, values) in zip(axes[0], maps.items(), strict=True):
        axis.set_facecolor(OUTSIDE)
        picture = axis.imshow(values, cmap="magma", norm=PowerNorm(0.5, 0, 1))
        axis.add_patch(_square(square, edgecolor=THEORY, linewidth=2))
        height, columns = values.shape
        (top, bottom), (left, right) = square
        axis.set_xlim(min(left - 1, -0.5), max(right + 1, columns - 0.5))
        axis.set_ylim(max(bottom + 1, height - 0.5), min(top - 1, -0.5))
        axis.set_xlabel("column (pixels)")
        share = 100 * concentration(values)
        axis.set_title(f"{title}\n90% from {share:.0f}% of pixels", fontsize="medium")
    axes[0][0].set_ylabel("row (pixels)")
    figure.colorbar(picture, ax=axes[0], label="influence (1 = largest)", shrink=0.8)
    return figure


def concentration(values: np.ndarray, share: float = 0.9) -> float:
    """Returns the part of the image's pixels that hold most of the influence.

    Args:
        values: influence of each pixel, not negative.
        share: how much of the sum the counted pixels hold together.
    """
    ordered = np.sort(values.ravel())[::-1].cumsum()
    count = int(np.searchsorted(ordered, share * ordered[-1])) + 1
    return count / values.size


def _growth(fields, chosen, target):
    """Returns names and intervals of the fields that lead to the chosen one.

    One of each size, named by the first layer that has it.
    """
    middle = [(first + last + 1) / 2 for first, last in target]
    squares, sizes = [], set()
    for name, field in fields.items():
        if None in field.jump or field.size in sizes or field.size == (0, 0):
            continue
        if any(s > c for s, c in zip(field.size, chosen.size, strict=True)):
            continue
        # Halves go down everywhere, else squares would jump between equal layers.
        nearest = [
            min(max(math.ceil((m - start) / jump - 0.5), 0), size - 1)
            for m, start, jump, size in zip(
                middle, field.start, field.jump, field.output_size, strict=True
            )
        ]
        interval = target if field is chosen else field.interval(tuple(nearest))
        squares.append((name, interval))
        sizes.add(field.size)
        if name == chosen.name:
            break
    return squares


def _draw_image(axis, image, height, width):
    if image is None:
        # A quiet chequerboard shows the pixels and the border of the image.
        image = 0.93 - 0.06 * (np.indices((height, width)).sum(axis=0) % 2)
    image = np.asarray(image, dtype="float32")
    if image.max() > 1:
        image = image / 255
    axis.set_facecolor(OUTSIDE)
    axis.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    outline = Rectangle((-0.5, -0.5), width, height, fill=False, edgecolor="black")
    axis.add_patch(outline)


def _square(interval, **style):
    (top, bottom), (left, right) = interval
    corner = (left - 0.5, top - 0.5)
    return Rectangle(corner, right - left + 1, bottom - top + 1, fill=False, **style)


def _plain(index):
    return (index, index) if isinstance(index, int) else tuple(index)
