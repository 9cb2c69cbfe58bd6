"""What the checks found, as objects that print."""

from collections.abc import Iterator
from dataclasses import dataclass

HEALTHY = "healthy"
FAULT = "fault"
UNCHECKED = "not checked"


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        check: Name of the check.
        verdict: "healthy", "fault" or "not checked".
        evidence: What was measured, with its numbers; where nothing was, why.
        advice: What to do about a fault; empty otherwise.
        certain: False for a fault that is only likely, for which no other check waits.
    """

    check: str
    verdict: str
    evidence: str
    advice: str = ""
    certain: bool = True

    @property
    def fault(self) -> bool:
        """Whether the check found a fault."""
        return self.verdict == FAULT

    def __str__(self) -> str:
        text = f"{self.verdict:11}  {self.check}: {self.evidence}"
        return f"{text}\n{'':13}-> {self.advice}" if self.advice else text


def healthy(check: str, evidence: str) -> Finding:
    """Returns the finding of a check that has nothing to say against."""
    return Finding(check, HEALTHY, evidence)


def fault(check: str, evidence: str, advice: str, certain: bool = True) -> Finding:
    """Returns the finding of a fault."""
    return Finding(check, FAULT, evidence, advice, certain)


def unchecked(check: str, reason: str) -> Finding:
    """Returns the finding of a check that had nothing to judge by."""
    return Finding(check, UNCHECKED, reason)


@dataclass(frozen=True)
class Report:
    """The findings of all checks: text in a terminal, a table in a notebook.

    Attributes:
        model: Name of the model.
        findings: One `Finding` a check, in the order of the checks.
    """

    model: str
    findings: tuple[Finding, ...]

    @property
    def faults(self) -> list[str]:
        """Names of the checks that found a fault."""
        return [finding.check for finding in self.findings if finding.fault]

    @property
    def summary(self) -> str:
        """The outcome in one line."""
        faults = self.faults
        skipped = sum(f.verdict == UNCHECKED for f in self.findings)
        found = f"faults found: {', '.join(faults)}" if faults else "no fault found"
        rest = f"; {skipped} not checked" if skipped else ""
        return f"{self.model}: {found} by {len(self.findings)} checks{rest}"

    def __getitem__(self, check: str) -> Finding:
        for finding in self.findings:
            if finding.check == check:
                return finding
        names = ", ".join(finding.check for finding in self.findings)
        raise KeyError(f"The report has no check {check!r}; it has {names}.")

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __str__(self) -> str:
        return "\n".join([self.summary, "", *map(str, self.findings)])

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        lines = [
            "| check | verdict | what was found | what to do |",
            "|---|---|---|---|",
        ]
        for finding in self.findings:
            verdict = f"**{finding.verdict}**" if finding.fault else finding.verdict
            cells = (finding.check, verdict, finding.evidence, finding.advice)
            lines.append("| " + " | ".join(map(_cell, cells)) + " |")
        return "\n".join([self.summary, "", *lines, ""])


def _cell(text):
    return text.replace("|", r"\|").replace("\n", " ")
