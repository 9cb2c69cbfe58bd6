"""Replaces what stands between two markers of a text."""

import re


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
