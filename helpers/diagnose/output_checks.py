"""The check of the last activation against the loss."""

import numpy as np
from keras import layers

from helpers.diagnose.case import Case
from helpers.diagnose.forward import activation_of
from helpers.diagnose.report import Finding, fault, healthy, unchecked

# Sums of float16 probabilities differ from 1 by up to this.
_ROUNDING = 1e-2
# Layers between ReLU and softmax that leave a zero a zero.
_PASSING = (layers.Dropout, layers.Flatten, layers.Reshape)


def check_last_activation(case: Case) -> Finding:
    """Compares what the model gives for images with what its loss takes.

    Args:
        case: Model and data.

    Returns:
        A fault for softmax or sigmoid under `from_logits=True`, scores under
        `from_logits=False`, sigmoid or ReLU where probabilities of one class are
        due, softmax over one unit, and ReLU right in front of softmax.
    """
    check, loss, outputs = "last_activation", case.loss, case.probe_outputs
    if loss.kind is None:
        return unchecked(check, f"the loss {loss.name!r} is no cross-entropy")
    if not np.isfinite(outputs).all():
        return unchecked(check, "the model's outputs are no finite numbers")
    units, last = case.outputs, case.passages[-1].layer
    ends = activation_of(last) or "no activation"
    evidence = (
        f"{units} output{'s' if units > 1 else ''} from {outputs.min():.3g} to "
        f"{outputs.max():.3g} by {ends} in {last.name!r}; {loss.name}, "
        f"from_logits={loss.from_logits}"
    )
    advice = _advice(case, loss, outputs, units, ends)
    return fault(check, evidence, advice) if advice else healthy(check, evidence)


def _advice(case, loss, outputs, units, ends):
    """Says what to do about a last activation, or nothing where it is right."""
    shares = bool((outputs >= 0).all() and (outputs <= 1).all())
    sums = outputs.sum(axis=-1)
    distribution = shares and bool(np.all(np.abs(sums - 1.0) < _ROUNDING))
    if units == 1 and (ends == "softmax" or loss.kind != "binary"):
        return (
            "Softmax over one unit is 1 whatever the image: use one unit with sigmoid "
            "and binary cross-entropy, or one unit a class with softmax."
        )
    if ends == "softmax" and _relu_before_softmax(case):
        return (
            "ReLU takes the negative scores away, and their gradient: leave out the "
            "activation in front of softmax."
        )
    if loss.from_logits:
        if ends in ("softmax", "sigmoid") or (units > 2 and distribution):
            return (
                "The loss applies its own softmax or sigmoid to these probabilities: "
                "leave out the last activation, or from_logits=True."
            )
        if ends == "relu":
            return "Scores must be free to be negative: leave out the last ReLU."
        return None
    if loss.kind == "binary":
        if not shares or ends == "relu":
            return "Use sigmoid as last activation, or from_logits=True without any."
        if units > 2 and distribution:
            return (
                "Softmax makes probabilities of classes that exclude each other: use "
                "categorical cross-entropy with it."
            )
        return None
    if distribution:
        return None
    if ends == "no activation":
        return "The loss takes probabilities: add softmax, or set from_logits=True."
    return (
        f"Each image has one class, and these outputs do not sum to 1 ({sums.min():.3g}"
        f" to {sums.max():.3g}): use softmax over the classes in place of {ends}."
    )


def _relu_before_softmax(case):
    before = [p.layer for p in case.passages[:-1]]
    while before and isinstance(before[-1], _PASSING):
        before.pop()
    return (
        bool(before)
        and isinstance(case.passages[-1].layer, layers.Softmax | layers.Activation)
        and activation_of(before[-1]) == "relu"
    )
