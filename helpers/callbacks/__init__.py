"""Callbacks and schedules of a training: its logs and its learning rate."""

from helpers.callbacks.runlog import RunLog, read_rows, read_run, update_run
from helpers.callbacks.schedules import (
    check,
    current_learning_rate,
    one_cycle,
    plateau,
    step_schedule,
    warmup_cosine,
)

__all__ = [
    "RunLog",
    "check",
    "current_learning_rate",
    "one_cycle",
    "plateau",
    "read_rows",
    "read_run",
    "step_schedule",
    "update_run",
    "warmup_cosine",
]
