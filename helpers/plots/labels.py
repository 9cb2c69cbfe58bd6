"""Writes names beside the points of a figure so that none covers another."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.transforms import Bbox

# Half the side of the square that a mark takes, and the length from which a name needs
# a line to its point; in points of 1/72 inch.
_MARK, _FAR = 4, 9
_DISTANCES = (6, 14, 24, 36, 50, 66, 84, 104)


def place_names(
    axis: Axes,
    points: Sequence[tuple[str, tuple[float, float]]],
    marks: Sequence[tuple[float, float]] = (),
) -> None:
    """Writes names beside points, where they cover no other name and no mark.

    A name that finds no room close by stands further away, at the end of a line.

    Args:
        axis: the axes, whose limits and scales are those that stay.
        points: names, each with its point in the units of the axes.
        marks: further points that no name may cover.
    """
    if not points:
        return
    axis.figure.draw_without_rendering()
    pixels = axis.figure.dpi / 72
    room = axis.get_window_extent()
    places = axis.transData.transform([*(point for _, point in points), *marks])
    taken = [_around(place, 2 * _MARK * pixels, 2 * _MARK * pixels) for place in places]
    for (name, point), place in zip(points, places, strict=False):
        text = axis.annotate(
            name,
            point,
            xytext=(0, 0),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize="small",
            path_effects=[withStroke(linewidth=2, foreground="white")],
            arrowprops={"arrowstyle": "-", "color": "0.6", "linewidth": 0.6},
        )
        # A name must not move the axes under those that are placed already.
        text.set_in_layout(False)
        # The extent of an annotation holds its line too.
        size = Text.get_window_extent(text)
        shift, box = _free(place, size.width, size.height, pixels, taken, room)
        text.set_position(tuple(shift / pixels))
        beside = np.maximum(np.abs(shift) - [size.width / 2, size.height / 2], 0)
        text.arrow_patch.set_visible(math.hypot(*beside) > _FAR * pixels)
        taken.append(box)


def _free(
    place: np.ndarray,
    width: float,
    height: float,
    pixels: float,
    taken: Sequence[Bbox],
    room: Bbox,
) -> tuple[np.ndarray, Bbox]:
    """Finds the nearest place of a name that is free, or else the freest.

    Args:
        place: the point, in pixels.
        width: of the name, in pixels.
        height: of the name, in pixels.
        pixels: pixels in a point of 1/72 inch.
        taken: what the name should not cover.
        room: what it should not leave.

    Returns:
        How far the name's centre lies from the point, in pixels, and the name's box.
    """
    best = None
    for shift in _shifts(width, height, pixels):
        box = _around(place + shift, width, height)
        covered = sum(_shared(box, other) for other in taken)
        outside = width * height - _shared(box, room)
        if best is None or covered + outside < best[0] - 1e-6:
            best = covered + outside, shift, box
        if best[0] < 1e-6:
            break
    return best[1:]


def _shifts(width: float, height: float, pixels: float) -> Iterator[np.ndarray]:
    """Yields where a name's centre may lie from its point, nearest first, in pixels."""
    for distance in _DISTANCES:
        # First a little above the right, where a line through the point leaves room.
        for turn in np.arange(1, 17) * math.pi / 8:
            way = np.array([math.cos(turn), math.sin(turn)])
            # The distance is that of the name's edge or corner, not of its centre.
            edge = np.clip(1.5 * way, -1, 1) * [width / 2, height / 2]
            yield distance * pixels * way + edge


def _around(centre: np.ndarray, width: float, height: float) -> Bbox:
    """A box by its centre and its sides."""
    x, y = centre
    return Bbox.from_bounds(x - width / 2, y - height / 2, width, height)


def _shared(box: Bbox, other: Bbox) -> float:
    """Area that two boxes share, in square pixels."""
    both = Bbox.intersection(box, other)
    return 0.0 if both is None else both.width * both.height
