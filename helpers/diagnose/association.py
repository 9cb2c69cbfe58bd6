"""Whether labels have anything to do with their images, without a network."""

from dataclasses import dataclass

import numpy as np

# Fewer images do not tell a weak link from none.
_FEWEST = 500
# Correct predictions above chance, in standard errors. Shuffled labels pass three
# with a probability of 0.1%; real ones of 1,000 images have 10 and more.
_STANDARD_ERRORS = 3.0
# Images are averaged over a grid of this many cells each way.
_GRID = 8
# Strength of the penalty of the linear classifier, relative to the features.
_PENALTY = 0.1


@dataclass(frozen=True)
class Association:
    """How well a linear classifier does on images that it was not fitted to.

    Attributes:
        accuracy: Share of the images that it has right.
        chance: The same with the same predictions and labels in any order.
        errors: The difference in standard errors.
    """

    accuracy: float
    chance: float
    errors: float

    @property
    def by_chance(self) -> bool:
        """Whether chance explains the accuracy."""
        return self.errors < _STANDARD_ERRORS

    def __str__(self) -> str:
        return (
            f"a linear classifier has {self.accuracy:.1%} right, chance "
            f"{self.chance:.1%}"
        )


def association(images: np.ndarray, classes: np.ndarray) -> Association | None:
    """Measures how well coarse pixels and textures foretell the label.

    Half of the images fit a ridge regression to one value a class, the other half
    tests it, and the other way round.

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
    targets = np.eye(len(names), dtype="float32")[numbers]
    targets -= targets.mean(axis=0)
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
    accuracy = float(np.mean(guesses == numbers))
    shares = np.bincount(numbers) / len(numbers)
    guessed = np.bincount(guesses, minlength=len(names)) / len(numbers)
    chance = float(shares @ guessed)
    error = np.sqrt(max(chance * (1.0 - chance), 1e-6) / len(numbers))
    return Association(accuracy, chance, float((accuracy - chance) / error))


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
