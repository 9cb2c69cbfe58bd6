"""The stand-in: ten kinds of pattern, drawn on the fly, where CIFAR-10 is absent.

The patterns let every cell of a notebook run. Each class has a shape and, less
reliably, a colour, so that a small network tells most of them apart after one epoch
of 2,000 images; that says nothing about CIFAR-10. A mirror image belongs to the same
class, so that flipping is a fair augmentation here too.
"""

import numpy as np

CLASS_NAMES = (
    "upright stripes",
    "level stripes",
    "diagonal stripes",
    "steep stripes",
    "flat stripes",
    "dots",
    "grid",
    "checks",
    "rings",
    "diamonds",
)
_SIDE = 32
_SHAPES = 64  # drawings of each class, which differ in place, width and direction
_COLOURS = 24  # pairs of colours of each class
_NOISE = 48  # grey levels of noise, out of 256

# How much red, green and blue a class has in its ground, each in steps of 40.
_TINTS = (
    (2, 1, 0),
    (0, 2, 1),
    (1, 0, 2),
    (2, 0, 1),
    (1, 2, 0),
    (0, 1, 2),
    (2, 2, 0),
    (0, 2, 2),
    (2, 0, 2),
    (1, 1, 1),
)


def stand_in(train: int = 50_000, test: int = 10_000) -> tuple[np.ndarray, ...]:
    """Draws the stand-in: 60,000 images in about half a second.

    The arithmetic is in whole numbers and the generator is one that NumPy keeps
    as it is for ever, so the images are the same on every machine.

    Args:
        train: number of training images, a multiple of ten.
        test: number of test images, a multiple of ten.

    Returns:
        `(x_train, y_train, x_test, y_test)`: uint8 images `(n, 32, 32, 3)` and
        uint8 labels, which go round the classes in order.
    """
    generator = np.random.RandomState(0)
    number, classes = train + test, len(CLASS_NAMES)
    labels = np.arange(number) % classes

    # An image is a drawing in two colours, and noise. A pair of colours serves
    # every 240th image, all of one class, so that whole slices are computed.
    drawings = _drawings(generator)
    chosen = labels * _SHAPES + _draw(generator, _SHAPES, number)
    pairs = classes * _COLOURS
    ground = 40 * np.tile(_TINTS, (_COLOURS, 1)) + _draw(generator, 32, (pairs, 3))
    contrast = 32 + _draw(generator, 64, (pairs, 3))
    ground = np.tile(ground, _SIDE * _SIDE).astype(np.uint16)
    contrast = np.tile(contrast, _SIDE * _SIDE).astype(np.uint16)
    stock, width = 1 << 20, ground.shape[1]
    most = -(-number // pairs) * width
    noise = _draw(generator, _NOISE, stock + most).astype(np.uint8)
    starts = _draw(generator, stock, pairs)

    images = np.empty((number, width), np.uint8)
    for pair in range(pairs):
        picture = drawings[chosen[pair::pairs]]
        picture *= contrast[pair]
        picture >>= 8
        picture += ground[pair]
        grain = noise[starts[pair] :][: picture.size].reshape(picture.shape)
        # At most 94 + 111 + 47: the sum fits into a byte.
        np.add(picture, grain, out=images[pair::pairs], casting="unsafe")
    images = images.reshape(number, _SIDE, _SIDE, 3)
    labels = labels.astype(np.uint8)
    return images[:train], labels[:train], images[train:], labels[train:]


def _draw(generator: np.random.RandomState, below: int, shape) -> np.ndarray:
    # The type decides the stream, and NumPy's default differs between systems.
    return generator.randint(0, below, shape, dtype=np.int64)


def _drawings(generator: np.random.RandomState) -> np.ndarray:
    """Draws every class `_SHAPES` times.

    Returns:
        uint16 `(classes * _SHAPES, 32 * 32 * 3)`, values from 0 to 255, the same
        in the three channels.
    """
    grey = [
        _drawing(kind, *_draw(generator, 16, 2), 6 + _draw(generator, 5, None), flip)
        for kind in range(len(CLASS_NAMES))
        for flip in np.arange(_SHAPES) % 2
    ]
    return np.repeat(np.stack(grey).reshape(len(grey), -1), 3, axis=1).astype(np.uint16)


def _drawing(kind: int, right: int, down: int, width: int, flip: int) -> np.ndarray:
    """Draws one pattern of whole numbers from 0 to 255, `(32, 32)`."""
    y, x = np.mgrid[down : down + _SIDE, right : right + _SIDE]
    across, along = _wave(x, width), _wave(y, width)
    around_x, around_y = x - right - _SIDE // 2, y - down - _SIDE // 2
    patterns = (
        across,
        along,
        _wave(x + y, width),
        _wave(2 * x + y, 2 * width),
        _wave(x + 2 * y, 2 * width),
        np.minimum(across, along),
        np.maximum(across, along),
        np.abs(across - along),
        _wave(around_x**2 + around_y**2, 16 * width),
        _wave(np.abs(around_x) + np.abs(around_y) + right, width),
    )
    return patterns[kind][:, :: -1 if flip else 1]


def _wave(values: np.ndarray, period: int) -> np.ndarray:
    """A triangle wave from 0 to 255."""
    phase = values % period
    return np.minimum(phase, period - phase) * 510 // period
