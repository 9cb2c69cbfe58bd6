"""Training steps of networks as Keras has them, and with the layers of helpers.fused.

    python -m benchmarks.faster separable mobilenet_half
    python -m benchmarks.faster --bfloat16 resnet20

For each network of the course that is named: images a second with Keras' own layers and
as `python -m helpers.train` trains on a CPU, batches of 128 of random images.
"""

import argparse
import os
from functools import partial

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy as np  # noqa: E402

from benchmarks.speedrun import positive, seconds_a_call  # noqa: E402
from helpers import runtime  # noqa: E402
from helpers.architectures import BUILDERS  # noqa: E402
from helpers.fused import faster_on_cpu  # noqa: E402
from helpers.training import dtype_policy  # noqa: E402

BATCH = 128


def rates(name, precision, steps):
    """Times the two ways.

    Args:
        name: a network of the course.
        precision: a dtype policy, "float32" or "mixed_bfloat16".
        steps: training steps that are timed.

    Returns:
        Images a second with Keras' layers, and with those of `helpers.fused`.
    """
    rng = np.random.default_rng(0)
    images = rng.normal(size=(BATCH, 32, 32, 3)).astype("float32")
    labels = rng.integers(0, 10, BATCH)
    found = []
    for change in (lambda model: model, faster_on_cpu):
        with dtype_policy(precision):
            model = change(BUILDERS[name]())
        sgd = keras.optimizers.SGD(0.01, momentum=0.9)
        model.compile(sgd, "sparse_categorical_crossentropy")
        seconds = seconds_a_call(partial(model.train_on_batch, images, labels), steps)
        found.append(BATCH / seconds)
    return tuple(found)


def main(arguments=None):
    """Prints a line a network."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faster")
    parser.add_argument("networks", nargs="+", choices=BUILDERS, metavar="network")
    parser.add_argument("--bfloat16", action="store_true", help="mixed precision")
    parser.add_argument("--steps", type=positive, default=10, help="steps timed")
    options = parser.parse_args(arguments)
    precision = "mixed_bfloat16" if options.bfloat16 else "float32"
    print(f"{runtime.hardware()}, {precision}")
    for name in options.networks:
        plain, fast = rates(name, precision, options.steps)
        print(
            f"{name}: Keras {plain:.0f} images/s, helpers.fused {fast:.0f} images/s, "
            f"{fast / plain:.2f} times as many",
            flush=True,
        )


if __name__ == "__main__":
    main()
