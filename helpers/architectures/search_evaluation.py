"""How good a candidate of an architecture search is: a training cut short."""

import math

import keras

from helpers.fused import faster_on_cpu


def short_training(
    space, images, labels, val_images, val_labels, epochs=3, batch_size=128, seed=0
):
    """Evaluate candidates by their validation accuracy after a few epochs.

    Args:
        space: The `Space` that builds the networks.
        images: Standardised training images `(n, height, width, channels)`.
        labels: Their classes `(n,)`.
        val_images: Validation images, prepared alike.
        val_labels: Their classes.
        epochs: Epochs of each training.
        batch_size: Images a step.
        seed: Seed of weights and order, the same for every candidate.

    Returns:
        Function of a candidate that returns an accuracy from 0 to 1.
    """

    def evaluate(candidate):
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        model = faster_on_cpu(space.build(candidate))
        steps = epochs * math.ceil(len(labels) / batch_size)
        model.compile(
            keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        model.fit(images, labels, batch_size=batch_size, epochs=epochs, verbose=0)
        result = model.evaluate(val_images, val_labels, verbose=0, return_dict=True)
        return float(result["accuracy"])

    return evaluate
