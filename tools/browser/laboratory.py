"""Runs a lecture in JupyterLab by its menu, and looks at what it shows.

JupyterLab is started as a student starts it: `course.py lab`, in a copy of the course.
"""

import contextlib
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tools import ROOT, environment, notebooks
from tools.browser import browser
from tools.environment import CourseError

START_SECONDS, RUN_SECONDS = 180, 1200
# What a browser shows is on the page from the start, not only what is in sight.
_SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
}
_NOT_THE_COURSE = (".git", ".venv*", "site", "local", "__pycache__", ".ipynb_*")

# State of the open notebook; undefined until it has been read.
_STATE = """() => {
  const panel = window.jupyterapp?.shell.currentWidget;
  const kernel = panel?.sessionContext?.session?.kernel;
  if (!panel?.context?.isReady || !kernel) return null;
  const cells = panel.context.model.toJSON().cells.filter(
    cell => cell.cell_type === 'code');
  return {status: kernel.status, done: cells.map(cell => cell.execution_count),
          errors: cells.flatMap(cell => cell.outputs).filter(
            output => output.output_type === 'error').map(
            output => `${output.ename}: ${output.evalue}`)};
}"""
_BROKEN = """() => {
  const panel = window.jupyterapp.shell.currentWidget.node, found = [];
  const bad = /Error displaying widget|Loading widget|Error rendering output/;
  for (const output of panel.querySelectorAll('.jp-OutputArea-output')) {
    if (bad.test(output.textContent)) found.push(output.textContent.slice(0, 80));
    if (output.dataset.mimeType === 'application/vnd.jupyter.error')
      found.push(`an error: ${output.textContent.slice(0, 80)}`);
  }
  return found;
}"""
_CLOSE = """() => {
  window.jupyterapp.shell.collapseLeft();
  window.jupyterapp.shell.collapseRight();
}"""
_SHOWN = """() => {
  const panel = window.jupyterapp.shell.currentWidget.node;
  const count = selector => panel.querySelectorAll(selector).length;
  return {figures: count('.jp-OutputArea-output img'),
          tables: count('.jp-RenderedHTML table')};
}"""


@contextlib.contextmanager
def server(course: Path, lecture: str) -> Iterator[str]:
    """Opens a lecture by `course.py lab`, with no setting of the user's.

    Args:
        course: a copy of the course; logs and settings go beside it.
        lecture: as `course.py lab` takes it.

    Yields:
        The address that a student's browser is sent to.

    Raises:
        CourseError: if the server does not start.
    """
    home = course.parent / "jupyter"
    for name, values in _SETTINGS.items():
        path = home / "settings/@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(values))
    variables = {
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "COURSE_PROFILE": "quick",
        "COURSE_LOGS": str(home / "logs"),
        # The copy has no environment of its own; another would take minutes.
        "COURSE_VENV": str(environment.folder_for()),
    }
    token = secrets.token_hex(16)
    command = [sys.executable, "course.py", "lab", lecture, "--", "--no-browser"]
    command += ["--allow-root", "--expose-app-in-browser", "--ServerApp.port=0"]
    command += [f"--IdentityProvider.token={token}"]
    log = course.parent / "server.log"
    # A backend from outside would keep figures out of the notebook.
    inherited = {k: v for k, v in os.environ.items() if k != "MPLBACKEND"}
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=course, stdout=stream, stderr=stream, env=inherited | variables
        )
    root = None
    try:
        root = _address(process, log)
        yield f"{root}?token={token}"
    finally:
        _stop(process, root, token)


def _address(process: subprocess.Popen, log: Path) -> str:
    """Waits for a server's address in its log."""
    end = time.monotonic() + START_SECONDS
    while True:
        ended = process.poll() is not None or time.monotonic() > end
        text = log.read_text(encoding="utf-8", errors="replace")
        if found := re.search(r"http://(?:localhost|127[.\d]+):\d+/", text):
            return found[0]
        if ended:
            tail = "\n".join(text.splitlines()[-5:])
            raise CourseError(f"JupyterLab did not start: {tail}")
        time.sleep(0.2)


def _stop(process: subprocess.Popen, root: str | None, token: str) -> None:
    """Asks the server to end; on Windows it would outlive a course.py that is ended."""
    if root is not None:
        order = urllib.request.Request(f"{root}api/shutdown", method="POST")
        order.add_header("Authorization", f"token {token}")
        with contextlib.suppress(OSError):
            urllib.request.urlopen(order, timeout=30).close()
    else:
        process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait(30)


def run(lecture: Path, screenshots: Path) -> list[str]:
    """Runs all cells of a lecture in JupyterLab, in a copy of the course.

    Args:
        lecture: a notebook of the course.
        screenshots: gets pictures of the lecture, from its top to its end.

    Returns:
        A line for everything that is not as it should be.

    Raises:
        CourseError: if there is no browser or no JupyterLab, or the cells do not end.
    """
    environment.ensure()
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary, "course")
        ignored = shutil.ignore_patterns(*_NOT_THE_COURSE)
        shutil.copytree(ROOT, copy, ignore=ignored)
        with (
            server(copy, lecture.stem) as address,
            browser.page(*browser.SCREENS["laptop"]) as page,
        ):
            page.goto(address)
            _wait(page, lambda state: state["status"] == "idle", START_SECONDS)
            page.get_by_role("menuitem", name="Run", exact=True).click()
            page.locator('li[data-command="runmenu:run-all"]').click()
            # A cell that fails stops those after it, whose numbers stay away.
            state = _wait(
                page,
                lambda state: (
                    state["errors"]
                    or state["status"] == "idle"
                    and state["done"] == list(range(1, len(state["done"]) + 1))
                ),
                RUN_SECONDS,
            )
            found = [*state["errors"], *page.evaluate(_BROKEN)]
            # JupyterLab 4.6 shows no text alternatives of figures; hygiene reads them.
            found += browser.broken(page, texts=False)
            shown = page.evaluate(_SHOWN)
            print(f"{len(state['done'])} cells ran: {shown}")
            found += missing(lecture, shown)
            for name, (width, height) in browser.SCREENS.items():
                if name == "phone":
                    page.evaluate(_CLOSE)  # as a reader does on a phone
                page.set_viewport_size({"width": width, "height": height})
                _shoot_all(page, screenshots, f"{lecture.stem}-{name}", 4 * height)
    return list(dict.fromkeys(found))


def missing(lecture: Path, shown: dict[str, int]) -> list[str]:
    """Names what a lecture's outputs should show, and of which there is nothing.

    Args:
        lecture: the stored notebook; its tables in HTML are counted.
        shown: how many `figures` there are, and how many `tables` in HTML.
    """
    found = [] if shown["figures"] else ["no output holds a figure"]
    cells = notebooks.code_cells(notebooks.read(lecture))
    texts = [o.get("data", {}).get("text/html", "") for c in cells for o in c.outputs]
    stored = sum("<table" in text for text in texts)
    if stored and not shown["tables"]:
        found.append(f"no table is shown: the stored notebook has {stored} in HTML")
    return found


def _wait(page, ready, seconds: float) -> dict:
    """Waits for a state of the notebook, and returns it."""
    end = time.monotonic() + seconds
    while True:
        state = page.evaluate(_STATE)
        if state is not None and ready(state):
            return state
        if time.monotonic() > end:
            raise CourseError(f"JupyterLab did not get on in {seconds:g} s: {state}")
        page.wait_for_timeout(500)


def _shoot_all(page, folder: Path, name: str, height: int) -> None:
    """Stores the notebook in pieces of a height, as it is scrolled."""
    width = page.viewport_size["width"]
    page.set_viewport_size({"width": width, "height": height})
    scroller = page.locator(".jp-Notebook .jp-WindowedPanel-outer").first
    page.wait_for_timeout(1000)
    total = scroller.evaluate("node => node.scrollHeight")
    for number, top in enumerate(range(0, total, height - 200)):
        scroller.evaluate("(node, top) => node.scrollTo(0, top)", top)
        page.wait_for_timeout(300)
        browser.shoot(page, folder, f"{name}-{number}")
