"""Figures of training, checked by the values of the lines they draw."""

import matplotlib.pyplot as plt
import pytest

from helpers.plots.training import gradient_noise, learning_rates


def test_law_of_the_noise_halves_for_four_times_the_batch():
    figure = gradient_noise([1, 4, 64], [7.0, 3.0, 1.0], at_one=8.0, title="images")
    law, measured = figure.axes[0].lines[:2]
    assert list(law.get_ydata()) == [8.0, 4.0, 1.0]
    assert list(measured.get_ydata()) == [7.0, 3.0, 1.0]
    assert list(measured.get_xdata()) == [1, 4, 64]
    assert figure.axes[0].get_title() == "images"
    plt.close(figure)


def test_each_size_needs_its_noise():
    with pytest.raises(ValueError, match="2 sizes and 1 measured"):
        gradient_noise([1, 4], [1.0], at_one=1.0)


def test_epochs_of_learning_rates_count_from_one():
    figure = learning_rates({"falls": [0.1, 0.01], "rises": [0.2, 0.3, 0.4]})
    falls, rises = figure.axes[0].lines
    assert list(falls.get_xdata()) == [1, 2]
    assert list(rises.get_ydata()) == [0.2, 0.3, 0.4]
    assert [line.get_label() for line in (falls, rises)] == ["falls", "rises"]
    assert figure.axes[0].get_yscale() == "log"
    plt.close(figure)


def test_a_rate_of_zero_is_refused_and_leaves_no_figure():
    before = plt.get_fignums()
    with pytest.raises(ValueError, match="ends has the rate 0.0"):
        learning_rates({"ends": [0.1, 0.0]})
    assert plt.get_fignums() == before
