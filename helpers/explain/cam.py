"""Grad-CAM: which positions of the last feature maps speak for a class.

Paper: Grad-CAM, https://arxiv.org/abs/1610.02391
Paper: Learning Deep Features for Discriminative Localization (CAM),
    https://arxiv.org/abs/1512.04150
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .gradients import gradients
from .network import Network, Step, channels_last, to_numpy
from .scores import Scores, predicted


@dataclass(frozen=True, eq=False, repr=False)
class HeatMaps:
    """Heat maps of images, and what they are maps of.

    Attributes:
        maps: `(n, k, rows, columns)`, one for each image and class, in the positions
            of the layer. Unit: that of the scores.
        classes: `(n, k)`, the classes.
        scores: `(n, k)`, their scores, before the softmax.
        layer: name of the layer, as in `helpers.receptive_field`.
    """

    maps: np.ndarray
    classes: np.ndarray
    scores: np.ndarray
    layer: str

    def __repr__(self):
        count, classes, rows, columns = self.maps.shape
        return (
            f"<HeatMaps of {self.layer!r}: {count} images, {classes} classes, "
            f"{rows}x{columns} positions>"
        )


def grad_cam(
    model,
    images,
    classes: int | Sequence[int] | np.ndarray | None = None,
    layer: str | None = None,
    output: int = 0,
    signed: bool = False,
    batch_size: int = 32,
) -> HeatMaps:
    """Computes Grad-CAM, for several classes from one forward pass.

    A channel's weight is the mean over all positions of the gradient of the class's
    score with respect to it; the map is the weighted sum of the channels, and its
    negative values are set to zero. Scores are taken before the softmax, whose
    gradient vanishes where the network is sure. Paper: Grad-CAM,
    https://arxiv.org/abs/1610.02391

    Behind global average pooling and one dense layer this is the class activation map
    of https://arxiv.org/abs/1512.04150 divided by the number of positions, so a signed
    map sums to the score less its bias. Behind Flatten the mean forgets where a
    channel counts: the map then shows where the channel is active. `occlusion` is the
    check that does not share this weakness.

    What reaches the scores around the layer is not in the map.

    Args:
        model: a functional or built Sequential model; it is not changed.
        images: `(n, height, width, channels)`, as the model takes them; a list or
            dict of arrays for a model of several inputs.
        classes: one class, k classes for all images, or `(n, k)` classes of each
            image; by default the predicted one of each. A model with one output has
            class 0 only, which is its positive class, whatever it predicts.
        layer: name of the layer whose maps are taken; by default the last one with
            more than one position. The result says which.
        output: which output of a model with several.
        signed: whether to keep negative values, which speak against the class.
        batch_size: images in one forward pass.

    Returns:
        The maps, float32, with their classes, scores and layer.

    Raises:
        KeyError: where there is no such layer.
        ValueError: where no layer has spatial maps or several end side by side, the
            layer has none or does not reach the scores, the images do not fit, a
            class or output does not exist, or the model has no graph.
    """
    network = Network(model)
    scores = Scores(network, output)
    step = _last_maps(network, scores) if layer is None else _maps_of(scores, layer)
    arrays = network.arrays(images)
    table = scores.chosen(classes, arrays)
    downstream = {
        name for name, other in network.steps.items() if step.name in other.upstream
    }
    parts = []
    for first in range(0, len(arrays[0]), batch_size):
        rows = slice(first, first + batch_size)
        batch = [array[rows] for array in arrays]
        chosen = None if table is None else table[rows]
        parts.append(_batch(scores, step.name, downstream, batch, chosen))
    maps, found, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    return HeatMaps(maps if signed else np.maximum(maps, 0), found, values, step.name)


def _batch(scores, name, downstream, batch, chosen):
    """Returns signed maps, classes and scores of one batch."""
    values = {}
    found = to_numpy(scores(batch, note=values.__setitem__))
    if chosen is None:
        chosen = predicted(found)
    point, *others = values[name]
    known = {key: value for key, value in values.items() if key not in downstream}

    def behind(maps):
        """The scores as a function of the maps; what is not behind them is known."""
        return scores(batch, known={**known, name: [maps, *others]})

    selected = np.eye(scores.classes, dtype="float32")[chosen]
    slopes = gradients(behind, point, list(np.moveaxis(selected, 1, 0)))
    weights = np.stack([channels_last(slope).mean(axis=(1, 2)) for slope in slopes], 1)
    maps = np.einsum("nkc,nrsc->nkrs", weights, channels_last(to_numpy(point)))
    return maps, chosen, np.take_along_axis(found, chosen, axis=1)


def _last_maps(network: Network, scores: Scores) -> Step:
    """Returns the last layer with spatial maps among those that reach the scores."""
    maps = {
        step.name: step
        for step in network.steps.values()
        if step.is_spatial and step.name in scores.step.upstream
    }
    if not maps:
        raise ValueError(
            f"no layer of model {network.name!r} that leads to output {scores.output} "
            "has spatial maps: outputs (batch, rows, columns, channels) with more than "
            "one position. Grad-CAM needs a convolutional network"
        )
    inner = {
        name for step in maps.values() for name in step.upstream if name != step.name
    }
    last = [step for name, step in maps.items() if name not in inner]
    if len(last) > 1:
        raise ValueError(
            f"model {network.name!r} has {len(last)} branches whose last maps reach "
            f"the scores side by side. Choose one: layer= "
            f"{' or '.join(repr(step.name) for step in last)}"
        )
    return last[0]


def _maps_of(scores: Scores, layer: str) -> Step:
    """Returns the step of a layer that was asked for."""
    step = scores.network.steps[layer]
    if not step.is_map:
        raise ValueError(
            f"layer {layer!r} has an output of shape {step.shape}, no maps (batch, "
            "rows, columns, channels). Choose a layer in front of it, or leave layer= "
            "out for the last one with maps"
        )
    if step.name not in scores.step.upstream:
        raise ValueError(
            f"layer {layer!r} does not reach output {scores.output}. Choose a layer in "
            f"front of {scores.step.name!r}, or another output="
        )
    return step
