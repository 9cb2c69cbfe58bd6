"""Predictions averaged over several views of an image: shifted, mirrored.

Papers: ImageNet Classification with Deep Convolutional Neural Networks (ten crops,
averaged), https://papers.nips.cc/paper/4824; 94% on CIFAR-10 in 3.29 Seconds on a
Single GPU (shifted by a pixel, mirrored), https://arxiv.org/abs/2404.00498
"""

import keras
from keras import ops

# Half the weight on the image itself, half on two shifted by a pixel each way.
SHIFTS = {(0, 0): 0.5, (-1, -1): 0.25, (1, 1): 0.25}
UNSHIFTED = {(0, 0): 1.0}


def shifted(images, rows, columns):
    """Shift images by whole pixels; the border is a reflection.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`.
        rows: Pixels down, or up if negative.
        columns: Pixels to the right, or to the left if negative.

    Returns:
        Tensor of the same shape.
    """
    if rows == columns == 0:
        return images
    height, width = images.shape[1:3]
    by = max(abs(rows), abs(columns))
    padded = ops.pad(images, ((0, 0), (by, by), (by, by), (0, 0)), mode="reflect")
    top, left = by - rows, by - columns
    return padded[:, top : top + height, left : left + width]


def with_views(model, shifts=None, mirror=True):
    """A model that averages the predictions of another over views of each image.

    Args:
        model: A `keras.Model` of images of a fixed size.
        shifts: Weight by (rows, columns) of a shift, in pixels; `None` for
            `SHIFTS`. The weights are divided by their sum.
        mirror: Whether each view is seen mirrored too.

    Returns:
        A `keras.Model` with the inputs and outputs of `model`; it costs one
        prediction of `model` a view.

    Raises:
        ValueError: If there is no view, or a weight is not above zero.
    """
    shifts = SHIFTS if shifts is None else shifts
    if not shifts or not all(weight > 0 for weight in shifts.values()):
        raise ValueError(
            f"shifts is {shifts!r}: give a weight above 0 for one shift or more."
        )
    total = sum(shifts.values())
    inputs = keras.Input(model.input_shape[1:], name="image")
    outputs = 0.0
    for (rows, columns), weight in shifts.items():
        view = shifted(inputs, rows, columns)
        views = (view, ops.flip(view, axis=2)) if mirror else (view,)
        for one in views:
            outputs += model(one) * (weight / total / len(views))
    return keras.Model(inputs, outputs, name=f"{model.name}_views")
