"""The learning-rate finder: the loss over rates from far too low to far too high."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from helpers.callbacks import state
from helpers.callbacks.randomness import capture_random, restore_random
from helpers.callbacks.schedules import has_schedule

# The running mean that smooths the losses looks back over about this share of the
# steps: over the same range of rates, however many steps it is divided into.
_LOOK_BACK = 0.1
# The search ends when the smoothed loss is this many times its lowest value.
_DIVERGED = 4.0


@dataclass(frozen=True)
class RateCurve:
    """What `find_learning_rate` measured.

    Attributes:
        rates: Learning rate of each step, `(steps,)`.
        losses: Loss of each step's batch before the step, `(steps,)`.
        smoothed: Running mean of the losses, `(steps,)`.
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray

    @property
    def lowest(self) -> float:
        """The rate at which the smoothed loss is lowest."""
        return float(self.rates[np.argmin(self.smoothed)])

    @property
    def suggestion(self) -> float:
        """A tenth of the rate with the lowest loss, where it still falls steeply."""
        return self.lowest / 10.0

    def plot(self, axes=None):
        """Draws the loss over the learning rate and marks the suggestion.

        Args:
            axes: Matplotlib axes to draw on; new ones by default.

        Returns:
            The axes.
        """
        import matplotlib.pyplot as plt

        from helpers.plots.palette import BLUE, VERMILION

        if axes is None:
            _, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
        thin = {"color": "0.6", "linewidth": 0.8}
        axes.plot(self.rates, self.losses, **thin, label="each batch")
        axes.plot(self.rates, self.smoothed, color=BLUE, label="running mean")
        axes.axvline(
            self.suggestion,
            color=VERMILION,
            linestyle="--",
            label=f"suggestion {self.suggestion:.2g}",
        )
        axes.set(xscale="log", xlabel="learning rate", ylabel="training loss")
        axes.set_ylim(top=1.2 * max(self.smoothed[0], self.smoothed.min()))
        axes.legend()
        return axes


def find_learning_rate(
    model: keras.Model,
    train: Any,
    low: float = 1e-5,
    high: float = 10.0,
    steps: int = 100,
) -> RateCurve:
    """Trains some steps at growing learning rates, then undoes them.

    The rate grows by the same factor from step to step; the search ends early when
    the loss has grown to several times its lowest value.

    Args:
        model: A compiled model; afterwards it and its optimizer are, bit for bit,
            what they were, and so are the global random numbers.
        train: Batches `(images, labels)`: a `keras.utils.PyDataset` or a sequence of
            them. It is read from its beginning, again and again if it is short.
        low: First learning rate.
        high: Last learning rate.
        steps: Steps from low to high.

    Returns:
        The curve, with `suggestion` and `plot()`.

    Raises:
        ValueError: If the range or the number of steps is none, or the loss is not a
            number from the first step on.

    Paper: Cyclical Learning Rates for Training Neural Networks, section 3.3,
    https://arxiv.org/abs/1506.01186
    """
    if not 0.0 < low < high:
        raise ValueError(f"low is {low} and high is {high}: choose 0 < low < high.")
    if steps < 2:
        raise ValueError(f"steps is {steps}: a curve needs at least 2.")
    rates = low * (high / low) ** (np.arange(steps) / (steps - 1))
    before, random = state.capture(model), capture_random()
    # float16 training wraps the optimizer in one that scales the loss.
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    schedule = optimizer._learning_rate if has_schedule(optimizer) else None
    try:
        if schedule is not None:
            first = int(keras.ops.convert_to_numpy(optimizer.iterations))
            optimizer.learning_rate = _Sweep(low, float(rates[1] / low), first)
            model.make_train_function(force=True)  # the old one holds the schedule
        losses, smoothed = _sweep(model, train, rates, set_rates=schedule is None)
    finally:
        if schedule is not None:
            optimizer.learning_rate = schedule
            model.make_train_function(force=True)
        state.restore(model, before)
        restore_random(random)
        model.reset_metrics()
    return RateCurve(rates[: len(losses)], np.array(losses), np.array(smoothed))


class _Sweep(keras.optimizers.schedules.LearningRateSchedule):
    """Multiplies the rate by a factor at each step, in place of a schedule object."""

    def __init__(self, low, factor, first):
        self.low = low
        self.factor = factor
        self.first = first

    def __call__(self, step):
        done = keras.ops.cast(step - self.first, "float32")
        return self.low * keras.ops.power(self.factor, done)


def _sweep(model, train, rates, set_rates):
    losses, smoothed = [], []
    mean, memory = 0.0, max(0.0, 1.0 - 1.0 / (_LOOK_BACK * len(rates)))
    for step, rate in enumerate(rates):
        if set_rates:
            model.optimizer.learning_rate = float(rate)
        model.reset_metrics()  # else the loss is the mean of all steps so far
        images, labels = _batch(train, step)[:2]
        loss = float(model.train_on_batch(images, labels, return_dict=True)["loss"])
        if not np.isfinite(loss):
            break
        mean = memory * mean + (1.0 - memory) * loss
        losses.append(loss)
        # A running mean that starts at 0 is too low at first by this factor.
        smoothed.append(mean / (1.0 - memory ** (step + 1)))
        if smoothed[-1] > _DIVERGED * min(smoothed):
            break
    if not losses:
        raise ValueError(
            f"The loss is {loss} at the first step, with the learning rate {rate}: "
            "look at the images, the labels and the initial weights."
        )
    return losses, smoothed


def _batch(train: Sequence, step: int):
    count = getattr(train, "num_batches", None) or len(train)
    return train[step % count]
