"""The command line of `course.py`."""

import argparse
import os
import signal
import sys

from tools import ROOT, commands, environment

DESCRIPTION = """\
Run a lecture, open JupyterLab, test everything, build the website.

    python3 course.py run                    the assignment, quick
    python3 course.py run 7 --profile full   lecture 7 at its real length
    python3 course.py lab                    JupyterLab
    python3 course.py test                   ruff, pytest, the notebooks' replay
    python3 course.py site                   the lectures as a website, to read

The first call makes the environment .venv beside course.py, with the versions of
constraints.txt (a few minutes); later calls find it there.
"""
EPILOG = """\
Environment variables:
    COURSE_PROFILE   quick or full, where --profile is not given
    COURSE_VENV      another folder for the environment (the website's is named
                     after it and ends in -site)
    CIFAR10_DIR      where the images lie
"""
PROFILES = ("quick", "full")


def parser() -> argparse.ArgumentParser:
    """The command line, with its help."""
    top = argparse.ArgumentParser(
        prog="course.py",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EPILOG,
    )
    subcommands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    one = subcommands.add_parser("run", help="execute a lecture, cell by cell")
    one.add_argument(
        "lecture",
        nargs="?",
        default=commands.ASSIGNMENT,
        help="number, name or path of a notebook (default: 25, the assignment)",
    )
    one.add_argument(
        "--profile",
        choices=PROFILES,
        default=os.environ.get("COURSE_PROFILE") or "quick",
        help="quick: minutes on two cores; full: the lecture's figures "
        "(default: %(default)s)",
    )
    two = subcommands.add_parser("lab", help="open JupyterLab; options for it after --")
    two.add_argument("lecture", nargs="?", help="a notebook to open, as for run")
    three = subcommands.add_parser(
        "test", help="ruff, pytest and the replay of all notebooks; pytest's after --"
    )
    three.add_argument(
        "--only",
        action="append",
        choices=commands.PARTS,
        help="run this part alone (may be given twice)",
    )
    three.add_argument(
        "--versions",
        choices=environment.VERSIONS,
        default="tested",
        help="tested: constraints.txt; colab: what Colab has; newest; oldest: the "
        "lower bounds of requirements.txt (default: %(default)s)",
    )
    four = subcommands.add_parser(
        "site", help="build the website of the lectures, as they stand, into a folder"
    )
    four.add_argument(
        "--output",
        default=str(ROOT / "site"),
        metavar="FOLDER",
        help="where to (default: site, beside course.py)",
    )
    subcommands.add_parser("setup", help="only make the environment")
    return top


def main(arguments: list[str]) -> int:
    """Runs one command and returns its exit status."""
    extra = []
    if "--" in arguments:
        cut = arguments.index("--")
        arguments, extra = arguments[:cut], arguments[cut + 1 :]
    options = parser().parse_args(arguments)
    if extra and options.command not in ("lab", "test"):
        parser().error(f"{options.command} takes nothing after --")
    # A process that is asked to end must clean up as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if options.command == "run":
            # argparse does not check a default.
            if options.profile not in PROFILES:
                raise environment.CourseError(
                    f"COURSE_PROFILE is {options.profile!r}: set it to 'quick' or "
                    "'full', or unset it"
                )
            return commands.run(options.lecture, options.profile)
        if options.command == "lab":
            return commands.lab(options.lecture, extra)
        if options.command == "test":
            parts = [
                part
                for part in commands.PARTS
                if part in (options.only or commands.PARTS)
            ]
            return commands.test(parts, options.versions, extra)
        if options.command == "site":
            return commands.site(options.output)
        print(f"The environment is ready: {environment.ensure()}")
        return 0
    except environment.CourseError as problem:
        print(f"course.py: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ncourse.py: interrupted", file=sys.stderr)
        return 130
