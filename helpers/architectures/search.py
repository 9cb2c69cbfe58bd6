"""Architecture search: a space, an algorithm and an evaluation, each replaceable.

    space      what networks there are            search_space.SEPARABLE
    algorithm  which of them to try next          random_search, RegularisedEvolution
    evaluation how good one is                    search_evaluation.short_training

An algorithm is a function of the space, of the trials so far and of a random number
generator. It remembers nothing itself, so a search can stop and go on, and several
processes can share it through a storage (`search_storage`).

Papers: Neural Architecture Search: A Survey, https://arxiv.org/abs/1808.05377;
Regularized Evolution for Image Classifier Architecture Search,
https://arxiv.org/abs/1802.01548; Random Search and Reproducibility for Neural
Architecture Search, https://arxiv.org/abs/1902.07638
"""

import math
from dataclasses import dataclass

import numpy as np

# Proposals in a row that may be too large or known before a search gives up.
ATTEMPTS = 10_000


@dataclass(frozen=True)
class Trial:
    """A candidate that was evaluated.

    Attributes:
        candidate: One value of each choice, by name.
        parameters: Weights of its network.
        accuracy: What the evaluation gave.
    """

    candidate: dict
    parameters: int
    accuracy: float


class MemoryStorage:
    """Keeps the trials of a search for as long as the process runs."""

    def __init__(self):
        self._trials = []

    def trials(self):
        """Returns the trials so far, oldest first."""
        return list(self._trials)

    def add(self, trial):
        """Keeps one more trial."""
        self._trials.append(trial)


def sample(space, rng):
    """Draw a candidate, every value as likely as another.

    Args:
        space: A `Space`.
        rng: A `numpy.random.Generator`.

    Returns:
        A candidate: one value of each choice, by name.
    """
    return {name: _pick(values, rng) for name, values in space.choices.items()}


def mutate(candidate, space, rng):
    """Change one choice of a candidate.

    Args:
        candidate: One value of each choice, by name.
        space: A `Space` of which one choice at least has two values.
        rng: A `numpy.random.Generator`.

    Returns:
        A new candidate that differs in one value.
    """
    names = [n for n, values in space.choices.items() if len(values) > 1]
    name = _pick(names, rng)
    others = [v for v in space.choices[name] if v != candidate[name]]
    return {**candidate, name: _pick(others, rng)}


def random_search(space, history, rng):
    """The algorithm that every other one has to beat."""
    return sample(space, rng)


class RegularisedEvolution:
    """Mutates the best of a few of the youngest candidates.

    The oldest candidate dies, however good it is: one that was lucky once does
    not stay. Of those alive, a few are drawn; the best of these is the parent.
    """

    def __init__(self, population=20, tournament=5):
        """Set the sizes.

        Args:
            population: Candidates alive; as many are drawn at random at first.
            tournament: Candidates of which the best becomes a parent.

        Raises:
            ValueError: If the tournament does not fit into the population.
        """
        if not 1 <= tournament <= population:
            raise ValueError(
                f"a tournament of {tournament} does not fit into a population "
                f"of {population}. Give 1 <= tournament <= population."
            )
        self.population = population
        self.tournament = tournament

    def __call__(self, space, history, rng):
        if len(history) < self.population:
            return sample(space, rng)
        alive = history[-self.population :]
        drawn = rng.choice(len(alive), self.tournament, replace=False)
        parent = max((alive[i] for i in drawn), key=lambda t: t.accuracy)
        return mutate(parent.candidate, space, rng)


def propose(space, algorithm, history, rng, limit):
    """Ask an algorithm for a new candidate that is small enough.

    Args:
        space: A `Space`.
        algorithm: Function of a space, trials and a generator.
        history: Trials so far, oldest first.
        rng: A `numpy.random.Generator`.
        limit: Parameters that a network must stay below.

    Returns:
        A candidate and its parameters.

    Raises:
        ValueError: If all of `ATTEMPTS` proposals are too large or known.
    """
    known = {tuple(sorted(trial.candidate.items())) for trial in history}
    for _ in range(ATTEMPTS):
        candidate = algorithm(space, history, rng)
        parameters = space.parameters(candidate)
        if parameters < limit and tuple(sorted(candidate.items())) not in known:
            return candidate, parameters
    raise ValueError(
        f"none of {ATTEMPTS:,} proposals is new and below limit={limit:,} "
        f"parameters; {len(history)} trials are known. Raise the limit, widen "
        "the space or ask for fewer trials."
    )


def search(
    space,
    algorithm,
    evaluate,
    trials,
    storage=None,
    limit=100_000,
    seed=0,
    worker=0,
):
    """Search until the storage holds a number of trials.

    Candidates that are too large are rejected before they are built. What is
    proposed depends on seed, worker and the trials so far alone: a search that was
    interrupted goes on as if it had not been, and loses one evaluation at most.

    Args:
        space: A `Space`.
        algorithm: Function of a space, trials and a generator that returns a
            candidate.
        evaluate: Function of a candidate that returns its accuracy.
        trials: Trials that the storage shall hold in the end, those of earlier and
            of other processes included. Each other process may add one more.
        storage: A `search_storage.OptunaStorage`; `None` for memory.
        limit: Parameters that a network must stay below.
        seed: Seed of the search.
        worker: Number of this process among those that share the storage, so that
            they propose different candidates.

    Returns:
        All trials of the storage, oldest first.

    Raises:
        ValueError: If an accuracy is not finite, or no candidate can be found.
    """
    storage = MemoryStorage() if storage is None else storage
    while len(history := storage.trials()) < trials:
        rng = np.random.default_rng((seed, worker, len(history)))
        candidate, parameters = propose(space, algorithm, history, rng, limit)
        accuracy = float(evaluate(candidate))
        if not math.isfinite(accuracy):
            raise ValueError(
                f"the evaluation of {candidate} gave {accuracy}. Give the worst "
                "accuracy, 0, to networks that cannot be trained."
            )
        storage.add(Trial(candidate, parameters, accuracy))
    return history


def front(trials):
    """Find the trials that no other one beats in accuracy and parameters.

    Args:
        trials: Trials in any order.

    Returns:
        Those that are more accurate than all that have as few parameters or fewer,
        smallest first.
    """
    kept = []
    for trial in sorted(trials, key=lambda t: (t.parameters, -t.accuracy)):
        if not kept or trial.accuracy > kept[-1].accuracy:
            kept.append(trial)
    return kept


def _pick(values, rng):
    # An index, because numpy would turn the value into a number of its own.
    return values[int(rng.integers(len(values)))]
