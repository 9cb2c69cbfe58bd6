"""How good a candidate of an architecture search is: a training cut short."""

import math

import keras

from helpers.fused import faster_on_cpu


def train_briefly(
    space,
    candidate,
    images,
    labels,
    epochs=3,
    batch_size=128,
    seed=0,
):
    """Build the network of a candidate and train it for a few epochs.

    Adam's rate falls from 0.002 to 0 on half a cosine, however few the epochs.

    Args:
        space: The `Space` that builds the network.
        candidate: One value of each choice, by name.
        images: Standardised training images `(n, height, width, channels)`.
        labels: Their classes `(n,)`.
        epochs: Epochs of the training.
        batch_size: Images a step.
        seed: Seed of weights, dropout and order.

    Returns:
        The trained `keras.Model`, compiled with the metric "accuracy".
    """
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    model = faster_on_cpu(space.build(candidate))
    steps = epochs * math.ceil(len(labels) / batch_size)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    adam = keras.optimizers.Adam(rate)
    loss = "sparse_categorical_crossentropy"
    model.compile(adam, loss, metrics=["accuracy"])
    model.fit(images, labels, batch_size=batch_size, epochs=epochs, verbose=0)
    return model


def accuracy_on(model, images, labels):
    """Share of images that a network classifies rightly, to six digits."""
    result = model.evaluate(images, labels, verbose=0, return_dict=True)
    return round(float(result["accuracy"]), 6)


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
        model = train_briefly(
            space, candidate, images, labels, epochs, batch_size, seed
        )
        return accuracy_on(model, val_images, val_labels)

    return evaluate
