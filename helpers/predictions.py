"""Predictions of trained networks, stored beside their weights.

    python -m helpers.predictions logs/lenet5_seed0 logs/separable_seed0

Ten views of 10,000 test images take a core minutes; stored, they are read in
milliseconds, on any machine and without the images. A file holds logarithms of
probabilities as float16, which keeps a probability of a half to 0.03%.

Paper: ImageNet Classification with Deep Convolutional Neural Networks (ten views),
https://papers.nips.cc/paper/4824
"""

import argparse
import hashlib
import io
import itertools
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import ops

from helpers import data
from helpers.architectures import BUILDERS
from helpers.augment import MEAN, STD, normalize
from helpers.callbacks import read_run
from helpers.callbacks.atomic import write_atomic
from helpers.recipes import RECIPES
from helpers.views import shifted

FILE, WEIGHTS = "predictions.npz", "model.keras"
# Views of AlexNet's ten: the middle and four corners, each seen mirrored too. What a
# group adds is stored as one mean: (rows, columns) of the shift, and whether mirrored.
CORNER = 2
GROUPS = (
    [((0, 0), False)],
    [((0, 0), True)],
    list(itertools.product(itertools.product((-CORNER, CORNER), repeat=2), (0, 1))),
)
# By the number of views that are averaged, the groups that they are.
VIEWS = {1: 1, 2: 2, 10: 3}
_TINY = np.finfo("float32").tiny
# Another precision than that of the training may turn a few close decisions.
_TOLERANCE = 0.001


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a network says about the test images, and about those held out.

    Attributes:
        groups: probabilities of the test images, the mean of each of `GROUPS`,
            `(3, images, classes)`.
        labels: the test images' labels, `(images,)`.
        validation: probabilities of the held-out images, one view,
            `(images, classes)`; None where the network was trained on them.
        validation_labels: their labels, or None.
        source: what the images are.
        sha256: the images' hash; predictions of the same images may be averaged.
    """

    groups: np.ndarray
    labels: np.ndarray
    validation: np.ndarray | None
    validation_labels: np.ndarray | None
    source: str
    sha256: str

    def test(self, views: int = 1) -> np.ndarray:
        """Averages probabilities of the test images over views.

        Args:
            views: 1, the image; 2, also mirrored; 10, also shifted by `CORNER` pixels
                to each corner, and those mirrored.

        Returns:
            Probabilities, `(images, classes)`.

        Raises:
            ValueError: if that many views are not stored.
        """
        if views not in VIEWS:
            raise ValueError(
                f"views is {views!r}: choose one of {', '.join(map(str, VIEWS))}."
            )
        number = VIEWS[views]
        sizes = [len(group) for group in GROUPS[:number]]
        return np.average(self.groups[:number], axis=0, weights=sizes)


def group_model(model: keras.Model) -> keras.Model:
    """Builds a model of the mean probabilities of each group of views.

    Args:
        model: a model of images with one output, of probabilities.

    Returns:
        A model of the same images with an output a group of `GROUPS`.
    """
    inputs = keras.Input(model.input_shape[1:], name="image")
    outputs = []
    for group in GROUPS:
        total = 0.0
        for (rows, columns), mirrored in group:
            view = shifted(inputs, rows, columns)
            total += model(ops.flip(view, axis=2) if mirrored else view)
        outputs.append(total / len(group))
    return keras.Model(inputs, outputs, name=f"{model.name}_groups")


def write(folder: str | Path, images: data.Cifar10, batch_size: int = 250) -> Path:
    """Predicts test and held-out images with a run's network, and stores it.

    Args:
        folder: a finished run with its `model.keras`.
        images: the data set that the run was trained on.
        batch_size: images a step.

    Returns:
        The file.

    Raises:
        FileNotFoundError: if the folder holds no finished run, or no weights.
        ValueError: if the images are not those of the run, its recipe is unknown, or
            the accuracy is not the one that the run recorded.
    """
    folder = Path(folder)
    run = read_run(folder)
    if not run.get("finished") or not (folder / WEIGHTS).exists():
        raise FileNotFoundError(
            f"{folder} holds no finished run with a {WEIGHTS}: train it first with "
            "python -m helpers.train."
        )
    if run["data"]["sha256"] != images.sha256:
        raise ValueError(
            f"{folder} was trained on {run['data']['source']}, other images than "
            f"these ({images.source}): the split would be another one, too."
        )
    if run["recipe"] not in RECIPES:
        raise ValueError(
            f"{folder} has the recipe {run['recipe']!r}, which is not one of "
            f"{', '.join(RECIPES)}: how to scale its images is not known."
        )
    if run["architecture"] not in BUILDERS:
        raise ValueError(
            f"{folder} has the architecture {run['architecture']!r}, which is not one "
            f"of {', '.join(BUILDERS)}: nothing can take its weights."
        )
    recipe = RECIPES[run["recipe"]]
    scale = (MEAN, STD) if recipe.standardise else (None, None)
    # Only the weights of a saved model can be read by an older Keras too.
    model = BUILDERS[run["architecture"]]()
    model.load_weights(folder / WEIGHTS)
    settings = {"batch_size": batch_size, "verbose": 0}
    x_test = normalize(images.x_test, *scale)
    groups = np.stack(group_model(model).predict(x_test, **settings))
    accuracy = np.mean(groups[0].argmax(1) == images.y_test)
    if abs(accuracy - run["test_accuracy"]) > _TOLERANCE:
        raise ValueError(
            f"{folder} recorded a test accuracy of {run['test_accuracy']:.4f}, and "
            f"its {WEIGHTS} has {accuracy:.4f}: these are not its weights."
        )
    arrays = {"test": _packed(groups), "test_labels": images.y_test}
    if recipe.protocol == "split":
        x_val = normalize(images.x_val, *scale)
        arrays["validation"] = _packed(model.predict(x_val, **settings))
        arrays["validation_labels"] = images.y_val
    about = {
        "source": images.source,
        "sha256": images.sha256,
        "weights": _digest(folder / WEIGHTS),
    }
    file = io.BytesIO()
    np.savez_compressed(file, about=np.array(json.dumps(about)), **arrays)
    return write_atomic(folder / FILE, file.getvalue())


def read(folder: str | Path) -> Predictions:
    """Reads a run's stored predictions.

    Args:
        folder: the run's folder.

    Returns:
        The `Predictions`.

    Raises:
        FileNotFoundError: if there are none.
        ValueError: if the weights beside them are others than those that predicted.
    """
    path = Path(folder) / FILE
    command = f"python -m helpers.predictions {folder}"
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: make it with {command}.")
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    about = json.loads(str(arrays.pop("about")))
    weights = path.with_name(WEIGHTS)
    if weights.exists() and _digest(weights) != about["weights"]:
        raise ValueError(f"{path} is of other weights: make it again with {command}.")
    held_out = arrays.get("validation")
    return Predictions(
        groups=_unpacked(arrays["test"]),
        labels=arrays["test_labels"],
        validation=None if held_out is None else _unpacked(held_out),
        validation_labels=arrays.get("validation_labels"),
        source=about["source"],
        sha256=about["sha256"],
    )


def stack(runs: Mapping[str, Predictions], views: int = 1) -> np.ndarray:
    """Puts the networks' predictions of the test images into one array.

    Args:
        runs: predictions by name.
        views: as for `Predictions.test`.

    Returns:
        Probabilities, `(networks, images, classes)`.

    Raises:
        ValueError: if they are not of the same images.
    """
    sources = {name: one.source for name, one in runs.items()}
    if len({one.sha256 for one in runs.values()}) != 1:
        raise ValueError(f"these predictions are not of the same images: {sources}.")
    return np.stack([one.test(views) for one in runs.values()])


def _packed(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(probabilities, _TINY)).astype("float16")


def _unpacked(logarithms: np.ndarray) -> np.ndarray:
    probabilities = np.exp(logarithms.astype("float32"))
    return probabilities / probabilities.sum(-1, keepdims=True)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.predictions", description=__doc__.splitlines()[0]
    )
    parser.add_argument("folders", nargs="+", type=Path, help="folders of runs")
    parser.add_argument("--data", metavar="FOLDER", help="where CIFAR-10 is")
    options = parser.parse_args(arguments)
    try:
        images = data.load_cifar10(options.data, source="cifar10")
        for folder in options.folders:
            path = write(folder, images)
            print(f"{path}: {path.stat().st_size:,} bytes ({images.source})")
    except (ValueError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
