"""Checks of the arguments of builders, with messages that say what to do."""


def large_enough(input_shape, pixels, network):
    """Refuse images that a network would shrink to less than a pixel.

    Args:
        input_shape: `(height, width, channels)`; a size may be `None`.
        pixels: Smallest height and width.
        network: What needs them, in words that begin a sentence.

    Raises:
        ValueError: If a side is smaller, or the shape is not that of an image; it
            names the shape that was given.
    """
    if len(input_shape) != 3:
        raise ValueError(
            f"{network} takes images of shape (height, width, channels). "
            f"Received: input_shape={tuple(input_shape)}. Give three numbers."
        )
    if any(side is not None and side < pixels for side in input_shape[:2]):
        raise ValueError(
            f"{network} needs images of at least {pixels}x{pixels} pixels. "
            f"Received: input_shape={tuple(input_shape)}. Enlarge the images."
        )


def one_of(what, value, choices):
    """Refuse a value that is not among the choices.

    Args:
        what: What the value chooses, in words.
        value: The value that was given.
        choices: The values that are known.

    Raises:
        ValueError: If the value is not among them; it names the value and lists
            the choices.
    """
    if value not in choices:
        raise ValueError(
            f"There is no {what} {value!r}. Choose one of: "
            f"{', '.join(map(str, choices))}."
        )


def choose(network, what, value, choices):
    """Look an argument's value up among those that exist.

    Args:
        network: Name of the network, for the message.
        what: Name of the argument, for the message.
        value: Its value.
        choices: Dictionary of all values that exist.

    Returns:
        `choices[value]`.

    Raises:
        ValueError: If the value does not exist; the message lists those that do.
    """
    try:
        return choices[value]
    except (KeyError, TypeError):
        raise ValueError(
            f"{network} has no {what}={value!r}. "
            f"Choose one of {', '.join(map(repr, choices))}."
        ) from None


def require_positive(network, **arguments):
    """Check that multipliers are above zero.

    Args:
        network: Name of the network, for the message.
        **arguments: The numbers, by the names of their arguments.

    Raises:
        ValueError: If one of them is not above zero.
    """
    for what, value in arguments.items():
        if not value > 0:
            raise ValueError(
                f"{network} has {what}={value!r}. Give a number above zero."
            )
