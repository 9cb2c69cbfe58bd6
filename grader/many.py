"""Grade a folder of submissions in parallel: a CSV, a page, and look-alikes."""

from __future__ import annotations

import concurrent.futures
import csv
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from grader import sheet
from grader.files import shown
from grader.page import render
from grader.sandbox import grade_bounded
from grader.verdict import PASS

MOST_SUBMISSIONS = 5_000
LEAST_EPOCHS = 10  # a shorter log says little about its origin
_NUMBERS = (
    "parameters",
    "base_final",
    "own_best",
    "own_best_epoch",
    "own_final",
)


def submissions(folder: Path) -> list[Path]:
    """Return what `folder` holds, one entry a student; links are left out."""
    entries = []
    for path in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if path.is_symlink() or path.name.startswith("."):
            continue
        if path.is_dir() or path.suffix.lower() in (".ipynb", ".md"):
            entries.append(path)
    return entries[:MOST_SUBMISSIONS]


def look_alikes(results: Iterable[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """Group submissions with the same log, or the same network and nearly so.

    Args:
        results: reports with the fingerprints `architecture` and `run`.

    Returns:
        (what is the same, the names), for a person to look at: equal numbers in
        a log are no chance, an equal network alone may be.
    """
    keys: dict[str, dict[str, list[str]]] = {}
    for result in results:
        run, network = result.get("run", ""), result.get("architecture", "")
        if run.count(",") < LEAST_EPOCHS - 1:
            run = ""
        for same, key in (
            ("the same network and the same log", run and network and network + run),
            ("the same log", run),
            ("the same network", network),
        ):
            if key:
                keys.setdefault(same, {}).setdefault(key, []).append(
                    result["submission"]
                )
    found: list[tuple[str, list[str]]] = []
    for same, groups in keys.items():
        for names in sorted(groups.values()):
            # A group that a stronger likeness already names is not repeated.
            listed = any(set(names) <= set(earlier) for _, earlier in found)
            if len(names) > 1 and not listed:
                found.append((same, names))
    order = ("the same network and the same log", "the same log", "the same network")
    return sorted(found, key=lambda group: (order.index(group[0]), group[1]))


def write_csv(path: Path, results: list[dict[str, Any]]) -> None:
    """Write one line a submission: its numbers and its verdicts."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["submission", *_NUMBERS, "passed", *sheet.KEYS])
        for result in results:
            verdicts = [result["rules"][key]["verdict"] for key in sheet.KEYS]
            numbers = [result[name] for name in _NUMBERS]
            writer.writerow(
                [
                    _cell(result["submission"]),
                    *("" if number is None else number for number in numbers),
                    verdicts.count(PASS),
                    *verdicts,
                ]
            )


def _cell(text: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def grade_all(folder: Path, output: Path, jobs: int = 0) -> int:
    """Grade every submission in `folder`; write grades.csv and grades.html.

    Args:
        folder: one folder, notebook or README a student.
        output: where the two files go.
        jobs: how many at once; 0 for one a processor.

    Returns:
        The exit status: 0 when all pass everything, 1 otherwise, 2 when there
        is nothing to grade.
    """
    if not folder.is_dir():
        print(f"{shown(str(folder))} is not a folder", file=sys.stderr)
        return 2
    paths = submissions(folder)
    if not paths:
        print(f"{shown(str(folder))} holds no submissions", file=sys.stderr)
        return 2
    workers = jobs if jobs > 0 else (os.cpu_count() or 2)
    results: dict[int, dict[str, Any]] = {}
    empty: list[str] = []
    began = time.monotonic()
    # Threads suffice: each waits for a process of its own.
    with concurrent.futures.ThreadPoolExecutor(max_workers=workers) as pool:
        futures = {pool.submit(grade_bounded, p): i for i, p in enumerate(paths)}
        for done, future in enumerate(concurrent.futures.as_completed(futures), 1):
            index = futures[future]
            result = future.result()
            name = shown(paths[index].name)
            if result is None:
                empty.append(name)
            else:
                results[index] = result
            _progress(done, len(paths), name, time.monotonic() - began)
    ordered = [results[index] for index in sorted(results)]
    for name in sorted(empty):
        print(f"{name}: nothing to grade", file=sys.stderr)
    if not ordered:
        return 2
    alike = look_alikes(ordered)
    output.mkdir(parents=True, exist_ok=True)
    write_csv(output / "grades.csv", ordered)
    page = render(ordered, alike, sorted(empty))
    (output / "grades.html").write_text(page, encoding="utf-8")
    print(
        f"{len(ordered)} submissions: {output / 'grades.csv'}, {output / 'grades.html'}"
    )
    for same, names in alike:
        print(f"look at: {same}: {', '.join(names)}")
    perfect = all(
        result["rules"][key]["verdict"] == PASS
        for result in ordered
        for key in sheet.KEYS
    )
    return 0 if perfect and not empty else 1


def _progress(done: int, total: int, name: str, seconds: float) -> None:
    left = seconds / done * (total - done)
    line = f"{done}/{total} {name[:40]}"
    if sys.stderr.isatty():
        print(f"\r\x1b[K{line}, {left:.0f} s left", end="", file=sys.stderr)
        if done == total:
            print(file=sys.stderr)
    else:
        print(line, file=sys.stderr)
