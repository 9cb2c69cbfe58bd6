"""Make the trials of the lecture on hyperparameters that are missing.

    python -m helpers.tuning

adds a line a trial to `logs/tuning/trials.csv`, then trains the best of each method
again, with its own seed and three others, into `logs/tuning/best.csv`: only these
use the test images. Interrupted, the same command goes on.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from helpers import data, runtime
from helpers.architectures.search import search
from helpers.callbacks.atomic import write_atomic
from helpers.callbacks.runlog import commit
from helpers.data import Cifar10
from helpers.tuning.sheet import COLUMNS, FOLDER, GRID, METHODS, SEEDS, read_best
from helpers.tuning.table import TrialTable, append, drop_cut_line
from helpers.tuning.trial import EPOCHS, IMAGES, SPACE, recipe_of, train_trial


def about(images: Cifar10) -> dict:
    """What all trials share, as `about.json` records it."""
    # Settings that no hyperparameter changes are those of any candidate.
    recipe = recipe_of(GRID.points(SPACE)[0])
    return {
        "network": "small",
        "source": images.source,
        "sha256": images.sha256,
        "images": len(images.x_train),
        "validation": len(images.x_val),
        "epochs": EPOCHS,
        "transforms": str(recipe.transforms),
        **{name: str(kind) for name, kind in SPACE.choices.items()},
        "grid": GRID.counts,
    }


def check(folder: Path, images: Cifar10) -> None:
    """Note what the trials share, or refuse to mix other ones with them.

    Each start adds the versions, hardware and commit that it was made with, if they
    are new.

    Raises:
        ValueError: If the folder holds trials on other images, of other length or
            from another space.
    """
    path, now = folder / "about.json", about(images)
    then = json.loads(path.read_text(encoding="utf-8")) if path.exists() else now
    other = [name for name in now if then.get(name) != now[name]]
    if other:
        told = "; ".join(f"{n}: {then.get(n)} there, {now[n]} now" for n in other)
        raise ValueError(
            f"{folder} holds other trials ({told}). Move them away, or name another "
            "folder with --folder."
        )
    used = {
        "versions": runtime.versions(),
        "hardware": runtime.hardware(),
        "commit": commit(),
    }
    made_with = then.get("made_with", [])
    if used not in made_with:
        noted = {**now, "made_with": [*made_with, used]}
        write_atomic(path, json.dumps(noted, indent=2) + "\n")


def search_method(method: str, folder: Path, images: Cifar10, trials: int) -> list:
    """Run a method until the table holds its trials; returns them."""
    table = TrialTable(folder / "trials.csv", method, SPACE)

    def train(candidate):
        curve, _ = train_trial(candidate, images)
        settings = ", ".join(f"{n} {v:.3g}" for n, v in candidate.items())
        done = len(table.trials()) + 1
        print(f"{method} {done}/{trials}: {curve[-1]:.4f} {settings}", flush=True)
        return curve

    return search(SPACE, METHODS[method][0], table.measured(train), trials, table)


def repeat_best(
    method: str, trials: list, folder: Path, images: Cifar10, train: Callable
) -> None:
    """Train a method's best trial with every seed that is missing, and test it."""
    number, best = max(enumerate(trials), key=lambda pair: pair[1].accuracy)
    path = folder / "best.csv"
    drop_cut_line(path)
    done = {(row["method"], row["trial"], row["seed"]) for row in read_best(path)}
    for seed in SEEDS:
        if (method, number, seed) in done:
            continue
        curve, tested = train(best.candidate, images, seed=seed, test=True)
        found = (method, number, seed, round(curve[-1], 4), round(tested, 4))
        append(path, COLUMNS, dict(zip(COLUMNS, found, strict=True)))
        print(
            f"best of {method}, seed {seed}: validation {curve[-1]:.4f}, "
            f"test {tested:.4f}",
            flush=True,
        )


def main(arguments=None):
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.tuning", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--methods",
        nargs="+",
        choices=METHODS,
        default=list(METHODS),
        help="default: all; another process can run another method",
    )
    parser.add_argument("--trials", type=int, help="default: the lecture's")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--data", metavar="FOLDER", help="where CIFAR-10 is")
    options = parser.parse_args(arguments)
    try:
        images = data.load_cifar10(options.data, source="cifar10").take(IMAGES)
        check(options.folder, images)
        for method in options.methods:
            trials = options.trials or METHODS[method][1]
            found = search_method(method, options.folder, images, trials)
            repeat_best(method, found, options.folder, images, train_trial)
    except (ImportError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
