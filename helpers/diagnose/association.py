"""Whether labels have anything to do with their images, without a network."""

from dataclasses import dataclass

import numpy as np

# Fewer images do not tell a weak link from none.
_FEWEST = 500
# Share of right answers above chance, in standard errors. Shuffled labels pass three
# with a probability of 0.1%; those of ten classes of 1,000 images have 20 and more.
_STANDARD_ERRORS = 3.0
# The least link to expect of real labels, from 0 at chance to 1 with all right.
# CIFAR-10's cats and dogs, the pair that is hardest to tell apart, have 0.14 with 500
# images and 0.18 with 1,024; its ten classes 0.30 with 1,000.
_LEAST_LINK = 0.1
# Images are averaged over a grid of this many cells each way.
_GRID = 8
# Strength of the penalty of the linear classifier, relative to the features.
_PENALTY = 0.1


@dataclass(frozen=True)
class Association:
    """How well a linear classifier does on images that it was not fitted to.

    Attributes:
        recall: Share of a class's images that it has right, the mean over the classes,
            so that a rare class counts as much as a common one.
        chance: The mean with the same predictions and labels in any order, which is
            one divided by the number of classes.
        error: Standard error of the recall, with labels in any order. It is large
            where a class has few images.
    """

    recall: float
    chance: float
    error: float

    @property
    def seen(self) -> bool:
        """Whether the recall is more than chance explains."""
        return self.recall - self.chance >= _STANDARD_ERRORS * self.error

    @property
    def by_chance(self) -> bool:
        """Whether no link is seen, and that of real labels would have been.

        Neither this nor `seen` where there are too few images of a class to tell.
        """
        # As far above what chance reaches as that is above chance.
        enough = 2.0 * _STANDARD_ERRORS * self.error
        return not self.seen and enough < _LEAST_LINK * (1.0 - self.chance)

    def __str__(self) -> str:
        return (
            f"a linear classifier has {self.recall:.1%} of a class right on average, "
            f"chance {self.chance:.1%}"
        )


def association(images: np.ndarray, classes: np.ndarray) -> Association | None:
    """Measures how well coarse pixels and textures foretell the label.

    Half of the images fit a ridge regression to one value a class, the other half
    tests it, and the other way round. A rare class counts as much as a common one.

    Args:
        images: `(n, height, width, channels)`.
        classes: Class of each image, `(n,)`.

    Returns:
        What was measured; None for fewer than 500 images, or other data than images.
    """
    if images.ndim != 4 or len(images) < _FEWEST:
        return None
    features = _features(np.asarray(images, "float32"))
    features -= features.mean(axis=0)
    features /= np.maximum(features.std(axis=0), 1e-6)
    names, numbers = np.unique(classes, return_inverse=True)
    counts = np.bincount(numbers)
    # Divided by its share, a class is guessed where it is likelier than usual.
    targets = np.eye(len(names), dtype="float32")[numbers]
    targets = targets / targets.mean(axis=0) - 1.0
    order = np.random.default_rng(0).permutation(len(images))
    guesses = np.empty(len(images), int)
    for fitted, tested in (np.array_split(order, 2), np.array_split(order, 2)[::-1]):
        kernel = features[fitted] @ features[fitted].T
        penalty = _PENALTY * np.trace(kernel) / len(fitted)
        solution = np.linalg.solve(
            kernel + penalty * np.eye(len(fitted), dtype="float32"), targets[fitted]
        )
        scores = features[tested] @ (features[fitted].T @ solution)
        guesses[tested] = scores.argmax(axis=1)
    right = np.bincount(numbers[guesses == numbers], minlength=len(names))
    recall = float(np.mean(right / counts))
    # With labels in any order, each class is a sample of all guesses.
    guessed = np.bincount(guesses, minlength=len(names)) / len(numbers)
    error = np.sqrt(np.sum(guessed * (1.0 - guessed) / counts)) / len(names)
    return Association(recall, 1.0 / len(names), float(error))


def _features(images):
    """Coarse pixels, and how much neighbours differ in four directions."""
    height, width = images.shape[1:3]
    rows = np.linspace(0, height, min(_GRID, height) + 1).astype(int)[:-1]
    columns = np.linspace(0, width, min(_GRID, width) + 1).astype(int)[:-1]
    sums = np.add.reduceat(np.add.reduceat(images, rows, axis=1), columns, axis=2)
    texture = [images.std(axis=(1, 2))]
    for step in (1, 2, 4):
        if step >= min(height, width):
            break
        here, there = images[:, :-step, :-step], images[:, step:, step:]
        right, down = images[:, :-step, step:], images[:, step:, :-step]
        texture += [
            np.abs(a - b).mean(axis=(1, 2))
            for a, b in ((here, right), (here, down), (here, there), (right, down))
        ]
    return np.concatenate([sums.reshape(len(images), -1), *texture], axis=1)
