"""The logs of a run: `history.csv`, a row an epoch, and `run.json`, what it was.

Both files are rewritten whole after every epoch, so a reader (a plot, a table, a
person) never meets half a row, and an interrupted run leaves what it had reached.
"""

import csv
import importlib.util
import io
import json
import os
import subprocess
import time
from pathlib import Path

import keras

from helpers import runtime
from helpers.callbacks.atomic import write_atomic
from helpers.callbacks.schedules import current_learning_rate

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
# The names that Keras gives to a classifier's accuracy.
_ACCURACIES = ("accuracy", "sparse_categorical_accuracy", "categorical_accuracy", "acc")


class RunLog(keras.callbacks.Callback):
    """Writes `history.csv` and `run.json` into a folder while a model trains.

    A row is keyed by its epoch, counted from 1: an epoch that is done again
    replaces its row and drops the later ones, so a continued run has one row an
    epoch. A training that starts again from epoch 1 in a folder that holds another
    run keeps that run's files as `history-1.csv` and `run-1.json`.

    The column `learning_rate` is the rate that the epoch was trained with. When the
    optimizer holds a schedule object, which changes at every step, it is the
    schedule's value at the optimizer's iteration after the epoch's last step.

    Args:
        folder: Where the files go.
        info: What to record beside the measurements: `architecture`, `macs`,
            `batch_size`, `recipe`, `seed`, `precision`, `data` ...; anything that
            JSON can hold.

    Example:
        >>> info = {"architecture": "resnet20", "seed": 0, "batch_size": 128}
        >>> model.fit(train, epochs=50, callbacks=[RunLog("logs/resnet20", info)])
    """

    def __init__(self, folder: str | os.PathLike, info: dict | None = None):
        super().__init__()
        self.folder = Path(folder)
        self.info = dict(info or {})
        json.dumps(self.info)  # what cannot be recorded fails now, not in an hour
        self._forget()
        self._epoch_began = 0.0

    def on_train_begin(self, logs=None):
        # Nothing is written before the first epoch begins: only then is it known
        # where a continued run starts, and a finished run has no epoch to train.
        self._forget()

    def on_epoch_begin(self, epoch, logs=None):
        if not self._started:
            self._start(epoch)
            self._started = True
        self._epoch_began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        rate = logs.get("learning_rate")
        if rate is None:
            rate = current_learning_rate(self.model.optimizer)
        row = {
            "epoch": epoch + 1,
            "loss": logs.get("loss"),
            "accuracy": _accuracy(logs, ""),
            "val_loss": logs.get("val_loss"),
            "val_accuracy": _accuracy(logs, "val_"),
            "learning_rate": rate,
            "seconds": round(time.perf_counter() - self._epoch_began, 3),
        }
        self._rows = {e: r for e, r in self._rows.items() if e <= epoch}
        self._rows[epoch + 1] = row
        write_history(self.folder, list(self._rows.values()))
        self._record()

    def on_train_end(self, logs=None):
        if self._restored is not None and not self._started:
            # Killed after the last epoch, before the end was recorded.
            if not read_run(self.folder).get("finished", False):
                self._start(self.params["epochs"])
                self._started = True
        if self._started:
            self._record(finished=True)

    def state_dict(self) -> dict:
        """Returns what `Resume` keeps, so that lost files can be written again."""
        return {
            "rows": list(self._rows.values()),
            "interruptions": self._run.get("interruptions", []),
        }

    def load_state_dict(self, state: dict) -> None:
        """Takes the rows of a run that goes on from what `Resume` kept."""
        self._restored = state

    def _forget(self):
        self._started = False
        self._restored: dict | None = None
        self._rows: dict[int, dict] = {}
        self._run: dict = {}

    def _start(self, epoch):
        """Joins the files of the run that goes on, or moves another run's aside."""
        rows = read_rows(self.folder)
        run = read_run(self.folder)
        if self._restored is not None and self._restored["rows"]:
            rows = self._restored["rows"]
        # A run that was killed in its first epoch starts again from epoch 1 too.
        goes_on = epoch > 0 or (len(rows) <= 1 and not run.get("finished", False))
        if not goes_on:
            names = _move_aside(self.folder)
            print(
                f"{self.folder} holds another run of {len(rows)} epochs: its files "
                f"are kept as {' and '.join(names)}."
            )
            rows, run = [], {}
        self._rows = {row["epoch"]: row for row in rows if row["epoch"] <= epoch}
        kept = self._restored["interruptions"] if self._restored else []
        interruptions = max(run.get("interruptions", []), kept, key=len)
        interrupted = self._restored is not None or bool(run)
        ended = run.get("finished", False) or epoch >= self.params["epochs"]
        if interrupted and not ended:
            interruptions = [*interruptions, epoch + 1]
        measured = {
            "architecture": self.model.name,
            "parameters": self.model.count_params(),
            "epochs": self.params.get("epochs"),
        }
        # Earlier fields stay: some are added after training (`test_accuracy`).
        self._run = {**measured, **run, **self.info, "interruptions": interruptions}
        self._run["epochs"] = self.params.get("epochs")
        self._run |= {
            "versions": runtime.versions(),
            "hardware": runtime.hardware(),
            "commit": commit(),
        }
        if self._rows or (self.folder / HISTORY).exists():
            write_history(self.folder, list(self._rows.values()))
        self._record()

    def _record(self, finished=False):
        seconds = [row["seconds"] for row in self._rows.values()]
        self._run |= {
            "epochs_done": len(seconds),
            "seconds": round(sum(seconds), 3),
            "seconds_per_epoch": round(sum(seconds) / max(len(seconds), 1), 3),
            "finished": finished,
        }
        write_atomic(self.folder / RUN, _json(self._run))


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
    write_atomic(Path(folder) / RUN, _json(run))
    return run


def tensorboard(folder: str | os.PathLike) -> keras.callbacks.Callback:
    """Writes TensorBoard event files into a run's folder, beside its logs.

    Args:
        folder: The run's folder. Look at it with `%tensorboard --logdir FOLDER`.

    Returns:
        A `keras.callbacks.TensorBoard` that writes once an epoch.

    Raises:
        ImportError: If TensorBoard is not installed.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise ImportError(
            "TensorBoard is not installed: run `pip install tensorboard`, or leave "
            "this callback out; history.csv holds the same numbers."
        )
    return keras.callbacks.TensorBoard(Path(folder) / "tensorboard")


def commit() -> str | None:
    """Names the commit of the course's code, with `-dirty` where files differ.

    Returns:
        40 hexadecimal digits; None where the course is not a git checkout.
    """
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(
            command,
            cwd=runtime.course_root(),
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def _accuracy(logs, prefix):
    for name in _ACCURACIES:
        if prefix + name in logs:
            return logs[prefix + name]
    return None


def _move_aside(folder):
    """Renames the files of an earlier run; returns their new names."""
    number = 1
    while any((folder / f"{p}-{number}{s}").exists() for p, s in _STEMS):
        number += 1
    kept = []
    for stem, suffix in _STEMS:
        if (folder / f"{stem}{suffix}").exists():
            kept.append(f"{stem}-{number}{suffix}")
            os.replace(folder / f"{stem}{suffix}", folder / kept[-1])
    return kept


_STEMS = tuple(os.path.splitext(name) for name in (HISTORY, RUN))


def _json(fields):
    return json.dumps(fields, indent=2) + "\n"
