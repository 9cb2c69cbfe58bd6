"""Stored predictions are the network's own, of the images they name."""

import dataclasses

import keras
import numpy as np
import pytest

from helpers import predictions
from helpers.architectures import BUILDERS
from helpers.augment import normalize
from helpers.callbacks.runfiles import update_run, write_run
from helpers.data.dataset import assemble
from helpers.predictions import GROUPS, group_model, main, read, stack, write
from helpers.views import with_views

RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def images():
    labels = np.tile(np.arange(10, dtype="uint8"), 20)
    pixels = RANDOM.integers(0, 256, (200, 32, 32, 3), dtype="uint8")
    return assemble(pixels, labels, pixels[:50], labels[:50], "CIFAR-10 (JPEG copy)")


def network(seed=0):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(4, 5, strides=4, activation="relu")(inputs)
    x = keras.layers.Dense(10, activation="softmax")(keras.layers.Flatten()(x))
    return keras.Model(inputs, x, name="tiny")


@pytest.fixture(autouse=True)
def known(monkeypatch):
    monkeypatch.setitem(BUILDERS, "tiny", network)


def save_run(folder, model, images, recipe="course", **fields):
    """A finished run as `helpers.train` leaves it."""
    folder.mkdir()
    model.save(folder / "model.keras")
    scale = (None, None) if recipe == "sheet" else ()
    said = model.predict(normalize(images.x_test, *scale), verbose=0)
    run = {
        "architecture": "tiny",
        "recipe": recipe,
        "finished": True,
        "test_accuracy": float(np.mean(said.argmax(1) == images.y_test)),
        "data": {"source": images.source, "sha256": images.sha256},
    }
    write_run(folder, run | fields)
    return said


def test_predictions_come_back_as_the_network_made_them(tmp_path, images):
    model = network()
    said = save_run(tmp_path / "run", model, images)
    write(tmp_path / "run", images)
    found = read(tmp_path / "run")
    # Half a unit in the last place of a float16 logarithm that is above -8.
    np.testing.assert_allclose(found.test(), said, rtol=0.003)
    np.testing.assert_allclose(found.test(10).sum(1), 1, rtol=1e-5)
    np.testing.assert_array_equal(found.labels, images.y_test)
    np.testing.assert_array_equal(found.validation_labels, images.y_val)
    held_out = model.predict(normalize(images.x_val), verbose=0)
    np.testing.assert_allclose(found.validation, held_out, rtol=0.003)
    assert (found.source, found.sha256) == (images.source, images.sha256)


def test_ten_views_are_those_of_with_views(images):
    model = network()
    x = normalize(images.x_test)
    groups = np.stack(group_model(model).predict(x, verbose=0))
    one = predictions.Predictions(groups, images.y_test, None, None, "", "")
    corners = {(r, c): 1.0 for r in (-2, 2) for c in (-2, 2)}
    for views, shifts in ((2, {(0, 0): 1.0}), (10, {(0, 0): 1.0} | corners)):
        expected = with_views(model, shifts).predict(x, verbose=0)
        np.testing.assert_allclose(one.test(views), expected, atol=1e-6)
    assert [len(group) for group in GROUPS] == [1, 1, 8]
    with pytest.raises(ValueError, match="views is 5"):
        one.test(5)


def test_nothing_is_held_out_of_a_run_on_all_images(tmp_path, images):
    for recipe in ("assignment", "sheet"):
        save_run(tmp_path / recipe, network(), images, recipe)
        write(tmp_path / recipe, images)
        found = read(tmp_path / recipe)
        assert found.validation is None and found.validation_labels is None


def test_other_weights_other_images_and_unknown_recipes_are_refused(tmp_path, images):
    folder = tmp_path / "run"
    save_run(folder, network(), images)
    with pytest.raises(FileNotFoundError, match="python -m helpers.predictions"):
        read(folder)
    write(folder, images)
    network(seed=1).save(folder / "model.keras")
    with pytest.raises(ValueError, match="other weights"):
        read(folder)
    (folder / "model.keras").unlink()
    assert read(folder).groups.shape == (3, 50, 10)
    with pytest.raises(FileNotFoundError, match="no finished run"):
        write(folder, images)
    network().save(folder / "model.keras")
    other = dataclasses.replace(images, sha256="0" * 64)
    with pytest.raises(ValueError, match="other images"):
        write(folder, other)
    update_run(folder, architecture="alexnet_old")
    with pytest.raises(ValueError, match="architecture 'alexnet_old'"):
        write(folder, images)
    update_run(folder, architecture="tiny", recipe="lenet/relu")
    with pytest.raises(ValueError, match="recipe 'lenet/relu'"):
        write(folder, images)


def test_an_accuracy_that_is_not_the_recorded_one_is_refused(tmp_path, images):
    save_run(tmp_path / "run", network(), images, test_accuracy=0.99)
    with pytest.raises(ValueError, match="recorded a test accuracy of 0.9900"):
        write(tmp_path / "run", images)
    assert not (tmp_path / "run" / "predictions.npz").exists()


def test_only_predictions_of_the_same_images_are_stacked():
    groups = RANDOM.dirichlet(np.ones(10), (3, 7))
    first = predictions.Predictions(groups, None, None, None, "a", "1")
    same = dataclasses.replace(first, groups=groups[::-1])
    both = stack({"first": first, "same": same}, views=2)
    assert both.shape == (2, 7, 10)
    np.testing.assert_allclose(both[1], groups[1:].mean(0))
    with pytest.raises(ValueError, match="not of the same images"):
        stack({"first": first, "other": dataclasses.replace(first, sha256="2")})


def test_the_command_says_what_it_wrote_and_what_is_wrong(
    tmp_path, images, monkeypatch, capsys
):
    monkeypatch.setattr(predictions.data, "load_cifar10", lambda *a, **k: images)
    save_run(tmp_path / "run", network(), images)
    assert main([str(tmp_path / "run")]) == 0
    assert "predictions.npz" in capsys.readouterr().out
    assert main([str(tmp_path / "nothing")]) == 2
    assert "holds no finished run" in capsys.readouterr().err
