"""A model that is as it was after whatever is tried with it."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np

from helpers.callbacks import state
from helpers.callbacks.randomness import capture_random, restore_random


@contextmanager
def preserved(model: keras.Model) -> Iterator[None]:
    """Puts a compiled model back, bit for bit, when the block ends.

    That is its weights and moving statistics, the state of its dropout, its
    optimizer, what its metrics have counted, and the global random numbers. What is
    done inside is as if done to a copy, and works for models that cannot be copied.

    Args:
        model: A built and compiled model.
    """
    before, random = state.capture(model), capture_random()
    counted = [
        (variable, np.array(keras.ops.convert_to_numpy(variable)))
        for variable in model.metrics_variables
    ]
    try:
        yield
    finally:
        state.restore(model, before)
        restore_random(random)
        model.reset_metrics()  # those that came into being inside
        for variable, value in counted:
            variable.assign(value)
