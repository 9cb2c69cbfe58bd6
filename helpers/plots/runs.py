"""Figures of runs, drawn from their logs."""

from pathlib import Path

import matplotlib.pyplot as plt

from helpers.callbacks import read_rows, read_run
from helpers.plots.palette import line

LABELS = {
    "accuracy": "training accuracy (%)",
    "val_accuracy": "validation accuracy (%)",
    "loss": "training loss",
    "val_loss": "validation loss",
    "learning_rate": "learning rate",
    "seconds": "seconds an epoch",
}


def curves(runs, columns=("val_accuracy",), width=8.0):
    """Plot columns of `history.csv` over the epochs, one panel a column.

    The figure reads the files, so a run that was interrupted shows all its epochs;
    a dotted vertical line marks where it went on.

    Args:
        runs: Folders of runs by the label that the legend gives them.
        columns: Columns of `history.csv`; accuracies are drawn in percent.
        width: Width of the figure, in inches.

    Returns:
        The `matplotlib.figure.Figure`, titled with the data set of the runs.

    Raises:
        FileNotFoundError: If a folder holds no history.
        ValueError: If a column does not exist, or the runs were made on different
            data sets: their curves cannot be compared.
    """
    for column in columns:
        if column not in LABELS:
            raise ValueError(
                f"There is no column {column!r}. Choose from: {', '.join(LABELS)}."
            )
    sources = {}
    for label, folder in runs.items():
        if not read_rows(folder):
            raise FileNotFoundError(f"{Path(folder)} holds no history.csv ({label}).")
        sources[label] = read_run(folder).get("data", {}).get("source", "unknown data")
    if len(set(sources.values())) > 1:
        raise ValueError(f"The runs were made on different data sets: {sources}.")

    figure, axes = plt.subplots(
        1, len(columns), figsize=(width, 3.4), squeeze=False, layout="constrained"
    )
    for axis, column in zip(axes[0], columns, strict=True):
        for index, (label, folder) in enumerate(runs.items()):
            draw(axis, folder, column, label, index)
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set_ylabel(LABELS[column])
        axis.grid(alpha=0.3)
    # Below the panels, where no curve passes.
    handles, labels = axes[0][0].get_legend_handles_labels()
    rows = -(-len(labels) // 3)
    figure.set_figheight(3.2 + 0.22 * rows)
    figure.legend(handles, labels, frameon=False, loc="outside lower center", ncols=3)
    figure.suptitle(next(iter(sources.values())), fontsize="medium")
    return figure


def draw(axis, folder, column, label, index=0):
    """Draw one column of one run.

    Args:
        axis: A `matplotlib.axes.Axes`.
        folder: The run's folder.
        column: A column of `history.csv`.
        label: Text of the legend.
        index: Number of the curve in the figure; chooses colour and line style.
    """
    rows = [row for row in read_rows(folder) if row[column] is not None]
    scale = 100.0 if column.endswith("accuracy") else 1.0
    axis.plot(
        [row["epoch"] for row in rows],
        [row[column] * scale for row in rows],
        **line(index),
        label=label,
    )
    for number, epoch in enumerate(read_run(folder).get("interruptions", [])):
        axis.axvline(
            epoch - 0.5,
            linestyle=":",
            linewidth=1,
            color=line(index)["color"],
            label=None if number else f"{label}: interrupted, went on",
        )
