"""Learning rates over a training: by validation loss, by epoch, or by step.

Three kinds, and an optimizer can follow one of them only:

- `plateau` lowers the rate when the validation loss stops falling (a callback);
- `step_schedule` sets it at given epochs (a callback);
- `warmup_cosine` and `one_cycle` are functions of the optimizer's step, passed to
  the optimizer as its learning rate. They live in the model, so they are saved with
  it and continue with it.
"""

import math
import warnings
from collections.abc import Iterable, Mapping

import keras
from keras import ops

PACKAGE = "course"


def current_learning_rate(optimizer: keras.optimizers.Optimizer) -> float:
    """Returns the learning rate that the optimizer's next step would use."""
    return float(ops.convert_to_numpy(optimizer.learning_rate))


def has_schedule(optimizer: keras.optimizers.Optimizer) -> bool:
    """Tells whether an optimizer's learning rate follows a schedule object."""
    # A rate that can be set is a variable; a schedule gives a computed tensor.
    return not isinstance(optimizer.learning_rate, keras.Variable)


class Plateau(keras.callbacks.ReduceLROnPlateau):
    """`keras.callbacks.ReduceLROnPlateau` that refuses an optimizer with a schedule.

    Keras notices only when it lowers the rate for the first time, hours later.
    """

    def on_train_begin(self, logs=None):
        check([self], self.model.optimizer)
        super().on_train_begin(logs)


def plateau(
    monitor: str = "val_loss",
    factor: float = 0.2,
    patience: int = 5,
    min_delta: float = 1e-3,
    cooldown: int = 0,
    min_lr: float = 1e-5,
    verbose: int = 1,
) -> keras.callbacks.Callback:
    """Lowers the learning rate when the validation loss stops falling.

    Set for networks of this size on 32 x 32 images, over 50 to 100 epochs: the
    validation loss of an epoch varies by some thousandths, so a smaller `min_delta`
    takes noise for progress; and five epochs tell a plateau from a bad epoch.

    Args:
        monitor: The quantity to watch.
        factor: By how much the rate is multiplied, below 1.
        patience: Epochs without progress before the rate is lowered.
        min_delta: Smallest change that counts as progress.
        cooldown: Epochs to wait after lowering the rate.
        min_lr: The rate is not lowered further.
        verbose: 1 prints a line when the rate is lowered.

    Returns:
        A callback. At the start of `fit` it raises a `ValueError` when the optimizer
        holds a schedule object: two masters cannot set one learning rate.
    """
    return Plateau(
        monitor=monitor,
        factor=factor,
        patience=patience,
        min_delta=min_delta,
        cooldown=cooldown,
        min_lr=min_lr,
        verbose=verbose,
    )


def step_schedule(rates: Mapping[int, float]) -> keras.callbacks.Callback:
    """Sets the learning rate at given epochs and keeps it in between.

    Args:
        rates: Learning rate by the epoch from which it holds, counted from 0 and
            beginning with 0. The lecture's two: `{0: 0.01, 50: 0.001, 100: 0.0001}`
            and `{0: 0.1, 40: 0.01, 100: 0.001}`.

    Returns:
        A `keras.callbacks.LearningRateScheduler`. The rate depends on the epoch
        alone, so a continued run has the same one.

    Raises:
        ValueError: If no rate is given for epoch 0, an epoch is not a whole number
            from 0 up, or a rate is not above 0.
    """
    if 0 not in rates:
        raise ValueError(
            f"step_schedule has rates for the epochs {sorted(rates)}: it needs one "
            "for epoch 0, where training starts."
        )
    for epoch, rate in rates.items():
        if isinstance(epoch, bool) or not isinstance(epoch, int) or epoch < 0:
            raise ValueError(
                f"step_schedule has the epoch {epoch!r}: epochs are whole numbers "
                "counted from 0."
            )
        if not (math.isfinite(rate) and rate > 0):
            raise ValueError(
                f"step_schedule has the rate {rate!r} at epoch {epoch}: a learning "
                "rate is above 0."
            )
    starts = sorted(rates)

    def rate_at(epoch, previous=None):
        return float(rates[max(start for start in starts if start <= epoch)])

    return keras.callbacks.LearningRateScheduler(rate_at)


def warmup_cosine(
    peak: float, total_steps: int, warmup_steps: int = 0, end: float = 0.0
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Rises in a straight line from 0 to `peak`, then falls along half a cosine.

    Args:
        peak: Highest learning rate.
        total_steps: Steps of the whole training: epochs x batches an epoch.
        warmup_steps: Steps of the rise, fewer than `total_steps`.
        end: Learning rate at the last step.

    Returns:
        A `keras.optimizers.schedules.CosineDecay`, the learning rate of an optimizer.

    Raises:
        ValueError: If a rate or a number of steps is out of range.

    Papers: SGDR: Stochastic Gradient Descent with Warm Restarts,
    https://arxiv.org/abs/1608.03983; Accurate, Large Minibatch SGD (the warm-up),
    https://arxiv.org/abs/1706.02677
    """
    _check_range(peak, total_steps, end)
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(
            f"warmup_steps is {warmup_steps}: choose from 0 to below total_steps, "
            f"which is {total_steps}."
        )
    if not warmup_steps:
        return keras.optimizers.schedules.CosineDecay(
            peak, decay_steps=total_steps, alpha=end / peak
        )
    return keras.optimizers.schedules.CosineDecay(
        0.0,
        decay_steps=total_steps - warmup_steps,
        alpha=end / peak,
        warmup_target=peak,
        warmup_steps=warmup_steps,
    )


@keras.saving.register_keras_serializable(package=PACKAGE)
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Rises in a straight line to a peak, then falls in a straight line to the end.

    `one_cycle` makes one and checks its arguments.
    """

    def __init__(self, peak, total_steps, rise=0.25, start=0.1, end=0.0):
        self.peak = peak
        self.total_steps = total_steps
        self.rise = rise
        self.start = start
        self.end = end

    def __call__(self, step):
        done = ops.minimum(ops.cast(step, "float32") / self.total_steps, 1.0)
        up = self.start + (1.0 - self.start) * done / self.rise
        down = self.end + (1.0 - self.end) * (1.0 - done) / (1.0 - self.rise)
        return self.peak * ops.minimum(up, down)

    def get_config(self):
        return {
            "peak": self.peak,
            "total_steps": self.total_steps,
            "rise": self.rise,
            "start": self.start,
            "end": self.end,
        }


def one_cycle(
    peak: float,
    total_steps: int,
    rise: float = 0.25,
    start: float = 0.1,
    end: float = 0.0,
) -> keras.optimizers.schedules.LearningRateSchedule:
    """One triangle over the whole training: up to a high rate, then down to zero.

    Args:
        peak: Highest learning rate; the learning-rate finder suggests one.
        total_steps: Steps of the whole training: epochs x batches an epoch.
        rise: Share of the steps that rise, between 0 and 1.
        start: First learning rate, as a share of the peak.
        end: Last learning rate, as a share of the peak.

    Returns:
        A schedule, the learning rate of an optimizer.

    Raises:
        ValueError: If a rate, a share or a number of steps is out of range.

    Paper: Super-Convergence: Very Fast Training of Neural Networks Using Large
    Learning Rates, https://arxiv.org/abs/1708.07120
    """
    _check_range(peak, total_steps, end * peak)
    if not 0.0 < rise < 1.0:
        raise ValueError(
            f"rise is {rise}: it is a share of the steps, above 0, below 1."
        )
    if not 0.0 <= start <= 1.0:
        raise ValueError(f"start is {start}: it is a share of the peak, from 0 to 1.")
    return OneCycle(float(peak), int(total_steps), rise, start, end)


def check(
    callbacks: Iterable[keras.callbacks.Callback],
    optimizer: keras.optimizers.Optimizer | None = None,
) -> None:
    """Refuses callbacks that fight over the learning rate, warns of a useless one.

    Args:
        callbacks: The callbacks of one `fit`.
        optimizer: The model's optimizer; without it only the callbacks are compared.

    Raises:
        ValueError: If more than one of schedule object, `plateau` and
            `step_schedule` would set the learning rate.
    """
    callbacks = list(callbacks)
    plateaus = _of(callbacks, keras.callbacks.ReduceLROnPlateau)
    by_epoch = _of(callbacks, keras.callbacks.LearningRateScheduler)
    if optimizer is not None and (plateaus or by_epoch) and has_schedule(optimizer):
        name = "ReduceLROnPlateau" if plateaus else "LearningRateScheduler"
        raise ValueError(
            f"{name} cannot set the learning rate of an optimizer whose rate is a "
            "schedule object: the schedule computes it anew at every step. Give the "
            "optimizer a number, or leave the callback out."
        )
    if plateaus and by_epoch:
        raise ValueError(
            "ReduceLROnPlateau and LearningRateScheduler are both in the callbacks: "
            "the schedule sets the rate at every epoch and undoes what the plateau "
            "lowered. Keep one."
        )
    for stop in _of(callbacks, keras.callbacks.EarlyStopping):
        for lower in plateaus:
            if stop.patience <= lower.patience:
                warnings.warn(
                    f"EarlyStopping(patience={stop.patience}) stops before "
                    f"ReduceLROnPlateau(patience={lower.patience}) can lower the "
                    "learning rate. Give it two to three times the plateau's patience.",
                    stacklevel=2,
                )


def _of(callbacks, kind):
    return [callback for callback in callbacks if isinstance(callback, kind)]


def _check_range(peak, total_steps, end):
    if not (math.isfinite(peak) and peak > 0):
        raise ValueError(f"peak is {peak}: a learning rate is above 0.")
    if total_steps < 1:
        raise ValueError(
            f"total_steps is {total_steps}: it is epochs x batches an epoch, from 1 up."
        )
    if not 0.0 <= end <= peak:
        raise ValueError(f"The last learning rate is {end}: choose from 0 to the peak.")
