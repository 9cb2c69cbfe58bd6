"""Put together what a submission shows: networks, logs, summaries, claims."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from grader import sheet
from grader.claims import BaseClaims, base_claims
from grader.files import Files, Found
from grader.graph import Description, Node, describe
from grader.interpret import Interpreter
from grader.keras_calls import MOST_NODES
from grader.logs import Log, find_logs
from grader.notebook import Unreadable, read_cells
from grader.readme import code_lines
from grader.source import statements
from grader.summaries import Summary, find_summaries
from grader.training import Training, run_folders, stored_models, trainings_in
from grader.values import OutOfBudget, Symbol, ordered

_SAME = 0.000_15  # printed accuracies have four digits


@dataclasses.dataclass(eq=False)
class Readme:
    """What the README shows.

    Attributes:
        file: the file.
        lines: its code in the shape of a program.
        networks: the networks in that code.
        logs: the logs in it.
        summaries: the printed summaries in it.
        base: what it states of the base network.
    """

    file: Found
    lines: list[str]
    networks: list[Description]
    logs: list[Log]
    summaries: list[Summary]
    base: BaseClaims


@dataclasses.dataclass(eq=False)
class Evidence:
    """All of a submission, ready to be judged.

    Attributes:
        files: the files.
        readme: the README, or None.
        base: the base network's training, or None.
        own: the student's network's training, or None.
        readme_network: the student's network as the README defines it, or None.
        readme_log: the student's log as the README gives it, or None.
        markdown: the text cells of the notebooks.
        notebooks_read: how many notebooks could be read.
    """

    files: Files
    readme: Readme | None = None
    base: Training | None = None
    own: Training | None = None
    readme_network: Description | None = None
    readme_log: Log | None = None
    markdown: str = ""
    notebooks_read: int = 0


def gather(files: Files) -> Evidence:
    """Read every file and choose the base's training and the student's own."""
    evidence = Evidence(files)
    trainings: list[Training] = []
    texts: list[str] = []
    for found in files.notebooks:
        try:
            cells = read_cells(found.text)
        except Unreadable as error:
            files.problems.append(f"{found.name}: {error}")
            continue
        evidence.notebooks_read += 1
        texts.extend(cell.source for cell in cells if not cell.is_code)
        trainings.extend(trainings_in(found, cells))
    for run in run_folders(files):
        _add_run(run, trainings)
    trainings.extend(stored_models(files, trainings))
    for order, training in enumerate(trainings):
        training.order = order
    evidence.markdown = "\n".join(texts)[:2_000_000]
    if files.readmes:
        evidence.readme = _read_readme(files.readmes[0])
    choose(evidence, trainings)
    return evidence


def _add_run(run: Training, trainings: list[Training]) -> None:
    """Take in a run folder; one that a cell shows, wholly or in part, belongs to it.

    A training that was interrupted shows its later epochs alone, the folder all.
    """
    for training in trainings:
        if training.log and run.log and same_run(training.log, run.log):
            training.named_base, training.parameters = run.named_base, run.parameters
            if len(run.log.accuracies) > len(training.log.accuracies):
                training.log = run.log
            return
    trainings.append(run)


def _read_readme(found: Found) -> Readme:
    lines = code_lines(found.text)
    machine = Interpreter(excerpt=True)
    body, _ = statements("\n".join(lines))
    try:
        machine.run(0, body)
    except OutOfBudget:
        pass
    networks: list[Description] = []
    for network in machine.networks[:100]:
        if sum(node.layer.is_windowed for node in network.nodes) >= 2:
            networks.append(describe(list(network.nodes), sheet.INPUT))
    if not networks:
        ends = [value for value in machine.names.values() if isinstance(value, Symbol)]
        chains = [ordered([end.node])[:MOST_NODES] for end in ends[-20:]]
        if chains:
            longest: list[Node] = max(chains, key=len)
            if sum(node.layer.is_windowed for node in longest) >= 2:
                networks.append(describe(longest, sheet.INPUT))
    return Readme(
        found,
        lines,
        networks,
        [log for log in find_logs(found.text) if log.results],
        find_summaries(found.text),
        base_claims(found.text),
    )


def same_run(left: Log, right: Log) -> bool:
    """Whether two logs show the same run: nearly all common epochs are equal."""
    mine, theirs = left.accuracies, right.accuracies
    common = mine.keys() & theirs.keys()
    if len(common) < 3:
        return False
    equal = sum(abs(mine[n] - theirs[n]) < _SAME for n in common)
    return equal >= 0.9 * len(common)


def choose(evidence: Evidence, trainings: list[Training]) -> None:
    """Decide which training is the base network's and which the student's own.

    The own one is the one that the README tells of; without a README's word, the
    last complete one.
    """
    base = _choose_base(evidence, trainings)
    evidence.base = base
    candidates = [t for t in trainings if t is not base and _may_be_own(t, trainings)]
    readme = evidence.readme
    logs = [log for log in readme.logs if len(log.results) >= 3] if readme else []
    if base is not None and base.log is not None:
        logs = [log for log in logs if not same_run(log, base.log)]
    networks = []
    if readme is not None:
        networks = [d for d in readme.networks if not sheet.is_base(d)]

    def rank(training: Training) -> tuple[float, ...]:
        score = 0.0
        if training.log is not None:
            if any(same_run(training.log, log) for log in logs):
                score += 100
            if training.log.covers(sheet.EPOCHS):
                score += 30
            elif len(training.log.results) >= 10:
                score += 10
        if training.description is not None:
            key = sheet.signature(row.layer for row in training.description.rows)
            kinds = {row.layer.kind for row in training.description.rows}
            if any(_is_network(d, key) for d in networks):
                score += 40
            if "SeparableConv2D" in kinds or "DepthwiseConv2D" in kinds:
                score += 20
        return (score + 5 * training.near, training.order)

    if candidates:
        evidence.own = max(candidates, key=rank)
    own = evidence.own
    evidence.readme_log = _own_log(logs, own)
    evidence.readme_network = _own_network(networks, own)


def _is_exact_base(training: Training) -> bool:
    if training.description is not None and not training.description.broken:
        return sheet.is_base(training.description)
    summary = training.summary
    return summary is not None and summary.total == sheet.BASE_PARAMETERS


def _may_be_own(training: Training, trainings: Sequence[Training]) -> bool:
    if training.named_base or _is_exact_base(training):
        return False
    if training.description is not None and training.description.rows:
        return sheet.looks_like_own(training.description)
    if training.named_base is False:
        return True
    return training.log is not None or training.summary is not None


def _choose_base(evidence: Evidence, trainings: Sequence[Training]) -> Training | None:
    claims = evidence.readme.base.stated if evidence.readme else ()

    def rank(training: Training) -> tuple[float, ...]:
        final = training.final
        stated = final is not None and any(claim.equals(final) for claim in claims)
        full = training.log is not None and training.log.covers(sheet.EPOCHS)
        return (stated, full, final is not None, -training.order)

    exact = [t for t in trainings if t.named_base or _is_exact_base(t)]
    if exact:
        return max(exact, key=rank)
    # No exact one: a changed copy, if it does not look like the student's own.
    changed = [
        t
        for t in trainings
        if t.description is not None
        and t.description.rows
        and sheet.looks_like_base(t.description)
    ]
    others = [t for t in trainings if t not in changed]
    if changed and (others or len(changed) > 1):
        return max(changed[:1] if not others else changed, key=rank)
    # A log of which only the notebook's name says that it is the base's.
    nameless = [
        t
        for t in trainings
        if (t.description is None or not t.description.rows)
        and t.log is not None
        and t.summary is None
        and "base" in t.place.lower()
    ]
    return max(nameless, key=rank) if nameless else None


def _is_network(description: Description, key: sheet.Signature) -> bool:
    return sheet.same(sheet.signature(row.layer for row in description.rows), key)


def _own_log(logs: Sequence[Log], own: Training | None) -> Log | None:
    if own is not None and own.log is not None:
        for log in logs:
            if same_run(log, own.log):
                return log
    if not logs:
        return None
    return max(logs, key=lambda log: len(log.results))


def _own_network(
    networks: Sequence[Description], own: Training | None
) -> Description | None:
    if own is not None and own.description is not None:
        key = sheet.signature(row.layer for row in own.description.rows)
        for network in networks:
            if _is_network(network, key):
                return network
    separable = [
        d for d in networks if any(r.layer.kind == "SeparableConv2D" for r in d.rows)
    ]
    choice = separable or list(networks)
    return choice[-1] if choice else None
