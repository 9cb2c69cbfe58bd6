"""All checks on one model, in the order in which one fault hides another."""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from helpers.diagnose.case import Case
from helpers.diagnose.data_checks import (
    check_alike,
    check_batch_size,
    check_inputs,
    check_labels,
)
from helpers.diagnose.network_checks import check_depth, check_width
from helpers.diagnose.output_checks import check_last_activation
from helpers.diagnose.report import Finding, Report, unchecked
from helpers.diagnose.signal_checks import check_gradients, check_initialisation
from helpers.diagnose.training_checks import (
    check_learning_rate,
    check_regularisation,
    check_results,
)

CHECKS: dict[str, Callable[[Case], Finding]] = {
    "labels": check_labels,
    "inputs": check_inputs,
    "alike": check_alike,
    "last_activation": check_last_activation,
    "results": check_results,
    "regularisation": check_regularisation,
    "batch_size": check_batch_size,
    "width": check_width,
    "depth": check_depth,
    "initialisation": check_initialisation,
    "gradients": check_gradients,
    "learning_rate": check_learning_rate,
}

# A check that would only measure the consequences of another fault waits for its cure:
# pixels of 0 to 255 saturate units and make the loss explode, too. None waits for a
# fault that is only likely.
_WAITS_FOR = {
    "results": ("labels",),
    "regularisation": ("labels", "alike"),
    "depth": ("labels",),  # the loss must exist
    "initialisation": ("labels", "inputs"),
    "gradients": ("labels", "inputs", "last_activation", "depth", "initialisation"),
    "learning_rate": (
        "labels",
        "inputs",
        "last_activation",
        "depth",
        "initialisation",
        "gradients",
    ),
}


def diagnose(
    model: keras.Model,
    train: Any,
    validation: Any = None,
    *,
    batch_size: int | None = None,
    trained: bool | None = None,
    images: int = 1024,
    only: Sequence[str] | None = None,
) -> Report:
    """Checks a model and its data for eleven common faults.

    Afterwards the model, its optimizer and metrics, the global random numbers and the
    data are, bit for bit, what they were. The labels are a check of their own beside
    the results, so there are twelve checks.

    Args:
        model: A built, compiled `keras.Model` of one input and one output, trained
            or not.
        train: What `fit` trains on: `(images, labels)` arrays of shape
            `(n, height, width, channels)` and `(n,)` or `(n, classes)`, a
            `keras.utils.PyDataset`, a list of batches, or a `tf.data.Dataset` of
            batches, which is gone through once.
        validation: The same for validation, or None.
        batch_size: Images a step; by default 32 for arrays, as in `fit`, else as in
            the data.
        trained: Whether the model is meant to be trained by now; by default it is
            if its optimizer has made the steps of one epoch.
        images: About how many images of each data set to look at.
        only: Names of the checks to make, of `CHECKS`; all by default.

    Returns:
        The `Report`: a finding for each check, which prints.

    Raises:
        TypeError: If the model is no Keras model, or data would be used up.
        ValueError: If the model is not built or compiled or has several inputs or
            outputs, the data are no pairs of images and labels, or a check or
            number is unknown.
    """
    if isinstance(only, str):
        only = (only,)
    unknown = [name for name in only or () if name not in CHECKS]
    if unknown:
        raise ValueError(
            f"There is no check {unknown[0]!r}. Choose among: {', '.join(CHECKS)}."
        )
    case = Case(model, train, validation, batch_size, trained, images)
    findings = {}
    for name, check in CHECKS.items():
        if only is not None and name not in only:
            continue
        faults = [
            other
            for other in _WAITS_FOR.get(name, ())
            if other in findings and findings[other].fault and findings[other].certain
        ]
        if faults:
            reason = f"waits until {' and '.join(faults)} are healthy"
            findings[name] = unchecked(name, reason)
        else:
            findings[name] = check(case)
    return Report(model.name, tuple(findings.values()))
