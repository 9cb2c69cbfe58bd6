"""Colab, Kaggle and a checkout as far as a notebook sees them, for test_rehearsal.py.

A place is a working directory and environment variables. Notebooks run in it as they
do for a student, in a Jupyter kernel, without a GPU and without a network; a session
can lose its kernel in the middle of a training.
"""

import os
import shutil
import subprocess
import symtable
import sys
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

from tools import ROOT
from tools.execute import ThisPython
from tools.notebooks import code_cells, has_tag, read
from tools.setup_cell import setup_source

CLONE = "convolutional-networks-course"
STUBS = Path(__file__).parent / "fixtures" / "colab"
# Variables of this machine that would answer what the rehearsal asks. With pytest's
# own, a kernel shows less of what its processes write.
_OURS = ("COURSE_", "COLAB_", "KAGGLE_", "CIFAR10_", "PYTEST_", "PYTHONPATH")
_PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")


@dataclass(frozen=True)
class Place:
    """Where notebooks run.

    Attributes:
        folder: the working directory.
        variables: the environment variables that this place adds.
        kernel: options that it starts kernels with.
    """

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    kernel: tuple[str, ...] = ()

    def environment(self) -> dict[str, str]:
        """Returns the variables of a process here, cut off from all networks."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
        # Port 9 discards: a download is refused at once, a local clone is none.
        kept |= dict.fromkeys(_PROXIES, "http://127.0.0.1:9")
        return kept | {"CUDA_VISIBLE_DEVICES": "-1"} | self.variables

    def lose(self) -> None:
        """Takes the machine away, with its disk."""
        shutil.rmtree(self.folder)
        self.folder.mkdir()


def colab(folder: Path, drive: Path | None) -> Place:
    """Returns Colab without a GPU.

    Args:
        folder: takes the place of `/content`; made if missing.
        drive: the user's Drive, which outlives the machine; None where the user
            refuses to mount it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    variables = {
        "COLAB_RELEASE_TAG": "release-colab_20260915-060047_RC00",
        "COLAB_GPU": "",
        "CLOUDSDK_CONFIG": str(folder / ".config"),
        "TBE_CREDS_ADDR": "172.28.0.1:8008",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONPATH": str(STUBS),
        "KERAS_HOME": str(folder / ".keras"),
        "REHEARSAL_CONTENT": str(folder),
        "REHEARSAL_DRIVE": str(drive or ""),
    }
    return Place(folder, variables, ("--InteractiveShellApp.extensions=google.colab",))


def kaggle(folder: Path) -> Place:
    """Returns Kaggle without a GPU, as its image has it, which derives from Colab's.

    Args:
        folder: takes the place of `/kaggle`; `working` and `input` are made in it.
    """
    working = folder / "working"
    for path in (working, folder / "input"):
        path.mkdir(parents=True, exist_ok=True)
    variables = {
        "KAGGLE_KERNEL_RUN_TYPE": "Interactive",
        "KAGGLE_URL_BASE": "https://www.kaggle.com",
        "KAGGLE_DATA_PROXY_PROJECT": "kaggle-161607",
        "COLAB_RELEASE_TAG": "release-colab_20260915-060047_RC00",
        "MPLBACKEND": "agg",
        "PYTHONPATH": str(STUBS),
        "KERAS_HOME": str(folder / ".keras"),
    }
    return Place(working, variables)


def checkout(folder: Path, url: str, inside: str = "") -> Place:
    """Returns a folder inside a checkout of the course, which is cloned if missing."""
    if not folder.exists():
        subprocess.run(["git", "clone", "-q", url, folder], check=True)
    return Place(folder / inside, {"KERAS_HOME": str(folder.parent / ".keras")})


def bare_repository(folder: Path) -> str:
    """Makes a repository of the course as it is in the working tree.

    Args:
        folder: gets it; what git ignores stays out.

    Returns:
        Its address.
    """
    names = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    work = folder / "work"

    def git(*words, cwd=work):
        command = ["git", *names, *words]
        done = subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.PIPE)
        return done.stdout.decode()

    listed = git("ls-files", "-z", "-co", "--exclude-standard", cwd=ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():  # else it was deleted and not yet committed
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, work / name)
    git("init", "-q", "-b", "main")
    git("add", "--force", ".")
    git("commit", "-q", "-m", "Course")
    git("clone", "-q", "--bare", ".", str(folder / "course.git"))
    shutil.rmtree(work)
    return (folder / "course.git").as_uri()


def prepared(path: Path, url: str) -> NotebookNode:
    """Reads a lecture as it will be once the course has an address.

    Args:
        path: the notebook.
        url: what its setup cell clones.
    """
    notebook = read(path)
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
        if has_tag(cell, "setup"):
            cell.source = setup_source(url)
    return notebook


def said(cell: NotebookNode) -> str:
    """Returns what a cell printed, on both streams."""
    return "".join(o.text for o in cell.outputs if o.output_type == "stream")


class _Session(NotebookClient):
    """A client whose machine is taken away when a cell says a certain thing."""

    end = ""

    def process_message(self, msg, cell, cell_index):
        """Handles a message of the kernel, or kills it."""
        text = msg["content"].get("text", "") if msg["msg_type"] == "stream" else ""
        if self.end and self.end in text:
            self.km.provisioner.process.kill()  # SIGKILL: nothing is tidied up
        return super().process_message(msg, cell, cell_index)


def run(notebook: NotebookNode, place: Place, kill_at: str = "") -> None:
    """Runs all cells of a notebook, which gets the outputs.

    Args:
        notebook: the notebook.
        place: where.
        kill_at: the kernel is killed when a cell prints this.

    Raises:
        CellExecutionError: if a cell raises an error.
        DeadKernelError: if the kernel was killed, as it was asked.
    """
    session = _Session(
        notebook,
        km=AsyncKernelManager(kernel_spec_manager=ThisPython()),
        timeout=300,
        coalesce_streams=True,
        extra_arguments=list(place.kernel),
        resources={"metadata": {"path": str(place.folder)}},
    )
    session.end = kill_at
    session.execute(env=place.environment(), cleanup_kc=True)


def only_for(notebook: NotebookNode, part: str) -> NotebookNode:
    """Keeps the setup cell, the cells that hold `part`, and what these need.

    A cell is needed if it defines a name that a needed cell after it uses; where
    several define it, the last one before.

    Args:
        notebook: a notebook, which is left as it is.
        part: a piece of the source of one cell, or of several.

    Raises:
        ValueError: if no cell holds the piece.
    """
    cells = code_cells(notebook)
    waiting = [n for n, cell in enumerate(cells) if part in cell.source]
    if not waiting:
        raise ValueError(f"no cell holds {part!r}")
    names = [_names(cell.source) for cell in cells]
    needed = set()
    while waiting:
        index = waiting.pop()
        if index in needed:
            continue
        needed.add(index)
        for name in names[index][1]:
            found = [n for n in range(index) if name in names[n][0]]
            waiting += found[-1:]
    kept = [c for n, c in enumerate(cells) if n in needed or has_tag(c, "setup")]
    shorter = NotebookNode(notebook)
    shorter.cells = [NotebookNode(cell, outputs=[]) for cell in kept]
    return shorter


def _names(source: str) -> tuple[set[str], set[str]]:
    """Returns the names that a cell defines, and the others that it uses."""
    top = symtable.symtable(source, "cell", "exec")
    symbols = top.get_symbols()
    defined = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}
    used, tables = set(), [top]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        used |= {
            s.get_name()
            for s in table.get_symbols()
            if s.is_referenced() and (table is top or s.is_global())
        }
    return defined, used - defined


def python(source: str, place: Place) -> subprocess.CompletedProcess:
    """Runs source in a fresh interpreter that knows nothing of this checkout."""
    return subprocess.run(
        [sys.executable, "-P", "-c", source],
        cwd=place.folder,
        env=place.environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
