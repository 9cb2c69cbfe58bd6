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
        mean over that epoch, of images augmented as the variant says.

    Raises:
        ValueError: If there is no study or variant of a name.
    """
    rows = []
    done = folders(name, seed)
    for variant in variants or study(name).variants:
        if variant not in study(name).variants:
            raise ValueError(
                f"The study {name!r} has no variant {variant!r}. Choose from: "
                f"{', '.join(study(name).variants)}."
            )
        if variant not in done:
            continue
        run = callbacks.read_run(done[variant])
        last = callbacks.read_rows(done[variant])[-1]
        cells = (
            study(name).variants[variant].what,
            str(run["epochs"]),
            f"{100 * last['accuracy']:.1f}",
            f"{100 * last['val_accuracy']:.1f}",
            f"{100 * run['test_accuracy']:.1f}",
        )
        rows.append("| " + " | ".join(cells) + " |")
    head = "| variant | epochs | training | validation | test |"
    return "\n".join([head, "|---|" + "---:|" * 4, *rows])
