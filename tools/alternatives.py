"""Judges the texts that stand in for images, for readers who do not see them."""

import re

# Words of a text alternative that say nothing of what is shown.
_ANY_FIGURE = frozenset(
    "a an and chart diagram figure graph image in of on output picture plot png "
    "screenshot the this untitled".split()
)


def says_nothing(text: str, least: int = 1) -> bool:
    """Tells whether a text alternative fails to say what an image shows.

    Args:
        text: the text alternative.
        least: how many words it needs beside those that every figure could have.
    """
    if re.fullmatch(r"\S+\.(?:png|jpe?g|svg|gif|webp)", text.strip(), re.IGNORECASE):
        return True
    words = re.findall(r"\w[\w.%-]*", text.lower())
    return len([word for word in words if word not in _ANY_FIGURE]) < least
