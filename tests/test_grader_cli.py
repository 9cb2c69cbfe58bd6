"""The command line: exit status, JSON, the class' page, the students' template."""

import csv
import html.parser
import json
import subprocess
import sys
from pathlib import Path

import pytest

from grader import sheet, template
from grader.cli import main
from grader.many import look_alikes, submissions
from grader.page import render
from grader.template import write_template

sys.path.insert(0, str(Path(__file__).parent / "fixtures" / "grader"))

import cases  # noqa: E402
import student  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "grader", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_exit_status_0_when_every_rule_passes(tmp_path):
    student.write(tmp_path, student.submission())
    result = run(str(tmp_path))
    assert result.returncode == 0, result.stdout
    assert "16 of 16 rules pass" in result.stdout


def test_exit_status_1_when_a_rule_fails(tmp_path):
    student.write(tmp_path, cases.CASES["a tie"][0])
    result = run(str(tmp_path))
    assert result.returncode == 1
    assert "✗ beats_base: fail" in result.stdout
    assert sheet.HELP["beats_base"] in result.stdout


@pytest.mark.parametrize("make", [True, False])
def test_exit_status_2_when_there_is_nothing_to_grade(tmp_path, make):
    path = tmp_path / "empty"
    if make:
        path.mkdir()
        (path / "notes.txt").write_text("x")
    result = run(str(path))
    assert result.returncode == 2
    assert result.stderr.startswith("nothing to grade")


def test_json_has_the_agreed_form(tmp_path):
    student.write(tmp_path, student.submission())
    result = run(str(tmp_path), "--json", "--sheet", "assignment3")
    report = json.loads(result.stdout)
    assert list(report) == [
        "submission",
        "parameters",
        "base_final",
        "own_best",
        "own_best_epoch",
        "own_final",
        "rules",
    ]
    assert report["parameters"] == student.PARAMETERS
    assert report["base_final"] == 0.8246
    assert (report["own_best"], report["own_best_epoch"]) == (0.8447, 47)
    assert report["own_final"] == 0.8391
    assert tuple(report["rules"]) == sheet.KEYS
    for rule in report["rules"].values():
        assert set(rule) == {"verdict", "evidence", "help"}


def test_a_notebook_or_a_readme_alone_is_graded(tmp_path):
    student.write(tmp_path, student.submission())
    for name in ("Assignment 3.ipynb", "ReadMe.md"):
        report = json.loads(run(str(tmp_path / name), "--json").stdout)
        assert report["rules"]["files"]["verdict"] == "fail"
        assert report["rules"]["separable_only"]["verdict"] == "pass"


def test_all_writes_a_table_and_a_page(tmp_path, capsys):
    group = tmp_path / "group"
    student.write(group / "ada", student.submission())
    student.write(group / "ben", cases.CASES["a tie"][0])
    student.write(group / "cyd <b>", student.submission())
    (group / "dan").mkdir()
    (group / ".hidden").mkdir()
    assert main(["--all", str(group), "--output", str(tmp_path / "out")]) == 1
    captured = capsys.readouterr()
    assert "4/4" in captured.err
    assert "look at: the same network and the same log: ada, cyd <b>" in captured.out
    with (tmp_path / "out" / "grades.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["submission"] for row in rows] == ["ada", "ben", "cyd <b>"]
    assert [row["passed"] for row in rows] == ["16", "15", "16"]
    assert rows[1]["beats_base"] == "fail"
    page = (tmp_path / "out" / "grades.html").read_text(encoding="utf-8")
    assert "cyd &lt;b&gt;" in page and "cyd <b>" not in page
    assert "dan" in page


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)
        for name, value in attributes:
            assert not name.startswith("on")
            assert not (value or "").lower().startswith(("http", "javascript"))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_escapes_everything():
    nasty = "<script>alert(1)</script>\"'&"
    rule = {"verdict": "fail", "evidence": [nasty], "help": nasty}
    result = {
        "submission": nasty,
        "parameters": 1,
        "base_final": None,
        "own_best": 0.5,
        "own_best_epoch": 1,
        "own_final": None,
        "rules": dict.fromkeys(sheet.KEYS, rule),
    }
    page = render([result], [(nasty, [nasty, nasty])], [nasty])
    tags = Tags()
    tags.feed(page)
    assert not tags.open
    assert "script" not in tags.seen
    assert tags.seen.count("details") == len(sheet.KEYS)
    assert page.count("✗") == len(sheet.KEYS) + 1  # each cell, and the legend


def test_names_that_a_spreadsheet_would_run_are_quoted(tmp_path, capsys):
    group = tmp_path / "group"
    student.write(group / "=1+1", student.submission())
    main(["--all", str(group), "--output", str(tmp_path)])
    text = (tmp_path / "grades.csv").read_text()
    assert "'=1+1" in text


def test_look_alikes_need_an_equal_log_or_network():
    def report(name, network, run):
        return {"submission": name, "architecture": network, "run": run}

    long = str(list(range(12)))
    found = look_alikes(
        [
            report("a", "net", long),
            report("b", "net", long),
            report("c", "net", "[1, 2]"),
            report("d", "other", long),
            report("e", "", ""),
            report("f", "", ""),
        ]
    )
    assert found == [
        ("the same network and the same log", ["a", "b"]),
        ("the same log", ["a", "b", "d"]),
        ("the same network", ["a", "b", "c"]),
    ]


def test_links_are_no_submissions(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    assert [path.name for path in submissions(tmp_path)] == ["real"]


def test_the_template_is_a_start_and_no_submission(tmp_path):
    folder = tmp_path / "new"
    names = write_template(folder)
    assert set(names) == {
        "ReadMe.md",
        ".gitignore",
        ".github/workflows/grade.yml",
        "Assignment 3.ipynb",
    }
    workflow = (folder / ".github/workflows/grade.yml").read_text()
    assert "python -m grader" in workflow and "COURSE_" not in workflow
    report = json.loads(run(str(folder), "--json").stdout)
    found = {key: rule["verdict"] for key, rule in report["rules"].items()}
    kept = {"files", "base_unchanged", "separable_only", "batch_normalization"}
    kept |= {"under_100k", "dropout", "output_sizes", "receptive_fields"}
    assert {key for key, verdict in found.items() if verdict == "pass"} == kept


@pytest.mark.parametrize("address", ["https://github.com/OWNER/REPOSITORY", "a/b"])
def test_a_template_that_names_no_course_says_so(
    tmp_path, capsys, monkeypatch, address
):
    monkeypatch.setattr(template, "_course", lambda: (address, "main"))
    assert main(["--template", str(tmp_path / "new")]) == 0
    said = "set `repository` in pyproject.toml" in capsys.readouterr().err
    assert said == ("OWNER" in address)


def test_the_template_overwrites_nothing(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("x")
    assert main(["--template", str(tmp_path)]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_one_thing_at_a_time(capsys):
    assert main([]) == 2
    assert main([".", "--all", "."]) == 2
    assert "give one of" in capsys.readouterr().err
