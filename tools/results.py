"""Keeps the results tables of README and of logs/README.md equal to the runs' logs."""

from pathlib import Path

from helpers.results import collect, runs, table
from tools import ROOT, markers

START, END = "<!-- results -->", "<!-- /results -->"


def refresh(root: Path = ROOT, save: bool = True) -> list[str]:
    """Brings both tables up to date.

    Args:
        root: the course's folder.
        save: write the changes; otherwise only say what they would be.

    Returns:
        The names of the files that differ from what they should hold.
    """
    found = collect(runs(root / "logs"))
    return [
        changed
        for name, logs in (("README.md", "logs/"), ("logs/README.md", ""))
        for changed in markers.refresh(root, name, START, END, table(found, logs), save)
    ]
