"""LeNet-5 as it was in 1998, with 60,000 trainable parameters.

What later versions left out: subsampling with a coefficient and a bias for each
map, the table that says which maps of S2 each map of C3 sees, a scaled tanh, and an
output that measures distances to drawn digits.

Paper: Gradient-Based Learning Applied to Document Recognition,
https://doi.org/10.1109/5.726791
"""

import keras
import numpy as np
from keras import layers, ops

from helpers import receptive_field
from helpers.architectures.arguments import large_enough, one_of

# Which maps of S2 each of the 16 maps of C3 is connected to: Table I of the paper.
C3_TABLE = (
    *((i, (i + 1) % 6, (i + 2) % 6) for i in range(6)),
    *((i, (i + 1) % 6, (i + 2) % 6, (i + 3) % 6) for i in range(6)),
    (0, 1, 3, 4),
    (1, 2, 4, 5),
    (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)

# Ten digits of 7x12 pixels, drawn for this course: the targets of F6's 84 units.
DIGITS = """
.#####. ...#... .#####. .#####. ....##. ####### ..####. ####### .#####. .#####.
#.....# ..##... #.....# #.....# ...#.#. #...... .#..... ......# #.....# #.....#
#.....# .#.#... ......# ......# ..#..#. #...... #...... .....#. #.....# #.....#
#....## ...#... ......# ......# .#...#. #...... #...... .....#. #.....# #.....#
#...#.# ...#... .....#. ......# #....#. #.####. #...... ....#.. #.....# #.....#
#...#.# ...#... ....#.. ..####. #....#. ##....# #.####. ....#.. .#####. .######
#..#..# ...#... ...#... ......# ####### ......# ##....# ...#... #.....# ......#
#.#...# ...#... ..#.... ......# .....#. ......# #.....# ...#... #.....# ......#
##....# ...#... .#..... ......# .....#. ......# #.....# ..#.... #.....# ......#
#.....# ...#... #...... ......# .....#. ......# #.....# ..#.... #.....# .....#.
#.....# ...#... #...... #.....# .....#. #.....# #.....# .#..... #.....# ....#..
.#####. .#####. ####### .#####. .....#. .#####. .#####. .#..... .#####. ####...
"""

HEADS = ("rbf", "softmax")


def digit_codes():
    """The drawn digits as targets: +1 where there is ink, -1 elsewhere.

    Returns:
        Array of shape `(84, 10)`, a column a digit, rows of pixels one after another.
    """
    rows = [line.split() for line in DIGITS.split("\n") if line]
    digits = ["".join(row[digit] for row in rows) for digit in range(10)]
    ink = np.array([[pixel == "#" for pixel in digit] for digit in digits])
    return np.where(ink, 1.0, -1.0).T.astype("float32")


@keras.saving.register_keras_serializable("course")
class ScaledTanh(layers.Layer):
    """1.7159 tanh(2x/3).

    It passes through (1, 1) and (-1, -1), where it bends most: targets of plus and
    minus one do not drive units into saturation.
    """

    def call(self, x):
        return 1.7159 * ops.tanh(x * (2.0 / 3.0))

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable("course")
class TableConv2D(layers.Conv2D):
    """A convolution whose maps see only the input maps that a table names.

    It has weights for the connections of the table alone, `(height, width,
    connections)`, and puts them into a kernel that is zero elsewhere.

    Args:
        table: For each filter, the channels of the input that it sees.
        kernel_size: Height and width of the kernel.
        **kwargs: As for `keras.layers.Conv2D`.
    """

    def __init__(self, table, kernel_size, **kwargs):
        kwargs.pop("filters", None)
        super().__init__(len(table), kernel_size, **kwargs)
        self.table = [list(channels) for channels in table]

    def build(self, input_shape):
        channels = input_shape[-1]
        named = {channel for row in self.table for channel in row}
        if max(named) >= channels:
            raise ValueError(
                f"the table names channel {max(named)}, but the input has {channels} "
                f"channels, 0 to {channels - 1}. Received: input_shape={input_shape}."
            )
        # Where each connection stands in a kernel of (channels, filters).
        self._places = [
            channel * self.filters + number
            for number, row in enumerate(self.table)
            for channel in row
        ]
        full = (*self.kernel_size, channels * self.filters)

        def connected(shape, dtype=None):
            """Draws a dense kernel, so that the fan-in is right; keeps what is used."""
            dense = (*self.kernel_size, channels, self.filters)
            values = ops.reshape(self.kernel_initializer(dense, dtype=dtype), full)
            return ops.take(values, self._places, axis=-1)

        self._channels = channels
        self._kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, len(self._places)),
            initializer=connected,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.filters,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def convolution_op(self, inputs, kernel):
        size = self._channels * self.filters
        # A matrix product with ones and zeros: exact, and any backend can derive it.
        scatter = ops.one_hot(self._places, size, dtype=kernel.dtype)
        kernel = ops.matmul(kernel, scatter)
        dense = (*self.kernel_size, self._channels, self.filters)
        return super().convolution_op(inputs, ops.reshape(kernel, dense))

    def get_config(self):
        config = super().get_config()
        del config["filters"]
        return {**config, "table": self.table}


@keras.saving.register_keras_serializable("course")
class RadialBasis(layers.Layer):
    """Minus the squared distance of a vector of 84 to each digit's code.

    The codes are weights that training leaves alone. A softmax of the result is the
    posterior that the paper's second loss (its equation 9) maximises, without the
    "rubbish" class.
    """

    def build(self, input_shape):
        codes = digit_codes()
        if input_shape[-1] != len(codes):
            raise ValueError(
                f"the codes have {len(codes)} pixels, and the input needs as many "
                f"units. Received: input_shape={input_shape}."
            )
        self.codes = self.add_weight(
            name="codes",
            shape=codes.shape,
            initializer=lambda shape, dtype=None: ops.convert_to_tensor(codes, dtype),
            trainable=False,
        )
        self.built = True

    def call(self, x):
        difference = ops.expand_dims(x, -1) - ops.cast(self.codes, x.dtype)
        return -ops.sum(ops.square(difference), axis=-2)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 10)


@receptive_field.rule(ScaledTanh, RadialBasis)
def pointwise(layer, x):
    """Both treat each position on its own."""
    return x


def subsampling(x, name):
    """2x2 average pooling, then a coefficient and a bias for each map.

    The paper adds four values where this averages them: its coefficient is a quarter
    of ours. A 1x1 depthwise convolution is exactly one weight and one bias a map.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, height // 2, width // 2, channels)`.
    """
    x = layers.AveragePooling2D(2, name=f"{name}_average")(x)
    x = layers.DepthwiseConv2D(1, depthwise_initializer="ones", name=f"{name}_scale")(x)
    return ScaledTanh(name=f"{name}_tanh")(x)


def lenet5_1998(input_shape=(32, 32, 1), classes=10, head="rbf", name="lenet5_1998"):
    """Build LeNet-5 as published; layers have the paper's names, C1 to F6.

    Args:
        input_shape: `(height, width, channels)` of an image, 32 pixels at least
            each way.
        classes: Number of classes; 10 with the "rbf" head.
        head: "rbf" for distances to fixed codes, as published; "softmax" for a
            dense layer, whose 850 weights training changes.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`; on 32x32x1 it has 60,000 trainable
        parameters, and 840 fixed ones with the "rbf" head.

    Raises:
        ValueError: If the images are too small, the head is unknown, or there are no
            codes for so many classes.
    """
    large_enough(input_shape, 32, "LeNet-5 of 1998")
    one_of("head", head, HEADS)
    if head == "rbf" and classes != 10:
        raise ValueError(
            f"There are codes for 10 digits, not for classes={classes}. Choose "
            "head='softmax'."
        )
    options = {"kernel_initializer": "lecun_uniform"}
    inputs = keras.Input(input_shape, name="image")
    x = layers.Conv2D(6, 5, name="c1", **options)(inputs)
    x = ScaledTanh(name="c1_tanh")(x)
    x = subsampling(x, name="s2")
    x = TableConv2D(C3_TABLE, 5, name="c3", **options)(x)
    x = ScaledTanh(name="c3_tanh")(x)
    x = subsampling(x, name="s4")
    x = layers.Conv2D(120, 5, name="c5", **options)(x)
    x = ScaledTanh(name="c5_tanh")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(84, name="f6", **options)(x)
    x = ScaledTanh(name="f6_tanh")(x)
    if head == "rbf":
        x = RadialBasis(dtype="float32", name="rbf")(x)
    else:
        x = layers.Dense(classes, dtype="float32", name="scores", **options)(x)
    outputs = layers.Softmax(dtype="float32", name="probabilities")(x)
    return keras.Model(inputs, outputs, name=name)


def lenet5_1998_cifar(
    input_shape=(32, 32, 3), classes=10, head="softmax", name="lenet5_1998_cifar"
):
    """Build the LeNet-5 of 1998 for CIFAR-10.

    Only the channels of C1's kernels change. Pictures of digits say nothing about
    aeroplanes and cats, so the head is a softmax.

    Args:
        input_shape: `(height, width, channels)` of an image.
        classes: Number of classes.
        head: "softmax" or "rbf".
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model`, as `lenet5_1998` does.

    Raises:
        ValueError: As `lenet5_1998` does.
    """
    return lenet5_1998(input_shape, classes, head, name)
