"""Grade each submission in a process of its own, with bounded time and memory.

The child reads and never executes; the bounds are for what merely costs: a
notebook of 200 MB, a bomb in an archive, code that would loop for ever. It gets
1 GiB of memory and 10 s, may write no file, and answers with one line of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from grader.files import shown
from grader.report import to_dict, unread

SECONDS = 10.0
MEMORY = 1 << 30
LARGEST_ANSWER = 4 << 20
NOTHING = 3  # the child's exit status when there is nothing to grade

_ROOT = Path(__file__).resolve().parents[1]

# What is left for the parent: the child must end by itself before.
_GRACE = 1.0


def grade_bounded(path: Path, seconds: float = SECONDS) -> dict[str, Any] | None:
    """Return the report of one submission, or None when there is nothing to grade.

    Args:
        path: the submission.
        seconds: wall-clock time after which the reading is ended.

    Returns:
        The report of `grading.grade_to_dict`; every rule is unproven when the
        bounds were reached.
    """
    # -P: the folder that the command was called in, perhaps the submission's own,
    # is no place to import modules from.
    command = [sys.executable, "-P", "-m", "grader.sandbox", str(path.absolute())]
    environment = {
        key: value
        for key, value in os.environ.items()
        if key in ("PATH", "LANG", "SYSTEMROOT", "TEMP", "TMP", "HOME")
    }
    environment["PYTHONPATH"] = str(_ROOT)
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    environment["PYTHONIOENCODING"] = "utf-8"
    name = shown(path.resolve().name or str(path))
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=max(seconds - _GRACE, 0.5),
            env=environment,
            cwd=_ROOT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _unread(name, f"not read to its end in {seconds:.0f} s")
    except (OSError, ValueError) as error:
        return _unread(name, f"could not be read: {type(error).__name__}")
    if done.returncode == NOTHING:
        return None
    answer = done.stdout[: LARGEST_ANSWER + 1]
    try:
        result = json.loads(answer)
    except ValueError:
        why = "out of memory or time" if done.returncode else "no answer"
        return _unread(name, f"could not be read to its end ({why})")
    return result


def _unread(name: str, why: str) -> dict[str, Any]:
    return to_dict(unread(name, why)) | {"architecture": "", "run": ""}


def _bound() -> None:
    """Limit this process; where the system knows no such limits, time remains."""
    sys.setrecursionlimit(3_000)
    try:
        import resource
    except ImportError:  # Windows
        return
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, int(SECONDS)),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(limit, (value, value))
        except (ValueError, OSError):
            continue


def _child(path: str) -> int:
    from grader.grading import NothingToGrade, grade_to_dict

    _bound()
    name = shown(Path(path).name)
    try:
        result = grade_to_dict(Path(path))
    except NothingToGrade:
        return NOTHING
    except MemoryError:
        result = _unread(name, "needs more memory than is granted")
    except RecursionError:
        result = _unread(name, "is nested too deep to be read")
    sys.stdout.write(json.dumps(result))
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(_child(sys.argv[1]))
