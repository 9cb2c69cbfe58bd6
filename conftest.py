"""Settings of the tests, and of the replay `pytest --nbval notebooks`."""

import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
# The slowest cell of a quick run takes a third of this on two cores.
CELL_SECONDS = 300


def pytest_configure(config: pytest.Config) -> None:
    """Prepares the environment variables that tests and kernels inherit."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not config.getoption("nbval", default=False):
        os.environ.setdefault("MPLBACKEND", "Agg")
        return
    # A kernel chooses the backend that puts figures into the notebook.
    os.environ.pop("MPLBACKEND", None)
    os.environ["COURSE_PROFILE"] = "quick"
    os.environ["COURSE_LOGS"] = tempfile.mkdtemp(prefix="course-logs-")
    # nbval's defaults are 2,000 s, no patterns, and the user's own kernels.
    config.option.nbval_cell_timeout = min(
        config.option.nbval_cell_timeout, CELL_SECONDS
    )
    config.option.nbval_current_env = config.option.nbval_kernel_name is None
    if config.option.nbval_sanitize_with is None:
        patterns = ROOT / "notebooks" / "sanitize.cfg"
        config.option.nbval_sanitize_with = str(patterns)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Removes the runs that the replay wrote."""
    if config.getoption("nbval", default=False):
        shutil.rmtree(os.environ["COURSE_LOGS"], ignore_errors=True)


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Tells nbval what to leave out of the comparison."""
    if not hasattr(collector, "skip_compare"):
        return
    # Warnings are the machine's, and kernels lose what C++ writes there.
    collector.skip_compare += ("stderr",)
    # The folders of this machine, as they are written into stored outputs.
    from tools.clean import machine_paths

    for path, shown in machine_paths(Path(os.environ["COURSE_LOGS"])).items():
        collector.sanitize_patterns[re.escape(path)] = shown
