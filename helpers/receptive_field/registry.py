"""The rules: for each class of layer, how it carries receptive fields on."""

from collections.abc import Callable

_RULES: dict[type | str, Callable] = {}


class ReceptiveFieldError(ValueError):
    """A model, or a layer in it, whose receptive fields cannot be computed."""


def rule(*kinds: type | str) -> Callable:
    """Registers a function as the rule of one or more layer classes.

    The function is called as the layer is, `function(layer, *args, **kwargs)`, with a
    `FeatureMap` in place of each tensor, and returns the `FeatureMap` of the output
    (a list for several outputs). A layer that works on each pixel alone returns its
    argument; others use `slide`, `join` and `merge`:

        @receptive_field.rule(BlurPool)
        def blur_pool(layer, x):
            return x.slide(kernel=(3, 3), stride=(2, 2), padding="same")

    Args:
        kinds: layer classes, whose subclasses follow the same rule, or names of Keras
            classes that have no public import path.

    Returns:
        The decorator.
    """

    def register(function: Callable) -> Callable:
        for kind in kinds:
            _RULES[kind] = function
        return function

    return register


def find_rule(operation) -> Callable:
    """Returns the rule of a layer or operation.

    Raises:
        ReceptiveFieldError: where none is registered for its class or a parent.
    """
    kind = type(operation)
    for parent in kind.__mro__:
        if parent in _RULES:
            return _RULES[parent]
        # Classes of keras.ops and some layers of keras.applications are not exported.
        if parent.__module__.startswith("keras.src.") and parent.__name__ in _RULES:
            return _RULES[parent.__name__]
    raise ReceptiveFieldError(
        f"layer {operation.name!r} is a {kind.__name__}, for which there is no rule. "
        f"Write one and register it with @receptive_field.rule({kind.__name__})"
    )
