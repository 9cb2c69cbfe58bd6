"""Checks of the network's shape: its depth and its widths."""

import math

import keras
from keras import layers

from helpers.diagnose.case import Case
from helpers.diagnose.forward import leaves
from helpers.diagnose.report import Finding, fault, healthy, unchecked

# Layers with weights that a plain network may have: 19 in the deepest of Simonyan and
# Zisserman, https://arxiv.org/abs/1409.1556, without normalisation. With it, plain-20
# on CIFAR-10 trains well and plain-32 already worse than plain-20: He et al., Deep
# Residual Learning, https://arxiv.org/abs/1512.03385, figure 6.
_PLAIN_DEPTH = 19
_NORMALISED_DEPTH = 31

# Units in front of ten classes or more. Many classes need no unit each, since a linear
# softmax can tell any number apart in two dimensions: ResNet-18 has 512 units in front
# of 1,000 classes.
_UNITS = 10

# Weights for each training image: AlexNet had 50, the largest network of this course
# about 450. Far more is a network for another data set.
_WEIGHTS_AN_IMAGE = 1000

_NORMALISING = (
    layers.BatchNormalization,
    layers.GroupNormalization,
    layers.LayerNormalization,
    layers.RMSNormalization,
    layers.UnitNormalization,
)
# Layers and `keras.ops` operations, by name, through which a signal skips others.
_MERGING = {"Add", "Average", "Concatenate", "Maximum", "Subtract"}


def check_depth(case: Case) -> Finding:
    """Counts the layers with weights of a network without shortcuts.

    Shortcuts are layers or operations that add or concatenate. The gradients of the
    first and the last layer, relative to their weights, are evidence, no criterion:
    they vanish or explode in `check_gradients`, at any depth.

    Args:
        case: Model and data.

    Returns:
        A fault for a plain network that is deeper than plain networks train well.
    """
    check, network = "depth", case.model
    depth = len(case.kernels)
    names = {type(operation).__name__ for operation in _operations(network)}
    merging = sorted(names & _MERGING)
    if merging:
        return healthy(
            check,
            f"{depth} layers with weights, with shortcuts or branches ({merging[0]})",
        )
    normalising = sum(isinstance(layer, _NORMALISING) for layer in leaves(network))
    selu = sum(
        getattr(layer, "activation", None) is keras.activations.selu
        for layer in leaves(network)
    )
    # Self-normalising networks count: https://arxiv.org/abs/1706.02515
    normalised = normalising + selu >= depth / 2
    limit = _NORMALISED_DEPTH if normalised else _PLAIN_DEPTH
    evidence = (
        f"{depth} layers with weights, no shortcut, {normalising} normalisations; "
        f"plain networks train well up to {limit}"
    )
    if depth > limit:
        relative = list(case.relative_gradients.values())
        if len(relative) > 1 and relative[-1] > 0:
            ratio = relative[0] / relative[-1]
            evidence += f"; the first layer's gradient is {ratio:.2g} times the last's"
        return fault(
            check,
            evidence,
            "Add shortcuts around pairs of layers, x + F(x), with batch "
            "normalisation; or take layers away.",
        )
    return healthy(check, evidence)


def check_width(case: Case) -> Finding:
    """Compares hidden units with classes, ten at most, and weights with images.

    Args:
        case: Model and data.

    Returns:
        A fault where a dense layer, or what the last layer gets, has fewer than ten
        units and fewer than there are classes, or there are far more weights than
        images.
    """
    check, classes = "width", case.outputs
    if not case.kernels:
        return unchecked(check, "the model has no layer with a kernel")
    names = {type(operation).__name__ for operation in _operations(case.model)}
    *hidden, head = case.kernels
    widths = {f"what {head.layer.name!r} gets": head.input_shape[-1]}
    # The dense layers of a gate, whose result multiplies, are narrow on purpose.
    if "Multiply" not in names:
        for passage in hidden:
            if len(passage.output_shape) == 2:
                widths[repr(passage.layer.name)] = passage.output_shape[-1]
    place = min(widths, key=widths.get)
    weights = sum(math.prod(v.shape) for v in case.model.trainable_variables)
    evidence = f"narrowest in front of {classes} classes: {widths[place]} ({place})"
    needed = min(classes, _UNITS)
    if widths[place] < needed and classes > 2:
        return fault(check, evidence, f"Give it more units: {2 * needed} at least.")
    total = case.train.total
    if total is not None:
        evidence += f"; {weights:,} weights for {total:,} images"
        if weights > _WEIGHTS_AN_IMAGE * total:
            return fault(
                check,
                f"{evidence}, {weights / total:,.0f} each",
                "Take fewer units, above all in dense layers behind Flatten: average "
                "the maps first. Or begin with a trained network.",
            )
    return healthy(check, evidence)


def _operations(model):
    """Yields the layers and operations of a graph, nested models included."""
    for operation in getattr(model, "operations", model.layers):
        yield operation
        if isinstance(operation, keras.Model):
            yield from _operations(operation)
