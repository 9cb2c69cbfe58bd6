"""Copies on Google Drive: a stub of Colab, and a disk that fails when it is told to."""

import builtins
import errno
import io
import os
import shutil
import sys
import types
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from resume_model import fresh, outcome, train
from same_bits import assert_same_bits

from helpers import callbacks
from helpers.callbacks import drive
from helpers.callbacks.checkpoint import Store

FAILURES = {
    "vanished mount": (errno.ENOTCONN, "its connection is gone"),
    "full disk": (errno.ENOSPC, "it is full"),
    "quota": (errno.EDQUOT, "your quota is used up"),
    "read-only": (errno.EROFS, "it can only be read"),
}


class Disk:
    """Stands between the program and one folder, and fails with an error number.

    Everything fails when the mount has vanished; a full disk and a quota fail in the
    middle of a write; a read-only disk fails at everything that changes it.
    """

    def __init__(self, folder, patch):
        self.folder = str(folder)
        self.code = None
        self.written = []
        for name in ("mkdir", "unlink", "replace"):
            patch.setattr(os, name, self._guard(getattr(os, name), changes=True))
        for name in ("stat", "listdir", "scandir"):
            patch.setattr(os, name, self._guard(getattr(os, name)))
        for module in (builtins, io):
            patch.setattr(module, "open", self._open(open))

    def _here(self, path):
        is_path = isinstance(path, str | os.PathLike)
        return is_path and os.fspath(path).startswith(self.folder)

    def _check(self, path, changes):
        gone = self.code == errno.ENOTCONN
        if self._here(path) and (gone or (changes and self.code == errno.EROFS)):
            raise OSError(self.code, os.strerror(self.code), os.fspath(path))

    def _guard(self, real, changes=False):
        def guarded(path=".", *args, **options):
            self._check(path, changes)
            return real(path, *args, **options)

        return guarded

    def _open(self, real):
        def guarded(path, mode="r", *args, **options):
            changes = any(letter in mode for letter in "wax+")
            self._check(path, changes)
            file = real(path, mode, *args, **options)
            if not (self._here(path) and changes):
                return file
            self.written.append((Path(path).name, mode))
            return Full(file, self.code) if self.code else file

        return guarded


class Full:
    """A file that takes half of what is written to it."""

    def __init__(self, file, code):
        self.file = file
        self.code = code

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def write(self, data):
        self.file.write(data[: len(data) // 2])
        raise OSError(self.code, os.strerror(self.code), self.file.name)


@pytest.fixture
def disk(tmp_path, monkeypatch):
    return Disk(tmp_path / "drive", monkeypatch)


def saved(store, number):
    """Saves generation `number`, and its row in the history."""
    store.save({"a": np.full(4, number)}, {"epoch": number})
    (store.folder.parent / "history.csv").write_text(f"row {number}\n")


def contents(folder):
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.fixture
def run(tmp_path):
    """A local run, its mirror, and the store in it."""
    store = Store(tmp_path / "local" / "resume")
    return store, drive.Mirror(tmp_path / "local", tmp_path / "drive", "resume")


def test_the_copy_equals_the_run_and_stays_small(run, tmp_path):
    store, mirror = run
    for number in range(1, 5):
        saved(store, number)
        assert mirror.sync(store) is True
        assert contents(tmp_path / "drive") == contents(tmp_path / "local")
    assert [*contents(tmp_path / "drive")] == [
        "history.csv",
        "resume/.gitignore",
        "resume/newest.json",
        "resume/state-000003.npz",
        "resume/state-000004.npz",
    ]


def test_nothing_is_changed_in_place_and_nothing_appended(run, disk):
    store, mirror = run
    for number in range(1, 4):
        saved(store, number)
        mirror.sync(store)
    assert len(disk.written) >= 9
    for name, mode in disk.written:
        assert mode == "wb" and name.endswith(".part"), (name, mode)


def test_what_did_not_change_is_not_copied_again(run, disk):
    store, mirror = run
    saved(store, 1)
    mirror.sync(store)
    disk.written.clear()
    mirror.sync(store)
    assert disk.written == []


@pytest.mark.parametrize("kind", FAILURES)
def test_a_failure_is_said_once_and_the_copy_caught_up(
    run, disk, tmp_path, capsys, kind
):
    store, mirror = run
    saved(store, 1)
    mirror.sync(store)
    before = contents(tmp_path / "drive")

    disk.code, message = FAILURES[kind]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for number in (2, 3):
            saved(store, number)
            assert mirror.sync(store) is False
    assert len(caught) == 1
    assert message in str(caught[0].message)
    assert "Training goes on" in str(caught[0].message)
    disk.code = None
    # What the copy held is still there, unharmed.
    after = contents(tmp_path / "drive")
    assert {name: after[name] for name in before} == before

    saved(store, 4)
    assert mirror.sync(store) is True
    assert "is up to date again" in capsys.readouterr().out
    assert contents(tmp_path / "drive") == contents(tmp_path / "local")
    assert Store(tmp_path / "drive" / "resume").load().record == {"epoch": 4}


def test_a_second_failure_is_said_again(run, disk):
    store, mirror = run
    for number in (1, 3):
        disk.code = errno.ENOSPC
        saved(store, number)
        with pytest.warns(UserWarning, match="it is full"):
            mirror.sync(store)
        disk.code = None
        saved(store, number + 1)
        assert mirror.sync(store) is True


def test_another_run_on_drive_is_not_overwritten(run, tmp_path):
    store, mirror = run
    other = Store(tmp_path / "drive" / "resume")
    saved(other, 7)
    before = contents(tmp_path / "drive")
    saved(store, 1)
    with pytest.warns(UserWarning, match="another run; choose another folder"):
        assert mirror.sync(store) is False
    assert contents(tmp_path / "drive") == before


def test_without_drives_mount_its_folder_is_not_made_on_the_local_disk(
    run, tmp_path, monkeypatch
):
    store, _ = run
    monkeypatch.setattr(drive, "MOUNT", tmp_path / "content")
    target = tmp_path / "content" / "MyDrive" / "course"
    mirror = drive.Mirror(tmp_path / "local", target, "resume")
    saved(store, 1)
    with pytest.warns(UserWarning, match="connection is gone"):
        mirror.sync(store)
    assert not (tmp_path / "content").exists()
    (tmp_path / "content" / "MyDrive").mkdir(parents=True)
    assert mirror.sync(store) is True


def cut(path):
    path.write_bytes(path.read_bytes()[:99])


def test_the_copy_is_fetched_only_where_it_is_further(run, tmp_path):
    store, mirror = run
    saved(store, 1)
    mirror.sync(store)
    old = shutil.copytree(tmp_path / "local", tmp_path / "old")
    saved(store, 2)
    mirror.sync(store)

    behind = Store(old / "resume")
    further = drive.Mirror(old, tmp_path / "drive", "resume")
    assert further.fetch(behind, behind.load()).record == {"epoch": 2}
    assert contents(old) == contents(tmp_path / "drive")

    saved(store, 3)
    snapshot = store.load()
    assert mirror.fetch(store, snapshot) is snapshot
    for path in (tmp_path / "drive" / "resume").iterdir():
        cut(path)
    assert mirror.fetch(store, snapshot) is snapshot


def test_a_damaged_copy_falls_back_to_its_previous_generation(run, tmp_path):
    store, mirror = run
    for number in (1, 2):
        saved(store, number)
        mirror.sync(store)
    cut(tmp_path / "drive" / "resume" / "state-000002.npz")
    shutil.rmtree(tmp_path / "local")
    store = Store(tmp_path / "local" / "resume")
    assert mirror.fetch(store, store.load()).record == {"epoch": 1}
    assert store.damage[0].startswith("in the copy state-000002.npz is damaged")


@pytest.mark.parametrize("code", [errno.ENOTCONN, None])
def test_without_a_local_state_an_unusable_copy_stops_the_run(
    run, disk, tmp_path, code
):
    """Starting anew because Drive does not answer would lose the run that is there."""
    store, mirror = run
    saved(store, 1)
    mirror.sync(store)
    shutil.rmtree(tmp_path / "local")
    if code is None:
        cut(tmp_path / "drive" / "resume" / "state-000001.npz")
    disk.code = code
    with pytest.raises(callbacks.DamagedError, match="its copy cannot be used"):
        mirror.fetch(Store(tmp_path / "local" / "resume"), None)


def test_a_training_survives_its_drive_and_its_machine(tmp_path, monkeypatch):
    """Drive fails for two epochs; then the machine is lost; then its damaged state."""
    local, copy = tmp_path / "local", tmp_path / "drive"
    expected = outcome(tmp_path / "whole", *train(tmp_path / "whole"))

    class Failing(callbacks.Resume):
        """Fails while the epochs 2 and 3 are saved, and ends the machine after 4."""

        def _save(self, epoch):
            disk.code = errno.ENOTCONN if epoch in (2, 3) else None
            super()._save(epoch)
            if epoch == 4:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        disk = Disk(copy, patch)
        patch.setattr("helpers.callbacks.resume.Resume", Failing)
        with (
            pytest.warns(UserWarning, match="connection is gone") as caught,
            pytest.raises(KeyboardInterrupt),
        ):
            train(local, fresh(), drive=copy)
    # Keras' own deprecation warnings are caught too.
    assert sum(w.category is UserWarning for w in caught) == 1
    rows = callbacks.read_rows(local)
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]

    best = (local / "best.weights.h5").read_bytes()
    shutil.rmtree(local)  # a new machine
    model, history = train(local, fresh(), drive=copy)
    assert (local / "best.weights.h5").read_bytes() == best
    assert callbacks.read_rows(local)[:4] == rows
    assert_same_bits(expected, outcome(local, model, history))

    for path in (local / "resume").glob("state-*"):
        cut(path)
    with pytest.warns(UserWarning, match="none of it can be used"):
        assert_same_bits(expected, outcome(local, *train(local, drive=copy)))


class Filling(keras.callbacks.Callback):
    """Fills a disk at one moment of epoch 3."""

    def __init__(self, disk=None, moment="on_epoch_begin"):
        super().__init__()
        self.disk = disk
        setattr(self, moment, self.fill)

    def fill(self, epoch, logs=None):
        if self.disk and epoch == 2:
            self.disk.code = errno.ENOSPC


# Before the log of the epoch is written, and between the log and the state.
@pytest.mark.parametrize("moment", ["on_epoch_begin", "on_epoch_end"])
def test_a_full_local_disk_says_what_to_do_and_the_run_goes_on(tmp_path, moment):
    whole, local = tmp_path / "whole", tmp_path / "local"
    expected = outcome(whole, *train(whole, fresh(), extra=[Filling()]))
    with pytest.MonkeyPatch.context() as patch:
        disk = Disk(local, patch)
        with pytest.raises(OSError, match="left on device. Make room, then") as caught:
            train(local, fresh(), extra=[Filling(disk, moment)])
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(local)
    epochs = [row["epoch"] for row in callbacks.read_rows(local)]
    assert epochs == ([1, 2] if moment == "on_epoch_begin" else [1, 2, 3])
    found = outcome(local, *train(local, fresh(), extra=[Filling()]))
    assert_same_bits(expected, found)


@pytest.fixture
def colab(tmp_path, monkeypatch):
    """A stub of google.colab, whose Drive is mounted on request."""
    stub = types.SimpleNamespace(mounted=[], error=None)

    def mount(path):
        stub.mounted.append(path)
        if stub.error:
            raise stub.error
        (Path(path) / "MyDrive").mkdir(parents=True)

    package = types.ModuleType("google")
    module = types.ModuleType("google.colab")
    module.drive = types.SimpleNamespace(mount=mount)
    package.colab = module
    monkeypatch.setitem(sys.modules, "google", package)
    monkeypatch.setitem(sys.modules, "google.colab", module)
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    monkeypatch.delenv("KAGGLE_KERNEL_RUN_TYPE", raising=False)
    monkeypatch.setattr(drive, "MOUNT", tmp_path / "content" / "drive")
    return stub


def test_in_colab_drive_is_mounted_once(colab, tmp_path):
    root = tmp_path / "content" / "drive"
    expected = root / "MyDrive" / "convolutional-networks" / "vgg"
    assert callbacks.drive_folder("vgg") == expected
    assert callbacks.drive_folder("vgg") == expected
    assert colab.mounted == [str(root)]
    assert not expected.exists()


def test_a_refused_mount_falls_back_to_a_local_folder(colab, tmp_path):
    colab.error = ValueError("mount failed")
    with pytest.warns(UserWarning) as caught:
        found = callbacks.drive_folder("vgg", local=tmp_path)
    assert found == tmp_path / "vgg"
    said = [str(warning.message) for warning in caught]
    assert "not mounted: mount failed" in said[0]
    assert "lost with this machine" in said[1]


def test_drive_is_mounted_on_request_only(colab, tmp_path):
    with pytest.warns(UserWarning, match="lost with this machine"):
        found = callbacks.drive_folder("vgg", mount=False, local=tmp_path)
    assert found == tmp_path / "vgg"
    assert colab.mounted == []


def test_elsewhere_it_is_a_local_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(drive.runtime, "environment", lambda: "local")
    assert callbacks.drive_folder("vgg", local=tmp_path) == tmp_path / "vgg"
    runs = drive.runtime.runs_folder()
    assert callbacks.drive_folder("vgg") == runs / "kept" / "vgg"


@pytest.mark.parametrize("name", ["", "../vgg", "a/b", ".hidden", "a b"])
def test_a_name_that_leaves_its_folder_is_refused(name):
    with pytest.raises(ValueError, match="letters, digits"):
        callbacks.drive_folder(name)
