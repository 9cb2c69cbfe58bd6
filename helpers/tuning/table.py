"""The table of a search: a CSV file to which every finished trial adds a line.

A line is written at once and forced to the disk, so an interruption loses the trial
that was under way and no other. Several processes may write to one file as long as
each has a method of its own.
"""

import csv
import io
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from helpers.architectures.search import Trial
from helpers.architectures.search_space import Space
from helpers.callbacks.atomic import explain_full_disk, write_atomic

BEFORE, AFTER = ("method", "trial"), ("accuracy", "seconds", "curve")


def read_trials(path: str | os.PathLike) -> list[dict]:
    """Read a table of trials.

    Args:
        path: The CSV file.

    Returns:
        A dictionary a trial, in the order of the file: `method`, `trial` (counted
        from 0), `candidate` (a value of each hyperparameter), `accuracy` (of the
        validation images after the last epoch), `seconds` and `curve` (the accuracy
        after each epoch). Empty where there is no file.

    Raises:
        ValueError: If the file is not such a table, or holds a trial twice.
    """
    path = Path(path)
    if not path.exists():
        return []
    reader = csv.DictReader(io.StringIO(whole_lines(path)))
    names = list(reader.fieldnames or ())
    if tuple(names[:2]) != BEFORE or tuple(names[-3:]) != AFTER:
        raise ValueError(
            f"{path} has the columns {', '.join(names)}: it is no table of trials. "
            "Move it away."
        )
    rows, known = [], set()
    for row in reader:
        try:
            found = {
                "method": row["method"],
                "trial": int(row["trial"]),
                "candidate": {name: _number(row[name]) for name in names[2:-3]},
                "accuracy": float(row["accuracy"]),
                "seconds": float(row["seconds"]),
                "curve": [float(value) for value in row["curve"].split()],
            }
        except (TypeError, ValueError, AttributeError) as error:
            raise ValueError(
                f"{path}, line {reader.line_num}: {error}. Remove the line."
            ) from error
        key = found["method"], found["trial"]
        if key in known:
            raise ValueError(
                f"{path}, line {reader.line_num}: trial {key[1]} of {key[0]} is there "
                "twice. Remove one of the two, and run one process a method."
            )
        known.add(key)
        rows.append(found)
    return rows


class TrialTable:
    """A storage for `search`: the trials of one method in a table of several."""

    def __init__(self, path: str | os.PathLike, method: str, space: Space):
        """Open the table, or create it.

        Args:
            path: The CSV file; its folder is made where it is missing.
            method: Name of the method.
            space: The `Space` that is searched.

        Raises:
            ValueError: If the table is of other hyperparameters, or damaged.
        """
        self.path, self.method = Path(path), method
        self._columns = [*BEFORE, *space.choices, *AFTER]
        self._curve: Sequence[float] = ()
        self._seconds = 0.0
        header = ",".join(self._columns) + "\n"
        if not self.path.exists():
            write_atomic(self.path, header)
        text = self.path.read_text(encoding="utf-8")
        if text.partition("\n")[0] != header.strip():
            raise ValueError(
                f"{self.path} has the columns {text.partition(chr(10))[0]}; this "
                f"search has {header.strip()}. Give another file."
            )
        drop_cut_line(self.path)
        self.trials()

    def measured(self, train: Callable[[dict], Sequence[float]]) -> Callable:
        """Make an evaluation whose curve and time are written with its trial.

        Args:
            train: Function of a candidate that returns the accuracy of the
                validation images after each epoch.

        Returns:
            Function of a candidate that returns the last of them.
        """

        def evaluate(candidate):
            start = time.perf_counter()
            self._curve = [round(float(value), 4) for value in train(candidate)]
            self._seconds = time.perf_counter() - start
            return self._curve[-1]

        return evaluate

    def trials(self) -> list[Trial]:
        """Returns the method's trials, oldest first."""
        return [
            Trial(row["candidate"], 0, row["accuracy"])
            for row in read_trials(self.path)
            if row["method"] == self.method
        ]

    def add(self, trial: Trial) -> None:
        """Writes one more trial, with what `measured` has noted of it."""
        row = {
            "method": self.method,
            "trial": len(self.trials()),
            **trial.candidate,
            "accuracy": trial.accuracy,
            "seconds": f"{self._seconds:.1f}",
            "curve": " ".join(f"{value:.4f}" for value in self._curve),
        }
        append(self.path, self._columns, row)


def whole_lines(path: Path) -> str:
    """Returns a file's lines; one without its end was being written at a power cut."""
    text = path.read_text(encoding="utf-8")
    return text[: text.rfind("\n") + 1]


def drop_cut_line(path: Path) -> None:
    """Removes a last line without its end, so that the next one begins a line."""
    if path.exists() and path.read_text(encoding="utf-8") != whole_lines(path):
        write_atomic(path, whole_lines(path))


def append(path: Path, columns: Sequence[str], row: dict) -> None:
    """Adds a line to a CSV file in one write; numbers keep every digit."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    if not path.exists():
        writer.writeheader()
    writer.writerow(row)
    with explain_full_disk(path.parent), open(path, "ab") as file:
        file.write(text.getvalue().encode())
        file.flush()
        os.fsync(file.fileno())


def _number(text):
    """A number as it was written: whole, or with a fraction."""
    return int(text) if text.lstrip("-").isdigit() else float(text)
