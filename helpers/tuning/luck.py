"""How far luck goes: what the best of several trials is expected to be.

Papers: Show Your Work: Improved Reporting of Experimental Results,
https://arxiv.org/abs/1909.03004; Showing Your Work Doesn't Always Work,
https://arxiv.org/abs/2004.13705, whose estimator needs no correction for bias
"""

import math
from collections.abc import Sequence

import numpy as np


def expected_maximum(trials: int) -> float:
    """The expected best of several draws of pure noise.

    Args:
        trials: Number of independent draws from a normal distribution.

    Returns:
        The expectation of the largest, in standard deviations above the mean.

    Raises:
        ValueError: If there is no draw.
    """
    if trials < 1:
        raise ValueError(f"the best of {trials} draws is none: give 1 or more.")
    x = np.linspace(-12.0, 12.0, 24_001)
    density = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    below = (np.cumsum(density) - density / 2) * (x[1] - x[0])
    # The largest is x, and the others lie below it.
    return float(trials * np.sum(x * density * below ** (trials - 1)) * (x[1] - x[0]))


def expected_best(accuracies: Sequence[float]) -> np.ndarray:
    """The best that fewer of the same random trials would have found, on average.

    The average is over all choices of k of the n trials: the i-th smallest is the
    best of C(i - 1, k - 1) of the C(n, k) choices.

    Args:
        accuracies: Results of n trials, drawn independently of each other.

    Returns:
        Array `(n,)`: the expected best of 1, 2, ... n trials.
    """
    ranked = np.sort(np.asarray(accuracies, float))
    count = len(ranked)
    # The probability that all k chosen trials are among the i smallest.
    among = np.ones(count + 1)
    found = np.empty(count)
    for k in range(count):
        among *= np.maximum(np.arange(count + 1) - k, 0) / (count - k)
        found[k] = np.diff(among) @ ranked
    return found
