"""Shows a figure in a notebook together with a text that says what it shows."""

import io

import matplotlib.pyplot as plt
import PIL.Image
from IPython.display import Image, display


def show(figure, text, dpi=100, colours=None):
    """Display a figure with a text alternative, for readers who cannot see it.

    Args:
        figure: A `matplotlib.figure.Figure`; it is closed afterwards, so that the
            notebook does not show it a second time.
        text: What the figure shows, in a sentence.
        dpi: Pixels an inch.
        colours: How many colours the stored picture may have, 2 to 256, which makes
            it a third of the size where there are photographs; `None` for all.

    Raises:
        ValueError: If the text is empty.
    """
    if not text.strip():
        raise ValueError("The figure has no text: say in a sentence what it shows.")
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=dpi)
    plt.close(figure)
    if colours is not None:
        picture = _with_few_colours(picture, colours)
    # IPython 7, which Colab has, knows no argument for the alternative text.
    display(Image(picture.getvalue(), metadata={"alt": text}))


def _with_few_colours(picture, colours):
    few = io.BytesIO()
    with PIL.Image.open(picture) as image:
        # Median cut, the default, turns what is small and bright grey; dots of a
        # dither would look like detail, and compress badly.
        flat = image.convert("RGB").quantize(
            colours,
            method=PIL.Image.Quantize.MAXCOVERAGE,
            kmeans=2,
            dither=PIL.Image.Dither.NONE,
        )
    flat.save(few, format="png", optimize=True)
    return few
