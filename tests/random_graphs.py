"""Random functional graphs for the tests of receptive fields."""

import keras
from hypothesis import strategies as st
from keras import layers, ops

LARGEST = 36
PADDINGS = st.sampled_from(["valid", "same"])


def small(most: int):
    """Integers from 1, small ones first."""
    return st.integers(1, most)


def pairs(most: int):
    """Pairs (rows, columns), equal in half of the cases."""
    return st.one_of(
        small(most).map(lambda n: (n, n)), st.tuples(small(most), small(most))
    )


def size_of(x):
    return x.shape[1], x.shape[2]


@st.composite
def window(draw, x, most=4, strides=True):
    """Settings of a window that fits on a tensor."""
    kernel = draw(pairs(most))
    stride = draw(pairs(3)) if strides else (1, 1)
    padding = draw(PADDINGS)
    if padding == "valid":
        kernel = tuple(min(k, n) for k, n in zip(kernel, size_of(x), strict=True))
    return {"kernel": kernel, "strides": stride, "padding": padding}


@st.composite
def convolution(draw, x, strides=True):
    """A dense or depthwise convolution with stride or dilation."""
    settings = draw(window(x, strides=strides))
    kernel = settings.pop("kernel")
    if draw(st.booleans()):
        settings["strides"] = (1, 1)
        dilation = draw(pairs(3))
        if settings["padding"] == "valid":
            dilation = tuple(
                d if (k - 1) * d < n else 1
                for k, d, n in zip(kernel, dilation, size_of(x), strict=True)
            )
        settings["dilation_rate"] = dilation
    kind = draw(st.sampled_from(["dense", "depthwise", "separable"]))
    if kind == "dense":
        return layers.Conv2D(draw(small(2)), kernel, **settings)(x)
    # TensorFlow's depthwise kernels take equal strides and dilations.
    for key in ("strides", "dilation_rate"):
        if key in settings:
            settings[key] = min(settings[key])
    if kind == "depthwise":
        return layers.DepthwiseConv2D(kernel, **settings)(x)
    return layers.SeparableConv2D(draw(small(2)), kernel, **settings)(x)


@st.composite
def pooling(draw, x, strides=True):
    """Maximum or mean over a window."""
    settings = draw(window(x, strides=strides))
    kind = draw(st.sampled_from([layers.MaxPooling2D, layers.AveragePooling2D]))
    return kind(settings.pop("kernel"), **settings)(x)


@st.composite
def enlarging(draw, x):
    """Transposed convolution, upsampling or resizing."""
    kind = draw(st.sampled_from(["transposed", "padded", "upsampling", "resizing"]))
    room = min(LARGEST // n for n in size_of(x))
    if room < 1:
        return x
    if kind == "upsampling":
        how = draw(st.sampled_from(["nearest", "bilinear"]))
        return layers.UpSampling2D(draw(pairs(min(3, room))), interpolation=how)(x)
    if kind == "resizing":
        size = [draw(st.integers(max(1, n // 2), 2 * n)) for n in size_of(x)]
        return layers.Resizing(*size, interpolation="nearest")(x)
    settings = {
        "kernel_size": draw(pairs(5)),
        "strides": draw(pairs(min(3, room))),
        "padding": draw(PADDINGS),
    }
    if kind == "padded":
        # TensorFlow cannot compute a `same` output that ends before the last stride.
        lowest = [
            int(settings["padding"] == "same" and k % 2 == 0)
            for k in settings["kernel_size"]
        ]
        if all(low < s for low, s in zip(lowest, settings["strides"], strict=True)):
            settings["output_padding"] = tuple(
                draw(st.integers(low, s - 1))
                for low, s in zip(lowest, settings["strides"], strict=True)
            )
    return layers.Conv2DTranspose(draw(small(2)), **settings)(x)


@st.composite
def moving(draw, x):
    """Padding, cropping or slicing."""
    kind = draw(st.sampled_from(["pad", "crop", "slice"]))
    if kind == "pad":
        sides = [[draw(st.integers(0, 2)) for _ in "ab"] for _ in "yx"]
        return layers.ZeroPadding2D(sides)(x)
    sides = []
    for n in size_of(x):
        before = draw(st.integers(0, min(2, n - 1)))
        sides.append((before, draw(st.integers(0, min(2, n - 1 - before)))))
    if kind == "crop":
        return layers.Cropping2D(sides)(x)
    step = draw(small(2))
    (top, bottom), (left, right) = sides
    height, width = size_of(x)
    return x[:, top : height - bottom : step, left : width - right : step, :]


@st.composite
def pixelwise(draw, x):
    """A layer that treats each pixel alone."""
    kind = draw(st.sampled_from(["relu", "norm", "scale", "sigmoid"]))
    if kind == "relu":
        return layers.ReLU()(x)
    if kind == "norm":
        return layers.BatchNormalization()(x)
    return ops.sigmoid(x) if kind == "sigmoid" else x * 0.5 + 1.0


@st.composite
def merged(draw, x, depth):
    """Two or three branches of equal stride, cut or padded to one size, merged."""
    if draw(st.booleans()):
        x = draw(convolution(x))
    branches = []
    for _ in range(draw(st.integers(2, 3))):
        y = x
        for _ in range(draw(st.integers(0, 2))):
            y = draw(step(y, depth - 1, strides=False))
        branches.append(y)
    smallest = [min(size_of(y)[i] for y in branches) for i in (0, 1)]
    largest = [max(size_of(y)[i] for y in branches) for i in (0, 1)]
    shrink = draw(st.booleans())
    fitted = []
    for y in branches:
        target = smallest if shrink else largest
        sides = []
        for n, m in zip(size_of(y), target, strict=True):
            before = draw(st.integers(0, abs(n - m)))
            sides.append((before, abs(n - m) - before))
        if size_of(y) != tuple(target):
            y = (layers.Cropping2D if shrink else layers.ZeroPadding2D)(sides)(y)
        fitted.append(y)
    if draw(st.booleans()):
        return layers.Concatenate()(fitted)
    fitted = [layers.Conv2D(2, 1)(y) for y in fitted]
    kind = draw(st.sampled_from(["Add", "Average", "Maximum", "Multiply", "operator"]))
    if kind == "operator":
        return sum(fitted[1:], fitted[0])
    return getattr(layers, kind)()(fitted)


@st.composite
def nested(draw, x, depth):
    """A model inside the model, perhaps called twice or on another size."""
    loose = draw(st.booleans())
    inner = keras.Input(x.shape[1:])
    y = draw(step(inner, depth - 1, strides=False))
    if loose and draw(st.booleans()):
        # Its own input has another size than the tensor it is called on.
        inner = keras.Input((None, None, x.shape[-1]))
        kernel = min(3, *size_of(x))
        y = layers.Conv2D(x.shape[-1], kernel, padding=draw(PADDINGS))(inner)
    model = keras.Model(inner, y)
    z = model(x)
    if z.shape == x.shape and draw(st.booleans()):
        z = model(z)
    return z


@st.composite
def shared(draw, x):
    """One convolution, called twice in a row."""
    layer = layers.Conv2D(
        x.shape[-1], draw(pairs(3)), padding="same", dilation_rate=draw(small(2))
    )
    return layer(layer(x))


@st.composite
def gated(draw, x):
    """Squeeze and excitation, or a gate for rows alone."""
    if draw(st.booleans()):
        gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    else:
        gate = ops.mean(x, axis=2, keepdims=True)
    gate = layers.Dense(x.shape[-1], activation="sigmoid")(gate)
    return layers.Multiply()([x, gate])


@st.composite
def step(draw, x, depth=2, strides=True):
    """One more piece of a network; without strides none that changes the jump."""
    kinds = ["convolution", "pooling", "moving", "pixelwise", "shared"]
    if strides:
        kinds += ["enlarging", "gated"]
    if depth > 0:
        kinds += ["merged", "nested"] if strides else ["nested"]
    kind = draw(st.sampled_from(kinds))
    if kind in ("convolution", "pooling"):
        return draw(globals()[kind](x, strides=strides))
    if kind == "moving" and not strides:
        return draw(moving(x).filter(lambda y: not _strided(y)))
    if kind in ("merged", "nested"):
        return draw(globals()[kind](x, depth))
    return draw(globals()[kind](x))


def _strided(y):
    return type(y._keras_history.operation).__name__ == "GetItem"


@st.composite
def graphs(draw):
    """A functional model of up to seven pieces on an image of 5 to 20 pixels."""
    height, width = draw(st.integers(5, 20)), draw(st.integers(5, 20))
    inputs = keras.Input((height, width, draw(small(2))))
    x = inputs
    for _ in range(draw(st.integers(1, 6))):
        x = draw(step(x))
        if max(size_of(x)) > LARGEST:
            break
    return keras.Model(inputs, x)
