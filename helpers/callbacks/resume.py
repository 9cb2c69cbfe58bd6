"""A training that can be interrupted: run the same cell again and it goes on.

The end is the one that the uninterrupted training has, bit for bit on a CPU: at the
end of every epoch the whole state is saved, and a restart does the interrupted epoch
again from its beginning. Keras' own `BackupAndRestore` keeps weights, optimizer and
epoch; this also keeps what the other callbacks remember, the states of all random
numbers, the earlier history and the place in the data, and it never trains on from a
file that is not whole or that belongs to another run.
"""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from helpers.callbacks import schedules, state
from helpers.callbacks.atomic import explain_full_disk
from helpers.callbacks.checkpoint import DamagedError, Snapshot, Store
from helpers.callbacks.drive import Mirror
from helpers.callbacks.identity import identity, refuse_another
from helpers.callbacks.randomness import capture_random, restore_random
from helpers.callbacks.runfiles import read_rows
from helpers.callbacks.runlog import RunLog

STATE = "resume"
ON_DAMAGE = ("stop", "fresh")


def resumable(
    folder: str | os.PathLike,
    train: Any,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    **options,
) -> list[keras.callbacks.Callback]:
    """Returns the callbacks of a `fit` that continues by itself when it is run again.

    Args:
        folder: The run's folder, on a local disk.
        train: What `fit` trains on. With an `augment.BatchGenerator`, the order of
            the images and their augmentation continue too; arrays are shuffled by
            Keras, which repeats one order when `keras.utils.set_random_seed` was
            called before and cannot repeat it otherwise.
        callbacks: The other callbacks. Keras' EarlyStopping, ReduceLROnPlateau and
            ModelCheckpoint continue with what they remember, and so does any
            callback with `state_dict()` and `load_state_dict(state)`.
        **options: As `Resume` takes them: `info`, `drive`, `on_damage`, `every`.

    Returns:
        The callbacks and, last, a `Resume`.

    Example:
        >>> log = RunLog("logs/local/vgg", {"data": {"sha256": images.sha256}})
        >>> history = model.fit(
        ...     train,
        ...     epochs=50,
        ...     validation_data=validation,
        ...     callbacks=resumable("logs/local/vgg", train, [plateau(), log]),
        ... )
    """
    callbacks = list(callbacks)
    return [*callbacks, Resume(folder, train, callbacks, **options)]


class Resume(keras.callbacks.Callback):
    """Saves a training's whole state after each epoch and continues from it.

    It belongs at the end of the callbacks, where `resumable` puts it: there it saves
    what the others have concluded from the epoch, and restores it after they have
    been reset.

    Args:
        folder: The run's folder; the state goes to its subfolder `resume`.
        train: What `fit` trains on.
        callbacks: The other callbacks of the same `fit`.
        info: What else makes this run this run, such as the images' SHA-256; what a
            `RunLog` among the callbacks records is taken too. A saved run with other
            values is refused.
        drive: A folder to keep a copy in, such as `drive_folder("vgg")`; a machine
            without a local state continues from there.
        on_damage: What to do when a run was saved and nothing of it is usable:
            `"stop"` raises, `"fresh"` starts again from epoch 1.
        every: Epochs between two saves; an interruption costs that many at most.

    Raises:
        ValueError: If an option has a value it cannot have.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        train: Any,
        callbacks: Sequence[keras.callbacks.Callback],
        info: dict | None = None,
        drive: str | os.PathLike | None = None,
        on_damage: str = "stop",
        every: int = 1,
    ):
        super().__init__()
        if on_damage not in ON_DAMAGE:
            raise ValueError(f"on_damage is {on_damage!r}: choose from {ON_DAMAGE}.")
        if every < 1:
            raise ValueError(f"every is {every}: save after 1 epoch, or after more.")
        for callback in callbacks:
            if isinstance(callback, keras.callbacks.BackupAndRestore):
                raise ValueError(
                    "BackupAndRestore and Resume would both restore the model: leave "
                    "BackupAndRestore out."
                )
        self.folder = Path(folder)
        self.train = train
        self.others = [c for c in callbacks if c is not self]
        self.info = dict(info or {})
        self.on_damage = on_damage
        self.every = every
        self.store = Store(self.folder / STATE)
        self.mirror = None
        if drive is not None and Path(drive) != self.folder:
            self.mirror = Mirror(self.folder, drive, STATE)
        self._history = {"epoch": [], "history": {}}
        self._first_epoch = 0
        self._stopped = False
        self._finished = False
        self._began = False

    def on_train_begin(self, logs=None):
        schedules.check(self.others, self.model.optimizer)
        self._began = False
        self.model._initial_epoch = None
        self._identity = identity(self.model, self.params, self.train, self._all_info())
        snapshot = self._find()
        if snapshot is None:
            self._start()
        else:
            self._continue(snapshot)

    def on_epoch_begin(self, epoch, logs=None):
        if not self._began:
            self._release()
            if epoch != self._first_epoch:
                raise RuntimeError(
                    f"fit begins with epoch {epoch + 1}, the saved run with epoch "
                    f"{self._first_epoch + 1}: leave initial_epoch out of fit."
                )
        # At every epoch, not once: fit moves the generator's count on by itself.
        if hasattr(self.train, "set_epoch"):
            self.train.set_epoch(epoch)

    def on_epoch_end(self, epoch, logs=None):
        # Keras' History is told of an epoch after this callback.
        self._history["epoch"].append(epoch)
        for name, value in (logs or {}).items():
            self._history["history"].setdefault(name, []).append(float(value))
        self._stopped = bool(self.model.stop_training)
        last = self._stopped or epoch + 1 >= self.params["epochs"]
        if last or (epoch + 1) % self.every == 0:
            self._save(epoch + 1)

    def on_train_end(self, logs=None):
        if not self._began:
            self._release()
        if not self._finished:
            # The weights may have changed since the last epoch: an average of them,
            # or the best ones, is put in place at the very end.
            self._finished = True
            self._save(len(self._history["epoch"]))

    def _find(self) -> Snapshot | None:
        """Returns the newest usable state, or None where training is to start."""
        try:
            snapshot = self._load()
            rows = len(read_rows(self.folder)) if snapshot is None else 0
            if rows and any(isinstance(c, RunLog) for c in self.others):
                raise DamagedError(
                    f"{self.folder} holds the history of {rows} epochs and no saved "
                    "state."
                )
        except DamagedError as error:
            if self.on_damage != "fresh":
                raise DamagedError(
                    f"{error} To start again from epoch 1, choose another folder, or "
                    "pass on_damage='fresh' to `resumable`."
                ) from error
            warnings.warn(f"{error} Training starts afresh.", stacklevel=2)
            self.store.clear()
            return None
        if self.store.damage:
            warnings.warn(
                f"In {self.store.folder}: {'; '.join(self.store.damage)}. Training "
                f"continues from generation {snapshot.generation}, after epoch "
                f"{snapshot.record['epoch']}.",
                stacklevel=2,
            )
        return snapshot

    def _load(self):
        """Returns the newer of the local state and its copy."""
        if self.mirror is None:
            return self.store.load()
        try:
            snapshot = self.store.load()
        except DamagedError as error:
            snapshot = self.mirror.fetch(self.store, None)
            if snapshot is None:
                raise
            self.store.damage.append(str(error))
            return snapshot
        return self.mirror.fetch(self.store, snapshot)

    def _start(self):
        """Saves the state before the first epoch, so that it can be repeated too."""
        self._history = {"epoch": [], "history": {}}
        self._first_epoch, self._stopped, self._finished = 0, False, False
        self._save(0)

    def _continue(self, snapshot):
        record = snapshot.record
        refuse_another(record, self._identity, self.others, self.store.folder)
        state.restore(self.model, snapshot.arrays)
        restore_random(snapshot.arrays)
        for note in state.restore_callbacks(
            self.others, record["callbacks"], snapshot.arrays
        ):
            warnings.warn(f"{note}.", stacklevel=2)
        # The learning rate that the run began with stays its mark.
        self._identity["learning_rate"] = record["identity"]["learning_rate"]
        self._history = record["history"]
        self._stopped, self._finished = record["stopped"], record["finished"]
        epochs, done = self.params["epochs"], record["epoch"]
        self._first_epoch = epochs if self._stopped or self._finished else done
        self.model._initial_epoch = self._first_epoch  # as Keras' own callback does
        if self._finished:
            print(
                f"The run in {self.folder} is finished: {done} of {epochs} epochs. "
                "Its weights are in the model and nothing is trained. To train again, "
                "choose another folder."
            )
        elif done:
            print(f"Continuing the run in {self.folder} after epoch {done}/{epochs}.")

    def _release(self):
        """Hands over to fit what it has overwritten, and leaves no trace in the model.

        A later `fit` of the same model must begin with its own first epoch.
        """
        self._began = True
        self.model._initial_epoch = None
        kept = self.model.history  # Keras' History, reset after on_train_begin
        kept.epoch = list(self._history["epoch"])
        kept.history = {n: list(v) for n, v in self._history["history"].items()}

    def _save(self, epoch):
        records, arrays = state.capture_callbacks(self.others)
        arrays |= state.capture(self.model) | capture_random()
        record = {
            "epoch": epoch,
            "stopped": self._stopped,
            "finished": self._finished,
            "learning_rate": schedules.current_learning_rate(self.model.optimizer),
            "history": self._history,
            "callbacks": records,
            "identity": self._identity,
        }
        with explain_full_disk(self.folder):
            self.store.save(arrays, record)
        if self.mirror:
            self.mirror.sync(self.store)

    def _all_info(self):
        logged = [c.info for c in self.others if isinstance(c, RunLog)]
        return {k: v for info in [*logged, self.info] for k, v in info.items()}
