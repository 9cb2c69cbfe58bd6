"""The pixels inside the image that the positions of a map see, borders considered."""

from typing import NamedTuple

import numpy as np

from .intervals import Seen, look_through


class Part(NamedTuple):
    """A product of row and column intervals that the positions of a map see.

    Attributes:
        ends: for rows and for columns, the first and last pixel of each position.
        local: for rows and for columns, False where a gate spread one position's
            view over all.
    """

    ends: tuple[Seen, Seen]
    local: tuple[bool, bool] = (True, True)

    def stretch(self, grid) -> "Part":
        """Repeats what one position sees over directions with more positions."""
        if all(len(lo) == n for (lo, _), n in zip(self.ends, grid, strict=True)):
            return self
        ends, local = [], []
        for (lo, hi), near, size in zip(self.ends, self.local, grid, strict=True):
            spread = len(lo) != size
            ends.append(
                (np.repeat(lo, size), np.repeat(hi, size)) if spread else (lo, hi)
            )
            local.append(near and not spread)
        return Part(tuple(ends), tuple(local))

    def join(self, flags) -> "Part":
        """Returns what is seen after the flagged directions were joined."""
        ends, local = [], []
        for (lo, hi), near, flag in zip(self.ends, self.local, flags, strict=True):
            everything = (np.array([lo.min()]), np.array([hi.max()]))
            ends.append(everything if flag else (lo, hi))
            local.append(near and not flag)
        return Part(tuple(ends), tuple(local))

    def read(self, steps, grid) -> "Part":
        """Returns what layers with the windows `steps` see of this part."""
        rows, columns = self.ends
        if steps[0] is not None:
            rows = look_through(rows, steps[0], grid[0])
        if steps[0] is steps[1] and self.ends[0] is self.ends[1] and grid[0] == grid[1]:
            columns = rows
        elif steps[1] is not None:
            columns = look_through(columns, steps[1], grid[1])
        return Part((rows, columns), self.local)


def gather(parts):
    """Unites the parts whose positions see something at the same places.

    Only then is the hull of a union of products the product of the hulls.
    """
    groups = {}
    for part in parts:
        filled = [lo <= hi for lo, hi in part.ends]
        if all(f.any() for f in filled):
            key = (part.local, *(f.tobytes() for f in filled))
            groups.setdefault(key, []).append(part)
    return tuple(Part(hull(group), key[0]) for key, group in groups.items())


def hull(parts):
    """Returns for rows and for columns the hull of what the parts see."""
    if len(parts) == 1:
        return parts[0].ends
    lows, highs = ([[p.ends[i][e] for p in parts] for i in (0, 1)] for e in (0, 1))
    rows = np.minimum.reduce(lows[0]), np.maximum.reduce(highs[0])
    if all(part.ends[0] is part.ends[1] for part in parts):
        return rows, rows
    return rows, (np.minimum.reduce(lows[1]), np.maximum.reduce(highs[1]))
