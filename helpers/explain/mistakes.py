"""Where a classifier is wrong: the confusion matrix and the worst mistakes."""

import numpy as np

# 16-bit probabilities of ten classes sum to one within this.
TOLERANCE = 0.05


def confusion_matrix(
    labels: np.ndarray, predicted: np.ndarray, classes: int
) -> np.ndarray:
    """Counts images by their class and the class that was predicted.

    Args:
        labels: `(n,)` or `(n, 1)`, true classes, counted from 0.
        predicted: `(n,)` or `(n, 1)`, predicted classes.
        classes: number of classes.

    Returns:
        `(classes, classes)` of int64: true classes down, predicted ones across.

    Raises:
        ValueError: where the lengths differ or there is no such class.
    """
    labels = _classes("labels", labels, classes)
    predicted = _classes("predicted", predicted, classes)
    if labels.shape != predicted.shape:
        raise ValueError(
            f"there are {labels.size} labels and {predicted.size} predictions: give "
            "one of each for every image"
        )
    counts = np.bincount(labels * classes + predicted, minlength=classes**2)
    return counts.reshape(classes, classes)


def worst_mistakes(
    probabilities: np.ndarray, labels: np.ndarray, count: int = 10
) -> np.ndarray:
    """Finds the mistakes that the network was surest of.

    Args:
        probabilities: `(n, classes)`, as `model.predict` returns them; of a model
            with one sigmoid output, `np.hstack([1 - p, p])`.
        labels: `(n,)` or `(n, 1)`, true classes, counted from 0.
        count: how many to return at most.

    Returns:
        Indices of wrongly classified images, the highest probability of a wrong class
        first; equal ones in the order of the images. Fewer than `count` where there
        are fewer mistakes.

    Raises:
        ValueError: where the shapes do not fit, the values are not probabilities, or
            `count` is negative.
    """
    probabilities = np.asarray(probabilities, dtype="float64")
    if probabilities.ndim != 2 or not probabilities.shape[1]:
        raise ValueError(
            f"probabilities have the shape {probabilities.shape}, expected (n, classes)"
        )
    if probabilities.shape[1] == 1:
        raise ValueError(
            "probabilities have one column, that of the positive class: give both "
            "classes, np.hstack([1 - p, p])"
        )
    labels = _classes("labels", labels, probabilities.shape[1])
    if len(labels) != len(probabilities):
        raise ValueError(
            f"there are {len(probabilities)} predictions and {len(labels)} labels: "
            "give one of each for every image"
        )
    sums = probabilities.sum(axis=1)
    strange = (probabilities.min(axis=1, initial=0) < 0) | ~(abs(sums - 1) < TOLERANCE)
    if strange.any():
        row = int(np.argmax(strange))
        raise ValueError(
            f"row {row} is not of probabilities: its sum is {sums[row]:g}, its lowest "
            f"value {probabilities[row].min():g}. Apply keras.ops.softmax to logits"
        )
    if count < 0:
        raise ValueError(f"count is {count}: ask for 0 mistakes or more")
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    order = np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")
    return wrong[order][:count]


def _classes(name, values, classes):
    values = np.asarray(values)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or not np.issubdtype(values.dtype, np.integer):
        raise ValueError(
            f"{name} are {values.dtype} of shape {values.shape}, expected integers of "
            "shape (n,)"
        )
    wrong = values[(values < 0) | (values >= classes)]
    if wrong.size:
        raise ValueError(
            f"{name} hold the class {wrong[0]}; with {classes} classes they go from 0 "
            f"to {classes - 1}"
        )
    return values.astype("int64")
