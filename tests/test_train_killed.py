"""The assignment's network, killed in its second epoch, ends as if nothing happened."""

import csv
import subprocess
import sys
import time

import keras
import numpy as np

from helpers import runtime

COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")


def start(folder):
    command = [sys.executable, "-m", "helpers.train", "separable"]
    options = ["--profile", "quick", "--run", str(folder)]
    return subprocess.Popen(
        command + options,
        cwd=runtime.course_root(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def rows(folder):
    """The rows of `history.csv` as text, without the seconds."""
    with open(folder / "history.csv", newline="", encoding="utf-8") as file:
        return [tuple(row[name] for name in COLUMNS) for row in csv.DictReader(file)]


def kill_in_the_second_epoch(folder):
    process = start(folder)
    for _ in range(3000):
        # The line of the first epoch is there before its state is saved; a run that
        # is killed between the two repeats that epoch, which must not show either.
        if (folder / "history.csv").exists() and rows(folder):
            break
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.1)
    time.sleep(0.5)
    process.kill()
    process.wait()
    return process.returncode


def test_killed_run_of_the_assignment_ends_as_an_uninterrupted_one(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    process = start(whole)
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output

    assert kill_in_the_second_epoch(killed) != 0
    assert len(rows(killed)) == 1
    process = start(killed)
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output

    assert rows(killed) == rows(whole)
    assert len(rows(whole)) == 2
    models = [keras.models.load_model(run / "model.keras") for run in (whole, killed)]
    for a, b in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(a, b)
