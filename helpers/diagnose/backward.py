"""Gradients of a model's loss with respect to its weights, on any Keras backend."""

import keras
import numpy as np
from keras import ops


def loss_gradients(
    model: keras.Model, images: np.ndarray, labels: np.ndarray
) -> tuple[float, list[np.ndarray]]:
    """Returns the loss of a batch and its gradients, as the first step would see them.

    Penalties on weights are left out: their gradients do not come through the
    network. The pass is in training mode, which moves statistics of normalisations:
    call it inside `preserved(model)`.

    Args:
        model: A compiled model.
        images: `(batch, height, width, channels)`.
        labels: As the loss takes them.

    Returns:
        The loss, and an array for each of `model.trainable_variables`.
    """
    images = ops.convert_to_tensor(images)
    labels = ops.convert_to_tensor(labels)
    # The loss makes its variables at its first call, where no gradient is taken.
    model.compute_loss(x=images, y=labels, y_pred=model(images, training=True))

    def loss():
        scores = model(images, training=True)
        value = model.compute_loss(x=images, y=labels, y_pred=scores)
        return value - sum(model.losses) if model.losses else value

    value, gradients = _BACKENDS[keras.config.backend()](model, loss)
    arrays = [
        np.zeros(variable.shape, "float32")
        if gradient is None
        else np.array(ops.convert_to_numpy(gradient), "float32")
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True)
    ]
    return float(ops.convert_to_numpy(value)), arrays


def _tensorflow(model, loss):
    import tensorflow as tf

    variables = [variable.value for variable in model.trainable_variables]
    with tf.GradientTape() as tape:
        value = loss()
    gradients = tape.gradient(value, variables)
    # A lookup gives its gradient by rows.
    return value, [g if g is None else tf.convert_to_tensor(g) for g in gradients]


def _jax(model, loss):
    import jax

    variables = model.trainable_variables

    def function(values):
        # Assignments, as of moving statistics, stay inside the scope.
        pairs = list(zip(variables, values, strict=True))
        with keras.StatelessScope(state_mapping=pairs):
            return loss()

    return jax.value_and_grad(function)([variable.value for variable in variables])


def _torch(model, loss):
    import torch

    variables = [variable.value for variable in model.trainable_variables]
    value = loss()
    return value, torch.autograd.grad(value, variables, allow_unused=True)


_BACKENDS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
