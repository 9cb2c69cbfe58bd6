"""Builds the site: `python -m tools.site --output FOLDER`."""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tools import ROOT, notebooks
from tools.environment import CourseError
from tools.processes import run_with_progress
from tools.setup_cell import PLACEHOLDER
from tools.site import check, pages

# Sphinx leaves it in what it builds: the sign that a folder may be replaced.
_SIGN = ".buildinfo"
MAX_LINES = 20


def build(output: Path) -> int:
    """Builds the site, checks it, and then puts it in its place.

    Args:
        output: the site's folder; an earlier site there is replaced.

    Returns:
        How many lectures it holds.

    Raises:
        CourseError: if a source is missing, Sphinx warns, or the built site has
            a broken link. What was in the folder before is unchanged then.
    """
    if output.exists() and not (output / _SIGN).exists():
        raise CourseError(
            f"{output} holds something that is no site of the course: name another "
            "folder with --output"
        )
    with tempfile.TemporaryDirectory() as temporary:
        sources, built = Path(temporary, "sources"), Path(temporary, "built")
        sources.mkdir()
        count = pages.write_sources(ROOT, sources, notebooks.project())
        log = Path(temporary, "log")
        # -W: a warning, as of a reference that leads nowhere, fails the build.
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going"]
        command += ["-c", Path(__file__).parent, "-d", Path(temporary, "trees")]
        status = run_with_progress(
            [*command, sources, built], f"Building {count} lectures", log
        )
        said = log.read_text(encoding="utf-8", errors="replace")
        found = said.replace(f"{sources}{os.sep}", "").splitlines()
        found = found or (["Sphinx failed without saying why"] if status else [])
        found += [] if status else check.problems(built)
        if status or found:
            for line in found[:MAX_LINES]:
                print(f"  {line}", file=sys.stderr)
            number = f"{len(found)} problem" + ("s" if len(found) > 1 else "")
            more = f", {MAX_LINES} of them above" if len(found) > MAX_LINES else ""
            raise CourseError(f"the site was not built: {number}{more}")
        shutil.rmtree(output, ignore_errors=True)
        output.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(built, output)
    return count


def main(arguments: list[str]) -> int:
    """Builds the site and returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.site", description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    output = parser.parse_args(arguments).output.absolute()
    try:
        build(output)
    except CourseError as problem:
        print(f"course.py: {problem}", file=sys.stderr)
        return 1
    if notebooks.project().repository == PLACEHOLDER:
        print("Links to GitHub lead nowhere yet: set repository in pyproject.toml.")
    print(f"The site: {output / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
