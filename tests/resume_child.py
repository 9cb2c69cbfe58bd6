"""Serves trainings that may be killed: imports Keras once, forks one for each order.

Importing TensorFlow takes longer than the training does. This process imports it,
computes nothing, and forks a child for every line on its standard input:

    {"folder": ..., "outcome": file, "point": [name, count] or null,
     "delay": seconds or null, "since": 1 or 2}

The child dies by SIGKILL: by its own hand when it reaches the point for the
count-th time, or by this process that many seconds after the training began (1) or
had done its first batch (2), which costs as much as all others together. One line
comes back: what the child was doing when it died, or that it finished.
"""

import json
import mmap
import os
import signal
import struct
import sys
import time
from pathlib import Path

import keras
import numpy as np
import resume_model

from helpers.callbacks import atomic, resume

# What the child is doing, in memory that both processes see: where, the epoch, and
# whether the training has begun (1) and done its first batch (2).
SHARED = mmap.mmap(-1, 12)
PLACES = ("setting up", "epoch", "save", "end")


def tell(place, epoch=None, began=None):
    """Notes in shared memory what the child is doing."""
    old = struct.unpack("iii", SHARED[:])
    new = PLACES.index(place), epoch, began
    SHARED[:] = struct.pack(
        "iii", *(o if n is None else n for o, n in zip(old, new, strict=True))
    )


class Points:
    """Counts the moments that a child passes, and dies at the one it was told."""

    def __init__(self, point):
        self.point = tuple(point) if point else None
        self.passed = {}

    def __call__(self, name):
        count = self.passed[name] = self.passed.get(name, 0) + 1
        if (name, count) == self.point:
            os.kill(os.getpid(), signal.SIGKILL)


class HalfWritten:
    """A file that passes a point when half of its bytes are on the disk."""

    def __init__(self, file, points):
        self.file = file
        self.points = points

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def __getattr__(self, name):
        return getattr(self.file, name)

    def write(self, data):
        self.file.write(data[: len(data) // 2])
        self.file.flush()
        os.fsync(self.file.fileno())
        self.points("half written")
        self.file.write(data[len(data) // 2 :])


class Inside(keras.callbacks.Callback):
    """Passes a point after every batch and tells where the training is."""

    def __init__(self, points):
        super().__init__()
        self.points = points

    def on_train_begin(self, logs=None):
        tell("save", 0, 1)

    def on_epoch_begin(self, epoch, logs=None):
        tell("epoch", epoch)

    def on_train_batch_end(self, batch, logs=None):
        tell("epoch", began=2)
        self.points("batch")


def watch(points):
    """Puts points into everything that a save does."""
    real_open, real_replace, real_unlink = open, os.replace, Path.unlink
    real_save = resume.Resume._save

    def watched_open(path, mode):
        file = real_open(path, mode)
        return HalfWritten(file, points) if "w" in mode else file

    def watched_replace(source, target):
        points("before renaming")
        real_replace(source, target)
        points("after renaming")

    def watched_unlink(path, missing_ok=False):
        points("before dropping")
        real_unlink(path, missing_ok=missing_ok)

    def watched_save(self, epoch):
        tell("save")
        points("before saving")
        real_save(self, epoch)
        points("after saving")
        tell("end")

    atomic.open = watched_open
    atomic.os.replace = watched_replace
    Path.unlink = watched_unlink
    resume.Resume._save = watched_save


def child(order):
    """Trains, and writes down what came out of it and which points it passed."""
    points = Points(order["point"])
    watch(points)
    folder = Path(order["folder"])
    model, history = resume_model.train(folder, resume_model.build(), [Inside(points)])
    tell("end")
    with open(order["outcome"], "wb") as file:
        np.savez(file, **resume_model.outcome(folder, model, history))
    (folder / "points.json").write_text(json.dumps(points.passed))


def serve(order):
    """Forks a child, kills it where that was ordered; returns what became of it."""
    tell("setting up", 0, 0)
    began = {}
    pid = os.fork()
    if not pid:
        # Output would mix with the answers.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        try:
            child(order)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        now = time.monotonic()
        began.setdefault(struct.unpack("iii", SHARED[:])[2], now)
        passed = now - began.get(order["since"], now + 1.0)
        if order["delay"] is not None and passed >= order["delay"]:
            os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            break
        time.sleep(0.002)
    place, epoch, _ = struct.unpack("iii", SHARED[:])
    return {
        "killed": os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL,
        "code": os.waitstatus_to_exitcode(status),
        "place": PLACES[place],
        "epoch": epoch,
        "seconds": [
            time.monotonic() - began[i] if i in began else None for i in (1, 2)
        ],
    }


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(serve(json.loads(line))), flush=True)
    os._exit(0)  # there is nothing to tidy up, and TensorFlow takes its time
