"""Calibration: whether a network is right as often as it says.

Paper: On Calibration of Modern Neural Networks, https://arxiv.org/abs/1706.04599
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Reliability:
    """Images divided into bins by the probability of the class predicted.

    Attributes:
        edges: bounds of the bins, `(bins + 1,)`, from 0 to 1.
        count: images in each bin, `(bins,)`.
        confidence: mean probability of the class predicted, NaN in an empty bin.
        accuracy: share of images that are predicted rightly, NaN in an empty bin.
    """

    edges: np.ndarray
    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    @property
    def error(self) -> float:
        """The expected calibration error, 0 to 1: the mean gap of the images."""
        gaps = np.abs(self.accuracy - self.confidence)
        filled = self.count > 0
        return float(np.average(gaps[filled], weights=self.count[filled]))


def reliability(probabilities, labels, bins: int = 15) -> Reliability:
    """Compares, bin by bin, how sure a network is with how often it is right.

    A bin holds probabilities above its lower bound, up to its upper bound.

    Args:
        probabilities: `(images, classes)`.
        labels: `(images,)`.
        bins: bins of equal width.

    Returns:
        A `Reliability`.

    Raises:
        ValueError: if there are no images, or not one label an image.
    """
    probabilities, labels = np.asarray(probabilities), np.asarray(labels)
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1]:
        raise ValueError(
            f"probabilities {probabilities.shape} and labels {labels.shape} do not "
            "fit: give (images, classes) and (images,)."
        )
    if not len(labels):
        raise ValueError("there are no images to compare: give at least one.")
    sure = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, sure, side="left") - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    total_sure = np.bincount(place, sure, minlength=bins)
    total_right = np.bincount(place, right, minlength=bins)
    divisor = np.where(count, count, np.nan)
    return Reliability(edges, count, total_sure / divisor, total_right / divisor)


def cross_entropy(probabilities, labels) -> float:
    """The mean of minus the logarithm of the right class's probability."""
    probabilities = np.asarray(probabilities, "float64")
    right = probabilities[np.arange(len(labels)), np.asarray(labels, int)]
    return float(-np.log(np.maximum(right, np.finfo("float64").tiny)).mean())


def temper(probabilities, temperature: float):
    """Divides the scores behind probabilities by a temperature.

    The logarithms of the probabilities serve as scores: they differ from those
    that the softmax got by a constant an image, which the softmax forgets.

    Args:
        probabilities: `(..., classes)`.
        temperature: above 1 for less sure predictions, below 1 for surer ones.

    Returns:
        Probabilities of the same shape; the order of the classes is the same.

    Raises:
        ValueError: if the temperature is not above 0.
    """
    if not temperature > 0:
        raise ValueError(f"temperature is {temperature}: choose one above 0.")
    probabilities = np.asarray(probabilities, "float64")
    scores = np.log(np.maximum(probabilities, np.finfo("float32").tiny))
    scores = scores / temperature
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def fit_temperature(probabilities, labels, between=(0.05, 20.0)) -> float:
    """Finds the temperature that lowers the cross-entropy most.

    The cross-entropy is convex in 1 / temperature. Its slope is the mean score
    that the tempered probabilities expect, less the mean score of the right
    class; the temperature is where it is zero.

    Args:
        probabilities: `(images, classes)`, of images that did not train the
            network.
        labels: `(images,)`.
        between: the lowest and the highest temperature to choose from.

    Returns:
        The temperature.
    """
    probabilities = np.asarray(probabilities, "float64")
    scores = np.log(np.maximum(probabilities, np.finfo("float32").tiny))
    right = scores[np.arange(len(labels)), np.asarray(labels, int)].mean()
    low, high = np.log(between)
    for _ in range(50):
        middle = (low + high) / 2
        tempered = temper(probabilities, np.exp(middle))
        if (tempered * scores).sum(axis=1).mean() > right:
            low = middle  # surer than it is right: the temperature is higher
        else:
            high = middle
    return float(np.exp((low + high) / 2))
