"""Find a submission's files without following links or reading too much."""

from __future__ import annotations

import dataclasses
import os
import re
import stat
from pathlib import Path

MOST_ENTRIES = 20_000
DEEPEST_FOLDER = 12
LARGEST_NOTEBOOK = 32 * 2**20
LARGEST_TEXT = 4 * 2**20
LARGEST_README = 2**19  # characters; what is beyond is cut off
LARGEST_TOTAL = 96 * 2**20
MOST_NOTEBOOKS = 60
MOST_READMES = 30
_SKIPPED = {
    ".git",
    ".venv",
    "venv",
    "node_modules",
    "__pycache__",
    ".ipynb_checkpoints",
}
_ASSIGNMENT = re.compile(
    r"assign\w{0,6}[\s_.-]{0,3}0?(?:3|iii|three)(?!\d)|"
    r"(?:session|week|s|a|w|eip|lesson|day|module)[\s_.-]{0,2}0?3(?!\d)|"
    r"(?<!\d)(?:3rd|third|three)",
    re.IGNORECASE,
)
_OTHER_NUMBER = re.compile(
    r"(?:assign\w{0,6}|session|week|lesson)[\s_.-]{0,3}0?(?:[124-9]|1\d)(?!\d)", re.I
)


@dataclasses.dataclass(frozen=True)
class Found:
    """A file that was read.

    Attributes:
        name: path relative to the submission, with `/`.
        text: its content.
        score: how much it looks like a part of this assignment.
    """

    name: str
    text: str
    score: float = 0.0

    @property
    def folder(self) -> str:
        """Return the folder's path, empty at the top."""
        return self.name.rpartition("/")[0]


@dataclasses.dataclass
class Files:
    """What was found.

    Attributes:
        notebooks: the assignment's notebooks, the most likely first.
        readmes: Markdown files, the most likely first.
        histories: `history.csv` of run folders, by path.
        runs: `run.json` of run folders, by path.
        models: paths of `.keras` files and model JSON.
        problems: what could not be read, one line each.
        seen: how many files there were.
    """

    notebooks: list[Found] = dataclasses.field(default_factory=list)
    readmes: list[Found] = dataclasses.field(default_factory=list)
    histories: dict[str, str] = dataclasses.field(default_factory=dict)
    runs: dict[str, str] = dataclasses.field(default_factory=dict)
    models: list[Path] = dataclasses.field(default_factory=list)
    problems: list[str] = dataclasses.field(default_factory=list)
    seen: int = 0


def shown(name: str) -> str:
    """Return a file name that is safe to print: one line, no control characters."""
    clean = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in name)
    return clean.encode("utf-8", "replace").decode("utf-8")[:200]


def collect(path: Path) -> Files:
    """Read the notebooks, READMEs, run folders and model names under `path`.

    Args:
        path: a repository, or one notebook or README.

    Returns:
        The files; links are not followed, large files are named as problems.
    """
    files = Files()
    budget = LARGEST_TOTAL
    root = path if path.is_dir() else path.parent
    for entry in _walk(path, files):
        name = shown(entry.relative_to(root).as_posix())
        suffix = entry.suffix.lower()
        lower = entry.name.lower()
        if suffix == ".ipynb":
            if len(files.notebooks) >= MOST_NOTEBOOKS:
                continue
            text = _read(entry, min(LARGEST_NOTEBOOK, budget), name, files)
            if text is not None:
                budget -= len(text)
                score = _notebook_score(name, text)
                files.notebooks.append(Found(name, text, score))
        elif suffix in (".md", ".markdown") or (
            lower.startswith("readme") and suffix in ("", ".txt", ".rst")
        ):
            if len(files.readmes) >= MOST_READMES:
                continue
            text = _read(entry, min(LARGEST_TEXT, budget), name, files)
            if text is not None:
                budget -= len(text)
                if len(text) > LARGEST_README:
                    files.problems.append(
                        f"{name}: cut off after {LARGEST_README:,} characters"
                    )
                    text = text[:LARGEST_README]
                files.readmes.append(Found(name, text, _readme_score(name, text)))
        elif lower in ("history.csv", "run.json") and len(files.runs) < 50:
            text = _read(entry, min(LARGEST_TEXT, budget), name, files)
            if text is not None:
                budget -= len(text)
                kept = files.histories if lower == "history.csv" else files.runs
                kept[name.rpartition("/")[0]] = text
        elif suffix == ".keras" or (suffix == ".json" and "model" in lower):
            if len(files.models) < 20:
                files.models.append(entry)
    _choose(files)
    return files


def _walk(path: Path, files: Files) -> list[Path]:
    """List plain files in a fixed order; links and special files are left out."""
    if path.is_symlink():
        files.problems.append(f"{shown(path.name)}: a link, not followed")
        return []
    if path.is_file():
        files.seen = 1
        return [path]
    found: list[Path] = []
    stack: list[tuple[Path, int]] = [(path, 0)]
    entries = 0
    while stack:
        folder, depth = stack.pop()
        try:
            with os.scandir(folder) as scan:
                children = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            files.problems.append(f"{shown(folder.name)}: {error.strerror}")
            continue
        below: list[tuple[Path, int]] = []
        for child in children:
            entries += 1
            if entries > MOST_ENTRIES:
                files.problems.append(f"more than {MOST_ENTRIES:,} files: not all read")
                return found
            if child.is_symlink():
                files.problems.append(f"{shown(child.name)}: a link, not followed")
            elif child.is_dir(follow_symlinks=False):
                if child.name not in _SKIPPED and depth < DEEPEST_FOLDER:
                    below.append((Path(child.path), depth + 1))
            elif child.is_file(follow_symlinks=False):
                files.seen += 1
                found.append(Path(child.path))
        stack.extend(reversed(below))
    return found


def _read(entry: Path, most: int, name: str, files: Files) -> str | None:
    try:
        # O_NOFOLLOW: the name may have become a link since it was listed.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(entry, flags | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                return None
            data = stream.read(most + 1)
    except OSError as error:
        files.problems.append(f"{name}: {error.strerror}")
        return None
    if len(data) > most:
        files.problems.append(f"{name}: larger than {most / 2**20:.0f} MiB, not read")
        return None
    for encoding in ("utf-8-sig", "utf-16"):
        if encoding == "utf-16" and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
            continue
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _notebook_score(name: str, text: str) -> float:
    lower = text.lower()
    score = 0.0
    score += 3 * ("separableconv" in lower)
    score += 3 * bool(
        re.search(
            r"convolution2d\(48|conv2d\(48|1,172,410|(?:max_)?pooling2d.{0,3}192", lower
        )
    )
    score += "cifar" in lower
    score += 2 * is_near_name(name)
    score -= 2 * bool(_OTHER_NUMBER.search(name) and not _ASSIGNMENT.search(name))
    score -= 5 * ("mnist" in lower and "cifar" not in lower)
    score += 0.5 * ("val_acc" in lower)
    return score


def is_near_name(name: str) -> bool:
    """Whether a path speaks of the third assignment."""
    return bool(_ASSIGNMENT.search(name))


def _readme_score(name: str, text: str) -> float:
    lower = text.lower()
    score = 1.5 * ("readme" in name.rpartition("/")[2].lower())
    score += 2 * ("separableconv" in lower)
    score += bool(re.search(r"\bbase\b|base ?(?:line|network|model)", lower))
    score += "val_acc" in lower or "val\\_acc" in lower
    score += "receptive" in lower
    score += 1.0 * is_near_name(name)
    score -= 2 * bool(_OTHER_NUMBER.search(name) and not _ASSIGNMENT.search(name))
    return score


def _choose(files: Files) -> None:
    """Keep the notebooks of this assignment and order the READMEs beside them."""
    files.notebooks.sort(key=lambda found: -found.score)
    files.readmes.sort(key=lambda found: -found.score)
    if files.notebooks:
        best = files.notebooks[0]
        top = best.name.split("/")[0] if "/" in best.name else ""
        files.notebooks = [
            found
            for found in files.notebooks
            if found is best
            or (found.score >= 2.5 and (found.name.split("/")[0] == top or not top))
        ]
        folders = {found.folder for found in files.notebooks}
        files.readmes.sort(
            key=lambda found: -(found.score + 1.5 * (found.folder in folders))
        )
