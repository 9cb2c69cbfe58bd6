"""Understand a student's note on one layer: an output size and a receptive field.

Notes come in many hands: `#32x32x48 RF=3`, `#S-30, R-3`, `(30, 3)`,
`rin=1, nin=32x32, ... rout=3, nout=32x32`. A note is read as labels and values;
values without a label get their meaning from the order that a student keeps
over the whole network.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
from collections.abc import Sequence

from grader.logs import unescaped

LONGEST_NOTE = 400

# Words in front of a value and what the value then is. Longer words first.
_FIELD = (
    r"(?:effective |global |theoretical )?rec\w{0,12}[ _.-]{0,2}(?:field|feild|filed)s?"
    r"(?: ?size)?|receptive|global ?r\.? ?f\.?|g\.?r\.?f\.?|r\.? ?f\.?|r[_ ]?out|"
    r"field(?: ?size)?|(?<![a-z])r(?=[ \])}]{0,2}[-:=(]{1,2} ?\d)"
)
_SIZE = (
    r"(?:o/p|output|outputs|ouput|out)(?:[ _.-]{0,2}(?:channel|image|img|feature|map|"
    r"volume|tensor|layer|shape|size|dims?|dimensions?|resolution)s?){0,3}|n[_ ]?out|"
    r"(?:channel|image|img|feature|layer|map) ?(?:map )?(?:size|shape)|size|shape|"
    r"dim(?:ension)?s?|resolution|(?<![a-z])o(?=[ ]{0,2}[-:=(]{1,2} ?\d)|op(?![a-z])"
)
_OTHER = (
    r"l\.?r\.?f\.?|local ?r\.? ?f\.?|r[_ ]?in|n[_ ]?in|c[_ ]?in|j[_ ]?in|j[_ ]?out|"
    r"(?:i/p|input|inputs|(?<![a-z])in(?![a-z]))(?:[ _.-]{0,2}(?:channel|image|size|"
    r"shape|dims?|rf)s?){0,2}|jump|kernels?(?:[ .]{0,2}size)?|k\.? ?size|filters?"
    r"(?: ?size)?|strides?|pad(?:ding)?|params?|parameters|pool(?: ?size)?|rate|layer|"
    r"block|conv\w{0,6}|dropout|dilation|depth|(?<![a-z])[kpj](?=[ ]{0,2}[-:=(])"
)
_CHANNELS = (
    r"c[_ ]?out|(?:no\.? of |num(?:ber of)? )?channels?|(?<![a-z])ch?(?=[ ]?[:=])"
)
_NUMBER = r"\d{1,5}"
_TOKEN = re.compile(
    rf"(?P<field>{_FIELD})|(?P<channels>{_CHANNELS})(?![ ]?(?:size|shape))|"
    rf"(?P<size>{_SIZE})|(?P<other>{_OTHER})|"
    r"(?P<letter>(?<![a-z])s(?=[ ]{0,2}[-:=(]))|"
    rf"(?P<dims>{_NUMBER}(?: ?x ?{_NUMBER}){{1,3}})(?P<after>[ ]?(?:c|ch|k)\b)?|"
    rf"(?P<one>{_NUMBER})(?P<unit>[ ]?(?:c|ch|chs|channels?|filters?|k|params)\b)?"
    r"(?P<decimal>\.\d)?|"
    r"(?P<arrow>->|=>|→|➔)|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<comma>,)|"
    r"(?P<none>none|\?)|(?P<word>[a-z]{2,})"
)
_RESULT_OF_SUM = re.compile(r"=[^=#;|]{0,60}[+/][^=#;|]{0,60}=\s{0,3}(?=\d)")

Dims = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Reading:
    """One way to read a note: labelled values, and values without a label."""

    size: Dims | None
    field: Dims | None
    loose: tuple[Dims, ...]


@dataclasses.dataclass(frozen=True)
class Claim:
    """What a student says about one layer.

    Attributes:
        size: the output size as written, (30,), (30, 30) or (30, 30, 48).
        field: the receptive field as written, (3,) or (3, 3).
        text: the note.
    """

    size: Dims | None
    field: Dims | None
    text: str


def size_agrees(claim: Dims, shape: Dims) -> bool:
    """Whether a written size is the output shape (height, width, channels)."""
    if len(shape) != 3:
        return claim in (shape, (1, 1, *shape))
    height, width, channels = shape
    if len(claim) == 1:
        return claim[0] == height == width
    if len(claim) == 2:
        return claim == (height, width) or (
            height == width and claim in ((height, channels), (channels, height))
        )
    return claim in ((height, width, channels), (channels, height, width))


def field_agrees(claim: Dims, field: tuple[int, int] | None) -> bool:
    """Whether a written receptive field is the exact one (height, width)."""
    if field is None:
        return True
    sides = claim if len(claim) < 3 else claim[:2]
    return (sides[0], sides[-1]) == field


@functools.lru_cache(maxsize=4096)
def readings(text: str) -> tuple[Reading, Reading]:
    """Read a note with labels in front of their values, and with labels behind."""
    tokens = _tokens(text)
    return _bind(tokens), _bind(_reversed(tokens))


def _clean(text: str) -> str:
    text = unescaped(text[:LONGEST_NOTE]).lower()
    text = re.sub(r"\*\*(?!\d)|(?<!\d)\*\*|`|__|<[^<>]{0,40}>", " ", text)
    text = re.sub(r"(?<=[\d) ])\s{0,2}(?:\*|×|\bby\b)\s{0,2}(?=[\d( ])", "x", text)
    text = _RESULT_OF_SUM.sub("=", text)
    text = re.sub(r"\bnone ?[,x] ?", "", text)
    return re.sub(r"\s{1,400}", " ", text)


# A token is (what, value): what is "field", "size", "other", "value", "arrow".
_Tok = tuple[str, Dims | None]


def _tokens(text: str) -> list[_Tok]:
    text = _clean(text)
    detailed = bool(re.search(r"r_?in|n_?in|j_?in|j_?out|\bk ?=|kernel", text))
    found: list[tuple[str, Dims | None]] = []
    depth = 0
    run: list[int] = []  # single numbers joined by commas
    run_depth = 0
    joined = False

    def flush() -> None:
        nonlocal run, joined
        found.extend(_grouped(run))
        run, joined = [], False

    for match in _TOKEN.finditer(text):
        what = match.lastgroup or ""
        if match["one"] is not None:
            if match["decimal"]:
                flush()
                continue
            if match["unit"]:
                joined = True
                continue
            if run and not (joined and run_depth == depth):
                flush()
            run.append(int(match["one"]))
            run_depth, joined = depth, False
            continue
        if match["comma"]:
            joined = True
            continue
        if match["open"]:
            if run:
                flush()
            depth += 1
            continue
        if match["close"]:
            if run:
                flush()
            depth = max(depth - 1, 0)
            continue
        flush()
        if match["dims"] is not None:
            dims = tuple(int(n) for n in re.findall(r"\d+", match["dims"]))
            found.append(("value", dims))
        elif match["letter"]:
            found.append(("other" if detailed else "size", None))
        elif match["arrow"]:
            found.append(("arrow", None))
        elif match["none"]:
            found.append(("blank", None))
        elif match["word"]:
            found.append(("word", None))
        elif what in ("field", "size", "other", "channels"):
            found.append((what, None))
    flush()
    return found


def _grouped(run: list[int]) -> list[_Tok]:
    """Give (30, 30, 48) as one value, (30, 3) as two."""
    if len(run) == 3 and (run[0] == run[1] or run[1] == run[2]):
        return [("value", tuple(run))]
    if len(run) == 4 and run[1] == run[2]:
        return [("value", tuple(run[1:]))]
    if len(run) == 4 and run[0] == run[1]:
        return [("value", tuple(run[:3])), ("value", (run[3],))]
    if len(run) == 5 and run[0] == run[1]:
        return [("value", tuple(run[:3])), ("value", tuple(run[3:]))]
    return [("value", (n,)) for n in run]


def _reversed(tokens: list[_Tok]) -> list[_Tok]:
    return tokens[::-1]


def _bind(tokens: list[_Tok]) -> Reading:
    bound: dict[str, Dims] = {}
    loose: list[Dims] = []
    label: str | None = None
    arrow = False
    for what, value in tokens:
        if what in ("field", "size", "other", "channels"):
            label, arrow = what, False
        elif what == "arrow":
            arrow = True
        elif what == "blank":
            label = None
        elif what == "value" and value is not None:
            if label == "channels":
                # `cout=32x32x48` is a size, `cout=48` a number of channels.
                label = "size" if len(value) > 1 else "other"
            if label is None:
                loose.append(value)
            elif label == "other":
                label = None
            elif label not in bound or (arrow and label in bound):
                bound[label] = value
            elif bound[label] == value and len(value) == 1:
                bound[label] = (*bound[label], *value)  # RF(3,3)
            else:
                loose.append(value)
            if not arrow and label is not None and label in bound:
                # A second equal number may still follow: RF(3, 3), size 30, 30.
                pass
            arrow = False
    return Reading(bound.get("size"), bound.get("field"), tuple(loose))


def interpret_notes(
    notes: Sequence[str],
    shapes: Sequence[Dims],
    fields: Sequence[tuple[int, int] | None],
) -> list[Claim]:
    """Read the notes of a network's layers, in one order for all.

    Args:
        notes: one text a layer; empty where there is none.
        shapes: the exact output shapes.
        fields: the exact receptive fields.

    Returns:
        One claim a layer. Where notes can be read in more than one way, the way
        that agrees best with the exact values over the whole network is taken.
    """
    both = [readings(note) for note in notes]
    best: list[Claim] = []
    best_score = (-1, -1)
    for direction in (0, 1):
        chosen = [pairs[direction] for pairs in both]
        claims, score = _assign(chosen, notes, shapes, fields)
        if score > best_score:
            best, best_score = claims, score
    return best


def _assign(
    chosen: list[Reading],
    notes: Sequence[str],
    shapes: Sequence[Dims],
    fields: Sequence[tuple[int, int] | None],
) -> tuple[list[Claim], tuple[int, int]]:
    groups: dict[tuple[bool, bool, int], list[int]] = {}
    for i, reading in enumerate(chosen):
        key = (reading.size is None, reading.field is None, min(len(reading.loose), 4))
        groups.setdefault(key, []).append(i)
    claims: list[Claim] = [Claim(None, None, note) for note in notes]
    right = given = 0
    for (no_size, no_field, count), members in groups.items():
        top: tuple[int, int, list[Claim]] = (-1, -1, [])
        for order in _orders(no_size, no_field, count):
            trial = [_claim(chosen[i], order, notes[i]) for i in members]
            score = sum(
                (c.size is not None and size_agrees(c.size, shapes[i]))
                + (c.field is not None and field_agrees(c.field, fields[i]))
                for c, i in zip(trial, members, strict=True)
            )
            filled = sum((c.size is not None) + (c.field is not None) for c in trial)
            if (score, filled) > top[:2]:
                top = (score, filled, trial)
        for claim, i in zip(top[2], members, strict=True):
            claims[i] = claim
        right += top[0]
        given += top[1]
    return claims, (right, given)


Order = tuple[int | None, int | None]


def _orders(no_size: bool, no_field: bool, count: int) -> list[Order]:
    """Return the places that the loose size and the loose field may have."""
    places: list[int | None] = list(range(count))
    if not no_size and not no_field or count == 0:
        return [(None, None)]
    if no_size and no_field:
        if count == 1:
            return [(0, None), (None, 0)]
        return [*itertools.permutations(places, 2)]  # type: ignore[list-item]
    if no_size:
        return [(place, None) for place in places]
    return [(None, place) for place in places]


def _claim(reading: Reading, order: Order, note: str) -> Claim:
    size, field = reading.size, reading.field
    if size is None and order[0] is not None:
        size = reading.loose[order[0]]
    if field is None and order[1] is not None:
        field = reading.loose[order[1]]
        if len(field) == 3:
            field = None
    return Claim(size, field, note)
