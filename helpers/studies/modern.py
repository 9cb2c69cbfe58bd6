"""The studies of the modern architectures' lectures: pairs that differ in one thing.

They train on 9,000 of the 45,000 training images for 30 epochs, unless a variant is
an architecture of the course, whose own run of 50 epochs on all images stands for it.
"""

import functools
from dataclasses import replace

import keras
from keras import layers

from helpers.architectures.densenet import densenet_cifar
from helpers.architectures.efficientnet import efficientnet_b0_cifar
from helpers.architectures.mobilenet import mobilenet_cifar
from helpers.architectures.mobilenet_v2 import mobilenet_v2_cifar
from helpers.architectures.resnet import resnet_cifar
from helpers.architectures.resnext import resnext_cifar
from helpers.architectures.senet import squeeze_excitation
from helpers.architectures.shufflenet import shufflenet_cifar
from helpers.recipes import RECIPES
from helpers.studies.base import Study, Variant

SHORT = replace(RECIPES["course"], epochs=30)
BFLOAT16 = "mixed_bfloat16"

PLAIN = {"shortcut": "none"}

RESIDUAL = Study(
    "Can a deeper network be trained?",
    SHORT,
    {
        "plain20": Variant("20 layers, plain", network=PLAIN),
        "plain56": Variant("56 layers, plain", network={**PLAIN, "depth": 56}),
        "resnet20": Variant("20 layers, residual"),
        "resnet56": Variant("56 layers, residual", network={"depth": 56}),
    },
    resnet_cifar,
    precision=BFLOAT16,
)

CARDINALITY = Study(
    "Many narrow paths or one wide path, at equal parameters?",
    SHORT,
    {
        f"{cardinality}x{width}": Variant(
            f"{cardinality} x {width}",
            network={"cardinality": cardinality, "width": width},
        )
        for cardinality, width in ((1, 16), (2, 10), (4, 6))
    },
    functools.partial(resnext_cifar, depth=20, filters=64),
    precision=BFLOAT16,
)

GATE = Study(
    "Does the gate help?",
    RECIPES["course"],
    {
        "without": Variant("without gate", architecture="resnet20"),
        "with": Variant(
            "with gate",
            network={"gate": squeeze_excitation, "name": "se_resnet20"},
            architecture="se_resnet20",
        ),
    },
    resnet_cifar,
    images=None,
    precision=BFLOAT16,
)


def dense_or_residual(dense=True, depth=22, **settings):
    """A DenseNet or a residual network: `densenet_cifar` or `resnet_cifar`."""
    builder = densenet_cifar if dense else resnet_cifar
    return builder(depth=depth, **settings)


BC = {"bottleneck": True, "compression": 0.5}
AS_THEY_ARE = {"transforms": ()}

DENSE = Study(
    "Dense or residual, at equal parameters? Does dropout replace augmentation?",
    SHORT,
    {
        "dense": Variant("DenseNet, 22 layers"),
        "residual": Variant("ResNet, 20 layers", network={"dense": False, "depth": 20}),
        "bc": Variant("DenseNet-BC, 22 layers, not augmented", AS_THEY_ARE, BC),
        "bc_dropout": Variant(
            "DenseNet-BC, 22 layers, not augmented, dropout 0.2",
            AS_THEY_ARE,
            {**BC, "dropout": 0.2},
        ),
    },
    dense_or_residual,
    precision=BFLOAT16,
)

SEPARABLE = Study(
    "What does a depthwise separable convolution cost in accuracy?",
    SHORT,
    {
        "full": Variant("3x3 convolutions", network={"separable": False}),
        "separable": Variant("depthwise separable convolutions"),
    },
    functools.partial(mobilenet_cifar, alpha=0.25),
)

BOTTLENECK = Study(
    "Should the narrow end of an inverted residual have a ReLU?",
    SHORT,
    {
        "linear": Variant("linear"),
        "relu": Variant("ReLU6", network={"linear": False}),
    },
    functools.partial(mobilenet_v2_cifar, alpha=0.35),
)

SHUFFLE = Study(
    "Do groups need the shuffle?",
    SHORT,
    {
        "shuffle": Variant("shuffled"),
        "none": Variant("not shuffled", network={"shuffle": False}),
    },
    functools.partial(shufflenet_cifar, scale=0.25),
)


def scaled_efficientnet(depth=1.0, width=1.0, resolution=32):
    """EfficientNet-B0 for small images at a quarter of its channels, scaled.

    Args:
        depth: Factor of the blocks of each stage.
        width: Factor of the channels.
        resolution: Rows and columns to which the images are enlarged.

    Returns:
        An uncompiled `keras.Model` from images `(batch, 32, 32, 3)` to class
        probabilities `(batch, 10)`.
    """
    inputs = keras.Input((32, 32, 3), name="image")
    x = inputs
    if resolution != 32:
        x = layers.Resizing(resolution, resolution, name="resized")(x)
    network = efficientnet_b0_cifar(
        (resolution, resolution, 3), depth=depth, width=0.25 * width
    )
    x = network(x)
    return keras.Model(inputs, x, name=network.name)


# Each about 17.7 M multiply-adds, nearly three times those of the first.
SCALING = Study(
    "Deeper, wider, finer, or a little of each, at equal multiply-adds?",
    SHORT,
    {
        "base": Variant("not scaled"),
        "depth": Variant("depth x 2.6", network={"depth": 2.6}),
        "width": Variant("width x 2", network={"width": 2.0}),
        "resolution": Variant("52x52 pixels", network={"resolution": 52}),
        "together": Variant(
            "depth x 1.2, width x 1.2, 40x40 pixels",
            network={"depth": 1.2, "width": 1.2, "resolution": 40},
        ),
    },
    scaled_efficientnet,
)

MODERN = {
    "residual": RESIDUAL,
    "cardinality": CARDINALITY,
    "gate": GATE,
    "dense": DENSE,
    "separable": SEPARABLE,
    "bottleneck": BOTTLENECK,
    "shuffle": SHUFFLE,
    "scaling": SCALING,
}
