"""Gradients with respect to an image, on whichever backend Keras runs."""

from collections.abc import Callable

import keras
import numpy as np


def gradient(function: Callable, images: list[np.ndarray]) -> list[np.ndarray]:
    """Returns the gradients of a scalar function of several arrays.

    Args:
        function: takes a list of backend tensors, returns a scalar tensor.
        images: where to take the gradients.

    Returns:
        One array of gradients for each image, zero where it has no influence.
    """
    backend = keras.config.backend()
    with keras.device("cpu"):
        return _BACKENDS[backend](function, images)


def _tensorflow(function, images):
    import tensorflow as tf

    tensors = [tf.constant(image) for image in images]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        value = function(tensors)
    found = tape.gradient(
        value, tensors, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    return [g.numpy() for g in found]


def _jax(function, images):
    import jax

    found = jax.grad(lambda tensors: function(tensors))(images)
    return [np.asarray(g) for g in found]


def _torch(function, images):
    import torch

    tensors = [torch.tensor(image, requires_grad=True) for image in images]
    found = torch.autograd.grad(function(tensors), tensors, allow_unused=True)
    return [
        np.zeros_like(image) if g is None else g.numpy()
        for g, image in zip(found, images, strict=True)
    ]


_BACKENDS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
