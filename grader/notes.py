"""Collect, for each layer of a network, the note that its author left beside it.

Students note beside the call, on the lines above or below, on the lines of the
layers that follow in the same block, on the call of a helper, in a table, or
behind the rows of a printed summary.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from grader.comments import (
    Claim,
    field_agrees,
    interpret_notes,
    size_agrees,
)
from grader.graph import Row
from grader.logs import unescaped
from grader.source import plain
from grader.summaries import Summary
from grader.values import Span

Sources = Mapping[int, Sequence[str]]

# Code that was commented out is no note.
_DISABLED = re.compile(
    r"\b\w{1,40}\.(?:add|compile|fit|summary)\s{0,2}\(|"
    r"\b(?:Separable|Conv|Max|Dense|Dropout|Batch|Activation|Flatten|Global)\w{0,30}\("
)


def comment_of(line: str) -> str:
    """Return the text behind the first `#` of a line that is not in a string."""
    quote = ""
    for i, character in enumerate(line):
        if quote:
            if character == quote and line[i - 1] != "\\":
                quote = ""
        elif character in "'\"":
            quote = character
        elif character == "#":
            text = line[i:].strip("# \t")
            return "" if _DISABLED.search(text) else text
    return ""


def claims_in_code(rows: Sequence[Row], sources: Sources) -> list[Claim]:
    """Return what the comments in code say of each convolution and pooling.

    Args:
        rows: the windowed rows of a described network; their layers carry spans.
        sources: the lines of each cell.

    Returns:
        One claim a row; a layer without a note has an empty one.
    """
    spans = [row.layer.lines for row in rows]
    anchors = _anchors(spans, sources)
    styles = [
        [_beside(anchor, sources) for anchor in anchors],
        [_behind(a, anchors, sources, own_line=False) for a in anchors],
        [_above(a, sources) for a in anchors],
        [_below(a, sources) for a in anchors],
        [_behind(a, anchors, sources, own_line=True) for a in anchors],
    ]
    claims = _read(styles[0], rows)
    for role in ("size", "field"):
        others = [_read(style, rows) for style in styles[1:]]
        others.sort(key=lambda other: _score(other, claims, rows, role), reverse=True)
        best = others[0]
        claims = [
            mine if getattr(mine, role) is not None else _with(mine, other, role)
            for mine, other in zip(claims, best, strict=True)
        ]
    return _share(claims, spans)


def _read(texts: Sequence[str], rows: Sequence[Row]) -> list[Claim]:
    shapes = [row.shape for row in rows]
    return interpret_notes(texts, shapes, [row.field for row in rows])


def _with(claim: Claim, other: Claim, role: str) -> Claim:
    if getattr(other, role) is None:
        return claim
    text = f"{claim.text} {other.text}".strip()
    if role == "size":
        return Claim(other.size, claim.field, text)
    return Claim(claim.size, other.field, text)


def _score(
    other: list[Claim], claims: list[Claim], rows: Sequence[Row], role: str
) -> tuple[int, int]:
    right = filled = 0
    for claim, mine, row in zip(other, claims, rows, strict=True):
        value = getattr(claim, role)
        if getattr(mine, role) is not None or value is None:
            continue
        filled += 1
        if role == "size":
            right += size_agrees(value, row.shape)
        else:
            right += field_agrees(value, row.field)
    return right, filled


def _anchors(spans: Sequence[tuple[Span, ...]], sources: Sources) -> list[Span | None]:
    """Choose, for each layer, the call beside which its note would stand."""
    outer_uses: dict[Span, set[Span]] = {}
    for stack in spans:
        if stack:
            outer_uses.setdefault(stack[0], set()).add(stack[-1])
    anchors: list[Span | None] = []
    last_of: dict[Span, int] = {stack[0]: i for i, stack in enumerate(spans) if stack}
    for i, stack in enumerate(spans):
        if not stack:
            anchors.append(None)
            continue
        outer, inner = stack[0], stack[-1]
        if outer == inner or re.search(r"\d", _beside(outer, sources)) is None:
            # A call of a helper without a note: look where the layer is made.
            anchors.append(inner if outer != inner else outer)
            if outer != inner and not re.search(r"\d", _beside(inner, sources)):
                anchors[-1] = outer if last_of[outer] == i else inner
        else:
            anchors.append(outer if last_of[outer] == i else inner)
    return anchors


def _share(claims: list[Claim], spans: Sequence[tuple[Span, ...]]) -> list[Claim]:
    """Leave out of account inner layers of a helper whose call carries the note.

    A note on the call of a helper speaks of the helper's output, so the layers
    inside owe none; they are marked by the text "(inside)".
    """
    last_of: dict[Span, int] = {stack[0]: i for i, stack in enumerate(spans) if stack}
    result = list(claims)
    for i, stack in enumerate(spans):
        if len(stack) < 2 or last_of[stack[0]] == i:
            continue
        outer = claims[last_of[stack[0]]]
        if claims[i].size is None and claims[i].field is None:
            if outer.size is not None or outer.field is not None:
                result[i] = Claim(None, None, "(inside)")
    return result


def _line(sources: Sources, cell: int, number: int) -> str:
    lines = sources.get(cell, ())
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _beside(anchor: Span | None, sources: Sources) -> str:
    if anchor is None:
        return ""
    last = min(anchor.last, anchor.first + 30)
    texts = [
        comment_of(_line(sources, anchor.cell, number))
        for number in range(anchor.first, last + 1)
    ]
    return " ; ".join(text for text in texts if text)


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _above(anchor: Span | None, sources: Sources) -> str:
    if anchor is None:
        return ""
    texts: list[str] = []
    number = anchor.first - 1
    while number > 0 and anchor.first - number <= 8:
        line = _line(sources, anchor.cell, number)
        if _is_comment(line):
            texts.insert(0, comment_of(line))
        elif line.strip() or texts:
            break
        number -= 1
    return " ; ".join(text for text in texts if text)


def _below(anchor: Span | None, sources: Sources) -> str:
    if anchor is None:
        return ""
    texts: list[str] = []
    for number in range(anchor.last + 1, anchor.last + 9):
        line = _line(sources, anchor.cell, number)
        if _is_comment(line):
            texts.append(comment_of(line))
        elif line.strip() or texts:
            break
    return " ; ".join(text for text in texts if text)


def _behind(
    anchor: Span | None,
    anchors: Sequence[Span | None],
    sources: Sources,
    own_line: bool,
) -> str:
    """Return the first note with a number between this layer and the next."""
    if anchor is None:
        return ""
    later = [
        other.first
        for other in anchors
        if other is not None and other.cell == anchor.cell and other.first > anchor.last
    ]
    end = min(later, default=len(sources.get(anchor.cell, ())) + 1)
    for number in range(anchor.last + 1, min(end, anchor.last + 25)):
        line = _line(sources, anchor.cell, number)
        text = comment_of(line)
        if re.search(r"\d", text) and _is_comment(line) == own_line:
            return text
    return ""


def claims_in_summary(rows: Sequence[Row], summary: Summary) -> list[Claim] | None:
    """Return what is noted behind the rows of a summary, None when nothing is."""
    wanted = {row.layer.kind for row in rows}
    lines = [line for line in summary.lines if line.kind in wanted]
    if len(lines) != len(rows):
        return None
    if sum(bool(re.search(r"\d", line.rest)) for line in lines) * 2 < len(lines):
        return None
    claims = _read([line.rest for line in lines], rows)
    return [
        claim if claim.size else Claim(line.shape, claim.field, claim.text)
        for claim, line in zip(claims, lines, strict=True)
    ]


_LAYER_WORD = re.compile(r"conv|pool|separable|\bmp\b|\bmax", re.IGNORECASE)
_NOT_LAYER = re.compile(
    r"global|\bgap\b|batch|dropout|activation|flatten|softmax", re.I
)


def claims_in_tables(rows: Sequence[Row], text: str) -> list[Claim] | None:
    """Return what a pipe table with a row a layer says, None without one."""
    header: list[str] = []
    notes: list[str] = []
    best: list[Claim] | None = None

    def close() -> list[Claim] | None:
        if len(notes) == len(rows) and rows:
            return _read(notes, rows)
        return best

    for raw in unescaped(plain(text)).split("\n"):
        line = raw.strip()[:600]
        if line.count("|") < 2:
            best = close()
            header, notes = [], []
            continue
        cells = [cell.strip(" *`") for cell in line.strip("|").split("|")]
        if not line.strip("|-: "):
            continue
        if not header:
            header = [re.sub(r"\d", "", cell) for cell in cells]
            continue
        names = " ".join(cells[:2])
        if _LAYER_WORD.search(names) and not _NOT_LAYER.search(names):
            pairs = zip(header, cells, strict=False)
            notes.append(
                " ; ".join(
                    f"{name} : {cell}"
                    for name, cell in pairs
                    if not _LAYER_WORD.search(cell)
                    and not re.match(r"#|no\b|s\.?no|layer", name, re.IGNORECASE)
                )
            )
    return close()
