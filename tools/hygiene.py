"""Checks what a reader, GitHub and the replay need of a stored notebook.

Each rule is a function that takes a notebook and yields a line for every problem.
"""

import re
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

from nbformat import NotebookNode

from tools import citations, github
from tools.alternatives import says_nothing
from tools.clean import CELL_METADATA, KERNEL, WIDGET
from tools.notebooks import code_cells, has_tag, read

MAX_CELL_LINES, MAX_MEDIAN_LINES, MAX_COLUMNS = 40, 6, 80
WORDS = (900, 1800)
MAX_BYTES, MAX_FIGURE_BYTES = 300_000, 100_000
MIN_EXERCISES, MIN_ALT_WORDS = 3, 4
_MACHINE = re.compile(
    r"(?<![\w.:/-])/(?:home|Users|root|tmp|work|private|opt|var)/"
    r"|\b[A-Z]:\\|site-packages"
)
_MARKER = re.compile(r"#\s*(?:NBVAL_|PYTEST_VALIDATE_)")
_IMPORT = re.compile(r"^(?:import|from) \w", re.MULTILINE)
_HEADING = re.compile(r"^(#+) +(.+)$", re.MULTILINE)
# A colour by value, by a name other than of a grey, or a scale that is not among those
# of tests/figure_checks.py.
_COLOUR = re.compile(
    r"[\"']#[0-9a-fA-F]{6}[\"']"
    r"|\bcmap=[\"'](?!viridis|plasma|magma|gray|Blues|Oranges|RdBu_r|PuOr_r)\w+[\"']"
    r"|\b(?:colou?rs?|c|(?:edge|face)color)=[\"'](?!black|white|none|0?\.)\w+[\"']"
)
_CODE_OR_FORMULA = r"```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]+\$"
Rule = Callable[[NotebookNode], Iterator[str]]


def code_size(notebook: NotebookNode) -> Iterator[str]:
    """Code cells are short, and narrow enough for Colab beside its outline."""
    sizes = []
    for place, cell in numbered(notebook, "code"):
        lines = cell.source.split("\n")
        sizes.append(len(lines))
        if len(lines) > MAX_CELL_LINES:
            yield f"{place} has {len(lines)} lines: at most {MAX_CELL_LINES}"
        for number, line in enumerate(lines, 1):
            if len(line) > MAX_COLUMNS:
                yield f"{place}, line {number} has {len(line)} columns: at most 80"
    median = statistics.median(sizes) if sizes else 0
    if median > MAX_MEDIAN_LINES:
        yield f"the median code cell has {median:g} lines: at most {MAX_MEDIAN_LINES}"


def code_follows_text(notebook: NotebookNode) -> Iterator[str]:
    """At least 80% of the code cells follow a text cell."""
    kinds = [cell.cell_type for cell in notebook.cells]
    before = [
        kinds[i - 1] if i else "" for i, kind in enumerate(kinds) if kind == "code"
    ]
    after_text = before.count("markdown")
    if after_text < 0.8 * len(before):
        yield f"{after_text} of {len(before)} code cells follow a text cell: 80% must"


def order(notebook: NotebookNode) -> Iterator[str]:
    """Every code cell was executed, once, in order; nbval compares no other."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"the cells were not executed in order, once each: {counts}"
    for place, cell in numbered(notebook, "code"):
        if not cell.source.strip():
            yield f"{place} is empty"
        if any(output.output_type == "error" for output in cell.outputs):
            yield f"{place} holds an error"


def tags(notebook: NotebookNode) -> Iterator[str]:
    """One cell sets up, one holds the parameters, and most outputs are compared."""
    cells = code_cells(notebook)
    for tag in ("setup", "parameters"):
        found = sum(has_tag(cell, tag) for cell in cells)
        if found != 1:
            yield f"{found} cells carry the tag {tag!r}: one must"
    ignored = sum(has_tag(cell, "nbval-ignore-output") for cell in cells)
    if ignored > len(cells) / 2:
        yield f"{ignored} of {len(cells)} code cells are not compared: at most half"
    for place, cell in numbered(notebook, "code"):
        for tag in ("nbval-skip", "nbval-raises-exception", "raises-exception"):
            if has_tag(cell, tag):
                yield f"{place} carries the tag {tag!r}, which hides failures"
        if _MARKER.search(cell.source):
            yield f"{place} has a comment for nbval: use the tag nbval-ignore-output"
        if re.search(r"^\s*(?:!|%%|%pip|%conda)", cell.source, re.MULTILINE):
            yield f"{place} calls the shell or a cell magic: the replay cannot judge it"


def beginning(notebook: NotebookNode) -> Iterator[str]:
    """The code begins with the setup cell, and with imports before the parameters."""
    cells = code_cells(notebook)
    if not (cells and has_tag(cells[0], "setup")):
        yield "the first code cell does not carry the tag 'setup'"
    tagged = [n for n, cell in enumerate(cells) if has_tag(cell, "parameters")]
    between = cells[1 : min(tagged, default=1)]
    if not any(_IMPORT.search(cell.source) for cell in between):
        yield ("no cell with imports stands between the cells 'setup' and 'parameters'")


def weights(notebook: NotebookNode) -> Iterator[str]:
    """Stored models give their weights only: an older Keras cannot open the rest."""
    for place, cell in numbered(notebook, "code"):
        if "load_model(" in cell.source:
            yield f"{place} calls load_model: build the network, then load_weights"


def metadata(notebook: NotebookNode) -> Iterator[str]:
    """Nothing is stored about widgets, the execution or the machine."""
    if notebook.metadata.get("kernelspec") != KERNEL:
        yield "the kernel is not the standard one: store it with `tools execute`"
    for name in sorted(set(notebook.metadata) - {"kernelspec", "language_info"}):
        yield f"the notebook has metadata {name!r}"
    if set(notebook.metadata.get("language_info", {})) - {"name"}:
        yield "the notebook's metadata names a version of Python"
    for place, cell in numbered(notebook):
        for name in sorted(set(cell.metadata) - set(CELL_METADATA)):
            yield f"{place} has metadata {name!r}"
        found = _MACHINE.search(cell.source + "\n" + "\n".join(texts(cell)))
        if found:
            yield f"{place} holds a path of a machine: {found[0]!r}"
        for output in cell.get("outputs", []):
            if WIDGET in output.get("data", {}):
                yield f"{place} holds a widget, which GitHub cannot show"
            if output.get("name") == "stderr":
                yield f"{place} holds what went to stderr"


def figures(notebook: NotebookNode) -> Iterator[str]:
    """Figures are small, and say in words what they show."""
    said = {}
    for place, cell in numbered(notebook):
        for image in re.findall(r"!\[\s*\]\(|<img(?![^>]*\balt=.\w)", cell.source):
            yield f"{place} has an image without alternative text: {image}"
        for text in re.findall(r"!\[([^\]\s][^\]]*)\]\(", cell.source):
            if says_nothing(text):
                yield f"{place} has an image whose text says nothing: {text!r}"
        if cell.cell_type == "code" and (found := _COLOUR.search(cell.source)):
            yield f"{place} names a colour, {found[0]}: use helpers.plots.palette"
        for output in cell.get("outputs", []):
            picture = output.get("data", {}).get("image/png")
            if picture is None:
                continue
            size = len(picture) * 3 // 4
            if size > MAX_FIGURE_BYTES:
                yield f"{place} holds a figure of {size} bytes: at most 100 kB"
            text = output.metadata.get("image/png", {}).get("alt", "").strip()
            if not text:
                yield (
                    f"{place} holds a figure without alternative text: "
                    'display(figure, metadata={"image/png": {"alt": "..."}})'
                )
            elif says_nothing(text, least=MIN_ALT_WORDS):
                yield f"{place} holds a figure whose text says too little: {text!r}"
            elif text in said:
                yield f"{place} holds a figure with the text of {said[text]}: {text!r}"
            said.setdefault(text, place)


def html(notebook: NotebookNode) -> Iterator[str]:
    """HTML, in texts and outputs, is what GitHub shows: it drops all else."""
    for place, cell in numbered(notebook):
        parts = []
        if cell.cell_type == "markdown":
            parts = [re.sub(_CODE_OR_FORMULA, " ", cell.source, flags=re.DOTALL)]
        for output in cell.get("outputs", []):
            parts += [output.get("data", {}).get("text/html", "")]
        for name in sorted({name for part in parts for name in github.dropped(part)}):
            yield f"{place} has HTML that GitHub drops: {name}"


def headings(notebook: NotebookNode) -> Iterator[str]:
    """One title at the top; below it, no level of headings is left out."""
    levels = [(len(marks), text) for marks, text, _ in _headings(notebook)]
    if [level for level, _ in levels].count(1) != 1 or levels[0][0] != 1:
        yield "there must be one title (# ...), and it must stand first"
    for (above, _), (level, text) in zip(levels, levels[1:], strict=False):
        if level > above + 1:
            yield f"the heading {text!r} leaves out a level"


def words(notebook: NotebookNode) -> Iterator[str]:
    """A lecture says enough, and no more than one reads in ten minutes."""
    count = count_words(notebook)
    if not WORDS[0] <= count <= WORDS[1]:
        yield f"the text has {count} words: a lecture has {WORDS[0]} to {WORDS[1]}"


def exercises(notebook: NotebookNode) -> Iterator[str]:
    """At least three exercises check the answer, and fold their solution away."""
    complete = 0
    starts = [i for m, text, i in _headings(notebook) if text.startswith("Exercise ")]
    ends = [i for _, _, i in _headings(notebook)] + [len(notebook.cells)]
    for first in starts:
        last = min(end for end in ends if end > first)
        cells = notebook.cells[first:last]
        folded = any("<details>" in cell.source for cell in cells)
        asserts = any(re.search(r"^\s*assert ", c.source, re.MULTILINE) for c in cells)
        complete += folded and asserts
    if complete < MIN_EXERCISES:
        yield (
            f"{complete} exercises (### Exercise 1: ...) have an assert and a folded "
            f"solution (<details>): at least {MIN_EXERCISES} must"
        )


def references(notebook: NotebookNode) -> Iterator[str]:
    """The last section lists sources, and holds every one that the text cites."""
    text = "\n\n".join(cell.source for _, cell in numbered(notebook, "markdown"))
    body, _, listed = text.partition("\n## References\n")
    entries = re.findall(r"^- .+", listed, re.MULTILINE)
    if not entries:
        yield "there is no section '## References' with a list (- ...) at the end"
    for entry in entries:
        if not re.search(r"https?://|\b(?:19|20)\d\d\b", entry):
            yield f"the reference has neither year nor address: {entry!r}"
    for cited in citations.cited(body):
        if not any(cited.matches(entry) for entry in entries):
            yield f"{cited} is cited and does not stand in the references"


RULES: tuple[Rule, ...] = (
    *(code_size, code_follows_text, order, tags, beginning, weights, metadata),
    *(figures, html, headings, references),
)
LECTURE_RULES: tuple[Rule, ...] = (words, exercises)


def problems(path: Path) -> list[str]:
    """Checks one stored notebook.

    Args:
        path: its file; the assignment's name ends in `_assignment`, and it is not
            held to a lecture's length and exercises.

    Returns:
        A line for every problem; none if all is well.
    """
    notebook = read(path)
    rules = RULES if path.stem.endswith("_assignment") else RULES + LECTURE_RULES
    found = [problem for rule in rules for problem in rule(notebook)]
    size = path.stat().st_size
    if size > MAX_BYTES:
        found.append(f"the file has {size} bytes: at most {MAX_BYTES}")
    return found


def count_words(notebook: NotebookNode) -> int:
    """Counts the words of the text cells, without code, formulas and addresses."""
    total = 0
    for _, cell in numbered(notebook, "markdown"):
        text = re.sub(r"```.*?```", " ", cell.source, flags=re.DOTALL)
        text = re.sub(r"\$\$.*?\$\$|\$[^$\n]+\$", " ", text, flags=re.DOTALL)
        text = re.sub(r"\]\([^)\s]*\)|<[^>]*>|https?://\S+", " ", text)
        total += len(re.findall(r"[^\W\d_][\w'-]*", text))
    return total


def numbered(
    notebook: NotebookNode, kind: str | None = None
) -> Iterator[tuple[str, NotebookNode]]:
    """Yields cells, of one kind or all, each with a name that finds it again."""
    for index, cell in enumerate(notebook.cells):
        if kind in (None, cell.cell_type):
            start = next(iter(cell.source.strip().splitlines()), "")[:30]
            yield f"cell {index} ({start!r})", cell


def texts(cell: NotebookNode) -> Iterator[str]:
    """Yields all text of a cell's outputs."""
    for output in cell.get("outputs", []):
        yield output.get("text", "")
        for value in output.get("data", {}).values():
            if isinstance(value, str) and not re.fullmatch(r"[\w+/=\n]{200,}", value):
                yield value


def _headings(notebook: NotebookNode) -> list[tuple[str, str, int]]:
    """Returns each heading's marks and text, and the index of its cell."""
    return [
        (marks, text.strip(), index)
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "markdown"
        for marks, text in _HEADING.findall(
            re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL)
        )
    ]
