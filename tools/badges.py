"""Makes the links that open a lecture on Colab and Kaggle, and README's table."""

from pathlib import Path

from nbformat import NotebookNode

from tools import ROOT, markers
from tools.notebooks import Project, lectures, project, read, title

START, END = "<!-- lectures -->", "<!-- /lectures -->"
_COLAB_IMAGE = "https://colab.research.google.com/assets/colab-badge.svg"
_KAGGLE_IMAGE = "https://kaggle.com/static/images/open-in-kaggle.svg"


def badges(name: str, where: Project) -> str:
    """Returns both badges of a notebook, as one line of Markdown.

    Args:
        name: the notebook's file name.
        where: the repository.
    """
    file = f"blob/{where.branch}/notebooks/{name}"
    on_github = where.repository.removeprefix("https://github.com/")
    colab = f"https://colab.research.google.com/github/{on_github}/{file}"
    kaggle = f"https://kaggle.com/kernels/welcome?src={where.repository}/{file}"
    return (
        f"[![Open in Colab]({_COLAB_IMAGE})]({colab}) "
        f"[![Open in Kaggle]({_KAGGLE_IMAGE})]({kaggle})"
    )


def refresh(notebook: NotebookNode, name: str, where: Project | None = None) -> None:
    """Puts the badges below a notebook's title.

    Args:
        notebook: changed in place; its first cell must start with its title.
        name: the notebook's file name.
        where: the repository; pyproject.toml's by default.
    """
    line = badges(name, where or project())
    heading = f"# {title(notebook)}"
    rest = notebook.cells[0].source.split("\n")[1:]
    kept = [text for text in rest if not text.startswith("[![Open in Colab]")]
    body = "\n".join(kept).strip("\n")
    notebook.cells[0].source = f"{heading}\n\n{line}" + (f"\n\n{body}" if body else "")


def lectures_table(where: Project) -> str:
    """Returns README's table: a row a lecture, with its title and its badges."""
    rows = ["| | Lecture | Open it |", "|---:|---|---|"]
    for path in lectures():
        number = path.stem.partition("_")[0]
        link = f"[{title(read(path))}](notebooks/{path.name})"
        rows.append(f"| {number} | {link} | {badges(path.name, where)} |")
    return "\n".join(rows)


def refresh_readme(path: Path = ROOT / "README.md", save: bool = True) -> bool:
    """Brings README's table up to date; tells whether that changes the file."""
    content = lectures_table(project())
    return bool(markers.refresh(path.parent, path.name, START, END, content, save))
