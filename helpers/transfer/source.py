"""The source network: the assignment's, trained on the classes that are not new."""

import functools
import shutil
from pathlib import Path

from helpers.architectures.separable import separable
from helpers.callbacks import read_run
from helpers.data import CLASS_NAMES
from helpers.recipes import PROTOCOLS, RECIPES
from helpers.studies.results import finished
from helpers.training import train_model
from helpers.transfer.classes import NEW, only, others

SOURCE = "source_seed0"


def load_source(folder):
    """Build the source network and load its trained weights.

    Only the weights of a saved model can be read by an older Keras too.

    Args:
        folder: Folder of the study.

    Returns:
        An uncompiled `keras.Model` from images `(batch, 32, 32, 3)` to the
        probabilities of the classes that it was trained on.

    Raises:
        FileNotFoundError: If the source network is not trained.
        ValueError: If it was trained on other classes than `NEW` leaves.
    """
    path = Path(folder) / SOURCE
    if not finished(path):
        raise FileNotFoundError(
            f"{path} holds no finished run: train it with python -m helpers.transfer "
            "--source-only."
        )
    source = separable(classes=len(_classes_of(path)))
    source.load_weights(path / "model.keras")
    return source


def train_source(images, folder):
    """Train the source network, continue its run, or leave a finished one alone.

    Args:
        images: The whole `Cifar10`.
        folder: Folder of the study; the run lies in `SOURCE` there.

    Returns:
        The folder of the run, with the network in `model.keras`.

    Raises:
        ValueError: If the folder holds a run that differs.
        DamagedError: If the folder's run cannot be continued.
    """
    path = Path(folder) / SOURCE
    if finished(path):
        there = read_run(path)["data"]
        if there["sha256"] != images.sha256:
            raise ValueError(
                f"{path} was trained on {there['source']}, not on these images "
                f"({images.source}). Move the study's folder away to train it again."
            )
        _classes_of(path)
        return path
    old = only(images, others(images, NEW))
    left_out = " and ".join(images.class_names[label] for label in NEW)
    recipe = RECIPES["course"]
    path = train_model(
        functools.partial(separable, classes=len(old.class_names)),
        recipe,
        old,
        path,
        recipe.epochs,
        info={
            "recipe": "course",
            "change": f"the source network: all classes but {left_out}",
            "profile": "full",
            "classes": list(old.class_names),
            "data": {
                "source": old.source,
                "sha256": old.sha256,
                "protocol": f"{PROTOCOLS['split']}; of all these, the images of "
                f"{len(old.class_names)} classes",
                "images": len(old.y_train),
            },
        },
    )
    # The network is used, its training is not continued.
    shutil.rmtree(path / "resume", ignore_errors=True)
    return path


def _classes_of(path):
    """Names of the classes of a source run; refuses those that `NEW` does not leave."""
    there = read_run(path)["classes"]
    left = [name for label, name in enumerate(CLASS_NAMES) if label not in NEW]
    if there != left:
        raise ValueError(
            f"{path} was trained on {', '.join(there)}; NEW in "
            f"helpers/transfer/classes.py leaves {', '.join(left)}. Set NEW back, or "
            "move the study's folder away to train the source again."
        )
    return there
