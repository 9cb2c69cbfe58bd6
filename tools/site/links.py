"""Leads the links of a text to pages of the site, or to GitHub.

Links in the course are relative to the file that they stand in, so that they work on
GitHub and in an editor. On the site some of these files are pages and the rest is not
there.
"""

import os
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from tools.environment import CourseError
from tools.notebooks import Project

# What looks like a link inside of code or of a formula is none.
_CODE = (
    r"^ *(?P<fence>```+|~~~+).*?^ *(?P=fence)"
    r"|(?<!`)(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)"
    r"|\$\$.*?\$\$|(?<!\\)\$[^$\n]+\$"
)
_LINK = re.compile(
    r"(?P<before>(?P<image>!?)\[(?:\\.|[^\[\]\\]|!\[[^\]]*\]\([^)]*\))*\]\(<?"
    r"|\b(?:href|(?P<source>src))=[\"']"
    r"|^\[[^\]\n]+\]: +)(?P<target>[^)>\s\"']+)",
    re.MULTILINE,
)
_MENTION = re.compile(r"\b[Ll]ecture (?P<number>\d{1,2})\b")
# A link cannot stand in another one, in a heading, or in a line of HTML.
_NO_MENTION = _CODE + r"|!?\[[^\]\n]*\]\([^)\n]*\)|^ *(?:#|<).*?$"


@dataclass
class Site:
    """What links lead to.

    Attributes:
        root: the course's folder.
        where: its repository on GitHub.
        pages: the source of each page in the site's folder, by its file in the
            course, both as posix paths.
        images: files that texts show, which the site must have too; grows as links
            are rewritten.
    """

    root: Path
    where: Project
    pages: dict[str, str]
    images: set[str] = field(default_factory=set)

    def target(self, link: str, source: str, page: str, shown: bool = False) -> str:
        """Returns where a link leads on the site.

        Args:
            link: the link as the text has it.
            source: the course's file that it stands in.
            page: the page that the text becomes part of.
            shown: whether it is an image.

        Raises:
            CourseError: if it leads nowhere.
        """
        parts = urlsplit(link)
        if parts.scheme or parts.netloc or not parts.path:
            return link
        folder = posixpath.dirname(source)
        path = posixpath.normpath(posixpath.join(folder, unquote(parts.path)))
        fragment = f"#{parts.fragment}" if parts.fragment else ""
        if path in self.pages:
            return _relative(self.pages[path], page) + fragment
        if path.startswith("..") or not (self.root / path).exists():
            raise CourseError(
                f"{source} links to {link}, which does not exist: correct the link"
            )
        if shown:
            self.images.add(path)
            return _relative(path, page)
        kind = "tree" if (self.root / path).is_dir() else "blob"
        return f"{self.where.repository}/{kind}/{self.where.branch}/{path}{fragment}"

    def rewrite(self, text: str, source: str, page: str) -> str:
        """Returns a text in Markdown with its links as the site needs them.

        Args:
            text: the text, or a part of it.
            source: the course's file that it comes from.
            page: the page that it becomes part of.

        Raises:
            CourseError: if a link leads nowhere.
        """

        def replace(found: re.Match) -> str:
            before, shown = found["before"], bool(found["image"] or found["source"])
            # An image that is a link: the inner address is part of what stands before.
            before = _INNER.sub(
                lambda inner: (
                    inner[1] + self.target(inner[2], source, page, shown=True)
                ),
                before,
            )
            return before + self.target(found["target"], source, page, shown)

        return outside(_CODE, text, lambda part: _LINK.sub(replace, part))


_INNER = re.compile(r"(!\[[^\]]*\]\()([^)\s]+)")


def link_mentions(text: str, lectures: dict[int, str], own: int) -> str:
    """Makes links of the places where a lecture's text names another lecture.

    Args:
        text: Markdown; code, formulas, headings and links in it stay as they are.
        lectures: the lectures' addresses, by their number.
        own: the number of the lecture that the text belongs to.
    """

    def replace(found: re.Match) -> str:
        number = int(found["number"])
        if number == own or number not in lectures:
            return found[0]
        return f"[{found[0]}]({lectures[number]})"

    return outside(_NO_MENTION, text, lambda part: _MENTION.sub(replace, part))


def outside(pattern: str, text: str, edit: Callable[[str], str]) -> str:
    """Edits the parts of a text that a pattern does not match."""
    parts, end = [], 0
    for found in re.finditer(pattern, text, re.MULTILINE | re.DOTALL):
        parts += [edit(text[end : found.start()]), found[0]]
        end = found.end()
    return "".join([*parts, edit(text[end:])])


def _relative(target: str, page: str) -> str:
    """Returns the address of one page as another page writes it."""
    path = os.path.relpath(target, posixpath.dirname(page) or ".")
    return quote(path.replace(os.sep, "/"))
