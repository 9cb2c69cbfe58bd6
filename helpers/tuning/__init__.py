"""Hyperparameters: what may be chosen, how to search it, and how far luck goes.

    python -m helpers.tuning

makes the trials of the lecture that are missing from `logs/tuning/trials.csv`. The
search itself is `helpers.architectures.search.search`: a hyperparameter is one more
choice of a `Space`, with a range of numbers in place of a list of values.
"""

from helpers.tuning.luck import expected_best, expected_maximum
from helpers.tuning.methods import Grid, OneAtATime, random_search
from helpers.tuning.ranges import Choice, Range, place
from helpers.tuning.table import read_trials

__all__ = [
    "Choice",
    "Grid",
    "OneAtATime",
    "Range",
    "expected_best",
    "expected_maximum",
    "place",
    "random_search",
    "read_trials",
]
