"""Methods of search: which settings to try next.

Each is an algorithm as `helpers.architectures.search` has them: a function of the
space, of the trials so far and of a random number generator, which remembers
nothing, so that a search can stop and go on. The method that learns from its trials
is there already: `search_storage.tree_parzen`.

Paper: Random Search for Hyper-Parameter Optimization,
https://jmlr.org/papers/v13/bergstra12a.html
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from helpers.architectures.search import Trial
from helpers.architectures.search_space import Space
from helpers.tuning.ranges import Choice, place


def random_search(space: Space, history: Sequence[Trial], rng: np.random.Generator):
    """Draw every hyperparameter from its whole range, evenly."""
    return place(space.choices, {name: rng.random() for name in space.choices})


class Grid:
    """Every combination of a few values of each hyperparameter.

    The values stand in the middle of equal parts of the range, as a grid does that
    knows nothing of what is good.
    """

    def __init__(self, counts: Mapping[str, int]):
        """Set the number of values of each hyperparameter, by name."""
        self.counts = dict(counts)

    def __len__(self):
        return int(np.prod(list(self.counts.values())))

    def points(self, space: Space) -> list[dict]:
        """All combinations, the last hyperparameter changing fastest.

        Raises:
            ValueError: If a hyperparameter of the space has no count, or another has.
        """
        if self.counts.keys() != space.choices.keys():
            raise ValueError(
                f"the grid has counts for {', '.join(self.counts)}; the space has "
                f"{', '.join(space.choices)}. Give each of them one count."
            )
        shares = [
            [(i + 0.5) / self.counts[name] for i in range(self.counts[name])]
            for name in space.choices
        ]
        return [
            place(space.choices, dict(zip(space.choices, point, strict=True)))
            for point in itertools.product(*shares)
        ]

    def __call__(self, space: Space, history: Sequence[Trial], rng):
        points = self.points(space)
        if len(history) >= len(points):
            raise ValueError(
                f"the grid has {len(points)} points, and {len(history)} trials are "
                "known: ask for no more, or give it more values."
            )
        return points[len(history)]


class OneAtATime:
    """Tries several values of one hyperparameter and keeps the best, then the next.

    It starts from the middle of every range. After the last hyperparameter it comes
    back to the first, with values at other places.
    """

    def __init__(self, values: int):
        """Set how many values of a range are tried in a row; of a choice, all."""
        if values < 2:
            raise ValueError(
                f"{values} value in a row compares nothing: give 2 or more."
            )
        self.values = values

    def __call__(self, space: Space, history: Sequence[Trial], rng):
        start = 0
        while True:
            before = start
            for name, kind in space.choices.items():
                known = history[:start]
                base = self._base(space, known)
                if isinstance(kind, Choice):
                    tried = [trial.candidate for trial in known]
                    values = [v for v in kind.values if {**base, name: v} not in tried]
                else:
                    shares = (np.arange(self.values) + rng.random()) / self.values
                    values = [kind.value(share) for share in shares]
                if len(history) < start + len(values):
                    return {**base, name: values[len(history) - start]}
                start += len(values)
            if start == before:
                raise ValueError(
                    f"one at a time has tried every value around {base}: ask for no "
                    f"more than {start} trials."
                )

    def _base(self, space, known):
        """What the next values are tried with: the best so far, or the middle."""
        if not known:
            return place(space.choices, dict.fromkeys(space.choices, 0.5))
        return dict(max(known, key=lambda trial: trial.accuracy).candidate)
