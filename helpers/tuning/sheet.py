"""The trials of the lecture: which methods, how many of each, and where they lie."""

import csv
import json
from pathlib import Path

import numpy as np

from helpers import runtime
from helpers.architectures.search_storage import tree_parzen
from helpers.tuning.luck import expected_best
from helpers.tuning.methods import Grid, random_search
from helpers.tuning.table import whole_lines

FOLDER = runtime.course_root() / "logs" / "tuning"
GRID = Grid({"peak": 4, "weight_decay": 2, "label_smoothing": 1, "batch_size": 2})
# By method: its algorithm and its number of trials.
METHODS = {
    "random": (random_search, 60),
    "tpe": (tree_parzen, 30),
    "grid": (GRID, len(GRID)),
}
# The winner's own seed, and three that it was not chosen by.
SEEDS = (0, 1, 2, 3)
COLUMNS = ("method", "trial", "seed", "accuracy", "test_accuracy")


def read_best(path: Path) -> list[dict]:
    """Read the trainings of the winners.

    Args:
        path: The CSV file.

    Returns:
        A dictionary a training: `method`, `trial` (the winner's number), `seed`,
        `accuracy` (of the validation images) and `test_accuracy`. Empty where there
        is no file.
    """
    if not path.exists():
        return []
    kinds = {"method": str, "trial": int, "seed": int}
    return [
        {name: kinds.get(name, float)(row[name]) for name in COLUMNS}
        for row in csv.DictReader(whole_lines(path).splitlines())
    ]


def source(folder: Path = FOLDER) -> str:
    """Returns what the trials were trained on, as `about.json` records it."""
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    return about["source"]


def waiting(rows: list[dict]) -> list[str]:
    """Names the methods whose trials are not complete, with their counts."""
    known = {method: 0 for method in METHODS}
    for row in rows:
        known[row["method"]] += 1
    return [
        f"{method} ({known[method]} of {count} trials)"
        for method, (_, count) in METHODS.items()
        if known[method] < count
    ]


def best_by_trials(rows: list[dict]) -> dict:
    """The best validation accuracy by number of trials, for each method.

    Args:
        rows: Rows of `table.read_trials`.

    Returns:
        By method, percent after 1, 2, 3 ... trials: for TPE the best so far; random
        trials and the points of a grid have no order, so for them the mean over all
        choices of so many of the trials.
    """
    series = {}
    for method in METHODS:
        own = [100 * row["accuracy"] for row in rows if row["method"] == method]
        if own:
            reached = np.maximum.accumulate if method == "tpe" else expected_best
            series[method] = reached(own)
    return series


def winners(rows: list[dict]) -> str:
    """The winners in Markdown, in percent.

    Args:
        rows: Rows of `read_best`.

    Returns:
        A table, a row a method: the accuracies of the training with the search's own
        seed, and mean and standard deviation of those with other seeds.
    """
    names = ("accuracy", "test_accuracy")
    lines = [
        "| method | validation | test | other seeds, validation | test |",
        "|---|---:|---:|---:|---:|",
    ]
    for method in METHODS:
        mine = [row for row in rows if row["method"] == method]
        # More trials may have brought another winner, whose rows come last.
        known = {r["seed"]: r for r in mine if r["trial"] == mine[-1]["trial"]}
        own = known.pop(SEEDS[0], None)
        if own is None or len(known) < 2:
            continue
        cells = [f"{100 * own[name]:.1f}" for name in names]
        for name in names:
            values = [100 * row[name] for row in known.values()]
            cells.append(f"{np.mean(values):.1f} ± {np.std(values, ddof=1):.1f}")
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
