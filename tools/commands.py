"""What `course.py` does: run a lecture, open JupyterLab, test, build the website.

Standard library only: what needs more runs in the course's environment.
"""

import csv
import json
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from tools import ROOT, environment
from tools.environment import CourseError
from tools.processes import call, start, tee

NOTEBOOKS = ROOT / "notebooks"
ASSIGNMENT = "25"
PARTS = ("ruff", "pytest", "notebooks")
# A process a core, each with TensorFlow in it; a file stays in one process, because a
# notebook's cells share a kernel. More than four would want more than 16 GB.
PARALLEL = ("-n", str(min(4, os.cpu_count() or 1)), "--dist", "loadfile")
# Asks an environment for its versions, without the seconds that TensorFlow takes.
_ASK = """\
import platform, sys
from importlib.metadata import PackageNotFoundError, version
found = ["Python " + platform.python_version()]
for name in sys.argv[1:]:
    try:
        found.append(f"{name} {version(name)}")
    except PackageNotFoundError:
        found.append(f"no {name}")
print(", ".join(found))"""


def find_notebook(lecture: str) -> Path:
    """Finds a lecture's notebook.

    Args:
        lecture: its number (`7` or `07`), its name with or without number and
            ending (`07_resnet.ipynb`, `resnet`), or a path.

    Raises:
        CourseError: if there is no such notebook, or more than one.
    """
    if Path(lecture).is_file():
        return Path(lecture).resolve()
    notebooks = sorted(NOTEBOOKS.glob("*.ipynb"))
    wanted = lecture.removesuffix(".ipynb").lower()
    found = []
    for path in notebooks:
        number, _, topic = path.stem.lower().partition("_")
        if wanted in (path.stem.lower(), topic, number, number.lstrip("0")):
            found.append(path)
    found = found or [path for path in notebooks if wanted in path.stem.lower()]
    if len(found) != 1:
        choice = ", ".join(path.stem for path in found or notebooks) or "none yet"
        problem = "fits more than one notebook" if found else "is no notebook here"
        raise CourseError(f"{lecture!r} {problem}: choose from {choice}")
    return found[0]


def run(lecture: str, profile: str) -> int:
    """Executes a lecture, then prints the accuracies and where its files lie.

    Args:
        lecture: as for `find_notebook`.
        profile: `"quick"` or `"full"`.

    Returns:
        The exit status.
    """
    notebook = find_notebook(lecture)
    python = environment.ensure()
    # A folder for each profile, so that a quick run never touches a full one.
    folder = ROOT / "logs" / "local" / notebook.stem / profile
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / notebook.name
    print(f"{notebook.stem}, {profile}:", flush=True)
    began = time.time()
    variables = {"COURSE_PROFILE": profile, "COURSE_LOGS": str(folder)}
    command = [python, "-m", "tools.execute", notebook, "--output", copy]
    status = call(command, variables)
    if status == 0:
        print(f"\nFinished in {time.time() - began:.0f} s.")
    for line in accuracies(folder, began):
        print(line)
    print(f"The executed notebook  {shown(copy)}")
    print(f"Its logs               {shown(folder)}")
    if status == 0 and profile == "quick":
        name = notebook.stem.partition("_")[0]
        print(
            "Quick runs are too short for a result; the real length (hours without "
            f"a GPU):\n    python3 course.py run {name} --profile full"
        )
    return status


def accuracies(folder: Path, since: float) -> list[str]:
    """Describes each run below a folder in one line.

    Args:
        folder: where to look for runs (a run is a folder with a `history.csv`).
        since: the time, in seconds as `time.time()` counts them, before which a
            run counts as an earlier one and is marked.
    """
    lines = []
    for history in sorted(folder.rglob("history.csv")):
        with history.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        values = [float(row["val_accuracy"]) for row in rows if row["val_accuracy"]]
        if not values:
            continue
        try:
            info = json.loads((history.parent / "run.json").read_text("utf-8"))
        except (OSError, ValueError):
            info = {}  # an interrupted run may have no record yet
        name = info.get("architecture", history.parent.name)
        source = info.get("data", {}).get("source", "unknown images")
        epochs = f"{len(rows)} epoch" + ("s" if len(rows) > 1 else "")
        earlier = "" if history.stat().st_mtime >= since else "  (an earlier run)"
        lines.append(
            f"  {name:<14} {epochs:>10}   validation accuracy: last "
            f"{values[-1]:.2%}, best {max(values):.2%}   on {source}{earlier}"
        )
    return lines


def lab(lecture: str | None, extra: list[str]) -> int:
    """Opens JupyterLab, at a lecture if one is named.

    Args:
        lecture: as for `find_notebook`; None opens the folder of notebooks.
        extra: options for JupyterLab, such as `--no-browser`.
    """
    target = find_notebook(lecture) if lecture else NOTEBOOKS
    if not target.is_relative_to(ROOT):
        raise CourseError(f"{target} lies outside the course: copy it to {NOTEBOOKS}")
    python = environment.ensure()
    place = quote(target.relative_to(ROOT).as_posix())
    options = [
        f"--ServerApp.root_dir={ROOT}",
        f"--LabApp.default_url=/lab/tree/{place}",
    ]
    return call([python, "-m", "jupyterlab", *options, *extra])


def test(parts: Sequence[str], versions: str, extra: list[str]) -> int:
    """Runs ruff, pytest and the replay of the notebooks, then sums up.

    Args:
        parts: some of `PARTS`.
        versions: one of `environment.VERSIONS`.
        extra: options for pytest; they go to the replay if that is the only part.

    Returns:
        0 if every part passed, otherwise 1.
    """
    python = environment.ensure(versions)
    pytest = [python, "-m", "pytest", *PARALLEL]
    for_replay = extra if list(parts) == ["notebooks"] else []
    steps = {
        "ruff check": ("ruff", [python, "-m", "ruff", "check", "."]),
        "ruff format": ("ruff", [python, "-m", "ruff", "format", "--check", "."]),
        "pytest": ("pytest", [*pytest, *([] if for_replay else extra)]),
        "notebooks": ("notebooks", [*pytest, "--nbval", "notebooks", *for_replay]),
    }
    results = []
    for name, (part, command) in steps.items():
        if part not in parts:
            continue
        print(f"\n== {name}", flush=True)
        began = time.monotonic()
        status, closing = tee(command)
        results.append((name, status, time.monotonic() - began, closing))
    print(f"\n== summary, {versions} versions")
    print(installed(python, "tensorflow", "keras", "numpy", "ipython", "matplotlib"))
    for name, status, seconds, _ in results:
        outcome = "failed" if status else "passed"
        print(f"{name:<12} {outcome}  {seconds:7.1f} s")
    for name, _, _, closing in results:
        if name in ("pytest", "notebooks"):
            print(f"{name}: {closing or 'ended without a closing line'}")
    return int(any(status for _, status, _, _ in results))


def installed(python: Path, *packages: str) -> str:
    """Says in one line which versions an environment holds.

    Args:
        python: its interpreter.
        packages: their names, as pip knows them.
    """
    process = start([python, "-c", _ASK, *packages], stdout=subprocess.PIPE, text=True)
    return process.communicate()[0].strip() or f"{python} did not say its versions"


def site(output: str) -> int:
    """Builds the website of the lectures, from what their notebooks hold.

    Args:
        output: the folder that the website is written to.

    Returns:
        The exit status.
    """
    # The build runs in the course's folder, and the path is meant from here.
    folder = Path(output).absolute()
    python = environment.ensure(environment.SITE)
    return call([python, "-m", "tools.site", "--output", folder])


def shown(path: Path) -> str:
    """Writes a path as one would type it from the course's folder."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
