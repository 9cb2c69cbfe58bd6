"""Judge a submission: one verdict for each rule of the sheet."""

from __future__ import annotations

import dataclasses
import re

from grader import own, rules_network, rules_notes, rules_runs, sheet
from grader.evidence import Evidence
from grader.files import is_near_name
from grader.verdict import Verdict, failed, passed, unproven


@dataclasses.dataclass(frozen=True)
class Grade:
    """A judged submission, as the report shows it."""

    submission: str
    parameters: int | None
    base_final: float | None
    own_best: float | None
    own_best_epoch: int | None
    own_final: float | None
    rules: dict[str, Verdict]
    architecture: str = ""
    run: str = ""


def judge(name: str, evidence: Evidence) -> Grade:
    """Return the verdicts on all rules and the numbers they rest on."""
    rules = {"files": _files(evidence)}
    rules.update(rules_runs.judge(evidence))
    rules.update(rules_network.judge(evidence))
    rules.update(rules_notes.judge(evidence))
    training = evidence.own
    log = rules_runs.own_log(evidence)
    best = log.best(sheet.EPOCHS) if log is not None else None
    base = evidence.base
    final = base.final if base is not None else None
    network = own.own_network(evidence)
    fingerprint = ""
    if network is not None:
        fingerprint = repr(sheet.signature(row.layer for row in network.rows))
    run = repr([r.accuracy for r in log.results]) if log is not None else ""
    return Grade(
        submission=name,
        parameters=own.parameters(evidence),
        base_final=_rounded(final),
        own_best=_rounded(best[0]) if best else None,
        own_best_epoch=best[1] if best else None,
        own_final=_rounded(
            log.final
            if log is not None
            else (training.test if training is not None else None)
        ),
        rules={key: rules[key] for key in sheet.KEYS},
        architecture=fingerprint,
        run=run,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _files(evidence: Evidence) -> Verdict:
    notebooks = [found.name for found in evidence.files.notebooks]
    readmes = [found.name for found in evidence.files.readmes]
    problems = tuple(evidence.files.problems[:5])
    said: list[str] = []
    missing: list[str] = []
    strange = False
    if not notebooks:
        missing.append("no notebook (.ipynb)")
    else:
        exact = [n for n in notebooks if n.rpartition("/")[2] == sheet.NOTEBOOK]
        near = [n for n in notebooks if is_near_name(n)]
        if exact:
            said.append(f"notebook {exact[0]}")
        elif near:
            said.append(f"notebook {near[0]}: a near name of {sheet.NOTEBOOK!r}")
        else:
            said.append(f"notebook {notebooks[0]}: not named {sheet.NOTEBOOK!r}")
            strange = not re.search(r"assign|base", notebooks[0], re.IGNORECASE)
    if not readmes:
        missing.append("no README (.md)")
    else:
        exact = [n for n in readmes if n.rpartition("/")[2] == sheet.README]
        name = exact[0] if exact else readmes[0]
        note = "" if exact else f": a near name of {sheet.README!r}"
        said.append(f"README {name}{note}")
        if "readme" not in name.lower():
            strange = True
    if missing:
        if problems and not notebooks:
            return unproven(*missing, *problems)
        return failed(*missing, *said, *problems)
    if strange:
        return unproven(*said, *problems)
    return passed(*said, *problems)
