"""Compares methods of search on made-up accuracies that cost nothing.

What a trial of the small network would give is replaced by a smooth function whose
best point is drawn anew for each seed. It has the two dependences that the course
knows of: the best learning rate grows with the batch, and weight decay acts through
its product with the rate.
"""

import math
from collections.abc import Callable

import numpy as np

from helpers.architectures.search import search
from helpers.architectures.search_space import Space

# The standard deviation of an accuracy of 70% on 5,000 images, in points.
SIGMA = 100 * math.sqrt(0.7 * 0.3 / 5_000)
BEST, CHANCE = 72.0, 10.0


def landscape(rng: np.random.Generator) -> Callable[[dict], float]:
    """Draw a made-up accuracy of the hyperparameters of `trial.SPACE`.

    Args:
        rng: Draws the best batch, from 32 to 255 images, the best learning rate, from
            0.05 to 1.26 at a batch of 128 and in proportion to the batch, and the
            best weight decay there, from 5e-5 to 2e-3.

    Returns:
        Function of a candidate that returns an accuracy in percent, from `CHANCE` to
        `BEST`.
    """
    best_rate, best_decay, best_size = rng.uniform((-1.3, -4.3, -0.6), (0.1, -2.7, 0.3))

    def accuracy(candidate):
        size = math.log10(candidate["batch_size"] / 128)
        rate = math.log10(candidate["peak"]) - best_rate - size
        decay = math.log10(candidate["weight_decay"]) - best_decay + rate
        smoothing = candidate["label_smoothing"] - 0.1
        alone = 6 * (size - best_size) ** 2 + 20 * smoothing**2
        return max(CHANCE, BEST - 12 * rate**2 - 4 * decay**2 - alone)

    return accuracy


def noisy(accuracy: Callable, rng: np.random.Generator, sigma: float = SIGMA):
    """Add the noise of the validation images to every measurement."""
    return lambda candidate: accuracy(candidate) + rng.normal(0, sigma)


def compare(space: Space, method: Callable, seeds: int, trials: int) -> np.ndarray:
    """Search several landscapes and follow how good the chosen trial is.

    Args:
        space: The `Space` of `trial`.
        method: An algorithm of `search`.
        seeds: Number of landscapes, the same for every method.
        trials: Trials of each search.

    Returns:
        Array `(trials,)`: the accuracy without noise, in percent, of the trial that
        measured best among the first 1, 2, 3 ..., averaged over the landscapes.
    """
    chosen = []
    for seed in range(seeds):
        rng = np.random.default_rng((23, seed))
        true = landscape(rng)
        found = search(space, method, noisy(true, rng), trials, seed=seed)
        measured = [trial.accuracy for trial in found]
        known = np.array([true(trial.candidate) for trial in found])
        chosen.append(known[[np.argmax(measured[: k + 1]) for k in range(trials)]])
    return np.mean(chosen, axis=0)
