"""Maintains the notebooks, README and the results tables.

python -m tools                        refresh quotes, setup cells, badges, tables
python -m tools --check                say what differs, and what a rule forbids
python -m tools tables                 refresh tables/ from the architectures
python -m tools execute NOTEBOOK ...   execute in quick, store cleaned outputs
python -m tools browser LECTURE ...    run lectures in JupyterLab, in a real browser
python -m tools browser site           read the website in a real browser
"""

import sys
import tempfile
from pathlib import Path

from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tools import (
    ROOT,
    badges,
    clean,
    commands,
    execute,
    hygiene,
    not_run,
    notebooks,
    quotes,
    results,
    setup_cell,
    study_results,
)
from tools.environment import CourseError

# Longer than any cell of a quick run; a cell that hangs must not hang for good.
CELL_SECONDS = 300


def refresh(notebook: NotebookNode, name: str) -> None:
    """Brings all that is generated in a notebook up to date.

    Args:
        notebook: changed in place.
        name: its file name.
    """
    badges.refresh(notebook, name)
    quotes.refresh(notebook)
    setup_cell.refresh_cells(notebook)


def refresh_all(save: bool) -> list[str]:
    """Brings the notebooks, README and the results tables up to date.

    Args:
        save: write the changes; otherwise only say what they would be.

    Returns:
        The names of the files that differ from what they should hold.
    """
    stale = []
    for path in notebooks.lectures():

        def edit(notebook: NotebookNode, name: str = path.name) -> None:
            refresh(notebook, name)

        if notebooks.changed(path, edit, save):
            stale.append(f"notebooks/{path.name}")
    if badges.refresh_readme(save=save):
        stale.append("README.md")
    stale += results.refresh(save=save)
    stale += not_run.refresh(save=save)
    return stale + study_results.refresh(save=save)


def store(path: Path) -> None:
    """Executes a notebook in quick and stores its outputs, cleaned, in place.

    Raises:
        CellExecutionError, CellTimeoutError, DeadKernelError: as `execute.execute`;
            the file is unchanged then.
    """
    notebook = notebooks.read(path)
    with tempfile.TemporaryDirectory() as logs:
        variables = {"COURSE_PROFILE": "quick", "COURSE_LOGS": logs}
        execute.execute(notebook, path.resolve().parent, variables, CELL_SECONDS)
        clean.clean(notebook, Path(logs))
    notebooks.write(path, notebook)


def look(names: list[str]) -> int:
    """Opens lectures, or the website, in a browser; returns the exit status.

    Args:
        names: lectures as `course.py run` takes them, or "site".
    """
    from tools.browser import laboratory, pages

    screenshots = ROOT / "logs" / "local" / "screenshots"
    found = []
    try:
        for name in names:
            if name == "site":
                lines = pages.read(ROOT / "site", screenshots)
            else:
                lines = laboratory.run(commands.find_notebook(name), screenshots)
            found += [f"{name}: {line}" for line in lines]
    except CourseError as problem:
        print(problem, file=sys.stderr)
        return 1
    print("\n".join([*found, f"Screenshots: {commands.shown(screenshots)}"]))
    return int(bool(found))


def main(arguments: list[str]) -> int:
    """Runs one of the commands above and returns its exit status."""
    if arguments[:1] == ["execute"] and len(arguments) > 1:
        for path in map(Path, arguments[1:]):
            print(path.name)
            try:
                store(path)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as problem:
                print(f"{path} is unchanged: {problem}", file=sys.stderr)
                return 1
        return 0
    if arguments[:1] == ["browser"] and len(arguments) > 1:
        return look(arguments[1:])
    if arguments == ["tables"]:
        # Needs Keras, which takes longer to import than all else here to run.
        from tools import tables

        for name in tables.refresh():
            print(f"tables/{name}: refreshed")
        return 0
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    check = arguments == ["--check"]
    try:
        stale = refresh_all(save=not check)
    except CourseError as problem:
        print(problem, file=sys.stderr)
        return 1
    for name in stale:
        print(f"{name}: {'out of date: run python -m tools' if check else 'refreshed'}")
    found = 0
    if check:
        for path in notebooks.lectures():
            for problem in hygiene.problems(path):
                print(f"notebooks/{path.name}: {problem}")
                found += 1
    return int(check and bool(stale or found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
