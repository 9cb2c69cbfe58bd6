"""Read what `model.summary()` printed, in any version's layout."""

from __future__ import annotations

import dataclasses
import re

from grader.graph import Description
from grader.layers import KINDS, MERGES
from grader.logs import unescaped
from grader.source import plain

_ROW = re.compile(
    r"(?P<name>[\w./-]{1,60})\s{0,3}\((?P<kind>\w{0,40})\)?[ \t]{0,40}"
    r"[│┃|]?[ \t]{0,40}\[?\(?\((?:None|\?|-1)(?P<shape>(?:, ?\d{1,6}){1,3}),?\)\]?,?\)?"
    r"[ \t│┃|]{0,60}(?P<count>\d[\d,]{0,12})?"
)
_INPUT = re.compile(r"\(InputLayer\)?[ \t│┃|]{0,40}\[?\(?\(None", re.IGNORECASE)
_TOTAL = re.compile(r"Total params:\s{0,4}(?P<count>\d[\d,]{0,14})")
_HEADING = re.compile(r"Layer \(type\)")
LONGEST_LINE = 2_000


@dataclasses.dataclass(frozen=True)
class Line:
    """One layer of a printed summary.

    Attributes:
        kind: the layer's name, or None when it was cut too short.
        shape: output shape without the batch.
        parameters: the printed count, or None when it was cut off.
        rest: what stands behind the count, where students annotate.
        line: line number in the text.
    """

    kind: str | None
    shape: tuple[int, ...]
    parameters: int | None
    rest: str
    line: int


@dataclasses.dataclass(frozen=True)
class Summary:
    """A printed summary: its layers and the total it states."""

    lines: tuple[Line, ...]
    total: int | None

    def differs(self, description: Description) -> str | None:
        """Return where a network differs from this summary, None where it agrees."""
        rows = list(description.rows)
        lines = [line for line in self.lines if line.kind != "InputLayer"]
        if description.broken is None and len(rows) != len(lines):
            return f"the summary has {len(lines)} layers, the code {len(rows)}"
        if any(row.layer.kind in MERGES for row in rows):
            # Keras lists the layers of branches in an order of its own.
            rows.sort(key=lambda row: (row.shape, row.parameters, row.layer.kind))
            lines.sort(key=lambda x: (x.shape, x.parameters or 0, x.kind or ""))
        for row, line in zip(rows, lines, strict=False):
            kind = line.kind
            if (
                kind is not None
                and kind != row.layer.kind
                and not (row.layer.kind == "Identity" or kind == "Identity")
            ):
                return f"the summary has {kind} where the code has {row.layer.kind}"
            if line.shape != row.shape:
                return (
                    f"the summary has {row.layer.kind} with output {line.shape}, "
                    f"the code gives {row.shape}"
                )
            if line.parameters is not None and line.parameters != row.parameters:
                return (
                    f"the summary has {row.layer.kind} with {line.parameters:,} "
                    f"parameters, the code gives {row.parameters:,}"
                )
        return None


def find_summaries(text: str) -> list[Summary]:
    """Return every summary that `text` holds, in order."""
    text = unescaped(plain(text))
    summaries: list[Summary] = []
    lines: list[Line] = []
    total: int | None = None

    def close() -> None:
        nonlocal lines, total
        if len(lines) >= 2:
            summaries.append(Summary(tuple(lines), total))
        lines, total = [], None

    for number, raw in enumerate(text.split("\n"), 1):
        if "(" not in raw and "params" not in raw:
            continue
        # Several rows pasted into one long line are read row by row.
        for part in _parts(raw):
            if _HEADING.search(part):
                close()
                continue
            if match := _TOTAL.search(part):
                if lines:
                    total = int(match["count"].replace(",", ""))
                close()
                continue
            if match := _ROW.search(part):
                shape = tuple(int(n) for n in re.findall(r"\d+", match["shape"]))
                count = match["count"]
                lines.append(
                    Line(
                        _kind(match["kind"]) or _kind_by_name(match["name"]),
                        shape,
                        int(count.replace(",", "")) if count else None,
                        part[match.end() :].strip(" │|_"),
                        number,
                    )
                )
    close()
    return summaries


def _parts(raw: str) -> list[str]:
    if len(raw) <= LONGEST_LINE and raw.count("(None") <= 1:
        return [raw]
    pieces = re.split(r"_{10,}|={10,}|[─━]{10,}", raw[:400_000])
    return [piece[:LONGEST_LINE] for piece in pieces]


_NAMES = sorted({*KINDS.values(), "InputLayer"})


def _kind_by_name(name: str) -> str | None:
    """Return the layer's name for `global_average_pooling2d_1`, cut off behind it."""
    stem = re.sub(r"_\d{1,6}$", "", name.rpartition("/")[2])
    return KINDS.get(stem.replace("_", "").lower())


def _kind(printed: str) -> str | None:
    """Return the layer's name for a printed, perhaps truncated class name."""
    word = printed.lower()
    if not word:
        return None
    if word in KINDS:
        return KINDS[word]
    starts = [name for name in _NAMES if name.lower().startswith(word)]
    if len(starts) == 1 or (
        starts and len(word) >= 4 and not word.startswith("global")
    ):
        return starts[0]
    return None
