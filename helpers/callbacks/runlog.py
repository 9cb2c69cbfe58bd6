"""The callbacks that log a run: its own files, and TensorBoard's on request."""

import importlib.util
import json
import os
import subprocess
import time
from pathlib import Path

import keras

from helpers import runtime
from helpers.callbacks.runfiles import (
    HISTORY,
    move_aside,
    read_rows,
    read_run,
    write_history,
    write_run,
)
from helpers.callbacks.schedules import current_learning_rate

# Between the machines of a run that went on elsewhere, in `hardware`.
THEN = ", then "
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
            names = move_aside(self.folder)
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
        machines = [*filter(None, run.get("hardware", "").split(THEN))]
        if runtime.hardware() not in machines[-1:]:
            machines.append(runtime.hardware())
        self._run |= {
            "versions": runtime.versions(),
            "hardware": THEN.join(machines),
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
        write_run(self.folder, self._run)


def tensorboard(folder: str | os.PathLike) -> keras.callbacks.Callback:
    """Writes TensorBoard event files into a run's folder, beside its logs.

    Args:
        folder: The run's folder. Look at it with `%tensorboard --logdir FOLDER`.

    Returns:
        A `keras.callbacks.TensorBoard` that writes once an epoch. Event files are
        appended to, so no copy of them is kept on Drive.

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
