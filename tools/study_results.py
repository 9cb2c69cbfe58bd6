"""Makes the tables of the studies in logs/README.md from the runs' logs."""

from pathlib import Path

from helpers.results import VIEWS, Run, runs
from tools import ROOT, markers

START, END = "<!-- studies -->", "<!-- /studies -->"
COLUMNS = ("variant", "epochs", "training (%)", "validation (%)", "test (%)")


def row(run: Run, views: bool = False) -> str:
    """Writes the row of one variant: accuracies after the last epoch.

    Args:
        run: the variant's run.
        views: whether to add the accuracy of predictions averaged over views.
    """
    last = run.history[-1]
    what, seed = run.fields["change"], run.fields["seed"]
    if seed:
        what = f"{what}, seed {seed}"
    cells = [
        f"[{what}](studies/{run.folder.parent.name}/{run.folder.name})",
        str(run.fields["epochs"]),
        f"{100 * last['accuracy']:.2f}",
        f"{100 * last['val_accuracy']:.2f}",
        f"{100 * run.fields['test_accuracy']:.2f}",
    ]
    if views:
        cells.append(f"{100 * run.fields[VIEWS]:.2f}")
    return "| " + " | ".join(cells) + " |"


def tables(logs: Path) -> str:
    """Writes a table in Markdown for each study, best test accuracy first.

    Args:
        logs: the folder of runs, whose `studies` holds a folder a study.

    Raises:
        ValueError: as `helpers.results.runs` does.
    """
    parts = []
    for folder in sorted(
        path for path in (logs / "studies").glob("*") if path.is_dir()
    ):
        found = sorted(runs(folder), key=lambda run: -run.fields["test_accuracy"])
        if not found:
            continue
        first = found[0].fields
        networks = dict.fromkeys(sorted(run.fields["architecture"] for run in found))
        views = VIEWS in first
        columns = (*COLUMNS, "test, averaged over views (%)") if views else COLUMNS
        lines = [
            f"Study `{folder.name}`: {', '.join(networks)}, "
            f"{first['data']['images']:,} training images of "
            f"{first['data']['source']}:",
            "",
            "| " + " | ".join(columns) + " |",
            "|---|" + "---:|" * (len(columns) - 1),
            *(row(run, views) for run in found),
        ]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def refresh(root: Path = ROOT, save: bool = True) -> list[str]:
    """Brings the tables in logs/README.md up to date.

    Args:
        root: the course's folder.
        save: write the changes; otherwise only say what they would be.

    Returns:
        The name of the file if it differs from what it should hold.
    """
    content = tables(root / "logs")
    return markers.refresh(root, "logs/README.md", START, END, content, save)
