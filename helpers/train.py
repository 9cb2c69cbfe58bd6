"""Train an architecture of the course without a notebook.

    python -m helpers.train separable --epochs 50 --run logs/local/separable

The run's folder gets `history.csv`, `run.json`, `model.keras` and the state that
an interrupted run continues from: the same command goes on where it stopped.
"""

import argparse
import contextlib
import sys
import time
from pathlib import Path

import keras

from helpers import callbacks, data, runtime
from helpers.architectures import BUILDERS
from helpers.architectures.inception_v1 import without_side_branches
from helpers.augment import normalize
from helpers.describe import describe
from helpers.devices import distribute
from helpers.fused import faster_on_cpu, is_fused
from helpers.recipes import (
    PROTOCOLS,
    RECIPES,
    compile_model,
    generators,
    recipe_for,
)

QUICK = {"epochs": 2, "train": 2_000, "validation": 1_000, "test": 1_000}


class Progress(keras.callbacks.Callback):
    """One line an epoch: accuracies, images a second and the time that remains."""

    def __init__(self, images):
        super().__init__()
        self.images = images
        self.begin = None

    def on_epoch_begin(self, epoch, logs=None):
        self.begin = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.perf_counter() - self.begin
        epochs = self.params["epochs"]
        remaining = seconds * (epochs - epoch - 1) / 60
        print(
            f"epoch {epoch + 1}/{epochs}: loss {logs['loss']:.4f}, "
            f"accuracy {logs['accuracy']:.4f}, {validated(logs)}"
            f"{self.images / seconds:.0f} images/s, {remaining:.0f} min left",
            flush=True,
        )


def validated(logs):
    """What `Progress` says of the validation images, nothing where there are none."""
    if "val_loss" not in logs:
        return ""
    return f"val_loss {logs['val_loss']:.4f}, val_accuracy {logs['val_accuracy']:.4f}, "


class MainOutput(keras.callbacks.Callback):
    """Logs loss and accuracy of a network's own output, not of its side branches.

    Where there are several outputs, Keras puts their names in front and logs the sum
    of all losses as the loss.
    """

    def on_epoch_end(self, epoch, logs=None):
        first = self.model.output_names[0]
        for phase in ("", "val_"):
            for name in ("loss", "accuracy"):
                if f"{phase}{first}_{name}" in logs:
                    logs[f"{phase}{name}"] = logs[f"{phase}{first}_{name}"]


def run_info(model, images, training, recipe, seed=0, protocol="sheet"):
    """What `run.json` records about a run beside its measurements.

    Args:
        model: The `keras.Model` that is trained.
        images: The `Cifar10` that it is trained on.
        training: The `BatchGenerator` that `fit` trains on.
        recipe: Name of the recipe.
        seed: Seed of weights, order and augmentation.
        protocol: A name of `PROTOCOLS`: which images validate.

    Returns:
        A dictionary for `callbacks.RunLog`.
    """
    table = describe(model)
    return {
        "architecture": model.name,
        "parameters": table.parameters,
        "macs": table.macs,
        "receptive_field": list(last_field(table)),
        "batch_size": training.batch_size,
        "recipe": recipe,
        "seed": seed,
        "precision": keras.config.dtype_policy().name,
        "profile": "full" if len(training.labels) >= 45_000 else "quick",
        "data": {
            "source": images.source,
            "sha256": images.sha256,
            "protocol": PROTOCOLS[protocol],
            "images": len(training.labels),
        },
    }


def last_field(table):
    """The receptive field of a network, as one pair of numbers.

    Args:
        table: The network's `Description`.

    Returns:
        The field of the last layer that has several positions, (vertical,
        horizontal), in pixels.
    """
    maps = [row for row in table.rows if row.output_size and max(row.output_size) > 1]
    return maps[-1].field.size


def train(
    architecture,
    recipe=None,
    epochs=None,
    seed=0,
    folder=None,
    data_folder=None,
    precision=None,
    profile="full",
    devices="one",
    images=None,
):
    """Train one architecture and log the run; continue it where it was interrupted.

    Args:
        architecture: A name of `BUILDERS`.
        recipe: A name of `RECIPES`; `None` for the architecture's own.
        epochs: Epochs of the run; `None` for the recipe's (2 in quick).
        seed: Seed of weights, order and augmentation.
        folder: The run's folder; `None` for one under `logs/local/`.
        data_folder: Where CIFAR-10 is; `None` searches the usual places.
        precision: "float32" or "mixed_bfloat16"; `None` for the recipe's.
        profile: "quick" trains two epochs on 2,000 images, to see that everything
            works; "full" is the real run.
        devices: "one", or "all" to divide each batch among all devices.
        images: The `Cifar10` to train on, if it is loaded already.

    Returns:
        The folder of the run: `history.csv`, `run.json` and, when it is finished,
        `model.keras`.

    Raises:
        ValueError: If a name is unknown, or the folder holds a run that differs.
        DataError: If there is no data set, or it is damaged.
        DamagedError: If the folder's run cannot be continued.
    """
    if architecture not in BUILDERS:
        raise ValueError(
            f"There is no architecture {architecture!r}. Choose one of: "
            f"{', '.join(BUILDERS)}."
        )
    if epochs is not None and epochs < 1:
        raise ValueError(f"epochs is {epochs}: train for 1 epoch or more.")
    recipe_name, chosen = recipe_for(architecture, recipe)
    quick = profile == "quick"
    if images is None:
        images = data.load_cifar10(data_folder, source="auto" if quick else "cifar10")
    if quick:
        images = images.take(QUICK["train"], QUICK["validation"], QUICK["test"])
    epochs = epochs or (QUICK["epochs"] if quick else chosen.epochs)
    if folder is None:
        name = f"{architecture}_{recipe_name}_{profile}_seed{seed}"
        folder = runtime.runs_folder() / name
    return train_model(
        BUILDERS[architecture],
        chosen,
        images,
        folder,
        epochs,
        seed,
        precision or chosen.precision,
        devices,
        info={
            "architecture": architecture,
            "recipe": recipe_name,
            "profile": profile,
        },
    )


def train_model(
    builder,
    recipe,
    images,
    folder,
    epochs,
    seed=0,
    precision="float32",
    devices="one",
    info=None,
):
    """Train what a builder builds and log the run; continue it where it stopped.

    Args:
        builder: Function of nothing that returns an uncompiled `keras.Model`; of
            several outputs, if it has side branches, which are trained too and
            then left out.
        recipe: A `Recipe`.
        images: The `Cifar10` to train on.
        folder: The run's folder.
        epochs: Epochs of the run.
        seed: Seed of weights, order and augmentation.
        precision: "float32" or "mixed_bfloat16".
        devices: "one", or "all" to divide each batch among all devices.
        info: Fields of `run.json`, among them "recipe", the recipe's name.

    Returns:
        The folder of the run.

    Raises:
        ValueError: If the folder holds a run that differs.
        DamagedError: If the folder's run cannot be continued.
    """
    folder = Path(folder)
    runtime.set_seed(seed)
    with dtype_policy(precision), distribute(devices) as used:
        whole = builder()
        # What is used after training, and counted: the network without side branches.
        plain = whole
        if len(whole.outputs) > 1:
            plain = without_side_branches(whole)
        training, validation, test = generators(
            recipe, images, seed, len(whole.outputs)
        )
        if recipe.prepare:
            sample = images.x_train[:5_000]
            recipe.prepare(whole, normalize(sample, training.mean, training.std))
        model = faster_on_cpu(whole)
        compile_model(model, recipe, steps=epochs * len(training))
        fields = run_info(
            plain, images, training, info["recipe"], seed, recipe.protocol
        )
        fields["fused_batch_normalization"] = is_fused(model)
        fields["devices"] = len(used)
        fields.update(info)
        print(
            f"{plain.name}: {fields['parameters']:,} parameters, {fields['macs']:,} "
            f"multiply-adds, recipe {fields['recipe']}, {images.source}, "
            f"{len(training.labels):,} training images, {epochs} epochs in {folder}",
            flush=True,
        )
        log = callbacks.RunLog(folder, fields)
        model.fit(
            training,
            validation_data=validation,
            epochs=epochs,
            shuffle=False,
            verbose=0,
            callbacks=callbacks.resumable(
                folder,
                training,
                [
                    MainOutput(),
                    *recipe.callbacks(),
                    Progress(len(training.labels)),
                    log,
                ],
            ),
        )
        whole.set_weights(model.get_weights())
        plain.save(folder / "model.keras")
        loss = model.loss[0] if isinstance(model.loss, list) else model.loss
        begin = time.perf_counter()
        found = {"test_accuracy": accuracy(plain, test, loss)}
        if recipe.views:
            averaged = recipe.views(plain)
            found["test_accuracy_views"] = accuracy(averaged, test, loss)
        test_seconds = round(time.perf_counter() - begin, 3)
    callbacks.update_run(folder, **found, test_seconds=test_seconds)
    for name, value in found.items():
        print(f"{name.replace('_', ' ')} {value:.4f} ({images.source}); see {folder}")
    return folder


@contextlib.contextmanager
def dtype_policy(name):
    """Keras' global policy for a while, such as "mixed_bfloat16"."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def accuracy(model, images, loss):
    """The share of images that a model classifies rightly.

    Args:
        model: A `keras.Model`, compiled here.
        images: A `BatchGenerator` of images and labels.
        loss: Loss that takes these labels.
    """
    model.compile(loss=loss, metrics=["accuracy"])
    return model.evaluate(images, verbose=0, return_dict=True)["accuracy"]


def listing():
    """A line an architecture: parameters, multiply-adds and receptive field.

    Returns:
        A table as text; the receptive field is that of the last layer that still
        has several positions, in pixels.
    """
    lines = [
        f"{'architecture':16} {'parameters':>12} {'multiply-adds':>14} "
        f"{'receptive field':>16}"
    ]
    for name, builder in BUILDERS.items():
        table = describe(builder())
        height, width = last_field(table)
        lines.append(
            f"{name:16} {table.parameters:12,} {table.macs:14,} "
            f"{f'{height}x{width}':>16}"
        )
    return "\n".join(lines)


def parser():
    """The command line of `python -m helpers.train`."""
    found = argparse.ArgumentParser(
        prog="python -m helpers.train", description=__doc__.splitlines()[0]
    )
    found.add_argument("name", nargs="?", choices=BUILDERS, help="architecture")
    found.add_argument("--list", action="store_true", help="print the architectures")
    found.add_argument("--epochs", type=int, help="default: the recipe's")
    found.add_argument("--recipe", choices=RECIPES, help="default: the network's own")
    found.add_argument("--seed", type=int, default=0)
    found.add_argument("--data", metavar="FOLDER", help="where CIFAR-10 is")
    found.add_argument(
        "--precision",
        choices=["float32", "mixed_bfloat16"],
        help="default: the recipe's",
    )
    found.add_argument(
        "--devices", default="one", choices=["one", "all"], help="divide each batch"
    )
    found.add_argument("--profile", default="full", choices=["quick", "full"])
    found.add_argument("--run", metavar="FOLDER", help="default: under logs/local")
    return found


def main(arguments=None):
    """Run the command line; returns the exit code."""
    options = parser().parse_args(arguments)
    if options.list:
        print(listing())
        return 0
    if options.name is None:
        parser().error("name an architecture, or use --list")
    try:
        train(
            options.name,
            recipe=options.recipe,
            epochs=options.epochs,
            seed=options.seed,
            folder=options.run,
            data_folder=options.data,
            precision=options.precision,
            profile=options.profile,
            devices=options.devices,
        )
    except (ValueError, callbacks.DamagedError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
