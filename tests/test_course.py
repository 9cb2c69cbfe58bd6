"""course.py: the environment is made whole or not at all, and results are told."""

import ast
import collections
import errno
import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import nbformat.v4
import pytest

from tools import cli, commands, environment, processes
from tools.environment import CourseError

ROOT = Path(__file__).parent.parent
MODULES = ("__init__", "cli", "commands", "environment", "processes")


def tiny_wheel(folder: Path, version: str) -> None:
    """Writes a package that holds nothing, as pip installs it."""
    folder.mkdir(exist_ok=True)
    info = f"tiny-{version}.dist-info"
    with zipfile.ZipFile(folder / f"tiny-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr(f"{info}/METADATA", f"Name: tiny\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout whose requirements are one tiny package from a local folder."""
    project = tmp_path / "a course"  # with a blank, as many paths have
    (project / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "course.py", project)
    for name in MODULES:
        shutil.copy(ROOT / "tools" / f"{name}.py", project / "tools")
    tiny_wheel(project / "wheels", "1.0")
    tiny_wheel(project / "wheels", "2.0")
    lines = f'--no-index\n--find-links "{(project / "wheels").as_posix()}"\ntiny>=1.0\n'
    (project / "requirements.txt").write_text(lines)
    (project / "constraints.txt").write_text("tiny==1.0\n")
    return project


def clean_variables(**more: str) -> dict[str, str]:
    """This machine's variables without its settings of pip and of the course."""
    own = ("PIP_", "COURSE_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(own)}
    return {**kept, "PIP_CONFIG_FILE": os.devnull, **more}


def start(project: Path, *arguments: str, **variables: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, str(project / "course.py"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_variables(**variables),
    )


def finish(process: subprocess.Popen) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def installed(project: Path) -> list[str]:
    """The tiny packages that the environment of a checkout holds."""
    return [path.name for path in (project / ".venv").rglob("tiny-*.dist-info")]


def leftovers(project: Path) -> list[str]:
    return [path.name for path in project.glob(".venv*")]


def fake_environment(folder: Path, state: str, key: str) -> None:
    """What looks like an environment of an earlier call."""
    python = environment.python_in(folder)
    python.parent.mkdir(parents=True)
    python.write_text("")
    (folder / environment.RECORD).write_text(json.dumps({"state": state, "key": key}))


def test_outdated_environment_is_renewed_once_then_kept(copy):
    fake_environment(copy / ".venv", "ready", "old")
    both = [start(copy, "setup"), start(copy, "setup")]
    first, second = map(finish, both)
    assert (first[0], second[0]) == (0, 0)
    # Two at once: one makes it, the other waits and finds it.
    out = first[1] + second[1]
    assert out.count(".venv is out of date") == 1
    assert out.count("Installing packages ...\n") == 1
    assert installed(copy) == ["tiny-1.0.dist-info"]
    assert leftovers(copy) == [".venv"]

    status, out, _ = finish(start(copy, "setup"))
    assert status == 0 and "Installing" not in out


def test_failed_installation_leaves_what_was_there(copy):
    fake_environment(copy / ".venv", "ready", "old")
    # Port 9 discards: nothing answers there.
    (copy / "requirements.txt").write_text("--index-url http://127.0.0.1:9/\ntiny\n")
    status, _, err = finish(start(copy, "setup", PIP_RETRIES="1"))
    assert status == 1
    assert err.startswith(f"The last lines of {copy / 'logs'}")
    assert err.splitlines()[-1] == (
        "course.py: the packages were not installed: the package index cannot be "
        "reached: check the network, then try again"
    )
    assert leftovers(copy) == [".venv"]
    assert '"old"' in (copy / ".venv" / environment.RECORD).read_text()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize(
    ("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_interrupted_build_leaves_nothing(copy, sent, status):
    process = start(copy, "setup")
    deadline = time.monotonic() + 30
    while not (copy / ".venv" / "pyvenv.cfg").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(sent)
    assert finish(process)[0] == status
    assert leftovers(copy) == []


def test_foreign_environment_is_left_alone(copy):
    (copy / ".venv").mkdir()
    (copy / ".venv" / "pyvenv.cfg").write_text("mine")
    status, _, err = finish(start(copy, "setup"))
    assert status == 1
    assert "was not made by course.py" in err and len(err.splitlines()) == 1
    assert (copy / ".venv" / "pyvenv.cfg").read_text() == "mine"


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A folder that the environment's functions take for the checkout."""
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.delenv("COURSE_VENV", raising=False)
    (tmp_path / "requirements.txt").write_text("# why\ntensorflow>=2.20\nnumpy>=2.1\n")
    (tmp_path / "constraints.txt").write_text("numpy==2.4.6\n")
    return tmp_path


def test_killed_build_gives_way_to_the_environment_before_it(project):
    fake_environment(project / ".venv", "building", "new")
    fake_environment(project / ".venv.old", "ready", environment.key("tested"))
    assert environment.ensure() == environment.python_in(project / ".venv")
    assert leftovers(project) == [".venv"]


def test_full_disk_is_seen_before_anything_is_made(project, monkeypatch):
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12, 10**9))
    with pytest.raises(CourseError, match="needs 4 GB and the disk has 1.0 GB left"):
        environment.ensure()
    assert leftovers(project) == []


@pytest.mark.parametrize("before", [False, True])
def test_disk_that_fills_up_leaves_what_was_there(project, monkeypatch, before):
    def fill(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    if before:
        fake_environment(project / ".venv", "ready", "old")
    monkeypatch.setattr(environment, "run_with_progress", fill)
    monkeypatch.setattr(environment, "NEEDED_BYTES", 0)
    with pytest.raises(CourseError, match="the disk is full"):
        environment.ensure()
    assert leftovers(project) == ([".venv"] if before else [])
    if before:
        assert '"old"' in (project / ".venv" / environment.RECORD).read_text()


def test_python_without_venv_is_told_what_to_install(project, monkeypatch):
    def without_ensurepip(command, label, log):
        log.write_text("... because ensurepip is not\navailable.")
        return 1

    monkeypatch.setattr(environment, "run_with_progress", without_ensurepip)
    monkeypatch.setattr(environment, "NEEDED_BYTES", 0)
    with pytest.raises(CourseError, match=r"no venv module.*apt install python3\.\d+-"):
        environment.ensure()
    assert leftovers(project) == []


def test_key_depends_on_all_that_is_installed(project, monkeypatch):
    keys = {environment.key(versions) for versions in environment.VERSIONS}
    (project / "requirements.txt").write_text("tensorflow>=2.21\n")
    keys.add(environment.key("tested"))
    (project / "constraints.txt").write_text("numpy==2.4.7\n")
    keys.add(environment.key("tested"))
    monkeypatch.setattr(sys, "version_info", (3, 12, 1, "final", 0))
    keys.add(environment.key("tested"))
    monkeypatch.setattr(sys, "version_info", (3, 13, 0, "final", 0))
    keys.add(environment.key("tested"))
    assert len(keys) == 8


def test_oldest_versions_are_the_lower_bounds(project):
    assert environment.constraints("oldest") == "tensorflow==2.20\nnumpy==2.1\n"


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        ("ERROR: [Errno 28] No space left on device", "disk"),
        (
            "WARNING: Retrying (Retry(total=4)) after connection broken by "
            "'NewConnectionError('<...>: Failed to establish a new connection: "
            "[Errno -3] Temporary failure in name resolution')': /simple/numpy/\n"
            "ERROR: No matching distribution found for numpy>=2.1",
            "cannot be reached",
        ),
        (
            "ERROR: Could not find a version that satisfies the requirement x\n"
            "ERROR: No matching distribution found for tensorflow>=2.20",
            "no version of tensorflow>=2.20 fits",
        ),
        (
            "ERROR: Cannot install keras>=3.13 because these package versions have "
            "conflicting dependencies.\nERROR: ResolutionImpossible: for help visit",
            "no version of keras>=3.13 fits",
        ),
        ("Collecting a\nERROR: Failed building wheel for a", "Failed building wheel"),
        ("", "without saying why"),
    ],
)
def test_cause_of_a_failed_installation(log, cause):
    explained = environment.explain(log)
    assert cause in explained and "\n" not in explained


@pytest.mark.parametrize("version", [(3, 8), (3, 10), (3, 14)])
def test_unsupported_python_gets_one_line(monkeypatch, version):
    monkeypatch.setattr(sys, "version_info", (*version, 0, "final", 0))
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "course.py"), run_name="__main__")
    assert ended.value.code == (
        f"course.py: this is Python 3.{version[1]}, the course needs 3.11 to 3.13: "
        "install it from https://www.python.org/downloads/"
    )


def test_unsupported_python_names_one_that_starts(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 0, "final", 0))
    # A version manager's link to 3.13 exists, but only 3.12 starts.
    paths = {"python3.13": "dead-link", "python3.12": sys.executable}
    monkeypatch.setattr(shutil, "which", paths.get)
    monkeypatch.setattr(subprocess, "call", lambda words, **_: words[0] == "dead-link")
    with pytest.raises(SystemExit, match=r"try python3\.12 course\.py"):
        runpy.run_path(str(ROOT / "course.py"), run_name="__main__")


def test_old_pythons_can_read_course_py():
    ast.parse((ROOT / "course.py").read_text("utf-8"), feature_version=(3, 7))


def test_supported_versions_are_those_of_the_project():
    import tomllib

    versions = runpy.run_path(str(ROOT / "course.py"))["SUPPORTED"]
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert versions == ("3.11", "3.12", "3.13")
    assert settings["project"]["requires-python"] == ">=3.11,<3.14"


def test_every_requirement_has_a_tested_version():
    def names(file, sign):
        lines = (ROOT / file).read_text("utf-8").splitlines()
        return {line.split(sign)[0] for line in lines if not line.startswith("#")}

    assert names("requirements.txt", ">=") <= names("constraints.txt", "==")


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
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.execute", notebook, "--output", output],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "started").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    status, _, err = finish(process)
    assert status == 130 and err.strip().startswith("Interrupted.")
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
        "-m pytest -k resnet",
        "-m pytest --nbval notebooks",
    ]
    lines = capsys.readouterr().out.splitlines()
    outcomes = [line.split()[-3] for line in lines[-6:-2]]
    assert outcomes == ["failed" if n == failing else "passed" for n in range(4)]
    assert lines[-2:] == ["pytest: 3 passed in 1.00s", "notebooks: 4 passed in 1.00s"]


def test_part_alone_gets_the_options(here, monkeypatch):
    seen = []
    monkeypatch.setattr(commands, "tee", lambda words: (seen.append(words), (0, ""))[1])
    commands.test(["notebooks"], "tested", ["-x"])
    assert [words[3:] for words in seen] == [["--nbval", "notebooks", "-x"]]


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
    for word in ("run", "lab", "test", "setup", "quick", "COURSE_VENV"):
        assert word in out
