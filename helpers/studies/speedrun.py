"""The study of the speed run: its recipe, with one step changed at a time.

Eight epochs of 45,000 images in place of sixteen of 50,000, so that a variant takes
about eight minutes on two cores, and 5,000 images to choose by. What averaging over
views gains stands in every run: `run.json` has the test accuracy without and with it.
"""

from dataclasses import replace
from functools import partial

from helpers import augment
from helpers.architectures.speedrun import speedrun, whiten
from helpers.callbacks import Lookahead
from helpers.optimizers import speedrun_sgd
from helpers.recipes import RECIPES
from helpers.studies.base import Study, Variant

RECIPE = replace(RECIPES["speedrun"], protocol="split", epochs=8)
CROP, FLIP = RECIPE.transforms
CUTOUT = augment.Cutout(8)
LEARNED = {"whitened": False}
# The bias of a first layer that learns goes on learning too.
ON = {"optimizer": partial(speedrun_sgd, whitening=1.0)}
# The published program without the average has these settings in place of the
# recipe's: a lower rate that ends at zero, and slower moving statistics.
ALONE = {"optimizer": partial(speedrun_sgd, peak=10 / 11.5 * 1.5, rise=0.2, end=0.0)}
SLOW = {"momentum": 0.9}
# Half of the images a step: half the rate, and averages over twice as many steps.
HALF = {
    "batch_size": 512,
    "optimizer": partial(speedrun_sgd, peak=0.75),
    "callbacks": lambda: [Lookahead(every=10)],
}

SPEEDRUN = Study(
    "What does each step of the speed run buy?",
    RECIPE,
    {
        "recipe": Variant("the recipe"),
        "learned": Variant("whitening learns on", ON, network=LEARNED),
        "random": Variant(
            "first layer random, learned", {"prepare": None, **ON}, network=LEARNED
        ),
        "no_dirac": Variant("no identity in the kernels", network={"dirac": False}),
        "slow_biases": Variant(
            "biases not faster", {"optimizer": partial(speedrun_sgd, bias_factor=1.0)}
        ),
        "no_smoothing": Variant("no label smoothing", {"label_smoothing": 0.0}),
        "no_decay": Variant("no weight decay", {"weight_decay": 0.0}),
        "random_flip": Variant(
            "mirrored at random", {"transforms": (CROP, augment.RandomFlip())}
        ),
        "damped": Variant(
            "whitening with epsilon 0.02", {"prepare": partial(whiten, epsilon=0.02)}
        ),
        "no_lookahead": Variant(
            "no average of weights", {"callbacks": list, **ALONE}, SLOW
        ),
        "half_batches": Variant("batches of 512", HALF, {"momentum": 0.6**0.5}),
        "shifted_far": Variant(
            "shifted by 4 pixels in place of 2",
            {"transforms": (augment.RandomCrop(4, mode="reflect"), FLIP)},
        ),
        "cutout": Variant("cutout of 8x8", {"transforms": (CROP, FLIP, CUTOUT)}),
        "gelu": Variant("GELU in place of ReLU", network={"activation": "gelu"}),
    },
    speedrun,
    images=None,
    precision="mixed_bfloat16",
)
