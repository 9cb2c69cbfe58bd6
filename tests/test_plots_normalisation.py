"""The figures of normalisation and regularisation show the numbers they are given."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.plots.normalisation import changes, descent, shared_statistics, stopping


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_descent_draws_the_path_and_names_the_condition_number():
    hessians = {"long": np.diag([9.0, 1.0]), "round": np.eye(2)}
    paths = {name: np.array([[1.0, 0.5], [0.0, 0.25]]) for name in hessians}
    figure = descent(hessians, paths, ("red", "blue"))
    long, round_ = figure.axes
    assert "9" in long.get_title() and "1" in round_.get_title()
    np.testing.assert_array_equal(long.lines[0].get_xydata(), paths["long"])
    assert (long.get_xlabel(), long.get_ylabel()) == ("red - best", "blue - best")


def test_contours_are_lines_of_equal_loss():
    hessian = np.diag([4.0, 1.0])
    figure = descent({"a": hessian}, {"a": np.array([[1.0, 1.0]])})
    contours = figure.axes[0].collections[0]
    for level, line in zip(contours.levels, contours.get_paths(), strict=True):
        if len(line.vertices) and level > contours.levels[-5]:
            x, y = line.vertices.T
            np.testing.assert_allclose(2 * x**2 + y**2 / 2, level, rtol=0.02)


def test_surface_without_contours_is_refused():
    flat = np.array([[1.0, 1.0], [1.0, 1.0 - 1e-9]])
    with pytest.raises(ValueError, match="'flat'.*eigenvalue"):
        descent({"flat": flat}, {"flat": np.zeros((2, 2))})


def test_shared_statistics_shows_the_maps_and_the_changed_one():
    maps = np.zeros((4, 8), bool)
    maps[:, 2] = True
    axis = shared_statistics({"batch": maps}, (1, 2)).axes[0]
    shown = np.asarray(axis.collections[0].get_array()).reshape(4, 8)
    np.testing.assert_array_equal(shown, maps)
    assert axis.lines[0].get_xydata().tolist() == [[2.5, 1.5]]
    assert axis.yaxis_inverted()


def test_stopping_marks_epochs_on_both_panels(tmp_path):
    lines = ["epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds"]
    lines += ["1,2.0,0.2,2.5,0.1,0.1,1", "2,1.0,0.4,2.0,0.3,0.1,1"]
    (tmp_path / "history.csv").write_text("\n".join(lines) + "\n")
    run = {"data": {"source": "CIFAR-10"}}
    (tmp_path / "run.json").write_text(json.dumps(run))
    figure = stopping(tmp_path, {"lowest loss": 2})
    loss, accuracy = figure.axes
    assert [list(line.get_ydata()) for line in loss.lines[:2]] == [[2, 1], [2.5, 2]]
    np.testing.assert_allclose(accuracy.lines[1].get_ydata(), [10, 30])
    for axis in (loss, accuracy):
        assert list(axis.lines[2].get_xdata()) == [2, 2]
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss", "accuracy (%)")
    assert figure.get_suptitle() == "CIFAR-10"


def test_changes_draws_both_accuracies_and_the_band():
    results = {"baseline": (90.0, 70.0), "dropout": (80.0, 72.0)}
    axis = changes(results, "baseline", 1.5, "CIFAR-10").axes[0]
    train, test = axis.lines
    assert list(train.get_xdata()) == [90, 80] and list(test.get_xdata()) == [70, 72]
    band = axis.patches[0]
    assert (band.get_x(), band.get_width()) == (68.5, 3.0)
    assert [text.get_text() for text in axis.get_yticklabels()] == list(results)
    assert axis.get_title() == "CIFAR-10"


def test_missing_reference_is_named():
    with pytest.raises(ValueError, match="'baseline'.*dropout"):
        changes({"dropout": (80.0, 72.0)}, "baseline", 1.0, "CIFAR-10")
