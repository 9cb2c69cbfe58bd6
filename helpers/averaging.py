"""Averages of weights, and the statistics that batch normalisation then lacks.

Paper: Averaging Weights Leads to Wider Optima and Better Generalization (stochastic
weight averaging), https://arxiv.org/abs/1803.05407
"""

from collections.abc import Sequence

import keras
import numpy as np


def average_weights(sets: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
    """Averages sets of weights, such as `model.get_weights()` at several epochs.

    Args:
        sets: the weights of each network, in the same order.

    Returns:
        The mean of each weight.

    Raises:
        ValueError: if there are none, or they are not of the same network.
    """
    shapes = {tuple(np.shape(weight) for weight in weights) for weights in sets}
    if len(shapes) != 1:
        raise ValueError(
            f"{len(sets)} sets of weights have {len(shapes)} lists of shapes: give "
            "one or more, all of the same network."
        )
    return [np.mean(weights, axis=0) for weights in zip(*sets, strict=True)]


def update_normalisation(
    model: keras.Model, images: np.ndarray, batch_size: int = 100
) -> None:
    """Measures the statistics of batch normalisation again, for new weights.

    Each becomes the plain mean over the batches. Dropout is active, as in
    training.

    Args:
        model: a model with `BatchNormalization`, changed in place.
        images: training images; a smaller last batch is left out.
        batch_size: images a batch.

    Raises:
        ValueError: if there is no such layer, or less than a batch of images.
    """
    kind = keras.layers.BatchNormalization
    norms = [one for one in model._flatten_layers() if isinstance(one, kind)]
    if not norms:
        raise ValueError(f"{model.name} has no BatchNormalization to update.")
    batches = len(images) // batch_size
    if not batches:
        raise ValueError(
            f"{len(images)} images are no batch of {batch_size}: give more "
            "images, or choose a smaller batch_size."
        )
    kept = [norm.momentum for norm in norms]
    try:
        for index in range(batches):
            for norm in norms:
                # The first batch has weight 1, the second 1/2, the third 1/3.
                norm.momentum = index / (index + 1)
            batch = images[index * batch_size : (index + 1) * batch_size]
            model(batch, training=True)
    finally:
        for norm, momentum in zip(norms, kept, strict=True):
            norm.momentum = momentum
