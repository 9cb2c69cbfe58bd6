"""The browser's command where there is no browser; with one, it is its own test."""

import json
import os
import sys
from pathlib import Path

import pytest
from nbformat import v4

import tools.__main__ as tools_main
from tools import notebooks
from tools.browser import browser, laboratory, pages
from tools.environment import CourseError


class Page:
    """A page whose notebook passes through states, and then stays in the last."""

    def __init__(self, *states):
        self.states = list(states)

    def evaluate(self, script, *arguments):
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def wait_for_timeout(self, milliseconds):
        pass


def test_missing_playwright_is_named(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    monkeypatch.setattr(laboratory, "run", lambda *_: browser.page(1, 1).__enter__())
    assert tools_main.main(["browser", "25"]) == 1
    assert "python -m pip install playwright" in capsys.readouterr().err


def test_unknown_lecture_and_missing_website_are_named(monkeypatch, tmp_path, capsys):
    assert tools_main.main(["browser", "99"]) == 1
    assert "is no notebook here" in capsys.readouterr().err
    monkeypatch.setattr(tools_main, "ROOT", tmp_path)
    assert tools_main.main(["browser", "site"]) == 1
    assert "has no website: python3 course.py site" in capsys.readouterr().err


@pytest.mark.parametrize(("found", "status"), [([], 0), (["a table is missing"], 1)])
def test_problems_are_printed_and_fail(monkeypatch, capsys, found, status):
    monkeypatch.setattr(pages, "read", lambda *_: found)
    assert tools_main.main(["browser", "site"]) == status
    out = capsys.readouterr().out
    assert ("site: a table is missing" in out) == bool(found)
    assert str(Path("logs", "local", "screenshots")) in out


def test_notebook_is_waited_for():
    page = Page(None, {"status": "busy"}, {"status": "idle"})
    state = laboratory._wait(page, lambda state: state["status"] == "idle", 60)
    assert state == {"status": "idle"}
    with pytest.raises(CourseError, match="did not get on in 0 s: .*busy"):
        laboratory._wait(Page({"status": "busy"}), lambda state: False, 0)


@pytest.mark.skipif(os.name == "nt", reason="Windows starts no shell scripts")
def test_laboratory_that_does_not_start_says_why(monkeypatch, tmp_path):
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho No module named jupyterlab >&2\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    (tmp_path / "course").mkdir()
    with pytest.raises(CourseError, match="did not start: No module named jupyterlab"):
        with laboratory.server(tmp_path / "course", "02_receptive_field"):
            pass


# Says what it was called with, and ends when it is asked to, as JupyterLab does.
COURSE = """
import http.server, json, os, pathlib, sys, threading

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        said = self.path, self.headers["Authorization"]
        pathlib.Path("shutdown").write_text(" ".join(said))
        self.send_response(200)
        self.end_headers()
        threading.Thread(target=server.shutdown).start()

server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
call = {"words": sys.argv[1:], "environment": os.environ.get("COURSE_VENV")}
pathlib.Path("call.json").write_text(json.dumps(call))
print(f"http://localhost:{server.server_port}/lab", flush=True)
server.serve_forever()
"""


def test_laboratory_is_what_a_student_starts(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_VENV", str(tmp_path / "environment"))
    copy = tmp_path / "course"
    copy.mkdir()
    (copy / "course.py").write_text(COURSE)
    with laboratory.server(copy, "02_receptive_field") as address:
        call = json.loads((copy / "call.json").read_text())
    assert call["words"][:4] == ["lab", "02_receptive_field", "--", "--no-browser"]
    assert call["environment"] == str(tmp_path / "environment")
    token = address.partition("/?token=")[2]
    assert f"--IdentityProvider.token={token}" in call["words"]
    assert (copy / "shutdown").read_text() == f"/api/shutdown token {token}"


@pytest.mark.parametrize(
    ("shown", "lines"),
    [
        ({"figures": 1, "tables": 1}, []),
        ({"figures": 0, "tables": 3}, ["no output holds a figure"]),
        (
            {"figures": 1, "tables": 0},
            ["no table is shown: the stored notebook has 2 in HTML"],
        ),
    ],
)
def test_stored_tables_must_be_shown(tmp_path, shown, lines):
    data = [{"text/html": "<table><td>1</td></table>"}] * 2
    data += [{"text/html": "<b>1</b>"}, {"text/markdown": "| a |\n|---|"}]
    outputs = [v4.new_output("display_data", data=each) for each in data]
    outputs.append(v4.new_output("stream", text="<table>"))
    cell = v4.new_code_cell("show()", outputs=outputs)
    notebooks.write(tmp_path / "a.ipynb", v4.new_notebook(cells=[cell]))
    assert laboratory.missing(tmp_path / "a.ipynb", shown) == lines
    notebooks.write(tmp_path / "b.ipynb", v4.new_notebook())
    assert "table" not in str(laboratory.missing(tmp_path / "b.ipynb", shown))
