"""Put together what a submission shows: networks, logs, summaries, claims.

A `Training` is one network with what is known of its run. This module finds all
trainings and decides which is the base network's and which the student's own.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from grader import configs, sheet
from grader.claims import BaseClaims, base_claims
from grader.files import Files, Found
from grader.graph import Description, Node, describe
from grader.interpret import Interpreter, OutOfBudget
from grader.logs import Log, Result, find_logs, test_accuracy
from grader.notebook import Cell, Unreadable, read_cells
from grader.readme import code_lines
from grader.source import plain, statements
from grader.summaries import Summary, find_summaries
from grader.values import Event, Network, Symbol, ordered

_SAME = 0.000_15  # printed accuracies have four digits


@dataclasses.dataclass(eq=False)
class Training:
    """One network and what is known of its training.

    Attributes:
        place: where it was trained, for a reader.
        cell: the cell's number, 0 where there is none.
        description: the network from its code, or None.
        unsure: why the code is not followed to its end, or None.
        log: the epochs it printed, or None.
        summary: the summary printed for it, or None.
        test: test accuracy printed after it, or None.
        optimizer: the name given to `compile`, or None.
        sources: lines of the cells, for comments.
        parameters: stated in a run folder, or None.
        named_base: what a run folder's name says of it, or None.
        order: position among all trainings.
        near: whether the notebook's name is near the one asked for.
    """

    place: str
    cell: int = 0
    description: Description | None = None
    unsure: str | None = None
    log: Log | None = None
    summary: Summary | None = None
    test: float | None = None
    optimizer: str | None = None
    sources: dict[int, list[str]] = dataclasses.field(default_factory=dict)
    parameters: int | None = None
    named_base: bool | None = None
    order: int = 0
    near: bool = False

    @property
    def followed(self) -> bool:
        """Whether the code gives the whole network."""
        return (
            self.description is not None
            and self.description.broken is None
            and self.unsure is None
        )

    @property
    def final(self) -> float | None:
        """Return the last epoch's accuracy, or the one printed afterwards."""
        if self.log is not None and self.log.final is not None:
            return self.log.final
        return self.test


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
        trainings.extend(_trainings(found, cells))
    trainings.extend(_run_folders(files))
    trainings.extend(_stored_models(files, trainings))
    for order, training in enumerate(trainings):
        training.order = order
    evidence.markdown = "\n".join(texts)[:2_000_000]
    if files.readmes:
        evidence.readme = _read_readme(files.readmes[0])
    _choose(evidence, trainings)
    return evidence


# Notebooks


def _trainings(found: Found, cells: Sequence[Cell]) -> list[Training]:
    """Follow a notebook's code and join its fits with the logs they printed."""
    machine = Interpreter()
    sources: dict[int, list[str]] = {}
    place = found.name
    result: list[Training] = []
    summaries: list[tuple[Network | None, Summary]] = []
    last: Network | None = None
    stopped = False
    for cell in cells:
        if not cell.is_code:
            continue
        sources[cell.number] = plain(cell.source).split("\n")
        before, built = len(machine.events), len(machine.networks)
        if not stopped:
            body, _ = statements(cell.source)
            try:
                machine.run(cell.number, body)
            except OutOfBudget as error:
                machine.notes.append(f"cell {cell.number}: {error}")
                stopped = True
        events = machine.events[before:]
        shown = [event for event in events if event.action == "summary"]
        printed = find_summaries(cell.output)
        for i, summary in enumerate(printed):
            network = shown[i].network if i < len(shown) else None
            if network is None and len(machine.networks) > built:
                network = machine.networks[-1]
            summaries.append((network, summary))
        for network in machine.networks[built:]:
            last = network
        for event in events:
            last = event.network or last
        fits = [event for event in events if event.action == "fit"]
        logs = [log for log in find_logs(cell.output) if len(log.results) > 1] or [
            log for log in find_logs(cell.output) if log.total is not None
        ]
        count = max(len(fits), len(logs))
        for i in range(count):
            event = fits[i] if i < len(fits) else None
            if event is None and fits:
                event = fits[-1]
            training = _training(place, cell, event, last, summaries, sources, stopped)
            training.log = logs[i] if i < len(logs) else None
            if i == count - 1:
                training.test = test_accuracy(cell.output)
            training.near = "3" in found.name and "ssign" in found.name
            result.append(training)
        if not count and result and result[-1].test is None:
            # "Accuracy on test data is" is often printed by the next cell.
            if result[-1].cell + 4 >= cell.number:
                result[-1].test = test_accuracy(cell.output)
    trained = {id(t.description) for t in result}
    result.extend(_untrained(place, machine, sources, summaries, result, trained))
    return result


def _training(
    place: str,
    cell: Cell,
    event: Event | None,
    last: Network | None,
    summaries: Sequence[tuple[Network | None, Summary]],
    sources: dict[int, list[str]],
    stopped: bool,
) -> Training:
    # A fit of what is not followed is not a fit of the network before it.
    network = last if event is None else event.network
    training = Training(f"{place}, cell {cell.number}", cell.number, sources=sources)
    if network is not None:
        nodes = list(event.nodes) if event is not None and event.nodes else []
        nodes = nodes or list(network.nodes)
        training.description = describe(nodes, sheet.INPUT) if nodes else None
        training.unsure = network.unsure
        if isinstance(network.optimizer, str):
            training.optimizer = network.optimizer.lower()
    if stopped and training.unsure is None:
        training.unsure = "the code takes more steps than are followed"
    training.summary = _summary_for(training, network, summaries)
    return training


def _summary_for(
    training: Training,
    network: Network | None,
    summaries: Sequence[tuple[Network | None, Summary]],
) -> Summary | None:
    """Choose the summary that was printed for a network: the latest of its own."""
    for owner, summary in reversed(summaries):
        if owner is not None and owner is network:
            return summary
    # Printed from a place that is not followed: the latest before the training,
    # unless that agrees with no network, but was printed for another.
    for owner, summary in reversed(summaries):
        if owner is None:
            return summary
    return None


def _untrained(
    place: str,
    machine: Interpreter,
    sources: dict[int, list[str]],
    summaries: Sequence[tuple[Network | None, Summary]],
    result: Sequence[Training],
    trained: set[int],
) -> list[Training]:
    """Return networks that were defined, but whose training is not shown."""
    known = {
        sheet.signature(row.layer for row in t.description.rows)
        for t in result
        if t.description is not None
    }
    more: list[Training] = []
    for network in machine.networks[:200]:
        if len(network.nodes) < 4:
            continue
        description = describe(list(network.nodes), sheet.INPUT)
        key = sheet.signature(row.layer for row in description.rows)
        if key in known or not sheet.looks_like_own(description):
            continue
        known.add(key)
        spans = network.nodes[-1].layer.lines
        cell = spans[0].cell if spans else 0
        training = Training(
            f"{place}, cell {cell}",
            cell,
            description,
            network.unsure,
            sources=sources,
        )
        training.summary = next(
            (s for owner, s in reversed(summaries) if owner is network), None
        )
        more.append(training)
    return more


# Run folders and stored models, the course's own format


def _run_folders(files: Files) -> list[Training]:
    trainings: list[Training] = []
    for folder, text in sorted(files.runs.items()):
        try:
            info = json.loads(text)
        except (ValueError, RecursionError):
            files.problems.append(f"{folder}/run.json: not valid JSON")
            continue
        if not isinstance(info, dict):
            continue
        name = f"{folder} {info.get('architecture', '')}".lower()
        logs = find_logs(files.histories.get(folder, ""))
        parameters = info.get("parameters")
        trainings.append(
            Training(
                f"{folder}/history.csv",
                log=logs[0] if logs else None,
                parameters=parameters if type(parameters) is int else None,
                named_base="base" in name,
            )
        )
    return trainings


def _stored_models(files: Files, trainings: Sequence[Training]) -> list[Training]:
    """Read stored models; one beside a run belongs to that run."""
    more: list[Training] = []
    for path in files.models:
        try:
            nodes = configs.read_model(path)
        except (Unreadable, OSError) as error:
            files.problems.append(f"{_short(path)}: {error}")
            continue
        description = describe(nodes, sheet.INPUT)
        folder = path.parent.name
        for training in trainings:
            beside = training.place.rpartition("/")[0].rpartition("/")[2]
            if training.description is None and beside == folder and folder:
                training.description = description
                break
        else:
            if sheet.looks_like_own(description):
                more.append(Training(_short(path), description=description))
    return more


def _short(path: Path) -> str:
    from grader.files import shown

    return shown(path.name)


# README


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
        chains = [ordered([end.node]) for end in ends[:50]]
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


# Which is which


def same_run(left: Log, right: Log) -> bool:
    """Whether two logs show the same run: nearly all common epochs are equal."""
    mine, theirs = left.accuracies, right.accuracies
    common = mine.keys() & theirs.keys()
    if len(common) < 3:
        return False
    equal = sum(abs(mine[n] - theirs[n]) < _SAME for n in common)
    return equal >= 0.9 * len(common)


def same_results(left: Sequence[Result], right: Sequence[Result]) -> bool:
    """Whether two runs printed the very same accuracies."""
    return [r.accuracy for r in left] == [r.accuracy for r in right]


def _choose(evidence: Evidence, trainings: list[Training]) -> None:
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
            if any(key == sheet.signature(r.layer for r in d.rows) for d in networks):
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
            if sheet.signature(row.layer for row in network.rows) == key:
                return network
    separable = [
        d for d in networks if any(r.layer.kind == "SeparableConv2D" for r in d.rows)
    ]
    choice = separable or list(networks)
    return choice[-1] if choice else None
