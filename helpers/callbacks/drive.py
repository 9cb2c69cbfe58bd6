"""Copies of a run on Google Drive, which survive the machine that trains.

Drive's folder in Colab is no disk: a write is neither atomic nor sure to be sent, an
appended or overwritten file can be lost, and the whole folder can vanish. So a run
lives on the local disk, and whole files are copied from there under new names.
"""

import contextlib
import errno
import hashlib
import os
import re
import warnings
from pathlib import Path

from helpers import runtime
from helpers.callbacks.atomic import clear_unfinished, write_atomic
from helpers.callbacks.checkpoint import DamagedError, Snapshot, Store, encode

MOUNT = Path("/content/drive")
_REASONS = {
    errno.ENOTCONN: "its connection is gone; mount it again",
    errno.ENOSPC: "it is full",
    errno.EDQUOT: "your quota is used up",
    errno.EROFS: "it can only be read",
    errno.EACCES: "you may not write there",
    errno.EIO: "it does not answer properly",
}


def drive_folder(
    name: str, mount: bool = True, local: str | os.PathLike | None = None
) -> Path:
    """Returns a run's folder on Google Drive in Colab, on the local disk elsewhere.

    Args:
        name: The run's name: letters, digits, `.`, `-`, `_`.
        mount: Whether to mount Drive where it is not mounted; Colab asks you then.
        local: The folder used outside Colab, and in Colab when Drive is not mounted;
            `kept` among the course's runs by default.

    Returns:
        `My Drive/convolutional-networks/NAME`, or `local/NAME`. The folder is made
        when something is written to it.

    Raises:
        ValueError: If the name would not stay inside its folder.
    """
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise ValueError(
            f"The run's name is {name!r}: use letters, digits, '.', '-' and '_'."
        )
    local = Path(local or runtime.runs_folder() / "kept")
    if runtime.environment() != "colab":
        return local / name
    drive = MOUNT / "MyDrive"
    if mount and not drive.is_dir():
        from google.colab import drive as colab_drive

        try:
            colab_drive.mount(str(MOUNT))
        # Declined, timed out or refused: Colab raises what its version pleases.
        except Exception as error:
            warnings.warn(
                f"Google Drive was not mounted: {error}. Run this cell again to be "
                "asked again.",
                stacklevel=2,
            )
    if drive.is_dir():
        return drive / "convolutional-networks" / name
    warnings.warn(
        f"Without Google Drive this run is kept in {local / name}, which is lost with "
        "this machine.",
        stacklevel=2,
    )
    return local / name


class Mirror:
    """Keeps a copy of a run's folder up to date, and never stops a training.

    When copying fails, it warns once and tries again after each epoch; the copy is
    caught up as soon as it works.

    Args:
        source: The run's folder.
        target: The folder of the copy.
        state: Name of the subfolder that holds the run's state.
    """

    def __init__(
        self, source: str | os.PathLike, target: str | os.PathLike, state: str
    ):
        self.source = Path(source)
        self.target = Path(target)
        self.state = state
        self._failed = False
        self._copied: dict[str, str] = {}

    def fetch(self, local: Store, snapshot: Snapshot | None) -> Snapshot | None:
        """Brings the copy back where it is further than the local state.

        Args:
            local: The local store, loaded.
            snapshot: What was found in it.

        Returns:
            The snapshot to continue from, also in the local store.

        Raises:
            DamagedError: If there is no local state, and the copy cannot be read.
        """
        remote = Store(self.target / self.state)
        try:
            self._check_mounted()
            newest = remote.newest()
            if snapshot and newest and newest["generation"] <= snapshot.generation:
                return snapshot
            found = remote.load()
        except (OSError, DamagedError) as error:
            if snapshot:
                return snapshot  # the copy is caught up from here
            raise DamagedError(
                f"There is no state in {local.folder}, and its copy cannot be used: "
                f"{error}"
            ) from error
        if found is None or (snapshot and snapshot.generation >= found.generation):
            return snapshot
        if snapshot and snapshot.run != found.run:
            return snapshot  # `sync` says why it does not touch another run's copy
        local.damage += [f"in the copy {what}" for what in remote.damage]
        local.put(encode(found), found.run, found.generation)
        for path in self._logs(self.target):
            write_atomic(self.source / path.name, path.read_bytes())
        print(f"Fetched the run from {self.target}.")
        return found

    def sync(self, local: Store) -> bool:
        """Copies what changed. Returns whether the copy is up to date."""
        try:
            self._copy(local)
        except OSError as error:
            if not self._failed:
                reason = _REASONS.get(error.errno, "it cannot be written")
                warnings.warn(
                    f"{self.target}: {reason} ({error}). Training goes on and is "
                    f"saved in {self.source}; the copy is caught up when it works "
                    "again.",
                    stacklevel=2,
                )
            self._failed = True
            return False
        if self._failed:
            print(f"The copy in {self.target} is up to date again.")
        self._failed = False
        return True

    def _check_mounted(self):
        """Raises where Drive is gone: its path would be made on the local disk."""
        if self.target.is_relative_to(MOUNT) and not (MOUNT / "MyDrive").is_dir():
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN), str(MOUNT))

    def _copy(self, local):
        self._check_mounted()
        remote = Store(self.target / self.state)
        newest = remote.newest()
        if newest and newest["run"] != local.run:
            raise FileExistsError(
                errno.EEXIST, "It holds another run; choose another folder", ""
            )
        for generation, path in local.files().items():
            with self._changed(path) as data:
                if data is not None:
                    remote.put(data, local.run, generation)
        for path in self._logs(self.source):
            with self._changed(path) as data:
                if data is not None:
                    write_atomic(self.target / path.name, data)
        for folder in (self.target, remote.folder):
            clear_unfinished(folder)

    @contextlib.contextmanager
    def _changed(self, path):
        """Gives a file's bytes, or None when they were copied before."""
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        known = self._copied.get(path.name) == digest
        yield None if known else data
        self._copied[path.name] = digest  # reached only when copying succeeded

    def _logs(self, folder):
        """Returns the run's own files: its logs and what else is kept with them."""
        return [
            path
            for path in sorted(folder.iterdir())
            if path.is_file() and not path.name.startswith(".")
        ]
