"""Intervals of pixels along one axis: the arithmetic under every receptive field.

A layer reads, for each output position, some input positions: its `Window`. The
pixels that a position can see form an interval, and intervals pass through windows.
They are kept twice:

- `Pattern`, the interval on an image without borders. It repeats: position
  `q * phases + r` sees `[lo[r], hi[r]] + q * advance`. One phase is the ordinary
  case, `[i * jump + lo, i * jump + hi]`; a transposed convolution of stride 2 has two.
- `seen`, a pair of arrays with the first and the last pixel for each position of a
  map of known size. Padding adds nothing to it, so it is exact at the borders too.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

# The lower end of an interval without pixels; the upper end is -EMPTY. It stays
# beyond every pixel when offsets are added to it, so unions need no special case.
EMPTY = 1 << 40

Seen = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Window:
    """The input positions that each output position of a layer reads, on one axis.

    Output `q * phases + r` reads the inputs `taps[r] + q * advance`.

    Attributes:
        taps: `(phases, taps)` integers; `EMPTY` fills rows that have fewer taps.
        advance: input positions from one period of outputs to the next.
    """

    taps: np.ndarray
    advance: int
    _reads: dict = field(default_factory=dict, repr=False)

    def reads(self, outputs: int) -> np.ndarray:
        """Returns the inputs that outputs 0 to `outputs - 1` read, one row each."""
        if outputs not in self._reads:
            period, phase = np.divmod(np.arange(outputs), len(self.taps))
            self._reads[outputs] = self.taps[phase] + (period * self.advance)[:, None]
        return self._reads[outputs]


def window(taps: Sequence[Sequence[int]], advance: int) -> Window:
    """Builds a `Window` from one row of taps a phase; rows may differ in length."""
    width = max(1, *(len(row) for row in taps))
    rows = [[*row, *[EMPTY] * (width - len(row))] for row in taps]
    return Window(np.array(rows, dtype=np.int64), advance)


@dataclass(frozen=True, eq=False)
class Pattern:
    """Intervals of pixels that repeat every `len(lo)` positions.

    Attributes:
        lo: first pixel for each phase, `EMPTY` where a phase sees nothing.
        hi: last pixel for each phase, `-EMPTY` where a phase sees nothing.
        advance: pixels from one period to the next.
        anchored: False where the offset depends on an image size that is not known.
    """

    lo: np.ndarray
    hi: np.ndarray
    advance: int
    anchored: bool = True

    @property
    def jump(self) -> Fraction:
        """Pixels from one position to the next, on average over the phases."""
        return Fraction(self.advance, len(self.lo))

    @property
    def size(self) -> int:
        """Pixels in the longest interval."""
        return max(0, int((self.hi - self.lo).max()) + 1)

    @property
    def lag(self) -> Fraction | None:
        """Mean centre of the intervals that are not empty, None if all are.

        Two maps of equal jump are aligned where their lags are equal. The mean makes a
        map that was enlarged by repeating pixels aligned with the map it came from.
        """
        filled = self.lo <= self.hi
        if not filled.any():
            return None
        centres = (self.lo + self.hi)[filled]
        drift = 2 * self.advance * np.flatnonzero(filled)
        phases = len(self.lo)
        return Fraction(int((centres * phases - drift).sum()), 2 * phases * len(drift))

    def at(self, index: int) -> tuple[int, int]:
        """Returns first and last pixel of position `index`, which may be outside."""
        period, phase = divmod(index, len(self.lo))
        lo, hi = int(self.lo[phase]), int(self.hi[phase])
        if lo > hi:
            return EMPTY, -EMPTY
        return lo + period * self.advance, hi + period * self.advance

    def through(self, window: Window, anchored: bool = True) -> "Pattern":
        """Returns the pattern of a layer that reads this one through `window`."""
        phases, advance = len(self.lo), window.advance
        repeats = phases // math.gcd(phases, advance)
        reads = window.reads(len(window.taps) * repeats)
        period, phase = np.divmod(reads, phases)
        shift = period * self.advance
        lo, hi = _hull(self.lo[phase] + shift, self.hi[phase] + shift, reads < EMPTY)
        step = advance * repeats * self.advance // phases
        return Pattern(lo, hi, step, self.anchored and anchored)

    def union(self, other: "Pattern") -> "Pattern":
        """Returns the hull of both patterns, whose jumps must be equal."""
        phases = math.lcm(len(self.lo), len(other.lo))
        a, b = self._spread(phases), other._spread(phases)
        return Pattern(
            np.minimum(a.lo, b.lo),
            np.maximum(a.hi, b.hi),
            a.advance,
            a.anchored and b.anchored,
        )

    def _spread(self, phases: int) -> "Pattern":
        if phases == len(self.lo):
            return self
        return self.through(window([range(i, i + 1) for i in range(phases)], phases))


def look_through(seen: Seen, window: Window, outputs: int) -> Seen:
    """Returns what each output sees, given what each input position sees.

    Args:
        seen: first and last pixel for each input position.
        window: the positions that an output reads; those outside the map are padding.
        outputs: number of output positions.

    Returns:
        First and last pixel for each output position.
    """
    lo, hi = seen
    reads = window.reads(outputs)
    inside = (reads >= 0) & (reads < len(lo))
    reads = np.where(inside, reads, 0)
    return _hull(lo[reads], hi[reads], inside)


def _hull(lo: np.ndarray, hi: np.ndarray, valid: np.ndarray) -> Seen:
    lo = np.where(valid, lo, EMPTY).min(axis=1)
    hi = np.where(valid, hi, -EMPTY).max(axis=1)
    empty = lo > hi
    if empty.any():
        lo, hi = np.where(empty, EMPTY, lo), np.where(empty, -EMPTY, hi)
    return lo, hi
