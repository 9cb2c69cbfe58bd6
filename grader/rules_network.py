"""The rules about the two networks and what is written beside their layers."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from grader import sheet
from grader.comments import Claim, field_agrees, size_agrees
from grader.evidence import Evidence
from grader.graph import Description, Row
from grader.layers import CONVOLUTIONS
from grader.notes import claims_in_code, claims_in_summary, claims_in_tables
from grader.summaries import Summary
from grader.verdict import Verdict, failed, passed, unproven


def judge(evidence: Evidence) -> dict[str, Verdict]:
    """Return the verdicts on both networks and on the notes of the own one."""
    notes = _best_notes(evidence)
    return {
        "base_unchanged": _base_unchanged(evidence),
        "separable_only": _separable_only(evidence),
        "batch_normalization": _batch_normalization(evidence),
        "under_100k": _under_100k(evidence),
        "dropout": _dropout(evidence),
        "output_sizes": _noted(evidence, notes.get("size"), "size"),
        "receptive_fields": _noted(evidence, notes.get("field"), "field"),
        "readme_model": _readme_model(evidence),
        "same_model": _same_model(evidence),
    }


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


def _own_summary(evidence: Evidence) -> Summary | None:
    return evidence.own.summary if evidence.own is not None else None


def parameters(evidence: Evidence) -> int | None:
    """Return the own network's total, from its code, its run or its summary."""
    own = evidence.own
    if own is not None and own.followed and own.description is not None:
        return own.description.parameters
    if own is not None and own.parameters is not None:
        return own.parameters
    summary = _own_summary(evidence)
    if summary is not None and summary.total is not None:
        return summary.total
    network = own_network(evidence)
    if network is not None and network.parameters is not None:
        return network.parameters
    return None


def _place(row: Row, evidence: Evidence) -> str:
    spans = row.layer.lines
    if not spans:
        return row.layer.kind
    if spans[0].cell == 0:
        return f"{row.layer.kind} in the README"
    return f"cell {spans[0].cell}, line {spans[0].first}: {row.layer.kind}"


def _base_unchanged(evidence: Evidence) -> Verdict:
    base = evidence.base
    if base is None:
        return unproven("no base network was found")
    description = base.description
    if description is not None and description.rows and base.unsure is None:
        mine = sheet.signature(row.layer for row in description.rows)
        if mine == sheet.BASE:
            if base.optimizer not in (None, "adam"):
                return failed(f"{base.place}: trained with {base.optimizer}, not Adam")
            return passed(f"{base.place}: the layers are those of the base network")
        if description.broken is None or mine != sheet.BASE[: len(mine)]:
            return failed(f"{base.place}: {_difference(mine)}")
    if base.summary is not None and base.summary.total is not None:
        said = f"{base.place}: the summary has {base.summary.total:,} parameters"
        if base.summary.total == sheet.BASE_PARAMETERS:
            return passed(said)
        return failed(said, f"the base network has {sheet.BASE_PARAMETERS:,}")
    if base.parameters is not None:
        said = f"{base.place}: {base.parameters:,} parameters"
        if base.parameters == sheet.BASE_PARAMETERS:
            return passed(said)
        return failed(said, f"the base network has {sheet.BASE_PARAMETERS:,}")
    return unproven(f"{base.place}: the base network's code cannot be followed")


def _difference(mine: sheet.Signature) -> str:
    for i, (left, right) in enumerate(zip(mine, sheet.BASE, strict=False), 1):
        if left != right:
            return f"step {i} is {_named(left)}, the base network has {_named(right)}"
    return f"{len(mine)} steps, the base network has {len(sheet.BASE)}"


def _named(part: tuple) -> str:
    values = ", ".join(str(value) for value in part[1:] if value is not None)
    return f"{part[0]}({values})"


def _nothing(evidence: Evidence) -> Verdict:
    own = evidence.own
    if own is None and evidence.readme_network is None:
        return unproven("no own network was found", *evidence.files.problems[:3])
    why = own.unsure if own is not None else None
    if why is None and own is not None and own.description is not None:
        why = own.description.broken
    return unproven(f"the own network cannot be followed: {why or 'no code is shown'}")


def _kinds(evidence: Evidence) -> tuple[list[str] | None, bool]:
    """Return the kinds of layers of the own network, and whether they are all."""
    network = own_network(evidence)
    own = evidence.own
    if network is not None and network.rows:
        sure = own is None or own.followed or network is not own.description
        return [row.layer.kind for row in network.rows], (
            sure and network.broken is None
        )
    summary = _own_summary(evidence)
    if summary is not None:
        kinds = [line.kind or "" for line in summary.lines]
        return kinds, all(kinds)
    return None, False


def _separable_only(evidence: Evidence) -> Verdict:
    kinds, complete = _kinds(evidence)
    if kinds is None:
        return _nothing(evidence)
    allowed = {"SeparableConv2D", "DepthwiseConv2D"}
    network = own_network(evidence)
    wrong = [kind for kind in kinds if kind in CONVOLUTIONS and kind not in allowed]
    if wrong:
        places = []
        if network is not None:
            places = [
                _place(row, evidence) for row in network.rows if row.layer.kind in wrong
            ]
        return failed(*(places or [f"it has {wrong[0]}"]))
    summary = _own_summary(evidence)
    if summary is not None:
        printed = [
            line.kind
            for line in summary.lines
            if line.kind in CONVOLUTIONS and line.kind not in allowed
        ]
        if printed:
            return failed(
                f"the stored summary has {printed[0]}, whatever the code says now"
            )
    if not complete:
        return _nothing(evidence)
    if not allowed.intersection(kinds):
        return failed("the own network has no separable convolution")
    count = sum(kind in allowed for kind in kinds)
    return passed(f"{count} convolutions, all depthwise separable")


def _batch_normalization(evidence: Evidence) -> Verdict:
    kinds, complete = _kinds(evidence)
    if kinds is None:
        return _nothing(evidence)
    count = kinds.count("BatchNormalization")
    if count:
        return passed(f"{count} BatchNormalization layers")
    if not complete:
        return _nothing(evidence)
    return failed("the own network has no BatchNormalization")


def _under_100k(evidence: Evidence) -> Verdict:
    count = parameters(evidence)
    summary = _own_summary(evidence)
    stated = summary.total if summary is not None else None
    if count is None:
        network = own_network(evidence)
        if network is not None:
            known = sum(row.parameters for row in network.rows)
            if known >= sheet.MOST_PARAMETERS:
                return failed(f"at least {known:,} parameters")
        return _nothing(evidence)
    said = [f"{count:,} parameters in total"]
    if stated is not None and stated != count:
        said.append(f"the stored summary has {stated:,}")
        if (stated < sheet.MOST_PARAMETERS) != (count < sheet.MOST_PARAMETERS):
            return unproven(*said)
    if count < sheet.MOST_PARAMETERS:
        return passed(*said)
    return failed(*said)


def _dropout(evidence: Evidence) -> Verdict:
    network = own_network(evidence)
    kinds, complete = _kinds(evidence)
    if kinds is None:
        return _nothing(evidence)
    names = ("Dropout", "SpatialDropout2D")
    if not any(kind in names for kind in kinds):
        if not complete:
            return _nothing(evidence)
        return failed("the own network has no Dropout")
    rows = network.rows if network is not None else ()
    rates = [row.layer.options.get("rate") for row in rows if row.layer.kind in names]
    known = [rate for rate in rates if isinstance(rate, int | float)]
    if not known:
        return unproven("there are Dropout layers, their rates cannot be followed")
    wrong = [rate for rate in known if not 0 < rate <= sheet.HIGHEST_DROPOUT]
    listed = ", ".join(f"{rate:g}" for rate in sorted(set(known)))
    if len(wrong) == len(known) or any(rate > sheet.HIGHEST_DROPOUT for rate in wrong):
        return failed(f"rates {listed}")
    return passed(f"{len(rates)} Dropout layers, rates {listed}")


# What is written beside the layers


@dataclasses.dataclass(frozen=True)
class Notes:
    """The notes of one place on the rows of one network."""

    place: str
    rows: tuple[Row, ...]
    claims: tuple[Claim, ...]
    complete: bool

    def tally(self, role: str) -> tuple[list[int], list[int], list[int], list[int]]:
        """Return the indices of right, wrong, missing and unreadable notes."""
        right: list[int] = []
        wrong: list[int] = []
        missing: list[int] = []
        unread: list[int] = []
        for i, (row, claim) in enumerate(zip(self.rows, self.claims, strict=True)):
            value = claim.size if role == "size" else claim.field
            if claim.text == "(inside)":
                continue
            if value is None:
                # Numbers that were given no meaning may be the value.
                other = claim.field if role == "size" else claim.size
                strange = other is None and re.search(r"\d", claim.text)
                (unread if strange else missing).append(i)
            elif role == "size":
                (right if size_agrees(value, row.shape) else wrong).append(i)
            else:
                (right if field_agrees(value, row.field) else wrong).append(i)
        return right, wrong, missing, unread

    def rank(self, role: str) -> tuple[bool, int, int]:
        """Return how good a witness this place is: all right, most, most right."""
        right, wrong, missing, unread = self.tally(role)
        perfect = bool(right) and not (wrong or missing or unread)
        return perfect, len(right) + len(wrong), len(right)


def _windowed(description: Description) -> tuple[Row, ...]:
    return tuple(row for row in description.rows if row.layer.is_windowed)


def _best_notes(evidence: Evidence) -> dict[str, Notes]:
    """Find every place with notes and choose the best one for each kind."""
    places: list[Notes] = []
    own, readme = evidence.own, evidence.readme

    def add(
        place: str, network: Description, claims: Sequence[Claim] | None, whole: bool
    ) -> None:
        rows = _windowed(network)
        if claims is not None and len(claims) == len(rows) and rows:
            places.append(Notes(place, rows, tuple(claims), whole))

    network = own_network(evidence)
    if own is not None and own.description is not None and own.description.rows:
        rows = _windowed(own.description)
        if any(row.layer.lines for row in rows):
            claims = claims_in_code(rows, own.sources)
            add(own.place, own.description, claims, own.followed)
    if readme is not None and evidence.readme_network is not None:
        described = evidence.readme_network
        rows = _windowed(described)
        claims = claims_in_code(rows, {0: readme.lines})
        add(readme.file.name, described, claims, described.broken is None)
    if network is not None and network.rows:
        rows = _windowed(network)
        whole = network.broken is None
        texts = [("a text cell", evidence.markdown)]
        if readme is not None:
            texts.insert(0, (f"{readme.file.name}, a table", readme.file.text))
        for place, text in texts:
            add(place, network, claims_in_tables(rows, text), whole)
        for summary in readme.summaries if readme is not None else ():
            claims = claims_in_summary(rows, summary)
            add(f"{readme.file.name}, a summary", network, claims, whole)
    best: dict[str, Notes] = {}
    for role in ("size", "field"):
        ranked = sorted(places, key=lambda notes: notes.rank(role), reverse=True)
        if ranked:
            best[role] = ranked[0]
    return best


def _noted(evidence: Evidence, notes: Notes | None, role: str) -> Verdict:
    if notes is None:
        return _nothing(evidence)
    right, wrong, missing, unread = notes.tally(role)
    word = "output size" if role == "size" else "receptive field"
    lines: list[str] = []
    for i in wrong:
        row, claim = notes.rows[i], notes.claims[i]
        value = claim.size if role == "size" else claim.field
        exact = row.shape if role == "size" else row.field
        lines.append(
            f"{_place(row, evidence)}: {word} {_dims(value)}, exact {_dims(exact)} "
            f"({claim.text[:80]!r})"
        )
    for i in missing:
        lines.append(f"{_place(notes.rows[i], evidence)}: no {word}")
    for i in unread:
        text = notes.claims[i].text[:80]
        lines.append(f"{_place(notes.rows[i], evidence)}: not understood: {text!r}")
    head = f"{notes.place}: {len(right)} of {len(notes.rows)} right"
    if wrong or (missing and notes.complete):
        return failed(head, *lines)
    if not notes.complete:
        return _nothing(evidence)
    if unread:
        return unproven(head, *lines)
    if not right:
        return failed(head)
    return passed(head)


def _dims(value: Sequence[int] | None) -> str:
    return "x".join(str(side) for side in value) if value else "none"


def _readme_model(evidence: Evidence) -> Verdict:
    readme = evidence.readme
    if readme is None:
        return failed("there is no README")
    network = evidence.readme_network
    if network is None:
        if readme.summaries:
            return failed(f"{readme.file.name} has a summary, but no definition")
        return failed(f"{readme.file.name} has no model definition")
    rows = _windowed(network)
    said = f"{readme.file.name}: a definition with {len(network.rows)} layers"
    claims: list[Sequence[Claim]] = [claims_in_code(rows, {0: readme.lines})]
    table = claims_in_tables(rows, readme.file.text)
    if table is not None:
        claims.append(table)
    for summary in readme.summaries:
        annotated = claims_in_summary(rows, summary)
        if annotated is not None:
            claims.append(annotated)
    sizes = max(sum(c.size is not None for c in found) for found in claims)
    fields = max(sum(c.field is not None for c in found) for found in claims)
    if 2 * sizes < len(rows) or 2 * fields < len(rows):
        return failed(
            said,
            f"output sizes beside {sizes}, receptive fields beside {fields} "
            f"of {len(rows)} convolutions and poolings",
        )
    return passed(said)


def _same_model(evidence: Evidence) -> Verdict:
    own, readme = evidence.own, evidence.readme_network
    if own is None or own.description is None:
        return _nothing(evidence)
    mine = sheet.signature(row.layer for row in own.description.rows)
    summary = own.summary
    if own.followed and summary is not None:
        difference = summary.differs(own.description)
        if difference is not None:
            return failed(f"{own.place}: {difference}")
    if readme is None:
        return unproven("the README has no model definition to compare")
    theirs = sheet.signature(row.layer for row in readme.rows)
    if own.followed and readme.broken is None:
        if mine == theirs:
            return passed(f"the README and {own.place} define the same network")
        return failed(_disagreement(mine, theirs))
    if mine != theirs and not own.unsure:
        for left, right in zip(mine, theirs, strict=False):
            if left != right:
                return failed(_disagreement(mine, theirs))
    return _nothing(evidence)


def _disagreement(mine: sheet.Signature, theirs: sheet.Signature) -> str:
    for i, (left, right) in enumerate(zip(mine, theirs, strict=False), 1):
        if left != right:
            return (
                f"step {i} is {_named(left)} in the notebook, "
                f"{_named(right)} in the README"
            )
    return f"{len(mine)} steps in the notebook, {len(theirs)} in the README"
