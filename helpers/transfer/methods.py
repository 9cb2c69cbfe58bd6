"""The ways to a network for two new classes: frozen, thawed in part, from scratch.

Papers:
    How transferable are features in deep neural networks?,
    https://arxiv.org/abs/1411.1792
    Fine-Tuning can Distort Pretrained Features and Underperform
    Out-of-Distribution, https://arxiv.org/abs/2202.10054: why the head is trained
    before anything is thawed
"""

from dataclasses import dataclass, replace
from functools import partial

import keras
import numpy as np
from keras import layers

from helpers import runtime
from helpers.architectures.separable import separable
from helpers.augment import normalize
from helpers.fused import faster_on_cpu
from helpers.optimizers import one_cycle_sgd
from helpers.recipes import RECIPES, compile_model, generators

BATCH = 20  # divides the images of every draw: no small batch is left over
HEAD_RATE = 0.01  # Adam's, for the head on features


@dataclass(frozen=True)
class Method:
    """One way to a network for new classes.

    Attributes:
        what: The way in a phrase, for tables and legends.
        stages: How the names of layers that learn beside the head begin.
    """

    what: str
    stages: tuple[str, ...] = ()


METHODS = {
    "scratch": Method("from scratch", ("stage",)),
    "features": Method("frozen features, new head"),
    "last_stage": Method("last stage thawed", ("stage3_",)),
    "all": Method("all stages thawed", ("stage",)),
}


def feature_network(source):
    """Copy a network of `separable` up to its scores, without dropout.

    Args:
        source: The `keras.Model`, which is left as it is.

    Returns:
        A `keras.Model` from images `(batch, height, width, channels)` to the
        last feature maps, averaged over their positions: `(batch, channels)`.
    """

    def without_dropout(layer):
        settings = layer.get_config()
        if isinstance(layer, layers.Dropout):
            settings["rate"] = 0.0
        return type(layer).from_config(settings)

    copy = keras.models.clone_model(source, clone_function=without_dropout)
    copy.set_weights(source.get_weights())
    maps = copy.get_layer("scores").input
    x = layers.GlobalAveragePooling2D(name="average")(maps)
    return keras.Model(copy.input, x, name="features")


def with_head(features, classes=2):
    """Put a new head on features.

    Args:
        features: A `keras.Model` from images to features `(batch, channels)`.
        classes: Number of new classes.

    Returns:
        A `keras.Model` from the same images to probabilities
        `(batch, classes)`.
    """
    inputs = keras.Input(features.input_shape[1:], name="image")
    x = features(inputs)
    x = layers.Dense(classes, activation="softmax", name="new_head")(x)
    return keras.Model(inputs, x, name="transferred")


def thaw(features, stages=()):
    """Choose the layers that learn; compile afterwards.

    Batch normalisation stays frozen everywhere, and so in inference mode.

    Args:
        features: A `keras.Model`.
        stages: How the names of layers that learn begin; none freezes all.
    """
    features.trainable = True
    for layer in features.layers:
        chosen = layer.name.startswith(tuple(stages))
        normalises = isinstance(layer, layers.BatchNormalization)
        layer.trainable = chosen and not normalises


def train_head(features, head, images, epochs):
    """Train a head on features that are computed once.

    The features are those of each image and of its mirror image.

    Args:
        features: A `keras.Model` from images to features.
        head: A `keras.Model` from features to probabilities.
        images: A `Cifar10`; its training images are learned.
        epochs: Times that each feature is used.
    """
    x = np.concatenate([images.x_train, images.x_train[:, :, ::-1]])
    y = np.concatenate([images.y_train, images.y_train])
    computed = features.predict(normalize(x), batch_size=500, verbose=0)
    head.compile(
        keras.optimizers.Adam(HEAD_RATE), loss="sparse_categorical_crossentropy"
    )
    head.fit(computed, y, batch_size=BATCH, epochs=epochs, verbose=0)


def train_layers(model, images, rate, epochs, seed):
    """Train what is trainable, on cropped and mirrored images.

    Args:
        model: A `keras.Model` from images to probabilities.
        images: A `Cifar10`; its training images are learned.
        rate: Peak of the one-cycle learning rate.
        epochs: Epochs.
        seed: Seed of order and augmentation.
    """
    recipe = replace(
        RECIPES["course"],
        optimizer=partial(one_cycle_sgd, peak=rate),
        batch_size=BATCH,
    )
    training, _, _ = generators(recipe, images, seed)
    compile_model(model, recipe, steps=epochs * len(training))
    model.fit(training, epochs=epochs, shuffle=False, verbose=0)


def trained(method, source, images, epochs, seed, rate=None):
    """Train a network for new classes from a source network, or without it.

    Args:
        method: A name of `METHODS`.
        source: The `keras.Model` of the old classes, which is left as it is.
        images: The `Cifar10` of the new classes.
        epochs: Epochs; as many for the head alone as for what is thawed after it.
        seed: Seed of new weights, order and augmentation.
        rate: Peak of the learning rate of what learns beside the head.

    Returns:
        A `keras.Model` from standardised images to probabilities.
    """
    runtime.set_seed(seed)
    way, classes = METHODS[method], len(images.class_names)
    if method == "scratch":
        # No dropout, as in `feature_network`: the ways differ by their source alone.
        model = faster_on_cpu(separable(classes=classes, dropout=0.0))
        train_layers(model, images, rate, epochs, seed)
        return model
    features = feature_network(source)
    model = with_head(features, classes)
    scores = model.get_layer("new_head")
    inputs = keras.Input(features.output_shape[1:])
    train_head(features, keras.Model(inputs, scores(inputs)), images, epochs)
    thaw(features, way.stages)
    if way.stages:
        train_layers(model, images, rate, epochs, seed)
    return model


def accuracy(model, x, y):
    """The share of images that a model classifies rightly.

    Args:
        model: A `keras.Model` from standardised images to probabilities.
        x: Images `(count, height, width, channels)`, not standardised.
        y: Their labels `(count,)`.

    Returns:
        The share, 0 to 1.
    """
    predicted = model.predict(normalize(x), batch_size=500, verbose=0)
    return float((predicted.argmax(-1) == y).mean())
