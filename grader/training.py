"""One network and what is known of its training, from notebooks and run folders."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from grader import configs, sheet
from grader.files import Files, Found, is_near_name, shown
from grader.graph import Description, describe
from grader.interpret import Interpreter
from grader.logs import Log, find_logs, test_accuracy
from grader.notebook import Cell, Unreadable
from grader.source import plain, statements
from grader.summaries import Summary, find_summaries
from grader.values import Event, Network, OutOfBudget


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
        optimizer: the optimizer given to `compile`, in small letters, or None.
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


def trainings_in(found: Found, cells: Sequence[Cell]) -> list[Training]:
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
            training.near = is_near_name(found.name)
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


def run_folders(files: Files) -> list[Training]:
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


def stored_models(files: Files, trainings: Sequence[Training]) -> list[Training]:
    """Read stored models; one beside a run belongs to that run."""
    more: list[Training] = []
    for path in files.models:
        try:
            nodes = configs.read_model(path)
        except (Unreadable, OSError) as error:
            files.problems.append(f"{shown(path.name)}: {error}")
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
                more.append(Training(shown(path.name), description=description))
    return more
