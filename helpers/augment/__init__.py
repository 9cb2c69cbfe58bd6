"""Augmentation: a batch generator and the transformations that it applies.

`generator` makes the batches, `geometry` and `warp` move pixels, `colour` shifts
colours, `erasing` hides parts, `mixing` mixes images, `normalise` prepares images
and labels for the network. All of it is NumPy and gives NumPy, whatever the Keras
backend; warps alone import OpenCV.
"""

from helpers.augment.base import Transformation
from helpers.augment.colour import ChannelShift, PCAColour
from helpers.augment.erasing import Cutout, RandomErasing
from helpers.augment.generator import BatchGenerator
from helpers.augment.geometry import AlternatingFlip, RandomCrop, RandomFlip
from helpers.augment.mixing import CutMix, Mixup
from helpers.augment.normalise import MEAN, STD, normalize, one_hot
from helpers.augment.warp import (
    ElasticWarp,
    RandomRotation,
    RandomShear,
    RandomShift,
    RandomZoom,
)

__all__ = [
    "MEAN",
    "STD",
    "AlternatingFlip",
    "BatchGenerator",
    "ChannelShift",
    "CutMix",
    "Cutout",
    "ElasticWarp",
    "Mixup",
    "PCAColour",
    "RandomCrop",
    "RandomErasing",
    "RandomFlip",
    "RandomRotation",
    "RandomShear",
    "RandomShift",
    "RandomZoom",
    "Transformation",
    "normalize",
    "one_hot",
]
