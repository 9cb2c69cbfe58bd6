"""`python -m grader`: grade one submission, a folder of them, or write a template."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from grader import sheet
from grader.report import to_text
from grader.sandbox import grade_bounded
from grader.verdict import PASS

EPILOG = """\
exit status: 0 every rule passes, 1 a rule fails or is unproven, 2 nothing to grade
"""


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    result = argparse.ArgumentParser(
        prog="python -m grader",
        description="Grade a submission of the assignment without running its code.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument(
        "path", nargs="?", type=Path, help="a repository, a notebook or a README"
    )
    result.add_argument("--json", action="store_true", help="print JSON")
    result.add_argument(
        "--sheet", choices=["assignment3"], default="assignment3", help="the rules"
    )
    result.add_argument(
        "--all",
        type=Path,
        metavar="FOLDER",
        help="grade every submission in FOLDER; writes grades.csv and grades.html",
    )
    result.add_argument(
        "--output",
        type=Path,
        default=Path("."),
        metavar="DIR",
        help="where --all writes its two files (default: here)",
    )
    result.add_argument(
        "--jobs", type=int, default=0, metavar="N", help="how many at once with --all"
    )
    result.add_argument(
        "--template",
        type=Path,
        metavar="DIR",
        help="write a repository for students to start from into the new folder DIR",
    )
    return result


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    _print_any_character()
    options = parser().parse_args(arguments)
    chosen = [options.path, options.all, options.template]
    if sum(value is not None for value in chosen) != 1:
        print("give one of PATH, --all FOLDER, --template DIR", file=sys.stderr)
        return 2
    if options.template is not None:
        from grader.template import has_address, write_template

        try:
            written = write_template(options.template)
        except OSError as error:
            print(f"no template written: {error}", file=sys.stderr)
            return 2
        print(f"{options.template}: {', '.join(written)}")
        if not has_address():
            print(
                "its workflow and notebook name no course yet: set `repository` in "
                "pyproject.toml and write the template again",
                file=sys.stderr,
            )
        return 0
    if options.all is not None:
        from grader.many import grade_all

        return grade_all(options.all, options.output, options.jobs)
    return _grade_one(options.path, options.json)


def _grade_one(path: Path, as_json: bool) -> int:
    result = grade_bounded(path)
    if result is None:
        print(
            f"nothing to grade: {str(path)!r} holds no notebook (.ipynb), "
            "no README (.md) and no run folder",
            file=sys.stderr,
        )
        return 2
    for key in ("architecture", "run"):
        result.pop(key, None)
    print(json.dumps(result, indent=2) if as_json else to_text(result))
    verdicts = [result["rules"][key]["verdict"] for key in sheet.KEYS]
    return 0 if all(verdict == PASS for verdict in verdicts) else 1


def _print_any_character() -> None:
    """Let a terminal that lacks a character show a substitute, not an error."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
