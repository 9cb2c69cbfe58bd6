"""The study of the assignment: how to spend 100,000 parameters.

Eight epochs of 45,000 images in place of fifty of 50,000, so that a variant takes
ten to twenty minutes of one core, and 5,000 images to choose by.
"""

from dataclasses import replace
from functools import partial

from helpers.architectures.search_space import separable_stages
from helpers.optimizers import one_cycle_muon
from helpers.recipes import RECIPES
from helpers.studies.base import Study, Variant

RECIPE = replace(RECIPES["assignment"], protocol="split", epochs=8)


def small_branches(model, images):
    """Begin every residual block as the identity, a learned scale of zero."""
    for layer in model.layers:
        if layer.name.endswith("_b_bn"):
            layer.gamma.assign(layer.gamma * 0.0)


def stages(*chosen):
    """Arguments of the builder that differ: channels, blocks and kernel by stage."""
    return {"stages": chosen}


OWN = stages((32, 1, 3), (64, 3, 3), (108, 2, 3))

ASSIGNMENT = Study(
    "How should a separable network spend 100,000 parameters?",
    RECIPE,
    {
        "own": Variant("32, 64, 108 channels", network=OWN),
        "stem": Variant(
            "32, 64, 108 channels, 12 kernels a colour at first",
            network=OWN | {"stem": 12},
        ),
        "linear": Variant(
            "32, 64, 108 channels, nothing after an addition",
            network=OWN | {"after_addition": False},
        ),
        "hard_silu": Variant(
            "32, 64, 108 channels, hard SiLU for ReLU",
            network=OWN | {"activation": "hard_silu"},
        ),
        "muon": Variant(
            "32, 64, 108 channels, Muon for SGD",
            {"optimizer": one_cycle_muon},
            network=OWN,
        ),
        "three": Variant(
            "48, 64, 96 channels", network=stages((48, 2, 3), (64, 2, 3), (96, 2, 3))
        ),
        "two": Variant("two resolutions: 64, 96 channels"),
        "early": Variant(
            "two resolutions, more of the first: 64, 80 channels",
            network=stages((64, 4, 3), (80, 3, 3)),
        ),
        "deep": Variant(
            "two resolutions, deep and narrow: 48, 64 channels",
            network=stages((48, 4, 3), (64, 7, 3)),
        ),
        "wide_kernels": Variant(
            "two resolutions, 5x5 kernels at the second: 64, 80 channels",
            network=stages((64, 2, 3), (80, 4, 5)),
        ),
        "scales": Variant(
            "two resolutions, blocks begin as identities", {"prepare": small_branches}
        ),
        "no_dropout": Variant("two resolutions, no dropout", network={"dropout": 0.0}),
        "less_decay": Variant(
            "two resolutions, weight decay 0.0002", {"weight_decay": 2e-4}
        ),
    },
    partial(separable_stages, stages=((64, 2, 3), (96, 3, 3))),
    images=None,
    precision="mixed_bfloat16",
)
