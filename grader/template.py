"""Write the repository that students start from.

The files lie in `grader/template/`; the course's address in the workflow and the
notebook comes from pyproject.toml, its one place.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_SOURCE = Path(__file__).resolve().parent / "template"

# The name in the package, the name in the student's repository.
FILES = {
    "README.md": "ReadMe.md",
    "workflow.yml": ".github/workflows/grade.yml",
    "gitignore": ".gitignore",
}


def write_template(folder: Path) -> list[str]:
    """Write a student's repository into a new or empty folder.

    Args:
        folder: where; it must not hold anything yet.

    Returns:
        The names of the files written.

    Raises:
        OSError: the folder is not empty, or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is not empty: name a new folder")
    address, branch = _course()
    written = []
    for source, name in FILES.items():
        text = (_SOURCE / source).read_text(encoding="utf-8")
        text = text.replace("COURSE_REPOSITORY", address).replace(
            "COURSE_BRANCH", branch
        )
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
        written.append(name)
    name = "Assignment 3.ipynb"
    (folder / name).write_text(_notebook(address), encoding="utf-8", newline="\n")
    return [*written, name]


def has_address() -> bool:
    """Whether pyproject.toml names the course's repository."""
    return "OWNER/REPOSITORY" not in _course()[0]


def _course() -> tuple[str, str]:
    with (_ROOT / "pyproject.toml").open("rb") as stream:
        settings = tomllib.load(stream)["tool"]["course"]
    return settings["repository"], settings.get("branch", "main")


def _notebook(address: str) -> str:
    """Return the notebook: text cells and code cells, split at lines of `# %%`."""
    text = (_SOURCE / "assignment.py").read_text(encoding="utf-8")
    text = text.replace("COURSE_REPOSITORY", address)
    cells = []
    for number, part in enumerate(text.split("# %%")[1:], 1):
        first, _, body = part.partition("\n")
        markdown = "markdown" in first
        lines = body.strip("\n").split("\n")
        if markdown:
            lines = [line.removeprefix("#").removeprefix(" ") for line in lines]
        source = [f"{line}\n" for line in lines[:-1]] + [lines[-1]]
        cell: dict = {
            "cell_type": "markdown" if markdown else "code",
            "id": f"cell-{number}",
            "metadata": {},
            "source": source,
        }
        if not markdown:
            cell |= {"execution_count": None, "outputs": []}
        cells.append(cell)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
