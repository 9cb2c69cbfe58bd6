"""The virtual environments of the course: made from requirements, or not at all.

Standard library only: this runs before anything is installed. An environment is
built in its final place, because its scripts hold absolute paths. A record inside
it says "building" until the last step says "ready", so that an interrupted build is
recognised and removed, and a folder that the course did not make is left alone.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import sys
from datetime import date
from pathlib import Path

from tools import ROOT
from tools.lock import one_at_a_time
from tools.processes import run_with_progress

RECORD = "course.json"
# Measured: an environment of 2.7 GB, and TensorFlow's archive of 0.6 GB beside it.
NEEDED_BYTES = 4 * 10**9
# What builds the website has no TensorFlow: 0.2 GB.
NEEDED_FOR_SITE = 10**9 // 2

# What `--versions` adds to requirements.txt. "tested" is constraints.txt and
# "oldest" the lower bounds of requirements.txt. "newest" lasts a week.
VERSIONS = ("tested", "colab", "newest", "oldest")
# From the list that Colab publishes: googlecolab/backend-info on GitHub,
# pip-freeze.gpu.txt, June 2026. NumPy is newer than there (2.0.2, on Python 3.12):
# Python 3.13, to which Colab went in August, has it from 2.1 on.
COLAB = """\
tensorflow==2.20.*
keras==3.13.2
numpy==2.1.*
ipython==7.34.0
jax==0.7.2
matplotlib==3.10.0
opencv-python-headless==4.13.0.92
pillow==11.3.0
psutil==5.9.5
scipy==1.16.3
"""
# What builds the website, in an environment of its own.
SITE = "site"

# EDQUOT: a user's share of the disk is used up, on systems that have such shares.
FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
ELSEWHERE = "name a folder on another disk in COURSE_VENV"
ROOM = (
    "the disk (or the folder of temporary files) is full or your quota is used up: "
    f"free about 4 GB (0.5 for the website's), or {ELSEWHERE}"
)

# What pip's log says, and what that means; the first that is found counts. Without
# an index pip ends by finding no version, so the network comes before the versions.
_CAUSES = (
    (
        r"No space left on device|Errno 28\b|not enough space on the disk"
        r"|Dis[ck] quota exceeded|Errno 122\b",
        ROOM,
    ),
    (
        r"NewConnectionError|Failed to establish a new connection|name resolution"
        r"|getaddrinfo failed|ConnectTimeoutError|ReadTimeoutError|Read timed out"
        r"|ProxyError|SSLError|Network is unreachable",
        "the package index cannot be reached: check the network, then try again",
    ),
    (
        r"(?:Cannot install|No matching distribution found for) (?P<what>[^\s,]+)",
        "no version of {what} fits the requirements, the constraints, this Python and "
        "this system (TensorFlow has none for Macs with an Intel processor: use Colab)",
    ),
)


class CourseError(Exception):
    """A failure that one line explains; `course.py` prints it and exits with 1."""


def folder_for(versions: str = "tested") -> Path:
    """Returns where the environment lies: `COURSE_VENV`, or beside `course.py`.

    That of the website lies beside the other one, and never in its place.
    """
    name = ".venv" if versions == "tested" else f".venv-{versions}"
    named = os.environ.get("COURSE_VENV")
    if named and versions == SITE:
        named = f"{Path(named)}-{SITE}"
    return Path(named or ROOT / name).absolute()


def python_in(folder: Path) -> Path:
    """Returns the path of an environment's interpreter, which need not exist."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def requirements(versions: str) -> Path:
    """Returns the file of what is installed.

    Args:
        versions: one of `VERSIONS`, or `SITE`.
    """
    name = "requirements-site.txt" if versions == SITE else "requirements.txt"
    return ROOT / name


def constraints(versions: str) -> str:
    """Returns the constraints, in pip's format, that a set of versions stands for.

    Args:
        versions: one of `VERSIONS`, or `SITE`.
    """
    if versions in ("tested", SITE):
        name = "constraints-site.txt" if versions == SITE else "constraints.txt"
        return (ROOT / name).read_text(encoding="utf-8")
    if versions == "oldest":
        lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
        bounds = [line for line in lines if not line.startswith("#")]
        return "".join(line.replace(">=", "==") + "\n" for line in bounds)
    return {"colab": COLAB, "newest": ""}[versions]


def key(versions: str) -> str:
    """Returns the SHA-256 of all that an environment is made from.

    That of "newest" differs from week to week (ISO 8601's), as what is newest does.
    """
    wanted = requirements(versions).read_text(encoding="utf-8")
    python = "python {}.{}".format(*sys.version_info)
    parts = [wanted, constraints(versions), python]
    if versions == "newest":
        parts.append("week {}-{}".format(*date.today().isocalendar()))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def ensure(versions: str = "tested") -> Path:
    """Makes the environment where it is missing or out of date.

    Args:
        versions: one of `VERSIONS`: which exact versions are installed; or `SITE`.

    Returns:
        The path of its interpreter.

    Raises:
        CourseError: if it cannot be made. The environment that was there before,
            if any, is back in its place then, and no half-made one is left.
    """
    folder = folder_for(versions)
    lock = ROOT / "logs" / "local" / "environment.lock"
    waiting = "Another course.py is making the environment: waiting for it."
    with one_at_a_time(lock, waiting):
        _clear_interrupted(folder)
        if folder.exists():
            record = _record(folder)
            if record is None:
                raise CourseError(
                    f"{folder} was not made by course.py and is left alone: move it "
                    "away, or name another folder in COURSE_VENV"
                )
            if record["key"] == key(versions) and python_in(folder).exists():
                return python_in(folder)
            print(f"{folder.name} is out of date: making it anew.")
        _replace(folder, versions)
    return python_in(folder)


def explain(log: str) -> str:
    """Says in one line why an installation failed.

    Args:
        log: pip's output.

    Returns:
        The cause where it is a known one, otherwise pip's last error line.
    """
    for pattern, meaning in _CAUSES:
        found = re.search(pattern, log)
        if found:
            return meaning.format(**found.groupdict())
    errors = [line for line in log.splitlines() if line.startswith("ERROR:")]
    return errors[-1] if errors else "pip stopped without saying why"


def _replace(folder: Path, versions: str) -> None:
    """Builds the environment; puts an older one back in its place on failure."""
    _check_space(folder, NEEDED_FOR_SITE if versions == SITE else NEEDED_BYTES)
    ours = False
    try:
        if folder.exists():
            folder.rename(_aside(folder))
        ours = True
        _build(folder, versions)
    except BaseException as problem:  # Ctrl-C and SIGTERM must clean up as well
        if ours:
            shutil.rmtree(folder, ignore_errors=True)
            _put_back(folder)
        if isinstance(problem, OSError):
            full = problem.errno in FULL
            reason = ROOM if full else f"{problem}; does a program use it?"
            raise CourseError(f"{folder} was not made: {reason}") from None
        raise
    shutil.rmtree(_aside(folder), ignore_errors=True)


def _build(folder: Path, versions: str) -> None:
    """Makes and fills the environment; its record turns "ready" at the very end."""
    folder.mkdir(parents=True)
    _write_record(folder, "building", versions)
    pins = folder / "constraints.txt"
    pins.write_text(constraints(versions), encoding="utf-8")
    log = ROOT / "logs" / "local" / f"install-{versions}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")
    # Started from inside an environment, build on the Python below it.
    base = getattr(sys, "_base_executable", None) or sys.executable
    venv = [base, "-m", "venv", str(folder)]
    label = "Making {} (Python {}.{}.{})".format(folder.name, *sys.version_info)
    if run_with_progress(venv, label, log):
        text = log.read_text(encoding="utf-8", errors="replace")
        if "ensurepip" in text:
            raise CourseError(
                "this Python has no venv module: install it (Debian and Ubuntu: "
                "sudo apt install python{}.{}-venv)".format(*sys.version_info)
            )
        raise _failure("the environment was not made", text, log)
    pip = [str(python_in(folder)), "-m", "pip", "install", "--no-input"]
    # Python compiles what it imports, which is a small part of what is installed.
    pip += ["--no-compile", "--disable-pip-version-check", "--progress-bar=off"]
    pip += ["-r", str(requirements(versions)), "-c", str(pins)]
    # A "user = true" in someone's pip.conf cannot work in an environment.
    if run_with_progress(pip, "Installing packages", log, {"PIP_USER": "0"}):
        text = log.read_text(encoding="utf-8", errors="replace")
        raise _failure("the packages were not installed", text, log)
    _write_record(folder, "ready", versions)


def _failure(what: str, text: str, log: Path) -> CourseError:
    """An error of one line, after the last lines of the log."""
    tail = "\n".join("    " + line for line in text.rstrip().splitlines()[-6:])
    print(f"The last lines of {log}:\n{tail}", file=sys.stderr)
    return CourseError(f"{what}: {explain(text)}")


def _check_space(folder: Path, needed: int) -> None:
    """Refuses to start what the disk cannot hold."""
    place = next(parent for parent in folder.parents if parent.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise CourseError(
            f"{folder} was not made: it needs {needed / 1e9:g} GB and the "
            f"disk has {free / 1e9:.1f} GB left: free the rest, or {ELSEWHERE}"
        )


def _aside(folder: Path) -> Path:
    """Where the previous environment waits until the new one is ready."""
    return folder.with_name(folder.name + ".old")


def _clear_interrupted(folder: Path) -> None:
    """Tidies up after a build that was killed: the last ready environment stays."""
    record = _record(folder)
    if record is not None and record["state"] == "building":
        shutil.rmtree(folder)
    elif folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    _put_back(folder)
    if folder.exists() and _record(_aside(folder)) is not None:
        shutil.rmtree(_aside(folder))


def _put_back(folder: Path) -> None:
    """Gives the previous environment its place again, if that is free."""
    if not folder.exists() and _record(_aside(folder)) is not None:
        _aside(folder).rename(folder)


def _record(folder: Path) -> dict[str, str] | None:
    """Reads what `course.py` wrote about an environment; None if it did not."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return {name: str(record[name]) for name in ("state", "key")}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_record(folder: Path, state: str, versions: str) -> None:
    """Writes the record in one step: it is the old one or the new one, never half."""
    record = {"state": state, "key": key(versions), "versions": versions}
    new = folder / (RECORD + ".new")
    new.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    os.replace(new, folder / RECORD)
