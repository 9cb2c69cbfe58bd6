"""The environment is made whole or not at all, and only when it must be."""

import collections
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tools import environment
from tools.environment import CourseError

ROOT = Path(__file__).parent.parent
MODULES = ("__init__", "cli", "commands", "environment", "processes")


def tiny_wheel(folder: Path, version: str) -> None:
    """Writes a package that holds nothing, as pip installs it."""
    folder.mkdir(exist_ok=True)
    info = f"tiny-{version}.dist-info"
    with zipfile.ZipFile(folder / f"tiny-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr(f"{info}/METADATA", f"Name: tiny\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout whose requirements are one tiny package from a local folder."""
    project = tmp_path / "a course"  # with a blank, as many paths have
    (project / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "course.py", project)
    for name in MODULES:
        shutil.copy(ROOT / "tools" / f"{name}.py", project / "tools")
    tiny_wheel(project / "wheels", "1.0")
    tiny_wheel(project / "wheels", "2.0")
    lines = f'--no-index\n--find-links "{(project / "wheels").as_posix()}"\ntiny>=1.0\n'
    (project / "requirements.txt").write_text(lines)
    (project / "constraints.txt").write_text("tiny==1.0\n")
    return project


def clean_variables(**more: str) -> dict[str, str]:
    """This machine's variables without its settings of pip and of the course."""
    own = ("PIP_", "COURSE_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(own)}
    return {**kept, "PIP_CONFIG_FILE": os.devnull, **more}


def start(project: Path, *arguments: str, **variables: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, str(project / "course.py"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_variables(**variables),
        # A shell starts what it runs in the background with SIGINT ignored.
        preexec_fn=None if os.name == "nt" else attend_to_interrupts,
    )


def attend_to_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def finish(process: subprocess.Popen) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def installed(project: Path) -> list[str]:
    """The tiny packages that the environment of a checkout holds."""
    return [path.name for path in (project / ".venv").rglob("tiny-*.dist-info")]


def leftovers(project: Path) -> list[str]:
    return [path.name for path in project.glob(".venv*")]


def fake_environment(folder: Path, state: str, key: str) -> None:
    """What looks like an environment of an earlier call."""
    python = environment.python_in(folder)
    python.parent.mkdir(parents=True)
    python.write_text("")
    (folder / environment.RECORD).write_text(json.dumps({"state": state, "key": key}))


def test_outdated_environment_is_renewed_once_then_kept(copy):
    fake_environment(copy / ".venv", "ready", "old")
    both = [start(copy, "setup"), start(copy, "setup")]
    first, second = map(finish, both)
    assert (first[0], second[0]) == (0, 0)
    # Two at once: one makes it, the other waits and finds it.
    out = first[1] + second[1]
    assert out.count(".venv is out of date") == 1
    assert out.count("Installing packages ...\n") == 1
    assert installed(copy) == ["tiny-1.0.dist-info"]
    assert leftovers(copy) == [".venv"]

    status, out, _ = finish(start(copy, "setup"))
    assert status == 0 and "Installing" not in out


def test_failed_installation_leaves_what_was_there(copy):
    fake_environment(copy / ".venv", "ready", "old")
    # Port 9 discards: nothing answers there.
    (copy / "requirements.txt").write_text("--index-url http://127.0.0.1:9/\ntiny\n")
    status, _, err = finish(start(copy, "setup", PIP_RETRIES="1"))
    assert status == 1
    assert err.startswith(f"The last lines of {copy / 'logs'}")
    assert err.splitlines()[-1] == (
        "course.py: the packages were not installed: the package index cannot be "
        "reached: check the network, then try again"
    )
    assert leftovers(copy) == [".venv"]
    assert '"old"' in (copy / ".venv" / environment.RECORD).read_text()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize(
    ("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_interrupted_build_leaves_nothing(copy, sent, status):
    process = start(copy, "setup")
    deadline = time.monotonic() + 30
    while not (copy / ".venv" / "pyvenv.cfg").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(sent)
    assert finish(process)[0] == status
    assert leftovers(copy) == []


def test_foreign_environment_is_left_alone(copy):
    (copy / ".venv").mkdir()
    (copy / ".venv" / "pyvenv.cfg").write_text("mine")
    status, _, err = finish(start(copy, "setup"))
    assert status == 1
    assert "was not made by course.py" in err and len(err.splitlines()) == 1
    assert (copy / ".venv" / "pyvenv.cfg").read_text() == "mine"


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A folder that the environment's functions take for the checkout."""
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.delenv("COURSE_VENV", raising=False)
    (tmp_path / "requirements.txt").write_text("# why\ntensorflow>=2.20\nnumpy>=2.1\n")
    (tmp_path / "constraints.txt").write_text("numpy==2.4.6\n")
    return tmp_path


def test_killed_build_gives_way_to_the_environment_before_it(project):
    fake_environment(project / ".venv", "building", "new")
    fake_environment(project / ".venv.old", "ready", environment.key("tested"))
    assert environment.ensure() == environment.python_in(project / ".venv")
    assert leftovers(project) == [".venv"]


def test_full_disk_is_seen_before_anything_is_made(project, monkeypatch):
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12, 10**9))
    with pytest.raises(CourseError, match="needs 4 GB and the disk has 1.0 GB left"):
        environment.ensure()
    assert leftovers(project) == []


@pytest.mark.parametrize("before", [False, True])
def test_disk_that_fills_up_leaves_what_was_there(project, monkeypatch, before):
    def fill(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    if before:
        fake_environment(project / ".venv", "ready", "old")
    monkeypatch.setattr(environment, "run_with_progress", fill)
    monkeypatch.setattr(environment, "NEEDED_BYTES", 0)
    with pytest.raises(CourseError, match="the disk is full"):
        environment.ensure()
    assert leftovers(project) == ([".venv"] if before else [])
    if before:
        assert '"old"' in (project / ".venv" / environment.RECORD).read_text()


def test_python_without_venv_is_told_what_to_install(project, monkeypatch):
    def without_ensurepip(command, label, log):
        log.write_text("... because ensurepip is not\navailable.")
        return 1

    monkeypatch.setattr(environment, "run_with_progress", without_ensurepip)
    monkeypatch.setattr(environment, "NEEDED_BYTES", 0)
    with pytest.raises(CourseError, match=r"no venv module.*apt install python3\.\d+-"):
        environment.ensure()
    assert leftovers(project) == []


def test_key_depends_on_all_that_is_installed(project, monkeypatch):
    keys = {environment.key(versions) for versions in environment.VERSIONS}
    (project / "requirements.txt").write_text("tensorflow>=2.21\n")
    keys.add(environment.key("tested"))
    (project / "constraints.txt").write_text("numpy==2.4.7\n")
    keys.add(environment.key("tested"))
    monkeypatch.setattr(sys, "version_info", (3, 12, 1, "final", 0))
    keys.add(environment.key("tested"))
    monkeypatch.setattr(sys, "version_info", (3, 13, 0, "final", 0))
    keys.add(environment.key("tested"))
    assert len(keys) == 8


def test_oldest_versions_are_the_lower_bounds(project):
    assert environment.constraints("oldest") == "tensorflow==2.20\nnumpy==2.1\n"


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        ("ERROR: [Errno 28] No space left on device", "disk"),
        (
            "WARNING: Retrying (Retry(total=4)) after connection broken by "
            "'NewConnectionError('<...>: Failed to establish a new connection: "
            "[Errno -3] Temporary failure in name resolution')': /simple/numpy/\n"
            "ERROR: No matching distribution found for numpy>=2.1",
            "cannot be reached",
        ),
        (
            "ERROR: Could not find a version that satisfies the requirement x\n"
            "ERROR: No matching distribution found for tensorflow>=2.20",
            "no version of tensorflow>=2.20 fits",
        ),
        (
            "ERROR: Cannot install keras>=3.13 because these package versions have "
            "conflicting dependencies.\nERROR: ResolutionImpossible: for help visit",
            "no version of keras>=3.13 fits",
        ),
        ("Collecting a\nERROR: Failed building wheel for a", "Failed building wheel"),
        ("", "without saying why"),
    ],
)
def test_cause_of_a_failed_installation(log, cause):
    explained = environment.explain(log)
    assert cause in explained and "\n" not in explained


def test_every_requirement_has_a_tested_version():
    def names(file, sign):
        lines = (ROOT / file).read_text("utf-8").splitlines()
        return {line.split(sign)[0] for line in lines if not line.startswith("#")}

    assert names("requirements.txt", ">=") <= names("constraints.txt", "==")
    assert names("requirements-site.txt", ">=") <= names("constraints-site.txt", "==")
