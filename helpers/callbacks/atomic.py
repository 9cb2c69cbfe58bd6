"""Files that are either whole or not there.

A process can be killed, and a disk can fill up, between any two bytes. So nothing
here is changed in place: a file is written beside, forced to the disk, read back,
and takes its name in one step that the file system guarantees.
"""

import contextlib
import errno
import os
from pathlib import Path

# How the names of unfinished files begin and end; `clear_unfinished` finds them.
_BEGIN, _END = ".", ".part"


def write_atomic(path: str | os.PathLike, data: bytes | str) -> Path:
    """Writes a file so that every reader sees the old one or the new one, whole.

    Args:
        path: The file to write; its folder is made where it is missing.
        data: The whole content; text is written as UTF-8.

    Returns:
        The path.

    Raises:
        OSError: If the disk refuses, or gives back other bytes than it was given.
            What stood under `path` before is unharmed, and nothing is left beside.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(data, str):
        data = data.encode("utf-8")
    # The process id keeps two processes that share a folder apart.
    beside = path.with_name(f"{_BEGIN}{path.name}.{os.getpid()}{_END}")
    try:
        with open(beside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with open(beside, "rb") as file:
            if file.read() != data:
                raise OSError(
                    errno.EIO, "The disk gave back other bytes than written", str(path)
                )
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    return path


@contextlib.contextmanager
def explain_full_disk(folder: str | os.PathLike):
    """Adds to the error of a full disk, or a used-up quota, what to do about it.

    Args:
        folder: The run's folder, which the error names.

    Raises:
        OSError: In place of the one raised within, with the same number.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OSError(
            error.errno,
            f"{error.strerror}. Make room, then run this again: what was "
            "saved before is whole",
            str(folder),
        ) from error


def sync_folder(folder: str | os.PathLike) -> None:
    """Forces the names in a folder to the disk, where the system can do that.

    Windows cannot open a folder, and network file systems may refuse to sync one:
    there the new name reaches the disk a little later.
    """
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def clear_unfinished(folder: str | os.PathLike) -> None:
    """Removes what a process that was killed while writing left in a folder."""
    for path in Path(folder).glob(f"{_BEGIN}*{_END}"):
        with contextlib.suppress(OSError):
            path.unlink()
