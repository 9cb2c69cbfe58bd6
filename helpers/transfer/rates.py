"""The learning rates: each way that trains layers tries the same, on draws of its own.

The choice is by validation accuracy. `logs/studies/transfer/rates.csv` has a row for
each trial; the images of these draws train no network that is compared.
"""

import itertools
import statistics
from pathlib import Path

from helpers.transfer.files import read_rows
from helpers.transfer.methods import METHODS

RATES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
DRAWS = (5, 6)  # those of the comparison are 0 to 4
PER_CLASS = 50
FILE = "rates.csv"
KINDS = {
    "method": str,
    "rate": float,
    "draw": int,
    "val_accuracy": float,
    "seconds": float,
}


def rows(path):
    """Read the trials that are done.

    Args:
        path: Folder of the study.

    Returns:
        A dictionary a trial with the keys of `KINDS`; empty where there is no file.

    Raises:
        ValueError: If the file is not that of this study.
    """
    return read_rows(Path(path) / FILE, KINDS)


def searched():
    """Names of the ways that have a rate to choose: those that train layers."""
    return [name for name, way in METHODS.items() if way.stages]


def missing(path):
    """The trials that are not done: a list of `(draw, method, rate)`."""
    done = {(row["draw"], row["method"], row["rate"]) for row in rows(path)}
    every = itertools.product(DRAWS, searched(), RATES)
    return [key for key in every if key not in done]


def means(found):
    """The mean validation accuracy over the draws.

    Args:
        found: Trials, as `rows` returns them.

    Returns:
        A dictionary from the method's name to a dictionary from rate to accuracy,
        0 to 1.
    """
    by_rate = {}
    for row in found:
        values = by_rate.setdefault(row["method"], {})
        values.setdefault(row["rate"], []).append(row["val_accuracy"])
    return {
        method: {rate: statistics.mean(values[rate]) for rate in sorted(values)}
        for method, values in by_rate.items()
    }


def chosen(found):
    """The best rate of each way; the lower one of equals.

    Args:
        found: Trials, as `rows` returns them.

    Returns:
        A dictionary from the method's name to the rate.
    """
    return {
        method: max(accuracies, key=accuracies.get)
        for method, accuracies in means(found).items()
    }


def check_ends(found):
    """See that no way is best at an end of the rates that were tried.

    An end that is no better than its neighbour passes: at rates so low that
    nothing changes, lower ones are the same.

    Args:
        found: Trials, as `rows` returns them.

    Raises:
        ValueError: If the best rate may lie outside; the message names the way.
    """
    best = chosen(found)
    for method, accuracies in means(found).items():
        tried = list(accuracies)  # ascending
        if len(tried) == 1:
            continue
        for end, inside in ((tried[0], tried[1]), (tried[-1], tried[-2])):
            if best[method] == end and accuracies[end] > accuracies[inside]:
                raise ValueError(
                    f"{METHODS[method].what}: the best learning rate, {end}, is at an "
                    f"end of those tried ({', '.join(map(str, tried))}). Add a rate "
                    "beyond it to RATES in helpers/transfer/rates.py and run the same "
                    "command again: it makes the new trials only."
                )


def table(found):
    """The trials in Markdown: mean validation accuracy in percent, best ones bold.

    Args:
        found: Trials, as `rows` returns them.

    Returns:
        A table, a row a method, a column a rate.
    """
    averages, best = means(found), chosen(found)
    tried = sorted({row["rate"] for row in found})
    lines = [f"| method | {' | '.join(map(str, tried))} |"]
    lines.append("|---|" + "---:|" * len(tried))
    for method, accuracies in averages.items():
        cells = [
            f"{100 * accuracies[rate]:.1f}" if rate in accuracies else ""
            for rate in tried
        ]
        at = tried.index(best[method])
        cells[at] = f"**{cells[at]}**"
        lines.append(f"| {METHODS[method].what} | {' | '.join(cells)} |")
    return "\n".join(lines)
