"""The figures of ensembles show the numbers they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.calibration import Reliability, reliability
from helpers.plots.ensembles import by_members, correlations, reliability_diagrams


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_by_members_draws_a_panel_a_measure():
    figure = by_members(
        {
            "variance": {"0.5": {1: 1.0, 4: 0.625}, "0": {1: 1.0, 4: 0.25}},
            "accuracy (%)": {"0.5": {1: 70, 4: 74}},
        },
        title="simulated",
    )
    first, second = figure.axes
    assert (first.get_ylabel(), second.get_ylabel()) == ("variance", "accuracy (%)")
    np.testing.assert_array_equal(first.lines[0].get_xydata(), [[1, 1], [4, 0.625]])
    np.testing.assert_array_equal(first.lines[1].get_xydata(), [[1, 1], [4, 0.25]])
    np.testing.assert_array_equal(second.lines[0].get_xydata(), [[1, 70], [4, 74]])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["0.5", "0"]
    assert figure.get_suptitle() == "simulated"


def test_correlations_writes_every_value():
    figure = correlations([[1, 0.25], [0.5, 1]], ["a", "b"])
    (axis,) = figure.axes
    found = {text.get_position(): text.get_text() for text in axis.texts}
    # Columns go to the right and rows down.
    assert found == {(0, 0): "1.00", (1, 0): "0.25", (0, 1): "0.50", (1, 1): "1.00"}
    np.testing.assert_array_equal(axis.images[0].get_array(), [[1, 0.25], [0.5, 1]])
    with pytest.raises(ValueError, match=r"\(2, 2\) for 1 names"):
        correlations(np.eye(2), ["a"])


def test_reliability_diagrams_draws_filled_bins_alone():
    edges = np.array([0, 0.5, 1])
    half = Reliability(
        edges, np.array([0, 4]), np.array([np.nan, 0.9]), np.array([np.nan, 0.75])
    )
    both = reliability([[0.5, 0.5], [0.2, 0.8]], [0, 0], bins=2)
    figure = reliability_diagrams({"before": half, "after": both, "x": half, "y": half})
    assert len(figure.axes) == 4
    before, after = figure.axes[:2]
    (bar,) = before.patches
    assert (bar.get_x(), bar.get_width(), bar.get_height()) == (0.5, 0.5, 75)
    np.testing.assert_allclose(before.lines[0].get_xydata(), [[0.75, 90]])
    assert before.get_title() == "before: ECE 15.0%"
    # Right of 0.5 sure, wrong of 0.8 sure.
    assert [bar.get_height() for bar in after.patches] == [100, 0]
    assert after.get_title() == "after: ECE 65.0%"


def test_by_members_has_no_legend_where_nothing_is_named():
    figure = by_members({"Brier score": {"": {1: 0.4, 2: 0.3}}})
    assert not figure.legends
