"""Trains a small network on one or on all of two virtual CPUs; prints its weights.

Run as `python tests/devices_child.py one|all FOLDER`; virtual devices must be made
before the backend starts, so this needs a process of its own.
"""

import os
import sys

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import json  # noqa: E402

import keras  # noqa: E402
import numpy as np  # noqa: E402

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * 2,
    )

from helpers import augment, callbacks, devices  # noqa: E402

rng = np.random.default_rng(0)
images = rng.integers(0, 256, (32, 8, 8, 3), dtype=np.uint8)
labels = np.arange(32) % 10
with devices.distribute(sys.argv[1]) as used:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, activation="relu")(inputs)
    outputs = keras.layers.Dense(10, activation="softmax")(keras.layers.Flatten()(x))
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9), "sparse_categorical_crossentropy"
    )
    train = augment.BatchGenerator(images, labels, batch_size=16)
    history = model.fit(
        train,
        epochs=3,
        shuffle=False,
        verbose=0,
        callbacks=callbacks.resumable(sys.argv[2], train),
    )
weights = [float(np.abs(w).sum()) for w in model.get_weights()]
print(
    json.dumps(
        {"devices": len(used), "weights": weights, "loss": history.history["loss"]}
    )
)
