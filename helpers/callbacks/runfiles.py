"""The files of a run: `history.csv`, a row an epoch, and `run.json`, what it was.

Both are rewritten whole, so a reader (a plot, a table, a person) never meets half of
one, and an interrupted run leaves what it had reached.
"""

import csv
import io
import json
import os
from pathlib import Path

from helpers.callbacks.atomic import explain_full_disk, write_atomic

HISTORY = "history.csv"
RUN = "run.json"
COLUMNS = (
    "epoch",
    "loss",
    "accuracy",
    "val_loss",
    "val_accuracy",
    "learning_rate",
    "seconds",
)
_STEMS = tuple(os.path.splitext(name) for name in (HISTORY, RUN))


def read_rows(folder: str | os.PathLike) -> list[dict]:
    """Reads `history.csv`.

    Args:
        folder: The run's folder.

    Returns:
        A dictionary an epoch with the keys `COLUMNS`, in the order of the epochs:
        `epoch` a whole number, the others floats, None where nothing was measured.
        Empty where there is no file.

    Raises:
        ValueError: If the file is not a history; the message names the line.
    """
    path = Path(folder) / HISTORY
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ValueError(
                f"{path} has the columns {reader.fieldnames}, not "
                f"{','.join(COLUMNS)}: it is not the history of a run. Move it away."
            )
        rows = []
        for row in reader:
            try:
                epoch = int(row.pop("epoch"))
                values = {k: float(v) if v else None for k, v in row.items()}
            except (TypeError, ValueError, AttributeError) as error:
                raise ValueError(
                    f"{path}, line {reader.line_num}: {error}. Every row must hold "
                    "a number, or nothing, under each column."
                ) from error
            rows.append({"epoch": epoch, **values})
    return sorted(rows, key=lambda row: row["epoch"])


def write_history(folder: str | os.PathLike, rows: list[dict]) -> Path:
    """Writes `history.csv` whole; floats keep every digit."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    with explain_full_disk(folder):
        return write_atomic(Path(folder) / HISTORY, text.getvalue())


def read_run(folder: str | os.PathLike) -> dict:
    """Reads `run.json`; an empty dictionary where there is none.

    Raises:
        ValueError: If the file is not JSON.
    """
    path = Path(folder) / RUN
    if not path.exists():
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}. Move it away.") from error


def write_run(folder: str | os.PathLike, run: dict) -> Path:
    """Writes `run.json` whole."""
    with explain_full_disk(folder):
        return write_atomic(Path(folder) / RUN, json.dumps(run, indent=2) + "\n")


def update_run(folder: str | os.PathLike, **fields) -> dict:
    """Adds fields to a run's `run.json`, such as `test_accuracy`.

    Args:
        folder: The run's folder.
        **fields: What to set; anything that JSON can hold.

    Returns:
        All fields of the run.

    Raises:
        FileNotFoundError: If the folder holds no run.
    """
    run = read_run(folder)
    if not run:
        raise FileNotFoundError(
            f"{Path(folder) / RUN} does not exist: train with RunLog({str(folder)!r}, "
            "...) first."
        )
    run |= fields
    write_run(folder, run)
    return run


def move_aside(folder: str | os.PathLike) -> list[str]:
    """Renames the files of an earlier run; returns their new names."""
    folder = Path(folder)
    number = 1
    while any((folder / f"{p}-{number}{s}").exists() for p, s in _STEMS):
        number += 1
    kept = []
    for stem, suffix in _STEMS:
        if (folder / f"{stem}{suffix}").exists():
            kept.append(f"{stem}-{number}{suffix}")
            os.replace(folder / f"{stem}{suffix}", folder / kept[-1])
    return kept
