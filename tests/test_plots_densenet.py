"""The figures of DenseNet show the numbers they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.plots.densenet import channels_read, kept, reading


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_a_layer_reads_the_input_and_all_layers_before_it():
    figure = channels_read(first=6, growth_rate=4, count=3)
    axis = figure.axes[0]
    ends = {}
    for source, bars in enumerate(axis.containers):
        for bar in bars:
            reader = round(bar.get_y() + bar.get_height() / 2)
            ends.setdefault(reader, []).append((source, bar.get_x(), bar.get_width()))
    # k0 + k (l - 1) channels without a gap, source by source.
    assert ends == {
        0: [(0, 0, 6)],
        1: [(0, 0, 6), (1, 6, 4)],
        2: [(0, 0, 6), (1, 6, 4), (2, 10, 4)],
        3: [(0, 0, 6), (1, 6, 4), (2, 10, 4), (3, 14, 4)],
    }
    names = [text.get_text() for text in axis.get_yticklabels()]
    assert names == ["layer 1", "layer 2", "layer 3", "after the block"]
    (legend,) = figure.legends
    written = [text.get_text() for text in legend.get_texts()]
    assert written == ["the block's input", "layer 1", "layer 2", "layer 3"]


def test_kept_draws_laws_as_lines_and_measurements_as_marks():
    # Bytes become megabytes.
    figure = kept(
        {"all": {10: 1_000_000, 40: 18e6}, "once": {10: 300_000, 40: 1.1e6}},
        {"graph": {10: 1.1e6}, "process": {10: 2e6, 40: 20e6}},
    )
    everything, once, graph, process = figure.axes[0].lines
    np.testing.assert_array_equal(everything.get_xydata(), [[10, 1.0], [40, 18.0]])
    np.testing.assert_array_equal(once.get_xydata(), [[10, 0.3], [40, 1.1]])
    np.testing.assert_array_equal(graph.get_xydata(), [[10, 1.1]])
    np.testing.assert_array_equal(process.get_xydata(), [[10, 2.0], [40, 20.0]])
    lines, marks = (everything, once), (graph, process)
    assert all(line.get_marker() == "None" for line in lines)
    assert all(mark.get_linestyle() == "None" for mark in marks)
    # No two are told apart by nothing.
    assert len({each.get_color() for each in lines + marks}) == 4
    assert figure.axes[0].get_ylim()[0] == 0


def test_reading_puts_sources_in_rows_and_readers_in_columns():
    nothing = np.nan
    first = np.array([[0.1, 0.2], [nothing, 0.4]])
    figure = reading({"block 1": first, "block 2": first / 2}, "CIFAR-10")
    one, two = (axis.images[0] for axis in figure.axes[:2])
    np.testing.assert_array_equal(one.get_array().filled(nothing), first)
    # One scale for both, and the input's row at the top.
    assert one.get_clim() == two.get_clim() == (0, 0.4)
    assert tuple(one.get_extent()) == (0.5, 2.5, 1.5, -0.5)
    assert [axis.get_title() for axis in figure.axes[:2]] == ["block 1", "block 2"]
    assert figure.get_suptitle() == "CIFAR-10"


def test_reading_refuses_what_is_no_square():
    with pytest.raises(ValueError, match=r"'block 1' has the shape \(2, 3\)"):
        reading({"block 1": np.zeros((2, 3))})
