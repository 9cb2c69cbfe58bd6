"""Training recipes by name: optimiser, schedule, batches and augmentation.

A recipe says everything that a run needs beside the network and the seed, so
that `run.json` can name it in a word and `python -m helpers.train` can repeat it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from helpers import augment
from helpers.architectures.inception_v1 import loss_weights
from helpers.architectures.speedrun import whiten
from helpers.callbacks import Lookahead
from helpers.optimizers import (
    adam,
    one_cycle_muon,
    one_cycle_sgd,
    spared_from_decay,
    speedrun_sgd,
)
from helpers.views import with_views


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        optimizer: Function of the number of training steps and the weight decay
            that returns a Keras optimiser.
        protocol: "sheet" trains on all 50,000 training images and evaluates on the
            test images after each epoch, as the assignment asks; "split" trains
            on 45,000, validates on 5,000 and uses the test images once, at the end;
            "all" trains on all 50,000 without validation and does the same.
        transforms: Augmentation of training images, in order; a class stands for
            a transformation that measures the training images first.
        standardise: Whether images are standardised by channel; else pixels are
            divided by 255.
        batch_size: Images a step.
        epochs: Epochs of a full run.
        weight_decay: As papers give it, added to the gradient; of the kernels of
            dense layers and convolutions alone, depthwise ones excepted.
        label_smoothing: Share of each label spread over all classes.
        callbacks: Function that returns callbacks of `fit`, such as a schedule's.
        prepare: Function of the network and standardised training images that is
            called before training.
        views: Function of the trained network that returns one which averages over
            views of an image; its test accuracy is recorded beside the plain one.
        precision: "float32" or "mixed_bfloat16"; what a run uses that names none.
    """

    optimizer: Callable
    protocol: str = "split"
    transforms: tuple = ()
    standardise: bool = True
    batch_size: int = 128
    epochs: int = 50
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    callbacks: Callable = list
    prepare: Callable | None = None
    views: Callable | None = None
    precision: str = "float32"


PROTOCOLS = {
    "sheet": "sheet: trained on all training images; the test images are the "
    "validation images, evaluated after each epoch; the last epoch counts",
    "split": "split: 5,000 of the training images held out for validation; the test "
    "images used once, after the last epoch",
    "all": "all: trained on all training images, without validation; the test images "
    "used once, after the last epoch",
}

CROP_AND_FLIP = (augment.RandomCrop(4), augment.RandomFlip())

RECIPES = {
    # The assignment's sheet, letter for letter, for the base network.
    "sheet": Recipe(adam, protocol="sheet", standardise=False),
    # The same images and epochs, for our network; with SGD, and with Muon.
    "assignment": Recipe(
        one_cycle_sgd, protocol="sheet", transforms=CROP_AND_FLIP, weight_decay=5e-4
    ),
    "assignment_muon": Recipe(
        one_cycle_muon, protocol="sheet", transforms=CROP_AND_FLIP, weight_decay=5e-4
    ),
    # Every other architecture, so that they can be compared.
    "course": Recipe(one_cycle_sgd, transforms=CROP_AND_FLIP, weight_decay=5e-4),
    # The same at a tenth of the rate, for networks without batch normalisation: at
    # 0.2 those with ReLU end with equal scores for all classes.
    "course_low": Recipe(
        partial(one_cycle_sgd, peak=0.02),
        transforms=CROP_AND_FLIP,
        weight_decay=5e-4,
    ),
    # What a large network reaches that is trained for long: how far the images go.
    "ceiling": Recipe(
        partial(one_cycle_sgd, peak=0.1),
        protocol="all",
        transforms=(*CROP_AND_FLIP, augment.Cutout(16)),
        epochs=200,
        weight_decay=5e-4,
        precision="mixed_bfloat16",
    ),
    # The most accuracy in twenty minutes on two cores. Unlike the published program:
    # ReLU for GELU, no decay of biases, normalisation's epsilon is 1e-5 (there 1e-12),
    # the last, smaller batch of an epoch is used (there dropped), weights are averaged
    # at the end of an epoch too, and over views the probabilities are (there scores).
    "speedrun": Recipe(
        speedrun_sgd,
        protocol="all",
        transforms=(augment.RandomCrop(2, mode="reflect"), augment.AlternatingFlip()),
        batch_size=1024,
        epochs=16,
        weight_decay=0.0153 / 11.5,
        label_smoothing=0.2,
        callbacks=lambda: [Lookahead()],
        prepare=whiten,
        views=with_views,
        precision="mixed_bfloat16",
    ),
}

DEFAULT_RECIPE = {
    "base": "sheet",
    "separable": "assignment",
    "lenet5": "course_low",
    "lenet5_1998": "course_low",
    "alexnet": "course_low",
    "nin": "course_low",
    "speedrun": "speedrun",
    "wide_resnet28_10": "ceiling",
}


def recipe_for(architecture, name=None):
    """Find a recipe.

    Args:
        architecture: Name of the architecture.
        name: Name of the recipe; `None` for the architecture's own, which is
            "course" unless `DEFAULT_RECIPE` says otherwise.

    Returns:
        The recipe's name and the `Recipe`.

    Raises:
        ValueError: If there is no recipe of this name.
    """
    name = name or DEFAULT_RECIPE.get(architecture, "course")
    if name not in RECIPES:
        raise ValueError(
            f"There is no recipe {name!r}. Choose one of: {', '.join(RECIPES)}."
        )
    return name, RECIPES[name]


def images_for(recipe, images):
    """The images that a recipe's protocol trains, validates and tests on.

    Args:
        recipe: A `Recipe`.
        images: A `Cifar10`.

    Returns:
        `(x_train, y_train), (x_val, y_val), (x_test, y_test)`; under the "sheet"
        protocol the last two pairs are the same images, under "all" the second is
        `None`.
    """
    if recipe.protocol != "split":
        x_train, y_train, x_test, y_test = images.sheet()
        test = x_test, y_test
        return (x_train, y_train), test if recipe.protocol == "sheet" else None, test
    return (
        (images.x_train, images.y_train),
        (images.x_val, images.y_val),
        (images.x_test, images.y_test),
    )


def has_soft_labels(recipe):
    """Whether a recipe's labels are probabilities: smoothed, or of mixed images."""
    mixing = (augment.Mixup, augment.CutMix)
    return bool(recipe.label_smoothing) or any(
        isinstance(transform, mixing) for transform in recipe.transforms
    )


def generators(recipe, images, seed, outputs=1):
    """Batch generators for training, validation and test.

    Args:
        recipe: A `Recipe`.
        images: A `Cifar10`.
        seed: Seed of order and augmentation.
        outputs: Outputs of the network that learn the labels, side branches
            included; the test images are for the first alone.

    Returns:
        Three `augment.BatchGenerator`: only the first shuffles and augments; the
        second is `None` where nothing validates.
    """
    train, validation, test = images_for(recipe, images)
    transforms = [
        transform(train[0]) if isinstance(transform, type) else transform
        for transform in recipe.transforms
    ]
    scale = {"mean": augment.MEAN, "std": augment.STD}
    if not recipe.standardise:
        scale = {"mean": None, "std": None}
    classes = 10 if has_soft_labels(recipe) else None
    fixed = {"batch_size": 500, "shuffle": False, "classes": classes, **scale}
    return (
        augment.BatchGenerator(
            *train,
            transforms,
            batch_size=recipe.batch_size,
            seed=seed,
            classes=classes,
            label_smoothing=recipe.label_smoothing,
            outputs=outputs,
            **scale,
        ),
        validation and augment.BatchGenerator(*validation, outputs=outputs, **fixed),
        augment.BatchGenerator(*test, **fixed),
    )


def compile_model(model, recipe, steps):
    """Compile a model as a recipe says.

    Args:
        model: A `keras.Model` that returns class probabilities; those of side
            branches behind its own, whose losses count `SIDE_LOSS_WEIGHT`.
        recipe: A `Recipe`.
        steps: Training steps of the whole run.
    """
    loss = "sparse_categorical_crossentropy"
    if has_soft_labels(recipe):
        loss = "categorical_crossentropy"
    optimizer = recipe.optimizer(steps, recipe.weight_decay)
    optimizer.exclude_from_weight_decay(var_list=spared_from_decay(model))
    if len(model.outputs) == 1:
        model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
        return
    sides = len(model.outputs) - 1
    model.compile(
        optimizer=optimizer,
        loss=[loss] * (1 + sides),
        loss_weights=loss_weights(model),
        metrics=[["accuracy"]] + [[]] * sides,
    )
