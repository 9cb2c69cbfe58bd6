"""Read a stored notebook: its cells' sources and the text they printed."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

MOST_CELLS = 2_000
LONGEST_SOURCE = 200_000
LONGEST_OUTPUT = 4_000_000


class Unreadable(Exception):
    """A file cannot be read; the text says why in one line."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        number: position in the notebook, from 1.
        is_code: False for text.
        source: what it holds.
        output: the text it printed, without images.
    """

    number: int
    is_code: bool
    source: str
    output: str = ""


def read_cells(text: str) -> list[Cell]:
    """Return the cells of a notebook.

    Args:
        text: the file's content, nbformat 3 or 4.

    Raises:
        Unreadable: not JSON, nested too deep, or not a notebook.
    """
    try:
        content = json.loads(text)
    except RecursionError as error:
        raise Unreadable("the JSON is nested too deep") from error
    except ValueError as error:
        raise Unreadable(f"not valid JSON ({_first_line(error)})") from error
    if not isinstance(content, dict):
        raise Unreadable("not a notebook: the JSON is no object")
    raw = content.get("cells")
    if raw is None:  # nbformat 3 keeps cells in worksheets
        sheets = content.get("worksheets")
        raw = []
        for sheet in sheets if isinstance(sheets, list) else []:
            cells = sheet.get("cells") if isinstance(sheet, dict) else None
            raw.extend(cells if isinstance(cells, list) else [])
    if not isinstance(raw, list):
        raise Unreadable("not a notebook: it has no list of cells")
    cells = []
    for number, cell in enumerate(raw[:MOST_CELLS], 1):
        if not isinstance(cell, dict):
            continue
        source = _text(cell.get("source", cell.get("input")))[:LONGEST_SOURCE]
        is_code = cell.get("cell_type") == "code"
        output = _outputs(cell.get("outputs")) if is_code else ""
        cells.append(Cell(number, is_code, source, output))
    return cells


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0][:120] if lines else type(error).__name__


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return ""


def _outputs(outputs: Any) -> str:
    """Join streams and plain results; a carriage return or backspace ends a line."""
    if not isinstance(outputs, list):
        return ""
    parts: list[str] = []
    length = 0
    for output in outputs:
        if not isinstance(output, dict):
            continue
        kind = output.get("output_type")
        # Training logs go to stdout and, in some versions, stderr; both count.
        text = _text(output.get("text"))
        data = output.get("data")
        if kind != "stream" and isinstance(data, dict) and not text:
            text = _text(data.get("text/plain"))
        if kind in ("error", "pyerr"):
            continue
        if text:
            if parts and not parts[-1].endswith("\n"):
                text = "\n" + text
            parts.append(text)
            length += len(text)
            if length > LONGEST_OUTPUT:
                break
    joined = "".join(parts)[:LONGEST_OUTPUT]
    return joined.replace("\r", "\n").replace("\b", "\n")
