"""Trials of hyperparameters: their table, their training and the command."""

import json
import math
from functools import partial
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from helpers.architectures.search import Trial, search
from helpers.architectures.search_space import Space
from helpers.architectures.search_storage import tree_parzen
from helpers.architectures.small import small
from helpers.callbacks import one_cycle
from helpers.data import load_cifar10
from helpers.tuning import __main__ as command
from helpers.tuning import trial as training
from helpers.tuning.methods import Grid, random_search
from helpers.tuning.ranges import Choice, Range
from helpers.tuning.sheet import GRID, METHODS, read_best
from helpers.tuning.table import TrialTable, read_trials
from helpers.tuning.trial import SPACE, recipe_of, train_trial
from tools import notebooks

RATE, SIZE = Range(1e-3, 10.0, log=True), Choice((32, 64, 128))
PAIR = Space({"rate": RATE, "size": SIZE}, build=None, parameters=lambda candidate: 0)


def hill(candidate):
    """Stands for an accuracy: best at a rate of 0.1 and a size of 64."""
    return 1 - math.log10(candidate["rate"] / 0.1) ** 2 - (candidate["size"] != 64)


# ----------------------------------------------------------------------------- table


def test_an_interrupted_table_goes_on_as_if_it_had_not_been(tmp_path):
    path = tmp_path / "made" / "trials.csv"

    def run(storage, count, fail_at=None):
        calls = []

        def train(candidate):
            calls.append(candidate)
            if len(calls) == fail_at:
                raise KeyboardInterrupt
            # An accuracy of 5,000 images has four digits.
            return [0.1, round(0.5 + 0.1 * hill(candidate), 4)]

        table = storage
        search(PAIR, tree_parzen, table.measured(train), count, table, seed=3)
        return calls

    whole = TrialTable(tmp_path / "whole.csv", "tpe", PAIR)
    every = run(whole, 14)
    with pytest.raises(KeyboardInterrupt):
        run(TrialTable(path, "tpe", PAIR), 14, fail_at=13)
    again = TrialTable(path, "tpe", PAIR)
    assert again.trials() == whole.trials()[:12]
    assert run(again, 14) == every[12:]
    assert again.trials() == whole.trials()
    assert run(again, 14) == []


def test_a_table_holds_what_was_measured(tmp_path):
    path = tmp_path / "trials.csv"
    for method in ("random", "grid"):
        table = TrialTable(path, method, PAIR)
        evaluate = table.measured(lambda candidate: [0.25, 0.5])
        candidate = {"rate": 1 / 3, "size": 64}
        table.add(Trial(candidate, 0, evaluate(candidate)))
    first, second = read_trials(path)
    assert first == {
        **{"method": "random", "trial": 0, "candidate": {"rate": 1 / 3, "size": 64}},
        **{"accuracy": 0.5, "seconds": 0.0, "curve": [0.25, 0.5]},
    }
    assert isinstance(first["candidate"]["size"], int)
    assert (second["method"], second["trial"]) == ("grid", 0)
    assert len(table.trials()) == 1
    assert read_trials(tmp_path / "none.csv") == []


def test_half_a_line_is_dropped_and_the_trial_made_again(tmp_path):
    path = tmp_path / "trials.csv"
    table = TrialTable(path, "random", PAIR)
    trials = search(PAIR, random_search, hill, 3, table)
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert len(read_trials(path)) == 2
    table = TrialTable(path, "random", PAIR)
    assert table.trials() == trials[:2]
    assert search(PAIR, random_search, hill, 3, table) == trials
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "text, told",
    [
        ("epoch,loss\n", "columns epoch, loss"),
        ("method,trial,rate,accuracy,seconds,curve\na,0,x,0.5,1,0.5\n", "line 2.*'x'"),
        ("method,trial,rate,accuracy,seconds,curve\na,0,1.0\n", "line 2"),
        (
            "method,trial,rate,accuracy,seconds,curve\n" + 2 * "a,0,1.0,0.5,1,0.5\n",
            "line 3: trial 0 of a.*twice",
        ),
    ],
)
def test_a_damaged_table_is_named(tmp_path, text, told):
    path = tmp_path / "trials.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=told):
        read_trials(path)


def test_a_table_of_other_hyperparameters_is_refused(tmp_path):
    path = tmp_path / "trials.csv"
    TrialTable(path, "random", PAIR)
    with pytest.raises(ValueError, match="method,trial,rate,size,.*another file"):
        TrialTable(path, "random", SPACE)


# ------------------------------------------------------------------ trials and command


def test_a_recipe_holds_the_settings():
    candidate = {
        **{"peak": 0.5, "weight_decay": 1e-3},
        **{"label_smoothing": 0.1, "batch_size": 64},
    }
    recipe = recipe_of(candidate)
    assert (recipe.batch_size, recipe.label_smoothing) == (64, 0.1)
    assert (recipe.weight_decay, recipe.epochs) == (1e-3, 6)
    optimizer = recipe.optimizer(100, recipe.weight_decay)
    rates = []
    for step in range(101):
        optimizer.iterations.assign(step)
        rates.append(float(keras.ops.convert_to_numpy(optimizer.learning_rate)))
    assert max(rates) == pytest.approx(0.5) and rates[-1] == pytest.approx(0, abs=1e-6)
    # Papers' value over 1 - momentum, as Keras takes it.
    assert optimizer.weight_decay == pytest.approx(1e-2)


def test_the_lecture_s_search_has_the_space_and_schedule_of_its_trials():
    """The cells are run with a model that notes its optimizer and learns nothing."""
    noted = {}

    class Model:
        def compile(self, optimizer, loss, metrics):
            noted["optimizer"] = optimizer

        def fit(self, *arguments, **settings):
            return SimpleNamespace(history={"val_accuracy": [0.1]})

    class Asked:
        def suggest_float(self, name, low, high, log=False):
            noted[name] = Range(low, high, log)
            return 0.3

        def suggest_categorical(self, name, values):
            noted[name] = Choice(tuple(values))
            return 32

    space = {"keras": keras, "one_cycle": one_cycle, "EPOCHS": 2, "started": []}
    space |= {"small": lambda filters: Model(), "FILTERS": (), "Report": id}
    space |= dict.fromkeys(("x_train", "y_train", "x_val", "y_val"), range(160))
    lecture = notebooks.read(notebooks.FOLDER / "23_hyperparameters.ipynb")
    cells = [cell.source for cell in notebooks.code_cells(lecture)]
    for words in ("def train(", "def objective("):
        exec(next(cell for cell in cells if cell.startswith(words)), space)
    space["objective"](Asked())
    optimizer = noted.pop("optimizer")
    assert noted == SPACE.choices
    # Ten steps: from a tenth of the peak up to it, then down to zero.
    rates = [float(optimizer._learning_rate(step)) for step in (0, 2.5, 10)]
    assert rates == pytest.approx([0.03, 0.3, 0.0])


def test_a_trial_trains_validates_and_tests_on_demand(monkeypatch):
    monkeypatch.setattr(training, "small", partial(small, filters=(4, 4)))
    images = load_cifar10(source="synthetic").take(300, 200, 200)
    candidate = {
        **{"peak": 0.1, "weight_decay": 1e-4},
        **{"label_smoothing": 0.1, "batch_size": 32},
    }
    curve, tested = train_trial(candidate, images, epochs=2)
    assert len(curve) == 2 and tested is None
    again, tested = train_trial(candidate, images, epochs=2, test=True)
    assert again == curve and 0 <= tested <= 1
    other, _ = train_trial(candidate, images, epochs=2, seed=1)
    assert other != curve


def test_the_command_makes_what_is_missing_and_repeats_the_best(
    tmp_path, monkeypatch, capsys
):
    pixels = np.zeros((9_000, 1), "uint8")
    images = SimpleNamespace(
        **{"x_train": pixels, "x_val": pixels[:5_000]},
        **{"source": "no images", "sha256": "0"},
    )
    images.take = lambda count: images
    monkeypatch.setattr(command.data, "load_cifar10", lambda *a, **k: images)
    calls = []

    def train(candidate, images, seed=0, test=False):
        calls.append((candidate, seed, test))
        accuracy = 0.6 - 0.01 * abs(math.log10(candidate["peak"] / 0.2))
        return [0.3, accuracy], 0.5 if test else None

    monkeypatch.setattr(command, "train_trial", train)
    arguments = ["--trials", "4", "--folder", str(tmp_path)]
    assert command.main(["--methods", "random", "grid", *arguments]) == 0
    rows = read_trials(tmp_path / "trials.csv")
    assert [(r["method"], r["trial"]) for r in rows] == [
        (method, number) for method in ("random", "grid") for number in range(4)
    ]
    best = read_best(tmp_path / "best.csv")
    assert [row["seed"] for row in best] == [0, 1, 2, 3] * 2
    for method in ("random", "grid"):
        top = max((r for r in rows if r["method"] == method), key=_accuracy)
        assert {r["trial"] for r in best if r["method"] == method} == {top["trial"]}
    # Only the winners use the test images.
    assert [test for *_, test in calls].count(True) == len(best)
    shared = json.loads((tmp_path / "about.json").read_text())
    assert (shared["source"], shared["images"]) == ("no images", 9_000)
    printed = capsys.readouterr().out
    assert "random 4/4" in printed and "best of grid, seed 3" in printed

    calls.clear()
    assert command.main(["--methods", "random", "grid", *arguments]) == 0
    assert calls == []

    images.sha256 = "1"
    assert command.main(arguments) == 2
    assert "sha256: 0 there, 1 now" in capsys.readouterr().err


def test_trials_of_two_spaces_are_not_mixed(tmp_path, monkeypatch):
    images = SimpleNamespace(x_train=[0], x_val=[0], source="no images", sha256="0")
    command.check(tmp_path, images)
    command.check(tmp_path, images)
    monkeypatch.setattr(command, "GRID", Grid(GRID.counts | {"weight_decay": 3}))
    with pytest.raises(ValueError, match="'weight_decay': 2.* there.*: 3.* now"):
        command.check(tmp_path, images)
    monkeypatch.undo()
    monkeypatch.setitem(SPACE.choices, "peak", Range(0.005, 20.0, log=True))
    told = "peak: Range.*high=5.0.* there, .*high=20.0.* now.* Move them away"
    with pytest.raises(ValueError, match=told):
        command.check(tmp_path, images)
    monkeypatch.undo()
    monkeypatch.setattr(training, "CROP_AND_FLIP", ())
    with pytest.raises(ValueError, match="transforms: .*RandomCrop.* there, .. now"):
        command.check(tmp_path, images)
    monkeypatch.undo()
    command.check(tmp_path, images)


def test_every_start_notes_what_it_was_made_with(tmp_path, monkeypatch):
    images = SimpleNamespace(x_train=[0], x_val=[0], source="no images", sha256="0")
    monkeypatch.setattr(command, "commit", lambda: "0123")
    for hardware in ("one", "one", "two", "one"):
        monkeypatch.setattr(command.runtime, "hardware", lambda name=hardware: name)
        command.check(tmp_path, images)
    made_with = json.loads((tmp_path / "about.json").read_text())["made_with"]
    assert [used["hardware"] for used in made_with] == ["one", "two"]
    assert made_with[0].keys() == {"versions", "hardware", "commit"}


def test_an_interruption_says_how_to_go_on(tmp_path, monkeypatch, capsys):
    def load(*arguments, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(command.data, "load_cifar10", load)
    assert command.main(["--folder", str(tmp_path)]) == 130
    assert "the same command again" in capsys.readouterr().err


def test_the_lecture_s_trials_are_106():
    assert [count for _, count in METHODS.values()] == [60, 30, 16]
    points = GRID.points(SPACE)
    kinds = {name: {point[name] for point in points} for name in SPACE.choices}
    assert [len(values) for values in kinds.values()] == [4, 2, 1, 2]


def _accuracy(row):
    return row["accuracy"]
