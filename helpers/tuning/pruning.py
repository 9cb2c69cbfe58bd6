"""Two rules that stop a training early, applied to curves that are known whole.

Papers: Google Vizier, https://dl.acm.org/doi/10.1145/3097983.3098043, for the median
rule; Non-stochastic Best Arm Identification and Hyperparameter Optimization,
https://arxiv.org/abs/1502.07943, for successive halving
"""

from collections.abc import Sequence

import numpy as np


def median_rule(
    curves: Sequence[Sequence[float]], first: int = 5, warmup: int = 2
) -> list[int]:
    """Stop a trial whose best so far is below the median of the whole trials.

    Args:
        curves: Accuracy of each trial after each epoch, in the order of the trials.
        first: Trials that run whole before any is stopped.
        warmup: Epochs that every trial runs.

    Returns:
        Epochs that each trial runs.
    """
    whole, ends = [], []
    for curve in curves:
        end = len(curve)
        for epoch in range(warmup, len(curve)) if len(whole) >= first else ():
            if max(curve[:epoch]) < np.median([c[epoch - 1] for c in whole]):
                end = epoch
                break
        if end == len(curve):
            whole.append(curve)
        ends.append(end)
    return ends


def successive_halving(
    curves: Sequence[Sequence[float]],
    rounds: Sequence[int] = (3, 10),
    factor: int = 3,
) -> list[int]:
    """Start all trials, and keep the best part of them after each round.

    Args:
        curves: Accuracy of each trial after each epoch.
        rounds: Epochs after which trials are stopped, ascending.
        factor: One of so many is kept, rounded up.

    Returns:
        Epochs that each trial runs.
    """
    ends = [len(curve) for curve in curves]
    alive = list(range(len(curves)))
    for epoch in rounds:
        alive.sort(key=lambda i: curves[i][epoch - 1], reverse=True)
        keep = -(-len(alive) // factor)
        for i in alive[keep:]:
            ends[i] = epoch
        alive = alive[:keep]
    return ends
