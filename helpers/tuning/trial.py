"""A trial: the small network of the course, trained for a minute as settings say."""

from functools import partial

import keras

from helpers import runtime
from helpers.architectures.search_space import Space
from helpers.architectures.small import small
from helpers.data import Cifar10
from helpers.fused import faster_on_cpu
from helpers.optimizers import one_cycle_sgd
from helpers.recipes import (
    CROP_AND_FLIP,
    Recipe,
    compile_model,
    generators,
)
from helpers.training import accuracy
from helpers.tuning.ranges import Choice, Range

IMAGES, EPOCHS = 9_000, 6
SPACE = Space(
    {
        "peak": Range(0.005, 5.0, log=True),
        "weight_decay": Range(1e-5, 1e-2, log=True),
        "label_smoothing": Range(0.0, 0.3),
        "batch_size": Choice((32, 64, 128, 256)),
    },
    build=lambda candidate: small(),
    # The same network every time, so none is too large.
    parameters=lambda candidate: 0,
)


def recipe_of(candidate: dict, epochs: int = EPOCHS) -> Recipe:
    """The recipe that settings stand for.

    Args:
        candidate: A value of each hyperparameter of `SPACE`: the highest learning
            rate of a one-cycle schedule, weight decay as papers write it, the share
            of each label that is spread over all classes, images a step.
        epochs: Epochs of the training, over which the schedule stretches.

    Returns:
        A `Recipe`, with cropped and mirrored images.
    """
    return Recipe(
        partial(one_cycle_sgd, peak=candidate["peak"]),
        transforms=CROP_AND_FLIP,
        batch_size=candidate["batch_size"],
        epochs=epochs,
        weight_decay=candidate["weight_decay"],
        label_smoothing=candidate["label_smoothing"],
    )


def train_trial(
    candidate: dict,
    images: Cifar10,
    epochs: int = EPOCHS,
    seed: int = 0,
    test: bool = False,
) -> tuple[list[float], float | None]:
    """Train the small network as settings say.

    Args:
        candidate: As for `recipe_of`.
        images: The images to train and validate on.
        epochs: Epochs of the training.
        seed: Seed of weights, order and augmentation, the same for every trial of a
            search.
        test: Whether to use the test images, after the last epoch.

    Returns:
        The accuracy of the validation images after each epoch, and that of the test
        images, or `None`.
    """
    keras.backend.clear_session()
    keras.config.set_dtype_policy("float32")
    runtime.set_seed(seed)
    recipe = recipe_of(candidate, epochs)
    model = faster_on_cpu(small())
    training, validation, testing = generators(recipe, images, seed)
    compile_model(model, recipe, steps=epochs * len(training))
    log = model.fit(
        training, validation_data=validation, epochs=epochs, shuffle=False, verbose=0
    )
    found = accuracy(model, testing, model.loss) if test else None
    return log.history["val_accuracy"], found
