"""Graphs of models: their edges, the text that Graphviz draws, and a plain drawing.

For a whole network use `keras.utils.plot_model`, which has Graphviz place the nodes;
the drawing here needs neither Graphviz nor pydot, and suits a block.
"""

from collections.abc import Mapping

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from helpers.explain.network import Network, Step
from helpers.plots.palette import NOTHING

BOX = {"boxstyle": "round,pad=0.25", "facecolor": NOTHING, "edgecolor": "0.5"}
# An edge past other layers leaves its column by this many pixels, past the boxes.
BESIDE = "bar,armA=-52,armB=-52,fraction=0"


def edges(model) -> list[tuple[str, str]]:
    """Returns the edges of a functional model's graph.

    Args:
        model: a functional or built Sequential model.

    Returns:
        Names of layers whose output another takes, and of the layer that takes it, in
        the order of the graph. A second call of a shared layer is `name/1`.
    """
    return [
        (before.name, step.name) for step in _calls(model) for before in step.inputs
    ]


def dot(model) -> str:
    """Writes a model's graph in DOT, the language that Graphviz draws.

    Args:
        model: a functional or built Sequential model.

    Returns:
        The text: a line for each edge.
    """
    lines = [f'  "{before}" -> "{after}";' for before, after in edges(model)]
    return "\n".join([f'digraph "{model.name}" {{', *lines, "}"])


def blocks(models: Mapping[str, object], width: float = 9.0) -> Figure:
    """Draws the graphs of blocks side by side, from the input down.

    A layer stands one row below the lowest that it takes its input from. Branches
    stand in columns; an edge past other layers, such as a shortcut, goes round them.

    Args:
        models: functional models, by title.
        width: width of the figure, in inches.

    Returns:
        The figure. A label is the kind of layer, with the channels of its output
        where it has rows and columns.

    Raises:
        ValueError: where there is no model.
    """
    if not models:
        raise ValueError("There is no model to draw: give at least one by its title.")
    graphs = {title: _placed(model) for title, model in models.items()}
    spans = [_span(places) for places in graphs.values()]
    deepest = max(row for places in graphs.values() for row, _ in places.values())
    figure, axes = plt.subplots(
        1,
        len(graphs),
        figsize=(width, 0.42 * (deepest + 2)),
        width_ratios=[high - low + 1.2 for low, high in spans],
        squeeze=False,
        layout="constrained",
    )
    for axis, (title, model), (low, high) in zip(
        axes[0], models.items(), spans, strict=True
    ):
        _draw(axis, model, graphs[title])
        axis.set_xlim(low - 0.6, high + 0.6)
        axis.set_ylim(deepest + 0.6, -0.6)
        axis.set_axis_off()
        axis.set_title(title, fontsize="medium")
    return figure


def _calls(model) -> list[Step]:
    """Returns the calls of layers; the name of a nested model names no call."""
    return [step for name, step in Network(model).steps.items() if step.name == name]


def _span(places):
    columns = [column for _, column in places.values()]
    return min(columns), max(columns)


def _placed(model):
    """Returns row and column of every layer and input, by name."""
    calls = _calls(model)
    places = {step.name: (0, float(index)) for index, step in enumerate(_inputs(calls))}
    for step in calls:
        before = {each.name for each in step.inputs}
        row = 1 + max(places[name][0] for name in before)
        column = sum(places[name][1] for name in before) / len(before)
        if len(before) == 1:
            # The branches of a layer stand side by side below it.
            (parent,) = before
            branches = [
                other.name
                for other in calls
                if {each.name for each in other.inputs} == before
            ]
            column = places[parent][1] + branches.index(step.name)
            column -= (len(branches) - 1) / 2
        places[step.name] = row, column
    return places


def _inputs(calls):
    found = {each.name: each for step in calls for each in step.inputs}
    return [each for each in found.values() if each.operation is None]


def _draw(axis, model, places):
    calls = _calls(model)
    boxes = {}
    for step in (*_inputs(calls), *calls):
        row, column = places[step.name]
        text = axis.text(
            column, row, _label(step), ha="center", va="center", fontsize=7, bbox=BOX
        )
        boxes[step.name] = text.get_bbox_patch()
    for before, after in edges(model):
        (top, left), (bottom, right) = places[before], places[after]
        hidden = any(
            column == left == right and top < row < bottom
            for row, column in places.values()
        )
        axis.add_patch(
            FancyArrowPatch(
                (left, top),
                (right, bottom),
                arrowstyle="-|>",
                mutation_scale=9,
                # From the edge of a box to that of the other.
                patchA=boxes[before],
                patchB=boxes[after],
                shrinkA=0,
                shrinkB=0,
                color="0.35",
                connectionstyle=BESIDE if hidden else "arc3",
                clip_on=False,
                # After the texts, of 3: where a box ends is known once it is drawn.
                zorder=4,
            )
        )


def _label(step):
    kind = "Input" if step.operation is None else type(step.operation).__name__
    kind = kind.removesuffix("2D").replace("Normalization", "Norm")
    channels = f" {step.shape[-1]}" if step.is_map else ""
    return kind + channels
