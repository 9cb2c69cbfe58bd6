"""What surrounds a training: learning rates, logs, and continuing after a stop.

    callbacks=resumable(folder, train, [plateau(), RunLog(folder, info)])

makes `fit` log into a folder and, when the same cell is run again, go on from there.
"""

from helpers.callbacks.checkpoint import DamagedError
from helpers.callbacks.drive import drive_folder
from helpers.callbacks.finder import find_learning_rate
from helpers.callbacks.identity import OtherRunError
from helpers.callbacks.lookahead import Lookahead
from helpers.callbacks.resume import Resume, resumable
from helpers.callbacks.runfiles import read_rows, read_run, update_run
from helpers.callbacks.runlog import RunLog, tensorboard
from helpers.callbacks.schedules import (
    check,
    current_learning_rate,
    one_cycle,
    plateau,
    step_schedule,
    warmup_cosine,
)

__all__ = [
    "DamagedError",
    "Lookahead",
    "OtherRunError",
    "Resume",
    "RunLog",
    "check",
    "current_learning_rate",
    "drive_folder",
    "find_learning_rate",
    "one_cycle",
    "plateau",
    "read_rows",
    "read_run",
    "resumable",
    "step_schedule",
    "tensorboard",
    "update_run",
    "warmup_cosine",
]
