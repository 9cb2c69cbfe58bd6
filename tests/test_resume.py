"""Continuing after a stop: the same bits, no wrong weights, no trace afterwards."""

import json
import random
import shutil
import warnings

import keras
import numpy as np
import pytest
import resume_model
from resume_model import EPOCHS, SEED, build, fresh, generator, images, outcome, train
from same_bits import assert_same_bits

from helpers import callbacks
from helpers.callbacks import state
from helpers.callbacks.identity import differences


class Stop(keras.callbacks.Callback):
    """Stops the training after a batch, as a notebook's stop button does."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.at = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            raise KeyboardInterrupt


def stopped(folder, epoch, batch=1, **options):
    with pytest.raises(KeyboardInterrupt):
        train(folder, extra=[Stop(epoch, batch)], **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The outcome of the training that nothing stopped."""
    folder = tmp_path_factory.mktemp("whole")
    return outcome(folder, *train(folder))


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    """The folder of a training that was stopped in its third epoch; copy it."""
    folder = tmp_path_factory.mktemp("half")
    stopped(folder, 2)
    return folder


@pytest.fixture
def begun(half, tmp_path):
    return shutil.copytree(half, tmp_path / "begun")


def test_the_training_has_what_can_be_lost(whole):
    """Memory decides here: a training without it would end otherwise."""
    rates = whole["history/learning_rate"]
    assert rates[-1] < rates[0]  # the plateau's wait
    assert len(rates) < EPOCHS  # early stopping's wait
    best = int(np.argmin(whole["history/val_loss"]))
    assert best < len(rates) - 2  # its best weights, and the checkpoint's best
    if keras.backend.backend() == "torch":
        return  # dropout has no variable of its own there
    seed = next(v for v in whole.values() if v.shape == (2,) and v.dtype.kind in "iu")
    assert seed[1] > 0  # dropout has drawn


def test_stopped_anywhere_it_ends_with_the_same_bits(whole, tmp_path):
    stopped(tmp_path, 0, 1)
    stopped(tmp_path, 2, 0)
    stopped(tmp_path, 2, 1)  # twice in the same epoch
    model, history = train(tmp_path)
    assert assert_same_bits(whole, outcome(tmp_path, model, history)) > 30
    run = callbacks.read_run(tmp_path)
    assert run["interruptions"] == [1, 3, 3]
    assert run["finished"] is True


def test_the_same_model_in_the_same_kernel_goes_on_too(whole, tmp_path):
    """Its weights are those of a batch in the middle; they must not be kept."""
    model = fresh()
    stopped(tmp_path, 0, 2, model=model)
    stopped(tmp_path, 3, 0, model=model)
    assert_same_bits(whole, outcome(tmp_path, *train(tmp_path, model)))


def test_another_model_object_goes_on_with_the_same_bits(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    expected = outcome(whole, *train(whole, build()))
    stopped(cut, 1, model=build())
    assert_same_bits(expected, outcome(cut, *train(cut, build())))


def test_weights_that_were_never_seeded_are_kept_from_the_first_epoch(tmp_path):
    stopped(tmp_path, 0, 0, model=build(seed=5))
    first = callbacks.checkpoint.Store(tmp_path / "resume").load().arrays
    model = build(seed=6)  # a restart draws other weights
    stopped(tmp_path, 0, 0, model=model)
    again = callbacks.checkpoint.Store(tmp_path / "resume").load().arrays
    assert_same_bits(first, again)


def test_saving_less_often_ends_the_same(whole, tmp_path):
    stopped(tmp_path, 3, every=2)
    assert_same_bits(whole, outcome(tmp_path, *train(tmp_path, every=2)))


def one_cycle_sgd():
    return keras.optimizers.SGD(
        callbacks.one_cycle(0.2, 15),
        momentum=0.9,
        nesterov=True,
        weight_decay=1e-3,
        use_ema=True,
        ema_momentum=0.9,
    )


SCHEDULES = {
    "schedule object, moving average": (one_cycle_sgd, lambda: []),
    "step schedule": (
        lambda: "rmsprop",
        lambda: [callbacks.step_schedule({0: 0.1, 2: 0.01, 4: 0.001})],
    ),
}


@pytest.mark.parametrize("kind", SCHEDULES)
def test_every_kind_of_schedule_continues(tmp_path, kind):
    optimizer, watchers = SCHEDULES[kind]

    def run(folder, *extra):
        model, batches = build(optimizer=optimizer()), generator()
        others = [*watchers(), *extra, callbacks.RunLog(folder)]
        history = model.fit(
            batches,
            shuffle=False,
            epochs=5,
            callbacks=callbacks.resumable(folder, batches, others),
            verbose=0,
        )
        return state.capture(model) | {
            name: np.array(values) for name, values in history.history.items()
        }

    expected = run(tmp_path / "whole")
    for moment in (Stop(1, 2), Stop(3, 0)):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "parts", moment)
    assert_same_bits(expected, run(tmp_path / "parts"))
    rows = [
        [row["learning_rate"] for row in callbacks.read_rows(tmp_path / part)]
        for part in ("whole", "parts")
    ]
    assert rows[0] == rows[1] and len(set(rows[0])) > 2


def test_arrays_in_a_seeded_session_continue(tmp_path):
    """TensorFlow repeats one order in each epoch, the others draw NumPy's numbers."""
    x, y = images()
    x = x.astype("float32") / 255.0

    def run(folder, *extra):
        model = fresh()
        keras.utils.set_random_seed(SEED)  # as a new session does
        model.fit(
            x,
            y,
            batch_size=16,
            epochs=4,
            callbacks=callbacks.resumable(folder, x, extra),
            verbose=0,
        )
        return state.capture(model)

    expected = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", Stop(2, 1))
    assert_same_bits(expected, run(tmp_path / "parts"))


class Draws(keras.callbacks.Callback):
    """Draws from the generators that belong to nobody."""

    def __init__(self, drawn):
        super().__init__()
        self.drawn = drawn

    def on_epoch_begin(self, epoch, logs=None):
        self.drawn[epoch] = (
            random.random(),
            random.gauss(),
            np.random.random(),
            np.random.normal(),
        )


def test_global_random_numbers_continue(tmp_path):
    whole, parts = {}, {}
    random.seed(1)
    np.random.seed(1)
    train(tmp_path / "whole", extra=[Draws(whole)], epochs=4)
    random.seed(1)
    np.random.seed(1)
    for epoch in (0, 2):
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "parts", extra=[Draws(parts), Stop(epoch, 1)], epochs=4)
        random.seed(2)
        np.random.seed(2)
    train(tmp_path / "parts", extra=[Draws(parts)], epochs=4)
    assert whole == parts and len(whole) == 4


class Memory(keras.callbacks.Callback):
    """A callback of one's own that remembers."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append([epoch, logs["loss"]])

    def state_dict(self):
        return {"seen": self.seen}

    def load_state_dict(self, state):
        self.seen = state["seen"]


def test_a_callback_of_ones_own_continues(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, extra=[Memory(), Stop(2, 0)])
    memory = Memory()
    _, history = train(tmp_path, extra=[memory])
    losses = enumerate(history.history["loss"])
    assert memory.seen == [[epoch, loss] for epoch, loss in losses]


def test_a_callback_that_is_gone_or_new_is_named(begun):
    with pytest.warns(UserWarning, match="Memory is new and starts without"):
        stopped_after = [Memory(), Stop(2, 0)]
        with pytest.raises(KeyboardInterrupt):
            train(begun, extra=stopped_after)
    stopped(begun, 3)  # the end of the third epoch was saved without Memory


DAMAGE = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:999]),
    "zeroed": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "missing": lambda path: path.unlink(),
}


def states(folder):
    return sorted((folder / "resume").glob("state-*.npz"))


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_state_costs_an_epoch_and_not_a_bit(whole, begun, kind):
    DAMAGE[kind](states(begun)[-1])
    with pytest.warns(UserWarning, match="state-000003.npz is .*after epoch 1"):
        model, history = train(begun)
    assert_same_bits(whole, outcome(begun, model, history))


def test_swapped_states_are_noticed_and_cost_nothing(whole, begun):
    older, newer = states(begun)
    older.rename(begun / "x")
    newer.rename(older)
    (begun / "x").rename(newer)
    with pytest.warns(UserWarning, match="files were swapped.*after epoch 2"):
        model, history = train(begun)
    assert_same_bits(whole, outcome(begun, model, history))


@pytest.mark.parametrize("kind", DAMAGE)
def test_without_a_usable_state_it_stops_before_training(begun, kind):
    for path in states(begun):
        DAMAGE[kind](path)
    model = fresh()
    before = state.capture(model)
    with pytest.raises(callbacks.DamagedError, match="none of it can be used.*fresh"):
        train(begun, model)
    assert_same_bits(before, state.capture(model))


def test_it_starts_afresh_only_when_told_to(whole, begun, capsys):
    shutil.rmtree(begun / "resume")  # the logs alone say that there was a run
    with pytest.raises(callbacks.DamagedError, match="history of 2 epochs and no"):
        train(begun)
    with pytest.warns(UserWarning, match="Training starts afresh"):
        model, history = train(begun, on_damage="fresh")
    assert_same_bits(whole, outcome(begun, model, history))
    assert "kept as history-1.csv and run-1.json" in capsys.readouterr().out


def test_lost_logs_are_written_again(whole, begun):
    (begun / "history.csv").unlink()
    (begun / "run.json").unlink()
    assert_same_bits(whole, outcome(begun, *train(begun)))
    assert callbacks.read_run(begun)["interruptions"] == [3]


REFUSED = {
    "epochs": (lambda: {"epochs": 9}, "epochs: 8 in the saved run, 9 now"),
    "batch size": (
        lambda: {"batches": generator(batch_size=8)},
        "steps: 3 in .*, 6 now; train.batch_size: 16 in .*, 8 now",
    ),
    "seed of the data": (
        lambda: {"batches": generator(seed=4)},
        "train.seed: 3 in the saved run, 4 now",
    ),
    "images": (
        lambda: {"info": {"data": {"sha256": "another"}}},
        'info.data.sha256: "5e" in the saved run, "another" now',
    ),
    "dropout": (
        lambda: {"model": build(dropout=0.5)},
        r"model.config.layers\[4\].config.rate: 0.4 in the saved run, 0.5 now",
    ),
    "width": (
        lambda: {"model": build(filters=5)},
        r"model.config.layers\[1\].config.filters: 4 in the saved run, 5 now",
    ),
    "optimizer": (
        lambda: {"model": build(optimizer=keras.optimizers.Adam(0.1, beta_1=0.8))},
        "compile.optimizer.config.beta_1: 0.9 in the saved run, 0.8 now",
    ),
    "learning rate": (
        lambda: {"model": build(rate=0.2)},
        "learning_rate: 0.1.* in the saved run, 0.2.* now",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_another_run_is_refused_and_the_difference_named(begun, kind):
    options, message = REFUSED[kind]
    options = options()
    model = options.pop("model", None) or fresh()
    before = state.capture(model)
    with pytest.raises(callbacks.OtherRunError, match=message):
        train(begun, model, **options)
    assert_same_bits(before, state.capture(model))


def test_between_versions_of_keras_only_what_both_know_is_compared():
    then = {"keras": "3.13.2", "epochs": 5, "model": {"rate": 1, "gone": 2}}
    now = {"keras": "3.15.1", "epochs": 5, "model": {"rate": 1, "new": True}}
    assert differences(then, now) == []
    assert differences(then, now | {"epochs": 6}) == [
        "epochs: 5 in the saved run, 6 now"
    ]
    assert differences(then, now | {"keras": "3.13.2"}) == [
        "model.gone: 2 in the saved run, nothing now",
        "model.new: nothing in the saved run, true now",
    ]


def test_a_finished_run_says_so_and_trains_nothing(whole, tmp_path, capsys):
    train(tmp_path)
    files = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    capsys.readouterr()
    model, history = train(tmp_path)
    assert "is finished: 5 of 8 epochs" in capsys.readouterr().out
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == files
    assert_same_bits(whole, outcome(tmp_path, model, history))


def test_a_later_fit_of_the_same_model_is_not_affected(begun):
    model, history = train(begun)
    assert history.epoch == [0, 1, 2, 3, 4]
    later = model.fit(generator(), shuffle=False, epochs=2, verbose=0)
    assert later.epoch == [0, 1]
    assert len(later.history["loss"]) == 2
    train(begun, model)  # finished: no epoch
    assert model.fit(generator(), shuffle=False, verbose=0).epoch == [0]


def test_killed_after_the_last_epoch_it_still_ends_properly(whole, tmp_path):
    class Dies(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, extra=[Dies()])
    # RunLog, which comes before, had already recorded the end.
    run = callbacks.read_run(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps(run | {"finished": False}))
    assert_same_bits(whole, outcome(tmp_path, *train(tmp_path)))
    run = callbacks.read_run(tmp_path)
    assert (run["finished"], run["interruptions"]) == (True, [])
    # And that end is an end: early stopping is not forgotten on the way.
    assert_same_bits(whole, outcome(tmp_path, *train(tmp_path)))


def test_the_epochs_of_fit_are_left_to_the_saved_run(tmp_path):
    batches = generator()
    with pytest.raises(RuntimeError, match="leave initial_epoch out"):
        fresh().fit(
            batches,
            shuffle=False,
            epochs=4,
            initial_epoch=2,
            callbacks=callbacks.resumable(tmp_path, batches),
            verbose=0,
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_damage": "guess"}, "on_damage is 'guess'"),
        ({"every": 0}, "every is 0"),
    ],
)
def test_options_that_cannot_be_are_refused(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        callbacks.resumable(tmp_path, None, **options)


def test_two_callbacks_that_restore_are_refused(tmp_path):
    keras_own = keras.callbacks.BackupAndRestore(str(tmp_path / "keras"))
    with pytest.raises(ValueError, match="leave BackupAndRestore out"):
        callbacks.resumable(tmp_path, None, [keras_own])


def test_a_model_that_is_not_built_is_refused(tmp_path):
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="not built: build it from keras.Input"):
        state.capture(model)


def test_no_warning_without_a_reason(begun):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        stopped(begun, 2)


def test_tensorboard_files_are_written_on_request(tmp_path):
    board = callbacks.tensorboard(tmp_path)
    resume_model.train(tmp_path, extra=[board], epochs=1)
    files = [p.name for p in (tmp_path / "tensorboard").rglob("events.out.*")]
    assert len(files) == 2  # training and validation
