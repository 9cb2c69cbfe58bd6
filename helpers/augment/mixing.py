"""Transformations that mix the images of a batch, and their labels with them."""

import numpy as np

from helpers.augment.base import Transformation, check_number
from helpers.augment.erasing import box_masks, paste


class Mixing(Transformation):
    """A transformation that mixes each image with another one of its batch.

    A subclass implements `mix`. The partners are a random permutation of the
    batch, so an image may meet itself. Numbers are drawn for each image.

    Args:
        alpha: the share that an image keeps of itself is Beta(alpha, alpha):
            uniform for 1, mostly near 0 or 1 for small values.
        probability: share of the images that is mixed.
    """

    def __init__(self, alpha: float, probability: float):
        self.alpha = check_number("alpha", alpha, 1e-3)
        self.probability = check_number("probability", probability, 0, 1)

    def mix(self, images, partners, shares, rng):
        """Returns the mixed images and the share each has of its first image.

        Args:
            images: `(batch, height, width, channels)`, uint8 or float32 in 0..255.
            partners: `(batch,)`, the number of each image's partner.
            shares: `(batch,)`, what each image shall keep of itself.
            rng: where further random numbers come from.

        Returns:
            The images, and the true shares, `(batch,)`.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement mix")

    def apply(self, images, rng):
        raise ValueError(
            f"{type(self).__name__} changes the labels too: call it with images and "
            "one-hot labels"
        )

    def apply_pairs(self, images, labels, rng):
        if labels.ndim != 2 or not np.issubdtype(labels.dtype, np.floating):
            raise ValueError(
                f"{type(self).__name__} needs one-hot labels of shape (batch, "
                f"classes), got {labels.dtype} of shape {labels.shape}: "
                "keras.utils.to_categorical(labels) makes them"
            )
        count = len(images)
        partners = rng.permutation(count)
        shares = rng.beta(self.alpha, self.alpha, count)
        shares[rng.random(count) >= self.probability] = 1
        images, shares = self.mix(images, partners, shares, rng)
        shares = shares.astype(labels.dtype)[:, None]
        return images, shares * labels + (1 - shares) * labels[partners]


class Mixup(Mixing):
    """Averages each image with another one, and their labels likewise.

    uint8 images become float32, so that nothing is rounded.

    Paper: mixup: Beyond Empirical Risk Minimization,
    https://arxiv.org/abs/1710.09412

    Args:
        alpha: shape of the Beta distribution of the shares; 1 in the paper for
            CIFAR-10, 0.1 to 0.4 for ImageNet.
        probability: share of the images that is mixed.
    """

    def __init__(self, alpha: float = 0.2, probability: float = 1.0):
        super().__init__(alpha, probability)

    def mix(self, images, partners, shares, rng):
        flat = images.reshape(len(images), -1).astype("float32")
        weights = shares.astype("float32")[:, None]
        mixed = flat[partners]
        mixed *= 1 - weights
        flat *= weights
        mixed += flat
        return mixed.reshape(images.shape), shares


class CutMix(Mixing):
    """Pastes a box of another image; labels follow the area.

    The box has the image's proportions and is centred anywhere, so that a part of
    it may fall outside; labels count the pixels that were pasted.

    Paper: CutMix: Regularization Strategy to Train Strong Classifiers with
    Localizable Features, https://arxiv.org/abs/1905.04899

    Args:
        alpha: shape of the Beta distribution of the area left; 1 in the paper.
        probability: share of the images that is mixed; 0.5 in the paper for
            CIFAR-10.
    """

    def __init__(self, alpha: float = 1.0, probability: float = 0.5):
        super().__init__(alpha, probability)

    def mix(self, images, partners, shares, rng):
        count, height, width = images.shape[:3]
        sides = np.sqrt(1 - shares)
        tall = np.rint(sides * height).astype(int)
        wide = np.rint(sides * width).astype(int)
        tops = rng.integers(height, size=count) - tall // 2
        lefts = rng.integers(width, size=count) - wide // 2
        masks = box_masks(tops, lefts, tall, wide, height, width)
        return paste(images, images[partners], masks), 1 - masks.mean(axis=(1, 2))
