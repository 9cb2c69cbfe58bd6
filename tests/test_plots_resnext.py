"""The figure of errors by cardinality shows the numbers it is given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.plots.resnext import errors_by_cardinality


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_errors_by_cardinality_draws_each_network_at_its_number_of_paths():
    figure = errors_by_cardinality(
        {
            "50 layers": {(1, 64): 23.9, (2, 40): 23.0, (32, 4): 22.2},
            "101 layers": {(1, 64): 22.0, (8, 14): 21.3},
        }
    )
    axis = figure.axes[0]
    first, second = axis.lines
    np.testing.assert_array_equal(
        first.get_xydata(), [[1, 23.9], [2, 23.0], [32, 22.2]]
    )
    np.testing.assert_array_equal(second.get_xydata(), [[1, 22.0], [8, 21.3]])
    labels = [text.get_text() for text in axis.get_legend().get_texts()]
    assert labels == ["50 layers", "101 layers"]
    assert axis.get_ylabel() == "top-1 error (%)"


def test_errors_by_cardinality_names_paths_and_width_at_each_tick():
    figure = errors_by_cardinality({"50": {(1, 64): 24.0, (32, 4): 22.0, (4, 24): 23}})
    axis = figure.axes[0]
    figure.canvas.draw()
    assert axis.get_xscale() == "log"
    assert list(axis.get_xticks()) == [1, 4, 32]
    names = [text.get_text() for text in axis.get_xticklabels()]
    assert names == ["1 x 64", "4 x 24", "32 x 4"]
    # Ticks between them would stand for no network.
    assert not axis.get_xticks(minor=True).size


def test_errors_by_cardinality_refuses_two_widths_at_one_place():
    with pytest.raises(ValueError, match="Cardinality 2 has paths of 40 and of 64"):
        errors_by_cardinality({"a": {(2, 40): 21.7}, "b": {(2, 64): 20.7}})
