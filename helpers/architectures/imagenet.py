"""ImageNet weights for networks that `keras.applications` has as well.

Our networks are written anew, layer by layer, so the weights that Keras
publishes are copied in the order in which the layers compute.
"""

import keras
from keras import layers

from helpers.architectures.efficientnet import adopt_normalization


class WeightsError(RuntimeError):
    """Published weights that cannot be had or do not fit."""


def weighted_layers(model) -> list[keras.Layer]:
    """List the layers that have weights, in the order in which they compute.

    The order follows the graph from its outputs back to the image, the branches of
    a merging layer in the order of its inputs. Unlike `model.layers`, it does not
    change with dropout, padding or activations that stand in layers of their own.

    Args:
        model: A functional `keras.Model`.

    Returns:
        The layers, each once.
    """
    found, visited = [], set()
    # A stack in place of recursion: DenseNet-201 is deeper than Python allows.
    stack = [(tensor, False) for tensor in reversed(model.outputs)]
    while stack:
        tensor, after_inputs = stack.pop()
        operation, index, _ = tensor._keras_history
        if after_inputs:
            if operation not in found and getattr(operation, "weights", None):
                found.append(operation)
            continue
        if (id(operation), index) in visited:
            continue
        visited.add((id(operation), index))
        stack.append((tensor, True))
        parents = operation._inbound_nodes[index].input_tensors
        stack += [(parent, False) for parent in reversed(parents)]
    return found


def copy_weights(source, target, head: bool = True) -> None:
    """Copy the weights of a network into another of the same structure.

    A dense layer and a 1x1 convolution of the same weights fit each other. Where
    the target has no `Normalization` of the image (EfficientNet in
    `keras.applications` has one), that of the source is left out.

    Args:
        source: The `keras.Model` that has the weights.
        target: The `keras.Model` that receives them.
        head: Whether the source ends as the target does; otherwise the target's
            last layers, which the source lacks, keep their weights.

    Raises:
        WeightsError: If the layers do not fit one another.
    """
    ours, theirs = weighted_layers(target), weighted_layers(source)
    if not any(isinstance(layer, layers.Normalization) for layer in ours):
        theirs = [x for x in theirs if not isinstance(x, layers.Normalization)]
    if len(ours) < len(theirs) or (head and len(ours) != len(theirs)):
        raise WeightsError(
            f"{target.name!r} has {len(ours)} layers with weights and "
            f"{source.name!r} has {len(theirs)}: they are different networks. Build "
            f"{target.name!r} as it was published."
        )
    pairs = list(zip(ours, theirs, strict=False))
    # All pairs are compared before the first is copied.
    for own, other in pairs:
        if _shapes(own, squeeze=True) != _shapes(other, squeeze=True):
            raise WeightsError(
                f"layer {own.name!r} of {target.name!r} has weights of shapes "
                f"{_shapes(own)}, layer {other.name!r} of {source.name!r} has "
                f"{_shapes(other)}. Build {target.name!r} as it was published, with "
                "the same classes and image size."
            )
    for own, other in pairs:
        values = zip(other.get_weights(), own.weights, strict=True)
        own.set_weights([value.reshape(tuple(w.shape)) for value, w in values])


def _shapes(layer, squeeze=False) -> list[tuple[int, ...]]:
    shapes = [tuple(weight.shape) for weight in layer.weights]
    if squeeze:
        return [tuple(n for n in shape if n != 1) for shape in shapes]
    return shapes


def application_for(name: str) -> str:
    """Find the function of `keras.applications` that builds a network.

    Args:
        name: Name of one of our networks: "vgg16", "inception_v3", "resnet50".

    Returns:
        Its name there: "VGG16", "InceptionV3", "ResNet50".

    Raises:
        WeightsError: If there is none.
    """
    known = {
        _letters(each): each
        for each in dir(keras.applications)
        if each[0].isupper() and callable(getattr(keras.applications, each))
    }
    if _letters(name) not in known:
        raise WeightsError(
            f"keras.applications has no network {name!r}, so there are no ImageNet "
            f"weights for it. It has: {', '.join(sorted(known.values()))}."
        )
    return known[_letters(name)]


def _letters(name: str) -> str:
    return name.replace("_", "").lower()


def load_imagenet_weights(model, top: bool = True, application: str | None = None):
    """Give a network the weights that Keras publishes, trained on ImageNet.

    Keras downloads them at the first call and keeps them under `~/.keras/models`.
    Images must be prepared as `keras.applications` does for the same network
    (`keras.applications.vgg16.preprocess_input` and its like); an EfficientNet
    with preprocessing takes pixels from 0 to 255.

    Args:
        model: A functional `keras.Model`, built as published; image size and, with
            `top=False`, head and classes are free.
        top: Whether the head with its 1,000 classes is loaded too.
        application: Name of the function in `keras.applications`; `None` finds it
            by the model's name.

    Returns:
        The same model.

    Raises:
        WeightsError: If there are no weights for this network, they could not be
            downloaded, or they do not fit.
    """
    application = application_for(application or model.name)
    build = getattr(keras.applications, application)
    try:
        source = build(weights="imagenet", include_top=top)
    except Exception as error:
        # Keras wraps a failed download in a plain Exception.
        if "URL fetch failure" not in str(error) and not isinstance(error, OSError):
            raise
        raise WeightsError(
            f"the ImageNet weights of {application} could not be downloaded "
            f"({error}). Run this once where there is a network: Keras keeps the "
            "file under ~/.keras/models and needs no network after that."
        ) from error
    copy_weights(source, model, head=top)
    if application.startswith("EfficientNetB") and _normalises(model):
        adopt_normalization(model)
    return model


def _normalises(model) -> bool:
    return any(isinstance(layer, layers.Normalization) for layer in model.layers)
