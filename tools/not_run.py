"""Lists in logs/README.md which architectures have no full run, and what one takes."""

import statistics
from collections.abc import Iterable
from pathlib import Path

from helpers.results import Run, runs
from tools import ROOT, markers

START, END = "<!-- not run -->", "<!-- /not run -->"
EPOCHS, IMAGES = 50, 45_000
# Commands of many short runs, what they leave in logs/, their estimated core-hours.
SERIES = {
    "python -m helpers.transfer": ("studies/transfer/runs.csv", 2.2),
    "python -m helpers.tuning": ("tuning/trials.csv", 4.0),
    "python -m helpers.search_study": ("search", 5.0),
    "python -m helpers.train speedrun": ("speedrun_seed0", 0.6),
    "python -m helpers.studies speedrun": ("studies/speedrun", 3.8),
    "python -m helpers.studies assignment": ("studies/assignment", 2.5),
}
# Layers that do little arithmetic for each value that they move.
SLOW = ("| DepthwiseConv2D |", "| SeparableConv2D |")


def architectures(tables: Path) -> dict[str, int]:
    """Reads the multiply-adds of each architecture from `tables/README.md`."""
    rows = (tables / "README.md").read_text(encoding="utf-8").splitlines()
    cells = [row.split(" | ") for row in rows if row.startswith("| [")]
    return {
        name[3 : name.index("]")]: int(macs.replace(",", ""))
        for name, _, _, macs, _ in cells
    }


def is_depthwise(name: str, tables: Path) -> bool:
    """Whether an architecture has depthwise layers."""
    text = (tables / f"{name}.md").read_text(encoding="utf-8")
    return any(kind in text for kind in SLOW)


def rates(found: Iterable[Run], tables: Path) -> dict[bool, float]:
    """Multiply-adds of the forward pass that a second of training on a core brings.

    Args:
        found: finished runs; those on one core count.
        tables: the folder of tables.

    Returns:
        The median over the architectures without (False) and with depthwise layers
        (True), each by its fastest run.

    Raises:
        ValueError: if there is no run of one of the two kinds.
    """
    reached: dict[bool, dict[str, float]] = {False: {}, True: {}}
    for run in found:
        # One that went on elsewhere names every machine.
        machines = run.fields["hardware"].split(", then ")
        if all(machine.startswith("1 CPU core") for machine in machines):
            name = run.fields["architecture"]
            work = run.fields["macs"] * run.fields["data"]["images"]
            rate = work / run.fields["seconds_per_epoch"]
            # Many seeds of one network must not weigh more than one of another.
            best = reached[is_depthwise(name, tables)]
            best[name] = max(rate, best.get(name, 0.0))
    if not all(reached.values()):
        raise ValueError(
            "logs/ holds no finished run on one core of a network with, or of one "
            "without depthwise layers: hours cannot be estimated. Put one back."
        )
    return {kind: statistics.median(best.values()) for kind, best in reached.items()}


def text(root: Path) -> str:
    """Writes the list, cheapest first.

    Args:
        root: the course's folder, with `logs` and `tables`.
    """
    tables, found = root / "tables", runs(root / "logs")
    done = {run.fields["architecture"] for run in found}
    speed = rates(found, tables)
    hours = {
        name: EPOCHS * IMAGES * macs / speed[is_depthwise(name, tables)] / 3600
        for name, macs in architectures(tables).items()
        # The studies train `small`; the others have epochs of their own.
        if name not in done | {"small", "speedrun", "wide_resnet28_10"}
    }
    lines = [f"{name} {hours[name]:.1f}" for name in sorted(hours, key=hours.get)]
    waiting = [
        f"`{command}` {needed}"
        for command, (place, needed) in SERIES.items()
        if not (root / "logs" / place).exists()
    ]
    full, depthwise = (f"{speed[kind] / 1e9:.0f} billion" for kind in (False, True))
    return (
        f"Not run yet, with the estimated hours of {EPOCHS} epochs of {IMAGES:,} "
        f"images on one core of the runs above, at the median of their best rates "
        f"({full} multiply-adds of the forward pass a second, {depthwise} where there "
        f"are depthwise layers): {', '.join(lines) or 'none'}.\n\n"
        f"Commands without any run, with their estimated hours of a core: "
        f"{', '.join(waiting) or 'none'}."
    )


def refresh(root: Path = ROOT, save: bool = True) -> list[str]:
    """Brings the list up to date.

    Args:
        root: the course's folder.
        save: write the change; otherwise only say whether there is one.

    Returns:
        The name of the file if it differs from what it should hold.
    """
    return markers.refresh(root, "logs/README.md", START, END, text(root), save)
