"""Read which accuracy a README states for the base network."""

from __future__ import annotations

import dataclasses
import re

from grader.logs import find_logs, fraction
from grader.readme import readable

LONGEST_LINE = 1_000
MOST_LINES = 6_000
MOST_NUMBERS = 60
REACH = 14  # lines that a mention of the base network speaks for

_BASE = re.compile(
    r"\bbase[ -]?(?:line|network|model|nn|net|cnn|accuracy|code|d)?\b|"
    r"\b(?:given|original|vanilla|seed|initial|provided|default|reference)\s{1,3}"
    r"(?:base\s{1,3})?(?:network|model|code|program|cnn|net|notebook|architecture)\b|"
    r"^\W{0,8}given\b",
    re.IGNORECASE,
)
_OWN = re.compile(
    r"\b(?:my|our|own|your|new|modified|modefied|updated|improved|custom|proposed|second|"
    r"assignment|optimi[sz]ed|student'?s?|2nd)\s{1,3}(?:\w{1,20}\s{1,3}){0,2}"
    r"(?:model|network|net|cnn|architecture|code|solution|definition|accuracy|result)|"
    r"\bmine\b|\bours\b|separable|depth[ -]?wise|\bmodel\s{1,3}def\w{3,10}|\bdsc\b|"
    r"\barchitecture\b|\bmodel\s{0,3}:|\w\.add\s?\(|=\s?Sequential",
    re.IGNORECASE,
)
_COMPARES = re.compile(
    r"\bbeat|surpass|exceed|cross(?:ed|ing)|better\s|higher\s{1,3}than|improve|"
    r"more\s{1,3}than|compared|outperform",
    re.IGNORECASE,
)
_TASK = re.compile(
    r"add\s{1,3}new\s{1,3}cells|write\s{1,3}your\s{1,3}own|report\s{1,3}validation|"
    r"run\s{1,3}this|submit|must\s{1,3}have|should\s{1,3}have",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?<![\d.,])(?P<value>\d{2}\.\d{1,6}|0?\.\d{2,8}|\d{2}(?=\s{0,2}%))(?![\d]|\.\d)"
)
_BEST = re.compile(r"\b(?:best|max|maximum|highest|peak|top)\b", re.IGNORECASE)
_FINAL = re.compile(r"\b(?:final|last|after|end)\b|50/50|50th", re.IGNORECASE)
_VALUE_OF_LOG = re.compile(
    r"val[_ ]acc(?:uracy)?\s{0,3}[:=]\s{0,3}(?P<value>\d?\.\d{2,8})", re.I
)
_EVALUATION = re.compile(
    r"\[\s{0,3}\d{1,2}\.\d{1,20},\s{0,3}(?P<value>0\.\d{1,20})\s{0,3}\]"
)
_IMAGE = re.compile(r"!\[|<img\b|\.(?:png|jpe?g)\b", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Stated:
    """One number that a README gives for the base network.

    Attributes:
        value: as a fraction.
        digits: decimal places of the percentage, for comparing.
        is_best: whether the README calls it the best, not the final one.
        line: line number in the README.
        quote: the line.
    """

    value: float
    digits: int
    is_best: bool
    line: int
    quote: str

    def equals(self, accuracy: float) -> bool:
        """Whether the number is `accuracy`, rounded or cut to the digits given."""
        step = 10.0 ** -(self.digits + 2)
        return (
            abs(self.value - accuracy) < step * 0.999
            if self.digits < 2
            else (abs(self.value - accuracy) < 0.000_101)
        )


@dataclasses.dataclass(frozen=True)
class BaseClaims:
    """What a README says about the base network's accuracy.

    Attributes:
        stated: the numbers, in order.
        image: a line where a picture stands instead of a number, or None.
        mentioned: whether the base network is spoken of at all.
    """

    stated: tuple[Stated, ...]
    image: int | None
    mentioned: bool


def base_claims(text: str) -> BaseClaims:
    """Collect the accuracies that stand where a README speaks of the base network."""
    lines = [line[:LONGEST_LINE] for line in readable(text).split("\n")[:MOST_LINES]]
    stated: list[Stated] = []
    image: int | None = None
    mentioned = False
    left = 0
    block: list[str] = []
    block_start = 0

    def close() -> None:
        # A quoted log counts by its last epoch, the others are its history.
        nonlocal block
        logs = find_logs("\n".join(block)) if block else []
        if logs and logs[-1].final is not None:
            known = logs[-1].accuracies
            last = max(known)
            total = logs[-1].total
            best = len(known) == 1 and total is not None and last < total
            quote = f"epoch {last}: {known[last]:.4f}"
            stated.append(Stated(known[last], 2, best, block_start, quote))
        block = []

    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if len(stated) > MOST_NUMBERS:
            break
        base = _BASE.search(line)
        own = _OWN.search(line)
        in_log = bool(_VALUE_OF_LOG.search(line) or re.search(r"\bEpoch\s+\d", line))
        if in_log and left > 0:
            if not block:
                block_start = number
            block.append(line)
            if len(block) < 120:
                left = max(left, 3)
            continue
        if base and _TASK.search(line):
            continue
        if base and _COMPARES.search(line) and not _starts_claim(line, base):
            continue
        if base and not (own and own.start() < base.start()):
            close()
            mentioned = True
            left = REACH
            end = own.start() if own and own.start() > base.end() + 25 else len(line)
            stated.extend(_numbers(line[:end], number))
            if image is None and _IMAGE.search(line):
                image = number
            continue
        if own or left <= 0:
            close()
            left = 0
            continue
        left -= 1
        if not _COMPARES.search(line):
            stated.extend(_numbers(line, number))
        if image is None and _IMAGE.search(line):
            image = number
    close()
    return BaseClaims(tuple(stated), image, mentioned)


def _starts_claim(line: str, base: re.Match[str]) -> bool:
    return bool(_NUMBER.match(line[base.end() :].lstrip(" :=-*()"))) or bool(
        re.match(r"\W{0,8}(?:final|validation|accuracy|val)", line, re.IGNORECASE)
    )


def _numbers(line: str, number: int) -> list[Stated]:
    found: list[Stated] = []
    for pattern in (_EVALUATION, _VALUE_OF_LOG, _NUMBER):
        for match in pattern.finditer(line):
            text = match["value"]
            value = fraction(float(text))
            if not 0.5 <= value < 1.0:
                continue
            before = line[max(0, match.start() - 80) : match.start()]
            if re.search(
                r"loss\W{0,4}$|train\w{0,3}\s{1,2}acc\w{0,5}\W{0,4}$", before, re.I
            ):
                continue
            before = re.split(r"[.;,(]\s|\d\s", before)[-1]
            after = line[match.end() : match.end() + 25]
            is_best = bool(_BEST.search(before)) and not _FINAL.search(before)
            if re.match(r"\s{0,2}%?\s{0,2}\(?\s{0,2}(?:best|max|highest)", after, re.I):
                is_best = True
            digits = len(text.split(".")[1]) if "." in text else 0
            digits = max(digits - 2, 0) if float(text) < 1 else digits
            found.append(Stated(value, digits, is_best, number, line.strip()[:160]))
        if found:
            break
    return found
