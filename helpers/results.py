"""Reads what the full runs in `logs/` reached, and writes it as a table.

It imports no Keras, so that README's table is made in a second.
"""

import csv
import json
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from helpers import runtime
from helpers.published import PUBLISHED

COLUMNS = (
    "architecture",
    "parameters",
    "multiply-adds",
    "receptive field",
    "recipe",
    "epochs",
    "seeds",
    "test accuracy (%)",
    "seconds an epoch",
    "published (%)",
)

# What of `run.json` makes two runs differ in more than their seed, beside the images.
KEY = (
    "architecture",
    "recipe",
    "epochs",
    "precision",
    "batch_size",
    "parameters",
    "macs",
)
# The test accuracy of predictions averaged over views of an image.
VIEWS = "test_accuracy_views"


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        folder: the run's folder.
        fields: its `run.json`.
    """

    folder: Path
    fields: dict

    @property
    def key(self) -> tuple:
        """What runs of one row of the table share: all but the seed."""
        data = self.fields["data"]
        images = data["source"], data["sha256"]
        same = (self.fields[name] for name in KEY)
        return (*images, *same, data["images"], data["protocol"])

    @property
    def history(self) -> list[dict[str, float | None]]:
        """The rows of `history.csv`, by column; None where nothing was measured."""
        with open(self.folder / "history.csv", newline="", encoding="utf-8") as file:
            return [
                {name: float(value) if value else None for name, value in row.items()}
                for row in csv.DictReader(file)
            ]

    @property
    def fastest(self) -> float:
        """Seconds of the fastest epoch: what else the machine did only adds."""
        return min(row["seconds"] for row in self.history)


@dataclass(frozen=True)
class Result:
    """A row of the table: runs that differ in their seed, and perhaps in the machine.

    Attributes:
        runs: the runs, by seed; at least one.
    """

    runs: tuple[Run, ...]

    @property
    def fields(self) -> dict:
        """The `run.json` of the first run, for what all of them share."""
        return self.runs[0].fields

    @property
    def architecture(self) -> str:
        """Name of the network."""
        return self.fields["architecture"]

    @property
    def source(self) -> str:
        """Name of the data set."""
        return self.fields["data"]["source"]

    @property
    def accuracies(self) -> list[float]:
        """Test accuracy of each run, in percent."""
        return [100 * run.fields["test_accuracy"] for run in self.runs]

    @property
    def accuracy(self) -> float:
        """Mean test accuracy, in percent."""
        return statistics.mean(self.accuracies)

    @property
    def views(self) -> list[float] | None:
        """Accuracy of each run's predictions averaged over views, in percent.

        None where a run has none: its recipe shows each test image once.
        """
        if not all(VIEWS in run.fields for run in self.runs):
            return None
        return [100 * run.fields[VIEWS] for run in self.runs]

    @property
    def cell(self) -> str:
        """The accuracy as tables write it: the mean, ± the spread over seeds.

        An average over views stands behind that of single images.
        """
        text = mean_and_spread(self.accuracies)
        if self.views:
            text += f"; views averaged {mean_and_spread(self.views)}"
        return text

    @property
    def seconds(self) -> dict[str, float]:
        """Median over the runs of the seconds an epoch, by the hardware they used."""
        return {
            machine: statistics.median(
                run.fields["seconds_per_epoch"] for run in self._on(machine)
            )
            for machine in self._machines
        }

    @property
    def fastest(self) -> dict[str, float]:
        """Seconds of the fastest epoch of all runs, by the hardware they used."""
        return {
            machine: min(run.fastest for run in self._on(machine))
            for machine in self._machines
        }

    @property
    def _machines(self) -> list[str]:
        return sorted({run.fields["hardware"] for run in self.runs})

    def _on(self, machine: str) -> list[Run]:
        return [run for run in self.runs if run.fields["hardware"] == machine]


def mean_and_spread(values: list[float]) -> str:
    """Writes a mean and, of several values, their sample standard deviation."""
    spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.2f}{spread}"


def runs(folder: Path | None = None) -> list[Run]:
    """Reads the finished runs in a folder of runs, in the order of their names.

    A run that was interrupted after its last epoch, before its evaluation, is not
    finished: the command that trained it evaluates it.

    Args:
        folder: the folder that holds the runs' folders; None for the course's `logs`.

    Raises:
        ValueError: if a run was made on the synthetic stand-in or in quick, or lacks
            a field; the message names the folder.
    """
    found = []
    for path in sorted((folder or runtime.course_root() / "logs").glob("*/run.json")):
        fields = json.loads(path.read_text(encoding="utf-8"))
        if not fields.get("finished") or "test_accuracy" not in fields:
            continue
        needed = (*KEY, "receptive_field", "data", "hardware", "seed")
        missing = [name for name in needed if name not in fields]
        if missing:
            raise ValueError(f"{path} lacks {', '.join(missing)}: train it again")
        if "CIFAR-10" not in fields["data"]["source"]:
            raise ValueError(
                f"{path} was made on {fields['data']['source']}: only runs on CIFAR-10 "
                "belong into logs/"
            )
        if fields.get("profile", "full") != "full":
            raise ValueError(
                f"{path} was made in {fields['profile']}: only full runs belong into "
                "logs/"
            )
        found.append(Run(path.parent, fields))
    return found


def collect(found: Iterable[Run]) -> list[Result]:
    """Puts runs together that differ in their seed alone.

    Args:
        found: the runs, in any order.

    Returns:
        The results, by data set, then by architecture.

    Raises:
        ValueError: if two runs are of one seed; the message names both folders.
    """
    groups: dict[tuple, list[Run]] = {}
    for run in found:
        group = groups.setdefault(run.key, [])
        for other in group:
            if other.fields["seed"] == run.fields["seed"]:
                raise ValueError(
                    f"{other.folder} and {run.folder} are of one seed, "
                    f"{run.fields['seed']}: keep one of them in logs/, or give one "
                    "another seed"
                )
        group.append(run)
    return [
        Result(tuple(sorted(group, key=lambda run: run.fields["seed"])))
        for _, group in sorted(groups.items())
    ]


def named(found: Iterable[Result]) -> dict[str, Result]:
    """Gives each result a name of its own.

    Args:
        found: the results.

    Returns:
        The results by the name of their network, to which those of one network add in
        what else they differ: `resnet20 (float32)`.
    """
    found = list(found)
    names = {}
    for result in found:
        alike = [one for one in found if one.architecture == result.architecture]
        added = [
            str(value)
            for place, value in enumerate(result.runs[0].key)
            # A checksum tells nothing that the name of the data set does not.
            if place != 1 and len({one.runs[0].key[place] for one in alike}) > 1
        ]
        name = result.architecture
        names[f"{name} ({', '.join(added)})" if added else name] = result
    return names


def row(result: Result, logs: str | None = None) -> str:
    """Writes one row of the table in Markdown.

    Args:
        result: what it says.
        logs: what links to the runs' folders begin with; None for no links.
    """
    fields = result.fields
    seeds = [str(run.fields["seed"]) for run in result.runs]
    if logs is not None:
        seeds = [
            f"[{seed}]({logs}{run.folder.name})"
            for seed, run in zip(seeds, result.runs, strict=True)
        ]
    seconds = (
        f"{seconds:.0f} ({fields['precision']}, {hardware})"
        for hardware, seconds in result.seconds.items()
    )
    cells = (
        result.architecture,
        f"{fields['parameters']:,}",
        f"{fields['macs']:,}",
        "x".join(map(str, fields["receptive_field"])),
        fields["recipe"],
        str(fields["epochs"]),
        ", ".join(seeds),
        result.cell,
        "; ".join(seconds),
        str(PUBLISHED.get(result.architecture, "")),
    )
    return "| " + " | ".join(cells) + " |"


def table(found: Iterable[Result], logs: str | None = None) -> str:
    """Writes the table in Markdown, a part for each data set.

    Args:
        found: the results.
        logs: what links to the runs' folders begin with; None for no links.
    """
    parts: dict[str, list[str]] = {}
    for result in found:
        parts.setdefault(result.source, []).append(row(result, logs))
    head = [
        "| " + " | ".join(COLUMNS) + " |",
        "|---|" + "---:|" * 3 + "---|" + "---:|" * 4 + "---|",
    ]
    return "\n\n".join(
        "\n".join([f"Measured on {source}:", "", *head, *rows])
        for source, rows in sorted(parts.items())
    )
