"""Train the variants of a study that have no finished run yet."""

import argparse
import functools
import shutil
import sys
from dataclasses import replace

import keras

from helpers import callbacks, data
from helpers.studies.results import folder, missing, study, table
from helpers.studies.sheets import STUDIES
from helpers.train import train
from helpers.training import train_model


def train_variant(name, variant, images, seed=0):
    """Train one variant of a study, or continue its run.

    Args:
        name: A name of `STUDIES`.
        variant: A name of the study's variants.
        images: The whole `Cifar10`.
        seed: Seed of weights, order and augmentation.

    Returns:
        The folder of the run; without its weights, unless it is an architecture's
        own run.

    Raises:
        ValueError: If the folder holds a run that differs.
        DamagedError: If the folder's run cannot be continued.
    """
    chosen, sheet = study(name).variants[variant], study(name)
    if chosen.architecture:
        path = folder(name, variant, seed)
        return train(
            chosen.architecture,
            seed=seed,
            folder=path,
            images=images,
            precision=sheet.precision,
        )
    path = train_model(
        functools.partial(sheet.builder, **chosen.network),
        replace(sheet.recipe, **chosen.recipe),
        images.take(train=sheet.images),
        folder(name, variant, seed),
        chosen.epochs or sheet.recipe.epochs,
        seed,
        sheet.precision,
        info={
            "recipe": f"{name}/{variant}",
            "change": chosen.what,
            "profile": "full",
        },
    )
    # Nobody continues or uses these networks: their curves are the result.
    (path / "model.keras").unlink()
    shutil.rmtree(path / "resume")
    return path


def main(arguments=None):
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.studies", description=__doc__.splitlines()[0]
    )
    parser.add_argument("name", choices=STUDIES, help="study")
    parser.add_argument("--variant", help="default: all that have no finished run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", metavar="FOLDER", help="where CIFAR-10 is")
    options = parser.parse_args(arguments)
    waiting = missing(options.name, options.seed)
    if options.variant:
        if options.variant not in study(options.name).variants:
            parser.error(
                f"the study {options.name} has no variant {options.variant}; choose "
                f"from: {', '.join(study(options.name).variants)}"
            )
        waiting = [variant for variant in waiting if variant == options.variant]
    try:
        images = data.load_cifar10(options.data, source="cifar10")
        for variant in waiting:
            train_variant(options.name, variant, images, options.seed)
            keras.backend.clear_session()
    except (ValueError, OSError, callbacks.DamagedError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on", file=sys.stderr)
        return 130
    print(table(options.name, seed=options.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
