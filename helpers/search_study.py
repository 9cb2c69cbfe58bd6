"""The searches of the lecture on architecture search, and the check of what they found.

    python -m helpers.search_study random
    python -m helpers.search_study evolution
    python -m helpers.search_study check

A search writes `logs/search/ALGORITHM_seedSEED`: `trials.csv`, a row a trial, and
`run.json`. The check trains some of the candidates again, with another seed and for
longer, and writes `logs/search/check`. All go on where they stopped.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from helpers import augment, data, runtime
from helpers.architectures.search import RegularisedEvolution, random_search, search
from helpers.architectures.search_evaluation import accuracy_on, train_briefly
from helpers.architectures.search_space import SEPARABLE
from helpers.callbacks.runfiles import read_run, write_run
from helpers.search_log import Table, TrialLog

FOLDER = runtime.course_root() / "logs" / "search"
ALGORITHMS = {"random": random_search, "evolution": RegularisedEvolution(20, 5)}
# A seed each: with the same one, both would begin with the same candidates.
SEEDS = {"random": 0, "evolution": 1}
PLANNED = ("random_seed0", "evolution_seed1", "check")
TRIALS, LIMIT = 60, 100_000
# Images of the training, of the validation, and of a second validation that no
# search has seen: all are training images of CIFAR-10, none is a test image.
IMAGES, FRESH = 9_000, 5_000
EPOCHS, LONGER = 3, 15
# The check takes so many of the first candidates of random search, which nobody has
# chosen, and so many of the best of each search.
SAMPLE, BEST = 12, 3
# How the check trains each: epochs and seed. The searches train with seed 0.
TRAININGS = ((EPOCHS, 1), (LONGER, 0))
CHECKED = {
    "origin": str,
    "parameters": int,
    "epochs": int,
    "seed": int,
    "accuracy": float,
    "fresh_accuracy": float,
    "seconds": float,
}


@dataclass(frozen=True)
class Images:
    """Standardised images and their classes.

    Attributes:
        train: What the candidates are trained on.
        validation: What the searches choose by.
        fresh: What no search has chosen by.
        data: What `run.json` says of them.
    """

    train: tuple
    validation: tuple
    fresh: tuple
    data: dict


def prepare(images):
    """Divide the training images of a `Cifar10` into `Images`."""
    # Of every class the same number, and the smaller choice is part of the larger.
    small, large = (images.take(train=n) for n in (IMAGES, IMAGES + FRESH))
    used = {image.tobytes() for image in small.x_train}
    fresh = [image.tobytes() not in used for image in large.x_train]
    return Images(
        train=(augment.normalize(small.x_train), small.y_train),
        validation=(augment.normalize(images.x_val), images.y_val),
        fresh=(augment.normalize(large.x_train[fresh]), large.y_train[fresh]),
        data={
            "source": images.source,
            "sha256": images.sha256,
            "protocol": f"trained on {IMAGES:,} of the training images, validated on "
            f"the {len(images.y_val):,} held out; the test images are not used",
        },
    )


def finished(folder=FOLDER):
    """Folders of what is finished by name, those of `PLANNED` first."""
    found = {
        path.parent.name: path.parent
        for path in sorted(Path(folder).glob("*/run.json"))
        if read_run(path.parent).get("finished")
    }
    first = {name: found[name] for name in PLANNED if name in found}
    return first | found


def missing(folder=FOLDER):
    """Names of what the lecture reads and nobody has run to its end."""
    return [name for name in PLANNED if name not in finished(folder)]


def trials(name, folder=FOLDER, space=SEPARABLE):
    """Rows of a search, such as "random_seed0"; see `search_log.Table.rows`."""
    return TrialLog(Path(folder) / name, space, name).rows()


def checks(folder=FOLDER, space=SEPARABLE):
    """Rows of the check: of each candidate one for each of `TRAININGS`."""
    return Table(Path(folder) / "check" / "trials.csv", space, CHECKED).rows()


def run_search(algorithm, images, seed=0, count=TRIALS, folder=FOLDER, space=SEPARABLE):
    """Search until the log holds a number of trials, or go on with that.

    Every candidate is trained with seed 0, whatever the seed of the search, so that
    accuracies of several searches can be compared.

    Args:
        algorithm: A name of `ALGORITHMS`.
        images: The `Images`.
        seed: Seed of the search.
        count: Trials that the log shall hold in the end.
        folder: Folder of all searches.
        space: The `Space`.

    Returns:
        The folder of the search.

    Raises:
        ValueError: If the folder holds a search with other settings.
    """
    path = Path(folder) / f"{algorithm}_seed{seed}"
    settings = {
        "algorithm": algorithm,
        "seed": seed,
        "limit": LIMIT,
        "epochs": EPOCHS,
        "images": len(images.train[1]),
        "data": images.data,
    }
    _begin(path, settings)

    def evaluate(candidate):
        model = train_briefly(space, candidate, *images.train, EPOCHS)
        accuracy = accuracy_on(model, *images.validation)
        parameters = space.parameters(candidate)
        print(f"{accuracy:.4f} with {parameters:,} parameters", flush=True)
        return accuracy

    log = TrialLog(path, space, algorithm, seed)
    if len(log.rows()) < count:
        write_run(path, {**read_run(path), "finished": False})
    search(space, ALGORITHMS[algorithm], evaluate, count, log, LIMIT, seed)
    _end(path, log.rows())
    check = Path(folder) / "check"
    if not missing(folder) and unchecked(folder, space):
        # More trials have found candidates that the check has not seen.
        write_run(check, {**read_run(check), "finished": False})
    return path


def chosen(folder=FOLDER, space=SEPARABLE):
    """Choose what the check trains again.

    Args:
        folder: Folder of all searches.
        space: The `Space`.

    Returns:
        Pairs of an origin and a candidate, every candidate once: the first of random
        search ("sample"), then the best of each planned search, by its name.

    Raises:
        FileNotFoundError: If a planned search is not finished.
    """
    searches = [name for name in PLANNED if name != "check"]
    absent = missing(folder)
    waiting = [
        name
        for name in searches
        if name in absent or len(trials(name, folder, space)) < TRIALS
    ]
    if waiting:
        raise FileNotFoundError(
            f"the check needs searches of {TRIALS} trials: {', '.join(waiting)} first."
        )
    found = [("sample", row) for row in trials(searches[0], folder, space)[:SAMPLE]]
    for name in searches:
        rows = trials(name, folder, space)
        best = sorted(rows, key=lambda row: -row["accuracy"])[:BEST]
        found += [(name, row) for row in best]
    pairs = []
    for origin, row in found:
        if all(row["candidate"] != candidate for _, candidate in pairs):
            pairs.append((origin, row["candidate"]))
    return pairs


def unchecked(folder=FOLDER, space=SEPARABLE):
    """List the trainings of the check that are missing.

    Args:
        folder: Folder of all searches.
        space: The `Space`.

    Returns:
        `(origin, candidate, epochs, seed)` of each.

    Raises:
        FileNotFoundError: If a planned search is not finished.
    """
    done = [
        (row["candidate"], row["epochs"], row["seed"]) for row in checks(folder, space)
    ]
    return [
        (origin, candidate, epochs, seed)
        for origin, candidate in chosen(folder, space)
        for epochs, seed in TRAININGS
        if (candidate, epochs, seed) not in done
    ]


def run_check(images, folder=FOLDER, space=SEPARABLE):
    """Train what `chosen` names again, as `TRAININGS` says, or go on with that.

    Args:
        images: The `Images`.
        folder: Folder of all searches.
        space: The `Space`.

    Returns:
        The folder of the check.

    Raises:
        FileNotFoundError: If a planned search is not finished.
        ValueError: If the folder holds a check with other settings.
    """
    path = Path(folder) / "check"
    waiting = unchecked(folder, space)
    images_used = {"images": len(images.train[1]), "data": images.data}
    _begin(path, {"trainings": [list(t) for t in TRAININGS], **images_used})
    table = Table(path / "trials.csv", space, CHECKED)
    for origin, candidate, epochs, seed in waiting:
        start = time.perf_counter()
        model = train_briefly(space, candidate, *images.train, epochs=epochs, seed=seed)
        accuracy = accuracy_on(model, *images.validation)
        table.add(
            candidate,
            origin=origin,
            parameters=space.parameters(candidate),
            epochs=epochs,
            seed=seed,
            accuracy=accuracy,
            fresh_accuracy=accuracy_on(model, *images.fresh),
            seconds=round(time.perf_counter() - start, 1),
        )
        print(f"{accuracy:.4f} after {epochs} epochs, seed {seed}", flush=True)
    _end(path, table.rows())
    return path


def _begin(path, settings):
    """Writes `run.json`, or compares what stands there."""
    found = read_run(path)
    for name, value in settings.items():
        if found and found.get(name) != value:
            raise ValueError(
                f"{path} was made with {name} {found.get(name)!r}. Received {value!r}. "
                "Set it back to go on, or move the folder away."
            )
    if not found:
        versions, hardware = runtime.versions(), runtime.hardware()
        write_run(path, {**settings, "versions": versions, "hardware": hardware})


def _end(path, rows):
    seconds = round(sum(row["seconds"] for row in rows), 1)
    counted = {"trials": len(rows), "seconds": seconds, "finished": True}
    write_run(path, {**read_run(path), **counted})


def main(arguments=None):
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.search_study", description=__doc__.splitlines()[0]
    )
    parser.add_argument("what", choices=[*ALGORITHMS, "check"])
    parser.add_argument("--trials", type=int, default=TRIALS, help="of a search")
    parser.add_argument(
        "--seed", type=int, help="of a search; default: 0 for random, 1 for evolution"
    )
    parser.add_argument("--data", metavar="FOLDER", help="where CIFAR-10 is")
    parser.add_argument("--folder", default=FOLDER, help="of all searches")
    options = parser.parse_args(arguments)
    try:
        images = prepare(data.load_cifar10(options.data, source="cifar10"))
        if options.what == "check":
            run_check(images, options.folder)
        else:
            seed = SEEDS[options.what] if options.seed is None else options.seed
            run_search(options.what, images, seed, options.trials, options.folder)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
