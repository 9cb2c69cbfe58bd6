"""Run the command line of the grader."""

import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036
    version = ".".join(map(str, sys.version_info[:2]))
    print(f"grader: this is Python {version}, it needs 3.11 or newer", file=sys.stderr)
    sys.exit(2)

# `python -m` looks for modules in the current folder first. That may be the
# submission's, and nothing of a submission is imported.
_root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:] = [_root, *(p for p in sys.path if p not in ("", os.getcwd(), _root))]

from grader.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
