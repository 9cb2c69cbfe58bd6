"""The course as a student meets it: on Colab, on Kaggle, in a checkout.

Every notebook sets itself up in each place; three run whole. A training is killed in
each, on Colab with the machine and its disk, and the notebook run again goes on to the
same end. On Colab there is no Optuna. All of it runs without a GPU, and without a
network but the course's repository.
"""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import rehearsal
from nbclient.exceptions import DeadKernelError
from rehearsal import (
    CLONE,
    checkout,
    colab,
    kaggle,
    only_for,
    prepared,
    python,
    run,
    said,
)

from tools.notebooks import FOLDER, code_cells, has_tag, lectures, read

TRAINING = FOLDER / "18_training_techniques.ipynb"
FIT = 'fit(model, RUNS / "first")'
RUN = "training_quick/first"  # its folder
EPOCHS = 3  # of that cell in the quick profile
# The lectures that use Optuna, and what their cells hold that do without it, too.
OPTUNA = {"17_architecture_search": "open_storage(", "23_hyperparameters": "if optuna:"}
# The named notebook is there even if the folder were read wrongly.
LECTURES = sorted({*lectures(), TRAINING})


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> str:
    return rehearsal.bare_repository(tmp_path_factory.mktemp("repository"))


def first_cells(path: Path, url: str) -> list[str]:
    """The setup cell of a lecture and its imports."""
    cells = code_cells(prepared(path, url))
    [parameters] = [n for n, cell in enumerate(cells) if has_tag(cell, "parameters")]
    assert has_tag(cells[0], "setup"), path.name
    assert parameters > 1, f"{path.name}: no imports between setup and parameters"
    return [cell.source for cell in cells[:parameters]]


SHOW = """
import helpers.runtime
print(helpers.runtime.environment(), helpers.__file__)"""


def set_up(path: Path, url: str, place: rehearsal.Place) -> tuple[str, Path, str]:
    """Where a lecture believes to be, the course it found, and what was complained."""
    done = python(first_cells(path, url)[0] + SHOW, place)
    assert done.returncode == 0, f"{path.name}: {done.stderr}"
    service, _, found = done.stdout.strip().partition(" ")
    return service, Path(found).parent.parent, done.stderr


def test_on_colab_each_notebook_alone_clones_the_course(url, tmp_path):
    for path in LECTURES:
        place = colab(tmp_path / path.stem / "content", drive=None)
        assert not any(place.folder.iterdir())
        service, course, complaints = set_up(path, url, place)
        assert (service, course) == ("colab", place.folder / CLONE)
        assert "Cloning into" in complaints


def test_on_kaggle_the_first_notebook_clones_for_all(url, tmp_path):
    place = kaggle(tmp_path / "kaggle")
    cloned = []
    for path in LECTURES:
        service, course, complaints = set_up(path, url, place)
        assert (service, course) == ("kaggle", place.folder / CLONE)
        cloned += ["Cloning into" in complaints]
    assert cloned == [True] + [False] * (len(LECTURES) - 1)


@pytest.mark.parametrize("inside", ["", "notebooks", "logs/base_seed0"])
def test_a_checkout_is_found_from_any_folder_in_it(url, tmp_path, inside):
    place = checkout(tmp_path / "my course", url, inside)
    for path in LECTURES:
        found = set_up(path, url, place)
        assert found == ("local", tmp_path / "my course", "")
    assert not (place.folder / CLONE).exists()


IMPORT = """
import google.colab, json, pathlib
google.colab.hide_packages()
for name, cells in json.loads(pathlib.Path("cells.json").read_text()).items():
    room = {"__name__": "__main__"}
    for source in cells:
        exec(compile(source, name, "exec"), room)
import google.protobuf.message
print(len(google.__path__))
google.colab.move_content()
from helpers import callbacks
print(callbacks.drive_folder("vgg"))"""


@pytest.fixture(scope="module")
def imported(url, tmp_path_factory):
    """A process on Colab that imports for every lecture, then is refused a Drive."""
    place = colab(tmp_path_factory.mktemp("colab") / "content", drive=None)
    cells = {path.stem: first_cells(path, url) for path in LECTURES}
    (place.folder / "cells.json").write_text(json.dumps(cells))
    done = python(IMPORT, place)
    assert done.returncode == 0, done.stderr
    # The last two words are this script's; cells may have said something before.
    return place, *done.stdout.split()[-2:], done.stderr


def test_every_notebook_imports_what_it_needs_beside_google_colab(imported):
    _, folders, _, _ = imported
    # Colab's package and protobuf share the namespace `google` from two folders.
    assert int(folders) >= 2


def test_a_refused_drive_is_answered(imported):
    place, _, chosen, complaints = imported
    assert Path(chosen) == place.folder / CLONE / "logs/local/kept/vgg"
    assert "not mounted: Error: credential propagation was unsucc" in complaints
    assert "Run this cell again to be asked again" in complaints
    assert f"kept in {chosen}, which is lost with this machine" in complaints


@pytest.mark.parametrize(
    ("name", "where"), [("02_receptive_field", "checkout"), ("05_lenet", "kaggle")]
)
def test_a_notebook_runs_whole(url, tmp_path, name, where):
    if where == "kaggle":
        place = kaggle(tmp_path / "kaggle")
    else:
        place = checkout(tmp_path / "course", url, "notebooks")
    notebook = prepared(FOLDER / f"{name}.ipynb", url)
    run(notebook, place)
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_the_lectures_that_use_optuna_are_known():
    using = {
        path.stem
        for path in LECTURES
        if any("optuna" in cell.source.lower() for cell in code_cells(read(path)))
    }
    assert using == set(OPTUNA)


@pytest.mark.parametrize("name", OPTUNA)
def test_on_colab_a_lecture_goes_without_optuna(url, tmp_path, name):
    place = colab(tmp_path / "content", drive=None)
    whole = prepared(FOLDER / f"{name}.ipynb", url)
    part = only_for(whole, OPTUNA[name])
    run(part, place)
    ran = [cell.source for cell in code_cells(part)]
    named = [c.source for c in code_cells(whole) if "optuna" in c.source.lower()]
    assert set(named) <= set(ran)
    printed = "".join(map(said, code_cells(part)))
    assert printed.count("%pip install optuna") == 1


def history(folder: Path) -> list[list[str]]:
    """The rows of a run's log as text, without the column `seconds`."""
    with open(folder / "history.csv", newline="", encoding="utf-8") as file:
        return [row[:-1] for row in csv.reader(file)][1:]


def state(folder: Path) -> dict[str, bytes]:
    """The newest saved weights, moments and random numbers of a run."""
    with np.load(max((folder / "resume").glob("state-*.npz"))) as file:
        names = [name for name in file.files if name.startswith("array/")]
        return {name: file[name].tobytes() for name in names}


def check_continuation(printed: str, done: int) -> None:
    """Checks what the training cell said: each missing epoch once, no other."""
    assert (f"after epoch {done}/{EPOCHS}." in printed) == bool(done)
    begun = [n for n in range(1, EPOCHS + 1) if f"Epoch {n}/{EPOCHS}" in printed]
    assert begun == list(range(done + 1, EPOCHS + 1))


def printed_by(notebook, part: str) -> str:
    [cell] = [cell for cell in code_cells(notebook) if part in cell.source]
    return said(cell)


@pytest.fixture(scope="module")
def uninterrupted(url, tmp_path_factory):
    """A training that nobody disturbed, on Colab after the Drive was refused.

    Returns:
        The notebook as far as it was needed, and the course's runs.
    """
    place = colab(tmp_path_factory.mktemp("uninterrupted") / "content", drive=None)
    part = only_for(prepared(TRAINING, url), FIT)
    run(part, place)
    return part, place.folder / CLONE / "logs/local"


def check_same_end(folder: Path, runs: Path) -> None:
    """Checks a run's history and state against those of the undisturbed one."""
    assert history(folder) == history(runs / RUN)
    expected = state(runs / RUN)
    assert len(expected) > 17  # the layers alone have 17 weights
    assert state(folder) == expected


def test_without_a_drive_colab_trains_and_says_what_is_lost(uninterrupted):
    part, runs = uninterrupted
    check_continuation(printed_by(part, FIT), done=0)
    assert len(history(runs / RUN)) == EPOCHS
    kept = runs / "kept/training_quick"
    warned = printed_by(part, "KEPT = callbacks.drive_folder")
    assert "Google Drive was not mounted: Error: credential propagation" in warned
    assert f"kept in {kept}, which is lost with this machine" in warned
    check_same_end(kept, runs)


def test_colab_takes_its_machine_away_and_the_notebook_goes_on(
    url, uninterrupted, tmp_path
):
    drive = tmp_path / "Drive"
    drive.mkdir()
    place = colab(tmp_path / "content", drive)
    copy = drive / "convolutional-networks" / "training_quick"
    with pytest.raises(DeadKernelError):
        # Without the cells that have no part in the training: they draw from the
        # random numbers that the undisturbed run's first weights are drawn from.
        part = only_for(prepared(TRAINING, url), FIT)
        run(part, place, kill_at=f"Epoch 2/{EPOCHS}")
    before = history(copy)
    assert 1 <= len(before) < EPOCHS

    place.lose()
    notebook = prepared(TRAINING, url)
    run(notebook, place)
    printed = printed_by(notebook, FIT)
    mounted = place.folder / "drive" / "MyDrive" / copy.relative_to(drive)
    assert f"Fetched the run from {mounted}." in printed
    check_continuation(printed, done=len(before))
    for folder in (copy, place.folder / CLONE / "logs/local" / RUN):
        check_same_end(folder, uninterrupted[1])
    log = json.loads((copy / "run.json").read_text(encoding="utf-8"))
    assert log["interruptions"] == [len(before) + 1]
    # What else a newcomer on Colab has to be told was told, where it happened.
    assert "There is no GPU here" in printed_by(notebook, "FULL = runtime.profile()")
    assert "CIFAR-10 IS NOT HERE" in printed_by(notebook, "images = data.load_cifar10")


@pytest.mark.parametrize("where", ["kaggle", "checkout"])
def test_a_killed_training_goes_on(url, uninterrupted, tmp_path, where):
    if where == "kaggle":
        course = tmp_path / "working" / CLONE
        first = again = kaggle(tmp_path)
    else:
        course = tmp_path / "course"
        first = checkout(course, url, "notebooks")
        again = checkout(course, url, "logs/base_seed0")
    result = course / "logs/local" / RUN
    with pytest.raises(DeadKernelError):
        part = only_for(prepared(TRAINING, url), FIT)
        run(part, first, kill_at=f"Epoch 2/{EPOCHS}")
    done = len(history(result))
    assert 1 <= done < EPOCHS

    part = only_for(prepared(TRAINING, url), FIT)
    run(part, again)
    check_continuation(printed_by(part, FIT), done)
    check_same_end(result, uninterrupted[1])
