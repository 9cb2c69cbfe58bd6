"""The comparison: methods, numbers of images and draws, logged a row a run.

`logs/studies/transfer/runs.csv` has the accuracies, `study.json` beside it what all
runs share. A run takes a minute or two, so one that was interrupted is simply done
again.
"""

import hashlib
import itertools
import json
import statistics
import time
from pathlib import Path

import keras

from helpers import runtime
from helpers.callbacks.atomic import write_atomic
from helpers.callbacks.runlog import commit
from helpers.transfer import rates
from helpers.transfer.classes import NEW, draw, only
from helpers.transfer.files import read_rows, write_rows
from helpers.transfer.methods import BATCH, HEAD_RATE, METHODS, accuracy, trained
from helpers.transfer.source import SOURCE, load_source

EPOCHS = {10: 200, 50: 100, 500: 40}  # by the number of images a class
DRAWS = 5
RUNS, STUDY = "runs.csv", "study.json"
KINDS = {
    "method": str,
    "images_a_class": int,
    "draw": int,
    "training_accuracy": float,
    "val_accuracy": float,
    "test_accuracy": float,
    "seconds": float,
}


def folder():
    """Where the study lies: `logs/studies/transfer`."""
    return runtime.course_root() / "logs" / "studies" / "transfer"


def rows(path=None):
    """Read the runs that are done.

    Args:
        path: Folder of the study; `None` for `folder()`.

    Returns:
        A dictionary a run with the keys of `KINDS`; empty where there is no file.

    Raises:
        ValueError: If the file is not that of this study, or holds a run twice.
    """
    found = read_rows(Path(path or folder()) / RUNS, KINDS)
    keys = [_key(row) for row in found]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ValueError(
            f"{RUNS} holds a run twice (draw, images a class, method: {twice[0]}): "
            "remove one of the lines, and run one process only."
        )
    return found


def _key(row):
    return row["draw"], row["images_a_class"], row["method"]


def missing(path=None):
    """The runs that are not done, in the order in which they are made.

    Args:
        path: Folder of the study; `None` for `folder()`.

    Returns:
        A list of `(draw, images a class, method)`.
    """
    done = {_key(row) for row in rows(path)}
    # Draw by draw, so that an unfinished study compares all methods too.
    every = itertools.product(range(DRAWS), EPOCHS, METHODS)
    return [key for key in every if key not in done]


def shared(images, path):
    """What all runs of the study share, as `study.json` records it.

    Args:
        images: The whole `Cifar10`.
        path: Folder of the study, with the source network's run.

    Returns:
        A dictionary that JSON can hold.
    """
    weights = (path / SOURCE / "model.keras").read_bytes()
    return {
        "question": "How many labels does a network need that was trained before?",
        "classes": [images.class_names[label] for label in NEW],
        "data": {"source": images.source, "sha256": images.sha256},
        "source_network": {
            "run": SOURCE,
            "sha256": hashlib.sha256(weights).hexdigest(),
        },
        "batch_size": BATCH,
        "head_rate": HEAD_RATE,
        "epochs": {str(number): epochs for number, epochs in EPOCHS.items()},
        "methods": {name: way.what for name, way in METHODS.items()},
        "rates": {
            "tried": list(rates.RATES),
            "draws": list(rates.DRAWS),
            "images_a_class": rates.PER_CLASS,
        },
    }


def study(path=None):
    """Read `study.json`: what all runs share; an empty dictionary without it."""
    path = Path(path or folder()) / STUDY
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def begin(images, path):
    """Write `study.json`, or see that the runs that exist belong to this study.

    More learning rates may be tried until the first compared run has used the best.

    Args:
        images: The whole `Cifar10`.
        path: Folder of the study.

    Raises:
        ValueError: If they were made otherwise; the message names what differs.
    """
    fixed = shared(images, path)
    then = study(path)
    compared = rows(path)
    begun = compared or rates.rows(path)
    if begun:
        tried = then.get("rates", {}).get("tried", [])
        if not compared and set(tried) <= set(rates.RATES):
            then["rates"] = {**then.get("rates", {}), "tried": list(rates.RATES)}
        differing = [name for name in fixed if then.get(name) != fixed[name]]
        if differing:
            raise ValueError(
                f"the runs in {path} were made with other {', '.join(differing)}: "
                f"move {RUNS}, {rates.FILE} and {STUDY} away to make all runs again, "
                f"and {SOURCE} with them if the source is to be trained again."
            )
    used = {
        "versions": runtime.versions(),
        "hardware": runtime.hardware(),
        "commit": commit(),
    }
    made_with = then.get("made_with", []) if begun else []
    if used not in made_with:
        made_with = [*made_with, used]
    text = json.dumps({**fixed, "made_with": made_with}, indent=2)
    write_atomic(path / STUDY, text + "\n")


def search_rates(images, path):
    """Make the trials of learning rates that are missing.

    Args:
        images: The `Cifar10` of the new classes.
        path: Folder of the study, with the source network's run.
    """
    waiting = rates.missing(path)
    for index, (number, method, rate) in enumerate(waiting, start=1):
        drawn = draw(images, rates.PER_CLASS, number)
        model, seconds = timed(method, path, drawn, number, rate)
        row = {
            "method": method,
            "rate": rate,
            "draw": number,
            "val_accuracy": round(accuracy(model, drawn.x_val, drawn.y_val), 6),
            "seconds": seconds,
        }
        write_rows(path / rates.FILE, [*rates.rows(path), row], rates.KINDS)
        print(
            f"rate {index}/{len(waiting)}: {METHODS[method].what}, {rate}, draw "
            f"{number}: validation {row['val_accuracy']:.3f}, {seconds:.0f} s",
            flush=True,
        )


def timed(method, path, drawn, seed, rate):
    """Load the source and train one network; returns it and the seconds it took."""
    keras.backend.clear_session()
    start = time.perf_counter()
    source = load_source(path)
    epochs = EPOCHS[len(drawn.y_train) // len(drawn.class_names)]
    model = trained(method, source, drawn, epochs, seed, rate)
    return model, round(time.perf_counter() - start, 1)


def run_missing(images, path=None):
    """Make all that is missing: trials of rates, then the runs that are compared.

    Args:
        images: The whole `Cifar10`.
        path: Folder of the study, with the source network's run; `None` for
            `folder()`.

    Raises:
        ValueError: If the folder's runs were made otherwise, or the best learning
            rate of a way may lie outside of those tried.
    """
    path = Path(path or folder())
    if not missing(path):
        return
    begin(images, path)
    new = only(images, NEW)
    search_rates(new, path)
    trials = rates.rows(path)
    rates.check_ends(trials)
    rate_of = rates.chosen(trials)
    waiting = missing(path)
    for index, (number, per_class, method) in enumerate(waiting, start=1):
        drawn = draw(new, per_class, number)
        model, seconds = timed(method, path, drawn, number, rate_of.get(method))
        row = {"method": method, "images_a_class": per_class, "draw": number}
        for name, part in (("training", "train"), ("val", "val"), ("test", "test")):
            x, y = getattr(drawn, f"x_{part}"), getattr(drawn, f"y_{part}")
            row[f"{name}_accuracy"] = round(accuracy(model, x, y), 6)
        row["seconds"] = seconds
        write_rows(path / RUNS, [*rows(path), row], KINDS)
        print(
            f"{index}/{len(waiting)}: draw {number}, {per_class} images a class, "
            f"{METHODS[method].what}: validation {row['val_accuracy']:.3f}, "
            f"test {row['test_accuracy']:.3f}, {seconds:.0f} s",
            flush=True,
        )


def table(found):
    """The results in Markdown: test accuracy in percent.

    Args:
        found: Runs, as `rows` returns them.

    Returns:
        A table, a row a method, a column a number of images: the mean over the
        draws, with their standard deviation where there are several.
    """
    numbers = sorted({row["images_a_class"] for row in found})
    head = " | ".join(f"{number} a class" for number in numbers)
    lines = [f"| method | {head} |", "|---|" + "---:|" * len(numbers)]
    for method, way in METHODS.items():
        cells = []
        for number in numbers:
            values = [
                100 * row["test_accuracy"]
                for row in found
                if (row["method"], row["images_a_class"]) == (method, number)
            ]
            cells.append(f"{statistics.mean(values):.1f}" if values else "")
            if len(values) > 1:
                cells[-1] += f" ± {statistics.stdev(values):.1f}"
        lines.append(f"| {way.what} | {' | '.join(cells)} |")
    return "\n".join(lines)
