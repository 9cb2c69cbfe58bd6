"""The rules of the sheet `assignment3`: what it asks for, in numbers and names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from grader.graph import Description
from grader.layers import Layer

EPOCHS = 50
MOST_PARAMETERS = 100_000  # fewer than this, in total
BASE_PARAMETERS = 1_172_410
PLAUSIBLE = (0.81, 0.835)  # the base network's final accuracy
NOTEBOOK = "Assignment 3.ipynb"
README = "ReadMe.md"
INPUT = (32, 32, 3)
CLASSES = 10
HIGHEST_DROPOUT = 0.5

KEYS = (
    "files",
    "base_log",
    "base_accuracy",
    "base_unchanged",
    "separable_only",
    "batch_normalization",
    "under_100k",
    "dropout",
    "output_sizes",
    "receptive_fields",
    "epochs_50",
    "beats_base",
    "readme_model",
    "readme_log",
    "same_model",
    "same_log",
)

HELP = {
    "files": "Hand in `Assignment 3.ipynb` and `ReadMe.md` under these names.",
    "base_log": "Run the base network for 50 epochs with verbose=1 and keep the "
    "cell's output in the notebook.",
    "base_accuracy": "State in the README the base network's validation accuracy "
    "after epoch 50, as a number, not its best epoch and not your own network's.",
    "base_unchanged": "Train the base network exactly as it was given; change only "
    "a copy.",
    "separable_only": "Use SeparableConv2D for every convolution, also for 1x1 and "
    "for the first and last layers.",
    "batch_normalization": "Use BatchNormalization in your own network.",
    "under_100k": "Bring the total, BatchNormalization's statistics included, below "
    "100,000: model.summary() prints it as Total params.",
    "dropout": "Use Dropout in your own network, with rates above 0 and up to 0.5.",
    "output_sizes": "Write the output size beside every convolution and pooling: "
    "floor((n + 2p - k) / s) + 1.",
    "receptive_fields": "Write the receptive field beside every convolution and "
    "pooling: r_out = r_in + (k - 1) * jump_in, and only then jump_out = jump_in * s.",
    "epochs_50": "Train your own network for 50 epochs and keep the log of all of "
    "them in the notebook.",
    "beats_base": "In one of its 50 epochs your network must have a higher "
    "validation accuracy than the base network after its last.",
    "readme_model": "Put your model's definition into the README, with output size "
    "and receptive field beside the layers.",
    "readme_log": "Put the log of all 50 epochs of your own network into the README.",
    "same_model": "Let README, code and stored summary show one and the same "
    "network: run the notebook again and copy from it.",
    "same_log": "Copy the log in the README from the run that the notebook shows.",
}

Signature = tuple[tuple[Any, ...], ...]


def signature(layers: Iterable[Layer]) -> Signature:
    """Return what makes a network that network, without names and spellings.

    An activation counts the same as an argument and as a layer.
    """
    parts: list[tuple[Any, ...]] = []
    for layer in layers:
        kind, options = layer.kind, layer.options
        get = options.get
        if kind in ("InputLayer", "Identity"):
            continue
        if kind in ("Activation", "ReLU", "Softmax"):
            name = get("activation") if kind == "Activation" else kind.lower()
            parts.append(("Activation", name if isinstance(name, str) else "?"))
            continue
        if "kernel" in options:
            part = [kind, get("filters"), get("kernel"), get("strides")]
            part += [get("padding"), get("dilation"), get("bias"), get("multiplier")]
        elif "pool" in options:
            part = [kind, get("pool"), get("strides"), get("padding")]
        elif kind == "Dense":
            part = [kind, get("units"), get("bias")]
        elif kind in ("Dropout", "SpatialDropout2D"):
            part = ["Dropout", get("rate")]
        else:
            part = [kind]
        parts.append(tuple(_known(value) for value in part))
        activation = get("activation")
        if isinstance(activation, str) and activation != "linear":
            parts.append(("Activation", activation))
    return tuple(parts)


def same(left: Signature, right: Signature) -> bool:
    """Whether two networks are one, as far as their values can be followed."""
    return len(left) == len(right) and all(
        same_part(a, b) for a, b in zip(left, right, strict=True)
    )


def same_part(left: tuple[Any, ...], right: tuple[Any, ...]) -> bool:
    """Whether two steps are one; "?" stands for a value that is not followed."""
    return len(left) == len(right) and all(
        a == b or "?" in (a, b) for a, b in zip(left, right, strict=True)
    )


def _known(value: Any) -> Any:
    """Return a value that can be compared, or "?" for one that is not followed."""
    if isinstance(value, tuple):
        return value if all(type(side) is int for side in value) else "?"
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return "?"


def _conv(filters: int, padding: str) -> tuple[Any, ...]:
    return ("Conv2D", filters, (3, 3), (1, 1), padding, (1, 1), True, None)


def _base() -> Signature:
    relu = ("Activation", "relu")
    parts: list[tuple[Any, ...]] = []
    for filters in (48, 96, 192):
        parts += [_conv(filters, "same"), relu, _conv(filters, "valid"), relu]
        parts += [("MaxPooling2D", (2, 2), (2, 2), "valid"), ("Dropout", 0.25)]
    parts.append(("Flatten",))
    for units in (512, 256):
        parts += [("Dense", units, True), relu, ("Dropout", 0.5)]
    parts += [("Dense", 10, True), ("Activation", "softmax")]
    return tuple(parts)


BASE = _base()


def is_base(description: Description) -> bool:
    """Whether a network is the base network, to the last layer."""
    return same(signature(row.layer for row in description.rows), BASE)


def looks_like_base(description: Description) -> bool:
    """Whether a network is the base network or a changed copy of it."""
    kinds = [row.layer.kind for row in description.rows]
    if "SeparableConv2D" in kinds or "DepthwiseConv2D" in kinds:
        return False
    convolutions = [row for row in description.rows if row.layer.kind == "Conv2D"]
    wide = [
        row
        for row in description.rows
        if row.layer.kind == "Dense" and (row.layer.options.get("units") or 0) > CLASSES
    ]
    if len(convolutions) < 3 or "Add" in kinds or "Concatenate" in kinds:
        return False
    return bool(wide) or "BatchNormalization" not in kinds


def looks_like_own(description: Description) -> bool:
    """Whether a network could be a student's: images of 32x32x3, convolutions."""
    if not any(row.layer.is_windowed for row in description.rows):
        return False
    shape = description.rows[0].layer.options.get("input_shape")
    return not isinstance(shape, tuple) or len(shape) != 3 or shape == INPUT
