"""Which classes the source network never sees, and which images of them train.

Airplanes and birds are held out. Six of the ten classes are pairs of near twins
(automobile and truck, cat and dog, deer and horse): holding out one of a pair would
leave its twin to the source network. Of the four others, airplane and bird are one
vehicle and one animal, and both are seen against the sky, so that the ground of the
image does not tell them apart.
"""

import dataclasses

import numpy as np

from helpers.data.dataset import content_order

NEW = (0, 2)  # airplane and bird
LARGEST = 500  # images a class of the largest draw
_KEY = "transfer 0"


def others(images, classes=NEW):
    """The labels of a data set's remaining classes.

    Args:
        images: A `Cifar10`.
        classes: Labels that are left out.

    Returns:
        A tuple of labels, ascending.
    """
    return tuple(k for k in range(len(images.class_names)) if k not in classes)


def only(images, classes):
    """Keep the images of some classes.

    Args:
        images: A `Cifar10`.
        classes: Their labels.

    Returns:
        A `Cifar10` of these images, with labels that count from 0 in the order of
        `classes`; source and hash stay those of the whole data set.

    Raises:
        ValueError: If a label does not exist or comes twice.
    """
    count = len(images.class_names)
    if len(set(classes)) != len(classes) or not set(classes) <= set(range(count)):
        raise ValueError(
            f"classes is {classes}: choose different labels from 0 to {count - 1}."
        )
    number = np.full(count, -1)
    number[list(classes)] = np.arange(len(classes))
    parts = {}
    for part in ("train", "val", "test"):
        labels = number[getattr(images, f"y_{part}")]
        kept = labels >= 0
        parts[f"x_{part}"] = getattr(images, f"x_{part}")[kept]
        parts[f"y_{part}"] = labels[kept].astype("uint8")
    names = tuple(images.class_names[label] for label in classes)
    return dataclasses.replace(images, class_names=names, **parts)


def draw(images, per_class, number=0):
    """Draw training images: the same ones every time, in the same order.

    Draws of different numbers share no image, and a small draw is a part of the
    larger one of the same number. Which images they are depends on their pixels
    alone, not on the order of a data set's files.

    Args:
        images: A `Cifar10`.
        per_class: Images of each class, at most `LARGEST`.
        number: Number of the draw, from 0.

    Returns:
        A `Cifar10` with these training images and all others.

    Raises:
        ValueError: If a class has too few images.
    """
    first = number * LARGEST
    if number < 0 or not 1 <= per_class <= LARGEST:
        raise ValueError(
            f"draw {number} of {per_class} images a class: draws count from 0 and "
            f"have 1 to {LARGEST} images a class."
        )
    chosen = []
    for label, name in enumerate(images.class_names):
        members = np.flatnonzero(images.y_train == label)
        if len(members) < first + per_class:
            raise ValueError(
                f"draw {number} of {per_class} images a class needs "
                f"{first + per_class} of {name}, there are {len(members)}."
            )
        members = members[content_order(images.x_train[members], _KEY)]
        chosen.append(members[first : first + per_class])
    chosen = np.concatenate(chosen)
    return dataclasses.replace(
        images, x_train=images.x_train[chosen], y_train=images.y_train[chosen]
    )
