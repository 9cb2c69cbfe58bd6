"""EfficientNet: depth, width and resolution grow together.

A network found by search, B0, is enlarged to B1 to B7. Its block is that of
MobileNetV2 with a squeeze-and-excitation gate. Deeper, wider or finer alone soon
gains little; in a fixed proportion of the three, accuracy goes on growing.

Paper: EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks,
https://arxiv.org/abs/1905.11946
"""

import math
from dataclasses import dataclass, replace

import keras
from keras import layers

from helpers.architectures.arguments import choose, large_enough, require_positive
from helpers.architectures.mbconv import convolution_unit, mbconv
from helpers.architectures.mobilenet_v2 import divisible

# Expansion, kernel, channels, blocks and first stride of each stage of B0: table 1.
STAGES = (
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 5, 40, 2, 2),
    (6, 3, 80, 3, 2),
    (6, 5, 112, 3, 1),
    (6, 5, 192, 4, 2),
    (6, 3, 320, 1, 1),
)

# The same with stride 1 in stage 6.
STAGES_CIFAR = (*STAGES[:5], (6, 5, 192, 4, 1), STAGES[6])

# Standard deviations of ImageNet's channels, for pixels from 0 to 1.
DEVIATIONS = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Scaling:
    """How a network differs in size from B0.

    Attributes:
        depth: Factor of the blocks of each stage.
        width: Factor of the channels.
        resolution: Height and width of an image, in pixels.
        dropout: Share of the values in front of the classifier that is dropped.
    """

    depth: float = 1.0
    width: float = 1.0
    resolution: int = 224
    dropout: float = 0.2


# As published with the program. B0 to B3 are `compound_scaling` of 0, 0.5, 1 and 2 but
# for the last digits of the resolution; from B4 on no single phi gives all three.
VARIANTS = {
    "b0": Scaling(1.0, 1.0, 224, 0.2),
    "b1": Scaling(1.1, 1.0, 240, 0.2),
    "b2": Scaling(1.2, 1.1, 260, 0.3),
    "b3": Scaling(1.4, 1.2, 300, 0.3),
    "b4": Scaling(1.8, 1.4, 380, 0.4),
    "b5": Scaling(2.2, 1.6, 456, 0.4),
    "b6": Scaling(2.6, 1.8, 528, 0.5),
    "b7": Scaling(3.1, 2.0, 600, 0.5),
}


def compound_scaling(phi, alpha=1.2, beta=1.1, gamma=1.15):
    """Scale depth, width and resolution together.

    Multiply-adds grow with `(alpha * beta**2 * gamma**2) ** phi`, close to `2**phi`
    for the published constants.

    Args:
        phi: How far to scale; 0 is B0.
        alpha: Growth of depth.
        beta: Growth of width.
        gamma: Growth of resolution.

    Returns:
        A `Scaling`: depth and width to one decimal, as they were published, and
        whole pixels.
    """
    return Scaling(
        depth=round(alpha**phi, 1),
        width=round(beta**phi, 1),
        resolution=round(224 * gamma**phi),
    )


def scaled_stages(x, depth, width, stages=STAGES, drop=0.2, gate=True):
    """All blocks, with depth and width scaled and rounded as published.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        depth: Factor of the blocks of each stage, rounded up.
        width: Factor of the channels, rounded to multiples of 8.
        stages: Expansion, kernel, channels, blocks, first stride of each stage.
        drop: Stochastic depth grows from 0 at the first block towards this.
        gate: Whether the blocks have gates.

    Returns:
        Tensor with the last stage's channels.
    """
    total = sum(math.ceil(depth * blocks) for *_, blocks, _ in stages)
    done = 0
    for index, (expansion, kernel_size, filters, blocks, stride) in enumerate(
        stages, start=1
    ):
        for block in range(1, math.ceil(depth * blocks) + 1):
            x = mbconv(
                x,
                divisible(width * filters),
                kernel_size,
                stride if block == 1 else 1,
                expansion,
                drop * done / total,
                gate,
                name=f"stage{index}_block{block}",
            )
            done += 1
    return x


def efficientnet(
    input_shape=None,
    classes=1000,
    scaling="b0",
    depth=None,
    width=None,
    resolution=None,
    gate=True,
    drop=0.2,
    preprocessing=True,
    stem_stride=2,
    stages=STAGES,
    name=None,
):
    """Build EfficientNet-B0 to -B7, or another scaling of B0.

    With its preprocessing, B0 to B7 are the same functions as
    `keras.applications.EfficientNetB0` to `EfficientNetB7`.

    Args:
        input_shape: `(height, width, channels)` of an image; `None` for three
            channels at the scaling's resolution.
        classes: Number of classes.
        scaling: "b0" to "b7" or a `Scaling`, such as one of `compound_scaling`.
        depth: Replaces the scaling's depth, to scale one of the three alone.
        width: Replaces its width.
        resolution: Replaces its resolution; without effect beside `input_shape`.
        gate: False to leave the gates out.
        drop: Stochastic depth grows from 0 at the first block towards this.
        preprocessing: Whether the network takes pixels from 0 to 255, divides them
            by 255 and normalises them; False for images already standardised. The
            normalisation's three weights are the first of all, without it the
            others keep their order. See `adopt_normalization`.
        stem_stride: Stride of the first convolution, in pixels.
        stages: Expansion, kernel, channels, blocks and first stride of each stage.
        name: Name of the model; `None` for "efficientnet_b0" and its like.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`; B0 has 5,330,571 parameters and
        0.39 G multiply-adds at 224x224.

    Raises:
        ValueError: If the images are smaller than the product of all strides, the
            variant does not exist, or a factor is not above zero.
    """
    if name is None:
        name = f"efficientnet_{scaling}" if isinstance(scaling, str) else "efficientnet"
    if not isinstance(scaling, Scaling):
        scaling = choose("efficientnet", "scaling", scaling, VARIANTS)
    chosen = {"depth": depth, "width": width, "resolution": resolution}
    scaling = replace(scaling, **{k: v for k, v in chosen.items() if v is not None})
    require_positive(name, depth=scaling.depth, width=scaling.width)
    input_shape = input_shape or (scaling.resolution, scaling.resolution, 3)
    total_stride = stem_stride * math.prod(stride for *_, stride in stages)
    large_enough(input_shape, total_stride, name)
    inputs = keras.Input(input_shape, name="image")
    x = inputs
    if preprocessing:
        x = layers.Rescaling(1 / 255, name="rescaled")(x)
        x = layers.Normalization(name="normalized")(x)
    filters = divisible(32 * scaling.width)
    x = convolution_unit(x, filters, 3, stem_stride, name="stem")
    x = scaled_stages(x, scaling.depth, scaling.width, stages, drop, gate)
    x = convolution_unit(x, divisible(1280 * scaling.width), name="last")
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(scaling.dropout, name="head_dropout")(x)
    outputs = layers.Dense(
        classes,
        activation="softmax",
        # Uniform within 1 / sqrt(outputs), as published.
        kernel_initializer=keras.initializers.VarianceScaling(
            1 / 3, "fan_out", "uniform"
        ),
        dtype="float32",
        name="probabilities",
    )(x)
    return keras.Model(inputs, outputs, name=name)


def efficientnet_b0_cifar(
    input_shape=(32, 32, 3),
    classes=10,
    depth=1.0,
    width=1.0,
    gate=True,
    name="efficientnet_b0",
):
    """Build EfficientNet-B0 for small images that are already standardised.

    Two strides are changed from 2 to 1: that of the first convolution and that of
    stage 6, so that a 32x32 image leaves a 4x4 map.

    Args:
        input_shape: `(height, width, channels)` of an image.
        classes: Number of classes.
        depth: Factor of the blocks of each stage.
        width: Factor of the channels.
        gate: False to leave the gates out.
        name: Name of the model.

    Returns:
        An uncompiled `keras.Model` from images `(batch, height, width, channels)`
        to class probabilities `(batch, classes)`; 4,062,374 parameters and 63 M
        multiply-adds for CIFAR-10.

    Raises:
        ValueError: As `efficientnet` does; 8x8 pixels are the least.
    """
    return efficientnet(
        input_shape,
        classes,
        depth=depth,
        width=width,
        gate=gate,
        preprocessing=False,
        stem_stride=1,
        stages=STAGES_CIFAR,
        name=name,
    )


def adopt_normalization(model):
    """Finish the copying of the ImageNet weights of `keras.applications`.

    The published files hold standard deviations where the normalisation expects
    variances, and `keras.applications` divides by another square root behind it when
    it loads them. Our network has one normalisation, so that division moves into
    its variance. `load_imagenet_weights` calls it, once, after the weights were
    copied in order.

    Args:
        model: An `efficientnet` with preprocessing, and weights of
            `keras.applications.EfficientNetB*(weights="imagenet")`.

    Returns:
        The same model.
    """
    layer = model.get_layer("normalized")
    mean, variance, count = layer.get_weights()
    layer.set_weights([mean, variance * DEVIATIONS, count])
    # The layer computes with copies of its weights that only this renews.
    layer.finalize_state()
    return model
