#!/usr/bin/env python3
"""The course's one command: run a lecture, open JupyterLab, test, build the website.

It needs nothing but a Python that it supports. This file checks that, in a syntax
that old ones read too, so that they get as far as saying so; the commands are in
tools/cli.py and tools/commands.py.
"""

import os
import shutil
import subprocess
import sys

SUPPORTED = ("3.11", "3.12", "3.13")


def check_python():
    """Ends with one line when this Python is not supported."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if version in SUPPORTED:
        return
    # That page offers the newest release first, which may be too new.
    advice = f"install Python {SUPPORTED[-1]} from https://www.python.org/downloads/"
    # Windows' installer makes no python3.13, but py -3.13.
    names = [["python" + name] for name in reversed(SUPPORTED)]
    names += [["py", "-" + name] for name in reversed(SUPPORTED)]
    for words in names:
        other = shutil.which(words[0])
        if other and starts([other] + words[1:]):
            advice = f"try {' '.join(words)} course.py ..."
            break
    sys.exit(
        f"course.py: this is Python {version}, the course needs {SUPPORTED[0]} to "
        f"{SUPPORTED[-1]}: {advice}"
    )


def starts(words):
    """Tells whether an interpreter runs: a version manager's link may lead nowhere."""
    with open(os.devnull, "w") as nowhere:
        return subprocess.call(words + ["-c", ""], stdout=nowhere, stderr=nowhere) == 0


if __name__ == "__main__":
    check_python()
    # Imported here, because an old Python could not even read it.
    from tools.cli import main

    sys.exit(main(sys.argv[1:]))
