"""Trials kept by Optuna in an SQLite file, and its sampler as a search algorithm.

A file outlives the process, and several processes can use it at once. A trial is
written when its evaluation is done, in one transaction, so that an interruption
leaves no half of one.

Paper: Optuna: A Next-generation Hyperparameter Optimization Framework,
https://arxiv.org/abs/1907.10902
"""

import json
import time

from helpers.architectures.search import Trial


class OptunaStorage:
    """The trials of one search in an Optuna study."""

    def __init__(self, url, space, name="search"):
        """Open the study, or create it.

        Args:
            url: Where it is: "sqlite:///search.db" for a file of the working folder.
            space: The `Space` that is searched.
            name: Name of the study; a file can hold several.

        Raises:
            ImportError: If Optuna is not installed.
            OSError: If the file cannot be opened.
            ValueError: If the study was made for a space with other choices.
        """
        optuna = _optuna()
        self._distributions = _distributions(space)
        self._study = optuna.create_study(
            storage=_open(url),
            study_name=name,
            direction="maximize",
            load_if_exists=True,
        )
        choices = json.dumps({n: list(v) for n, v in space.choices.items()})
        kept = self._study.user_attrs.get("choices", choices)
        if kept != choices:
            raise ValueError(
                f"the study {name!r} of {url!r} searches {kept}. "
                f"Received a space of {choices}. Give another name."
            )
        self._study.set_user_attr("choices", choices)

    def trials(self):
        """Returns the trials of all processes, oldest first."""
        return [
            Trial(trial.params, trial.user_attrs["parameters"], trial.value)
            for trial in self._study.get_trials(deepcopy=False)
        ]

    def add(self, trial):
        """Writes one more trial."""
        self._study.add_trial(_frozen(trial, self._distributions))


def tree_parzen(space, history, rng):
    """Optuna's sampler (tree-structured Parzen estimator) as an algorithm.

    It models which values the better trials have, and proposes what is likelier
    among them than among the others. The first ten candidates are random.

    Args:
        space: A `Space`.
        history: Trials so far.
        rng: A `numpy.random.Generator`.

    Returns:
        A candidate.
    """
    optuna = _optuna()
    distributions = _distributions(space)
    sampler = optuna.samplers.TPESampler(seed=int(rng.integers(2**31)))
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.add_trials([_frozen(trial, distributions) for trial in history])
    return study.ask(distributions).params


def _open(url):
    """Opens a database, or creates it."""
    optuna = _optuna()
    import sqlalchemy.exc

    failures = (sqlalchemy.exc.DBAPIError, optuna.exceptions.StorageInternalError)
    for attempt in range(10):
        try:
            return optuna.storages.RDBStorage(
                url,
                # Seconds to wait while another process writes.
                engine_kwargs={"connect_args": {"timeout": 60}},
            )
        except failures as error:
            # Another process may be creating the same tables at this moment.
            time.sleep(0.05 * attempt)
            cause = error
    reason = str(cause).splitlines()[0]
    raise OSError(
        f"the storage {url!r} cannot be opened: {reason}. Check that its folder exists."
    ) from cause


def _frozen(trial, distributions):
    return _optuna().trial.create_trial(
        params=trial.candidate,
        distributions=distributions,
        value=trial.accuracy,
        user_attrs={"parameters": trial.parameters},
    )


def _distributions(space):
    """A choice that is no list of values, but a range, knows its own distribution."""
    categorical = _optuna().distributions.CategoricalDistribution
    return {
        name: values.distribution()
        if hasattr(values, "distribution")
        else categorical(values)
        for name, values in space.choices.items()
    }


def _optuna():
    """Optuna, which is imported late: nothing else of the course needs it."""
    try:
        import optuna
    except ImportError as error:
        raise ImportError(
            "Optuna keeps the trials of a search and is not installed. "
            "Install it: python -m pip install optuna"
        ) from error
    # It would print a line for every study that is opened.
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
