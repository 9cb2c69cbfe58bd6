"""The assignment as a student hands it in: its rules, and the README from the logs.

`check_network` says which rules a network keeps, `write_readme` writes the
`ReadMe.md` that the sheet asks for from two runs and the network. Nothing in it is
typed by hand, so model, logs and text agree.
"""

from dataclasses import dataclass
from pathlib import Path

import keras
import matplotlib.pyplot as plt

from helpers.callbacks import read_rows, read_run
from helpers.describe import describe
from helpers.plots.runs import curves

EPOCHS = 50
PARAMETER_LIMIT = 100_000
BASE_PARAMETERS = 1_172_410
SYNTHETIC = "synthetic stand-in"


class SubmissionError(ValueError):
    """Runs or network cannot be handed in yet; the message says what is missing."""


@dataclass(frozen=True)
class Finding:
    """One rule of the sheet, and whether a network keeps it.

    Attributes:
        rule: The rule's name, as the grader calls it.
        kept: Whether the network keeps it.
        message: What was found, and what to do where the rule is broken.
    """

    rule: str
    kept: bool
    message: str

    def __str__(self):
        return f"{'kept  ' if self.kept else 'BROKEN'} {self.rule}: {self.message}"


def leaves(model):
    """Every layer of a model that is not itself a model, nested ones included."""
    found = []
    for layer in model.layers:
        found += leaves(layer) if isinstance(layer, keras.Model) else [layer]
    return found


def check_network(model, classes=10):
    """Check a network against the sheet's rules.

    Args:
        model: A built functional `keras.Model`.
        classes: Number of classes that it must tell apart.

    Returns:
        A list of `Finding`, one a rule, in the order of the sheet.
    """
    layers = leaves(model)
    separable = [x for x in layers if isinstance(x, keras.layers.SeparableConv2D)]
    others = [
        f"{x.name} ({type(x).__name__})"
        for x in layers
        if "Conv" in type(x).__name__ and x not in separable
    ]
    normalised = [x for x in layers if isinstance(x, keras.layers.BatchNormalization)]
    rates = [x.rate for x in layers if isinstance(x, keras.layers.Dropout)]
    parameters = model.count_params()
    outputs = model.output_shape[-1]
    if others:
        convolutions = f"replace by SeparableConv2D: {', '.join(others)}"
    elif separable:
        convolutions = f"{len(separable)} SeparableConv2D and no other convolution"
    else:
        convolutions = "there is no SeparableConv2D"
    size = f"{parameters:,} parameters in total"
    if parameters >= PARAMETER_LIMIT:
        size += (
            ", moving statistics of BatchNormalization included: take away "
            f"{parameters - PARAMETER_LIMIT + 1:,}"
        )
    normalisation = f"{len(normalised)} BatchNormalization"
    if not normalised:
        normalisation = "add BatchNormalization after each convolution but the last"
    dropout = f"rates {', '.join(f'{rate:g}' for rate in rates)}"
    if any(rate > 0.5 for rate in rates):
        dropout += "; lower those above 0.5"
    if not any(rates):
        dropout = "add Dropout; between 0.05 and 0.25 for a network of this size"
    scores = f"{outputs} outputs"
    if outputs != classes:
        scores += f"; the last layer needs {classes}"
    return [
        Finding("separable_only", bool(separable) and not others, convolutions),
        Finding("batch_normalization", bool(normalised), normalisation),
        Finding("under_100k", parameters < PARAMETER_LIMIT, size),
        Finding("dropout", any(rates) and max(rates) <= 0.5, dropout),
        Finding("classes", outputs == classes, scores),
    ]


def read_complete_run(folder, what):
    """Read a run that can be handed in.

    Args:
        folder: The run's folder.
        what: How messages call the run.

    Returns:
        Its rows and its `run.json`.

    Raises:
        SubmissionError: If it is not a run of 50 epochs on CIFAR-10.
    """
    rows, run = read_rows(folder), read_run(folder)
    if not rows or not run:
        raise SubmissionError(f"{what}: {folder} holds no run. Train it first.")
    if run.get("data", {}).get("source", SYNTHETIC) == SYNTHETIC:
        raise SubmissionError(
            f"{what}: {folder} was trained on the synthetic stand-in. Its accuracy "
            "says nothing about CIFAR-10: train on the real images."
        )
    if [row["epoch"] for row in rows] != list(range(1, EPOCHS + 1)):
        raise SubmissionError(
            f"{what}: {folder} has {len(rows)} epochs, the sheet asks for {EPOCHS}. "
            "Run the training cell again: it goes on where it stopped."
        )
    if run.get("profile", "full") != "full":
        raise SubmissionError(
            f"{what}: {folder} is a quick run on part of the images. Set "
            "COURSE_PROFILE=full and train it again."
        )
    if any(row["val_accuracy"] is None for row in rows):
        raise SubmissionError(
            f"{what}: {folder} has epochs without validation accuracy. Give `fit` "
            "the validation images."
        )
    return rows, run


def log_lines(rows):
    """The epochs of a run as Keras prints them.

    Args:
        rows: Rows of `history.csv`.

    Returns:
        Two lines an epoch.
    """
    lines = []
    for row in rows:
        lines.append(f"Epoch {row['epoch']}/{len(rows)}")
        lines.append(
            f"{row['seconds']:.0f}s - accuracy: {row['accuracy']:.4f} - "
            f"loss: {row['loss']:.4f} - val_accuracy: {row['val_accuracy']:.4f} - "
            f"val_loss: {row['val_loss']:.4f} - "
            f"learning_rate: {row['learning_rate']:.3g}"
        )
    return lines


def write_readme(folder, base_run, own_run, model):
    """Write the `ReadMe.md` of a submission, and the figure that it shows.

    Args:
        folder: Where `ReadMe.md` and `curves.png` go; made when missing.
        base_run: Folder of the base network's run of 50 epochs.
        own_run: Folder of the own network's run of 50 epochs.
        model: The own network.

    Returns:
        The path of the `ReadMe.md`.

    Raises:
        SubmissionError: If a run is missing, shorter than 50 epochs, quick or made on
            the stand-in; if the runs' data sets differ; if the network breaks a rule
            or is not the one that was trained. Nothing is written then.
    """
    base_rows, base = read_complete_run(base_run, "base network")
    own_rows, own = read_complete_run(own_run, "own network")
    if base["data"]["sha256"] != own["data"]["sha256"]:
        raise SubmissionError(
            "The two runs were trained on different images "
            f"({base['data']['source']}, {own['data']['source']}): train both on one."
        )
    if base["parameters"] != BASE_PARAMETERS:
        raise SubmissionError(
            f"{base_run} has {base['parameters']:,} parameters; the sheet's base "
            f"network has {BASE_PARAMETERS:,}. Train it unchanged."
        )
    if own["parameters"] != model.count_params():
        raise SubmissionError(
            f"{own_run} logged {own['parameters']:,} parameters, this network has "
            f"{model.count_params():,}: hand in the network that was trained."
        )
    broken = [str(finding) for finding in check_network(model) if not finding.kept]
    if broken:
        raise SubmissionError("The network breaks the sheet:\n" + "\n".join(broken))

    base_final = base_rows[-1]["val_accuracy"]
    best = max(own_rows, key=lambda row: row["val_accuracy"])
    lines = [
        "# Assignment 3",
        "",
        f"Data set: {own['data']['source']}. The test images are the validation "
        "images, as the sheet asks.",
        "",
        f"Final validation accuracy of the base network: {base_final:.4f}",
        "",
        f"Own network: {model.count_params():,} parameters; validation accuracy "
        f"{own_rows[-1]['val_accuracy']:.4f} after epoch {EPOCHS}, best "
        f"{best['val_accuracy']:.4f} in epoch {best['epoch']}.",
        "",
        "![Validation accuracy of both networks by epoch](curves.png)",
        "",
        "## Model definition",
        "",
        "Output size, channels and receptive field stand behind each layer.",
        "",
        "```python",
        describe(model).as_comments(),
        "```",
        "",
        f"## {EPOCHS} epochs of the own network",
        "",
        "```",
        *log_lines(own_rows),
        "```",
        "",
        f"## {EPOCHS} epochs of the base network",
        "",
        "```",
        *log_lines(base_rows),
        "```",
        "",
    ]
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    figure = curves({"own network": own_run, "base network": base_run})
    figure.savefig(folder / "curves.png", dpi=120)
    plt.close(figure)
    path = folder / "ReadMe.md"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
