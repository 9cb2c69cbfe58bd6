"""The searches of the lecture: which images they see, and how they go on."""

import keras
import numpy as np
import pytest
from keras import layers

from helpers import search_study
from helpers.architectures.search_space import Space
from helpers.callbacks.runfiles import read_run
from helpers.data import Cifar10


def build(candidate):
    inputs = keras.Input((4, 4, 1))
    return keras.Model(inputs, layers.Conv2D(candidate["filters"], 1)(inputs))


CHOICES = {"filters": tuple(range(1, 7)), "depth": (0, 1, 2, 3, 4)}
SPACE = Space(CHOICES, build, lambda candidate: 10 * candidate["filters"])
PIXELS = np.random.default_rng(0).integers(0, 256, (22, 2, 2, 3), "uint8")
LOADED = Cifar10(
    # Two classes, one after the other.
    x_train=PIXELS[:20],
    y_train=np.repeat([0, 1], 10),
    x_val=PIXELS[20:],
    y_val=np.array([0, 1]),
    # No test images: whoever asks for them fails.
    x_test=None,
    y_test=None,
    class_names=("first", "second"),
    source="no images",
    sha256="abc",
)


@pytest.fixture
def images(monkeypatch):
    monkeypatch.setattr(search_study, "IMAGES", 6)
    monkeypatch.setattr(search_study, "FRESH", 4)
    return search_study.prepare(LOADED)


@pytest.fixture
def trained(monkeypatch):
    """Replaces the training; lists candidate, epochs and seed of each."""
    calls = []

    def train(space, candidate, x, y, epochs=3, batch_size=128, seed=0):
        assert len(x) == len(y) == 6
        calls.append((candidate, epochs, seed))
        return candidate["filters"] / 7 + candidate["depth"] / 50 + seed / 1000

    def accuracy(model, x, y):
        # There are two validation images and four fresh ones.
        return model - (0.1 if len(x) == 4 else 0.0)

    monkeypatch.setattr(search_study, "train_briefly", train)
    monkeypatch.setattr(search_study, "accuracy_on", accuracy)
    return calls


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(search_study, "TRIALS", 16)


def both(images, folder):
    for algorithm, seed in search_study.SEEDS.items():
        search_study.run_search(algorithm, images, seed, 16, folder, SPACE)


def test_images_are_divided_and_the_test_images_left_alone(images):
    parts = images.train, images.fresh, images.validation
    assert [len(labels) for _, labels in parts] == [6, 4, 2]
    # As many of each class, although the file has one after the other.
    assert all(2 * sum(labels) == len(labels) for _, labels in parts)
    seen = {image.tobytes() for pixels, _ in parts for image in pixels}
    assert len(seen) == 12
    assert images.data["source"] == "no images"


def test_search_logs_every_trial_and_how_it_was_made(images, trained, tmp_path):
    folder = search_study.run_search("random", images, 3, 6, tmp_path, SPACE)
    rows = search_study.trials("random_seed3", tmp_path, SPACE)
    assert [(row["candidate"], 3, 0) for row in rows] == trained
    assert {(row["algorithm"], row["seed"]) for row in rows} == {("random", 3)}
    run = read_run(folder)
    assert run["finished"] and run["trials"] == 6
    assert (run["limit"], run["epochs"], run["images"]) == (100_000, 3, 6)
    assert run["data"]["sha256"] == "abc"
    # Nothing is left to do; more trials go on from these.
    search_study.run_search("random", images, 3, 6, tmp_path, SPACE)
    assert len(trained) == 6
    search_study.run_search("random", images, 3, 8, tmp_path, SPACE)
    assert len(trained) == 8
    assert search_study.trials("random_seed3", tmp_path, SPACE)[:6] == rows


def test_search_on_other_images_is_refused(images, trained, tmp_path):
    search_study.run_search("random", images, 0, 2, tmp_path, SPACE)
    images.data["sha256"] = "other"
    with pytest.raises(ValueError, match="made with data .*move the folder away"):
        search_study.run_search("random", images, 0, 4, tmp_path, SPACE)


def test_check_needs_the_searches(images, trained, tmp_path):
    search_study.run_search("random", images, 0, 4, tmp_path, SPACE)
    with pytest.raises(FileNotFoundError, match="evolution_seed1 first"):
        search_study.run_check(images, tmp_path, SPACE)
    assert search_study.missing(tmp_path) == ["evolution_seed1", "check"]


def test_check_takes_the_first_and_the_best_each_once(images, trained, tmp_path):
    both(images, tmp_path)
    search_study.run_search("evolution", images, 2, 4, tmp_path, SPACE)
    names = ["random_seed0", "evolution_seed1", "evolution_seed2"]
    assert list(search_study.finished(tmp_path)) == names
    pairs = search_study.chosen(tmp_path, SPACE)
    candidates = [candidate for _, candidate in pairs]
    random = search_study.trials("random_seed0", tmp_path, SPACE)
    evolved = search_study.trials("evolution_seed1", tmp_path, SPACE)
    assert candidates[:12] == [row["candidate"] for row in random[:12]]
    assert {origin for origin, _ in pairs[:12]} == {"sample"}
    for rows in (random, evolved):
        accuracies = sorted((row["accuracy"] for row in rows), reverse=True)
        best = [row for row in rows if row["accuracy"] >= accuracies[2]]
        assert all(row["candidate"] in candidates for row in best)
    assert all(candidates.count(candidate) == 1 for candidate in candidates)


def test_a_search_that_is_to_go_on_is_not_finished(
    images, trained, tmp_path, monkeypatch
):
    both(images, tmp_path)
    train = search_study.train_briefly
    monkeypatch.setattr(search_study, "train_briefly", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        search_study.run_search("random", images, 0, 18, tmp_path, SPACE)
    assert search_study.missing(tmp_path) == ["random_seed0", "check"]
    with pytest.raises(FileNotFoundError, match="16 trials: random_seed0 first"):
        search_study.chosen(tmp_path, SPACE)
    monkeypatch.setattr(search_study, "train_briefly", train)
    search_study.run_search("random", images, 0, 18, tmp_path, SPACE)
    assert search_study.missing(tmp_path) == ["check"]
    # One that was made shorter than the lecture's is not enough either.
    monkeypatch.setattr(search_study, "TRIALS", 17)
    with pytest.raises(FileNotFoundError, match="17 trials: evolution_seed1 first"):
        search_study.chosen(tmp_path, SPACE)


def test_check_goes_on_and_trains_each_twice(images, trained, tmp_path, monkeypatch):
    both(images, tmp_path)
    del trained[:]
    train = search_study.train_briefly

    def interrupted(*arrays, **settings):
        if len(trained) == 5:
            raise KeyboardInterrupt
        return train(*arrays, **settings)

    monkeypatch.setattr(search_study, "train_briefly", interrupted)
    with pytest.raises(KeyboardInterrupt):
        search_study.run_check(images, tmp_path, SPACE)
    assert "check" in search_study.missing(tmp_path)
    monkeypatch.setattr(search_study, "train_briefly", train)
    search_study.run_check(images, tmp_path, SPACE)
    pairs = search_study.chosen(tmp_path, SPACE)
    expected = [(c, e, s) for _, c in pairs for e, s in ((3, 1), (15, 0))]
    assert trained == expected
    rows = search_study.checks(tmp_path, SPACE)
    assert [(r["candidate"], r["epochs"], r["seed"]) for r in rows] == expected
    assert all(np.isclose(r["accuracy"] - r["fresh_accuracy"], 0.1) for r in rows)
    assert search_study.missing(tmp_path) == []
    # A search that goes on finds better ones, which the check has not trained.
    monkeypatch.setattr(search_study, "train_briefly", lambda *a, **k: 1.0)
    search_study.run_search("random", images, 0, 26, tmp_path, SPACE)
    monkeypatch.setattr(search_study, "train_briefly", train)
    assert search_study.missing(tmp_path) == ["check"]
    search_study.run_check(images, tmp_path, SPACE)
    assert search_study.missing(tmp_path) == []


def test_command_reports_errors_and_interruptions(
    images, trained, tmp_path, monkeypatch, capsys
):
    def load(folder, source):
        assert source == "cifar10"
        return LOADED

    monkeypatch.setattr(search_study.data, "load_cifar10", load)
    arguments = ["--folder", str(tmp_path)]
    assert search_study.main(["check", *arguments]) == 2
    assert "random_seed0, evolution_seed1 first" in capsys.readouterr().err

    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(search_study, "run_search", stop)
    assert search_study.main(["random", *arguments]) == 130
    assert "go on" in capsys.readouterr().err
