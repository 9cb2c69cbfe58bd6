"""A training small enough to be killed often, with everything that can be lost.

It has BatchNormalization, dropout, Adam's slots, an augmenting generator, a plateau
that lowers the rate, early stopping that remembers weights, and a best checkpoint.
"""

from pathlib import Path

import keras
import numpy as np

from helpers import augment, callbacks
from helpers.callbacks import state

EPOCHS = 8
# With it training stops early.
SEED = {"torch": 5, "jax": 6}.get(keras.backend.backend(), 1)


def images(count=48, seed=0):
    """Noise whose brightness depends on the class, `(count, 8, 8, 3)` uint8."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 4
    noise = rng.integers(0, 160, size=(count, 8, 8, 3))
    return (noise + 24 * labels[:, None, None, None]).astype("uint8"), labels


def build(rate=0.1, dropout=0.4, filters=4, optimizer=None, seed=SEED, **options):
    """A convolutional network of some 100 weights, compiled."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(filters, 3, strides=2, use_bias=False)(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.ReLU()(x)
    x = keras.layers.Dropout(dropout)(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    outputs = keras.layers.Dense(4, activation="softmax")(x)
    model = keras.Model(inputs, outputs)
    model.compile(
        optimizer or keras.optimizers.Adam(rate),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        **options,
    )
    return model


_KEPT = {}


def fresh():
    """The default network as `build` makes it, traced once for all trainings.

    A restart of Python would build it anew; to stand for one, all variables are set
    back, and what else a model carries from one `fit` to the next must not matter.
    """
    if not _KEPT:
        _KEPT["model"] = build()
        _KEPT["start"] = state.capture(_KEPT["model"])
        # The first fit of a model draws random numbers of PyTorch while it traces.
        _KEPT["model"].fit(generator(), shuffle=False, steps_per_epoch=1, verbose=0)
    state.restore(_KEPT["model"], _KEPT["start"])
    if keras.backend.backend() == "torch":
        # Dropout without a seed of its own draws from PyTorch's numbers there.
        import torch

        torch.manual_seed(SEED)
    return _KEPT["model"]


def generator(batch_size=16, seed=3):
    """Shuffled, cropped and mirrored batches."""
    transforms = (augment.RandomCrop(1), augment.RandomFlip())
    return augment.BatchGenerator(
        *images(), transforms, batch_size=batch_size, seed=seed
    )


def watchers(folder):
    """Callbacks that remember, with patience so short that memory decides."""
    return [
        callbacks.plateau(patience=1, factor=0.5, min_delta=0.05, verbose=0),
        keras.callbacks.EarlyStopping(patience=4, restore_best_weights=True),
        keras.callbacks.ModelCheckpoint(
            str(Path(folder) / "best.weights.h5"),
            save_best_only=True,
            save_weights_only=True,
        ),
        callbacks.RunLog(folder, {"seed": 3, "data": {"sha256": "5e"}}),
    ]


def train(folder, model=None, extra=(), epochs=EPOCHS, batches=None, **options):
    """The cell that is run again and again. Returns the model and its history."""
    model = model or fresh()
    batches = batches or generator()
    x, y = images(24, seed=9)
    others = [*watchers(folder), *extra]
    history = model.fit(
        batches,
        shuffle=False,
        epochs=epochs,
        validation_data=(augment.normalize(x), y),
        callbacks=callbacks.resumable(folder, batches, others, **options),
        verbose=0,
    )
    return model, history


def outcome(folder, model, history):
    """Everything that must be the same, as arrays by name."""
    found = dict(state.capture(model))
    found["epochs"] = np.array(history.epoch)
    for name, values in history.history.items():
        found[f"history/{name}"] = np.array(values, dtype="float64")
    for row in callbacks.read_rows(folder):
        values = [value for name, value in row.items() if name != "seconds"]
        found[f"row/{row['epoch']}"] = np.array(values, dtype="float64")
    model.load_weights(str(Path(folder) / "best.weights.h5"))
    found |= {f"best/{i}": array for i, array in enumerate(model.get_weights())}
    return found
