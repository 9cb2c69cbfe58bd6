"""One training as a recipe says, from the built network to its test accuracy."""

import contextlib
import time
from pathlib import Path

import keras

from helpers import callbacks, runtime
from helpers.architectures.inception_v1 import without_side_branches
from helpers.augment import normalize
from helpers.callbacks.progress import MainOutput, Progress
from helpers.describe import describe
from helpers.devices import distribute
from helpers.fused import faster_on_cpu, is_fused
from helpers.recipes import PROTOCOLS, compile_model, generators


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
        precision: "float32", "mixed_bfloat16" or "mixed_float16".
        devices: "one", or "all" to divide each batch among all devices.
        info: Fields of `run.json`, among them "recipe", the recipe's name.

    Returns:
        The folder of the run.

    Raises:
        ValueError: If the folder holds a run that differs.
        DamagedError: If the folder's run cannot be continued.
    """
    began = time.perf_counter()
    folder = Path(folder)
    continued = bool(callbacks.read_run(folder))
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
        # Without the optimiser: it doubles the file, and needs the course to be read.
        bare = keras.Model(plain.input, plain.output, name=plain.name)
        bare.save(folder / "model.keras")
        loss = model.loss[0] if isinstance(model.loss, list) else model.loss
        begin = time.perf_counter()
        found = {"test_accuracy": accuracy(plain, test, loss)}
        if recipe.views:
            averaged = recipe.views(plain)
            found["test_accuracy_views"] = accuracy(averaged, test, loss)
        now = time.perf_counter()
    # From building the network to its evaluation: what one would wait. Of a run that
    # was interrupted nobody has waited that long, nor knows what was lost.
    waited = None if continued else round(now - began, 3)
    test_seconds = round(now - begin, 3)
    callbacks.update_run(
        folder, **found, test_seconds=test_seconds, wall_seconds=waited
    )
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
