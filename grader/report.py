"""Show a grade: as JSON, and as text for a terminal."""

from __future__ import annotations

from typing import Any

from grader import sheet
from grader.rules import Grade
from grader.verdict import PASS, UNPROVEN, Verdict, unproven

SYMBOLS = {"pass": "✓", "fail": "✗", "unproven": "?"}


def to_dict(grade: Grade) -> dict[str, Any]:
    """Return the grade as the JSON that `--json` prints."""
    return {
        "submission": grade.submission,
        "parameters": grade.parameters,
        "base_final": grade.base_final,
        "own_best": grade.own_best,
        "own_best_epoch": grade.own_best_epoch,
        "own_final": grade.own_final,
        "rules": {
            key: {
                "verdict": verdict.verdict,
                "evidence": list(verdict.evidence),
                "help": "" if verdict.verdict == PASS else sheet.HELP[key],
            }
            for key, verdict in grade.rules.items()
        },
    }


def unread(name: str, why: str) -> Grade:
    """Return the grade of a submission that could not be read to its end."""
    verdict: Verdict = unproven(why)
    rules = dict.fromkeys(sheet.KEYS, verdict)
    return Grade(name, None, None, None, None, None, rules)


def to_text(result: dict[str, Any]) -> str:
    """Return the grade as lines for a terminal.

    Args:
        result: what `to_dict` returned.
    """
    rules: dict[str, Any] = result["rules"]
    counts = [rule["verdict"] for rule in rules.values()]
    lines = [
        f"{result['submission']}: {counts.count(PASS)} of {len(counts)} rules pass, "
        f"{counts.count('fail')} fail, {counts.count(UNPROVEN)} unproven"
    ]
    numbers = [
        ("parameters", "{:,}", result["parameters"]),
        ("base network's final accuracy", "{:.4f}", result["base_final"]),
        ("own best accuracy", "{:.4f}", result["own_best"]),
        ("in epoch", "{}", result["own_best_epoch"]),
        ("own final accuracy", "{:.4f}", result["own_final"]),
    ]
    lines += [
        f"  {name} {form.format(v)}" for name, form, v in numbers if v is not None
    ]
    for key, rule in rules.items():
        lines.append(f"{SYMBOLS[rule['verdict']]} {key}: {rule['verdict']}")
        lines += [f"    {line}" for line in rule["evidence"]]
        if rule["help"]:
            lines.append(f"    -> {rule['help']}")
    return "\n".join(lines)
