"""The browser's command where there is no browser; with one, it is its own test."""

import os
import sys
from pathlib import Path

import pytest

import tools.__main__ as tools_main
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
    with pytest.raises(CourseError, match="did not start: No module named jupyterlab"):
        with laboratory.server(tmp_path / "course"):
            pass
