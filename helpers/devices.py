"""Training on all devices of a machine: the batch divided among them.

Each device holds the whole network and gets an equal part of every batch; the
gradients are averaged before each step, so the training is that of one device with
the whole batch. Batch normalisation is the exception on TensorFlow: each device
normalises by its own part.
"""

import contextlib

import keras


def devices():
    """Names the devices that a training could use.

    Returns:
        A list of names: the accelerators where there are any, else the CPUs that the
        backend sees.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        found = tf.config.list_logical_devices("GPU")
        found = found or tf.config.list_logical_devices("CPU")
        return [device.name for device in found]
    if backend == "torch":
        # keras.distribution does not know PyTorch.
        import torch

        return [f"cuda:{k}" for k in range(torch.cuda.device_count())] or ["cpu"]
    return [str(device) for device in keras.distribution.list_devices()]


@contextlib.contextmanager
def distribute(which="one"):
    """Divide the batches of everything built and trained inside among devices.

    Build, compile and train the model inside the `with` block. TensorFlow uses
    `tf.distribute.MirroredStrategy`, JAX `keras.distribution.DataParallel`.

    Args:
        which: "one" changes nothing; "all" uses every device of `devices()`.

    Yields:
        The names of the devices used.

    Raises:
        ValueError: If `which` is another word, or the backend cannot divide batches.
    """
    if which not in ("one", "all"):
        raise ValueError(f"devices is {which!r}: choose 'one' or 'all'.")
    backend = keras.backend.backend()
    if which == "one":
        yield devices()[:1]
    elif backend == "tensorflow":
        import tensorflow as tf

        names = devices()
        with tf.distribute.MirroredStrategy(names).scope():
            yield names
    elif backend == "jax":
        before = keras.distribution.distribution()
        keras.distribution.set_distribution(keras.distribution.DataParallel())
        try:
            yield devices()
        finally:
            keras.distribution.set_distribution(before)
    else:
        raise ValueError(
            f"Keras' {backend} backend trains on one device. Set "
            "KERAS_BACKEND=tensorflow or KERAS_BACKEND=jax for devices='all'."
        )
