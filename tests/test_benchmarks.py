"""The benchmarks run, and say what they should, at sizes that prove no speed."""

import keras
import pytest

from benchmarks import faster, receptive_field, speedrun
from helpers.architectures import BUILDERS, separable
from helpers.architectures.speedrun import speedrun as network


def test_speed_run_says_how_many_epochs_fit(monkeypatch, capsys):
    monkeypatch.setitem(BUILDERS, "speedrun", lambda: network(filters=(4, 8, 8)))
    # 500 images a second: 100 s an epoch; 1,000 in prediction: 70 s in all.
    monkeypatch.setattr(speedrun, "measure", lambda *arguments: (500.0, 1000.0))
    speedrun.main([])
    printed = capsys.readouterr().out
    assert "an epoch 100 s, evaluation 70 s" in printed
    assert "16 epochs and evaluation 27.8 min" in printed
    assert "in 20 minutes 11.3 epochs" in printed


@pytest.mark.parametrize("option", ["--steps", "--batch"])
@pytest.mark.parametrize("value", ["0", "-3", "many"])
def test_speed_run_counts_from_one(option, value, capsys):
    with pytest.raises(SystemExit):
        speedrun.main([f"{option}={value}"])
    message = f"{option}: {value} is not a whole number above zero"
    assert message in capsys.readouterr().err


def test_speed_run_is_measured_as_its_recipe_trains(monkeypatch):
    built = []

    def build():
        built.append(network(filters=(4, 8, 8)))
        return built[0]

    monkeypatch.setitem(BUILDERS, "speedrun", build)
    training, prediction = speedrun.measure(steps=1, batch=4)
    assert training > 0 and prediction > 0
    assert built[0].get_layer("block1_a_conv").compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"


def test_receptive_fields_are_timed_on_networks_of_the_length_they_name():
    model = receptive_field.residual(50)
    assert sum(isinstance(x, keras.layers.Conv2D) for x in model.layers) == 10
    assert receptive_field.seconds(receptive_field.residual(5)) > 0


def test_the_ways_of_augmenting_give_batches_of_one_form():
    pytest.importorskip("scipy")
    pytest.importorskip("cv2")
    import numpy as np

    from benchmarks import pipelines

    images = np.zeros((256, 32, 32, 3), "uint8")
    labels = np.zeros(256, "int64")
    ways = (
        pipelines.ours,
        pipelines.image_data_generator,
        pipelines.tf_data_per_image,
        pipelines.keras_layers_in_tf_data,
    )
    for way in ways:
        for rotate in (False, True):
            batches = list(way(images, labels, rotate)())
            shapes = [(tuple(x.shape), len(y)) for x, y in batches]
            assert shapes == [((128, 32, 32, 3), 128)] * 2, way.__name__
            assert str(np.asarray(batches[0][0]).dtype) == "float32", way.__name__
            # Black pixels, standardised: the same value in every way.
            expected = -pipelines.MEAN / pipelines.STD
            np.testing.assert_allclose(
                np.asarray(batches[0][0])[0, 5, 5], expected, atol=1e-4
            )


def test_resnet18_is_one_function_in_both_frameworks():
    pytest.importorskip("torch")
    from benchmarks import resnet18

    model, theirs = resnet18.resnet18(), resnet18.ResNet18()
    resnet18.copy_weights(model, theirs)
    assert resnet18.agree(model, theirs) < 1e-3


def test_the_layers_of_both_ways_are_timed(monkeypatch, capsys):
    trained = []

    def seconds(call, steps):
        call()
        trained.append(steps)
        return 0.128 / len(trained)

    monkeypatch.setitem(
        BUILDERS, "separable", lambda: separable(stages=((4, 0), (8, 0)))
    )
    monkeypatch.setattr(faster, "seconds_a_call", seconds)
    faster.main(["separable", "--bfloat16", "--steps", "3"])
    printed = capsys.readouterr().out
    assert trained == [3, 3]
    assert "mixed_bfloat16" in printed
    assert "Keras 1000 images/s, helpers.fused 2000 images/s, 2.00 times" in printed
