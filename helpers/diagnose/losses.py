"""What a compiled model's loss expects of the last layer."""

from dataclasses import dataclass

import keras

_KINDS = (
    ("sparse_categorical_crossentropy", "sparse"),
    ("categorical_crossentropy", "categorical"),
    ("binary_crossentropy", "binary"),
)


@dataclass(frozen=True)
class Loss:
    """A loss as far as the checks need it.

    Attributes:
        name: Its name in Keras.
        kind: "sparse", "categorical" or "binary" for the cross-entropies, else None.
        from_logits: Whether it takes scores, and makes probabilities itself.
    """

    name: str
    kind: str | None
    from_logits: bool


def loss_of(model: keras.Model) -> Loss:
    """Returns the loss that a model of one output was compiled with."""
    loss = model.loss
    if isinstance(loss, list | tuple):
        loss = loss[0]
    elif isinstance(loss, dict):
        loss = next(iter(loss.values()))
    loss = keras.losses.get(loss)
    if isinstance(loss, keras.losses.Loss):
        name = _snake(type(loss).__name__)
        config = loss.get_config()
        from_logits = bool(config.get("from_logits", False))
    else:
        name, from_logits = getattr(loss, "__name__", str(loss)), False
    kind = dict(_KINDS).get(name)
    return Loss(name, kind, from_logits)


def _snake(name):
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
