"""Augmentation: a batch generator and the transformations that it applies."""

from helpers.augment.generator import MEAN, STD, BatchGenerator, normalize
from helpers.augment.geometry import RandomCrop, RandomFlip

__all__ = ["MEAN", "STD", "BatchGenerator", "RandomCrop", "RandomFlip", "normalize"]
