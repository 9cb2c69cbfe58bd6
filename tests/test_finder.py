"""The learning-rate finder: what it finds, and that it leaves no trace."""

import random

import matplotlib

matplotlib.use("Agg")

import keras
import numpy as np
import pytest
import resume_model

from helpers import callbacks
from helpers.callbacks import state


class Linear(keras.utils.PyDataset):
    """A batch of a linear problem, whose steps are known by hand."""

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return np.ones((4, 1), "float32"), np.ones((4, 1), "float32")


def linear_model(optimizer):
    inputs = keras.Input((1,))
    outputs = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")(inputs)
    model = keras.Model(inputs, outputs)
    model.compile(optimizer, "mse")
    return model


def losses_by_hand(rates):
    """Losses of w <- w - 2 rate (w - 1), from w = 0, under the loss (w - 1)^2."""
    weight, losses = 0.0, []
    for rate in rates:
        losses.append((weight - 1.0) ** 2)
        weight -= rate * 2.0 * (weight - 1.0)
    return losses


@pytest.mark.parametrize("scheduled", [False, True])
def test_losses_and_rates_are_those_of_the_steps(scheduled):
    rate = callbacks.one_cycle(0.3, 100) if scheduled else 0.3
    model = linear_model(keras.optimizers.SGD(rate))
    curve = callbacks.find_learning_rate(model, Linear(), 1e-3, 10.0, steps=60)
    whole = 1e-3 * 10.0 ** (4 * np.arange(60) / 59)
    steps = len(curve.rates)
    np.testing.assert_allclose(curve.rates, whole[:steps], rtol=1e-12)
    # Beyond, the loss is below 1e-7 and divergence multiplies its rounding.
    exact = int((whole < 0.3).sum())
    expected = losses_by_hand(whole)[:exact]
    np.testing.assert_allclose(curve.losses[:exact], expected, rtol=1e-3)
    # w diverges when 2 rate > 2, so the search ends soon after the rate passes 1.
    assert 1.0 < curve.rates[-1] < 10.0
    assert curve.suggestion == curve.lowest / 10.0
    assert 0.1 < curve.suggestion < 1.0


@pytest.mark.parametrize("scheduled", [False, True])
@pytest.mark.parametrize("trained", [False, True])
def test_model_and_optimizer_stay_as_they_were(scheduled, trained):
    rate = callbacks.one_cycle(0.1, 30) if scheduled else 0.01
    optimizer = keras.optimizers.SGD(rate, momentum=0.9)

    def steps(model, count):
        # On PyTorch, dropout draws from numbers that both models share.
        keras.utils.set_random_seed(1)
        images, labels = resume_model.generator()[0]
        return [model.train_on_batch(images, labels)[0] for _ in range(count)]

    model = resume_model.build(optimizer=optimizer)
    other = resume_model.build(
        optimizer=keras.optimizers.SGD.from_config(optimizer.get_config())
    )
    if trained:
        steps(model, 3)
        steps(other, 3)
    before = state.capture(model)
    batches = resume_model.generator()
    curve = callbacks.find_learning_rate(model, batches, 1e-4, 1.0, steps=8)
    assert len(curve.losses) > 1
    after = state.capture(model)
    assert list(before) == list(after)
    assert all(before[name].tobytes() == after[name].tobytes() for name in before)
    assert batches.epoch == 0
    # And it trains on as if nothing had happened, at the rate that it had.
    model.reset_metrics()
    other.reset_metrics()
    assert steps(model, 3) == steps(other, 3)
    assert callbacks.current_learning_rate(
        model.optimizer
    ) == callbacks.current_learning_rate(other.optimizer)


def test_the_suggestion_depends_little_on_the_number_of_steps():
    class Alternating(Linear):
        """Two batches that want different weights, so that the loss has a floor."""

        def __len__(self):
            return 2

        def __getitem__(self, index):
            images, labels = super().__getitem__(index)
            return images, labels + 0.5 - index

    found = [
        callbacks.find_learning_rate(
            linear_model(keras.optimizers.SGD(0.1)), Alternating(), 1e-3, 10.0, steps
        ).suggestion
        for steps in (30, 60, 120, 240)
    ]
    # A fixed memory of ten steps spreads them by a factor of 5.4.
    assert max(found) < 2.0 * min(found), found


def test_global_random_numbers_stay_as_they_were():
    class Drawing(Linear):
        def __getitem__(self, index):
            np.random.rand(3)
            random.random()
            return super().__getitem__(index)

    before = np.random.get_state()[1].tolist(), random.getstate()
    callbacks.find_learning_rate(
        linear_model(keras.optimizers.SGD(0.1)), Drawing(), 1e-3, 1e-2, steps=5
    )
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before


def test_the_model_is_put_back_when_the_data_fail():
    class Broken(Linear):
        def __getitem__(self, index):
            raise OSError("unreadable")

    model = linear_model(keras.optimizers.SGD(callbacks.one_cycle(0.3, 100)))
    with pytest.raises(OSError, match="unreadable"):
        callbacks.find_learning_rate(model, Broken())
    assert callbacks.current_learning_rate(model.optimizer) == pytest.approx(0.03)


def test_a_loss_that_is_no_number_is_named():
    class Bad(Linear):
        def __getitem__(self, index):
            return np.full((4, 1), np.nan, "float32"), np.ones((4, 1), "float32")

    with pytest.raises(ValueError, match="loss is nan at the first step"):
        callbacks.find_learning_rate(linear_model("sgd"), Bad())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"low": 0.0}, "low is 0.0"),
        ({"low": 2.0, "high": 1.0}, "high is 1.0"),
        ({"steps": 1}, "steps is 1"),
    ],
)
def test_a_range_that_is_none_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        callbacks.find_learning_rate(linear_model("sgd"), Linear(), **options)


def test_the_plot_shows_the_curve_and_the_suggestion():
    model = linear_model(keras.optimizers.SGD(0.1))
    curve = callbacks.find_learning_rate(model, Linear(), 1e-3, 10.0, steps=40)
    axes = curve.plot()
    assert axes.get_xscale() == "log"
    assert axes.get_xlabel() == "learning rate"
    batch, mean, suggestion = axes.get_lines()
    np.testing.assert_array_equal(batch.get_ydata(), curve.losses)
    np.testing.assert_array_equal(mean.get_ydata(), curve.smoothed)
    assert suggestion.get_xdata()[0] == curve.suggestion
