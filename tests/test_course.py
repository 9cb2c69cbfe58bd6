"""course.py: which Python it takes, what it runs, and how it tells the results."""

import ast
import json
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from importlib import metadata
from pathlib import Path

import IPython
import matplotlib
import nbformat.v4
import numpy
import pytest

from helpers.data import fetch, find
from tools import cli, commands, environment, processes
from tools.environment import CourseError

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("version", [(3, 8), (3, 10), (3, 14)])
def test_unsupported_python_gets_one_line(monkeypatch, version):
    monkeypatch.setattr(sys, "version_info", (*version, 0, "final", 0))
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "course.py"), run_name="__main__")
    assert ended.value.code == (
        f"course.py: this is Python 3.{version[1]}, the course needs 3.11 to 3.13: "
        "install Python 3.13 from https://www.python.org/downloads/"
    )


def test_unsupported_python_names_one_that_starts(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 0, "final", 0))
    # A version manager's link to 3.13 exists, but only 3.12 starts.
    paths = {"python3.13": "dead-link", "python3.12": sys.executable}
    monkeypatch.setattr(shutil, "which", paths.get)
    monkeypatch.setattr(subprocess, "call", lambda words, **_: words[0] == "dead-link")
    with pytest.raises(SystemExit, match=r"try python3\.12 course\.py"):
        runpy.run_path(str(ROOT / "course.py"), run_name="__main__")


def test_windows_has_a_launcher_for_each_python(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 14, 0, "final", 0))
    monkeypatch.setattr(shutil, "which", {"py": "py.exe"}.get)
    monkeypatch.setattr(subprocess, "call", lambda words, **_: words[1] == "-3.13")
    with pytest.raises(SystemExit, match=r"try py -3\.12 course\.py"):
        runpy.run_path(str(ROOT / "course.py"), run_name="__main__")


def test_old_pythons_can_read_course_py():
    ast.parse((ROOT / "course.py").read_text("utf-8"), feature_version=(3, 7))


def test_supported_versions_are_those_of_the_project():
    versions = runpy.run_path(str(ROOT / "course.py"))["SUPPORTED"]
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert versions == ("3.11", "3.12", "3.13")
    assert settings["project"]["requires-python"] == ">=3.11,<3.14"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_commands_that_are_named_exist(name):
    text = (ROOT / name).read_text("utf-8")
    named = re.findall(r"(?:python3? |`)course\.py ([^`#\n]+)", text)
    assert named
    for words in set(named) - {"--help"}:
        options = cli.parser().parse_args(words.partition(" -- ")[0].split())
        assert options.command


def test_a_profile_that_does_not_exist_is_refused_at_once(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_PROFILE", "fast")
    monkeypatch.setattr(commands, "run", lambda *_: pytest.fail("it was run"))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert cli.main(["run"]) == 1
    assert "COURSE_PROFILE is 'fast': set it to" in capsys.readouterr().err


@pytest.fixture
def notebooks(tmp_path, monkeypatch) -> Path:
    for name in ("07_resnet", "08_resnext", "17_shufflenet", "25_assignment"):
        (tmp_path / f"{name}.ipynb").write_text("")
    monkeypatch.setattr(commands, "NOTEBOOKS", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("lecture", "name"),
    [
        ("7", "07_resnet"),
        ("07", "07_resnet"),
        ("resnet", "07_resnet"),
        ("07_resnet.ipynb", "07_resnet"),
        ("ResNeXt", "08_resnext"),
        ("shuffle", "17_shufflenet"),
        (commands.ASSIGNMENT, "25_assignment"),
    ],
)
def test_lecture_is_found(notebooks, lecture, name):
    assert commands.find_notebook(lecture) == notebooks / f"{name}.ipynb"
    path = notebooks / f"{name}.ipynb"
    assert commands.find_notebook(str(path)) == path.resolve()


@pytest.mark.parametrize(
    ("lecture", "message"),
    [("9", "is no notebook here: choose from 07_resnet, 08"), ("net", "more than one")],
)
def test_lecture_that_is_not_there_or_not_one(notebooks, lecture, message):
    with pytest.raises(CourseError, match=message):
        commands.find_notebook(lecture)


def write_run(folder: Path, values: list[str]) -> None:
    folder.mkdir(parents=True)
    rows = [f"{n},1,0.5,1,{value},0.1,3" for n, value in enumerate(values, 1)]
    header = "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds"
    (folder / "history.csv").write_text("\n".join([header, *rows]) + "\n")


def test_accuracies_of_all_runs(tmp_path):
    now = time.time()
    write_run(tmp_path / "a", ["0.5", "0.625", "0.6"])
    info = {"architecture": "base", "data": {"source": "CIFAR-10"}}
    (tmp_path / "a" / "run.json").write_text(json.dumps(info))
    write_run(tmp_path / "b" / "deep", ["0.25"])
    os.utime(tmp_path / "b" / "deep" / "history.csv", (now - 60, now - 60))
    write_run(tmp_path / "c", [])
    lines = [" ".join(line.split()) for line in commands.accuracies(tmp_path, now - 5)]
    assert lines == [
        "base 3 epochs validation accuracy: last 60.00%, best 62.50% on CIFAR-10",
        "deep 1 epoch validation accuracy: last 25.00%, best 25.00% on unknown images "
        "(an earlier run)",
    ]


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """Commands run with this interpreter, and write below a temporary folder."""
    monkeypatch.setattr(environment, "ensure", lambda *_: Path(sys.executable))
    monkeypatch.setattr(commands, "ROOT", tmp_path)
    return tmp_path


RUN_CELL = """\
import os, pathlib
run = pathlib.Path(os.environ["COURSE_LOGS"]) / os.environ["COURSE_PROFILE"]
run.mkdir(exist_ok=True)
_ = (run / "history.csv").write_text("epoch,val_accuracy\\n1,0.75\\n")"""


def test_run_shows_progress_results_and_places(here, capfd):
    v4 = nbformat.v4
    cells = [
        v4.new_markdown_cell("# A lecture\n\n## Build the model"),
        v4.new_code_cell("6 * 7"),
        v4.new_markdown_cell("## Train"),
        v4.new_code_cell(RUN_CELL),
    ]
    nbformat.write(v4.new_notebook(cells=cells), here / "07_resnet.ipynb")
    assert commands.run(str(here / "07_resnet.ipynb"), "quick") == 0
    out = capfd.readouterr().out
    lines = out.splitlines()
    assert lines[1].startswith("[1/2] Build the model ... ")
    assert lines[2].startswith("[2/2] Train ... ") and lines[2].endswith(" s")
    assert "quick" in out and "last 75.00%" in out
    folder = Path("logs", "local", "07_resnet", "quick")
    assert f"The executed notebook  {folder / '07_resnet.ipynb'}" in out
    assert "course.py run 07 --profile full" in out
    executed = nbformat.read(here / folder / "07_resnet.ipynb", as_version=4)
    assert executed.cells[1].outputs[0].data["text/plain"] == "42"


def test_run_of_a_failing_cell(here, capfd):
    notebook = write_notebook(here / "bad.ipynb", "1 / 0", "print('after')")
    assert commands.run(str(notebook), "full") == 1
    out, err = capfd.readouterr()
    assert "[1/2] Start ... " in out and ", failed" in out and "[2/2]" not in out
    assert "ZeroDivisionError: division by zero" in err
    copy = here / "logs" / "local" / "bad" / "full" / "bad.ipynb"
    assert nbformat.read(copy, as_version=4).cells[0].outputs[0].ename


def write_notebook(path: Path, *sources: str) -> Path:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_run_whose_kernel_dies(here, capfd):
    notebook = write_notebook(here / "dies.ipynb", "import os; os._exit(1)")
    assert commands.run(str(notebook), "quick") == 1
    err = capfd.readouterr().err
    assert "The kernel died" in err and "kernel.log" in err
    assert (here / "logs/local/dies/quick/kernel.log").exists()


WAIT = """\
import pathlib, time
try:
    print("epoch 1", flush=True)
    pathlib.Path("started").touch()
    time.sleep(600)
finally:
    print("saved")"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_interrupted_cell_may_save_its_state(tmp_path):
    notebook = write_notebook(tmp_path / "waits.ipynb", WAIT, "print('after')")
    output = tmp_path / "executed.ipynb"
    process = processes.start(
        [sys.executable, "-m", "tools.execute", notebook, "--output", output],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "started").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130 and err.strip().startswith("Interrupted.")
    first, second = nbformat.read(output, as_version=4).cells
    assert first.outputs[0].text == "epoch 1\nsaved\n"
    assert first.outputs[1].ename == "KeyboardInterrupt" and not second.outputs


def test_lab_opens_at_a_lecture(here, monkeypatch):
    notebook = here / "my notebooks" / "07_resnet.ipynb"
    notebook.parent.mkdir()
    notebook.touch()
    seen = []
    monkeypatch.setattr(commands, "call", lambda words: (seen.extend(words), 0)[1])
    assert commands.lab(str(notebook), ["--no-browser"]) == 0
    assert seen[1:3] == ["-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={here}" in seen
    assert "--LabApp.default_url=/lab/tree/my%20notebooks/07_resnet.ipynb" in seen
    assert seen[-1] == "--no-browser"


def test_lab_refuses_a_notebook_outside_the_course(here, tmp_path_factory):
    outside = tmp_path_factory.mktemp("elsewhere") / "07_resnet.ipynb"
    outside.touch()
    with pytest.raises(CourseError, match="lies outside the course"):
        commands.lab(str(outside), [])


@pytest.mark.parametrize("failing", [None, *range(4)])
def test_test_fails_when_a_part_fails(here, monkeypatch, capsys, failing):
    commands_seen = []

    def scripted(command):
        commands_seen.append(" ".join(map(str, command[1:])))
        failed = len(commands_seen) - 1 == failing
        return (2 if failed else 0), f"{len(commands_seen)} passed in 1.00s"

    monkeypatch.setattr(commands, "tee", scripted)
    status = commands.test(commands.PARTS, "tested", ["-k", "resnet"])
    assert status == (0 if failing is None else 1)
    assert commands_seen == [
        "-m ruff check .",
        "-m ruff format --check .",
        f"-m pytest {' '.join(commands.PARALLEL)} -k resnet",
        f"-m pytest {' '.join(commands.PARALLEL)} --nbval notebooks",
    ]
    lines = capsys.readouterr().out.splitlines()
    assert lines[-8] == "== summary, tested versions"
    assert lines[-7].startswith("Python ")
    outcomes = [line.split()[-3] for line in lines[-6:-2]]
    assert outcomes == ["failed" if n == failing else "passed" for n in range(4)]
    assert lines[-2:] == ["pytest: 3 passed in 1.00s", "notebooks: 4 passed in 1.00s"]


def test_summary_says_which_versions_were_tested(here, monkeypatch, capsys):
    monkeypatch.setattr(commands, "tee", lambda _: (0, ""))
    commands.test(["ruff"], "newest", [])
    lines = capsys.readouterr().out.splitlines()
    told = lines[lines.index("== summary, newest versions") + 1]
    tensorflow, keras = map(metadata.version, ("tensorflow", "keras"))
    # The others start fast enough to be asked themselves.
    assert told == (
        f"Python {sys.version.split()[0]}, tensorflow {tensorflow}, keras {keras}, "
        f"numpy {numpy.__version__}, ipython {IPython.__version__}, "
        f"matplotlib {matplotlib.__version__}"
    )


def test_a_package_that_is_missing_is_named():
    told = commands.installed(Path(sys.executable), "no-such-package", "pytest")
    assert told.endswith(f", no no-such-package, pytest {pytest.__version__}")


def test_part_alone_gets_the_options(here, monkeypatch):
    seen = []
    monkeypatch.setattr(commands, "tee", lambda words: (seen.append(words), (0, ""))[1])
    commands.test(["notebooks"], "tested", ["-x"])
    words = ["-m", "pytest", *commands.PARALLEL, "--nbval", "notebooks", "-x"]
    assert [command[1:] for command in seen] == [words]


def test_closing_line_of_a_real_pytest(tmp_path, monkeypatch, capfdbinary):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tmp_path / "test_a.py").write_text("def test_a():\n    assert False\n")
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, tmp_path]
    status, closing = processes.tee([*command, f"--rootdir={tmp_path}"])
    assert status == 1
    assert closing.startswith("1 failed in ")
    assert b"assert False" in capfdbinary.readouterr().out


@pytest.mark.parametrize(
    ("words", "status"),
    [(["--help"], 0), (["test", "--only", "all"], 2), (["run", "--", "x"], 2), ([], 2)],
)
def test_command_line_is_checked(words, status, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == status
    assert "usage: course.py" in "".join(capsys.readouterr())


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    out = capsys.readouterr().out
    for word in ("run", "lab", "test", "site", "setup", "quick", "COURSE_VENV"):
        assert word in out


WORKFLOWS = {
    path.name: path.read_text("utf-8")
    for path in (ROOT / ".github" / "workflows").glob("*.yml")
}


def values(workflow: str, name: str) -> set[str]:
    """What a workflow gives for a name, one value or a list in brackets."""
    found = re.findall(rf"^[ -]*{name}: (.+)$", WORKFLOWS[workflow], re.MULTILINE)
    return set(re.findall(r"[^\s,\[\]\"]+", " ".join(found)))


def test_workflow_tests_every_set_of_versions_and_every_python():
    assert values("test.yml", "versions") == set(environment.VERSIONS)
    supported = runpy.run_path(str(ROOT / "course.py"))["SUPPORTED"]
    assert values("test.yml", "python") == set(supported)
    # The sets other than the tested one, on the oldest and the newest Python.
    ends = f'python: ["{supported[0]}", "{supported[-1]}"]'
    others = ", ".join(environment.VERSIONS[1:])
    pairs = re.compile(rf"^ +{re.escape(ends)}\n +versions: \[{others}\]$", re.M)
    assert pairs.search(WORKFLOWS["test.yml"])


def test_workflows_use_one_version_of_each_action():
    template = (ROOT / "grader" / "template" / "workflow.yml").read_text("utf-8")
    text = "\n".join([*WORKFLOWS.values(), template])
    used = set(re.findall(r"uses: (\S+)@(\S+)", text))
    assert {"actions/checkout", "actions/setup-python"} <= {name for name, _ in used}
    assert len(used) == len({name for name, _ in used}), sorted(used)


def test_workflow_keeps_the_images_where_they_are_downloaded_to(monkeypatch):
    monkeypatch.delenv("CIFAR10_DIR", raising=False)
    place = find.download_folder() / fetch.CIFAR10.folder
    assert values("test.yml", "path") == {place.relative_to(ROOT).as_posix()}


def test_workflows_end_what_was_pushed():
    for name in WORKFLOWS:
        assert "true" not in values(name, "cancel-in-progress"), name
