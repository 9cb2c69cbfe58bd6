"""A training's state as arrays and JSON: model, optimizer, callbacks.

Everything is addressed by position, not by name: Keras numbers automatic names on
(`conv2d_7`), so a model that is built again in the same notebook has other names.
"""

from collections.abc import Iterable

import keras
import numpy as np

# What Keras' callbacks remember from epoch to epoch. Their settings (patience,
# factor ...) are not in here: those are what the cell says now. `min_delta` is not
# either, because Keras flips its sign when it is first used.
_REMEMBERED = (
    (
        keras.callbacks.EarlyStopping,
        ("best", "best_epoch", "best_weights", "stopped_epoch", "wait"),
    ),
    (keras.callbacks.ReduceLROnPlateau, ("best", "cooldown_counter", "wait")),
    (
        keras.callbacks.ModelCheckpoint,
        ("best", "_batches_seen_since_last_saving", "_last_batch_seen"),
    ),
    (keras.callbacks.SwapEMAWeights, ("_ema_weights_in_model",)),
)


def variables(model: keras.Model) -> dict[str, list[keras.Variable]]:
    """Returns all variables that training changes, the optimizer's slots included.

    `model.variables` holds the weights, the moving statistics of normalisations and
    the states of the seed generators in dropout and noise layers.

    Raises:
        ValueError: If the model is not built or not compiled, so that its variables
            do not exist yet.
    """
    if not model.built or model.optimizer is None:
        raise ValueError(
            f"Model {model.name!r} is {'not compiled' if model.built else 'not built'}"
            ": build it from keras.Input and compile it before fit."
        )
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return {"model": model.variables, "optimizer": model.optimizer.variables}


def capture(model: keras.Model) -> dict[str, np.ndarray]:
    """Copies the values of all variables of a compiled model.

    Returns:
        Arrays by `model/0`, `model/1` ..., `optimizer/0` ..., in Keras' order.
    """
    return {
        f"{group}/{index}": np.array(keras.ops.convert_to_numpy(variable))
        for group, members in variables(model).items()
        for index, variable in enumerate(members)
    }


def restore(model: keras.Model, arrays: dict[str, np.ndarray]) -> None:
    """Puts back what `capture` copied.

    Args:
        model: A compiled model of the same architecture.
        arrays: As `capture` returned them; other names are left alone.

    Raises:
        ValueError: If an array is missing, left over, or has another shape. Nothing
            is changed then.
    """
    pairs = []
    for group, members in variables(model).items():
        held = sum(name.startswith(f"{group}/") for name in arrays)
        if held != len(members):
            raise ValueError(
                f"The state holds {held} variables of the {group}, which has "
                f"{len(members)}: it is another {group}'s."
            )
        for index, variable in enumerate(members):
            array = arrays[f"{group}/{index}"]
            if tuple(array.shape) != tuple(variable.shape):
                raise ValueError(
                    f"{group} variable {variable.path} has the shape "
                    f"{tuple(variable.shape)}, and {array.shape} in the state."
                )
            pairs.append((variable, array))
    for variable, array in pairs:
        variable.assign(array)


def capture_callbacks(
    callbacks: Iterable[keras.callbacks.Callback],
) -> tuple[list[dict], dict[str, np.ndarray]]:
    """Copies what callbacks remember.

    Args:
        callbacks: Keras' own, or any with `state_dict()` and
            `load_state_dict(state)`, where `state` is what JSON can hold. Others
            remember nothing that could be copied.

    Returns:
        A `{"kind": class name, "state": ...}` a callback, and the arrays they hold.
    """
    records, arrays = [], {}
    for index, callback in enumerate(callbacks):
        if hasattr(callback, "state_dict"):
            state = callback.state_dict()
        else:
            state = {}
            for name in _remembered(callback):
                value = getattr(callback, name, None)
                if isinstance(value, list):  # weights: a list of arrays
                    for number, array in enumerate(value):
                        arrays[f"callback/{index}/{name}/{number}"] = array
                    value = {"arrays": len(value)}
                state[name] = _plain(value)
        records.append({"kind": type(callback).__name__, "state": state})
    return records, arrays


def restore_callbacks(
    callbacks: Iterable[keras.callbacks.Callback],
    records: list[dict],
    arrays: dict[str, np.ndarray],
) -> list[str]:
    """Puts back what `capture_callbacks` copied.

    Callbacks are matched by class, in order, so that one may be added or removed.

    Returns:
        Sentences about state that found no callback, and callbacks that found none.
    """
    waiting = list(enumerate(records))
    notes = []
    for callback in callbacks:
        kind = type(callback).__name__
        match = next((pair for pair in waiting if pair[1]["kind"] == kind), None)
        if match is None:
            if _remembered(callback) or hasattr(callback, "state_dict"):
                notes.append(f"{kind} is new and starts without a memory")
            continue
        waiting.remove(match)
        index, state = match[0], match[1]["state"]
        if hasattr(callback, "load_state_dict"):
            callback.load_state_dict(state)
            continue
        for name in _remembered(callback):
            if name not in state:
                continue
            value = state[name]
            if isinstance(value, dict):
                prefix = f"callback/{index}/{name}"
                value = [arrays[f"{prefix}/{n}"] for n in range(value["arrays"])]
            setattr(callback, name, value)
    gone = [record["kind"] for _, record in waiting if record["state"]]
    return notes + [f"{kind} is gone, its memory unused" for kind in gone]


def _remembered(callback):
    for kind, names in _REMEMBERED:
        if isinstance(callback, kind):
            return names
    return ()


def _plain(value):
    """Turns the scalar of any library into Python's, every bit kept."""
    if value is None or isinstance(value, bool | int | float | str | dict):
        return value
    return keras.ops.convert_to_numpy(value).item()
