"""The studies of the architectures' lectures: one change of a network at a time.

Those on all 45,000 training images are full runs of 50 epochs; the others train a
narrow network on 9,000 images for 30 epochs.
"""

import functools
from dataclasses import replace

from helpers.architectures.alexnet import alexnet_cifar
from helpers.architectures.inception_v1 import googlenet_cifar
from helpers.architectures.lenet import lenet5_cifar
from helpers.architectures.network_in_network import nin
from helpers.architectures.vgg import vgg_cifar
from helpers.optimizers import one_cycle_sgd
from helpers.recipes import CROP_AND_FLIP, RECIPES, Recipe
from helpers.studies.base import Study, Variant

SHORT = replace(RECIPES["course"], epochs=30)

# Each variant adds one thing to the one before.
STANDARDISED = {"standardise": True}
AUGMENTED = {**STANDARDISED, "transforms": CROP_AND_FLIP}
DECAYING = {**AUGMENTED, "weight_decay": 5e-4}

LENET = Study(
    "What do preprocessing, augmentation and weight decay change?",
    Recipe(RECIPES["course_low"].optimizer, standardise=False),
    {
        "pixels": Variant("pixels divided by 255"),
        "standardised": Variant("and standardised", STANDARDISED),
        "augmented": Variant("and cropped, mirrored", AUGMENTED),
        "weight_decay": Variant(
            "and weight decay 5e-4", DECAYING, architecture="lenet5"
        ),
        "relu": Variant(
            "and ReLU, max pooling",
            DECAYING,
            {"activation": "relu", "pooling": "max"},
        ),
    },
    lenet5_cifar,
    images=None,
)

ALEXNET = Study(
    "Does local response normalisation help?",
    RECIPES["course_low"],
    {
        "lrn": Variant("local response normalisation", architecture="alexnet"),
        "none": Variant("no normalisation", network={"normalization": "none"}),
        "batch": Variant("batch normalisation", network={"normalization": "batch"}),
    },
    alexnet_cifar,
    images=None,
    # As the architecture's own run.
    precision="mixed_bfloat16",
)

VGG = Study(
    "Does depth help?",
    SHORT,
    {
        f"depth{depth}": Variant(f"VGG-{depth}", network={"depth": depth})
        for depth in (11, 13, 16, 19)
    },
    functools.partial(vgg_cifar, width=0.25, units=(128, 128)),
)

NIN = Study(
    "Averaged maps or a dense head?",
    SHORT,
    {
        "average": Variant("global average pooling"),
        "dense": Variant("dense head", network={"head": "dense"}),
    },
    functools.partial(nin, width=0.5, normalization="batch"),
    precision="mixed_bfloat16",
)

INCEPTION = Study(
    "Do side branches help?",
    SHORT,
    {
        "plain": Variant(
            "no batch normalisation, peak 0.02",
            {"optimizer": functools.partial(one_cycle_sgd, peak=0.02)},
            {"normalization": "none"},
        ),
        "side": Variant(
            "no batch normalisation, peak 0.02, side branches",
            {"optimizer": functools.partial(one_cycle_sgd, peak=0.02)},
            {"normalization": "none", "side_branches": True},
        ),
        "bn": Variant("batch normalisation"),
        "bn_side": Variant(
            "batch normalisation, side branches", network={"side_branches": True}
        ),
    },
    functools.partial(googlenet_cifar, width=0.25),
)

ARCHITECTURES = {
    "lenet": LENET,
    "alexnet": ALEXNET,
    "vgg": VGG,
    "nin": NIN,
    "inception": INCEPTION,
}
