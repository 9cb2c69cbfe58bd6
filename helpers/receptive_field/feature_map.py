"""What each position of a tensor sees of the image, and how layers change that."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from . import windows
from .intervals import Pattern, Window
from .parts import Part, gather, hull
from .registry import ReceptiveFieldError

Pair = tuple[int, int]
Size = tuple[int | None, int | None]


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """A tensor of a network and the pixels that its positions see.

    Attributes:
        shape: shape of the tensor, batch first, None where not known.
        axes: its axes for rows and columns; None where a direction is gone (after
            global pooling). Equal axes mean one axis of row-major positions (tokens).
        grid: number of positions, (rows, columns), None where not known.
        image: size of the image, (rows, columns), None where not known.
        patterns: for rows and columns the pixels seen along local paths; None where
            the layer joined all positions of that direction.
        seen: the pixels inside the image, borders considered, as a union of parts.
            Their number stays small: parts are united unless they differ in which
            positions see nothing, or in being local. None where a size is not known.
        sighted: False for tensors that do not depend on the image.
        joined: whether some path to here joins all positions of the image.
        aligned: False where paths to here have different centres.
        origin: name of the layer that made the tensor.
        output: which of that layer's outputs it is.
        turned: whether every pair above is (columns, rows) of the image, because a
            layer wants the tensor's first direction first and the tensor was
            transposed.
    """

    shape: tuple[int | None, ...]
    axes: tuple[int | None, int | None]
    grid: Size
    image: Size
    patterns: tuple[Pattern | None, Pattern | None]
    seen: tuple[Part, ...] | None
    sighted: bool = True
    joined: bool = False
    aligned: bool = True
    origin: str = ""
    output: int = 0
    turned: bool = False

    @classmethod
    def of_image(cls, shape: Sequence[int | None], axes: Pair, name: str = ""):
        """Returns the map of a model's input, in which each pixel sees itself."""
        size = (shape[axes[0]], shape[axes[1]])
        pixel = Pattern(np.array([0]), np.array([0]), 1)
        seen = None
        if None not in size:
            rows, columns = ((np.arange(n), np.arange(n)) for n in size)
            seen = (Part((rows, rows if size[0] == size[1] else columns)),)
        return cls(tuple(shape), axes, size, size, (pixel, pixel), seen, origin=name)

    @classmethod
    def blind(cls, shape: Sequence[int | None], name: str = ""):
        """Returns the map of a tensor that does not depend on the image."""
        none = (None, None)
        return cls(
            tuple(shape), none, (1, 1), none, none, (), sighted=False, origin=name
        )

    def spatial(self, data_format: str) -> "FeatureMap":
        """Returns the map with its pairs in the order of the axes of `data_format`.

        A map without rows and columns gets them from its shape: its positions all
        see the same. A transposed one is turned.

        Raises:
            ReceptiveFieldError: where rows and columns are elsewhere.
        """
        axes = (2, 3) if data_format == "channels_first" else (1, 2)
        if self.axes == axes:
            return self
        if self.axes == axes[::-1]:
            return self.turn()
        if self.axes != (None, None) or len(self.shape) != 4:
            raise AxesError(
                f"expected a tensor with rows and columns on the axes {axes} "
                f"({data_format}); those of {self.origin!r}, of shape {self.shape}, "
                f"are {self.axes}"
            )
        grid = (self.shape[axes[0]], self.shape[axes[1]])
        return replace(self, axes=axes).spread(grid)

    def turn(self) -> "FeatureMap":
        """Returns the map with rows and columns of the image in the other order."""
        seen = self.seen and tuple(
            Part(part.ends[::-1], part.local[::-1]) for part in self.seen
        )
        return replace(
            self,
            axes=self.axes[::-1],
            grid=self.grid[::-1],
            image=self.image[::-1],
            patterns=self.patterns[::-1],
            seen=seen,
            turned=not self.turned,
        )

    def spread(self, grid: Size) -> "FeatureMap":
        """Returns the map with its one position in a direction repeated over `grid`."""
        patterns = tuple(
            p if old == new else None
            for p, old, new in zip(self.patterns, self.grid, grid, strict=True)
        )
        seen = None
        if self.seen is not None and None not in grid:
            seen = tuple(part.stretch(grid) for part in self.seen)
        return replace(self, grid=tuple(grid), patterns=patterns, seen=seen)

    def placed(self, axes: Sequence[int | None]) -> "FeatureMap":
        """Returns the map with rows and columns on other axes of the tensor."""
        return replace(self, axes=tuple(axes))

    def slide(
        self,
        kernel: Pair,
        stride: Pair = (1, 1),
        padding: str = "valid",
        dilation: Pair = (1, 1),
    ) -> "FeatureMap":
        """Returns the map behind a convolution or pooling window.

        Args:
            kernel: size of the window, (rows, columns).
            stride: positions from one window to the next.
            padding: "valid" or "same", as TensorFlow pads.
            dilation: distance of the window's taps.
        """
        steps, grid, certain = [], [], []
        same = padding == "same"
        for k, s, d, size in zip(kernel, stride, dilation, self.grid, strict=True):
            before, sure = windows.same_padding(size, k, s, d) if same else (0, True)
            steps.append(windows.sliding(k, s, d, before))
            grid.append(windows.sliding_size(size, k, s, d, same))
            certain.append(sure)
        return self.read(steps, grid, certain)

    def read(
        self,
        steps: Sequence[Window | None],
        grid: Sequence[int | None],
        certain: Sequence[bool] = (True, True),
    ) -> "FeatureMap":
        """Returns the map of a layer that reads this one through windows.

        Args:
            steps: the window for rows and for columns, None to leave an axis alone.
            grid: number of output positions.
            certain: False where the window's offset depends on an unknown size.
        """
        patterns = list(self.patterns)
        for i, (step, sure) in enumerate(zip(steps, certain, strict=True)):
            if i and step is steps[0] and self.patterns[0] is self.patterns[1]:
                patterns[1] = patterns[0]
            elif step is not None and self.patterns[i] is not None:
                patterns[i] = self.patterns[i].through(step, sure)
        seen = None
        if self.seen is not None and None not in grid:
            seen = tuple(part.read(steps, grid) for part in self.seen)
        return replace(self, patterns=tuple(patterns), grid=tuple(grid), seen=seen)

    def join(self, rows: bool = True, columns: bool = True) -> "FeatureMap":
        """Returns the map behind a layer in which all positions of an axis meet."""
        flags = (rows, columns)
        patterns = tuple(
            None if flag else p for flag, p in zip(flags, self.patterns, strict=True)
        )
        axes = tuple(None if f else a for f, a in zip(flags, self.axes, strict=True))
        grid = tuple(1 if f else g for f, g in zip(flags, self.grid, strict=True))
        seen = None
        if self.seen is not None:
            seen = tuple(part.join(flags) for part in self.seen)
        joined = self.sighted and (self.joined or patterns == (None, None))
        return replace(
            self, axes=axes, grid=grid, patterns=patterns, seen=seen, joined=joined
        )

    @property
    def whole(self) -> bool:
        """Whether every position sees the whole image."""
        if self.joined or not self.sighted:
            return self.joined
        if not self.seen:
            return False
        return all(
            lo.max() == 0 and hi.min() == size - 1
            for (lo, hi), size in zip(hull(self.seen), self.image, strict=True)
        )


class AxesError(ReceptiveFieldError):
    """A layer that looks for rows and columns on other axes than the tensor's."""


def merge(maps: Sequence[FeatureMap]) -> FeatureMap:
    """Returns the union of what several maps see, position by position.

    Maps with one position in a direction where others have more are spread over it,
    as NumPy broadcasts; such a map (a gate) adds nothing to the local path.

    Raises:
        ReceptiveFieldError: where positions do not correspond, because the maps have
            rows and columns on different axes or unequal jumps.
    """
    sighted = [m for m in maps if m.sighted]
    if len(sighted) < 2:
        return (sighted or list(maps))[0]
    turned = sighted[0].turned
    sighted = [m if m.turned == turned else m.turn() for m in sighted]
    rank = max(len(m.shape) for m in sighted)
    axes = _common_axes(sighted, rank)
    grid = tuple(_largest(m.grid[i] for m in sighted) for i in (0, 1))
    full = [[m for m in sighted if m.grid[i] == grid[i]] for i in (0, 1)]
    patterns, aligned = [], all(m.aligned for m in sighted)
    for i in (0, 1):
        local = [m for m in full[i] if m.patterns[i] is not None]
        if i and patterns and full[0] == full[1] and all(map(_square, local)):
            patterns.append(patterns[0])
            continue
        pattern, centred = _union(local, i)
        patterns.append(pattern)
        aligned = aligned and centred
    joined = any(m.joined or (m.grid != grid and m.whole) for m in sighted)
    image = tuple(_largest(m.image[i] for m in sighted) for i in (0, 1))
    seen = None
    if None not in grid and all(m.seen is not None for m in sighted):
        seen = gather([part.stretch(grid) for m in sighted for part in m.seen])
    first = next(m for m in sighted if len(m.shape) == rank)
    return replace(
        first,
        axes=axes,
        grid=grid,
        image=image,
        patterns=tuple(patterns),
        seen=seen,
        joined=joined,
        aligned=aligned,
    )


def _common_axes(maps, rank):
    """Returns the one place of rows and columns; gates, without any, fit everywhere."""
    axes = [None, None]
    for i in (0, 1):
        for m in maps:
            if m.axes[i] is None:
                continue
            # Counted from the end, as broadcasting does.
            axis = m.axes[i] + rank - len(m.shape)
            if axes[i] is None:
                axes[i], first = axis, m
            elif axes[i] != axis:
                raise AxesError(
                    f"rows and columns lie on the axes {first.axes} of "
                    f"{first.origin!r}, on {m.axes} of {m.origin!r}"
                )
    return tuple(axes)


def _union(maps, i):
    """Returns the union of the maps' patterns along axis i, and whether aligned."""
    if not maps:
        return None, True
    first, *rest = maps
    union = first.patterns[i]
    lags = {union.lag}
    for m in rest:
        pattern = m.patterns[i]
        if pattern.jump != union.jump:
            raise ReceptiveFieldError(
                f"one step of {first.origin!r} is {_number(union.jump)} pixels of the "
                f"image, one of {m.origin!r} is {_number(pattern.jump)} "
                f"({('vertical', 'horizontal')[i]}), so their positions do not "
                "correspond. Give the branches the same total stride"
            )
        if pattern is not union:
            union = union.union(pattern)
        lags.add(pattern.lag)
    return union, len(lags - {None}) <= 1


def _square(m):
    return m.patterns[0] is m.patterns[1]


def _largest(sizes):
    """Returns the largest size; unknown ones are larger than 1 and no other."""
    sizes = list(sizes)
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes) and max(known, default=1) <= 1:
        return None
    return max(known)


def _number(jump):
    return int(jump) if jump.denominator == 1 else f"{float(jump):g}"
