"""Checks of what passes through the network: activations forward, gradients back."""

import math

import numpy as np
from keras import ops

from helpers.diagnose.case import Case
from helpers.diagnose.forward import kernel_of
from helpers.diagnose.report import Finding, fault, healthy, unchecked

# How far the standard deviation of what layers get may drift from the first hidden
# layer to the last. He's initialisation keeps it, Glorot's halves its square at each
# ReLU (https://arxiv.org/abs/1502.01852, section 2.2): two orders of magnitude are 13
# such layers, or one initialisation that is wrong by far.
_DRIFT = 100.0
# Share of the ReLU units of a layer that are zero for every image. AlexNet
# begins with a quarter in one layer; half of a layer is lost capacity.
_DEAD = 0.5
# Share of a tanh or sigmoid layer's values near its ends, where gradients vanish:
# Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural
# Networks, AISTATS 2010, section 3.
_SATURATED = 0.8
# Two units are the same when weights and gradients agree to this relative precision.
_SAME = 1e-4

# Ratio of the gradient, relative to the weights, in the first and in the last layer.
# Nine of the course's networks, untrained, measure 0.02 (NiN) to 4 (LeNet-5); sigmoid
# takes away a factor of 4 at least at each layer.
_VANISHED = 1e-4
_EXPLODED = 1e4
# A gradient this many times the weights: a step at the rate 0.01 replaces them. Only
# of cross-entropies: the gradients of other losses depend on the unit of the targets.
_LARGEST = 100.0


def check_initialisation(case: Case) -> Finding:
    """Follows activations through the network, and looks for equal or dead units.

    Args:
        case: Model and data.

    Returns:
        A fault where all units of a layer are alike and stay so, activations shrink
        or grow by orders of magnitude with depth, most units of a ReLU layer are
        zero for every image, or tanh or sigmoid saturate. Papers: Glorot and Bengio,
        AISTATS 2010; He et al., https://arxiv.org/abs/1502.01852
    """
    check, kernels = "initialisation", case.kernels
    if not kernels:
        return unchecked(check, "the model has no layer with a kernel")
    equal = [p.layer.name for p in kernels if _symmetric(p.layer, case.gradients)]
    if equal:
        return fault(
            check,
            f"all units of {_names(equal)} have equal weights and equal gradients, so "
            "they stay copies of one unit",
            "Draw weights at random: he_normal for ReLU, glorot_uniform for tanh.",
        )
    hidden = kernels[1:]
    spreads = [p.spread for p in hidden]
    evidence = "one layer with weights"
    if hidden:
        evidence = (
            "standard deviation of what layers get: "
            f"{spreads[0]:.3g} in {hidden[0].layer.name!r}, {spreads[-1]:.3g} in "
            f"{hidden[-1].layer.name!r}, {len(hidden) - 1} layers on"
        )
        drift = max(spreads) / max(min(spreads), 1e-30)
        if not math.isfinite(drift) or drift > _DRIFT:
            return fault(
                check,
                evidence,
                "Initialise by the activation: he_normal in front of ReLU, "
                "glorot_uniform in front of tanh; or add batch normalisation.",
            )
    dead = max(case.passages, key=lambda p: p.dead)
    if dead.dead > _DEAD:
        return fault(
            check,
            f"{dead.dead:.0%} of the ReLU units of {dead.layer.name!r} are zero for "
            "every image",
            "Start again with biases at zero, he_normal and a lower learning rate, or "
            "with batch normalisation in front of ReLU.",
        )
    full = max(case.passages, key=lambda p: p.saturated)
    if full.saturated > _SATURATED:
        return fault(
            check,
            f"{full.saturated:.0%} of the values of {full.layer.name!r} are at an end "
            "of its activation",
            "Begin with smaller weights: glorot_uniform.",
        )
    return healthy(check, f"{evidence}; at most {dead.dead:.0%} of a layer dead")


def _symmetric(layer, gradients):
    kernel = kernel_of(layer)
    gradient = gradients.get(id(kernel))
    units = kernel.shape[-1]
    if gradient is None or units < 2:
        return False
    arrays = _values(layer), gradient
    return all(_columns_equal(array.reshape(-1, units)) for array in arrays)


def _values(layer):
    return np.asarray(ops.convert_to_numpy(kernel_of(layer)), "float32")


def _columns_equal(matrix):
    spread = np.ptp(matrix, axis=1).max()
    return bool(spread <= _SAME * np.abs(matrix).max())


def check_gradients(case: Case) -> Finding:
    """Compares the gradients of the first layers with those of the last.

    A layer's gradient is measured relative to its weights, |gradient| / |weights|,
    which says how fast it would learn at a learning rate of 1.

    Args:
        case: Model and data.

    Returns:
        A fault where gradients are no numbers, vanish or explode with depth. Paper:
        Glorot and Bengio, AISTATS 2010.
    """
    check, relative = "gradients", case.relative_gradients
    bad = [name for name, value in relative.items() if not math.isfinite(value)]
    if bad:
        return fault(
            check,
            f"the gradient of {_names(bad)} is no finite number",
            "Look for a division by zero, a logarithm of zero, or scores that "
            "overflow: lower the weights, use from_logits=True without softmax.",
        )
    if case.kernels and not np.any(_values(case.kernels[-1].layer)):
        return unchecked(
            check, "the last kernel is zero, which lets nothing back before one step"
        )
    if len(relative) < 2:
        return unchecked(check, "fewer than two layers have weights to train")
    (first, low), *_, (last, high) = relative.items()
    ratio = low / high if high else math.inf
    evidence = (
        f"|gradient| / |weights|: {low:.2g} in {first!r}, {high:.2g} in {last!r}, "
        f"{len(relative) - 1} layers on, largest {max(relative.values()):.2g}"
    )
    if max(relative.values()) == 0.0 or ratio < _VANISHED:
        return fault(
            check,
            f"{evidence}: they vanish on the way back",
            "Use ReLU in place of sigmoid or tanh, he_normal, batch normalisation and "
            "shortcuts.",
        )
    large = case.loss.kind is not None and max(relative.values()) > _LARGEST
    if ratio > _EXPLODED or large:
        return fault(
            check,
            f"{evidence}: they explode on the way back",
            "Initialise with he_normal, add batch normalisation, or clip gradients "
            "with the optimizer's clipnorm.",
        )
    return healthy(check, evidence)


def _names(names):
    shown = ", ".join(map(repr, names[:3]))
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
