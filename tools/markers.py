"""Replaces what stands between two markers of a text."""

import re
from pathlib import Path


def between(text: str, start: str, end: str, content: str) -> str:
    """Returns a text with new content between its markers, each on its own line.

    Args:
        text: the text, with both markers in it.
        start: the first marker.
        end: the second marker.
        content: what is to stand between them.

    Raises:
        ValueError: if the markers are not there.
    """
    pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"the text needs the markers {start} and {end}")
    return pattern.sub(lambda _: f"{start}\n{content}\n{end}", text, count=1)


def refresh(
    root: Path, name: str, start: str, end: str, content: str, save: bool = True
) -> list[str]:
    """Brings what stands between two markers of a file up to date.

    Args:
        root: the course's folder.
        name: the file's path in it.
        start: the first marker.
        end: the second marker.
        content: what is to stand between them.
        save: write the change; otherwise only say whether there is one.

    Returns:
        The file's name if it differs from what it should hold.

    Raises:
        ValueError: if the markers are not there.
    """
    path = root / name
    before = path.read_text(encoding="utf-8")
    after = between(before, start, end, content)
    if save and after != before:
        path.write_text(after, encoding="utf-8", newline="\n")
    return [name] if after != before else []
