"""A lock between processes, which the system frees even when its holder is killed.

Standard library only, as tools/environment.py, which it is for.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def one_at_a_time(path: Path, waiting: str) -> Iterator[None]:
    """Holds a lock, after waiting for the process that has it.

    Args:
        path: the file that is locked; made if missing.
        waiting: what is printed, once, where another process has it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as stream:
        if not _locked(stream):
            print(waiting)
            while not _locked(stream):
                time.sleep(0.5)
        yield


def _locked(stream: IO[str]) -> bool:
    """Takes the lock on an open file, unless another process holds it."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
