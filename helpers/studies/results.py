"""A study's runs: where they lie, which are missing, and their table."""

from helpers import callbacks, runtime
from helpers.studies.sheets import STUDIES


def study(name):
    """Find a study.

    Args:
        name: A name of `STUDIES`.

    Returns:
        The `Study`.

    Raises:
        ValueError: If there is no study of this name.
    """
    if name not in STUDIES:
        raise ValueError(
            f"There is no study {name!r}. Choose one of: {', '.join(STUDIES)}."
        )
    return STUDIES[name]


def folder(name, variant, seed=0):
    """Where a variant's run lies: `logs/studies/STUDY/VARIANT_seed0`, or its own.

    That is `logs/ARCHITECTURE_seed0` for a variant that changes nothing.
    """
    logs, architecture = runtime.course_root() / "logs", None
    if variant in study(name).variants:
        architecture = study(name).variants[variant].architecture
    if architecture:
        return logs / f"{architecture}_seed{seed}"
    return logs / "studies" / name / f"{variant}_seed{seed}"


def finished(path):
    """Whether a folder holds a finished run whose test accuracy is known."""
    if not (path / "run.json").exists():
        return False
    run = callbacks.read_run(path)
    return bool(run.get("finished")) and "test_accuracy" in run


def folders(name, seed=0):
    """Folders of a study's finished runs.

    Args:
        name: A name of `STUDIES`.
        seed: Seed of the runs.

    Returns:
        A dictionary from the variant's name to the folder, in the study's order.

    Raises:
        ValueError: If there is no study of this name.
    """
    paths = {variant: folder(name, variant, seed) for variant in study(name).variants}
    return {variant: path for variant, path in paths.items() if finished(path)}


def missing(name, seed=0):
    """Names of a study's variants that have no finished run."""
    done = folders(name, seed)
    return [variant for variant in study(name).variants if variant not in done]


def table(name, variants=None, seed=0):
    """A study's results in Markdown: accuracies in percent.

    Args:
        name: A name of `STUDIES`.
        variants: Names of the rows; `None` for all.
        seed: Seed of the runs.

    Returns:
        A Markdown table, a row for each variant that has a finished run, of the
        accuracies after the last epoch; the accuracy on the training images is the
        mean over that epoch, of images augmented as the variant says. Where a
        recipe averages over views of an image, the last column is its accuracy.

    Raises:
        ValueError: If there is no study or variant of a name.
    """
    done = folders(name, seed)
    chosen = list(variants or study(name).variants)
    for variant in chosen:
        if variant not in study(name).variants:
            raise ValueError(
                f"The study {name!r} has no variant {variant!r}. Choose from: "
                f"{', '.join(study(name).variants)}."
            )
    runs = {
        variant: callbacks.read_run(done[variant])
        for variant in chosen
        if variant in done
    }
    columns = ["variant", "epochs", "training", "validation", "test"]
    averaged = any("test_accuracy_views" in run for run in runs.values())
    if averaged:
        columns.append("test, views")
    rows = []
    for variant, run in runs.items():
        last = callbacks.read_rows(done[variant])[-1]
        shares = [last["accuracy"], last["val_accuracy"], run["test_accuracy"]]
        if averaged:
            shares.append(run["test_accuracy_views"])
        accuracies = [f"{100 * share:.1f}" for share in shares]
        cells = (study(name).variants[variant].what, str(run["epochs"]), *accuracies)
        rows.append("| " + " | ".join(cells) + " |")
    head = "| " + " | ".join(columns) + " |"
    return "\n".join([head, "|---|" + "---:|" * (len(columns) - 1), *rows])
