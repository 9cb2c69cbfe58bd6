"""The rules about logs and scores."""

from __future__ import annotations

from grader import sheet
from grader.evidence import Evidence, Training, same_run
from grader.logs import Log
from grader.verdict import Verdict, failed, passed, unproven


def judge(evidence: Evidence) -> dict[str, Verdict]:
    """Return the verdicts on the logs, the scores and their agreement."""
    return {
        "base_log": _base_log(evidence),
        "base_accuracy": _base_accuracy(evidence),
        "epochs_50": _epochs(evidence),
        "beats_base": _beats_base(evidence),
        "readme_log": _readme_log(evidence),
        "same_log": _same_log(evidence),
    }


def own_log(evidence: Evidence) -> Log | None:
    """Return the log of the student's network, the README's where no other is."""
    if evidence.own is not None and evidence.own.log is not None:
        return evidence.own.log
    return evidence.readme_log


def _said(training: Training) -> str:
    log = training.log
    if log is None:
        return f"{training.place}: no log of the epochs"
    count = len(log.accuracies)
    total = f" of {log.total}" if log.total else ""
    end = f", the last with {log.final:.4f}" if log.final is not None else ""
    return f"{training.place}: {count} epochs{total} with a validation accuracy{end}"


def _unread(evidence: Evidence) -> tuple[str, ...]:
    """Return the problems when it is for them that nothing was found."""
    return tuple(evidence.files.problems[:3]) if not evidence.notebooks_read else ()


def _base_log(evidence: Evidence) -> Verdict:
    base = evidence.base
    if base is None:
        problems = _unread(evidence)
        if problems:
            return unproven("no notebook could be read", *problems)
        return failed("no training of the base network in the notebooks")
    if base.log is not None and base.log.covers(sheet.EPOCHS):
        return passed(_said(base))
    if base.log is not None and len(base.log.accuracies) > sheet.EPOCHS:
        return passed(_said(base))
    return failed(_said(base))


def _base_accuracy(evidence: Evidence) -> Verdict:
    readme = evidence.readme
    if readme is None:
        return failed("there is no README to state it")
    claims = readme.base
    final = evidence.base.final if evidence.base is not None else None
    plain = [claim for claim in claims.stated if not claim.is_best]
    if not claims.stated:
        if claims.image is not None:
            return unproven(f"{readme.file.name}, line {claims.image}: only a picture")
        return failed(f"{readme.file.name} states no accuracy of the base network")
    quotes = [
        f"{readme.file.name}, line {claim.line}: {claim.quote}"
        for claim in (plain or claims.stated)[:3]
    ]
    low, high = sheet.PLAUSIBLE
    if final is None:
        outside = [c for c in plain if not low - 0.005 <= c.value <= high + 0.005]
        if plain and len(outside) == len(plain):
            return failed(*quotes, f"a base network ends between {low} and {high}")
        return unproven(*quotes, "the notebooks show no final accuracy of the base")
    shown = f"the notebook's base network ends at {final:.4f}"
    if any(claim.equals(final) for claim in plain):
        return passed(*quotes, shown)
    if any(claim.equals(final) for claim in claims.stated):
        # Called the best, and it is also the final one.
        return passed(*quotes, shown)
    extra = ()
    log = evidence.base.log if evidence.base is not None else None
    best = log.best(sheet.EPOCHS) if log is not None else None
    mine = own_log(evidence)
    if best and any(claim.equals(best[0]) for claim in claims.stated):
        extra = (f"that is its best, in epoch {best[1]}",)
    elif mine is not None and mine.final is not None:
        own_best = mine.best(sheet.EPOCHS)
        known = [mine.final, *([own_best[0]] if own_best else [])]
        if any(claim.equals(value) for claim in claims.stated for value in known):
            extra = ("that is the student's own network's",)
    return failed(*quotes, shown, *extra)


def _epochs(evidence: Evidence) -> Verdict:
    own = evidence.own
    if own is not None and own.log is not None:
        log, said = own.log, _said(own)
    elif evidence.readme_log is not None and evidence.readme is not None:
        log = evidence.readme_log
        said = f"{evidence.readme.file.name}: {len(log.accuracies)} epochs"
    elif own is not None:
        return failed(_said(own))
    else:
        problems = _unread(evidence)
        return unproven("no training of an own network was found", *problems)
    count = max(log.accuracies, default=0)
    if log.covers(sheet.EPOCHS) and count <= sheet.EPOCHS + 3:
        return passed(said)
    return failed(said)


def _beats_base(evidence: Evidence) -> Verdict:
    log = own_log(evidence)
    best = log.best(sheet.EPOCHS) if log is not None else None
    own = evidence.own
    if best is None and own is not None and own.test is not None:
        best = (own.test, sheet.EPOCHS)
    if best is None:
        return unproven("no accuracy of the own network is shown")
    mine = f"own best {best[0]:.4f} in epoch {best[1]}"
    final = evidence.base.final if evidence.base is not None else None
    source = "the base network's final"
    if final is None and evidence.readme is not None:
        claims = [c for c in evidence.readme.base.stated if not c.is_best]
        if claims:
            final, source = claims[0].value, "the README's base accuracy"
    if final is None:
        if best[0] > sheet.PLAUSIBLE[1]:
            return passed(mine, f"above any plausible base, {sheet.PLAUSIBLE[1]}")
        return unproven(mine, "no accuracy of the base network is shown")
    said = (mine, f"{source} {final:.4f}")
    if best[0] > final + 1e-9:
        return passed(*said)
    if abs(best[0] - final) < 1e-9:
        return failed(*said, "a tie does not beat")
    return failed(*said)


def _readme_log(evidence: Evidence) -> Verdict:
    readme = evidence.readme
    if readme is None:
        return failed("there is no README")
    log = evidence.readme_log
    if log is None:
        return failed(f"{readme.file.name} has no log of the own network")
    said = f"{readme.file.name}: a log of {len(log.accuracies)} epochs"
    if log.results:
        said += f", from line {log.results[0].line}"
    if log.covers(sheet.EPOCHS) or len(log.accuracies) >= sheet.EPOCHS:
        return passed(said)
    return failed(said)


def _same_log(evidence: Evidence) -> Verdict:
    readme = evidence.readme_log
    own = evidence.own
    if readme is None:
        return unproven("the README has no log to compare")
    if own is None or own.log is None:
        return unproven("the notebooks have no log of the own network to compare")
    if same_run(readme, own.log):
        return passed(f"the README's log is that of {own.place}")
    mine, theirs = own.log.accuracies, readme.accuracies
    for epoch in sorted(mine.keys() & theirs.keys()):
        if abs(mine[epoch] - theirs[epoch]) > 1e-9:
            return failed(
                f"epoch {epoch}: {theirs[epoch]:.4f} in the README, "
                f"{mine[epoch]:.4f} in {own.place}"
            )
    return failed(f"the README's log has no epoch in common with {own.place}")
