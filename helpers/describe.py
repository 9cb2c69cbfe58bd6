"""The annotated summary of a model: sizes, parameters, costs and receptive fields."""

import csv
import html
import io
import math
from dataclasses import dataclass
from pathlib import Path

from helpers import receptive_field
from helpers.definition import definition
from helpers.multiply_adds import multiply_adds

COLUMNS = (
    "layer",
    "kind",
    "output",
    "parameters",
    "multiply-adds",
    "jump",
    "receptive field",
    "start",
)


@dataclass(frozen=True)
class Row:
    """One call of one layer.

    Attributes:
        name: name of the call, as in `receptive_field.receptive_fields`.
        kind: the layer's class.
        output_size: positions, (rows, columns) or one number of tokens; None where
            the output has none.
        channels: channels, or values of a vector.
        parameters: weights of the layer, statistics included; counted at its first
            call only.
        trainable_parameters: those that training changes.
        macs: multiply-adds for one image, None where a size is not known.
        field: its receptive field.
        nested: whether it is a nested model, whose layers have rows of their own.
    """

    name: str
    kind: str
    output_size: tuple[int | None, ...] | None
    channels: int | None
    parameters: int
    trainable_parameters: int
    macs: int | None
    field: receptive_field.Field
    nested: bool = False

    @property
    def output(self) -> str:
        """The output's size as text, `30x30x48`."""
        sizes = (*(self.output_size or ()), self.channels)
        return "x".join(map(_size, sizes))

    @property
    def receptive_field(self) -> str:
        """The receptive field as text, `5x5`, with a note on what sees the image."""
        size = "x".join(map(_size, self.field.size))
        feature_map = self.field.feature_map
        if not feature_map.sighted:
            return "none"
        if not feature_map.joined:
            return size
        local = any(pattern is not None for pattern in feature_map.patterns)
        if local:
            return f"{size} (gate: whole image)"
        return f"{size} (whole image)"

    def cells(self) -> tuple[str, ...]:
        """Returns the row as text, in the order of `COLUMNS`."""
        return (
            self.name,
            self.kind,
            self.output,
            _text(self.parameters),
            _text(self.macs),
            _pair(self.field.jump),
            self.receptive_field,
            _pair(self.field.start),
        )


class Description:
    """The table of a model, which notebooks show as HTML and terminals as text.

    Attributes:
        name: the model's name.
        rows: a `Row` for each call of a layer, in the order of the graph.
        parameters: all weights, each counted once.
        trainable_parameters: those that training changes.
    """

    def __init__(self, model):
        self.name = model.name
        self._calls = receptive_field.trace(model)
        self.rows = _rows(self._calls)
        self.parameters = _count(model.weights)
        self.trainable_parameters = _count(model.trainable_weights)

    @property
    def trainable(self) -> int:
        """The same as `trainable_parameters`."""
        return self.trainable_parameters

    @property
    def macs(self) -> int | None:
        """Multiply-adds for one image, None where a size is not known."""
        counts = [row.macs for row in self.rows]
        return None if None in counts else sum(counts)

    @property
    def totals(self) -> str:
        """Parameters and multiply-adds in one line."""
        frozen = self.parameters - self.trainable_parameters
        return (
            f"{self.name}: {self.parameters:,} parameters "
            f"({self.trainable_parameters:,} trainable, {frozen:,} not), "
            f"{'unknown' if self.macs is None else f'{self.macs:,}'} multiply-adds"
        )

    def to_markdown(self) -> str:
        """Returns the table in Markdown, with the totals below."""
        lines = ["| " + " | ".join(COLUMNS) + " |"]
        lines.append("|" + "|".join(_alignments("---", "---:")) + "|")
        lines += ["| " + " | ".join(row.cells()) + " |" for row in self.rows]
        return "\n".join([*lines, "", self.totals, ""])

    def to_csv(self, path: str | Path | None = None) -> str:
        """Returns the table as comma-separated values with plain numbers.

        Args:
            path: where to write it as well.
        """
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(
            "layer,kind,height,width,channels,parameters,trainable,macs,jump_y,jump_x,"
            "field_y,field_x,start_y,start_x,aligned,whole".split(",")
        )
        for row in self.rows:
            field = row.field
            writer.writerow(
                [
                    row.name,
                    row.kind,
                    *(*(row.output_size or ()), None, None)[:2],
                    row.channels,
                    row.parameters,
                    row.trainable_parameters,
                    row.macs,
                    *field.jump,
                    *field.size,
                    *field.start,
                    field.aligned,
                    field.whole,
                ]
            )
        if path is not None:
            Path(path).write_text(buffer.getvalue(), encoding="utf-8")
        return buffer.getvalue()

    def as_comments(self) -> str:
        """Returns the model's definition, a line a layer, with sizes as comments.

        A line ends in `# 30x30x48, receptive field 5x5`.
        """
        rows = {row.name: row for row in self.rows}
        lines = []
        for name, line in definition(self._calls):
            if name is None:
                lines.append(line)
                continue
            row = rows[name]
            lines.append(
                f"{line}  # {row.output}, receptive field {row.receptive_field}"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{column}</th>" for column in COLUMNS)
        body = "".join(
            "<tr>" + "".join(_cells(row.cells(), "td")) + "</tr>" for row in self.rows
        )
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            f"<p>{html.escape(self.totals)}</p>"
        )

    def __str__(self) -> str:
        table = [COLUMNS, *(row.cells() for row in self.rows)]
        widths = [max(len(cells[i]) for cells in table) for i in range(len(COLUMNS))]
        lines = [
            "  ".join(
                cell.ljust(width) if side == "<" else cell.rjust(width)
                for cell, width, side in zip(
                    cells, widths, _alignments("<", ">"), strict=True
                )
            ).rstrip()
            for cells in table
        ]
        lines.insert(1, "-" * max(map(len, lines)))
        return "\n".join([*lines, "", self.totals])

    __repr__ = __str__


def describe(model) -> Description:
    """Returns the annotated table of a model.

    Args:
        model: a functional or built Sequential model.

    Returns:
        A `Description` with, for every call of a layer: output size, channels,
        parameters, multiply-adds, jump, receptive field and start.

    Raises:
        ReceptiveFieldError: as `receptive_field.receptive_fields` does.
    """
    return Description(model)


def _rows(calls) -> list[Row]:
    rows, counted = [], set()
    for call in calls:
        layer, out = call.operation, call.outputs[0]
        fresh = id(layer) not in counted and not call.nested
        counted.add(id(layer))
        size, channels = _split(out)
        macs = 0
        if not call.nested:
            inputs, outputs = (
                [m.shape for m in c] for c in (call.inputs, call.outputs)
            )
            macs = multiply_adds(layer, inputs, outputs)
        rows.append(
            Row(
                name=call.name,
                kind=type(layer).__name__,
                output_size=size,
                channels=channels,
                parameters=_count(getattr(layer, "weights", [])) if fresh else 0,
                trainable_parameters=(
                    _count(getattr(layer, "trainable_weights", [])) if fresh else 0
                ),
                macs=macs,
                field=receptive_field.Field(call.name, out),
                nested=call.nested,
            )
        )
    return rows


def _split(feature_map):
    """Returns the positions and the channels of a tensor."""
    shape, axes = feature_map.shape, feature_map.axes
    if axes == (None, None):
        return tuple(shape[1:-1]) or None, shape[-1]
    rest = [i for i in range(1, len(shape)) if i not in axes]
    size = tuple(shape[a] for a in sorted({a for a in axes if a is not None}))
    return size, shape[rest[-1]] if rest else None


def _count(weights) -> int:
    return sum(math.prod(weight.shape) for weight in weights)


def _alignments(left, right):
    return [left if c in ("layer", "kind") else right for c in COLUMNS]


def _cells(texts, tag):
    sides = _alignments("left", "right")
    return [
        f'<{tag} style="text-align:{side}">{html.escape(text)}</{tag}>'
        for text, side in zip(texts, sides, strict=True)
    ]


def _text(number) -> str:
    return "?" if number is None else f"{number:,}"


def _size(number) -> str:
    return "?" if number is None else str(number)


def _pair(values) -> str:
    """Writes a pair, as one number where both are equal; a dash where undefined."""
    texts = ["-" if v is None else f"{v:g}" for v in values]
    return texts[0] if texts[0] == texts[1] else "x".join(texts)
