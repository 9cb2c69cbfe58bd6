"""The rules about what is written beside the layers of the own network."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from grader.comments import Claim, field_agrees, size_agrees
from grader.evidence import Evidence
from grader.graph import Description, Row
from grader.notes import claims_in_code, claims_in_summary, claims_in_tables
from grader.own import nothing, own_network, place
from grader.verdict import Verdict, failed, passed, unproven


def judge(evidence: Evidence) -> dict[str, Verdict]:
    """Return the verdicts on sizes, fields, and the README's definition."""
    notes = _best_notes(evidence)
    return {
        "output_sizes": _noted(evidence, notes.get("size"), "size"),
        "receptive_fields": _noted(evidence, notes.get("field"), "field"),
        "readme_model": _readme_model(evidence),
    }


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
        return nothing(evidence)
    right, wrong, missing, unread = notes.tally(role)
    word = "output size" if role == "size" else "receptive field"
    lines: list[str] = []
    for i in wrong:
        row, claim = notes.rows[i], notes.claims[i]
        value = claim.size if role == "size" else claim.field
        exact = row.shape if role == "size" else row.field
        lines.append(
            f"{place(row)}: {word} {_dims(value)}, exact {_dims(exact)} "
            f"({claim.text[:80]!r})"
        )
    for i in missing:
        lines.append(f"{place(notes.rows[i])}: no {word}")
    for i in unread:
        text = notes.claims[i].text[:80]
        lines.append(f"{place(notes.rows[i])}: not understood: {text!r}")
    head = f"{notes.place}: {len(right)} of {len(notes.rows)} right"
    if wrong or (missing and notes.complete):
        return failed(head, *lines)
    if not notes.complete:
        return nothing(evidence)
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
    beside = (
        f"output sizes beside {sizes}, receptive fields beside {fields} "
        f"of {len(rows)} convolutions and poolings"
    )
    # How many there are and whether they are right is for the other two rules.
    if not sizes and not fields:
        return failed(said, beside)
    return passed(said, beside)
