"""What every figure of the course must keep, so that all readers can read it.

Colours come from one palette or one of the scales below, two curves of a figure differ
by more than their colour, and text stands out from what lies behind it. conftest.py
applies `problems` to every figure that a test draws, unless it is marked `any_figure`.
"""

import itertools
from collections.abc import Iterator

import numpy as np
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import Collection
from matplotlib.colors import ListedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from helpers.plots import palette

# Scales whose colours keep their order for every kind of colour vision; test_palette.py
# computes that they do. Numbers are read from the first, signs from the second.
SEQUENTIAL = ("viridis", "plasma", "magma", "gray", "Blues", "Oranges")
DIVERGING = ("RdBu_r", "PuOr_r")
# WCAG 2.2, success criterion 1.4.3.
TEXT_CONTRAST = 4.5
_NAMED = {
    to_rgba(colour)[:3]
    for name, colour in vars(palette).items()
    if name.isupper() and isinstance(colour, str)
}
_SAMPLED = np.concatenate(
    [colormaps[name](np.linspace(0, 1, 256))[:, :3] for name in SEQUENTIAL]
)


def linear(colours: np.ndarray) -> np.ndarray:
    """Takes the gamma out of sRGB colours, (..., 3) in [0, 1] (IEC 61966-2-1)."""
    colours = np.asarray(colours, float)
    return np.where(
        colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4
    )


def luminance(colours: np.ndarray) -> np.ndarray:
    """Returns the relative luminance of sRGB colours, (..., 3) in [0, 1]."""
    return linear(colours) @ (0.2126, 0.7152, 0.0722)


def contrast(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns the contrast ratio of colours as WCAG defines it, from 1 to 21."""
    pair = np.stack(np.broadcast_arrays(luminance(first), luminance(second)))
    return (pair.max(axis=0) + 0.05) / (pair.min(axis=0) + 0.05)


def problems(figure: Figure) -> list[str]:
    """Returns a line for everything that some readers of a figure could not read."""
    found = [line for artist in figure.findobj() for line in _colours(artist)]
    for axes in figure.axes:
        found += _alike(axes)
    return sorted({*found, *_faint_text(figure)})


def _colours(artist: Artist) -> Iterator[str]:
    """Names the colours of an artist that are not the course's."""
    if not artist.get_visible():
        return
    if isinstance(artist, ScalarMappable) and artist.get_array() is not None:
        if artist.get_array().ndim == 3 and isinstance(artist, Artist):
            return  # a picture, not numbers on a scale
        scale = artist.get_cmap()
        if not isinstance(scale, ListedColormap) or scale.name in colormaps:
            if scale.name not in SEQUENTIAL + DIVERGING:
                yield f"the scale {scale.name!r} is none of figure_checks.SEQUENTIAL"
            return
        used = scale.colors
    elif isinstance(artist, Line2D):
        used = [artist.get_color()]
        if artist.get_marker() not in ("", "None", None):
            used += [artist.get_markerfacecolor(), artist.get_markeredgecolor()]
    elif isinstance(artist, Collection):
        used = [*artist.get_facecolor(), *artist.get_edgecolor()]
    elif isinstance(artist, Patch):
        used = [artist.get_facecolor(), artist.get_edgecolor()]
    elif isinstance(artist, Text):
        used = [artist.get_color()]
    else:
        return
    for colour in used:
        red, green, blue, alpha = to_rgba(colour)
        rgb = (red, green, blue)
        grey = red == green == blue
        if alpha and not grey and rgb not in _NAMED:
            if np.abs(_SAMPLED - rgb).max(axis=1).min() > 1e-6:
                kind = type(artist).__name__
                yield f"a {kind} has a colour that helpers.plots.palette has not: {rgb}"


def _alike(axes: Axes) -> Iterator[str]:
    """Names pairs of the legend's curves that only their colour tells apart."""
    curves = {
        str(line.get_label()): _looks(line)
        for line in axes.lines
        if not str(line.get_label()).startswith("_")
    }
    for (first, one), (second, other) in itertools.combinations(curves.items(), 2):
        if one == other:
            yield f"nothing but colour tells {first!r} from {second!r}"


def _looks(line: Line2D) -> tuple:
    """Returns all that a reader sees of a line but its colour."""
    marker = line.get_marker()
    shown = marker not in ("", "None", None)
    hollow = (
        shown
        and to_rgba(line.get_markerfacecolor())[:3]
        != to_rgba(line.get_markeredgecolor())[:3]
    )
    dashes = line.get_linestyle()
    width = line.get_linewidth() if dashes not in ("", "None") else 0
    # Dashes of one's own read back as "--": their lengths tell them apart.
    return (dashes, str(line._unscaled_dash_pattern), width, shown and marker, hollow)


def _faint_text(figure: Figure) -> Iterator[str]:
    """Names texts that do not stand out from what lies behind them."""
    # pyplot takes its canvas away from a figure that it closes.
    canvas = FigureCanvasAgg(figure)
    drawn = []
    original = Text.draw

    def record(text, renderer):
        drawn.append(text)
        original(text, renderer)

    Text.draw = record
    try:
        canvas.draw()
    finally:
        Text.draw = original
    texts = {id(text): text for text in drawn if text.get_text().strip()}
    boxes = {key: text.get_window_extent() for key, text in texts.items()}
    # Without the texts, in the same places: what lies behind them.
    layout, alphas = figure.get_layout_engine(), {}
    figure.set_layout_engine("none")
    for key, text in texts.items():
        alphas[key] = text.get_alpha()
        text.set_alpha(0)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[::-1, :, :3] / 255
    figure.set_layout_engine(layout)
    for key, text in texts.items():
        text.set_alpha(alphas[key])
        box = boxes[key]
        behind = pixels[
            max(int(box.y0), 0) : int(box.y1) + 1, max(int(box.x0), 0) : int(box.x1) + 1
        ]
        if not behind.size:
            yield f"the text {text.get_text()!r} lies outside the figure"
            continue
        ratios = contrast(behind.reshape(-1, 3), to_rgba(text.get_color())[:3])
        # A line of the grid may cross it; a quarter of faint ground is too much.
        ratio = float(np.quantile(ratios, 0.25))
        if ratio < TEXT_CONTRAST:
            yield (
                f"the text {text.get_text()!r} has a contrast of {ratio:.1f} to what "
                f"lies behind it: at least {TEXT_CONTRAST}"
            )
