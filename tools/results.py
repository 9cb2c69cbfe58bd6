"""Makes the results tables of README and of logs/README.md from the runs' logs."""

import json
import statistics
from dataclasses import dataclass
from pathlib import Path

from tools import ROOT, markers

START, END = "<!-- results -->", "<!-- /results -->"
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
# Test accuracies on the original images that others report, and from where.
PUBLISHED = {
    "base": "82.48 (mean of 44 public runs)",
    "separable": "88.27 (best public network under the sheet's rules)",
    "lenet5": "76.2 (200 epochs)",
    "alexnet": "75.6 to 78.4",
    "nin": "91.2 to 91.6",
    "vgg16": "92.3 to 93.5",
    "vgg19": "92.3 to 93.5",
    "googlenet": "93.0",
    "inception_v2": "93.4",
    "inception_v3": "94.2",
    "resnet20": "91.25",
    "resnet32": "92.49",
    "resnet56": "93.03",
    "resnet110": "93.57",
    "resnext29": "94.7 to 95.4",
    "densenet_bc100": "95.5 (300 epochs)",
    "xception": "94.6",
    "shufflenet_v2": "92.4",
    "mobilenet_v2": "94.4",
}


@dataclass(frozen=True)
class Run:
    """A finished run in `logs/`.

    Attributes:
        folder: the run's folder.
        fields: its `run.json`.
    """

    folder: Path
    fields: dict

    @property
    def key(self) -> tuple:
        """What runs of one row of the table share: all but the seed."""
        names = ("architecture", "recipe", "epochs", "precision", "batch_size")
        data = self.fields["data"]
        return (data["source"], data["sha256"], *(self.fields[name] for name in names))


def runs(logs: Path = ROOT / "logs") -> list[Run]:
    """Reads the finished full runs in a folder of runs, in the order of their names.

    Raises:
        ValueError: if a run was made on the synthetic stand-in or lacks a field; the
            message names the folder.
    """
    found = []
    for path in sorted(logs.glob("*/run.json")):
        fields = json.loads(path.read_text(encoding="utf-8"))
        if not fields.get("finished"):
            continue
        missing = [
            name
            for name in ("macs", "receptive_field", "test_accuracy", "data", "hardware")
            if name not in fields
        ]
        if missing:
            raise ValueError(f"{path} lacks {', '.join(missing)}: train it again")
        if "CIFAR-10" not in fields["data"]["source"]:
            raise ValueError(
                f"{path} was made on {fields['data']['source']}: only runs on CIFAR-10 "
                "belong into logs/"
            )
        found.append(Run(path.parent, fields))
    return found


def accuracy(values: list[float]) -> str:
    """Writes test accuracies as their mean in percent, with the spread of several."""
    mean = 100 * statistics.mean(values)
    if len(values) == 1:
        return f"{mean:.2f}"
    return f"{mean:.2f} ± {100 * statistics.stdev(values):.2f}"


def row(group: list[Run]) -> str:
    """Writes one row of the table from runs that differ in their seed alone."""
    first = group[0].fields
    links = ", ".join(
        f"[{run.fields['seed']}](LOGS{run.folder.name})"
        for run in sorted(group, key=lambda run: run.fields["seed"])
    )
    seconds = statistics.median(run.fields["seconds_per_epoch"] for run in group)
    machines = sorted({run.fields["hardware"] for run in group})
    cells = (
        first["architecture"],
        f"{first['parameters']:,}",
        f"{first['macs']:,}",
        "x".join(map(str, first["receptive_field"])),
        first["recipe"],
        str(first["epochs"]),
        links,
        accuracy([run.fields["test_accuracy"] for run in group]),
        f"{seconds:.0f} ({first['precision']}, {'; '.join(machines)})",
        PUBLISHED.get(first["architecture"], ""),
    )
    return "| " + " | ".join(cells) + " |"


def table(found: list[Run], logs: str) -> str:
    """Writes the table in Markdown, a part for each data set.

    Args:
        found: the runs.
        logs: what the links to the runs' folders begin with.
    """
    parts = []
    for source in sorted({run.fields["data"]["source"] for run in found}):
        groups: dict[tuple, list[Run]] = {}
        for run in found:
            if run.fields["data"]["source"] == source:
                groups.setdefault(run.key, []).append(run)
        lines = [
            f"Measured on {source}:",
            "",
            "| " + " | ".join(COLUMNS) + " |",
            "|" + "---|" + "---:|" * 3 + "---|" + "---:|" * 4 + "---|",
            *(row(group) for _, group in sorted(groups.items())),
        ]
        parts.append("\n".join(lines).replace("(LOGS", f"({logs}"))
    return "\n\n".join(parts)


def refresh(root: Path = ROOT, save: bool = True) -> list[str]:
    """Brings both tables up to date.

    Args:
        root: the course's folder.
        save: write the changes; otherwise only say what they would be.

    Returns:
        The names of the files that differ from what they should hold.
    """
    found = runs(root / "logs")
    return [
        name
        for name, logs in (("README.md", "logs/"), ("logs/README.md", ""))
        if markers.refresh(root / name, START, END, table(found, logs), save)
    ]
