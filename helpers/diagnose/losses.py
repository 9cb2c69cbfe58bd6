"""What a compiled model's loss expects of the last layer."""

from dataclasses import dataclass

import keras
import numpy as np

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
        label_smoothing: Share of each label that it spreads over all classes.
    """

    name: str
    kind: str | None
    from_logits: bool
    label_smoothing: float = 0.0

    def floor(self, labels: np.ndarray) -> float:
        """Returns the loss of a model that gives the labels' own probabilities.

        No model has a lower one on these labels: it is their mean entropy, after the
        loss's smoothing. Smoothed by 0.1, labels of ten classes have 0.500.

        Args:
            labels: As the loss takes them.

        Returns:
            The entropy in nats; 0 for class numbers, and where the loss is no
            cross-entropy.
        """
        if self.kind not in ("categorical", "binary"):
            return 0.0
        labels = np.asarray(labels, "float64").reshape(len(labels), -1)
        units = labels.shape[1] if self.kind == "categorical" else 2
        smoothing = self.label_smoothing
        shares = (1.0 - smoothing) * labels + smoothing / units
        if self.kind == "binary":  # a coin for each output
            return float(np.mean(_entropies(shares) + _entropies(1.0 - shares)))
        return float(np.mean(_entropies(shares).sum(axis=1)))


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
    else:
        name, config = getattr(loss, "__name__", str(loss)), {}
    from_logits = bool(config.get("from_logits", False))
    smoothing = float(config.get("label_smoothing", 0.0))
    return Loss(name, dict(_KINDS).get(name), from_logits, smoothing)


def _entropies(shares):
    """-p log p of each share; 0 for one of 0, its limit."""
    return -shares * np.log(np.where(shares > 0.0, shares, 1.0))


def _snake(name):
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
