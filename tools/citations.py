"""Finds the sources that a text cites, by author and year."""

import re
from dataclasses import dataclass

_NAME = r"(?:(?:van|de|von|der|den|la|le)(?: der| den)? )?[A-Z][\w'-]*[a-z]"
_AUTHORS = rf"{_NAME}(?:(?:, {_NAME})*,? and {_NAME}| et al\.| and colleagues)?"
_YEAR = r"(?:19|20)\d\d"
# "He et al. (2016)" in a sentence, "(Li, 2017)" and "(Li, ICLR 2014)" in brackets.
_IN_TEXT = re.compile(rf"({_AUTHORS}) \(({_YEAR})\)")
_IN_BRACKETS = re.compile(rf"({_AUTHORS}),? (?:[A-Z]+ )?({_YEAR})$")
# Words before a year that are no names of authors: months, and networks.
_NO_AUTHOR = re.compile(
    r"In|Since|Until|From|After|Before|January|February|March|April|May|June|July"
    r"|August|September|October|November|December|\w+Net(?:V\d)?"
)


@dataclass(frozen=True)
class Citation:
    """A source as a text names it.

    Attributes:
        authors: the family names that are named, in order.
        year: the year of publication.
    """

    authors: tuple[str, ...]
    year: int

    def __str__(self) -> str:
        return f"{' and '.join(self.authors)} ({self.year})"

    def matches(self, entry: str) -> bool:
        """Tells whether an entry of a list of references is this source.

        A preprint and its publication are years apart: a year of difference is one
        source where the authors agree.
        """
        years = {int(year) for year in re.findall(rf"\b{_YEAR}\b", entry)}
        named = all(re.search(rf"\b{re.escape(a)}\b", entry) for a in self.authors)
        return named and any(abs(year - self.year) <= 1 for year in years)


def cited(text: str) -> list[Citation]:
    """Returns what a text cites, each source once, in the order of the text.

    Args:
        text: Markdown; citations are "Hu, Shen and Sun (2018)", "(He et al., 2016)" and
            several in one pair of brackets, with semicolons between them.
    """
    text = re.sub(r"\s+", " ", re.sub(r"\]\([^)]*\)|`[^`]*`", " ", text))
    found = [(match.start(), match) for match in _IN_TEXT.finditer(text)]
    for brackets in re.finditer(r"\(([^()]*)\)", text):
        for part in brackets[1].split(";"):
            match = _IN_BRACKETS.search(part.strip())
            if match:
                found.append((brackets.start(), match))
    sources = []
    for _, match in sorted(found, key=lambda pair: pair[0]):
        names = re.split(r", | and ", re.sub(r" et al\.| and colleagues", "", match[1]))
        names = tuple(name for name in names if not _NO_AUTHOR.fullmatch(name))
        source = Citation(names, int(match[2]))
        if names and source not in sources:
            sources.append(source)
    return sources
