"""What every architecture must pass; test modules call these with their models."""

import importlib.util
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from helpers.architectures.imagenet import copy_weights

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def cheap_weights(monkeypatch):
    """Fills weights with zeros: random ones take most of the time of building."""
    add_weight = keras.Layer.add_weight

    def zeros(self, shape=None, initializer=None, **kwargs):
        return add_weight(self, shape, "zeros", **kwargs)

    monkeypatch.setattr(keras.Layer, "add_weight", zeros)
    yield
    keras.backend.clear_session()


def parameters(model, trainable=False):
    """Counts the weights of a model, or those that training changes."""
    weights = model.trainable_weights if trainable else model.weights
    return sum(math.prod(weight.shape) for weight in weights)


def output_size(model, layer):
    """The size of a layer's output: (height, width, channels), or (units,)."""
    return tuple(model.get_layer(layer).output.shape[1:])


def random_images(model, count=2, seed=0):
    """Draws images of the size that a model takes."""
    size = model.input_shape[1:]
    return np.random.default_rng(seed).normal(size=(count, *size)).astype("float32")


def outputs_of(model, images):
    """The outputs for images without training: a list of NumPy arrays."""
    return [keras.ops.convert_to_numpy(y) for y in keras.tree.flatten(model(images))]


def check_names(model):
    """Every layer has a name that was chosen, not one that Keras counted up."""
    for layer in model.layers:
        # Keras calls its third Conv2D conv2d_2.
        kind = type(layer).__name__.lower()
        letters = re.sub(r"(_\d+)?$", "", layer.name).replace("_", "")
        one = kind == letters == "flatten"
        assert one or letters != kind, f"{layer.name} is a name that Keras gave"


def check_probabilities(model, classes=10):
    """Every output is a vector of class probabilities."""
    for output in outputs_of(model, random_images(model)):
        assert output.shape == (2, classes)
        np.testing.assert_allclose(output.sum(-1), 1.0, rtol=1e-5)


def check_saves_and_reloads(model, tmp_path):
    """A model written to `.keras` comes back, in safe mode, with the same outputs."""
    images = random_images(model)
    path = Path(tmp_path) / f"{model.name}.keras"
    model.save(path)
    reloaded = keras.models.load_model(path, safe_mode=True)
    assert [x.name for x in reloaded.layers] == [x.name for x in model.layers]
    expected, found = outputs_of(model, images), outputs_of(reloaded, images)
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(other, one)


def check_trains_one_step(model, batch=4, learning_rate=0.1):
    """One step of gradient descent: every weight moves, by a finite amount.

    Runs on the backend that Keras was started with. A gradient that is not finite
    leaves a weight that is not; a weight without a gradient stays as it was.
    """
    images = random_images(model, batch, seed=1)
    classes = model.outputs[0].shape[-1]
    labels = np.arange(batch) % classes
    loss = "sparse_categorical_crossentropy"
    model.compile(
        keras.optimizers.SGD(learning_rate),
        [loss] * len(model.outputs) if len(model.outputs) > 1 else loss,
        # Compiling takes XLA longer than this one step takes without.
        jit_compile=False,
    )
    before = [keras.ops.convert_to_numpy(w) for w in model.trainable_weights]
    targets = [labels] * len(model.outputs) if len(model.outputs) > 1 else labels
    value = model.train_on_batch(images, targets)
    assert np.isfinite(value).all(), f"the loss is {value}"
    for weight, old in zip(model.trainable_weights, before, strict=True):
        new = keras.ops.convert_to_numpy(weight)
        assert np.isfinite(new).all(), f"{weight.path} is no longer finite"
        assert (new != old).any(), f"{weight.path} has no gradient"


def draw_weights(model, seed=0):
    """Gives every weight a random value, batch normalisation's statistics too.

    With the initial values, all ones and zeros, exchanged weights go unnoticed.
    """
    random = np.random.default_rng(seed)
    for weight in model.weights:
        shape, name = tuple(weight.shape), weight.path.rsplit("/", 1)[-1]
        if name in ("gamma", "moving_variance", "variance"):
            value = random.uniform(0.5, 1.5, shape)
        elif len(shape) < 2:
            value = random.normal(0.0, 0.1, shape)
        else:
            depthwise = "depthwise" in name or "depthwise" in weight.path
            fan_in = math.prod(shape[:2] if depthwise else shape[:-1])
            # Standard deviations of He and others 2015, so that values keep their size.
            value = random.normal(0.0, math.sqrt(2.0 / fan_in), shape)
        if weight.dtype == "float32":
            weight.assign(value.astype("float32"))


def check_same_function_as(model, reference, tolerance=1e-4):
    """With the weights of the reference, a model gives its outputs.

    Args:
        model: The model, for images of the same size.
        reference: The `keras.applications` model, built with `weights=None`.
        tolerance: Largest difference, as a share of the largest output.

    Returns:
        The difference that was found.
    """
    assert parameters(model) == parameters(reference)
    assert parameters(model, True) == parameters(reference, True)
    draw_weights(reference)
    copy_weights(reference, model)
    images = random_images(reference, count=3)
    (found,), (expected,) = outputs_of(model, images), outputs_of(reference, images)
    largest = np.abs(expected).max()
    # Outputs that did not depend on the image would agree for the wrong reason. Those
    # of deep networks with random weights differ by some hundredths only.
    assert np.ptp(expected, axis=0).max() > 100 * tolerance * largest
    difference = float(np.abs(found - expected).max() / largest)
    assert difference <= tolerance
    return difference


def check_smallest_image(builder, smallest, channels=3, **kwargs):
    """A builder takes images of this size, and refuses one pixel less, by name."""
    model = builder(input_shape=(smallest, smallest, channels), **kwargs)
    assert all(n is None or n > 0 for x in model.layers for n in x.output.shape)
    for shape in (
        (smallest - 1, smallest, channels),
        (smallest, smallest - 1, channels),
    ):
        check_rejects_small_input(builder, shape, **kwargs)


def check_rejects_small_input(builder, too_small, **kwargs):
    """A builder refuses images of a shape and names the shape."""
    with pytest.raises(ValueError, match=re.escape(str(too_small))):
        builder(input_shape=too_small, **kwargs)


def check_on(backend, test_file, expression):
    """Runs the tests that an expression chooses on another of Keras' backends.

    A backend is chosen once in a process, so this needs one of its own.

    Args:
        backend: "jax", or "torch", which the course does not require: where it is
            not installed, the calling test is skipped.
        test_file: The calling module's `__file__`.
        expression: What `pytest -k` takes; it must not choose the calling test.
    """
    if backend == "torch" and importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
    # Without a GPU, for PyTorch too, which computes in other orders there.
    environment["CUDA_VISIBLE_DEVICES"] = "-1"
    command = [sys.executable, "-m", "pytest", "-k", expression, str(test_file)]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert re.search(r"\b\d+ passed", done.stdout), done.stdout[-1000:]
