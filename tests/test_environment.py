"""The environment is made whole or not at all, and only when it must be."""

import ast
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
from datetime import date
from importlib import metadata
from pathlib import Path

import pytest

from tools import environment
from tools.environment import CourseError

ROOT = Path(__file__).parent.parent
MODULES = ("__init__", "cli", "commands", "environment", "lock", "processes")


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
    with pytest.raises(CourseError, match="4 GB and .* has 1.0 GB left: .*COURSE_VENV"):
        environment.ensure()
    assert leftovers(project) == []


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_disk_that_fills_up_leaves_what_was_there(project, monkeypatch, number, before):
    def fill(*_):
        raise OSError(number, os.strerror(number))

    if before:
        fake_environment(project / ".venv", "ready", "old")
    monkeypatch.setattr(environment, "run_with_progress", fill)
    monkeypatch.setattr(environment, "NEEDED_BYTES", 0)
    with pytest.raises(CourseError) as refused:
        environment.ensure()
    said = str(refused.value)
    assert "is full or your quota is used up: free about 4 GB" in said
    assert "COURSE_VENV" in said and "\n" not in said
    assert leftovers(project) == ([".venv"] if before else [])
    if before:
        assert '"old"' in (project / ".venv" / environment.RECORD).read_text()


def test_another_error_of_the_system_is_told_as_it_is(project, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(environment, "run_with_progress", refuse)
    monkeypatch.setattr(environment, "NEEDED_BYTES", 0)
    with pytest.raises(CourseError, match="Permission denied; does a program use it"):
        environment.ensure()


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
    monkeypatch.setattr(sys, "version_info", (3, 11, 7, "final", 0))
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


class Calendar:
    """Takes the place of `datetime.date`, on a day of the test's choice."""

    def __init__(self, day: str):
        self.day = day

    def today(self) -> date:
        return date.fromisoformat(self.day)


def key_on(day: str, versions: str, monkeypatch) -> str:
    monkeypatch.setattr(environment, "date", Calendar(day))
    return environment.key(versions)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2026-06-08", "2026-06-14", True),  # Monday and Sunday
        ("2026-06-14", "2026-06-15", False),
        ("2025-12-29", "2026-01-04", True),  # the first week of 2026
        ("2025-01-01", "2025-12-31", False),  # first weeks, of 2025 and of 2026
        ("2020-12-28", "2021-01-03", True),  # the 53rd week of 2020
    ],
)
def test_newest_versions_are_looked_for_every_week(
    project, monkeypatch, first, second, same
):
    for versions in environment.VERSIONS:
        keys = {key_on(day, versions, monkeypatch) for day in (first, second)}
        assert len(keys) == (1 if same or versions != "newest" else 2), versions


def test_environment_of_last_week_is_made_anew(project, monkeypatch):
    made = []
    monkeypatch.setattr(environment, "_replace", lambda *words: made.append(words))
    folder = project / ".venv-newest"
    of_sunday = key_on("2026-06-14", "newest", monkeypatch)
    fake_environment(folder, "ready", of_sunday)
    environment.ensure("newest")
    assert made == []
    monkeypatch.setattr(environment, "date", Calendar("2026-06-15"))
    environment.ensure("newest")
    assert made == [(folder, "newest")]


def test_oldest_versions_are_the_lower_bounds(project):
    assert environment.constraints("oldest") == "tensorflow==2.20\nnumpy==2.1\n"


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        ("ERROR: [Errno 28] No space left on device", "the disk (or the folder of"),
        ("OSError: [Errno 122] Disk quota exceeded: '/home/s/.venv'", "quota is used"),
        ("OSError: [Errno 69] Disc quota exceeded: '/Users/s/x'", "quota is used"),
        # Not every number that begins so is a full disk.
        ("ERROR: [Errno 2811] Odd", "[Errno 2811] Odd"),
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


def pins(text: str, sign: str) -> dict[str, str]:
    """The names in a file of pip's, each with what follows the sign."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return dict(line.split(sign) for line in lines if sign in line)


def listed(file: str, sign: str) -> dict[str, str]:
    return pins((ROOT / file).read_text("utf-8"), sign)


def test_every_requirement_has_a_tested_version():
    assert listed("requirements.txt", ">=").keys() <= (
        listed("constraints.txt", "==").keys()
    )
    assert listed("requirements-site.txt", ">=").keys() <= (
        listed("constraints-site.txt", "==").keys()
    )


def numbers(version: str) -> list[int]:
    return [int(part) for part in version.removesuffix(".*").split(".")]


def test_colab_has_what_the_course_requires():
    required = listed("requirements.txt", ">=")
    colab = pins(environment.COLAB, "==")
    assert {"tensorflow", "keras", "numpy", "ipython", "matplotlib"} <= colab.keys()
    for name, version in colab.items():
        assert numbers(required[name]) <= numbers(version), name


# Used only where it is there; and what comes with something that is required.
UNNAMED = {"torch"}
PARTS = {"ml-dtypes": "keras", "sqlalchemy": "optuna"}


def imported(source: str) -> set[str]:
    """The packages that some Python imports, without relative ones."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def code(path: Path) -> str:
    """The Python in a module or a notebook."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        return text
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    lines = "\n".join("".join(cell["source"]) for cell in cells).splitlines()
    return "\n".join(line for line in lines if not line.startswith(("%", "!")))


def test_what_lectures_and_helpers_import_is_required():
    files = [*(ROOT / "helpers").rglob("*.py"), *(ROOT / "notebooks").glob("*.ipynb")]
    found = set().union(*(imported(code(path)) for path in files))
    found -= {*sys.stdlib_module_names, "helpers", "tools", "grader", "google"}
    owners = metadata.packages_distributions()
    required = listed("requirements.txt", ">=").keys()
    assert set(PARTS.values()) <= required
    for name in found:
        # A package that is not installed here goes by the name it is imported by.
        [owner] = {each.lower().replace("_", "-") for each in owners.get(name, [name])}
        assert owner in required | UNNAMED | PARTS.keys(), f"{owner}: import {name}"
