"""Runs the exercises of a lecture with its solutions, for test_exercises.py.

A solution takes the place of the statement that a student fills in, and the asserts
behind it run, after those cells of the lecture that they need.
"""

import ast
import contextlib
import io
import os
import sys
import traceback
from pathlib import Path

from exercises import split
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from rehearsal import Place, only_for

from tools import ROOT
from tools.notebooks import code_cells, read

_REACHED = "_reached"  # the name under which cells report an assert that held


def needed(lecture: list[NotebookNode], parts: list[list[str]]) -> list[str]:
    """Returns the cells of a lecture that its exercises need.

    Args:
        lecture: its code cells.
        parts: the sources of the cells of each exercise.
    """
    kept = set()
    for cells in parts:
        # One cell, because what its parts define need not come from the lecture. And
        # one exercise at a time: what others define is not there if they are left out.
        last = new_code_cell("\n".join([*cells, "# the whole exercise"]))
        part = NotebookNode(cells=[*lecture, last])
        kept |= {cell.id for cell in code_cells(only_for(part, last.source))}
    return [cell.source for cell in lecture if cell.id in kept]


class _Reporting(ast.NodeTransformer):
    """Adds to each assert a call that tells that it was reached, and held."""

    def visit_Assert(self, node: ast.Assert) -> list[ast.stmt]:
        call = ast.parse(f"{_REACHED}({node.lineno})").body[0]
        return [node, ast.copy_location(call, node)]


class Room:
    """The names that cells share, as in a kernel."""

    def __init__(self) -> None:
        self.names = {"__name__": "__main__"}

    def restore(self, names: dict) -> None:
        """Goes back to names that were copied before."""
        # In the same dict, where the functions of the lecture look theirs up.
        self.names.clear()
        self.names.update(names)

    def run(self, sources: list[str], title: str, checked: bool = True) -> list[str]:
        """Runs cells.

        Args:
            sources: the cells.
            title: what a failure is reported under.
            checked: whether an assert that is not reached is a failure, too.

        Returns:
            A line that says what failed first, or none.
        """
        for source in sources:
            tree, reached = ast.parse(source), set()
            asserts = {n.lineno for n in ast.walk(tree) if isinstance(n, ast.Assert)}
            tree = ast.fix_missing_locations(_Reporting().visit(tree))
            self.names[_REACHED] = reached.add
            lines = source.split("\n")
            try:
                exec(compile(tree, "<cell>", "exec"), self.names)
            except Exception as error:
                # The outermost is of this cell, the others of functions it calls.
                frames = traceback.extract_tb(error.__traceback__)
                number = next(f.lineno for f in frames if f.filename == "<cell>")
                said = f"{type(error).__name__} {error}".strip()
                return [f"{title}: {said}, at: {lines[number - 1].strip()}"]
            if checked and (missed := asserts - reached):
                number = min(missed)
                return [f"{title}: not reached: {lines[number - 1].strip()}"]
        return []


def problems(notebook: NotebookNode) -> list[str]:
    """Solves the exercises of a lecture, each alone and all in a row.

    Alone as by a student who leaves the others out: those before it are run as they
    are stored. In a row, because an answer may change a name that a later exercise
    takes from the lecture.

    Args:
        notebook: the lecture.

    Returns:
        A line for every exercise that fails.
    """
    lecture, exercises = split(notebook)
    found, solved = [], []
    for exercise in exercises:
        try:
            solved.append((exercise, exercise.answered()))
        except ValueError as error:
            found.append(f"{exercise.title}: {error}")
    room = Room()
    cells = needed(lecture, [answer for _, answer in solved])
    if failed := room.run(cells, "before the exercises", checked=False):
        return found + failed
    start = dict(room.names)
    for exercise, answer in solved:
        before = dict(room.names)
        found += room.run(answer, f"{exercise.title}, alone")
        room.restore(before)
        found += room.run(exercise.cells, f"{exercise.title}, left out", checked=False)
    room.restore(start)
    for exercise, answer in solved:
        found += room.run(answer, f"{exercise.title}, after the others")
    return found


def begin(folder: Path) -> None:
    """Prepares a process for `problems_of`: quick, and without a network.

    Args:
        folder: gets what the cells write.
    """
    variables = {
        "COURSE_PROFILE": "quick",
        "COURSE_LOGS": str(folder),
        "CIFAR10_DIR": os.environ.get("CIFAR10_DIR", str(folder)),
        "MPLBACKEND": "agg",
    }
    environment = Place(folder, variables).environment()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)


def cheapen(notebook: NotebookNode, pieces: dict[str, str]) -> None:
    """Replaces pieces of a lecture's code, in memory.

    Args:
        notebook: the lecture.
        pieces: what to replace, each in one cell and once, and by what.

    Raises:
        ValueError: if a piece is not there, or in more than one place.
    """
    for piece, cheaper in pieces.items():
        cells = [cell for cell in code_cells(notebook) if piece in cell.source]
        times = sum(cell.source.count(piece) for cell in cells)
        if times != 1:
            raise ValueError(f"the code holds {piece!r} {times} times: once is needed")
        cells[0].source = cells[0].source.replace(piece, cheaper)


def problems_of(path: Path, pieces: dict[str, str]) -> list[str]:
    """As `problems`, for a stored lecture, in a process that ran others before.

    Args:
        path: the lecture.
        pieces: as for `cheapen`.
    """
    notebook = read(path)
    cheapen(notebook, pieces)
    with contextlib.redirect_stdout(io.StringIO()):
        found = problems(notebook)
    # The numbers in Keras' names begin anew, and no figure is kept.
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session()
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
    return found
