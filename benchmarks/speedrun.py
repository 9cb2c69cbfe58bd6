"""How long the speed run takes on this machine, and what its runs reached.

    python -m benchmarks.speedrun

Times warm training steps and predictions of the recipe `speedrun` on random images,
and says how many epochs fit into twenty minutes. Then come the runs in `logs/`:
accuracy with one and with several views, and the minutes that one waited.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy as np  # noqa: E402

from helpers import runtime  # noqa: E402
from helpers.architectures import BUILDERS  # noqa: E402
from helpers.callbacks import read_run  # noqa: E402
from helpers.fused import faster_on_cpu  # noqa: E402
from helpers.recipes import RECIPES, compile_model  # noqa: E402
from helpers.training import dtype_policy  # noqa: E402

NAME = "speedrun"
MINUTES, IMAGES, TEST = 20, 50_000, 10_000
# A test image is seen once alone, and once in each of six views.
PASSES = 7


def seconds_a_call(call, repeats, warm=3):
    """Returns the median seconds of several calls, after some to warm up."""
    for _ in range(warm):
        call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def positive(text):
    """Reads an option that counts something."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above zero")
    return int(text)


def measure(steps, batch=None):
    """Times the recipe.

    Args:
        steps: training steps, and predictions, that are timed.
        batch: images a step; None for the recipe's.

    Returns:
        Images a second in training, and in prediction.
    """
    recipe = RECIPES[NAME]
    batch = batch or recipe.batch_size
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch, 32, 32, 3)).astype("float32")
    y = keras.utils.to_categorical(rng.integers(0, 10, batch), 10)
    with dtype_policy(recipe.precision):
        model = BUILDERS[NAME]()
        recipe.prepare(model, x)
        fast = faster_on_cpu(model)
        compile_model(fast, recipe, steps=1_000)
    training = seconds_a_call(lambda: fast.train_on_batch(x, y), steps)
    prediction = seconds_a_call(lambda: model.predict_on_batch(x), steps)
    return batch / training, batch / prediction


def main(arguments=None):
    """Prints what was measured and what the logs hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speedrun")
    parser.add_argument(
        "--steps", type=positive, default=20, help="steps that are timed"
    )
    parser.add_argument("--batch", type=positive, help="images a step; the recipe's")
    options = parser.parse_args(arguments)
    training, prediction = measure(options.steps, options.batch)
    epoch, test = IMAGES / training, PASSES * TEST / prediction
    planned = RECIPES[NAME].epochs
    print(runtime.hardware())
    print(f"training {training:.0f} images/s, prediction {prediction:.0f} images/s")
    print(f"an epoch {epoch:.0f} s, evaluation {test:.0f} s")
    print(f"{planned} epochs and evaluation {(planned * epoch + test) / 60:.1f} min")
    print(f"in {MINUTES} minutes {(60 * MINUTES - test) / epoch:.1f} epochs")
    for folder in sorted((runtime.course_root() / "logs").glob(f"{NAME}_*")):
        run = read_run(folder)
        if "test_accuracy_views" in run:
            waited = run.get("wall_seconds")
            minutes = f"{waited / 60:.1f} min" if waited else "interrupted"
            print(
                f"{folder.name}: {run['data']['source']}, {run['test_accuracy']:.2%}, "
                f"views averaged {run['test_accuracy_views']:.2%}, {minutes}, "
                f"{run['hardware']}"
            )


if __name__ == "__main__":
    main()
