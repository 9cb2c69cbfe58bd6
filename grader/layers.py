"""What a Keras layer call says, in the argument styles of Keras 1, 2 and 3."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

# Every accepted spelling, in lower case without underscores, and its one name.
_SPELLINGS = {
    "Conv2D": "conv2d convolution2d atrousconvolution2d atrousconv2d",
    "SeparableConv2D": "separableconv2d separableconvolution2d",
    "DepthwiseConv2D": "depthwiseconv2d depthwiseconvolution2d",
    "Conv2DTranspose": "conv2dtranspose convolution2dtranspose deconvolution2d "
    "deconv2d",
    "LocallyConnected2D": "locallyconnected2d",
    "MaxPooling2D": "maxpooling2d maxpool2d",
    "AveragePooling2D": "averagepooling2d avgpool2d averagepool2d",
    "GlobalAveragePooling2D": "globalaveragepooling2d globalavgpool2d",
    "GlobalMaxPooling2D": "globalmaxpooling2d globalmaxpool2d",
    "Flatten": "flatten",
    "Reshape": "reshape",
    "Dense": "dense",
    "Dropout": "dropout alphadropout gaussiandropout",
    "SpatialDropout2D": "spatialdropout2d",
    # The course's own fused variant has the same weights.
    "BatchNormalization": "batchnormalization batchnorm batchnormalisation "
    "fusedbatchnormalization",
    "Activation": "activation",
    "ReLU": "relu",
    "LeakyReLU": "leakyrelu",
    "ELU": "elu thresholdedrelu",
    "PReLU": "prelu",
    "Softmax": "softmax",
    "ZeroPadding2D": "zeropadding2d",
    "Cropping2D": "cropping2d",
    "UpSampling2D": "upsampling2d",
    "InputLayer": "inputlayer",
    "Add": "add",
    "Subtract": "subtract",
    "Multiply": "multiply",
    "Average": "average",
    "Maximum": "maximum",
    "Minimum": "minimum",
    "Concatenate": "concatenate",
    "Identity": "identity gaussiannoise activityregularization rescaling "
    "randomflip randomcrop randomtranslation randomrotation randomzoom "
    "randomcontrast randombrightness normalization spectralnormalization",
    "Lambda": "lambda",
    "Conv1D": "conv1d convolution1d separableconv1d separableconvolution1d",
    "LayerNormalization": "layernormalization groupnormalization unitnormalization",
}
KINDS = {
    spelling: name for name, words in _SPELLINGS.items() for spelling in words.split()
}

CONVOLUTIONS = frozenset(
    {
        "Conv2D",
        "SeparableConv2D",
        "DepthwiseConv2D",
        "Conv2DTranspose",
        "LocallyConnected2D",
        "Conv1D",
    }
)
POOLINGS = frozenset({"MaxPooling2D", "AveragePooling2D"})
GLOBAL_POOLINGS = frozenset({"GlobalAveragePooling2D", "GlobalMaxPooling2D"})
MERGES = frozenset(
    {"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"}
)

# Keyword spellings, compared without underscores, and the option they set.
_KEYWORDS = {
    "filters": "filters",
    "nbfilter": "filters",
    "nbfilters": "filters",
    "kernelsize": "kernel",
    "kernel": "kernel",
    "nbrow": "rows",
    "nbcol": "columns",
    "strides": "strides",
    "stride": "strides",
    "subsample": "strides",
    "padding": "padding",
    "bordermode": "padding",
    "dilationrate": "dilation",
    "atrousrate": "dilation",
    "depthmultiplier": "multiplier",
    "usebias": "bias",
    "bias": "bias",
    "activation": "activation",
    "inputshape": "input_shape",
    "batchinputshape": "batch_input_shape",
    "batchshape": "batch_input_shape",
    "shape": "input_shape",
    "inputdim": "input_dim",
    "units": "units",
    "outputdim": "units",
    "rate": "rate",
    "p": "rate",
    "poolsize": "pool",
    "size": "pool",
    "center": "center",
    "scale": "scale",
    "axis": "axis",
    "dataformat": "data_format",
    "dimordering": "data_format",
    "targetshape": "target",
    "cropping": "pad",
    "groups": "groups",
    "mode": "mode",
    "sharedaxes": "shared_axes",
    "keepdims": "keepdims",
    "name": "name",
}

_POSITIONS: Mapping[str, tuple[str, ...]] = {
    "Conv2D": ("filters", "kernel", "strides", "padding"),
    "SeparableConv2D": ("filters", "kernel", "strides", "padding"),
    "Conv2DTranspose": ("filters", "kernel", "strides", "padding"),
    "LocallyConnected2D": ("filters", "kernel", "strides", "padding"),
    "DepthwiseConv2D": ("kernel", "strides", "padding", "multiplier"),
    "MaxPooling2D": ("pool", "strides", "padding"),
    "AveragePooling2D": ("pool", "strides", "padding"),
    "Dense": ("units", "activation", "bias"),
    "Dropout": ("rate",),
    "SpatialDropout2D": ("rate",),
    "Activation": ("activation",),
    "BatchNormalization": ("axis",),
    "ZeroPadding2D": ("pad",),
    "Cropping2D": ("pad",),
    "UpSampling2D": ("pool",),
    "InputLayer": ("input_shape",),
    "Reshape": ("target",),
    "Conv1D": ("filters", "kernel", "strides", "padding"),
}


@dataclasses.dataclass(frozen=True, eq=False)
class Layer:
    """One layer object of a submission.

    Attributes:
        kind: one of the names of `KINDS`' values.
        options: what the call said, under the names this module uses
            (`filters`, `kernel`, `strides`, `padding`, `dilation`, `multiplier`,
            `bias`, `units`, `rate`, `pool`, `activation`, `input_shape`, ...).
        lines: line numbers in the cell, the outermost call first.
        unread: option names whose value could not be followed.
    """

    kind: str
    options: Mapping[str, Any]
    lines: tuple[int, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def is_windowed(self) -> bool:
        """Whether the layer slides a window (a convolution or a pooling)."""
        return self.kind in CONVOLUTIONS or self.kind in POOLINGS


def kind_of(name: str) -> str | None:
    """Return the layer's one name for any spelling, or None for another word."""
    # `add` and `average` in lower case are functions, not layers.
    if not name[:1].isupper():
        return None
    return KINDS.get(name.replace("_", "").lower())


def pair(value: Any) -> tuple[int, int] | None:
    """Return `value` as (height, width), or None when it is not one or two ints."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return (value, value)
    if isinstance(value, float) and value.is_integer():
        return (int(value), int(value))
    if isinstance(value, list | tuple) and len(value) in (1, 2):
        if all(isinstance(v, int) and not isinstance(v, bool) for v in value):
            return (value[0], value[-1])
    return None


def read_call(
    kind: str,
    positional: list[Any],
    keywords: Mapping[str, Any],
    lines: tuple[int, ...] = (),
    legacy: bool = True,
) -> Layer:
    """Turn a layer call into a `Layer`.

    Args:
        kind: the layer's name.
        positional: evaluated positional arguments.
        keywords: evaluated keyword arguments.
        lines: where the call stands.
        legacy: read `Conv2D(48, 3, 3)` as Keras 1 and 2 did, with the two
            numbers as kernel sides; False reads the second as the stride.

    Returns:
        The layer; an argument of no use for sizes or counts is dropped.
    """
    options: dict[str, Any] = {}
    names = list(_POSITIONS.get(kind, ()))
    values = list(positional)
    if legacy and kind in CONVOLUTIONS and kind != "DepthwiseConv2D":
        sides = values[1:3]
        if len(sides) == 2 and all(type(side) is int for side in sides):
            values[1:3] = [tuple(sides)]
            names = [name for name in names if name != "strides"]
    for name, value in zip(names, values, strict=False):
        options[name] = value
    for word, value in keywords.items():
        name = _KEYWORDS.get(word.replace("_", "").replace("*", "").lower())
        if name is not None:
            options[name] = value
    if "rows" in options:
        rows = options.pop("rows")
        options["kernel"] = (rows, options.pop("columns", rows))
    _normalise(kind, options)
    unread = tuple(
        name
        for name, value in options.items()
        if not _is_plain(value) and name not in ("activation", "name", "axis")
    )
    return Layer(kind, options, lines, unread)


def _is_plain(value: Any, depth: int = 0) -> bool:
    if isinstance(value, list | tuple):
        # Deeper or longer is no option of a layer, and may hold itself.
        if depth > 1 or len(value) > 8:
            return False
        return all(_is_plain(item, depth + 1) for item in value)
    return value is None or isinstance(value, bool | int | float | str)


def _normalise(kind: str, options: dict[str, Any]) -> None:
    """Give sides as pairs, words in lower case and the defaults of Keras."""
    for name in ("kernel", "strides", "dilation", "pool"):
        if name in options and options[name] is not None:
            sides = pair(options[name])
            options[name] = sides if sides is not None else options[name]
    for name in ("padding", "activation"):
        if isinstance(options.get(name), str):
            options[name] = options[name].lower()
    if kind in CONVOLUTIONS:
        options.setdefault("strides", (1, 1))
        options.setdefault("padding", "valid")
        options.setdefault("dilation", (1, 1))
        options.setdefault("bias", True)
        if kind in ("SeparableConv2D", "DepthwiseConv2D"):
            options.setdefault("multiplier", 1)
    elif kind in POOLINGS:
        options.setdefault("pool", (2, 2))
        if options.get("strides") is None:
            options["strides"] = options["pool"]
        options.setdefault("padding", "valid")
    elif kind == "Dense":
        options.setdefault("bias", True)
    elif kind == "BatchNormalization":
        options.setdefault("center", True)
        options.setdefault("scale", True)
    elif kind == "UpSampling2D":
        options.setdefault("pool", (2, 2))
    elif kind in ("ZeroPadding2D", "Cropping2D"):
        if "padding" in options:
            options["pad"] = options.pop("padding")
        options.setdefault("pad", (1, 1) if kind == "ZeroPadding2D" else (0, 0))
