"""Figures of augmentation: what it makes of an image, and what it does to accuracy."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from helpers.plots.palette import BLUE, VERMILION

VALIDATION, TRAINING = BLUE, VERMILION
# Sizes in pixels of the figure; images have whole numbers of them for each of theirs.
DPI, GAP, LABEL, CAPTION, HEADER = 100, 8, 130, 34, 26


def image_rows(
    rows: Mapping[str, Sequence[np.ndarray]],
    titles: Sequence[str] = (),
    captions: Mapping[str, Sequence[str]] | None = None,
    title: str = "",
    side: int = 96,
) -> Figure:
    """Draws rows of small images, enlarged without smoothing.

    Args:
        rows: by the label at its left, the images of each row: `(height, width, 3)`
            in 0..255, or `(height, width)` of truth values, true in black.
        titles: texts over the first columns.
        captions: by the same labels, a text of up to two lines under each image.
        title: the figure's title, such as the data set's name.
        side: height and width of an image in the figure, in pixels; a multiple of the
            image's own keeps its pixels square and equal.

    Returns:
        The figure.

    Raises:
        ValueError: if there is no row, or a row and its captions differ in number.
    """
    if not rows:
        raise ValueError("There is no row to draw: give at least one by its label.")
    captions = captions or {}
    for label, texts in captions.items():
        if len(texts) != len(rows[label]):
            raise ValueError(
                f"The row {label!r} has {len(rows[label])} images and {len(texts)} "
                "captions: give one an image."
            )
    above = HEADER * (bool(title) + bool(titles)) + GAP
    tall = side + (CAPTION if captions else 0) + GAP
    wide = side + GAP
    columns = max(map(len, rows.values()))
    width, height = LABEL + columns * wide, above + len(rows) * tall
    figure = plt.figure(figsize=(width / DPI, height / DPI), dpi=DPI)

    def text(left, top, words, **style):
        figure.text(left / width, 1 - top / height, words, **style)

    middle = {"ha": "center", "va": "center"}
    if title:
        text(width / 2, HEADER / 2, title, fontsize="medium", **middle)
    for column, words in enumerate(titles):
        left = LABEL + column * wide + side / 2
        text(left, above - HEADER / 2, words, fontsize="small", **middle)
    for row, (label, images) in enumerate(rows.items()):
        top = above + row * tall
        text(
            LABEL - GAP,
            top + side / 2,
            label,
            fontsize="small",
            ha="right",
            va="center",
        )
        for column, image in enumerate(images):
            left = LABEL + column * wide
            place = (left, height - top - side, side, side)
            axis = figure.add_axes(np.divide(place, (width, height, width, height)))
            _draw(axis, np.asarray(image))
            if label in captions:
                words, under = captions[label][column], top + side + CAPTION / 2
                text(left + side / 2, under, words, fontsize="x-small", **middle)
    return figure


def effects(
    results: Mapping[str, tuple[float, float]],
    baseline: str,
    margin: float = 0.0,
    title: str = "",
    width: float = 8.0,
) -> Figure:
    """Draws the final accuracies of runs, best validation first.

    Args:
        results: by the run's name, accuracy on the training and on the validation
            images, as shares.
        baseline: the run that the others are compared with: a line marks its
            validation accuracy, if it is among the results.
        margin: half the width of a band around that line, as a share: what lies in
            it does not differ clearly.
        title: the figure's title, such as the data set's name.
        width: width of the figure, in inches.

    Returns:
        The figure, in percent.

    Raises:
        ValueError: if there is no result.
    """
    if not results:
        raise ValueError("There is no result to draw: train a variant first.")
    names = sorted(results, key=lambda name: results[name][1])
    training, validation = 100 * np.array([results[name] for name in names]).T
    places = np.arange(len(names))
    figure, axis = plt.subplots(
        figsize=(width, 0.27 * len(names) + 1.3), layout="constrained"
    )
    if baseline in results:
        middle, half = 100 * results[baseline][1], 100 * margin
        axis.axvspan(
            middle - half, middle + half, color="0.92", label="no clear change"
        )
        axis.axvline(middle, color="0.5", linewidth=1)
    axis.hlines(places, validation, training, color="0.7", linewidth=1)
    axis.plot(validation, places, "o", color=VALIDATION, label="validation")
    axis.plot(training, places, "D", color=TRAINING, mfc="white", label="training")
    axis.set_yticks(places, names)
    axis.set_xlabel("accuracy after the last epoch (%)")
    axis.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside right upper", frameon=False, fontsize="small")
    if title:
        axis.set_title(title, fontsize="medium")
    return figure


def _draw(axis, image):
    if image.ndim == 2:
        axis.imshow(~image.astype(bool), cmap="gray", vmin=0, vmax=1)
    else:
        axis.imshow(
            np.rint(image).clip(0, 255).astype("uint8"), interpolation="nearest"
        )
    axis.set_xticks([])
    axis.set_yticks([])
    # A frame would cover the outermost pixels.
    axis.set_frame_on(image.ndim == 2)
