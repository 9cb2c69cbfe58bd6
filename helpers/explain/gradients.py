"""Gradients of several scores from one forward pass, on Keras's backend.

`helpers.receptive_field.gradients` is for the gradient of one number with respect to
images, on the CPU, where 64-bit numbers can be had; this is for trained networks on
whichever device they are.
"""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from .network import to_numpy


def gradients(function: Callable, point, weights: list[np.ndarray]) -> list[np.ndarray]:
    """Returns gradients of weighted sums of a function's values.

    Args:
        function: takes a tensor, returns a float32 tensor.
        point: the tensor to take the gradients at.
        weights: for each gradient, the weights of the values, in their shape.

    Returns:
        Arrays of the point's shape, one for each of the weights.
    """
    weights = [ops.convert_to_tensor(weight, dtype="float32") for weight in weights]
    found = _BACKENDS[keras.config.backend()](function, point, weights)
    return [to_numpy(gradient) for gradient in found]


def _tensorflow(function, point, weights):
    import tensorflow as tf

    with tf.GradientTape(persistent=True) as tape:
        tape.watch(point)
        values = function(point)
    zero = tf.UnconnectedGradients.ZERO
    return [
        tape.gradient(values, point, weight, unconnected_gradients=zero)
        for weight in weights
    ]


def _jax(function, point, weights):
    import jax

    _, pull = jax.vjp(function, point)
    return [pull(weight)[0] for weight in weights]


def _torch(function, point, weights):
    import torch

    point = point.detach().requires_grad_()
    values = function(point)
    return [
        torch.autograd.grad(
            values, point, weight, retain_graph=True, materialize_grads=True
        )[0]
        for weight in weights
    ]


_BACKENDS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
