"""The studies of training: which variants each compares.

All train the network `small` on 9,000 of the 45,000 training images: with so few
it overfits, which is what regularisation and augmentation are there to prevent,
and a run takes a minute.
"""

import functools
from dataclasses import replace

import keras

from helpers import augment, callbacks
from helpers.optimizers import nesterov_sgd, one_cycle_sgd
from helpers.recipes import CROP_AND_FLIP, Recipe
from helpers.studies.architectures import ARCHITECTURES
from helpers.studies.assignment import ASSIGNMENT
from helpers.studies.base import Study, Variant
from helpers.studies.modern import MODERN
from helpers.studies.speedrun import SPEEDRUN

EPOCHS = 30


def constant(rate):
    """Recipe fields for a learning rate that stands still."""
    return {"optimizer": lambda steps, decay: nesterov_sgd(rate, decay)}


def falling(rate, *schedule):
    """Recipe fields for a learning rate that callbacks lower.

    Args:
        rate: The rate that training starts with.
        *schedule: Functions that return a callback.
    """
    return {**constant(rate), "callbacks": lambda: [make() for make in schedule]}


def cosine_sgd(steps, weight_decay):
    """SGD that warms up for a tenth of the steps and follows half a cosine to zero."""
    return nesterov_sgd(callbacks.warmup_cosine(0.2, steps, steps // 10), weight_decay)


def one_cycle_adam(steps, weight_decay):
    """Adam with one-cycle rate and decoupled weight decay.

    Args:
        steps: Training steps of the whole run.
        weight_decay: Keras' own value, which multiplies the learning rate.

    Returns:
        A `keras.optimizers.AdamW`, which is Adam where the decay is 0.
    """
    rate = callbacks.one_cycle(2e-3, steps)
    return keras.optimizers.AdamW(rate, weight_decay=weight_decay)


def peak(rate):
    """Recipe fields for a one-cycle learning rate with another peak."""
    return {"optimizer": functools.partial(one_cycle_sgd, peak=rate)}


def transforms(*chosen):
    """Recipe fields for training images that are transformed."""
    return {"transforms": chosen}


PLAIN = Recipe(one_cycle_sgd, epochs=EPOCHS)
DECAY = {"weight_decay": 5e-4}
STEPS = {0: 0.1, EPOCHS // 2: 0.01, EPOCHS * 4 // 5: 0.001}

SCHEDULES = {
    "rate_0.0005": Variant("constant 0.0005", constant(0.0005)),
    "rate_0.02": Variant("constant 0.02", constant(0.02)),
    "rate_0.2": Variant("constant 0.2", constant(0.2)),
    "rate_5": Variant("constant 5", constant(5.0)),
    "plateau": Variant(
        "0.1, times 0.2 on a plateau",
        falling(0.1, functools.partial(callbacks.plateau, patience=3, verbose=0)),
    ),
    "step": Variant(
        "0.1, 0.01, 0.001 in steps",
        falling(0.1, functools.partial(callbacks.step_schedule, STEPS)),
    ),
    "warmup_cosine": Variant("warm-up to 0.2, cosine to 0", {"optimizer": cosine_sgd}),
    "one_cycle": Variant("one cycle, peak 0.2"),
    "batch_32": Variant(
        "one cycle, batch 32, peak 0.05", {**peak(0.05), "batch_size": 32}
    ),
    "batch_512": Variant(
        "one cycle, batch 512, peak 0.8", {**peak(0.8), "batch_size": 512}
    ),
}

AUGMENTATION = {
    "none": Variant("none"),
    "flip": Variant("mirrored", transforms(augment.RandomFlip())),
    "crop": Variant("cropped", transforms(augment.RandomCrop(4))),
    "crop_flip": Variant("cropped and mirrored", transforms(*CROP_AND_FLIP)),
    "any_angle": Variant(
        "turned by any angle", transforms(augment.RandomRotation(180))
    ),
    "rotation": Variant("rotated", transforms(augment.RandomRotation(15))),
    "shift": Variant("shifted", transforms(augment.RandomShift(0.125, 0.125))),
    "shear": Variant("sheared", transforms(augment.RandomShear(15))),
    "zoom": Variant("zoomed", transforms(augment.RandomZoom())),
    "elastic": Variant("warped", transforms(augment.ElasticWarp())),
    "channel_shift": Variant("channels shifted", transforms(augment.ChannelShift())),
    "pca_colour": Variant("colours shifted", transforms(augment.PCAColour)),
    "cutout": Variant("cutout", transforms(augment.Cutout())),
    "random_erasing": Variant("erased", transforms(augment.RandomErasing())),
    "mixup": Variant("mixup", transforms(augment.Mixup())),
    "cutmix": Variant("CutMix", transforms(augment.CutMix())),
    "crop_flip_cutout": Variant(
        "cropped, mirrored, cutout", transforms(*CROP_AND_FLIP, augment.Cutout())
    ),
}

REGULARISATION = {
    "baseline": Variant("batch normalisation before ReLU"),
    "pixels": Variant("pixels divided by 255", {"standardise": False}),
    "low_rate": Variant("batch normalisation, peak 0.02", peak(0.02)),
    "no_norm": Variant("no normalisation", peak(0.02), {"normalization": None}),
    "no_norm_pixels": Variant(
        "no normalisation, pixels divided by 255",
        {**peak(0.02), "standardise": False},
        {"normalization": None},
    ),
    "bn_after_relu": Variant(
        "batch normalisation after ReLU", network={"order": "conv_relu_norm"}
    ),
    "layer": Variant("layer normalisation", network={"normalization": "layer"}),
    "group": Variant("group normalisation", network={"normalization": "group"}),
    "instance": Variant(
        "instance normalisation", network={"normalization": "instance"}
    ),
    "dropout": Variant("dropout 0.3 at the end", network={"dropout": 0.3}),
    "dropout_before_bn": Variant(
        "dropout 0.3 before each batch normalisation",
        network={"dropout": 0.3, "dropout_place": "before_norm"},
    ),
    "weight_decay": Variant("weight decay 5e-4", DECAY),
    "adam": Variant("Adam", {"optimizer": one_cycle_adam}),
    "adam_l2": Variant(
        "Adam, L2 of 5e-4 in the loss", {"optimizer": one_cycle_adam}, {"l2": 5e-4}
    ),
    "adam_decoupled": Variant(
        "Adam, decoupled weight decay 0.1",
        {"optimizer": one_cycle_adam, "weight_decay": 0.1},
    ),
    "label_smoothing": Variant("label smoothing 0.1", {"label_smoothing": 0.1}),
    "crop_flip": Variant("cropped and mirrored", transforms(*CROP_AND_FLIP)),
    "all_together": Variant(
        "weight decay, crop, flip, label smoothing",
        {**DECAY, **transforms(*CROP_AND_FLIP), "label_smoothing": 0.1},
    ),
    "batch4": Variant(
        "batches of 4, batch normalisation",
        {**peak(0.00625), "batch_size": 4},
        epochs=8,
    ),
    "batch4_group": Variant(
        "batches of 4, group normalisation",
        {**peak(0.00625), "batch_size": 4},
        {"normalization": "group"},
        epochs=8,
    ),
}

STUDIES = {
    "schedules": Study(
        "Which learning rate, and how should it change?",
        replace(PLAIN, transforms=CROP_AND_FLIP, **DECAY),
        SCHEDULES,
    ),
    "augmentation": Study("Which changed images help?", PLAIN, AUGMENTATION),
    "regularisation": Study(
        "What do normalisation and regularisation change?", PLAIN, REGULARISATION
    ),
    **ARCHITECTURES,
    **MODERN,
    "speedrun": SPEEDRUN,
    "assignment": ASSIGNMENT,
}
