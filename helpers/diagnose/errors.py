"""Which of the errors is worth working on: bias, variance, or the data."""

import math
from dataclasses import dataclass

BIAS = "avoidable bias"
VARIANCE = "variance"
MISMATCH = "data mismatch"
OVERFITTING = "overfitting to validation"

_ADVICE = {
    BIAS: "a larger network, longer training, a better optimizer or learning rate, "
    "another architecture, less regularisation",
    VARIANCE: "more images, augmentation, weight decay, dropout, early stopping, a "
    "smaller network",
    MISMATCH: "training images like those of the application: collect or make them, "
    "and look at how the validation images differ",
    OVERFITTING: "more validation images, or others: too many choices were made by "
    "the ones you have",
}


@dataclass(frozen=True)
class Errors:
    """The steps from human error to test error.

    Attributes:
        steps: What each step is made of, as a share of the images, by its name.
    """

    steps: dict[str, float]

    @property
    def largest(self) -> str | None:
        """Name of the largest step; None where none is above zero."""
        name = max(self.steps, key=self.steps.get)
        return name if self.steps[name] > 0 else None

    @property
    def advice(self) -> str:
        """What to try against the largest step."""
        if self.largest is None:
            return "Nothing: no error is above the one before."
        return f"Try {_ADVICE[self.largest]}."

    def __str__(self) -> str:
        lines = [
            f"{name:27}{100 * step:6.2f} points" for name, step in self.steps.items()
        ]
        largest = self.largest or "none"
        return "\n".join([*lines, f"Largest: {largest}. {self.advice}"])

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        lines = ["| what | points |", "|---|---:|"]
        for name, step in self.steps.items():
            shown = f"**{name}**" if name == self.largest else name
            lines.append(f"| {shown} | {100 * step:.2f} |")
        return "\n".join([*lines, "", self.advice, ""])


def bias_variance(
    human: float,
    training: float,
    validation: float,
    test: float,
    training_dev: float | None = None,
) -> Errors:
    """Splits the test error into what is to be worked on by different means.

    Book: Andrew Ng, Machine Learning Yearning, 2018, chapters 20 to 24 and 40 to 41.

    Args:
        human: Error of people on the task, which stands for the best possible, as a
            share: 0.01 for 1%.
        training: Error on the training images.
        validation: Error on the validation images.
        test: Error on the test images.
        training_dev: Error on images like those of the training that were not
            trained on; for validation images that come from elsewhere.

    Returns:
        The steps, each the difference of two errors: avoidable bias, variance, data
        mismatch where `training_dev` is given, overfitting to validation.

    Raises:
        ValueError: If an error is no number from 0 to 1.
    """
    given = {
        "human": human,
        "training": training,
        "validation": validation,
        "test": test,
    }
    if training_dev is not None:
        given["training_dev"] = training_dev
    for name, value in given.items():
        if not math.isfinite(value) or not 0.0 <= value <= 1.0:
            raise ValueError(
                f"The {name} error is {value}: give a share from 0 to 1, as 0.1 for "
                "10%."
            )
    unseen = validation if training_dev is None else training_dev
    steps = {BIAS: training - human, VARIANCE: unseen - training}
    if training_dev is not None:
        steps[MISMATCH] = validation - training_dev
    steps[OVERFITTING] = test - validation
    return Errors(steps)
