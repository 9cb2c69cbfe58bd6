"""The store of a run's state: one file a generation, the last two kept.

A generation is an ordinary `.npz` archive, readable with `numpy.load`: the arrays,
and under `record` a JSON text that names the run and the generation. The archive's
comment is the SHA-256 of all bytes before it, so a cut, zeroed or altered file is
told from a whole one before anything in it is believed. Nothing is pickled.

`newest.json` beside says which generation was written last, so that its loss is
noticed; it is not needed to read the others.
"""

import contextlib
import hashlib
import io
import json
import re
import uuid
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from helpers.callbacks.atomic import clear_unfinished, write_atomic

NEWEST = "newest.json"
KEPT = 2
_NAME = re.compile(r"state-(\d{6,})\.npz")
_DIGEST = 64  # hexadecimal digits of a SHA-256
_RECORD = "record"


class DamagedError(RuntimeError):
    """A run was saved here, and nothing of it can be used."""


@dataclass(frozen=True)
class Snapshot:
    """A run's state at one moment.

    Attributes:
        arrays: Arrays by name.
        record: What JSON can hold.
        run: Identifies the run that saved it.
        generation: Counts the saves of that run, from 1.
    """

    arrays: dict[str, np.ndarray]
    record: dict
    run: str
    generation: int


def encode(snapshot: Snapshot) -> bytes:
    """Returns the bytes of a snapshot's file."""
    entries, dtypes = {}, {}
    for name, array in snapshot.arrays.items():
        array = np.asarray(array)
        if array.dtype.kind == "V":  # bfloat16 and its like: unknown to the format
            dtypes[name] = str(array.dtype)
            array = array.view(f"u{array.dtype.itemsize}")
        entries[f"array/{name}"] = array
    header = {
        "run": snapshot.run,
        "generation": snapshot.generation,
        "dtypes": dtypes,
        "record": snapshot.record,
    }
    text = json.dumps(header).encode("utf-8")
    entries[_RECORD] = np.frombuffer(text, dtype=np.uint8)
    file = io.BytesIO()
    np.savez(file, **entries)
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = b"0" * _DIGEST
    body = file.getvalue()[:-_DIGEST]
    return body + hashlib.sha256(body).hexdigest().encode("ascii")


def decode(data: bytes) -> Snapshot:
    """Reads the bytes of a snapshot's file.

    Raises:
        ValueError: If a byte is missing or altered.
    """
    body, digest = data[:-_DIGEST], data[-_DIGEST:]
    found = hashlib.sha256(body).hexdigest().encode("ascii")
    if found != digest:
        raise ValueError(f"its {len(data)} bytes do not have the SHA-256 it names")
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        header = json.loads(archive[_RECORD].tobytes())
        arrays = {
            name.removeprefix("array/"): archive[name]
            for name in archive.files
            if name != _RECORD
        }
    for name, dtype in header["dtypes"].items():
        arrays[name] = arrays[name].view(_special_dtype(dtype))
    return Snapshot(arrays, header["record"], header["run"], header["generation"])


@dataclass
class Store:
    """Saves snapshots into a folder and finds the newest one that is whole.

    Attributes:
        folder: Where the files are.
        run: The run that saves here; a new one until `load` finds one.
        generation: Of the last save.
        damage: What `load` found wrong, a sentence each.
    """

    folder: Path
    run: str = field(default_factory=lambda: uuid.uuid4().hex)
    generation: int = 0
    damage: list[str] = field(default_factory=list)

    def save(self, arrays: dict[str, np.ndarray], record: dict) -> Path:
        """Saves the next generation, then drops all but the last two.

        Args:
            arrays: Arrays by name.
            record: What JSON can hold.

        Returns:
            The new file.

        Raises:
            OSError: If the disk refuses; the earlier generations are unharmed.
        """
        snapshot = Snapshot(arrays, record, self.run, self.generation + 1)
        return self.put(encode(snapshot), snapshot.run, snapshot.generation)

    def put(self, data: bytes, run: str, generation: int) -> Path:
        """Writes the bytes of a snapshot as the newest generation, as `save` does."""
        if not self.folder.exists():
            # A run's logs may be committed to git; its state never is.
            write_atomic(self.folder / ".gitignore", "*\n")
        path = write_atomic(self.path(generation), data)
        self.run, self.generation = run, generation
        newest = {"run": self.run, "generation": self.generation}
        write_atomic(self.folder / NEWEST, json.dumps(newest) + "\n")
        self._drop()
        return path

    def load(self) -> Snapshot | None:
        """Finds the newest snapshot that is whole and belongs to this run.

        Every file that is passed over is named in `damage`.

        Returns:
            The snapshot; None where nothing was ever saved.

        Raises:
            DamagedError: If something was saved and nothing of it can be used.
        """
        self.damage = []
        if not self.folder.is_dir():
            return None
        clear_unfinished(self.folder)
        newest = self.newest()
        whole = self._whole()
        runs = {snapshot.run for snapshot in whole.values()}
        if newest:
            for path, snapshot in list(whole.items()):
                if snapshot.run != newest["run"]:
                    self.damage.append(f"{path.name} belongs to another run")
                    del whole[path]
        elif len(runs) > 1:
            raise DamagedError(
                f"{self.folder} holds the states of {len(runs)} runs and no {NEWEST} "
                "that says which one is yours: move the others away."
            )
        snapshot = max(whole.values(), key=lambda s: s.generation, default=None)
        if snapshot is None:
            if not newest and not self.damage:
                return None
            raise DamagedError(
                f"A run was saved in {self.folder}, and none of it can be used: "
                f"{'; '.join(self.damage) or 'its files are missing'}."
            )
        if newest and snapshot.generation < newest["generation"]:
            missing = self.path(newest["generation"])
            if not missing.exists():
                self.damage.append(f"{missing.name} is missing")
        if not newest and snapshot.generation == 1:
            self.damage = []  # killed between the first file and its announcement
        self.run, self.generation = snapshot.run, snapshot.generation
        return snapshot

    def newest(self) -> dict | None:
        """Returns the `run` and `generation` that were saved last, where known."""
        path = self.folder / NEWEST
        try:
            newest = json.loads(path.read_text(encoding="utf-8"))
            return {"run": str(newest["run"]), "generation": int(newest["generation"])}
        except FileNotFoundError:
            if self.files():
                self.damage.append(f"{NEWEST} is missing")
        except (ValueError, KeyError, TypeError):
            self.damage.append(f"{NEWEST} cannot be read")
        return None

    def clear(self) -> None:
        """Forgets everything saved here and starts a new run."""
        for path in [*self.files().values(), self.folder / NEWEST]:
            path.unlink(missing_ok=True)
        self.run, self.generation, self.damage = uuid.uuid4().hex, 0, []

    def path(self, generation: int) -> Path:
        """Returns the file of a generation."""
        return self.folder / f"state-{generation:06d}.npz"

    def files(self) -> dict[int, Path]:
        """Returns the files by the generation in their names, oldest first."""
        if not self.folder.is_dir():
            return {}
        names = ((path, _NAME.fullmatch(path.name)) for path in self.folder.iterdir())
        return dict(sorted((int(match[1]), path) for path, match in names if match))

    def _whole(self):
        """Reads every file; returns snapshots by path, and notes the damaged ones."""
        whole = {}
        for generation, path in reversed(self.files().items()):
            try:
                snapshot = decode(path.read_bytes())
            except (OSError, ValueError) as error:
                self.damage.append(f"{path.name} is damaged ({error})")
                continue
            if snapshot.generation != generation:
                # Whole, under another's name: what it says inside is what it is.
                self.damage.append(
                    f"{path.name} holds generation {snapshot.generation}, not "
                    f"{generation}: files were swapped"
                )
            whole[path] = snapshot
        return whole

    def _drop(self):
        """Removes the generations before the last two, and any after the newest."""
        files = self.files()
        kept = [g for g in files if g <= self.generation][-KEPT:]
        for generation, path in files.items():
            if generation not in kept:
                with contextlib.suppress(OSError):
                    path.unlink()


def _special_dtype(name):
    import ml_dtypes  # comes with Keras; defines bfloat16 for NumPy

    return np.dtype(getattr(ml_dtypes, name))
