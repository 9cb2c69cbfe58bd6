"""Convolution of small maps whose kernel learns faster on a CPU in half precision.

TensorFlow takes the gradient of a convolution's kernel from oneDNN, which on maps of a
few pixels needs up to four times as long for it in bfloat16 as matrix products do, one
for each position of the kernel.
"""

import keras

# Rows times columns of the largest map, and the fewest channels of it, on which the
# products are faster.
PIXELS, CHANNELS = 64, 128


def is_slow(layer):
    """Whether a `keras.layers.Conv2D` may meet small maps in half precision.

    What maps it meets shows when it is called.
    """
    return (
        layer.compute_dtype in ("bfloat16", "float16")
        and layer.data_format == "channels_last"
        and layer.groups == 1
        and set(layer.strides) == set(layer.dilation_rate) == {1}
        and max(layer.kernel_size) > 1
    )


def conv(inputs, kernel, padding):
    """`keras.ops.conv` on TensorFlow, with another way to the kernel's gradient.

    Args:
        inputs: Tensor of shape `(batch, height, width, channels)`.
        kernel: Tensor of shape `(rows, columns, channels, filters)`.
        padding: "valid" or "same".

    Returns:
        Tensor of shape `(batch, new_height, new_width, filters)`. The gradients are
        those of TensorFlow to rounding.
    """
    import tensorflow as tf

    mode = padding.upper()

    @tf.custom_gradient
    def convolve(inputs, kernel):
        def gradients(upstream):
            return (
                tf.nn.conv2d_transpose(upstream, kernel, tf.shape(inputs), 1, mode),
                _gradient_of_kernel(inputs, kernel.shape, upstream, mode),
            )

        return tf.nn.conv2d(inputs, kernel, 1, mode), gradients

    # A tensor: of a variable TensorFlow would ask the gradient by another way.
    return convolve(inputs, tf.identity(keras.ops.convert_to_tensor(kernel)))


def _gradient_of_kernel(inputs, shape, upstream, mode):
    import tensorflow as tf

    rows, columns, channels, filters = shape
    if mode == "SAME":
        margins = [((side - 1) // 2, side // 2) for side in (rows, columns)]
        inputs = tf.pad(inputs, [(0, 0), *margins, (0, 0)])
    height, width = upstream.shape[1:3]
    upstream = tf.reshape(upstream, (-1, filters))
    found = [
        tf.matmul(
            tf.reshape(inputs[:, i : i + height, j : j + width], (-1, channels)),
            upstream,
            transpose_a=True,
        )
        for i in range(rows)
        for j in range(columns)
    ]
    return tf.reshape(tf.stack(found), shape)


@keras.saving.register_keras_serializable("course")
class SmallMapsConv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D` with the gradients of `conv` where its maps are small.

    Weights, configuration and results are those of the base class.
    """

    def convolution_op(self, inputs, kernel):
        size = self.compute_output_shape(inputs.shape)[1:3]
        large = None in size or size[0] * size[1] > PIXELS
        if large or inputs.shape[-1] < CHANNELS:
            return super().convolution_op(inputs, kernel)
        return conv(inputs, kernel, self.padding)
