"""Grade one submission in this process; `sandbox` bounds the time and the memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grader.evidence import gather
from grader.files import collect, shown
from grader.report import to_dict
from grader.rules import Grade, judge


class NothingToGrade(Exception):
    """There is no notebook, no README and no run under the path."""


def grade(path: Path) -> Grade:
    """Read and judge the submission at `path`.

    Raises:
        NothingToGrade: the path holds nothing that could be a submission.
    """
    if not path.exists():
        raise NothingToGrade(f"{shown(str(path))} does not exist")
    files = collect(path)
    if not (files.notebooks or files.readmes or files.runs or files.models):
        if not files.problems:
            raise NothingToGrade(
                f"{shown(str(path))} holds no notebook (.ipynb) and no README (.md)"
            )
    return judge(shown(path.resolve().name or str(path)), gather(files))


def grade_to_dict(path: Path) -> dict[str, Any]:
    """Return the report of the submission at `path`, with its fingerprints."""
    judged = grade(path)
    return to_dict(judged) | {"architecture": judged.architecture, "run": judged.run}
