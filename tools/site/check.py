"""Reads a built site and names what a reader would find broken."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tools.alternatives import says_nothing

_VERBATIM = ("code", "pre", "script", "style", "title")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
# Badges are the hosts' own images; nothing else may need a network.
_BADGES = ("colab.research.google.com", "kaggle.com")


@dataclass
class Page:
    """What a page offers to links, and what it needs.

    Attributes:
        names: the ids of its elements.
        links: addresses that it leads to.
        loaded: addresses of what a browser fetches to show it.
        silent: addresses of images without a text alternative.
        vague: texts of images that do not say what is shown.
        dollars: texts with a sign of a formula that was not set as one.
        headings: level and text of each heading.
        language: what the page says that it is written in.
    """

    names: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    vague: list[str] = field(default_factory=list)
    dollars: list[str] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    language: str = ""


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.page = Page()
        self.inside = False
        self.verbatim = 0

    def handle_starttag(self, tag, attrs):
        values = {name: value or "" for name, value in attrs}
        if "id" in values:
            self.page.names.add(values["id"])
        if tag == "a" and "href" in values:
            self.page.links.append(values["href"])
        if tag == "link" and values.get("rel") in ("stylesheet", "icon"):
            self.page.loaded.append(values["href"])
        if tag in ("script", "img", "iframe") and "src" in values:
            self.page.loaded.append(values["src"])
        if tag == "img" and not values.get("alt", "").strip():
            self.page.silent.append(values.get("src", "")[:60])
        elif tag == "img" and says_nothing(values["alt"]):
            self.page.vague.append(values["alt"])
        # No element of these kinds is empty, and each is closed.
        self.verbatim += tag in _VERBATIM
        if tag == "html":
            self.page.language = values.get("lang", "")
        if tag in _HEADINGS:
            self.page.headings.append((int(tag[1]), ""))
            self.inside = True

    def handle_endtag(self, tag):
        self.verbatim -= tag in _VERBATIM
        self.inside = self.inside and tag not in _HEADINGS

    def handle_data(self, data):
        if "$" in data and not self.verbatim:
            self.page.dollars.append(" ".join(data.split())[:60])
        if self.inside:
            level, text = self.page.headings[-1]
            self.page.headings[-1] = (level, text + data)


def read_page(text: str) -> Page:
    """Reads what a page of HTML holds."""
    reader = _Reader()
    reader.feed(text)
    return reader.page


def problems(folder: Path) -> list[str]:
    """Checks the links, images and scripts of a site.

    Args:
        folder: the site, with an `index.html`.

    Returns:
        A line for every problem; none if all is well.
    """
    pages = {
        path.resolve(): read_page(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.html"))
    }
    found = []
    for path, page in pages.items():
        name = path.relative_to(folder.resolve()).as_posix()
        for link in page.links + page.loaded:
            trouble = _trouble(link, path, pages)
            if trouble:
                found.append(f"{name}: the link {link} {trouble}")
        for link in page.loaded:
            host = urlsplit(link).netloc
            if host and host not in _BADGES:
                found.append(f"{name} needs a network: it loads {link}")
        for link in page.silent:
            found.append(f"{name}: the image {link} has no text alternative")
        for text in page.dollars:
            found.append(f"{name}: the text {text!r} has a formula that is not set")
        for text in page.vague:
            found.append(f"{name}: the text {text!r} does not say what an image shows")
        # The page of the search is empty until someone searches.
        if name != "search.html":
            found += [f"{name}: {problem}" for problem in _structure(page)]
    return found


def _structure(page: Page) -> Iterator[str]:
    """Says what a reader who listens would miss: the language, the tree of headings."""
    if not page.language:
        yield "the page does not say its language"
    levels = [level for level, _ in page.headings]
    if levels.count(1) != 1 or levels[0] != 1:
        yield f"there must be one heading of level 1, and it must come first: {levels}"
    for (above, _), (level, text) in itertools.pairwise(page.headings):
        if level > above + 1:
            yield f"the heading {text.strip()!r} leaves out a level"


def _trouble(link: str, path: Path, pages: dict[Path, Page]) -> str:
    """Says why a link from a page leads nowhere; nothing if it leads somewhere."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return ""
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.exists():
        return "leads to no file of the site"
    names = pages[target].names if target in pages else set()
    # "#" alone is the top of the page.
    if parts.fragment and unquote(parts.fragment) not in names:
        return "leads to no place on its page"
    return ""
