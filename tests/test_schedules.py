"""Learning rates, against the lecture's tables and formulas worked by hand."""

import math
import warnings

import keras
import numpy as np
import pytest

from helpers import callbacks


def rates(schedule, steps):
    return [float(keras.ops.convert_to_numpy(schedule(step))) for step in steps]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({0: 0.01, 50: 0.001, 100: 0.0001}, {0: 0.01, 49: 0.01, 50: 1e-3, 100: 1e-4}),
        ({0: 0.1, 40: 0.01, 100: 0.001}, {39: 0.1, 40: 0.01, 99: 0.01, 150: 1e-3}),
        ({20: 0.5, 0: 1.0}, {0: 1.0, 19: 1.0, 20: 0.5}),
    ],
)
def test_step_schedule_keeps_the_lectures_tables(table, expected):
    schedule = callbacks.step_schedule(table).schedule
    assert {epoch: schedule(epoch) for epoch in expected} == expected


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({1: 0.1}, "needs one for epoch 0"),
        ({}, "needs one for epoch 0"),
        ({0: 0.1, 2.5: 0.01}, "epoch 2.5"),
        ({0: 0.1, -1: 0.01}, "epoch -1"),
        ({0: 0.0}, "rate 0.0 at epoch 0"),
        ({0: math.nan}, "rate nan at epoch 0"),
    ],
)
def test_step_schedule_refuses_what_is_no_schedule(table, message):
    with pytest.raises(ValueError, match=message):
        callbacks.step_schedule(table)


def test_one_cycle_is_a_triangle():
    schedule = callbacks.one_cycle(0.8, 100)
    # Up in a line from a tenth of the peak at step 0 to the peak at step 25, then
    # down to zero at step 100.
    found = rates(schedule, [0, 5, 25, 50, 75, 100, 1000])
    assert found == pytest.approx([0.08, 0.224, 0.8, 1.6 / 3, 0.8 / 3, 0.0, 0.0])


def test_one_cycle_with_other_shares():
    schedule = callbacks.one_cycle(1.0, 10, rise=0.5, start=0.5, end=0.1)
    found = rates(schedule, [0, 5, 10])
    assert found == pytest.approx([0.5, 1.0, 0.1])


def test_warmup_cosine_follows_its_formula():
    schedule = callbacks.warmup_cosine(0.4, 50, warmup_steps=10, end=0.04)
    down = [0.04 + 0.36 * (1 + math.cos(math.pi * t / 40)) / 2 for t in (0, 10, 40)]
    found = rates(schedule, [0, 5, 10, 20, 50, 99])
    assert found == pytest.approx([0.0, 0.2, *down, 0.04], rel=1e-5)


def test_cosine_without_warmup_starts_at_the_peak():
    found = rates(callbacks.warmup_cosine(0.4, 20), [0, 10, 20])
    assert found == pytest.approx([0.4, 0.2, 0.0], abs=1e-7)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: callbacks.one_cycle(0.0, 10), "peak is 0.0"),
        (lambda: callbacks.one_cycle(math.inf, 10), "peak is inf"),
        (lambda: callbacks.one_cycle(0.1, 0), "total_steps is 0"),
        (lambda: callbacks.one_cycle(0.1, 10, rise=1.0), "rise is 1.0"),
        (lambda: callbacks.one_cycle(0.1, 10, start=2.0), "start is 2.0"),
        (lambda: callbacks.one_cycle(0.1, 10, end=3.0), "last learning rate"),
        (lambda: callbacks.warmup_cosine(0.1, 10, 10), "warmup_steps is 10"),
        (lambda: callbacks.warmup_cosine(0.1, 10, end=0.2), "last learning rate"),
    ],
)
def test_schedules_refuse_what_they_cannot_follow(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "schedule",
    [callbacks.one_cycle(0.3, 40, rise=0.4), callbacks.warmup_cosine(0.3, 40, 5)],
    ids=["one_cycle", "warmup_cosine"],
)
def test_schedules_are_saved_with_their_optimizer(schedule):
    optimizer = keras.optimizers.SGD(schedule)
    config = keras.optimizers.serialize(optimizer)
    again = keras.optimizers.deserialize(config)
    assert rates(again._learning_rate, range(45)) == rates(schedule, range(45))


def model_with(optimizer):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    return model


def fit(model, *watchers):
    data = np.zeros((4, 2)), np.zeros((4, 1))
    model.fit(*data, validation_data=data, callbacks=list(watchers), verbose=0)


def test_plateau_with_a_schedule_object_is_refused_before_training():
    model = model_with(keras.optimizers.SGD(callbacks.one_cycle(0.1, 10)))
    with pytest.raises(ValueError, match="schedule object.*anew at every step"):
        fit(model, callbacks.plateau())
    assert int(model.optimizer.iterations) == 0


def test_the_check_sees_keras_own_callbacks_too():
    optimizer = keras.optimizers.SGD(callbacks.one_cycle(0.1, 10))
    with pytest.raises(ValueError, match="ReduceLROnPlateau cannot set"):
        callbacks.check([keras.callbacks.ReduceLROnPlateau()], optimizer)
    with pytest.raises(ValueError, match="LearningRateScheduler cannot set"):
        callbacks.check([callbacks.step_schedule({0: 0.1})], optimizer)
    with pytest.raises(ValueError, match="undoes what the plateau lowered"):
        callbacks.check([callbacks.plateau(), callbacks.step_schedule({0: 0.1})])


@pytest.mark.parametrize(("patience", "warned"), [(3, True), (5, True), (6, False)])
def test_early_stopping_that_forestalls_the_plateau_is_warned_about(patience, warned):
    pair = [callbacks.plateau(patience=5), keras.callbacks.EarlyStopping("val_loss")]
    pair[1].patience = patience
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        callbacks.check(pair, keras.optimizers.SGD(0.1))
    assert [
        f"EarlyStopping(patience={patience})" in str(w.message) for w in caught
    ] == ([True] if warned else [])


def test_plateau_lowers_the_rate():
    model = model_with(keras.optimizers.SGD(0.5))
    data = np.zeros((4, 2)), np.zeros((4, 1))
    lower = callbacks.plateau(patience=2, factor=0.1, min_lr=0.01, verbose=0)
    found = []
    keep = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: found.append(
            callbacks.current_learning_rate(model.optimizer)
        )
    )
    model.fit(*data, validation_data=data, epochs=8, callbacks=[lower, keep], verbose=0)
    # The loss is 0 from the first epoch on: two epochs of patience, then a tenth.
    expected = [0.5, 0.5, 0.5, 0.05, 0.05, 0.01, 0.01, 0.01]
    assert found == pytest.approx(expected, rel=1e-6)
