"""The rules about the two networks themselves."""

from __future__ import annotations

from grader import sheet
from grader.evidence import Evidence
from grader.layers import CONVOLUTIONS
from grader.own import (
    kinds_of_layers,
    nothing,
    own_network,
    own_summary,
    parameters,
    place,
)
from grader.verdict import Verdict, failed, passed, unproven


def judge(evidence: Evidence) -> dict[str, Verdict]:
    """Return the verdicts on both networks and on their agreement."""
    return {
        "base_unchanged": _base_unchanged(evidence),
        "separable_only": _separable_only(evidence),
        "batch_normalization": _batch_normalization(evidence),
        "under_100k": _under_100k(evidence),
        "dropout": _dropout(evidence),
        "same_model": _same_model(evidence),
    }


def _base_unchanged(evidence: Evidence) -> Verdict:
    base = evidence.base
    if base is None:
        return unproven("no base network was found")
    description = base.description
    if description is not None and description.rows and base.unsure is None:
        mine = sheet.signature(row.layer for row in description.rows)
        if sheet.same(mine, sheet.BASE):
            if base.optimizer not in (None, "adam"):
                return failed(f"{base.place}: trained with {base.optimizer}, not Adam")
            return passed(f"{base.place}: the layers are those of the base network")
        if description.broken is None or not sheet.same(mine, sheet.BASE[: len(mine)]):
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
        if not sheet.same_part(left, right):
            return f"step {i} is {_named(left)}, the base network has {_named(right)}"
    return f"{len(mine)} steps, the base network has {len(sheet.BASE)}"


def _named(part: tuple) -> str:
    values = ", ".join(str(value) for value in part[1:] if value is not None)
    return f"{part[0]}({values})"


def _separable_only(evidence: Evidence) -> Verdict:
    kinds, complete = kinds_of_layers(evidence)
    if kinds is None:
        return nothing(evidence)
    allowed = {"SeparableConv2D", "DepthwiseConv2D"}
    network = own_network(evidence)
    wrong = [kind for kind in kinds if kind in CONVOLUTIONS and kind not in allowed]
    if wrong:
        places = []
        if network is not None:
            places = [place(row) for row in network.rows if row.layer.kind in wrong]
        return failed(*(places or [f"it has {wrong[0]}"]))
    summary = own_summary(evidence)
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
        return nothing(evidence)
    if "SeparableConv2D" not in kinds:
        return failed("the own network has no depthwise separable convolution")
    count = sum(kind in allowed for kind in kinds)
    return passed(f"{count} convolutions, all depthwise separable")


def _batch_normalization(evidence: Evidence) -> Verdict:
    kinds, complete = kinds_of_layers(evidence)
    if kinds is None:
        return nothing(evidence)
    count = kinds.count("BatchNormalization")
    if count:
        return passed(f"{count} BatchNormalization layers")
    if not complete:
        return nothing(evidence)
    return failed("the own network has no BatchNormalization")


def _under_100k(evidence: Evidence) -> Verdict:
    count = parameters(evidence)
    summary = own_summary(evidence)
    stated = summary.total if summary is not None else None
    if count is None:
        network = own_network(evidence)
        if network is not None:
            known = sum(row.parameters for row in network.rows)
            if known >= sheet.MOST_PARAMETERS:
                return failed(f"at least {known:,} parameters")
        return nothing(evidence)
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
    kinds, complete = kinds_of_layers(evidence)
    if kinds is None:
        return nothing(evidence)
    names = ("Dropout", "SpatialDropout2D")
    if not any(kind in names for kind in kinds):
        if not complete:
            return nothing(evidence)
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


def _same_model(evidence: Evidence) -> Verdict:
    own, readme = evidence.own, evidence.readme_network
    if own is None or own.description is None:
        return nothing(evidence)
    mine = sheet.signature(row.layer for row in own.description.rows)
    summary = own.summary
    if own.followed and summary is not None:
        difference = summary.differs(own.description)
        if difference is not None:
            return failed(f"{own.place}: {difference}")
    if readme is None:
        return _same_summary(evidence)
    theirs = sheet.signature(row.layer for row in readme.rows)
    if own.followed and readme.broken is None:
        if sheet.same(mine, theirs):
            return passed(f"the README and {own.place} define the same network")
        return failed(_disagreement(mine, theirs))
    if mine != theirs and not own.unsure:
        for left, right in zip(mine, theirs, strict=False):
            if not sheet.same_part(left, right):
                return failed(_disagreement(mine, theirs))
    return nothing(evidence)


def _same_summary(evidence: Evidence) -> Verdict:
    """Compare with a summary in the README, where that is all it has."""
    own, readme = evidence.own, evidence.readme
    if readme is None or own is None or own.description is None or not own.followed:
        return unproven("the README has no model definition to compare")
    printed = [s for s in readme.summaries if s.total != sheet.BASE_PARAMETERS]
    if not printed:
        return unproven("the README has no model definition to compare")
    differences = [summary.differs(own.description) for summary in printed]
    if None in differences:
        return passed(f"the README's summary is that of {own.place}")
    return failed(f"{readme.file.name}: {differences[-1]}")


def _disagreement(mine: sheet.Signature, theirs: sheet.Signature) -> str:
    for i, (left, right) in enumerate(zip(mine, theirs, strict=False), 1):
        if not sheet.same_part(left, right):
            return (
                f"step {i} is {_named(left)} in the notebook, "
                f"{_named(right)} in the README"
            )
    return f"{len(mine)} steps in the notebook, {len(theirs)} in the README"
