"""What `show` stores: the text, and a picture of no more colours than asked for."""

import io

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import pytest
from IPython.display import Image

from helpers.plots import show as module
from helpers.plots.show import show


@pytest.fixture
def shown(monkeypatch):
    found = []
    monkeypatch.setattr(module, "display", found.append)
    return found


def noisy():
    figure, axis = plt.subplots(figsize=(2, 2))
    axis.imshow(np.random.default_rng(0).uniform(size=(16, 16, 3)))
    return figure


def test_fewer_colours_make_a_smaller_picture_of_the_same_size(shown):
    show(noisy(), "Noise.")
    show(noisy(), "Noise.", colours=64)
    whole, few = (PIL.Image.open(io.BytesIO(each.data)) for each in shown)
    assert whole.size == few.size == (200, 200)
    assert len(few.convert("RGB").getcolors()) <= 64
    assert len(whole.convert("RGB").getcolors(10**5)) > 200
    assert len(shown[1].data) < len(shown[0].data) / 2


def test_text_goes_with_the_picture_on_colab_too(shown, monkeypatch):
    """Colab has IPython 7.34, whose `Image` has no argument `alt`."""

    class Image7(Image):
        def __init__(self, data=None, url=None, filename=None, metadata=None):
            super().__init__(data, url, filename, metadata=metadata)

    monkeypatch.setattr(module, "Image", Image7)
    show(noisy(), "Noise.")
    (picture,) = shown
    _, metadata = picture._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == "Noise."


def test_figures_are_closed_and_empty_texts_refused(shown):
    figure = noisy()
    show(figure, "Noise.")
    assert not plt.fignum_exists(figure.number)
    with pytest.raises(ValueError, match="no text"):
        show(noisy(), " ")
    plt.close("all")
