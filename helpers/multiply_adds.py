"""Multiply-adds of a layer: the products of weights and inputs for one image.

Convolutions, dense layers and attention count; biases, normalisation, activations and
pooling do not, as in the tables of papers. Padding counts like any input.
"""

import math

from keras import layers

# Layers that multiply by each of their weights once for each output position.
_KERNELS = (layers.Conv2D, layers.DepthwiseConv2D)


def multiply_adds(layer, inputs: list[tuple], outputs: list[tuple]) -> int | None:
    """Counts the multiply-adds of one call of a layer.

    Args:
        layer: a Keras layer or `keras.ops` operation.
        inputs: shapes of the tensors it was called with, batch first.
        outputs: shapes of its outputs.

    Returns:
        Multiply-adds for one image, None where a size that they need is not known.
    """
    try:
        return _count(layer, inputs, outputs)
    except TypeError:
        # A size is None.
        return None


def _count(layer, inputs, outputs):
    if isinstance(layer, layers.SpectralNormalization):
        return _count(layer.layer, inputs, outputs)
    if isinstance(layer, layers.SeparableConv2D):
        kernels = _size(layer.depthwise_kernel) + _size(layer.pointwise_kernel)
        return kernels * _positions(layer, outputs[0])
    if isinstance(layer, layers.Conv2DTranspose):
        return _size(layer.kernel) * _positions(layer, inputs[0])
    if isinstance(layer, _KERNELS):
        return _size(layer.kernel) * _positions(layer, outputs[0])
    if isinstance(layer, layers.Dense):
        return _size(layer.kernel) * math.prod(outputs[0][1:-1])
    if isinstance(layer, layers.EinsumDense):
        return _einsum(layer.equation, inputs[0], layer.kernel.shape)
    if isinstance(layer, layers.MultiHeadAttention):
        return _multi_head(layer, inputs)
    if isinstance(layer, layers.Attention):
        query, value = inputs[0], inputs[1]
        scores = math.prod(query[1:]) * value[1]
        return 2 * scores if len(query) == 3 else None
    if type(layer).__module__.startswith("keras.src.ops"):
        return _operation(layer, inputs, outputs)
    return 0


def _size(weight) -> int:
    return math.prod(weight.shape)


def _positions(layer, shape) -> int:
    if layer.data_format == "channels_first":
        return shape[2] * shape[3]
    return shape[1] * shape[2]


def _einsum(equation, shape, kernel) -> int:
    """Multiplies the sizes of all letters of a dense equation, the batch aside."""
    inputs, rest = equation.replace(" ", "").split("->")[0].split(",")
    sizes = dict(zip(rest, kernel, strict=True))
    if inputs.startswith("..."):
        letters = inputs[3:]
        free = shape[1 : len(shape) - len(letters)]
        sizes.update(zip(letters, shape[len(shape) - len(letters) :], strict=True))
        return math.prod(sizes.values()) * math.prod(free)
    sizes.update(zip(inputs[1:], shape[1:], strict=True))
    return math.prod(sizes.values())


def _multi_head(layer, inputs) -> int:
    """Projections of query, key and value, the scores, their use, the output."""
    query, value = inputs[0], inputs[1]
    key = inputs[2] if len(inputs) > 2 else value
    asked, offered = math.prod(query[1:-1]), math.prod(value[1:-1])
    heads, key_dim, value_dim = layer.num_heads, layer.key_dim, layer.value_dim
    projections = (
        asked * query[-1] * heads * key_dim
        + offered * key[-1] * heads * key_dim
        + offered * value[-1] * heads * value_dim
        + asked * heads * value_dim * (layer._output_shape or query[-1:])[-1]
    )
    return projections + asked * offered * heads * (key_dim + value_dim)


def _operation(operation, inputs, outputs) -> int | None:
    """Counts `keras.ops` products of two tensors of the graph."""
    if type(operation).__name__ == "Matmul" and len(inputs) == 2:
        return math.prod(outputs[0][1:]) * inputs[0][-1]
    return 0
