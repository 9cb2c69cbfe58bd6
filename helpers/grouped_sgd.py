"""SGD in which some weights learn faster than others, or only for a while."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("course")
class GroupedSGD(keras.optimizers.SGD):
    """`keras.optimizers.SGD` with factors of the learning rate by name.

    Args:
        learning_rate: The rate, or a schedule of it.
        factors: Factor of the rate for variables whose path ends with a name, such
            as `{"beta": 64.0}`; 1 for all others.
        until: Number of steps after which variables with such an ending learn no
            more, such as `{"whitening/bias": 147}`. Weight decay goes on: exclude
            them from it.
        **kwargs: As for `keras.optimizers.SGD`.

    Raises:
        ValueError: If a factor is not above zero or a number of steps is negative,
            or, when training begins, no variable has such an ending.
    """

    def __init__(self, learning_rate=0.01, factors=None, until=None, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.factors, self.until = dict(factors or {}), dict(until or {})
        for ending, factor in self.factors.items():
            if not factor > 0:
                raise ValueError(
                    f"factors has {factor!r} for {ending!r}: a factor is above 0."
                )
        for ending, steps in self.until.items():
            if steps < 0:
                raise ValueError(
                    f"until has {steps!r} for {ending!r}: steps are counted from 0."
                )

    def build(self, variables):
        require_endings((*self.factors, *self.until), variables)
        super().build(variables)
        # TensorFlow hands its own variables to `update_step`, which have no paths.
        self._groups = [
            (_of(variable, self.factors), _of(variable, self.until))
            for variable in variables
        ]

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        factor, until = self._groups[index]
        if factor is not None:
            learning_rate = learning_rate * factor
        if until is not None:
            learns = ops.cast(self.iterations < until, "float32")
            learning_rate = learning_rate * learns
            if self.momentum:
                # Or a variable would roll on.
                momentum = self.momentums[index]
                self.assign(momentum, momentum * learns)
        super().update_step(gradient, variable, learning_rate)

    def get_config(self):
        return {
            **super().get_config(),
            "factors": self.factors,
            "until": self.until,
        }


def require_endings(endings, variables):
    """Check that each ending is that of some variable's path.

    Args:
        endings: Strings such as "conv/kernel".
        variables: The variables of a model.

    Raises:
        ValueError: If no path has such an ending.
    """
    paths = [variable.path for variable in variables]
    for ending in endings:
        if not any(path.endswith(ending) for path in paths):
            raise ValueError(
                f"No variable's path ends with {ending!r}. The paths are: "
                f"{', '.join(paths)}."
            )


def _of(variable, values):
    """The value whose name ends a variable's path; `None` where there is none."""
    found = [v for ending, v in values.items() if variable.path.endswith(ending)]
    return found[0] if found else None
