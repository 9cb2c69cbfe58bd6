"""Keeps the code that lectures quote equal to the code that they import.

A cell that starts with a comment like

    # helpers/architectures/resnet.py: residual_block

holds the source of that function, letter for letter, and nothing else. Several
names, separated by commas, stand for several definitions.
"""

import ast
import re
from pathlib import Path

from nbformat import NotebookNode

from tools import ROOT
from tools.notebooks import code_cells

_HEADER = re.compile(r"# (?P<path>[\w/]+\.py): (?P<names>\w+(?:, \w+)*)")


class QuoteError(ValueError):
    """A quote that names what does not exist."""


def definition(path: Path, name: str) -> str:
    """Returns the source of a function, class or constant of a module.

    Args:
        path: the module's file.
        name: what is defined at its top level.

    Returns:
        The lines from its first decorator to its end.

    Raises:
        QuoteError: if there is no such file or definition.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise QuoteError(f"a quote names {path}, which does not exist") from None
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names, decorators = [node.name], node.decorator_list
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if hasattr(target, "id")]
            decorators = []
        else:
            continue
        if name in names:
            first = min([node.lineno, *(each.lineno for each in decorators)])
            return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    raise QuoteError(f"a quote names {name}, which {path} does not define")


def quoted(source: str, root: Path = ROOT) -> str | None:
    """Returns what a cell must hold, or None if it is not a quote.

    Args:
        source: the cell's source; its first line tells.
        root: the folder that paths in quotes start from.

    Raises:
        QuoteError: if it quotes what does not exist.
    """
    header = source.split("\n", 1)[0]
    found = _HEADER.fullmatch(header)
    if found is None:
        return None
    path = root / found["path"]
    parts = [definition(path, name) for name in found["names"].split(", ")]
    return header + "\n" + "\n\n\n".join(parts)


def refresh(notebook: NotebookNode, root: Path = ROOT) -> None:
    """Writes the present source into every quote of a notebook."""
    for cell in code_cells(notebook):
        text = quoted(cell.source, root)
        if text is not None:
            cell.source = text
