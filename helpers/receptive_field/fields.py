"""The receptive field of every layer of a model."""

from fractions import Fraction

from .feature_map import FeatureMap
from .intervals import EMPTY
from .registry import ReceptiveFieldError

Interval = tuple[int, int]


class Field:
    """What the output positions of one layer call see of the image.

    Every spatial value is a pair (vertical, horizontal). Pixels are counted from 0, and
    pixel 0 has its centre at 0.5. The field belongs to the local path; gates such as
    squeeze-and-excitation, whose one value sees everything, show in `whole`.

    Attributes:
        name: name of the call.
        feature_map: the feature map of the (first) output.
    """

    def __init__(self, name: str, feature_map: FeatureMap):
        self.name = name
        self.feature_map = feature_map

    @property
    def size(self) -> tuple[int | None, int | None]:
        """Pixels that one output depends on: the most over the output's phases.

        The image's size behind layers that join all positions (None where it is not
        known); zero for tensors that do not depend on the image.
        """
        if not self.feature_map.sighted:
            return 0, 0
        return self._each(lambda p: p.size, self.feature_map.image)

    @property
    def jump(self) -> tuple[int | float | None, int | float | None]:
        """Pixels from one output to the next; below 1 after upsampling."""
        return self._each(lambda p: _plain(p.jump))

    @property
    def start(self) -> tuple[float | None, float | None]:
        """Centre of the first output's field, None where it depends on a size."""
        middles = [size and size / 2 for size in self.feature_map.image]
        return self._each(_first_centre, middles)

    @property
    def padding(self) -> tuple[int | None, int | None]:
        """Effective padding: how far the first output's field reaches off the image.

        Negative where the first field begins inside, None as for `start`.
        """
        return self._each(
            lambda p: -p.at(0)[0] if p.anchored and p.at(0)[0] < EMPTY else None
        )

    @property
    def output_size(self) -> tuple[int | None, int | None]:
        """Number of output positions."""
        return self.feature_map.grid

    @property
    def aligned(self) -> bool:
        """Whether all paths to here have the same centres."""
        return self.feature_map.aligned

    @property
    def whole(self) -> bool:
        """Whether every output sees the whole image, gates included.

        True behind every layer that joins all positions (global pooling, Flatten,
        attention), and where the field of each output covers the image.
        """
        return self.feature_map.whole

    def interval(self, index: int | tuple[int, int]) -> tuple[Interval, Interval]:
        """Returns the pixels in the field of one output, as first and last.

        The interval is `[index * jump + lo, index * jump + hi]`, and reaches beyond the
        image where padding is part of the field. It ends inside the image where the
        rest of it is not seen: at a row that a strided layer leaves out, for example.
        An interval without pixels has its first behind its last.

        Args:
            index: the output's position, (row, column), or one number for both.

        Raises:
            IndexError: where there is no such output.
            ReceptiveFieldError: where the interval depends on an unknown image size.
        """
        position = self._position(index)
        return self._interval(0, position), self._interval(1, position)

    def visible(self, index: int | tuple[int, int]) -> tuple[Interval, Interval] | None:
        """Returns the pixels of the image that one output really depends on.

        These are the rows and columns between which its gradient is not zero: no
        padding, and gates included.

        Args:
            index: the output's position, (row, column), or one number for both.

        Returns:
            First and last row, first and last column; None where it sees no pixel.

        Raises:
            IndexError: where there is no such output.
            ReceptiveFieldError: where the size of the image is not known.
        """
        seen = self.feature_map.seen
        position = self._position(index)
        if seen is None:
            raise ReceptiveFieldError(
                f"the pixels that {self.name!r} sees depend on the image's size, "
                "which is not known. Build the model with a fixed input size"
            )
        found = _ends_at(seen, position)
        if not found:
            return None
        return _hull(found, 0), _hull(found, 1)

    def outside(self, index: int | tuple[int, int] | None = None) -> float:
        """Returns the share of the field that lies outside the image.

        Args:
            index: the output's position; None for the mean over all outputs.

        Raises:
            ReceptiveFieldError: where the size of the image is not known.
        """
        image, grid = self.feature_map.image, self.output_size
        if None in image or None in grid:
            raise ReceptiveFieldError(
                f"the share of {self.name!r} outside the image depends on its size, "
                "which is not known. Build the model with a fixed input size"
            )
        if index is None:
            positions = [range(size) for size in grid]
        else:
            positions = [[at] for at in self._position(index)]
        # Area is rows times columns, so the mean of products is the product of means
        # of the inner shares as long as all fields have one size: weigh by size.
        inner = area = 1
        for i in (0, 1):
            pattern = self.feature_map.patterns[i]
            ends = [
                pattern.at(at) if pattern else (0, image[i] - 1) for at in positions[i]
            ]
            area *= sum(max(0, hi - lo + 1) for lo, hi in ends)
            inner *= sum(
                max(0, min(hi, image[i] - 1) - max(lo, 0) + 1) for lo, hi in ends
            )
        return 1 - inner / area if area else 0.0

    def _each(self, value, joined=(None, None)):
        return tuple(
            otherwise if pattern is None else value(pattern)
            for pattern, otherwise in zip(
                self.feature_map.patterns, joined, strict=True
            )
        )

    def _position(self, index) -> tuple[int, int]:
        pair = (index, index) if isinstance(index, int) else tuple(index)
        for at, size in zip(pair, self.output_size, strict=True):
            if at < 0 or (size is not None and at >= size):
                raise IndexError(
                    f"output {pair} of {self.name!r} does not exist: it has "
                    f"{self.output_size} positions, counted from 0"
                )
        return pair

    def _interval(self, i, position):
        pattern, size = self.feature_map.patterns[i], self.feature_map.image[i]
        if pattern is None:
            if size is None:
                raise self._unknown()
            return 0, size - 1
        if not pattern.anchored:
            raise self._unknown()
        lo, hi = pattern.at(position[i])
        if self.feature_map.seen is None:
            return (lo, hi) if lo <= hi else (0, -1)
        first, last = max(lo, 0), min(hi, size - 1)
        local = [part for part in self.feature_map.seen if part.local[i]]
        found = _ends_at(local, position)
        if first > last and lo <= hi:
            return lo, hi
        if not found:
            return 0, -1
        seen_first, seen_last = _hull(found, i)
        if seen_first > first:
            lo = seen_first
        if seen_last < last:
            hi = seen_last
        return lo, hi

    def _unknown(self):
        return ReceptiveFieldError(
            f"the interval of {self.name!r} depends on the size of the image, which is "
            "not known. Build the model with a fixed input size"
        )

    def __repr__(self):
        size, jump, start = (_pair(v) for v in (self.size, self.jump, self.start))
        notes = "".join(
            [", whole image" * self.whole, ", not aligned" * (not self.aligned)]
        )
        return f"<Field of {self.name}: size {size}, jump {jump}, start {start}{notes}>"


def _ends_at(parts, position):
    """Returns what the parts see from a position, as ((lo, hi), (lo, hi)) each."""
    found = []
    for part in parts:
        ends = [(lo[i], hi[i]) for (lo, hi), i in zip(part.ends, position, strict=True)]
        if all(lo <= hi for lo, hi in ends):
            found.append(ends)
    return found


def _hull(found, i):
    return int(min(ends[i][0] for ends in found)), int(
        max(ends[i][1] for ends in found)
    )


def _first_centre(pattern):
    lo, hi = pattern.at(0)
    return (lo + hi + 1) / 2 if pattern.anchored and lo <= hi else None


def _plain(jump: Fraction):
    return int(jump) if jump.denominator == 1 else float(jump)


def _pair(values):
    return "x".join("?" if v is None else f"{v:g}" for v in values)
