"""Find training logs in text: Keras' progress lines of any version, and tables."""

from __future__ import annotations

import dataclasses
import re

from grader.source import plain

MOST_TEXT = 4_000_000
MOST_RESULTS = 4_000
MOST_TABLES = 40

_TOKEN = re.compile(
    r"epoch\s{1,4}(?P<number>\d{1,4})\s{0,2}/\s{0,2}(?P<total>\d{1,4})"
    r"|(?P<metric>val[_ ]?(?:[a-z_]{1,24}_)?acc(?:uracy)?|"
    r"(?:[a-z_]{1,24}_)?acc(?:uracy)?)"
    r"\s{0,3}[:=]\s{0,3}(?P<value>\d{0,3}\.\d{1,8}(?:e-?\d{1,3})?|[01]\b)",
    re.IGNORECASE,
)
_TEST = re.compile(
    r"(?:accuracy\s{1,3}on\s{1,3}test\s{1,3}data(?:\s{1,3}is)?|test\s{1,3}acc(?:uracy)?)"
    r"\s{0,3}[:=]?\s{0,3}(?P<value>\d{1,3}\.\d{1,8})",
    re.IGNORECASE,
)
_EVALUATED = re.compile(
    r"\[\s{0,3}\d{1,3}\.\d{1,20},\s{0,3}(?P<value>0\.\d{1,20})\s{0,3}\]"
)
_TRUNCATED = "Streaming output truncated"


@dataclasses.dataclass(frozen=True)
class Result:
    """One epoch: its number from 1 and its validation accuracy, if printed."""

    number: int
    accuracy: float | None
    line: int


@dataclasses.dataclass(frozen=True)
class Log:
    """One training run as far as it was printed.

    Attributes:
        results: the epochs, in order.
        total: the number of epochs that the headers announce, or None.
        truncated: whether the notebook dropped the beginning of the output.
    """

    results: tuple[Result, ...]
    total: int | None = None
    truncated: bool = False

    @property
    def accuracies(self) -> dict[int, float]:
        """Return validation accuracy by epoch."""
        return {r.number: r.accuracy for r in self.results if r.accuracy is not None}

    @property
    def final(self) -> float | None:
        """Return the last epoch's validation accuracy."""
        known = self.accuracies
        return known[max(known)] if known else None

    def best(self, within: int) -> tuple[float, int] | None:
        """Return the best accuracy of the first `within` epochs and its epoch."""
        known = [(v, -n) for n, v in self.accuracies.items() if n <= within]
        if not known:
            return None
        value, epoch = max(known)
        return value, -epoch

    def covers(self, epochs: int) -> bool:
        """Whether all of the first `epochs` epochs are there, but for one at most."""
        numbers = set(self.accuracies)
        wanted = set(range(1, epochs + 1))
        if epochs not in numbers:
            return False
        return len(wanted - numbers) <= 1 or (self.truncated and self.total == epochs)


def fraction(value: float) -> float:
    """Return an accuracy given as 0.82 or 82.0 as a fraction."""
    return round(value / 100, 10) if value > 1.0 else value


def unescaped(text: str) -> str:
    """Undo what Markdown needs before underscores and stars."""
    return text.replace("\\_", "_").replace("\\*", "*").replace("&nbsp;", " ")


def find_logs(text: str) -> list[Log]:
    """Return every training run that `text` shows, in order.

    Args:
        text: a cell's output or a README.

    Returns:
        One log for each run; an epoch number that does not grow starts another.
    """
    text = _relevant(unescaped(plain(text[:MOST_TEXT])))
    logs = [_numbered(group, total) for group, total in _groups(text)]
    logs = [log for log in logs if log.results]
    if logs and _TRUNCATED in text:
        logs[0] = dataclasses.replace(logs[0], truncated=True)
    return logs + _tables(text)


def _relevant(text: str) -> str:
    """Blank out lines that can hold no part of a log; line numbers stay."""
    lines = text.split("\n")
    for i, line in enumerate(lines):
        if "ETA" in line and "val" not in line:
            lines[i] = ""
        elif not ("poch" in line or "acc" in line or "POCH" in line or "ACC" in line):
            if line.count("|") < 3 and line.count(",") < 3 and "\t" not in line:
                if _TRUNCATED not in line and not line[:1].isdigit():
                    lines[i] = ""
    return "\n".join(lines)


def test_accuracy(text: str) -> float | None:
    """Return the test accuracy that a cell printed after training, if any."""
    text = text[-20_000:]
    found = _TEST.findall(text) or _EVALUATED.findall(text)
    return fraction(float(found[-1])) if found else None


@dataclasses.dataclass
class _Raw:
    number: int | None
    accuracy: float | None
    line: int


def _groups(text: str) -> list[tuple[list[_Raw], int | None]]:
    """Collect results and split where a header's number does not grow."""
    groups: list[tuple[list[_Raw], int | None]] = []
    current: list[_Raw] = []
    total: int | None = None
    header: int | None = None
    trained = False
    line = 1
    position = 0

    def close() -> None:
        nonlocal current
        if current:
            groups.append((current, total))
        current = []

    def unfinished() -> None:
        # An epoch that printed no validation accuracy before the next header.
        if header is not None and trained:
            current.append(_Raw(header, None, line))

    for count, match in enumerate(_TOKEN.finditer(text)):
        if count > MOST_RESULTS * 20 or len(current) + len(groups) > MOST_RESULTS:
            break
        line += text.count("\n", position, match.start())
        position = match.start()
        if match["number"]:
            unfinished()
            header, trained = int(match["number"]), False
            announced = int(match["total"])
            last = next((r.number for r in reversed(current) if r.number), None)
            unnumbered = len(current) if last is None else 0
            if last is not None and (header <= last or announced != total):
                close()
            elif unnumbered and header != unnumbered + 1:
                close()
            total = announced
        elif match["metric"].lower().startswith("val"):
            accuracy = fraction(float(match["value"]))
            current.append(_Raw(header, accuracy, line))
            header, trained = None, False
        else:
            trained = True
    unfinished()
    close()
    return groups


def _numbered(group: list[_Raw], total: int | None) -> Log:
    """Give numbers to results whose header is missing; drop pasted repetitions."""
    first = next((i for i, raw in enumerate(group) if raw.number), None)
    results: list[Result] = []
    if first is None:
        start = 1
    else:
        start = group[first].number - first  # type: ignore[operator]
    last = start - 1
    upcoming: list[int | None] = [None] * (len(group) + 1)
    for i in range(len(group) - 1, -1, -1):
        upcoming[i] = group[i].number or upcoming[i + 1]
    for i, raw in enumerate(group):
        if raw.number is not None:
            number = raw.number
        else:
            number = last + 1
            following = upcoming[i + 1]
            if following is not None and following <= number:
                continue
            if total is not None and number > total and first is not None:
                continue
        if number < 1:
            continue
        results.append(Result(number, raw.accuracy, raw.line))
        last = number
    if total is None and len(results) < 2:
        # A single quoted line is a quotation, not a run of its own.
        return Log(tuple(results), None)
    return Log(tuple(results), total)


_ACCURACY_HEADING = re.compile(
    r"val(?:idation)?[_ ]{0,2}(?:acc|accuracy)\b|accuracy[_ ]val", re.IGNORECASE
)


def _cells(line: str) -> list[str]:
    if "|" in line:
        return [cell.strip(" *`") for cell in line.strip().strip("|").split("|")]
    if "," in line:
        return [cell.strip() for cell in line.split(",")]
    if "\t" in line:
        return [cell.strip() for cell in line.split("\t")]
    return line.split()


def _tables(text: str) -> list[Log]:
    """Read tables and CSV with a column of epochs and one of validation accuracy."""
    logs: list[Log] = []
    lines = text.split("\n")
    index = 0
    headings = 0
    while index < len(lines) and headings < MOST_TABLES:
        heading = lines[index]
        index += 1
        if len(heading) > 400 or "poch" not in heading:
            continue
        if not _ACCURACY_HEADING.search(heading):
            continue
        names = [name.lower() for name in _cells(heading)]
        column = next(
            (i for i, n in enumerate(names) if _ACCURACY_HEADING.search(n)), -1
        )
        epoch = next((i for i, n in enumerate(names) if n.startswith("epoch")), -1)
        if column < 0 or epoch < 0:
            continue
        headings += 1
        results: list[Result] = []
        while index < len(lines) and len(results) < MOST_RESULTS:
            line = lines[index]
            cells = _cells(line[:400])
            if line.strip(" |-:+\t") == "":
                if results and not line.strip():
                    break
                index += 1
                continue
            try:
                number = int(float(cells[epoch].split("/")[0]))
                value = float(cells[column].rstrip("%"))
            except (ValueError, IndexError, OverflowError):
                break
            if 0 <= value <= 100 and 0 <= number < 10_000:
                results.append(Result(number, fraction(value), index + 1))
            index += 1
        if results and results[0].number == 0:  # counted from zero
            results = [dataclasses.replace(r, number=r.number + 1) for r in results]
        if results:
            logs.append(Log(tuple(results), None))
    return logs
