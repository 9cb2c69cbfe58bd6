"""The answer to one rule."""

from __future__ import annotations

import dataclasses

PASS, FAIL, UNPROVEN = "pass", "fail", "unproven"
LONGEST_EVIDENCE = 300
MOST_EVIDENCE = 12


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Pass, fail or unproven, and what it rests on.

    Attributes:
        verdict: "pass", "fail" or "unproven".
        evidence: lines that say what was found and where.
    """

    verdict: str
    evidence: tuple[str, ...]


def _clean(line: str) -> str:
    text = "".join(c if c.isprintable() else " " for c in line)
    text = text.encode("utf-8", "replace").decode("utf-8")
    if len(text) > LONGEST_EVIDENCE:
        return text[: LONGEST_EVIDENCE - 3] + "..."
    return text


def _verdict(verdict: str, evidence: tuple[str, ...]) -> Verdict:
    lines = [_clean(line) for line in evidence]
    if len(lines) > MOST_EVIDENCE:
        more = len(lines) - MOST_EVIDENCE
        lines = [*lines[:MOST_EVIDENCE], f"and {more} more"]
    return Verdict(verdict, tuple(lines))


def passed(*evidence: str) -> Verdict:
    """Return a pass."""
    return _verdict(PASS, evidence)


def failed(*evidence: str) -> Verdict:
    """Return a fail."""
    return _verdict(FAIL, evidence)


def unproven(*evidence: str) -> Verdict:
    """Return that the rule can neither be shown kept nor broken."""
    return _verdict(UNPROVEN, evidence)
