"""Checks of how training goes: results, regularisation, learning rate."""

import math

import keras
import numpy as np
from keras import ops

from helpers.callbacks import current_learning_rate, find_learning_rate
from helpers.callbacks.schedules import has_schedule
from helpers.diagnose.case import Case, inner_optimizer
from helpers.diagnose.forward import leaves
from helpers.diagnose.preserve import preserved
from helpers.diagnose.report import Finding, fault, healthy, unchecked
from helpers.diagnose.samples import classes_of

# What chance explains, in standard errors of a share.
_STANDARD_ERRORS = 3.0
# Training accuracy minus validation accuracy: ten points are four standard errors of a
# difference between samples of 1,000 images, at any accuracy, and a network that has
# begun to learn its images by heart.
_GAP = 0.1
# The same in spite of regularisation: the course's AlexNet ends with ten points, a
# network trained on mirrored but not on cropped images with seventeen.
_GAP_LEFT = 0.15
# What regularises, in the order in which to try it.
_MEANS = {
    "augmentation": "augmentation (crops, mirrors)",
    "weight decay": "weight decay of 5e-4",
    "dropout": "dropout",
}

# The trial: this often through this many batches, at the learning rate as it is.
_TRIAL_BATCHES, _TRIAL_PASSES = 4, 4
_TRIAL_BATCH_SIZE = 128
# The loss explodes where a pass ends at this many times what it began with, or a step
# comes to twice that, the factor at which the finder gives up. A trained network's
# small loss may double by chance, so guessing, log(classes), is the least to compare
# with. It moves where the last pass is lower than the first by a share.
_EXPLODED, _MOVED = 2.0, 0.01
# The finder's suggestion is a tenth of the rate with the lowest loss. Rates three times
# that lowest are too high, a thirtieth of the suggestion is too low: wider than the
# finder's own uncertainty, a factor of 2 to 5.
_TOO_HIGH, _TOO_LOW = 3.0, 1.0 / 30.0
_FINDER_STEPS = 48


def check_results(case: Case) -> Finding:
    """Looks at a trained model's predictions for its training images.

    Args:
        case: Model and data; a model that has not been trained is not checked.

    Returns:
        A fault where the accuracy is no better than always naming the commonest
        class.
    """
    check = "results"
    if not case.trained:
        return unchecked(check, "the model has not been trained for an epoch")
    if case.loss.kind is None:
        return unchecked(check, f"the loss {case.loss.name!r} is no cross-entropy")
    classes = case.train.classes
    predicted = _predicted(case, case.train)
    accuracy = float(np.mean(predicted == classes))
    seen, counts = np.unique(classes, return_counts=True)
    majority = float(counts.max() / len(classes))
    favourite = float(np.unique(predicted, return_counts=True)[1].max() / len(classes))
    evidence = (
        f"training accuracy {accuracy:.1%}, commonest class {majority:.1%} of the "
        f"labels, commonest prediction {favourite:.1%} of the predictions"
    )
    # Image by image: most that the one has right, the other has right too.
    gain = (predicted == classes).astype(int) - (classes == seen[counts.argmax()])
    error = gain.std() / math.sqrt(len(gain))
    others = len(classes) - int(counts.max())
    if gain.sum() > 0 and others < _STANDARD_ERRORS**2:
        few = f"{evidence}; {others} images of other classes are too few to judge by"
        return unchecked(check, few)
    if gain.mean() <= _STANDARD_ERRORS * error:
        return fault(
            check,
            evidence,
            "It has learned nothing: look at images with labels and predictions, at "
            "the confusion matrix, and train on one batch (overfit_one_batch).",
        )
    return healthy(check, evidence)


def check_regularisation(case: Case) -> Finding:
    """Compares training and validation accuracy, and looks for regularisation.

    Args:
        case: Trained model and data with validation images.

    Returns:
        A fault where the gap is above ten points and there is no augmentation, no
        dropout and no weight decay, or above fifteen in spite of them. Augmentation
        that is not known, as in a `tf.data.Dataset`, does not count. No fault is
        found where only the beginning of the validation images could be read.
    """
    check, means = "regularisation", _means(case)
    unknown = case.train.augmented is None and "augmentation" not in means
    listed = ", ".join(means) if means else "no augmentation, dropout or decay"
    if unknown:
        listed = f"{', '.join(means) or 'no dropout or decay'}, augmentation not known"
    if case.validation is None or not case.trained or case.loss.kind is None:
        return unchecked(check, f"needs a trained classifier, validation; {listed}")
    samples = case.train, case.validation
    rights = [_predicted(case, sample) == sample.classes for sample in samples]
    train, validation = (float(right.mean()) for right in rights)
    error = math.sqrt(sum(right.var() / len(right) for right in rights))
    gap = train - validation
    evidence = f"accuracy {train:.1%} in training, {validation:.1%} in validation; "
    evidence += listed
    limit = _GAP_LEFT if means else _GAP
    if gap <= limit or gap <= _STANDARD_ERRORS * error:
        return healthy(check, evidence)
    if case.validation.beginning:
        return unchecked(
            check,
            f"{evidence}; only the beginning of the validation images could be read, "
            "which may be of a few classes: give arrays, or tell their number of "
            "batches by tf.data.experimental.assert_cardinality",
        )
    doubt = " if there is none" if unknown else ""
    if not means:
        return fault(
            check,
            evidence,
            f"Add augmentation first (crops, mirrors){doubt}, then weight decay of "
            "5e-4 and dropout; or more images.",
        )
    leave = "leaves" if len(means) == 1 else "leave"
    wanted = {**_MEANS, "augmentation": _MEANS["augmentation"] + doubt}
    lacking = [words for name, words in wanted.items() if name not in means]
    more = f", add {', then '.join(lacking)}" if lacking else ""
    return fault(
        check,
        evidence,
        f"More of it is needed: {', '.join(means)} {leave} a gap of {100 * gap:.0f} "
        f"points between training and validation accuracy. Strengthen what there is"
        f"{more}; or more images.",
    )


def _predicted(case, sample):
    outputs = case.predict(sample)
    if outputs.shape[-1] == 1:
        threshold = 0.0 if case.loss.from_logits else 0.5
        return (outputs[:, 0] > threshold).astype(int)
    return classes_of(outputs)


def _means(case):
    """Names what regularises."""
    found, model = [], case.model
    layers = leaves(model)
    if case.train.augmented or any(
        type(layer).__name__.startswith("Random") for layer in layers
    ):
        found.append("augmentation")
    if any(
        "Drop" in type(layer).__name__ and getattr(layer, "rate", 0) for layer in layers
    ):
        found.append("dropout")
    penalties = any(v.regularizer is not None for v in model.trainable_variables)
    if inner_optimizer(model).weight_decay or penalties:
        found.append("weight decay")
    return found


def check_learning_rate(case: Case) -> Finding:
    """Trains a few steps at the learning rate, and undoes them.

    Where the loss does not fall, `helpers.callbacks.find_learning_rate` tells a rate
    that is too high from one that is too low.

    Args:
        case: Model and data.

    Returns:
        A fault where the loss explodes, or does not move and the rate is far from
        what the finder suggests. Paper: Smith, Cyclical Learning Rates,
        https://arxiv.org/abs/1506.01186
    """
    check = "learning_rate"
    size = min(_TRIAL_BATCH_SIZE, case.train.batch_size)
    batches = case.train.as_batches(size)[:_TRIAL_BATCHES]
    with preserved(case.model):
        losses = _trial(case.model, batches)
    rate = _highest_rate(case.model)
    evidence = (
        f"rate {rate:.2g}: the loss goes from {losses[0]:.3g} to {losses[-1]:.3g} in "
        f"{len(losses)} steps"
    )
    first, last = losses[: len(batches)].mean(), losses[-len(batches) :].mean()
    guessing = math.log(max(case.outputs, 2)) if case.loss.kind else 0.0
    limit = _EXPLODED * max(losses[0], guessing)
    exploded = not (np.isfinite(losses).all() and losses.max() <= 2.0 * limit)
    exploded = exploded or last > limit
    if case.trained and not exploded:
        return healthy(check, f"{evidence} of a trained model")
    if not exploded and last < (1.0 - _MOVED) * first:
        return healthy(check, evidence)
    with preserved(case.model):
        curve = find_learning_rate(case.model, batches, low=1e-6, steps=_FINDER_STEPS)
    evidence += f"; the finder's loss is lowest at {curve.lowest:.2g}"
    advice = f"Try about {curve.suggestion:.1g}; look at find_learning_rate's curve."
    if exploded or rate > _TOO_HIGH * curve.lowest:
        return fault(check, f"{evidence}: the rate is too high", advice)
    if rate < _TOO_LOW * curve.suggestion:
        return fault(check, f"{evidence}: the rate is too low", advice)
    return healthy(check, evidence)


def _trial(model, batches):
    losses = []
    for step in range(_TRIAL_PASSES * len(batches)):
        model.reset_metrics()  # else the loss is the mean of all steps so far
        images, labels = batches[step % len(batches)]
        losses.append(model.train_on_batch(images, labels, return_dict=True)["loss"])
        if not np.isfinite(losses[-1]):
            break
    return np.array(losses, "float64")


def _highest_rate(model):
    """Returns the rate, of a schedule the highest it comes to in 100,000 steps."""
    optimizer = inner_optimizer(model)
    if not has_schedule(optimizer):
        return current_learning_rate(optimizer)
    schedule = optimizer._learning_rate
    if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        return current_learning_rate(optimizer)
    steps = np.unique(np.geomspace(1, 100_000, 60).astype(int)) - 1
    rates = [schedule(ops.convert_to_tensor(int(step))) for step in steps]
    return float(max(float(ops.convert_to_numpy(rate)) for rate in rates))
