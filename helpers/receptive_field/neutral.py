"""Layers in which no gradient vanishes: the network that a measured field needs.

A gradient is zero outside the receptive field; it must not be zero inside either. So
every weight becomes positive, a maximum becomes a mean, differences and products become
sums, and activations and normalisation, which work on each pixel alone, are left out.
"""

from collections.abc import Callable

import numpy as np
from keras import layers, ops

_PIXELWISE_LAYERS = (
    layers.Activation,
    layers.BatchNormalization,
    layers.ELU,
    layers.LeakyReLU,
    layers.Normalization,
    layers.PReLU,
    layers.ReLU,
)

_PIXELWISE_OPS = """
    BatchNorm Celu Clip Elu Gelu HardShrink HardSigmoid HardSilu HardTanh LeakyRelu
    LogSigmoid Relu Relu6 Round Selu Sigmoid Sign Silu SoftShrink Softplus Softsign
    SparseSigmoid Tanh TanhShrink
""".split()

_CHANNEL_NORMS = (
    layers.LayerNormalization,
    layers.RMSNormalization,
    layers.Softmax,
    layers.UnitNormalization,
)

_MEANS = {
    "MaxPooling2D": "AveragePooling2D",
    "GlobalMaxPooling2D": "GlobalAveragePooling2D",
    "GlobalMaxPooling1D": "GlobalAveragePooling1D",
    "AdaptiveMaxPooling2D": "AdaptiveAveragePooling2D",
}

_SUMS = (
    layers.Add,
    layers.Average,
    layers.Maximum,
    layers.Minimum,
    layers.Multiply,
    layers.Subtract,
)


def neutral(operation, random: np.random.Generator) -> Callable:
    """Returns a callable that depends on the same pixels as a layer or operation.

    Args:
        operation: the layer or `keras.ops` operation; it is left as it is.
        random: where the positive weights come from.
    """
    if isinstance(operation, layers.Layer):
        return _neutral_layer(operation, random)
    return _neutral_operation(operation)


def _neutral_layer(layer, random):
    if isinstance(layer, _PIXELWISE_LAYERS):
        return _first
    if isinstance(layer, _CHANNEL_NORMS) and layer.axis in (-1, [-1]):
        return _first
    if isinstance(layer, _SUMS):
        return _merge
    kind, config = type(layer), layer.get_config()
    if kind.__name__ in _MEANS:
        kind = getattr(layers, _MEANS[kind.__name__])
    if "activation" in config:
        config["activation"] = "linear"
    if isinstance(layer, layers.Conv2DTranspose):
        # The configuration lacks it before Keras 3.15.
        config["output_padding"] = layer.output_padding
    config["dtype"] = "float64"
    if isinstance(layer, layers.SpectralNormalization):
        return _neutral_layer(layer.layer, random)
    if isinstance(layer, layers.Resizing):
        # TensorFlow resizes in 32 bits, whatever it is asked for.
        config["dtype"] = "float32"
        resizing = kind.from_config(config)
        return lambda x, **kwargs: ops.cast(resizing(ops.cast(x, "float32")), "float64")
    copy = kind.from_config(config)

    def call(*args, **kwargs):
        if "training" in kwargs:
            kwargs["training"] = False
        if not copy.built:
            copy(*args, **kwargs)
            copy.set_weights([_positive(copy, w, random) for w in copy.weights])
        return copy(*args, **kwargs)

    return call


def _positive(layer, weight, random):
    """Draws positive weights that average, so that values keep their size."""
    shape = tuple(weight.shape)
    depthwise = isinstance(layer, layers.DepthwiseConv2D)
    depthwise = depthwise or weight.name.startswith("depthwise")
    fan_in = np.prod(shape[:2] if depthwise else shape[:-1])
    return random.uniform(0.5, 1.5, shape) / max(1, fan_in)


def _neutral_operation(operation):
    name = type(operation).__name__
    if name in _PIXELWISE_OPS:
        return _first
    if name in ("Softmax", "LogSoftmax", "Normalize", "LayerNorm", "RMSNorm"):
        return _first if operation.axis in (-1, [-1]) else operation
    if name in ("Max", "Min", "Amax", "Amin"):
        return lambda x: ops.mean(x, operation.axis, operation.keepdims)
    if name in ("Add", "Divide", "Maximum", "Minimum", "Multiply", "Subtract"):
        return _sum
    if name == "MaxPool":
        return lambda x: ops.average_pool(
            x,
            operation.pool_size,
            operation.strides,
            operation.padding,
            operation.data_format,
        )
    return operation


def _merge(inputs):
    """Adds the inputs of a merging layer, which lines up ranks behind the batch."""
    rank = max(len(x.shape) for x in inputs)
    level = []
    for x in inputs:
        for _ in range(rank - len(x.shape)):
            x = ops.expand_dims(x, axis=1)
        level.append(x)
    return _sum(*level)


def _sum(first, *others):
    """Adds by subtraction.

    Keras 3.15 on TensorFlow takes an addend of shape (batch, 1, 1, 1) for a bias of the
    rows where there are as many rows as images, and adds it along the wrong axis.
    """
    for other in others:
        first = ops.subtract(first, ops.negative(other))
    return first


def _first(x, *args, **kwargs):
    return x
