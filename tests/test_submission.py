"""The submission: its rules, its refusals, and a README that agrees with the logs."""

import json

import keras
import pytest
from keras import layers

from helpers import submission
from helpers.architectures import base, separable


def write_run(folder, parameters, finals, source="CIFAR-10 (JPEG copy)", **changes):
    """A run's folder as RunLog leaves it, with one validation accuracy an epoch."""
    folder.mkdir()
    lines = ["epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds"]
    for epoch, accuracy in enumerate(finals, start=1):
        lines.append(f"{epoch},1.25,0.5,1.5,{accuracy},0.001,12.5")
    (folder / "history.csv").write_text("\n".join(lines) + "\n")
    run = {
        "parameters": parameters,
        "profile": "full",
        "data": {"source": source, "sha256": "ab" * 32},
        **changes,
    }
    (folder / "run.json").write_text(json.dumps(run))
    return folder


@pytest.fixture(scope="module")
def own():
    return separable()


@pytest.fixture
def runs(tmp_path):
    rising = [0.40 + 0.01 * epoch for epoch in range(50)]
    peaked = rising[:]
    peaked[40] = 0.9123
    return (
        write_run(tmp_path / "base", 1_172_410, rising),
        write_run(tmp_path / "own", 96_681, peaked),
    )


def test_our_network_keeps_every_rule(own):
    assert all(finding.kept for finding in submission.check_network(own))


def broken_network(kind):
    inputs = keras.Input((32, 32, 3))
    x = layers.SeparableConv2D(16, 3, name="first")(inputs)
    if kind != "batch_normalization":
        x = layers.BatchNormalization()(x)
    if kind == "separable_only":
        x = layers.Conv2D(16, 1, name="sneaky")(x)
    if kind == "under_100k":
        x = layers.SeparableConv2D(320, 3)(x)
        x = layers.SeparableConv2D(300, 3)(x)
    if kind != "dropout":
        x = layers.Dropout(0.1)(x)
    x = layers.SeparableConv2D(9 if kind == "classes" else 10, 1)(x)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


@pytest.mark.parametrize(
    "rule",
    ["separable_only", "batch_normalization", "under_100k", "dropout", "classes"],
)
def test_each_broken_rule_is_found_alone(rule):
    findings = submission.check_network(broken_network(rule))
    assert [f.rule for f in findings if not f.kept] == [rule]


@pytest.mark.parametrize(
    "rates, kept, message",
    [
        ((0.0, 0.1), True, "rates 0, 0.1"),
        ((0.5,), True, "rates 0.5"),
        ((0.05, 0.6), False, "lower those above 0.5"),
        ((0.0,), False, "add Dropout"),
    ],
)
def test_dropout_is_judged_by_all_of_its_rates(rates, kept, message):
    x = inputs = keras.Input((8, 8, 3))
    for rate in rates:
        x = layers.Dropout(rate)(x)
    findings = submission.check_network(keras.Model(inputs, x))
    (finding,) = (f for f in findings if f.rule == "dropout")
    assert finding.kept == kept and message in finding.message


def test_hidden_convolution_in_a_nested_model_is_named():
    inner = keras.Sequential([layers.Conv2D(4, 1, name="hidden")])
    inputs = keras.Input((8, 8, 3))
    x = layers.SeparableConv2D(3, 3)(inner(inputs))
    findings = submission.check_network(keras.Model(inputs, x))
    assert "hidden (Conv2D)" in findings[0].message


def test_excess_parameters_are_counted():
    finding = submission.check_network(base())[2]
    assert not finding.kept
    assert "take away 1,072,411" in finding.message


def test_readme_agrees_with_the_logs(runs, own, tmp_path):
    path = submission.write_readme(tmp_path / "out", *runs, own)
    text = path.read_text()
    assert "Final validation accuracy of the base network: 0.8900" in text
    assert "best 0.9123 in epoch 41" in text
    assert text.count("Epoch 50/50") == 2
    assert text.count(" - val_accuracy: ") == 100
    assert "CIFAR-10 (JPEG copy)" in text
    assert "# 32x32x32, receptive field 3x3" in text
    assert (tmp_path / "out" / "curves.png").stat().st_size > 5_000


def refused(tmp_path, base_run, own_run, model):
    with pytest.raises(submission.SubmissionError) as error:
        submission.write_readme(tmp_path / "out", base_run, own_run, model)
    assert not (tmp_path / "out").exists()
    return str(error.value)


def test_stand_in_results_are_refused(runs, own, tmp_path):
    fake = write_run(tmp_path / "f", 96_681, [0.9] * 50, "synthetic stand-in")
    assert "synthetic stand-in" in refused(tmp_path, runs[0], fake, own)


def test_short_run_is_refused(runs, own, tmp_path):
    short = write_run(tmp_path / "short", 96_681, [0.9] * 49)
    assert "has 49 epochs" in refused(tmp_path, runs[0], short, own)


def test_quick_run_is_refused(runs, own, tmp_path):
    quick = write_run(tmp_path / "quick", 96_681, [0.9] * 50, profile="quick")
    assert "COURSE_PROFILE=full" in refused(tmp_path, runs[0], quick, own)


def test_missing_run_is_refused(runs, own, tmp_path):
    assert "holds no run" in refused(tmp_path, runs[0], tmp_path / "none", own)


def test_changed_base_network_is_refused(runs, own, tmp_path):
    weak = write_run(tmp_path / "weak", 900_000, [0.5] * 50)
    assert "1,172,410" in refused(tmp_path, weak, runs[1], own)


def test_other_network_than_the_trained_one_is_refused(runs, tmp_path):
    other = separable(stages=((16, 1), (32, 1)))
    assert "96,681" in refused(tmp_path, *runs, other)


def test_runs_on_different_images_are_refused(runs, own, tmp_path):
    data = {"source": "CIFAR-10", "sha256": "cd" * 32}
    other = write_run(tmp_path / "other", 96_681, [0.9] * 50, data=data)
    assert "different images" in refused(tmp_path, runs[0], other, own)
