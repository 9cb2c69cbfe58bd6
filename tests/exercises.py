"""The exercises of a lecture and their solutions, for solving.py and its tests.

An exercise asks for names: one statement of its cells sets them to None, or is a class
or function that returns None. The solution sets them in a block of Python, or in code
within its text.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from nbformat import NotebookNode

_SECTION = re.compile(r"^(?=#{2,6} )", re.MULTILINE)
_FOLDED = re.compile(
    r"<details>\s*<summary>Solution</summary>(.*?)</details>", re.DOTALL
)
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


@dataclass
class Exercise:
    """One exercise of a lecture.

    Attributes:
        title: its heading.
        text: all its text, with the folded solution.
        cells: the sources of its code cells, as they are stored.
    """

    title: str
    text: str
    cells: list[str] = field(default_factory=list)

    @property
    def asserts(self) -> bool:
        """Whether a cell checks the answer."""
        return any(has_assert(cell) for cell in self.cells)

    @property
    def blocks(self) -> list[str]:
        """The blocks of Python in its solution."""
        return _BLOCK.findall("\n".join(_FOLDED.findall(self.text)))

    @property
    def inline(self) -> list[str]:
        """The code within the text of its solution."""
        folded = "\n".join(_FOLDED.findall(self.text))
        return _INLINE.findall(_BLOCK.sub("", folded))

    def answered(self) -> list[str]:
        """Returns the cells with the solution in place.

        An open exercise has none: there it is the solution's block, if it has one.

        Raises:
            ValueError: if the cells have not one statement to fill in, or no code in
                the solution sets all of its names.
        """
        if not self.asserts:
            return self.blocks[:1]
        found = [(n, s) for n, cell in enumerate(self.cells) for s in _blanks(cell)]
        if len(found) != 1:
            raise ValueError(f"{len(found)} statements to fill in: one is needed")
        [(place, blank)] = found
        asked = _set_by(blank)
        for code in self.blocks + self.inline:
            try:
                tree = ast.parse(code)
            except SyntaxError:
                continue  # a part of an expression, a command
            if asked <= {name for node in tree.body for name in _set_by(node)}:
                break
        else:
            raise ValueError(f"no code in the solution sets {', '.join(sorted(asked))}")
        lines = self.cells[place].split("\n")
        lines[blank.lineno - 1 : blank.end_lineno] = code.strip("\n").split("\n")
        return [*self.cells[:place], "\n".join(lines), *self.cells[place + 1 :]]


def has_assert(source: str) -> bool:
    """Tells whether a cell holds an assert."""
    return any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(source)))


def _blanks(source: str) -> Iterator[ast.stmt]:
    """Yields the statements of a cell that a student has to replace."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign):
            values = getattr(node.value, "elts", [node.value])
            if values and all(_is_none(value) for value in values):
                yield node
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            inner = [n for n in ast.walk(node) if isinstance(n, ast.Return)]
            if any(_is_none(n.value) for n in inner):
                yield node


def _is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _set_by(node: ast.stmt) -> set[str]:
    """Returns the names that a statement binds."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
    return {name.id for name in names if isinstance(name.ctx, ast.Store)}


def split(notebook: NotebookNode) -> tuple[list[NotebookNode], list[Exercise]]:
    """Returns the code cells of a lecture proper, and its exercises."""
    lecture, exercises, current = [], [], None
    for cell in notebook.cells:
        if cell.cell_type == "code":
            if current is None:
                lecture.append(cell)
            else:
                current.cells.append(cell.source)
            continue
        before, *sections = _SECTION.split(cell.source)
        if current is not None:
            current.text += before
        for section in sections:
            title = section.partition("\n")[0].lstrip("# ")
            is_one = title.startswith("Exercise ")
            current = Exercise(title, section) if is_one else None
            exercises += [current] if is_one else []
    return lecture, exercises
