"""Hostile submissions: bounded time and memory, a clear verdict, nothing run."""

import json
import os
import random
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from grader import sandbox
from grader.configs import read_model
from grader.grading import grade_to_dict
from grader.notebook import Unreadable

sys.path.insert(0, str(Path(__file__).parent / "fixtures" / "grader"))

import cases  # noqa: E402
import student  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]


def bounded(folder: Path) -> dict:
    began = time.monotonic()
    report = sandbox.grade_bounded(folder)
    assert time.monotonic() - began < sandbox.SECONDS
    assert report is not None
    return report


def verdicts(report: dict) -> dict[str, str]:
    return {key: rule["verdict"] for key, rule in report["rules"].items()}


def test_a_notebook_of_200_mb_is_named_and_not_read(tmp_path):
    with (tmp_path / "Assignment 3.ipynb").open("wb") as stream:
        stream.truncate(200 * 2**20)
    (tmp_path / "ReadMe.md").write_text(student.readme())
    report = bounded(tmp_path)
    assert verdicts(report)["base_log"] == "unproven"
    evidence = " ".join(report["rules"]["base_log"]["evidence"])
    assert "larger than 32 MiB" in evidence


def test_a_large_notebook_of_small_values_stays_in_memory(tmp_path):
    # 30 MB of empty lists would need far more than 1 GiB as Python objects.
    text = '{"cells": [' + "[]," * 10_000_000 + "[]]}"
    (tmp_path / "Assignment 3.ipynb").write_text(text)
    (tmp_path / "ReadMe.md").write_text(student.readme())
    report = bounded(tmp_path)
    assert set(verdicts(report).values()) <= {"pass", "fail", "unproven"}
    assert verdicts(report)["base_log"] != "pass"


@pytest.mark.parametrize("text", ["[" * 100_000, '{"cells":' * 100_000])
def test_json_nested_100_000_deep(tmp_path, text):
    (tmp_path / "Assignment 3.ipynb").write_text(text)
    (tmp_path / "ReadMe.md").write_text(student.readme())
    report = bounded(tmp_path)
    assert "nested too deep" in json.dumps(report) or "not valid JSON" in json.dumps(
        report
    )
    assert verdicts(report)["base_log"] == "unproven"


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as stream:
        for name, data in members.items():
            stream.writestr(name, data)
    return path


def test_a_bomb_in_an_archive_is_not_unpacked(tmp_path):
    path = archive(tmp_path / "m.keras", {"config.json": b" " * (48 * 2**20)})
    assert path.stat().st_size < 2**20
    with pytest.raises(Unreadable, match="unpacks to too much"):
        read_model(path)
    (tmp_path / "ReadMe.md").write_text(student.readme())
    assert "unpacks to too much" in json.dumps(bounded(tmp_path))


@pytest.mark.parametrize("name", ["../../outside.txt", "/etc/outside", "a/../../b"])
def test_an_archive_cannot_name_a_file_outside(tmp_path, name):
    path = archive(tmp_path / "m.keras", {"config.json": b"{}", name: b"x"})
    with pytest.raises(Unreadable, match="outside itself"):
        read_model(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.keras"]


@pytest.mark.parametrize("kind", ["Lambda", "TFOpLambda", "MyLayer", "os.system"])
def test_layers_that_carry_code_are_refused(tmp_path, kind):
    entry = {"class_name": kind, "config": {"name": "x", "function": "evil"}}
    content = {"class_name": "Sequential", "config": {"layers": [entry]}}
    path = tmp_path / "model.json"
    path.write_text(json.dumps(content))
    with pytest.raises(Unreadable, match="is not read"):
        read_model(path)


def test_links_out_of_the_repository_are_not_followed(tmp_path):
    secret = tmp_path / "elsewhere"
    student.write(secret, student.submission())
    home = tmp_path / "home"
    home.mkdir()
    (home / "Assignment 3.ipynb").symlink_to(secret / "Assignment 3.ipynb")
    (home / "folder").symlink_to(secret, target_is_directory=True)
    (home / "ReadMe.md").write_text("Base network: 82.46\n")
    report = bounded(home)
    assert report["own_best"] is None
    assert "a link, not followed" in json.dumps(report)


def test_a_named_pipe_does_not_hang(tmp_path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes here")
    os.mkfifo(tmp_path / "Assignment 3.ipynb")
    (tmp_path / "ReadMe.md").write_text(student.readme())
    assert verdicts(bounded(tmp_path))["files"] == "fail"


def test_file_names_with_line_ends_stay_on_one_line(tmp_path):
    name = "Assignment 3\n✓ files: pass\x1b[2J.ipynb"
    student.write(tmp_path, {name: student.full_notebook(), "ReadMe.md": "x"})
    result = subprocess.run(
        [sys.executable, "-m", "grader", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert "\x1b" not in result.stdout
    assert sum(line.startswith("✓ files") for line in result.stdout.splitlines()) <= 1


def test_no_code_of_a_submission_runs(tmp_path):
    target = tmp_path / "ran"
    source = (
        f"import os\nos.system('touch {target}')\nopen({str(target)!r}, 'w')\n"
        f"__import__('pathlib').Path({str(target)!r}).touch()\n"
        f"!touch {target}\nexec('open({str(target)!r}, \"w\")')\n"
        f"[c for c in ().__class__.__base__.__subclasses__()]\n"
    )
    home = student.write(
        tmp_path / "home",
        student.submission(
            student.full_notebook(student.cell(source), *student.own_cells())
        ),
    )
    (home / "conftest.py").write_text(f"open({str(target)!r}, 'w')")
    (home / "json.py").write_text(f"open({str(target)!r}, 'w')")
    report = sandbox.grade_bounded(home)
    assert report is not None
    assert report["parameters"] == student.PARAMETERS
    assert not target.exists()


def test_modules_beside_a_submission_are_not_imported(tmp_path):
    target = tmp_path / "ran"
    home = student.write(tmp_path / "home", student.submission())
    for name in ("json", "argparse", "ast", "subprocess", "sitecustomize"):
        (home / f"{name}.py").write_text(f"open({str(target)!r}, 'w')\n")
    result = subprocess.run(
        [sys.executable, "-m", "grader", "."],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert not target.exists()


CODE = {
    "endless loop": "while True:\n    pass",
    "long loop": "x = 0\nwhile x < 10**9:\n    x += 1",
    "recursion": "def f(n):\n    return f(n + 1)\nf(0)",
    "branching recursion": "def f(n):\n    for i in range(50):\n        f(n)\nf(1)",
    "power": "x = 10**10**10",
    "squaring": "x = 9\nfor i in range(1000):\n    x = x * x",
    "doubling strings": "s = 'a'\nfor i in range(1000):\n    s = s + s",
    "doubling lists": "x = [1]\nfor i in range(1000):\n    x = x + x",
    "doubling tuples": "x = (1, 1)\nfor i in range(1000):\n    x = (x, x)\n"
    "m = Sequential()\nm.add(Dense(x))",
    "a list in itself": "x = []\nx.append(x)\nm = Sequential()\nm.add(Dense(x))",
    "long range": "for i in range(10**12):\n    pass",
    "brackets": "(" * 50_000,
    "signs": "x = " + "-" * 50_000 + "1",
    "sum": "x = " + "1+" * 50_000 + "1",
    "attributes": "x = a" + ".b" * 20_000,
    "calls": "f" + "()" * 20_000,
    "indents": "\n".join(" " * i + "if a:" for i in range(150)),
    "many layers": "m = Sequential()\nfor i in range(10**6):\n    m.add(Dense(5))",
    "network in itself": "m = Sequential()\nm.add(Dense(3))\nfor i in range(99):\n"
    "    n = Sequential()\n    n.add(m)\n    n.add(m)\n    m = n",
    "branches": "x = Input((32, 32, 3))\nfor i in range(5000):\n    x = add([x, x])\n"
    "m = Model(x, x)",
    "shapes": "x = Input((32, 32, 3))\nfor i in range(3000):\n"
    "    x = Dense(x.shape[-1])(x)",
    "not Python": "\n".join(f"x = = {i}" for i in range(3000)),
    "open string": '"""' + "a" * 150_000,
    "nul": "x\0 = 1",
}


@pytest.mark.parametrize("name", list(CODE))
def test_code_that_would_never_end(name, tmp_path):
    """Each ends soon, and what stands in the cells behind is still read."""
    cells = [student.cell(CODE[name]), *student.own_cells()]
    student.write(tmp_path, student.submission(student.full_notebook(*cells)))
    began = time.process_time()
    report = grade_to_dict(tmp_path)
    assert time.process_time() - began < 5
    assert report["parameters"] == student.PARAMETERS


SIZE = 400_000
README = {
    "letters": "a" * SIZE,
    "words": "a " * (SIZE // 2),
    "assignments": "a=" * (SIZE // 2),
    "brackets": "(" * SIZE,
    "hashes": "#" * SIZE,
    "bars": "|" * SIZE,
    "rows": "| 1 | 2 |\n" * (SIZE // 10),
    "headers": "Epoch 1/50 " * (SIZE // 11),
    "digits": "1" * SIZE,
    "open calls": "model.add(" * (SIZE // 10),
    "open calls, lines": "model.add(\n" * (SIZE // 11),
    "layers": "model.add(SeparableConv2D(32,3,3)) #30x30 RF 3\n" * (SIZE // 47),
    "chains": "x = SeparableConv2D(3,3)(x)\n" * (SIZE // 28),
    "results": "val_acc: 0.8123 " * (SIZE // 16),
    "base": "base network 82.46 " * (SIZE // 19),
    "functions": "def f(x):\n" * (SIZE // 10),
    "conditions": "if a:\n" * (SIZE // 6),
    "tags": "<br " * (SIZE // 4),
    "quotation": "> " * (SIZE // 2),
    "stars": "*" * SIZE,
    "sizes": "model.add(Dense(3)) #" + "32x" * (SIZE // 3),
    "summary": "a_1 (Sep (None, 30" * (SIZE // 18),
    "tables": "epoch | val_acc\n" * (SIZE // 16),
    "spaces": " " * SIZE,
    "lines": "\n" * SIZE,
}


@pytest.mark.parametrize("name", list(README))
def test_readme_traps(name, tmp_path):
    (tmp_path / "ReadMe.md").write_text(README[name])
    began = time.process_time()
    grade_to_dict(tmp_path)
    assert time.process_time() - began < 5


def test_the_child_may_write_no_file_and_has_little_memory():
    if not sys.platform.startswith("linux"):
        pytest.skip("limits are checked on Linux")
    code = (
        "from grader.sandbox import _bound; _bound()\n"
        "import resource, tempfile\n"
        "print(resource.getrlimit(resource.RLIMIT_AS)[0])\n"
        "print(resource.getrlimit(resource.RLIMIT_FSIZE)[0])\n"
        "try:\n    x = bytearray(2 * 2**30)\n    print('large')\n"
        "except MemoryError:\n    print('refused')\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert result.stdout.split() == [str(1 << 30), "0", "refused"]


def test_time_is_bounded_even_when_the_reading_is_not(tmp_path):
    student.write(tmp_path, student.submission())
    began = time.monotonic()
    report = sandbox.grade_bounded(tmp_path, seconds=1.001)
    assert time.monotonic() - began < 5
    # Either it was read in half a second or every rule says that it was not.
    kinds = set(verdicts(report).values())
    assert kinds == {"pass"} or kinds == {"unproven"}


def test_a_grade_does_not_depend_on_the_order_of_hashes(tmp_path):
    names = random.Random(3).sample(list(cases.CASES), 2)
    for name in names:
        folder = student.write(tmp_path / str(names.index(name)), cases.CASES[name][0])
        outputs = set()
        for seed in ("1", "2"):
            result = subprocess.run(
                [sys.executable, "-m", "grader", str(folder), "--json"],
                cwd=ROOT,
                capture_output=True,
                env={**os.environ, "PYTHONHASHSEED": seed},
                check=False,
            )
            outputs.add(result.stdout)
        assert len(outputs) == 1
