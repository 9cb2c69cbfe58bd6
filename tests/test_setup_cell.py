"""The setup cell finds the course from any folder, or clones it."""

import os
import subprocess
import sys

import nbformat
import pytest

from tools import ROOT, notebooks
from tools.environment import CourseError
from tools.notebooks import Project, code_cells, has_tag, lectures, project, read
from tools.setup_cell import COLUMNS, PLACEHOLDER, refresh, refresh_cells, setup_source

ADDRESS = "https://github.com/a-university/convolutional-networks-course"
CLONE = "convolutional-networks-course"
SHOW = "\nimport helpers\nprint(helpers.__file__)"


def execute(source, folder, keras="3.15.1", **variables):
    """Runs a cell in a folder, with a stand-in for the installed Keras.

    Nothing of this course is on the path but what the cell finds.
    """
    fake = folder / ".fake-keras"
    info = fake / f"keras-{keras}.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(f"Name: keras\nVersion: {keras}\n")
    code = f"import sys; sys.path.insert(0, {str(fake)!r})\n{source}"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=folder,
        env=environment | variables,
        capture_output=True,
        text=True,
    )


def make_course(folder):
    """A course reduced to what the cell needs of it."""
    for name in ("__init__.py", "runtime.py"):
        path = folder / "helpers" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((ROOT / "helpers" / name).read_bytes())
    (folder / "helpers" / "data").mkdir()
    (folder / "helpers" / "data" / "__init__.py").touch()
    (folder / "notebooks").mkdir()
    return folder


def git(*arguments, cwd):
    names = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    command = ["git", *names, *arguments]
    subprocess.run(command, cwd=cwd, check=True, capture_output=True)


@pytest.fixture
def bare(tmp_path):
    """A bare repository on this disk with the reduced course.

    Its default branch is the one that pyproject.toml names; the branch `next` has a
    file more.
    """
    work = make_course(tmp_path / "work")
    git("init", "-q", "-b", project().branch, cwd=work)
    git("add", ".", cwd=work)
    git("commit", "-q", "-m", "Course", cwd=work)
    git("checkout", "-q", "-b", "next", cwd=work)
    (work / "next.txt").touch()
    git("add", ".", cwd=work)
    git("commit", "-q", "-m", "The next course", cwd=work)
    git("checkout", "-q", project().branch, cwd=work)
    git("clone", "-q", "--bare", str(work), str(tmp_path / "course.git"), cwd=tmp_path)
    return (tmp_path / "course.git").as_uri()


@pytest.mark.parametrize("url", [PLACEHOLDER, ADDRESS])
def test_it_is_short_and_narrow(url):
    lines = setup_source(url).split("\n")
    assert len(lines) <= 12
    assert max(map(len, lines)) <= COLUMNS


@pytest.mark.parametrize("url", [PLACEHOLDER, ADDRESS])
def test_ruff_has_nothing_to_say(tmp_path, url):
    cell = nbformat.v4.new_code_cell(setup_source(url))
    path = tmp_path / "lecture.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    settings = ["--config", str(ROOT / "pyproject.toml"), str(path)]
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *settings],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("url", [PLACEHOLDER, ADDRESS])
@pytest.mark.parametrize("inside", ["", "notebooks", "logs/local/run"])
def test_it_finds_the_course_above(tmp_path, url, inside):
    course = make_course(tmp_path / "anywhere")
    folder = course / inside
    folder.mkdir(parents=True, exist_ok=True)
    done = execute(setup_source(url) + SHOW, folder)
    assert done.stdout.strip() == str(course / "helpers" / "__init__.py"), done.stderr
    assert done.stderr == ""


def test_it_prints_nothing_when_all_is_well(tmp_path):
    course = make_course(tmp_path / "course")
    done = execute(setup_source(), course)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_it_clones_the_course_once(tmp_path, bare):
    folder = tmp_path / "content"
    folder.mkdir()
    first = execute(setup_source(bare) + SHOW, folder)
    expected = str(folder / CLONE / "helpers" / "__init__.py")
    assert first.stdout.strip() == expected, first.stderr
    # The clone is found again, although it cannot be made again.
    (tmp_path / "course.git").rename(tmp_path / "gone.git")
    for again in (folder, folder / CLONE / "helpers"):
        done = execute(setup_source(bare) + SHOW, again)
        assert done.stdout.strip() == expected, done.stderr
        assert done.stderr == ""


@pytest.mark.parametrize("default", [project().branch, "next"])
@pytest.mark.parametrize("branch", [project().branch, "next"])
def test_it_clones_the_branch_whatever_the_default_one_is(
    tmp_path, bare, branch, default
):
    head = ["symbolic-ref", "HEAD", f"refs/heads/{default}"]
    git(*head, cwd=tmp_path / "course.git")
    done = execute(setup_source(bare, branch), tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / CLONE / "next.txt").exists() == (branch == "next")


def test_a_failed_clone_names_the_address_and_the_likely_cause(tmp_path):
    url = (tmp_path / "nothing.git").as_uri()
    done = execute(setup_source(url), tmp_path)
    assert done.returncode != 0
    # git's own words stand above it, before the traceback.
    assert "fatal: " in done.stderr.splitlines()[1]
    assert done.stderr.splitlines()[-1] == (
        f"ConnectionError: {url}: install git, go online, or delete {tmp_path / CLONE}"
    )
    assert not (tmp_path / CLONE).exists()


def test_a_machine_without_git_is_told_to_install_it(tmp_path, bare):
    done = execute(setup_source(bare), tmp_path, PATH="")
    assert done.returncode != 0
    assert f"ConnectionError: {bare}: install git" in done.stderr.splitlines()[-1]


def test_half_a_clone_is_named(tmp_path, bare):
    (tmp_path / CLONE / ".git").mkdir(parents=True)
    done = execute(setup_source(bare), tmp_path)
    assert "already exists and is not an empty directory" in done.stderr
    assert done.stderr.splitlines()[-1].endswith(f"or delete {tmp_path / CLONE}")


def test_a_folder_with_spaces_is_cloned_into(tmp_path, bare):
    folder = tmp_path / "my lectures"
    folder.mkdir()
    assert execute(setup_source(bare), folder).returncode == 0
    assert (folder / CLONE / "helpers").is_dir()


def test_the_placeholder_is_not_cloned_but_explained(tmp_path):
    done = execute(setup_source(PLACEHOLDER), tmp_path, PATH="")
    assert done.returncode != 0
    assert "set repository in pyproject.toml" in done.stderr.splitlines()[-1]
    assert "git" not in setup_source(PLACEHOLDER)


def test_an_old_keras_is_refused_before_the_lecture(tmp_path):
    course = make_course(tmp_path / "course")
    done = execute(setup_source(), course, keras="3.9.2")
    assert done.returncode != 0
    assert "Keras 3.9.2 is too old" in done.stderr.splitlines()[-1]


def test_the_address_comes_from_pyproject():
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    address = settings.split('repository = "')[1].split('"')[0]
    assert setup_source() == setup_source(address)


def test_the_branch_comes_from_pyproject(monkeypatch):
    monkeypatch.setattr(notebooks, "project", lambda: Project(ADDRESS, "winter"))
    assert " -bwinter {url} " in setup_source()


@pytest.mark.parametrize(
    ("url", "branch", "accepted"),
    [
        (72, 10, True),
        (73, 10, False),
        (72, 11, False),
    ],
)
def test_a_line_that_a_student_would_not_see_whole_is_refused(
    url, branch, accepted, monkeypatch
):
    address = Project("https://github.com/".ljust(url, "x"), "y" * branch)
    monkeypatch.setattr(notebooks, "project", lambda: address)
    notebook = nbformat.v4.new_notebook()
    if accepted:
        refresh_cells(notebook)
    else:
        with pytest.raises(CourseError, match="take 1 characters off .* has 81"):
            refresh_cells(notebook)


def test_refresh_rewrites_tagged_cells_alone(tmp_path):
    cells = [
        nbformat.v4.new_markdown_cell("# Title"),
        nbformat.v4.new_code_cell("old", metadata={"tags": ["setup"]}),
        nbformat.v4.new_code_cell("print(1)"),
    ]
    path = tmp_path / "lecture.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    assert refresh(path)
    sources = [cell.source for cell in nbformat.read(path, 4).cells]
    assert sources == ["# Title", setup_source(), "print(1)"]
    before = path.read_bytes()
    assert not refresh(path)
    assert path.read_bytes() == before


def test_every_notebook_has_this_setup_cell_once():
    for path in lectures():
        tagged = [cell for cell in code_cells(read(path)) if has_tag(cell, "setup")]
        assert [cell.source for cell in tagged] == [setup_source()], path.name
