"""The logs of a run: a row an epoch, never two, and a record that is always whole."""

import csv
import json

import keras
import numpy as np
import pytest

from helpers import callbacks
from helpers.callbacks import runfiles, runlog
from helpers.callbacks.atomic import write_atomic


def small_model(optimizer="sgd"):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    outputs = keras.layers.Dense(3, activation="softmax")(inputs)
    model = keras.Model(inputs, outputs, name="small")
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(model, log, epochs=3, initial_epoch=0, **options):
    x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
    y = np.arange(32) % 3
    return model.fit(
        x,
        y,
        validation_data=(x, y),
        batch_size=8,
        epochs=epochs,
        initial_epoch=initial_epoch,
        callbacks=[log],
        verbose=0,
        **options,
    )


def table(folder):
    with open(folder / "history.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_has_one_row_an_epoch_with_every_digit(tmp_path):
    history = fit(small_model(), callbacks.RunLog(tmp_path)).history
    first = (tmp_path / "history.csv").read_text().splitlines()[0]
    assert first == "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds"
    rows = table(tmp_path)
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    for column in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert [float(row[column]) for row in rows] == history[column]
    assert all(float(row["learning_rate"]) == np.float32(0.01) for row in rows)


def test_run_json_holds_the_record(tmp_path):
    info = {"architecture": "tiny", "seed": 7, "data": {"source": "noise"}}
    fit(small_model(), callbacks.RunLog(tmp_path, info), epochs=2)
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["architecture"] == "tiny"
    assert run["seed"] == 7
    assert run["data"] == {"source": "noise"}
    assert run["parameters"] == 4 * 3 + 3
    assert (run["epochs"], run["epochs_done"], run["finished"]) == (2, 2, True)
    assert run["interruptions"] == []
    assert run["versions"]["keras"] == keras.__version__
    assert run["hardware"]
    total = sum(float(row["seconds"]) for row in table(tmp_path))
    assert run["seconds"] == pytest.approx(total, abs=0.002)
    assert run["seconds_per_epoch"] == pytest.approx(total / 2, abs=0.002)


class Crash(keras.callbacks.Callback):
    """Ends the training in the middle of an epoch, as a closed notebook would."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


def test_a_repeated_epoch_replaces_its_row_and_the_interruption_is_marked(tmp_path):
    model = small_model()
    log = callbacks.RunLog(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        x = np.zeros((8, 4))
        model.fit(x, np.zeros(8), epochs=9, callbacks=[log, Crash(3)], verbose=0)
    assert callbacks.read_run(tmp_path)["finished"] is False
    assert callbacks.read_run(tmp_path)["epochs_done"] == 3
    before = callbacks.read_rows(tmp_path)

    fit(model, callbacks.RunLog(tmp_path), epochs=5, initial_epoch=2)

    after = callbacks.read_rows(tmp_path)
    assert [row["epoch"] for row in after] == [1, 2, 3, 4, 5]
    assert after[:2] == before[:2]
    assert after[2]["loss"] != before[2]["loss"]
    run = callbacks.read_run(tmp_path)
    assert run["interruptions"] == [3]
    assert run["finished"] is True
    assert run["epochs_done"] == 5


def test_a_run_that_goes_on_elsewhere_names_both_machines(tmp_path, monkeypatch):
    for epochs, machine in ((1, "a CPU"), (2, "a CPU"), (3, "a GPU"), (4, "a CPU")):
        monkeypatch.setattr(runlog.runtime, "hardware", lambda found=machine: found)
        log = callbacks.RunLog(tmp_path)
        fit(small_model(), log, epochs=epochs, initial_epoch=epochs - 1)
    run = callbacks.read_run(tmp_path)
    assert run["hardware"] == "a CPU, then a GPU, then a CPU"


def test_another_run_in_the_same_folder_is_kept_aside(tmp_path, capsys):
    fit(small_model(), callbacks.RunLog(tmp_path, {"seed": 1}), epochs=3)
    old = (tmp_path / "history.csv").read_text()
    fit(small_model(), callbacks.RunLog(tmp_path, {"seed": 2}), epochs=2)
    assert "history-1.csv and run-1.json" in capsys.readouterr().out
    assert (tmp_path / "history-1.csv").read_text() == old
    assert json.loads((tmp_path / "run-1.json").read_text())["seed"] == 1
    assert callbacks.read_run(tmp_path)["seed"] == 2
    assert len(table(tmp_path)) == 2


def test_a_fit_without_epochs_changes_nothing(tmp_path):
    model = small_model()
    fit(model, callbacks.RunLog(tmp_path), epochs=2)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    fit(model, callbacks.RunLog(tmp_path), epochs=2, initial_epoch=2)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_rate_of_a_schedule_object_is_its_value_after_the_epoch(tmp_path):
    schedule = callbacks.one_cycle(0.5, total_steps=12)
    fit(small_model(keras.optimizers.SGD(schedule)), callbacks.RunLog(tmp_path))
    logged = [row["learning_rate"] for row in callbacks.read_rows(tmp_path)]
    # 4 steps an epoch; the triangle 0.5 * min(0.1 + 0.9 s/3, (12 - s)/9) by hand.
    assert logged == pytest.approx([0.5 * 8 / 9, 0.5 * 4 / 9, 0.0], abs=1e-7)


@pytest.mark.parametrize("plateau_first", [True, False])
def test_the_logged_rate_is_the_one_that_the_epoch_used(tmp_path, plateau_first):
    lower = callbacks.plateau(patience=1, min_delta=100.0, min_lr=0.0, verbose=0)
    pair = [lower, callbacks.RunLog(tmp_path)]
    x = np.zeros((8, 4))
    small_model().fit(
        x,
        np.zeros(8),
        validation_data=(x, np.zeros(8)),
        epochs=4,
        callbacks=pair if plateau_first else pair[::-1],
        verbose=0,
    )
    logged = [row["learning_rate"] for row in callbacks.read_rows(tmp_path)]
    assert logged == pytest.approx([0.01, 0.01, 0.002, 0.0004], rel=1e-6)


def test_training_without_validation_leaves_its_cells_empty(tmp_path):
    model = small_model()
    x = np.zeros((8, 4))
    model.fit(
        x, np.zeros(8), epochs=1, callbacks=[callbacks.RunLog(tmp_path)], verbose=0
    )
    row = callbacks.read_rows(tmp_path)[0]
    assert row["val_loss"] is None and row["val_accuracy"] is None
    assert row["loss"] > 0


def test_update_run_adds_a_field(tmp_path):
    fit(small_model(), callbacks.RunLog(tmp_path, {"seed": 1}), epochs=1)
    callbacks.update_run(tmp_path, test_accuracy=0.5)
    run = callbacks.read_run(tmp_path)
    assert (run["test_accuracy"], run["seed"]) == (0.5, 1)
    with pytest.raises(FileNotFoundError, match="train with RunLog"):
        callbacks.update_run(tmp_path / "nowhere", test_accuracy=0.5)


def test_what_is_not_a_history_is_refused(tmp_path):
    (tmp_path / "history.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="not the history of a run"):
        callbacks.read_rows(tmp_path)
    header = ",".join(runfiles.COLUMNS)
    (tmp_path / "history.csv").write_text(header + "\n1,0.5,x,,,,\n")
    with pytest.raises(ValueError, match="line 2.*'x'"):
        callbacks.read_rows(tmp_path)
    (tmp_path / "run.json").write_text('{"seed": ')
    with pytest.raises(ValueError, match="run.json is damaged"):
        callbacks.read_run(tmp_path)


def test_info_that_json_cannot_hold_fails_before_training(tmp_path):
    with pytest.raises(TypeError):
        callbacks.RunLog(tmp_path, {"array": np.zeros(3)})


def test_a_failed_write_leaves_the_old_file_whole(tmp_path, monkeypatch):
    path = write_atomic(tmp_path / "file.txt", "old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("helpers.callbacks.atomic.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]
