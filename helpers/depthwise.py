"""Depthwise convolution whose gradients are fast on a CPU.

TensorFlow takes these gradients from oneDNN, whose fast kernels leave two cases out.
The gradient of the inputs with a stride takes twenty times as long in half
precision as in float32. The gradient of a kernel that is wider than three columns
takes five to twenty times as long as that of one with three, however many rows it
has: a kernel of five columns is two of three, side by side, that share a column.

Paper: Xception: Deep Learning with Depthwise Separable Convolutions,
https://arxiv.org/abs/1610.02357
"""

import keras
from keras import ops

# The widest kernel whose gradient is fast.
WIDE = 3


def is_slow(layer):
    """Whether a depthwise or separable layer falls in one of the two cases.

    Args:
        layer: A `keras.layers.DepthwiseConv2D` or `keras.layers.SeparableConv2D`.
    """
    plain = layer.data_format == "channels_last" and set(layer.dilation_rate) == {1}
    return plain and (max(layer.strides) > 1 or layer.kernel_size[1] > WIDE)


def depthwise_conv(inputs, kernel, strides, padding):
    """`keras.ops.depthwise_conv` on TensorFlow, with gradients that avoid slow kernels.

    Args:
        inputs: Tensor of shape `(batch, height, width, channels)`, in float32 or
            half precision.
        kernel: Tensor of shape `(rows, columns, channels, multiplier)`.
        strides: `(rows, columns)`, the same number twice.
        padding: "valid" or "same".

    Returns:
        Tensor of shape `(batch, new_height, new_width, channels * multiplier)`. The
        gradients are those of TensorFlow to rounding.
    """
    import tensorflow as tf

    steps, mode = (1, *strides, 1), padding.upper()

    @tf.custom_gradient
    def convolve(inputs, kernel):
        def gradients(upstream):
            return (
                _gradient_of_inputs(tf.shape(inputs), kernel, upstream, steps, mode),
                _gradient_of_kernel(inputs, kernel.shape, upstream, steps, mode),
            )

        return tf.nn.depthwise_conv2d(inputs, kernel, steps, mode), gradients

    # A tensor: of a variable TensorFlow would ask the gradient by another way.
    return convolve(inputs, tf.identity(ops.convert_to_tensor(kernel)))


def _gradient_of_inputs(shape, kernel, upstream, steps, mode):
    import tensorflow as tf

    kind = upstream.dtype
    if max(steps) > 1:
        kernel, upstream = tf.cast(kernel, "float32"), tf.cast(upstream, "float32")
    found = tf.nn.depthwise_conv2d_backprop_input(shape, kernel, upstream, steps, mode)
    return tf.cast(found, kind)


def _gradient_of_kernel(inputs, shape, upstream, steps, mode):
    import tensorflow as tf

    rows, columns, *channels = shape
    unknown = None in (*inputs.shape[1:3], *upstream.shape[1:3])
    if columns <= WIDE or unknown:
        return tf.nn.depthwise_conv2d_backprop_filter(
            inputs, shape, upstream, steps, mode
        )
    if mode == "SAME":
        sides = zip(inputs.shape[1:3], (rows, columns), steps[1:3], strict=True)
        margins = [_margins(*side) for side in sides]
        inputs = tf.pad(inputs, [(0, 0), *margins, (0, 0)])
    reach = (upstream.shape[2] - 1) * steps[2] + WIDE
    found, done = [], 0
    for start in [*range(0, columns - WIDE, WIDE), columns - WIDE]:
        part = tf.nn.depthwise_conv2d_backprop_filter(
            inputs[:, :, start : start + reach],
            (rows, WIDE, *channels),
            upstream,
            steps,
            "VALID",
        )
        # The last part begins with columns that the one before has.
        found.append(part[:, done - start :])
        done = start + WIDE
    return tf.concat(found, axis=1)


def _margins(length, kernel, stride):
    """Zeros before and after a side that "same" padding adds."""
    whole = max((-(-length // stride) - 1) * stride + kernel - length, 0)
    return whole // 2, whole - whole // 2


@keras.saving.register_keras_serializable("course")
class FasterDepthwiseConv2D(keras.layers.DepthwiseConv2D):
    """`keras.layers.DepthwiseConv2D` with the gradients of `depthwise_conv`.

    Weights, configuration and results are those of the base class.
    """

    def call(self, inputs):
        outputs = depthwise_conv(inputs, self.kernel, self.strides, self.padding)
        return _finish(self, outputs)


@keras.saving.register_keras_serializable("course")
class FasterSeparableConv2D(keras.layers.SeparableConv2D):
    """`keras.layers.SeparableConv2D` with the gradients of `depthwise_conv`.

    Weights, configuration and results are those of the base class.
    """

    def call(self, inputs):
        outputs = depthwise_conv(
            inputs, self.depthwise_kernel, self.strides, self.padding
        )
        return _finish(self, ops.conv(outputs, self.pointwise_kernel))


def _finish(layer, outputs):
    outputs = ops.add(outputs, layer.bias) if layer.use_bias else outputs
    return layer.activation(outputs)
