"""The figures of runs, read from the files that RunLog leaves."""

import json

import matplotlib.pyplot as plt
import pytest

from helpers.plots.runs import curves
from helpers.plots.show import show


def write_run(folder, accuracies, source="CIFAR-10", interruptions=()):
    folder.mkdir()
    lines = ["epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds"]
    for epoch, value in enumerate(accuracies, start=1):
        lines.append(f"{epoch},1.0,{value},1.0,{value},0.1,2.0")
    (folder / "history.csv").write_text("\n".join(lines) + "\n")
    run = {"data": {"source": source}, "interruptions": list(interruptions)}
    (folder / "run.json").write_text(json.dumps(run))
    return folder


def test_curve_holds_every_epoch_in_percent(tmp_path):
    run = write_run(tmp_path / "a", [0.25, 0.5, 0.75])
    figure = curves({"net": run}, ["val_accuracy", "loss"])
    line = figure.axes[0].lines[0]
    assert list(line.get_xdata()) == [1, 2, 3]
    assert list(line.get_ydata()) == [25.0, 50.0, 75.0]
    assert list(figure.axes[1].lines[0].get_ydata()) == [1.0, 1.0, 1.0]
    assert figure.get_suptitle() == "CIFAR-10"
    plt.close(figure)


def test_interruption_is_marked_before_the_epoch_that_went_on(tmp_path):
    run = write_run(tmp_path / "a", [0.1, 0.2, 0.3], interruptions=[3])
    figure = curves({"net": run})
    assert [line.get_xdata()[0] for line in figure.axes[0].lines[1:]] == [2.5]
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert [text.endswith("interrupted, went on") for text in texts] == [False, True]
    plt.close(figure)


def test_data_sets_are_not_mixed(tmp_path):
    a = write_run(tmp_path / "a", [0.1])
    b = write_run(tmp_path / "b", [0.1], source="CIFAR-10 (JPEG copy)")
    with pytest.raises(ValueError, match="different data sets"):
        curves({"a": a, "b": b})


def test_missing_run_and_unknown_column_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        curves({"a": tmp_path / "nowhere"})
    with pytest.raises(ValueError, match="'speed'"):
        curves({}, ["speed"])


def test_figure_is_shown_with_its_text(capsys, monkeypatch):
    shown = []
    monkeypatch.setattr("helpers.plots.show.display", shown.append)
    figure, _ = plt.subplots()
    show(figure, "An empty plane.")
    data, metadata = shown[0]._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == "An empty plane."
    assert not plt.fignum_exists(figure.number)
    with pytest.raises(ValueError, match="no text"):
        show(plt.figure(), " ")
    plt.close("all")
