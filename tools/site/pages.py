"""Writes the sources of the site's pages, from what the course has."""

import base64
import copy
import re
import shutil
from pathlib import Path

from nbformat import NotebookNode

from tools import notebooks, results
from tools.environment import CourseError
from tools.markers import between
from tools.notebooks import Project
from tools.site.links import Site, link_mentions

FRONT, RESULTS, TABLES = "index.md", "results.md", "tables/index.md"
_RESULTS_ON_FRONT = """\
[What the networks reach](logs/README.md), and what the studies gave, comes from the
logs of full runs. [Tables of all architectures](tables/README.md) hold output size,
parameters, multiply-adds and receptive field of every layer.
"""
# Any punctuation may stand behind a backslash in Markdown.
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def write_sources(root: Path, folder: Path, where: Project) -> int:
    """Writes the sources of all pages.

    Args:
        root: the course's folder, in which nothing is changed.
        folder: gets the sources; must be empty.
        where: the repository, which links lead to where the site has no page.

    Returns:
        How many lectures there are.

    Raises:
        CourseError: if a file is missing or a link leads nowhere.
    """
    lectures = sorted((root / "notebooks").glob("*.ipynb"))
    if not lectures:
        raise CourseError(f"{root / 'notebooks'} has no lectures: no site was built")
    tables = [f"tables/{name}.md" for name in networks(root)]
    site = Site(root, where, {"README.md": FRONT, "logs/README.md": RESULTS})
    site.pages["tables/README.md"] = TABLES
    site.pages |= {name: name for name in tables}
    site.pages |= {
        f"notebooks/{path.name}": f"notebooks/{path.name}" for path in lectures
    }
    titles = {}
    for path in lectures:
        notebook = notebooks.read(path)
        try:
            titles[path] = notebooks.title(notebook)
        except ValueError as problem:
            raise CourseError(f"notebooks/{path.name}: {problem}") from None
        target = folder / "notebooks" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        notebooks.write(target, lecture(notebook, path.name, site, target.parent))
    texts = {
        FRONT: front_page(site, titles),
        RESULTS: results_page(site),
        TABLES: site.rewrite(
            _read(root, "tables/README.md"), "tables/README.md", TABLES
        )
        + toctree("", [Path(name).stem for name in tables]),
    }
    for name in tables:
        texts[name] = site.rewrite(_read(root, name), name, name)
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    for name in site.images:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, folder / name)
    return len(lectures)


def networks(root: Path) -> list[str]:
    """Returns the names of the tabulated networks, as tables/README.md orders them."""
    return re.findall(r"\]\((\w+)\.md\)", _read(root, "tables/README.md"))


def front_page(site: Site, titles: dict[Path, str]) -> str:
    """Returns README as the front page, with the tree of all pages.

    The results have a page of their own.

    Args:
        site: what links lead to.
        titles: the titles of the lectures, in teaching order.
    """
    before, _, after = section(_read(site.root, "README.md"), "Results")
    text = f"{before}## Results\n\n{_RESULTS_ON_FRONT}\n{after}"
    # A sidebar has no room for what follows the colon of a title.
    entries = [
        f"{path.stem.partition('_')[0]} {title.partition(':')[0]} "
        f"<notebooks/{path.stem}>"
        for path, title in titles.items()
    ]
    return (
        site.rewrite(text, "README.md", FRONT)
        + toctree("Lectures", entries)
        + toctree("Networks", ["Results <results>", "Architectures <tables/index>"])
    )


def results_page(site: Site) -> str:
    """Returns the results table with README's text, and what logs/README.md adds."""
    _, body, _ = section(_read(site.root, "README.md"), "Results")
    source = "logs/README.md"
    logs = between(_read(site.root, source), results.START, results.END, "")
    lower = re.sub(r"^#", "##", logs, flags=re.MULTILINE)
    text = site.rewrite(body, "README.md", RESULTS)
    return f"# Results\n\n{text}\n{site.rewrite(lower, source, RESULTS)}"


def section(text: str, heading: str) -> tuple[str, str, str]:
    """Cuts a text of Markdown around a section of the second level.

    Returns:
        What stands before its heading, its body, and what stands behind it.

    Raises:
        CourseError: if there is no such section.
    """
    found = re.search(
        rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL
    )
    if found is None:
        raise CourseError(f"README.md needs a section '## {heading}'")
    return text[: found.start()], found[1].strip("\n") + "\n", text[found.end() :]


def toctree(caption: str, entries: list[str]) -> str:
    """Returns the directive that puts pages below this one, without showing them."""
    title = f":caption: {caption}\n" if caption else ""
    return "\n```{toctree}\n:hidden:\n" + title + "\n" + "\n".join(entries) + "\n```\n"


def lecture(
    notebook: NotebookNode, name: str, site: Site, folder: Path
) -> NotebookNode:
    """Returns a notebook as the site shows it, and writes its figures.

    Links lead where they should, the names of other lectures are links, the setup cell
    is folded away, and a figure has its text alternative, which MyST-NB does not take
    from where Jupyter puts it.

    Args:
        notebook: the notebook, which stays as it is.
        name: its file name.
        site: what links lead to.
        folder: where the page lies; its subfolder `figures` gets the figures.
    """
    page = copy.deepcopy(notebook)
    others = {int(number): path for path in site.pages if (number := _number(path))}
    others = {number: Path(path).name for number, path in others.items()}
    for index, cell in enumerate(page.cells):
        if cell.cell_type == "markdown":
            source = f"notebooks/{name}"
            text = site.rewrite(cell.source, source, source)
            cell.source = link_mentions(text, others, int(_number(source) or 0))
            continue
        if notebooks.has_tag(cell, "setup"):
            cell.metadata.tags = [*cell.metadata.tags, "hide-input"]
        for count, output in enumerate(cell.get("outputs", [])):
            encoded = output.get("data", {}).get("image/png")
            if encoded is None:
                continue
            text = output.metadata.get("image/png", {}).get("alt", "")
            figure = folder / "figures" / f"{Path(name).stem}_{index}_{count}.png"
            figure.parent.mkdir(exist_ok=True)
            figure.write_bytes(base64.b64decode(encoded))
            alternative = _PUNCTUATION.sub(r"\\\1", " ".join(text.split()))
            shown = f"![{alternative}](figures/{figure.name})"
            output.data = NotebookNode({"text/markdown": shown})
            output.metadata = NotebookNode()
    return page


def _number(path: str) -> str | None:
    found = re.fullmatch(r"notebooks/(\d+)_\w+\.ipynb", path)
    return found and found[1]


def _read(root: Path, name: str) -> str:
    try:
        return (root / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CourseError(f"{name} is missing, and a page is made from it") from None
