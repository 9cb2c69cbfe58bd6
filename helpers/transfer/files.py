"""Rows in a CSV file: read back with their types, written whole."""

import csv
import io
from pathlib import Path

from helpers.callbacks.atomic import write_atomic


def read_rows(path, kinds):
    """Read the rows of a file.

    Args:
        path: The file.
        kinds: A dictionary from the name of each column to the type of its values.

    Returns:
        A dictionary a row; an empty list where there is no file.

    Raises:
        ValueError: If the file has other columns.
    """
    path = Path(path)
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != tuple(kinds):
            raise ValueError(
                f"{path} has the columns {reader.fieldnames}, not {','.join(kinds)}: "
                "it was not made by this study. Move it away."
            )
        return [
            {name: kind(row[name]) for name, kind in kinds.items()} for row in reader
        ]


def write_rows(path, rows, kinds):
    """Write a file whole, so that an interruption leaves the old one or the new one.

    Args:
        path: The file.
        rows: A dictionary a row.
        kinds: A dictionary whose keys are the columns.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, tuple(kinds), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomic(Path(path), text.getvalue())
