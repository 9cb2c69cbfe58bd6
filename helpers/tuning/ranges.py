"""What a hyperparameter may be: a range of numbers, or one of several values.

Every method of search works in shares: a share of 0 is the lowest value, 1 the
highest, and what lies between is the range's own affair, so that a learning rate is
searched by its logarithm without any method knowing of it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """All numbers from `low` to `high`.

    Attributes:
        low: Smallest value.
        high: Largest value.
        log: Whether equal steps multiply the value, in place of adding to it.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self):
        if not -math.inf < self.low < self.high < math.inf:
            raise ValueError(
                f"a range from {self.low} to {self.high} has no values between. "
                "Give two numbers, the smaller one first."
            )
        if self.log and self.low <= 0:
            raise ValueError(
                f"a logarithmic range begins at {self.low}: it must be above 0."
            )

    def value(self, share: float) -> float:
        """The value at a share of the range, from 0 to 1."""
        if self.log:
            return self.low * (self.high / self.low) ** share
        return self.low + share * (self.high - self.low)

    def share(self, value: float) -> float:
        """Where a value lies in the range, from 0 to 1."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def distribution(self):
        """The range as a distribution of Optuna."""
        import optuna

        return optuna.distributions.FloatDistribution(self.low, self.high, log=self.log)


@dataclass(frozen=True)
class Choice:
    """One of several values, each as likely as another.

    Attributes:
        values: The values, in order.
    """

    values: tuple

    def __post_init__(self):
        if len(set(self.values)) != len(self.values) or not self.values:
            raise ValueError(
                f"a choice of {self.values} is none: give one value or more, each once."
            )

    def value(self, share: float):
        """The value in whose equal part of 0 to 1 a share lies."""
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]

    def share(self, value) -> float:
        """The middle of the value's part of 0 to 1."""
        return (self.values.index(value) + 0.5) / len(self.values)

    def distribution(self):
        """The choice as a distribution of Optuna."""
        import optuna

        return optuna.distributions.CategoricalDistribution(self.values)


def place(choices: Mapping[str, Range | Choice], shares: Mapping[str, float]) -> dict:
    """Turn shares into a candidate.

    Args:
        choices: The range of each hyperparameter, by name.
        shares: A share of each, from 0 to 1.

    Returns:
        One value of each hyperparameter, by name.
    """
    return {name: kind.value(shares[name]) for name, kind in choices.items()}
