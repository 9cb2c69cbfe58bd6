"""What is wrong with a training: checks of one's own model and data.

    from helpers.diagnose import diagnose
    diagnose(model, train, validation)

reports eleven common faults, each with its numbers and its cure; no check changes
the model. `overfit_one_batch` and `bias_variance` answer the questions that come
before and after: can it learn at all, and which error is worth working on.
"""

from helpers.diagnose.case import Case
from helpers.diagnose.data_checks import (
    check_alike,
    check_batch_size,
    check_inputs,
    check_labels,
)
from helpers.diagnose.errors import Errors, bias_variance
from helpers.diagnose.network_checks import check_depth, check_width
from helpers.diagnose.one_batch import Overfit, overfit_one_batch
from helpers.diagnose.output_checks import check_last_activation
from helpers.diagnose.report import Finding, Report
from helpers.diagnose.run import CHECKS, diagnose
from helpers.diagnose.signal_checks import check_gradients, check_initialisation
from helpers.diagnose.training_checks import (
    check_learning_rate,
    check_regularisation,
    check_results,
)

__all__ = [
    "CHECKS",
    "Case",
    "Errors",
    "Finding",
    "Overfit",
    "Report",
    "bias_variance",
    "check_alike",
    "check_batch_size",
    "check_depth",
    "check_gradients",
    "check_initialisation",
    "check_inputs",
    "check_labels",
    "check_last_activation",
    "check_learning_rate",
    "check_regularisation",
    "check_results",
    "check_width",
    "diagnose",
    "overfit_one_batch",
]
