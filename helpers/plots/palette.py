"""The colours of all figures, and what tells curves apart without them.

The seven colours are Okabe and Ito's (Color Universal Design, 2008). Any two differ for
every kind of colour vision, which tests/test_palette.py computes; the two that are
light on white come late. Colour is never alone: each curve of a figure has dashes or
marks of its own, so that a figure can be read in grey and by readers who see no colour.
"""

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, BLACK = "#E69F00", "#56B4E9", "#000000"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
STYLES = ("-", "--", "-.", ":")
# As many ways to draw a line as there are colours: the four above, dashes with two
# dots, long dashes, and pairs of dashes.
DASHES = (
    *STYLES,
    (0, (5, 1, 1, 1, 1, 1)),
    (0, (9, 2)),
    (0, (3, 1, 3, 4)),
)

# What stands back: bars beside those that count, and grounds where nothing is.
QUIET, FAINT, NOTHING = "#b0b0b0", "#e6e6e6", "#f2f2f2"
# Ground of pixels beside an image, or that nothing reaches.
OUTSIDE = "#f7e6d8"


def line(index: int) -> dict[str, object]:
    """Returns what tells one curve of a figure from the others.

    Args:
        index: number of the curve in its figure, from 0.

    Returns:
        Colour and line style, as `axis.plot` takes them; no two of seven curves share
        either.
    """
    place = index % len(COLOURS)
    return {"color": COLOURS[place], "linestyle": DASHES[place]}


def mark(index: int) -> dict[str, object]:
    """Returns what tells one series of marks of a figure from the others.

    Args:
        index: number of the series in its figure, from 0.

    Returns:
        Colour and marker, as `axis.plot` takes them; no two of seven series share
        either.
    """
    place = index % len(COLOURS)
    return {"color": COLOURS[place], "marker": MARKERS[place]}
