"""Search an architecture for the assignment without a notebook.

    python -m helpers.search --trials 100 --algorithm evolution

The trials are kept in an SQLite file: the same command goes on where it stopped, and
started in several terminals, each with another `--worker`, all share the search.
"""

import argparse
import sys
from pathlib import Path

from helpers import augment, data
from helpers.architectures.search import (
    RegularisedEvolution,
    front,
    random_search,
    search,
)
from helpers.architectures.search_evaluation import short_training
from helpers.architectures.search_space import SEPARABLE
from helpers.architectures.search_storage import OptunaStorage, tree_parzen

# Runs in progress, which git ignores.
FOLDER = Path("logs", "local")
ALGORITHMS = {
    "random": random_search,
    "evolution": RegularisedEvolution(),
    "tpe": tree_parzen,
}


def table(trials):
    """The front of a search as a table in Markdown.

    Args:
        trials: Trials of a search.

    Returns:
        A line a trial of the front, smallest network first.
    """
    lines = ["| parameters | accuracy | candidate |", "|---:|---:|---|"]
    for trial in front(trials):
        choices = ", ".join(f"{k} {v}" for k, v in sorted(trial.candidate.items()))
        lines.append(f"| {trial.parameters:,} | {trial.accuracy:.4f} | {choices} |")
    return "\n".join(lines)


def parser():
    """The command line of `python -m helpers.search`."""
    found = argparse.ArgumentParser(
        prog="python -m helpers.search", description=__doc__.splitlines()[0]
    )
    found.add_argument("--trials", type=int, default=50, help="networks to evaluate")
    found.add_argument("--algorithm", choices=ALGORITHMS, default="evolution")
    found.add_argument(
        "--storage", help=f"URL of the trials; {FOLDER}/search.db by default"
    )
    found.add_argument(
        "--name",
        help="of the search; by default made of all that its trials share",
    )
    found.add_argument("--worker", type=int, default=0, help="number of this process")
    found.add_argument("--seed", type=int, default=0)
    found.add_argument("--limit", type=int, default=100_000, help="of the parameters")
    found.add_argument("--epochs", type=int, default=3, help="of each training")
    found.add_argument(
        "--images", type=int, default=9_000, help="training images; validated on 5,000"
    )
    found.add_argument("--data", help="folder of the images")
    return found


def main(arguments=None):
    """Search, and print a line a trial and the front at the end.

    Args:
        arguments: Command line without the program's name; `None` for `sys.argv`.

    Returns:
        0, the exit status.
    """
    chosen = parser().parse_args(arguments)
    images = data.load_cifar10(chosen.data, source="cifar10")
    evaluate = short_training(
        SEPARABLE,
        augment.normalize(images.x_train[: chosen.images]),
        images.y_train[: chosen.images],
        augment.normalize(images.x_val),
        images.y_val,
        epochs=chosen.epochs,
        seed=chosen.seed,
    )

    def report(candidate):
        accuracy = evaluate(candidate)
        parameters = SEPARABLE.parameters(candidate)
        print(f"{accuracy:.4f} with {parameters:,} parameters", flush=True)
        return accuracy

    # Trials of another length, seed or limit or of other images: another search.
    length = f"{chosen.epochs}x{chosen.images}_{images.sha256[:8]}"
    shared = f"{length}_seed{chosen.seed}_limit{chosen.limit}"
    name = chosen.name or f"{chosen.algorithm}_{shared}"
    if chosen.storage is None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        chosen.storage = f"sqlite:///{(FOLDER / 'search.db').as_posix()}"
    trials = search(
        SEPARABLE,
        ALGORITHMS[chosen.algorithm],
        report,
        chosen.trials,
        OptunaStorage(chosen.storage, SEPARABLE, name),
        limit=chosen.limit,
        seed=chosen.seed,
        worker=chosen.worker,
    )
    print(
        f"\n{len(trials)} networks, {chosen.epochs} epochs on {chosen.images:,} images "
        f"of {images.source}:\n\n{table(trials)}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
