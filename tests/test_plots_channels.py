"""The figure of channels that meet shows the pairs it is given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.plots.channels import connections


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_connections_fills_what_is_connected_at_one_scale():
    groups = np.kron(np.eye(3), np.ones((2, 2)))
    figure = connections({"full": np.full((4, 4), -0.5), "3 groups": groups})
    left, right = figure.axes
    assert left.get_title() == "full\n16 of 16 pairs"
    assert right.get_title() == "3 groups\n12 of 36 pairs"
    for axis, mask in ((left, np.ones((4, 4))), (right, groups)):
        (mesh,) = axis.collections
        np.testing.assert_array_equal(np.asarray(mesh.get_array()), mask)
        # Both panels have room for the larger layer, the first channel on top.
        assert axis.get_xlim() == (0, 6) and axis.get_ylim() == (6, 0)
        assert axis.get_aspect() == 1
        assert axis.get_xlabel() == "output channel"
    assert left.get_ylabel() == "input channel"


def test_connections_has_an_input_in_a_row_and_lines_between_groups():
    mask = np.kron(np.eye(2), np.ones((2, 3)))
    (axis,) = connections({"apart": mask}, groups=2).axes
    (mesh,) = axis.collections
    assert mesh.get_array().shape == (4, 6)
    across, down = axis.lines
    assert set(across.get_ydata()) == {2} and set(down.get_xdata()) == {3}


def test_connections_labels_few_channels_in_their_middle():
    (axis,) = connections({"two": np.eye(2)}).axes
    assert list(axis.get_xticks()) == list(axis.get_yticks()) == [0.5, 1.5]
    assert [text.get_text() for text in axis.get_xticklabels()] == ["0", "1"]
    (axis,) = connections({"many": np.eye(40)}).axes
    assert len(axis.get_xticks()) < 40


def test_connections_shows_nothing_and_everything_in_two_colours():
    figure = connections({"none": np.zeros((2, 2)), "all": np.ones((2, 2))})
    colours = []
    for axis in figure.axes:
        (mesh,) = axis.collections
        colours.append(mesh.to_rgba(mesh.get_array())[0, 0])
    assert not np.array_equal(*colours)


@pytest.mark.parametrize("shape", [(4,), (4, 5), (5, 4), (2, 2, 2)])
def test_connections_refuses_what_the_groups_do_not_divide(shape):
    with pytest.raises(ValueError, match="'odd' has the shape .* 2 groups"):
        connections({"odd": np.zeros(shape)}, groups=2)
