"""The source network: the assignment's, trained on the classes that are not new."""

import functools
import shutil
from pathlib import Path

from helpers.architectures.separable import separable
from helpers.recipes import PROTOCOLS, RECIPES
from helpers.studies.results import finished
from helpers.train import train_model
from helpers.transfer.classes import NEW, only, others

SOURCE = "source_seed0"


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
        return path
    old = only(images, others(images))
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
