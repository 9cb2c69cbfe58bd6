"""Checks of the arguments of builders, with messages that say what to do."""


def require_size(network, input_shape, least):
    """Check that images are large enough for a network.

    Args:
        network: Name of the network, for the message.
        input_shape: `(height, width, channels)` of an image; a side may be `None`.
        least: Least height and width, in pixels.

    Raises:
        ValueError: If the images are smaller, or the shape is not that of an image.
    """
    if len(input_shape) != 3:
        raise ValueError(
            f"{network} takes images of shape (height, width, channels). "
            f"Received: input_shape={tuple(input_shape)}. Give three numbers."
        )
    if any(side is not None and side < least for side in input_shape[:2]):
        raise ValueError(
            f"{network} needs images of {least}x{least} pixels at least, or its last "
            "feature map would see nothing but padding. "
            f"Received: input_shape={tuple(input_shape)}. Enlarge the images."
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
