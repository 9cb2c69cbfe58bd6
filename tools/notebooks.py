"""Reads and writes the lectures' notebooks, the same way everywhere."""

import copy
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools import ROOT

FOLDER = ROOT / "notebooks"


@dataclass(frozen=True)
class Project:
    """Where the course lives, as pyproject.toml says.

    Attributes:
        repository: the repository's URL, without a slash at the end.
        branch: the branch that links lead to.
    """

    repository: str
    branch: str


def project() -> Project:
    """Reads the course's address from the one place that holds it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    course = settings["tool"]["course"]
    return Project(course["repository"].rstrip("/"), course["branch"])


def lectures() -> list[Path]:
    """Returns the notebooks in teaching order."""
    return sorted(FOLDER.glob("*.ipynb"))


def read(path: Path) -> NotebookNode:
    """Reads a notebook in the current format."""
    return nbformat.read(path, as_version=4)


def write(path: Path, notebook: NotebookNode) -> None:
    """Writes a notebook as nbformat does, with one line end on any system."""
    text = nbformat.writes(notebook)
    path.write_text(text.rstrip("\n") + "\n", encoding="utf-8", newline="\n")


def changed(path: Path, edit: Callable[[NotebookNode], None], save: bool) -> bool:
    """Tells whether an edit changes a notebook.

    Args:
        path: the notebook.
        edit: changes a notebook in memory.
        save: write the changed notebook back.
    """
    before = read(path)
    after = copy.deepcopy(before)
    edit(after)
    if after == before:
        return False
    if save:
        write(path, after)
    return True


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Returns the code cells in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def has_tag(cell: NotebookNode, tag: str) -> bool:
    """Tells whether a cell carries a tag."""
    return tag in cell.metadata.get("tags", [])


def title(notebook: NotebookNode) -> str:
    """Returns the heading that a notebook starts with.

    Raises:
        ValueError: if its first cell does not start with `# Title`.
    """
    first = notebook.cells[0].source if notebook.cells else ""
    found = re.match(r"# (.+)", first)
    if found is None:
        raise ValueError(f"the first cell must be '# Title ...', not {first[:40]!r}")
    return found[1].strip()
