"""The numbers of receptive fields: by hand, from the lecture and from papers."""

import keras
import numpy as np
import pytest
from keras import layers

from helpers.receptive_field import ReceptiveFieldError, receptive_fields
from helpers.receptive_field.intervals import EMPTY, Pattern, window

# (kernel, stride) of each layer; sizes of the field and the jump after each, from the
# lecture's sheet and from Araujo et al. 2019.
LECTURE = {
    "two 3x3": ([(3, 1), (3, 1)], [3, 5], 1),
    "stride 2 first": ([(1, 2), (3, 1)], [1, 5], 2),
    "10-8-6-3-1": ([(3, 1), (3, 1), (2, 2), (3, 1)], [3, 5, 6, 10], 2),
    "alexnet": (
        [(11, 4), (3, 2), (5, 1), (3, 2), (3, 1), (3, 1), (3, 1), (3, 2)],
        [11, 19, 51, 67, 99, 131, 163, 195],
        32,
    ),
}


def chain(steps, size, padding="valid"):
    """Builds a model of convolutions with the given (kernel, stride)."""
    inputs = keras.Input((size, size, 1))
    x = inputs
    for i, (kernel, stride) in enumerate(steps):
        x = layers.Conv2D(1, kernel, stride, padding=padding, name=f"step{i}")(x)
    return keras.Model(inputs, x)


@pytest.mark.parametrize("case", LECTURE)
def test_the_lecture(case):
    steps, sizes, jump = LECTURE[case]
    fields = receptive_fields(chain(steps, 231 if case == "alexnet" else 10))
    assert [fields[f"step{i}"].size for i in range(len(steps))] == [
        (n, n) for n in sizes
    ]
    assert list(fields.values())[-1].jump == (jump, jump)


def test_alexnet_jumps():
    fields = receptive_fields(chain(LECTURE["alexnet"][0], 231))
    found = [fields[f"step{i}"] for i in (0, 1, 2, 4, 5, 6, 7)]
    assert [f"{f.size[0]}/{f.jump[0]}" for f in found] == [
        "11/4", "19/8", "51/8", "99/16", "131/16", "163/16", "195/32",
    ]  # fmt: skip


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_formulas_hold_for_chains(padding):
    """r and j of each layer by the textbook's recursion, on random chains."""
    random = np.random.default_rng(7)
    for _ in range(6):
        steps = [tuple(random.integers(1, 4, 2).tolist()) for _ in range(5)]
        fields = receptive_fields(chain(steps, 400, padding))
        size, jump = 1, 1
        for i, (kernel, stride) in enumerate(steps):
            size, jump = size + (kernel - 1) * jump, jump * stride
            assert fields[f"step{i}"].size == (size, size)
            assert fields[f"step{i}"].jump == (jump, jump)


def test_start_follows_the_padding():
    """start = start + ((k - 1) / 2 - p) * jump, with TensorFlow's padding in front."""
    fields = receptive_fields(chain([(3, 2), (3, 2)], 8, "same"))
    # 8 -> 4 pads (0, 1), 4 -> 2 pads (0, 1): centres 0.5 + 1, then + 1 * 2.
    assert [f.start for f in fields.values()] == [(0.5, 0.5), (1.5, 1.5), (3.5, 3.5)]
    # 7 -> 4 pads (1, 1), 4 -> 2 pads (0, 1).
    fields = receptive_fields(chain([(3, 2), (3, 2)], 7, "same"))
    assert [f.start for f in fields.values()] == [(0.5, 0.5), (0.5, 0.5), (2.5, 2.5)]
    assert [f.padding for f in fields.values()] == [(0, 0), (1, 1), (1, 1)]
    fields = receptive_fields(chain([(3, 1), (3, 2)], 9))
    assert [f.start[0] for f in fields.values()] == [0.5, 1.5, 2.5]


def test_intervals_and_the_share_outside():
    field = receptive_fields(chain([(3, 1), (3, 2)], 7, "same"))["step1"]
    assert field.interval((0, 1)) == ((-2, 2), (0, 4))
    assert field.interval(3) == ((4, 8), (4, 8))
    assert field.visible((0, 3)) == ((0, 2), (4, 6))
    assert field.outside((0, 1)) == pytest.approx(2 / 5)
    assert field.outside(0) == pytest.approx(1 - (3 / 5) ** 2)
    # Rows see 3, 5, 5 and 3 of 5 pixels; the columns as well.
    assert field.outside() == pytest.approx(1 - (16 / 20) ** 2)
    assert not field.whole


def test_a_row_that_a_stride_leaves_out_is_not_in_the_interval():
    """On 5 pixels, pooling 2/2 leaves out the last; padding does not bring it back."""
    inputs = keras.Input((5, 5, 1))
    x = layers.MaxPooling2D(2)(inputs)
    model = keras.Model(inputs, layers.Conv2D(1, 3, padding="same", name="c")(x))
    field = receptive_fields(model)["c"]
    assert field.interval(1) == ((0, 3), (0, 3))
    assert field.interval(0) == ((-2, 3), (-2, 3))
    assert field.size == (6, 6)
    assert field.visible(0) == ((0, 3), (0, 3))
    # No output sees the fifth row, so none sees the whole image.
    assert not field.whole


def test_dilation_and_unequal_axes():
    inputs = keras.Input((20, 30, 1))
    x = layers.Conv2D(1, (3, 5), dilation_rate=(4, 1), name="a")(inputs)
    x = layers.Conv2D(1, (2, 3), strides=(3, 2), name="b")(x)
    fields = receptive_fields(keras.Model(inputs, x))
    assert fields["a"].size == (9, 5)
    assert fields["a"].start == (4.5, 2.5)
    assert fields["b"].size == (10, 7)
    assert fields["b"].jump == (3, 2)
    assert fields["b"].start == (5.0, 3.5)
    assert fields["b"].output_size == (4, 12)


def test_transposed_convolution_by_phase():
    """Kernel 3, stride 2: even outputs read two inputs, odd ones read one."""
    inputs = keras.Input((5, 5, 1))
    x = layers.Conv2D(1, 3, padding="same", name="c")(inputs)
    x = layers.Conv2DTranspose(1, 3, strides=2, padding="valid", name="t")(x)
    field = receptive_fields(keras.Model(inputs, x))["t"]
    assert field.jump == (0.5, 0.5)
    assert field.size == (4, 4)
    # Output 4 reads inputs 1 and 2, output 5 reads input 2 alone.
    assert field.interval(4) == ((0, 3), (0, 3))
    assert field.interval(5) == ((1, 3), (1, 3))


def test_transposed_convolution_with_holes():
    """Kernel 1, stride 2: odd outputs read nothing."""
    inputs = keras.Input((4, 4, 1))
    x = layers.Conv2DTranspose(1, 1, strides=2, name="t")(inputs)
    field = receptive_fields(keras.Model(inputs, x))["t"]
    assert field.interval(2) == ((1, 1), (1, 1))
    (first, last), _ = field.interval((3, 2))
    assert first > last
    assert field.visible((3, 2)) is None


def test_upsampling_halves_the_jump():
    inputs = keras.Input((8, 8, 1))
    x = layers.AveragePooling2D(2)(inputs)
    nearest = layers.UpSampling2D(2, name="nearest")(x)
    bilinear = layers.UpSampling2D(2, interpolation="bilinear", name="bilinear")(x)
    skip = layers.Add(name="skip")([inputs, nearest])
    fields = receptive_fields(keras.Model(inputs, [skip, bilinear]))
    assert fields["nearest"].jump == (1, 1)
    assert fields["nearest"].size == (2, 2)
    assert fields["nearest"].interval(5) == ((4, 5), (4, 5))
    # Output 5 lies at 5.5 / 2 - 0.5 = 2.25, between the pooled pixels 2 and 3.
    assert fields["bilinear"].interval(5) == ((4, 7), (4, 7))
    assert fields["skip"].aligned


def test_resizing_to_another_size():
    inputs = keras.Input((6, 6, 1))
    x = layers.Resizing(4, 9, interpolation="bilinear", name="r")(inputs)
    field = receptive_fields(keras.Model(inputs, x))["r"]
    assert field.jump == (1.5, pytest.approx(2 / 3))
    # Row 1 lies at 1.5 * 1.5 - 0.5 = 1.75, column 1 at 1.5 * 2 / 3 - 0.5 = 0.5.
    assert field.interval(1) == ((1, 2), (0, 1))
    # Column 4 lies at 4.5 * 2 / 3 - 0.5 = 2.5, row 2 at 2.5 * 1.5 - 0.5 = 3.25.
    assert field.interval((2, 4)) == ((3, 4), (2, 3))


def test_branches_are_united():
    inputs = keras.Input((9, 9, 1))
    a = layers.Conv2D(1, (5, 1), padding="same")(inputs)
    b = layers.Conv2D(1, (1, 3), padding="same")(inputs)
    model = keras.Model(inputs, layers.Concatenate(name="m")([a, b]))
    field = receptive_fields(model)["m"]
    assert field.size == (5, 3)
    assert field.aligned


def test_unequal_centres_are_told():
    inputs = keras.Input((8, 8, 1))
    a = layers.Conv2D(1, 2, padding="same")(inputs)
    merged = layers.Add(name="m")([a, inputs])
    model = keras.Model(inputs, layers.ReLU(name="after")(merged))
    fields = receptive_fields(model)
    assert not fields["m"].aligned
    assert not fields["after"].aligned
    assert fields["m"].size == (2, 2)


def test_unequal_jumps_name_the_layers():
    inputs = keras.Input((8, 8, 1))
    a = layers.Conv2D(1, 1, strides=2, name="slow")(inputs)
    b = layers.Cropping2D(2, name="fast")(inputs)
    model = keras.Model(inputs, layers.Add(name="both")([a, b]))
    with pytest.raises(ReceptiveFieldError) as error:
        receptive_fields(model)
    for part in ("'both'", "'slow'", "'fast'", "2 pixels", "is 1 ("):
        assert part in str(error.value)


def test_pattern_period_returns_to_one():
    """Repeating pixels twice and averaging pairs gives every pixel back."""
    pixel = Pattern(np.array([0]), np.array([0]), 1)
    doubled = pixel.through(window([[0], [0]], 1))
    assert [doubled.at(i) for i in range(-2, 3)] == [
        (-1, -1), (-1, -1), (0, 0), (0, 0), (1, 1),
    ]  # fmt: skip
    back = doubled.through(window([[0, 1]], 2))
    assert (len(back.lo), back.jump, back.at(7)) == (1, 1, (7, 7))


def test_empty_phases_stay_empty():
    holes = Pattern(np.array([0]), np.array([0]), 1).through(window([[0], []], 1))
    assert holes.at(1) == (EMPTY, -EMPTY)
    assert holes.size == 1
    # A window of two always finds a pixel.
    filled = holes.through(window([[0, 1]], 1))
    assert [filled.at(i) for i in range(4)] == [(0, 0), (1, 1), (1, 1), (2, 2)]
