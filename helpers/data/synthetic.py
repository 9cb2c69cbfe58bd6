"""The stand-in: ten kinds of pattern, drawn on the fly, where CIFAR-10 is absent.

The patterns let every cell of a notebook run. A small network learns to tell them
apart within an epoch, which says nothing about CIFAR-10. A mirror image belongs to
the same class, so that flipping is a fair augmentation here too.
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
_COLOURS = 240  # pairs of colours
_NOISE = 64  # grey levels of noise, out of 256


def stand_in(train: int = 50_000, test: int = 10_000) -> tuple[np.ndarray, ...]:
    """Draws the stand-in: 60,000 images in about half a second.

    The arithmetic is in whole numbers and the generator is one that NumPy keeps
    as it is for ever, so the images are the same on every machine.

    Args:
        train: number of training images, a multiple of ten.
        test: number of test images, a multiple of ten.

    Returns:
        `(x_train, y_train, x_test, y_test)`: uint8 images `(n, 32, 32, 3)` and
        uint8 labels, every class equally often.
    """
    generator = np.random.RandomState(0)
    number = train + test
    labels = np.empty(number, np.int64)
    for part in (slice(0, train), slice(train, number)):
        labels[part] = np.arange(number)[part] % len(CLASS_NAMES)
        generator.shuffle(labels[part])

    # Every image is a drawing in two colours. The colours are given out by the
    # position in the set, which has nothing to do with the class.
    drawings = _drawings(generator)
    chosen = labels * _SHAPES + _draw(generator, _SHAPES, number)
    dark = np.tile(_draw(generator, 96, (_COLOURS, 3)), _SIDE * _SIDE)
    contrast = np.tile(_draw(generator, 96, (_COLOURS, 3)), _SIDE * _SIDE)
    dark, contrast = dark.astype(np.uint16), contrast.astype(np.uint16)
    rows = -(-number // _COLOURS)
    stock = 1 << 20
    noise = _draw(generator, _NOISE, stock + rows * dark.shape[1]).astype(np.uint8)
    starts = _draw(generator, stock, _COLOURS)

    images = np.empty((number, dark.shape[1]), np.uint8)
    for colour in range(_COLOURS):
        picture = drawings[chosen[colour::_COLOURS]]
        picture *= contrast[colour]
        picture >>= 8
        picture += dark[colour]
        grain = noise[starts[colour] :][: picture.size].reshape(picture.shape)
        # At most 95 + 94 + 63: the sum fits into a byte.
        np.add(picture, grain, out=images[colour::_COLOURS], casting="unsafe")
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
