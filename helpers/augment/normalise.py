"""What a network trains on: normalised images and smoothed one-hot labels."""

import numpy as np

from helpers.augment.base import check_number

# The 50,000 training images of CIFAR-10, by channel, in units of 0..255.
MEAN = (125.3, 122.95, 113.87)
STD = (62.99, 62.09, 66.7)


def normalize(images: np.ndarray, mean=MEAN, std=STD) -> np.ndarray:
    """Turns images of 0..255 into what a network trains on.

    Args:
        images: `(batch, height, width, channels)`, uint8 or float32 in 0..255.
        mean: one value a channel in units of 0..255, or None with `std`.
        std: likewise.

    Returns:
        float32 of the same shape: `(images - mean) / std`, or `images / 255` when
        both are None.

    Raises:
        ValueError: if one of the two is missing, has another length than there
            are channels, or a standard deviation is not positive.
    """
    channels = images.shape[-1]
    if mean is None and std is None:
        mean, std = np.zeros(channels), np.full(channels, 255.0)
    if mean is None or std is None:
        raise ValueError(f"give mean and std, or neither: got {mean!r} and {std!r}")
    mean, std = np.asarray(mean, "float64"), np.asarray(std, "float64")
    for name, values in (("mean", mean), ("std", std)):
        if values.shape != (channels,):
            raise ValueError(
                f"{name} must hold {channels} values, one a channel, got {values}"
            )
    if not (std > 0).all():
        raise ValueError(f"std must be positive, got {std}")
    # Whole images are the inner loop; a loop over three channels is 7 times slower.
    pixels = images[0].size // channels if len(images) else 0
    flat = images.reshape(len(images), pixels * channels).astype("float32")
    flat -= np.tile(mean.astype("float32"), pixels)
    flat *= np.tile((1 / std).astype("float32"), pixels)
    return flat.reshape(images.shape)


def one_hot(labels, classes: int | None = None, smoothing: float = 0.0):
    """Turns labels into rows of probabilities.

    Label smoothing spreads a share evenly over all classes, the right one too.

    Paper: Rethinking the Inception Architecture for Computer Vision,
    https://arxiv.org/abs/1512.00567 (section 7).

    Args:
        labels: `(n,)` or `(n, 1)` integers, or `(n, classes)` probabilities.
        classes: number of classes; None takes the largest label's.
        smoothing: the share, 0 to 1.

    Returns:
        `(n, classes)`, float32, rows that sum to 1.

    Raises:
        ValueError: if the labels have another shape or exceed the classes.
    """
    labels = np.asarray(labels)
    smoothing = check_number("label_smoothing", smoothing, 0, 1)
    if classes is not None:
        classes = check_number("classes", classes, 2, integer=True)
    if np.issubdtype(labels.dtype, np.integer):
        if labels.ndim not in (1, 2) or labels.size != len(labels):
            raise ValueError(
                f"integer labels must have the shape (n,) or (n, 1), got {labels.shape}"
            )
        labels = labels.reshape(-1)
        classes = classes or int(labels.max()) + 1
        if labels.min() < 0 or labels.max() >= classes:
            raise ValueError(
                f"labels must be 0 to {classes - 1} for classes={classes}, got "
                f"{labels.min()} to {labels.max()}"
            )
        labels = np.eye(classes, dtype="float32")[labels]
    elif labels.ndim != 2 or classes not in (None, labels.shape[1]):
        raise ValueError(
            "labels that are not integers must have the shape (n, classes), got "
            f"{labels.shape} with classes={classes}"
        )
    labels = labels.astype("float32")
    return labels * np.float32(1 - smoothing) + np.float32(smoothing / labels.shape[1])
