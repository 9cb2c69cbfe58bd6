"""Shows a figure in a notebook together with a text that says what it shows."""

import io

import matplotlib.pyplot as plt
from IPython.display import Image, display


def show(figure, text, dpi=100):
    """Display a figure with a text alternative, for readers who cannot see it.

    Args:
        figure: A `matplotlib.figure.Figure`; it is closed afterwards, so that the
            notebook does not show it a second time.
        text: What the figure shows, in a sentence.
        dpi: Pixels an inch.

    Raises:
        ValueError: If the text is empty.
    """
    if not text.strip():
        raise ValueError("The figure has no text: say in a sentence what it shows.")
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=dpi)
    plt.close(figure)
    display(Image(picture.getvalue(), alt=text))
