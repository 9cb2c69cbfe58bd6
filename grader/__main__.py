"""Run the command line of the grader."""

import os
import sys

# `python -m` looks for modules in the current folder first. That may be the
# submission's, and nothing of a submission is imported.
_root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:] = [_root, *(p for p in sys.path if p not in ("", os.getcwd(), _root))]

from grader.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
