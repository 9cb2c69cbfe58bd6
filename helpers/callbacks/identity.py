"""What makes a run this run: its model, data, length; and how two runs differ."""

import json
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from helpers.callbacks.schedules import current_learning_rate, has_schedule


class OtherRunError(ValueError):
    """The folder holds the state of a training that differs from this one."""


_ABSENT = object()
# What a generator of batches is known by, where it has it.
_GENERATOR = (
    "batch_size",
    "seed",
    "shuffle",
    "drop_remainder",
    "transforms",
    "mean",
    "std",
)


def identity(model: keras.Model, params: dict, train: Any, info: dict) -> dict:
    """Describes a run so that another one can be told from it.

    Args:
        model: The compiled model.
        params: What `fit` tells its callbacks: `epochs`, `steps`.
        train: What `fit` trains on.
        info: What the caller knows: `data` with the images' SHA-256, `seed` ...

    Returns:
        What JSON can hold. Layers are numbered in it, not named.
    """
    shapes = [[list(v.shape), str(v.dtype)] for v in model.variables]
    return {
        "keras": keras.__version__,
        "epochs": params.get("epochs"),
        "steps": params.get("steps"),
        "info": _plain(info),
        "train": _describe_data(train),
        "model": {"config": _config(model), "variables": shapes},
        "compile": _settings(_plain(_attempt(model.get_compile_config) or {})),
        "learning_rate": (
            None
            if has_schedule(model.optimizer)
            else current_learning_rate(model.optimizer)
        ),
    }


def differences(then: dict, now: dict, limit: int = 5) -> list[str]:
    """Names what differs between two identities.

    Between two versions of Keras only what both know is compared: a newer version
    may describe the same layer with one more setting. The learning rate is left to
    the caller, because callbacks change it.

    Returns:
        Phrases such as `epochs: 50 in the saved run, 60 now`, at most `limit`.
    """
    then, now = dict(then), dict(now)
    both = then.pop("keras", None) != now.pop("keras", None)
    then.pop("learning_rate", None)
    now.pop("learning_rate", None)
    return list(_walk(then, now, "", both))[:limit]


def refuse_another(
    record: dict,
    now: dict,
    callbacks: Sequence[keras.callbacks.Callback],
    folder: Path,
) -> None:
    """Stops a training that differs from the one whose state would be restored.

    A learning rate is this run's if the run began with it or has come to it since.

    Args:
        record: The saved record, with `identity`, `learning_rate`, `history`.
        now: The identity of the training that is about to begin.
        callbacks: Its callbacks; a LearningRateScheduler sets any rate.
        folder: Where the state is, for the message.

    Raises:
        OtherRunError: If the two differ; the message names what differs.
    """
    then = record["identity"]
    found = differences(then, now)
    known = {
        then["learning_rate"],
        record["learning_rate"],
        *record["history"]["history"].get("learning_rate", []),
    }
    rate = now["learning_rate"]
    scheduled = any(
        isinstance(c, keras.callbacks.LearningRateScheduler) for c in callbacks
    )
    if rate not in known and not scheduled:
        found.append(
            f"learning_rate: {then['learning_rate']} in the saved run, {rate} now"
        )
    if found:
        raise OtherRunError(
            f"{folder} holds another run: {'; '.join(found)}. Set it back to continue "
            "that run, or choose another folder for this one."
        )
    if then["keras"] != now["keras"]:
        warnings.warn(
            f"The run began on Keras {then['keras']} and continues on {now['keras']}: "
            "its digits may differ from those of an uninterrupted run.",
            stacklevel=2,
        )


def _walk(then, now, path, both):
    if isinstance(then, dict) and isinstance(now, dict):
        for key in [*then, *(key for key in now if key not in then)]:
            pair = then.get(key, _ABSENT), now.get(key, _ABSENT)
            if both and _ABSENT in pair:
                continue
            yield from _walk(*pair, f"{path}.{key}" if path else key, both)
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for index, pair in enumerate(zip(then, now, strict=True)):
            yield from _walk(*pair, f"{path}[{index}]", both)
    elif then != now:
        yield f"{path}: {_short(then)} in the saved run, {_short(now)} now"


def _short(value):
    if value is _ABSENT:
        return "nothing"
    if isinstance(value, list) and len(value) > 6:
        return f"{len(value)} entries"
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _config(model):
    """Returns the model's configuration with its layers numbered."""
    config = _attempt(model.get_config)
    if config is None:
        return None
    numbers = {}
    for layer in _layers(model):
        numbers.setdefault(layer.name, f"layer {len(numbers)}")
    return _renamed(_plain(config), numbers)


def _layers(model):
    yield model
    for layer in model.layers:
        yield from _layers(layer) if isinstance(layer, keras.Model) else (layer,)


def _renamed(value, names):
    if isinstance(value, dict):
        return {key: _renamed(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [_renamed(inner, names) for inner in value]
    return names.get(value, value) if isinstance(value, str) else value


def _settings(value):
    """Leaves out automatic names, and rates that are numbers: callbacks set those."""
    if isinstance(value, dict):
        return {
            key: _settings(inner)
            for key, inner in value.items()
            if key != "name"
            and not (key == "learning_rate" and isinstance(inner, int | float))
        }
    if isinstance(value, list):
        return [_settings(inner) for inner in value]
    return value


def _describe_data(train):
    if train is None:
        return None
    known = {n: _plain(getattr(train, n)) for n in _GENERATOR if hasattr(train, n)}
    if hasattr(train, "shape"):
        known |= {"shape": list(train.shape), "dtype": str(train.dtype)}
    return {"kind": type(train).__name__, **known}


def _plain(value):
    """Returns what JSON can hold of a value; objects by their text."""
    text = json.dumps(value, default=repr)
    return json.loads(re.sub(r" at 0x[0-9a-f]+", "", text))


def _attempt(describe):
    """Calls a method that models of one's own may not support."""
    try:
        return describe()
    except (NotImplementedError, TypeError, ValueError):
        return None
