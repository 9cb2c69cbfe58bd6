"""Makes the setup cell, the same in every notebook.

It finds the course from any working directory, or clones it, checks Keras, installs
nothing, and prints nothing when all is well. The address and its branch stand in
pyproject.toml alone; as long as that has the placeholder, the cell says so instead of
cloning.
"""

from pathlib import Path

from nbformat import NotebookNode

from tools import notebooks
from tools.environment import CourseError

PLACEHOLDER = "https://github.com/OWNER/REPOSITORY"
# So many are seen without scrolling.
COLUMNS = 80
_FOLDER = "convolutional-networks-course"

# Both need at most 12 lines of at most `COLUMNS`, and ruff's format: hence git's
# short option for the branch.
_WITH_ADDRESS = """\
import os
import sys
from importlib import import_module
from pathlib import Path

clone = Path("{folder}").resolve()
found = [p for p in (*clone.parents, clone) if (p / "helpers/data").is_dir()]
url = "{url}"
if not found and os.system(f'git clone --depth=1 -b{branch} {{url}} "{{clone}}"'):
    raise ConnectionError(f"{{url}}: install git, go online, or delete {{clone}}")
sys.path.insert(0, str([*found, clone][0]))
import_module("helpers.runtime").check_keras()"""

_WITHOUT_ADDRESS = """\
import sys
from importlib import import_module
from pathlib import Path

clone = Path("{folder}").resolve()
found = [p for p in (*clone.parents, clone) if (p / "helpers/data").is_dir()]
if not found:
    edit = "set repository in pyproject.toml, then run `python -m tools`"
    raise FileNotFoundError(f"No course to import and no URL to clone: {{edit}}")
sys.path.insert(0, str(found[0]))
import_module("helpers.runtime").check_keras()"""


def setup_source(repository: str | None = None, branch: str | None = None) -> str:
    """Returns the source of the setup cell.

    Args:
        repository: the URL to clone; pyproject.toml's by default.
        branch: the branch of it; pyproject.toml's by default.
    """
    project = notebooks.project()
    url = repository or project.repository
    template = _WITHOUT_ADDRESS if url == PLACEHOLDER else _WITH_ADDRESS
    return template.format(folder=_FOLDER, url=url, branch=branch or project.branch)


def refresh_cells(notebook: NotebookNode) -> None:
    """Rewrites every cell tagged `setup`, in memory.

    Raises:
        CourseError: if the address in pyproject.toml makes a line too long.
    """
    for line in setup_source().splitlines():
        if len(line) > COLUMNS:
            raise CourseError(
                f"pyproject.toml: take {len(line) - COLUMNS} characters off the "
                f"repository or the branch. This line of the setup cell has "
                f"{len(line)}, and a student sees {COLUMNS}: {line}"
            )
    for cell in notebooks.code_cells(notebook):
        if notebooks.has_tag(cell, "setup"):
            cell.source = setup_source()


def refresh(notebook_path: str | Path) -> bool:
    """Rewrites every cell tagged `setup` in a notebook.

    Args:
        notebook_path: the notebook, changed on disk if it differs.

    Returns:
        True if it differed.
    """
    return notebooks.changed(Path(notebook_path), refresh_cells, save=True)
