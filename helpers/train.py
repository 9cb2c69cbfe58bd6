"""Train an architecture of the course without a notebook.

    python -m helpers.train separable --epochs 50 --run logs/local/separable

The run's folder gets `history.csv`, `run.json`, `model.keras` and the state that
an interrupted run continues from: the same command goes on where it stopped.
"""

import argparse
import sys

from helpers import callbacks, data, runtime
from helpers.architectures import BUILDERS
from helpers.describe import describe
from helpers.recipes import RECIPES, recipe_for
from helpers.training import last_field, train_model

QUICK = {"epochs": 2, "train": 2_000, "validation": 1_000, "test": 1_000}


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
        precision: "float32", "mixed_bfloat16", or "mixed_float16" for GPUs older
            than Ampere; `None` for the recipe's.
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
        choices=["float32", "mixed_bfloat16", "mixed_float16"],
        help="default: the recipe's; mixed_float16 for GPUs without bfloat16",
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
    except (ValueError, OSError, callbacks.DamagedError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
