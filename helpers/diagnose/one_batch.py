"""The first test of any training: can it learn one batch by heart?"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from helpers.diagnose.case import check_model
from helpers.diagnose.losses import loss_of
from helpers.diagnose.preserve import preserved
from helpers.diagnose.samples import read

# Near the floor: where that is zero, a batch that is given 95% for each right class.
_NEAR = 0.05


@dataclass(frozen=True)
class Overfit:
    """How the loss of one batch fell.

    Attributes:
        losses: Loss before each step, penalties on weights left out, `(steps,)`.
        succeeded: Whether it came within 0.05 of the lowest possible loss.
        floor: The lowest possible loss: zero, but for labels that are soft or that the
            loss smooths, which have their own entropy.
    """

    losses: np.ndarray
    succeeded: bool
    floor: float = 0.0

    def __str__(self) -> str:
        course = (
            f"The loss of one batch goes from {self.losses[0]:.3g} to "
            f"{self.losses[-1]:.3g} in {len(self.losses)} steps"
        )
        if self.succeeded:
            return f"{course}{self._lowest}: the model can learn."
        goal = f"the lowest, {self.floor:.3g}" if self._lowest else "zero"
        return (
            f"{course}, not near {goal}. Look at the labels, the loss and last "
            "activation, the learning rate; leave out dropout and augmentation; or "
            "allow more steps."
        )

    __repr__ = __str__

    @property
    def _lowest(self):
        """Says the floor, where there is one."""
        return f", the lowest is {self.floor:.3g}" if self.floor > 5e-4 else ""


def overfit_one_batch(model: keras.Model, batch: Any, steps: int = 200) -> Overfit:
    """Trains on one batch again and again, then undoes it.

    A network that cannot bring the loss of a few images to zero has a fault that no
    amount of data or tuning cures. Labels that are soft, as those of mixed images, or
    that the loss smooths have a lowest loss above zero, their entropy: what is above it
    counts.

    Args:
        model: A built, compiled model; it and its optimizer are afterwards, bit for
            bit, what they were.
        batch: One batch `(images, labels)`; 8 to 64 images are enough.
        steps: The most steps to make; it ends when the loss is near the lowest.

    Returns:
        The losses, whether they came near the lowest possible one, and that.

    Raises:
        TypeError: If the model is no Keras model or the batch cannot be read.
        ValueError: If the model is not compiled, the batch is no pair of images and
            labels, or `steps` is below 1.
    """
    check_model(model)
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ValueError(f"steps is {steps!r}: give a whole number from 1 up.")
    if not (isinstance(batch, tuple | list) and len(batch) >= 2):
        raise TypeError(
            f"The batch is of type {type(batch).__name__}: give one pair (images, "
            "labels), such as generator[0]."
        )
    sample = read(tuple(batch[:2]), images=len(batch[0]))
    floor, losses = loss_of(model).floor(sample.labels), []
    with preserved(model):
        for _ in range(steps):
            model.reset_metrics()  # else the loss is the mean of all steps so far
            penalty = _penalty(model)
            found = model.train_on_batch(sample.images, sample.labels, return_dict=True)
            losses.append(float(found["loss"]) - penalty)
            if not np.isfinite(losses[-1]) or losses[-1] < floor + _NEAR:
                break
    return Overfit(np.array(losses), bool(losses[-1] < floor + _NEAR), floor)


def _penalty(model):
    """Returns what the weights' own penalties add to the loss."""
    return sum(
        float(keras.ops.convert_to_numpy(variable.regularizer(variable)))
        for variable in model.trainable_variables
        if variable.regularizer is not None
    )
