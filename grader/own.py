"""What is known of the student's own network, whatever it is known from."""

from __future__ import annotations

from grader.evidence import Evidence
from grader.graph import Description, Row
from grader.summaries import Summary
from grader.verdict import Verdict, unproven


def own_network(evidence: Evidence) -> Description | None:
    """Return the student's network, from the notebook or else from the README."""
    own = evidence.own
    if own is not None and own.followed:
        return own.description
    if evidence.readme_network is not None:
        if own is None or own.description is None:
            return evidence.readme_network
        if evidence.readme_network.broken is None:
            return evidence.readme_network
    return own.description if own is not None else None


def own_summary(evidence: Evidence) -> Summary | None:
    """Return the summary that was printed for the own network, if any."""
    return evidence.own.summary if evidence.own is not None else None


def parameters(evidence: Evidence) -> int | None:
    """Return the own network's total, from its code, its run or its summary."""
    own = evidence.own
    if own is not None and own.followed and own.description is not None:
        return own.description.parameters
    if own is not None and own.parameters is not None:
        return own.parameters
    summary = own_summary(evidence)
    if summary is not None and summary.total is not None:
        return summary.total
    network = own_network(evidence)
    if network is not None and network.parameters is not None:
        return network.parameters
    return None


def place(row: Row) -> str:
    """Return where a layer stands, for a reader."""
    spans = row.layer.lines
    if not spans:
        return row.layer.kind
    if spans[0].cell == 0:
        return f"{row.layer.kind} in the README"
    return f"cell {spans[0].cell}, line {spans[0].first}: {row.layer.kind}"


def nothing(evidence: Evidence) -> Verdict:
    """Return that the own network is not known, and why."""
    own = evidence.own
    if own is None and evidence.readme_network is None:
        return unproven("no own network was found", *evidence.files.problems[:3])
    why = own.unsure if own is not None else None
    if why is None and own is not None and own.description is not None:
        why = own.description.broken
    return unproven(f"the own network cannot be followed: {why or 'no code is shown'}")


def kinds_of_layers(evidence: Evidence) -> tuple[list[str] | None, bool]:
    """Return the kinds of layers of the own network, and whether they are all."""
    network = own_network(evidence)
    own = evidence.own
    if network is not None and network.rows:
        sure = own is None or own.followed or network is not own.description
        return [row.layer.kind for row in network.rows], (
            sure and network.broken is None
        )
    summary = own_summary(evidence)
    if summary is not None:
        kinds = [line.kind or "" for line in summary.lines]
        return kinds, all(kinds)
    return None, False
