"""Transfer: which images, what is frozen, and a study that is made once."""

import dataclasses
import functools
import itertools
import json
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from helpers import callbacks, data, recipes
from helpers.architectures.separable import separable
from helpers.augment import normalize
from helpers.data.dataset import assemble
from helpers.studies import results
from helpers.transfer import __main__ as command
from helpers.transfer import classes, grid, methods, rates, source
from helpers.transfer.files import write_rows
from tools import notebooks

narrow = functools.partial(separable, stages=((4, 0), (6, 1), (8, 1)), dropout=0.5)


def tiny_images(seed=0, order=None):
    """A data set of CIFAR-10's form: 360 training, 40 validation, 60 test images."""
    rng = np.random.default_rng(seed)
    labels = np.tile(np.arange(10, dtype="uint8"), 40)
    pixels = rng.integers(0, 256, (400, 32, 32, 3), dtype=np.uint8)
    test = pixels[:60] // 2, labels[:60]
    if order is not None:
        pixels, labels = pixels[order], labels[order]
    return assemble(pixels, labels, *test, "CIFAR-10 (JPEG copy)")


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """Makes the network narrow and the study small, in a folder of the test."""
    for module in (methods, source):
        monkeypatch.setattr(module, "separable", narrow)
    monkeypatch.setattr(classes, "LARGEST", 8)
    monkeypatch.setattr(grid, "EPOCHS", {4: 1})
    monkeypatch.setattr(grid, "DRAWS", 2)
    chosen = {name: methods.METHODS[name] for name in ("features", "last_stage")}
    for module in (grid, rates):
        monkeypatch.setattr(module, "METHODS", chosen)
    monkeypatch.setattr(rates, "RATES", (0.01, 0.1))
    monkeypatch.setattr(rates, "DRAWS", (2,))
    monkeypatch.setattr(rates, "PER_CLASS", 4)
    short = dataclasses.replace(recipes.RECIPES["course"], epochs=1, batch_size=96)
    monkeypatch.setitem(recipes.RECIPES, "course", short)
    monkeypatch.setattr(data, "load_cifar10", lambda *a, **k: tiny_images())
    monkeypatch.setattr(results.runtime, "course_root", lambda: tmp_path)
    return tmp_path / "logs" / "studies" / "transfer"


def source_network():
    """A narrow network of eight classes whose statistics are those of some batch."""
    keras.utils.set_random_seed(1)
    model = narrow(classes=8)
    rng = np.random.default_rng(1)
    for _ in range(5):
        model(rng.normal(size=(16, 32, 32, 3)).astype("float32"), training=True)
    return model


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def weights(model, kind=""):
    """Copies of a model's weights whose path holds a word, by path."""
    return {w.path: np.array(w) for w in model.weights if kind in w.path}


def changed(before, after):
    """Paths of the weights that differ in any bit."""
    assert before.keys() == after.keys()
    return {p for p in before if not np.array_equal(before[p], after[p])}


def test_airplane_and_bird_are_new():
    assert [data.CLASS_NAMES[label] for label in classes.NEW] == ["airplane", "bird"]
    assert classes.others(tiny_images()) == (1, 3, 4, 5, 6, 7, 8, 9)


def test_only_keeps_the_images_of_some_classes_and_counts_labels_anew():
    images = tiny_images()
    found = classes.only(images, (7, 2))
    assert found.class_names == ("horse", "bird")
    for part, each in (("train", 36), ("val", 4), ("test", 6)):
        x, y = getattr(found, f"x_{part}"), getattr(found, f"y_{part}")
        assert y.dtype == np.uint8 and np.bincount(y).tolist() == [each, each]
        whole, labels = getattr(images, f"x_{part}"), getattr(images, f"y_{part}")
        np.testing.assert_array_equal(x[y == 0], whole[labels == 7])
        np.testing.assert_array_equal(x[y == 1], whole[labels == 2])
    assert (found.source, found.sha256) == (images.source, images.sha256)


@pytest.mark.parametrize("wrong", [(2, 2), (0, 10), (-1, 3)])
def test_classes_that_do_not_exist_are_refused(wrong):
    with pytest.raises(ValueError, match="choose different labels from 0 to 9"):
        classes.only(tiny_images(), wrong)


def keys(images):
    return [image.tobytes() for image in images.x_train]


def test_draws_share_no_image_and_small_ones_are_part_of_large_ones(monkeypatch):
    monkeypatch.setattr(classes, "LARGEST", 8)
    new = classes.only(tiny_images(), classes.NEW)
    for one, other in itertools.combinations(range(4), 2):
        assert not set(keys(classes.draw(new, 8, one))) & set(
            keys(classes.draw(new, 8, other))
        )
    small, large = classes.draw(new, 3, 1), classes.draw(new, 8, 1)
    assert set(keys(small)) < set(keys(large))
    assert np.bincount(small.y_train).tolist() == [3, 3]
    # Each image still has its own label.
    label = dict(zip(keys(new), new.y_train, strict=True))
    assert [label[key] for key in keys(large)] == large.y_train.tolist()


def test_draw_does_not_depend_on_the_order_of_the_files(monkeypatch):
    monkeypatch.setattr(classes, "LARGEST", 8)
    order = np.random.default_rng(5).permutation(400)
    both = [
        classes.draw(classes.only(images, classes.NEW), 8, 2)
        for images in (tiny_images(), tiny_images(order=order))
    ]
    assert keys(both[0]) == keys(both[1])


@pytest.mark.parametrize(
    ("per_class", "number", "words"),
    [(9, 0, "1 to 8 images"), (4, -1, "count from 0"), (8, 4, "needs 40 of airplane")],
)
def test_draws_that_cannot_be_had_are_refused(monkeypatch, per_class, number, words):
    monkeypatch.setattr(classes, "LARGEST", 8)
    new = classes.only(tiny_images(), classes.NEW)
    with pytest.raises(ValueError, match=words):
        classes.draw(new, per_class, number)


def test_scores_of_averages_are_averages_of_scores():
    """The cut is right: the old head, computed by hand, gives the old answer."""
    model = source_network()
    x = normalize(tiny_images().x_test[:7])
    features = methods.feature_network(model).predict(x, verbose=0)
    assert features.shape == (7, 8)
    depthwise, pointwise, bias = model.get_layer("scores").get_weights()
    scores = (features * depthwise[0, 0, :, 0]) @ pointwise[0, 0] + bias
    expected = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("stages", "learning"),
    [
        ((), set()),
        (("stage3_",), {"stage3"}),
        (("stage",), {"stage1", "stage2", "stage3"}),
    ],
)
def test_thawed_layers_learn_and_no_statistics_move(stages, learning):
    features = methods.feature_network(source_network())
    model = methods.with_head(features)
    methods.thaw(features, stages)
    before = weights(model)
    new = classes.only(tiny_images(), classes.NEW)
    methods.train_layers(model, new, rate=0.05, epochs=1, seed=0)
    moved = changed(before, weights(model))
    assert moved == {w.path for w in model.trainable_weights}
    parts = {path.split("/")[-2].split("_")[0] for path in moved}
    assert parts == learning | {"new"}
    # The normalisation keeps its statistics, its factors and its shifts.
    assert not any("_bn/" in path for path in moved)


def test_features_are_the_same_in_training_mode_and_the_source_keeps_dropout():
    model = source_network()
    features = methods.feature_network(model)
    x = normalize(tiny_images().x_test[:5])
    for stages in ((), ("stage",)):
        methods.thaw(features, stages)
        both = [numpy(features(x, training=training)) for training in (True, False)]
        np.testing.assert_array_equal(*both)
    assert model.get_layer("stage1_dropout").rate == 0.5


def test_thaw_after_a_freeze_of_everything():
    features = methods.feature_network(source_network())
    features.trainable = False
    methods.thaw(features, ("stage3_",))
    assert features.trainable_weights
    methods.thaw(features)
    assert not features.trainable_weights


def test_head_learns_from_images_and_their_mirror_images():
    features = methods.feature_network(source_network())
    new = classes.only(tiny_images(), classes.NEW)
    seen = {}

    class Head:
        def compile(self, optimizer, loss):
            seen["rate"] = float(optimizer.learning_rate)

        def fit(self, x, y, batch_size, epochs, verbose):
            seen.update(x=x, y=y, epochs=epochs)

    methods.train_head(features, Head(), new, epochs=7)
    turned = np.concatenate([new.x_train, new.x_train[:, :, ::-1]])
    expected = features(normalize(turned), training=False)
    np.testing.assert_allclose(seen["x"], numpy(expected), atol=1e-4)
    assert seen["y"].tolist() == 2 * new.y_train.tolist()
    assert seen["epochs"] == 7


@pytest.mark.parametrize("method", methods.METHODS)
def test_every_method_makes_a_network_and_spares_the_source(method, tiny):
    network = source_network()
    before = weights(network)
    new = classes.draw(classes.only(tiny_images(), classes.NEW), 4)
    model = methods.trained(method, network, new, epochs=1, seed=3, rate=0.03)
    assert not changed(before, weights(network))
    probabilities = model.predict(normalize(new.x_test), verbose=0)
    assert probabilities.shape == (12, 2)
    np.testing.assert_allclose(probabilities.sum(-1), 1, atol=1e-5)
    first = weights(model, "stage1_first_conv/pointwise_kernel").values()
    own = weights(network, "stage1_first_conv/pointwise_kernel").values()
    kept = np.array_equal(next(iter(first)), next(iter(own)))
    assert kept == (method in ("features", "last_stage"))


def rates_of_dropout(model):
    """Rates of the dropout layers of a model, those inside nested models too."""
    layers = model._flatten_layers(include_self=False)
    return [x.rate for x in layers if isinstance(x, keras.layers.Dropout)]


@pytest.mark.parametrize("method", methods.METHODS)
def test_no_method_trains_with_dropout(method, tiny, monkeypatch):
    """Else the ways would differ by more than their source."""
    network, trained = source_network(), []
    assert rates_of_dropout(network) == [0.5] * 3
    fit = keras.Model.fit

    def watched(model, *args, **kwargs):
        trained.append(model)
        return fit(model, *args, **kwargs)

    monkeypatch.setattr(keras.Model, "fit", watched)
    new = classes.draw(classes.only(tiny_images(), classes.NEW), 4)
    returned = methods.trained(method, network, new, epochs=1, seed=3, rate=0.03)
    assert trained
    for model in (*trained, returned):
        assert set(rates_of_dropout(model)) <= {0.0}
    assert len(rates_of_dropout(returned)) == 3


def test_accuracy_is_the_share_of_right_answers():
    class Model:
        def predict(self, x, batch_size, verbose):
            return np.tile([[0.3, 0.7]], (len(x), 1))

    x = np.zeros((8, 32, 32, 3), "uint8")
    assert methods.accuracy(Model(), x, np.array([1, 0, 0, 1, 1, 0, 1, 1])) == 5 / 8


def test_command_makes_everything_once(tiny, monkeypatch, capsys):
    # Accuracies of eight images: the best of two rates is always at an end.
    monkeypatch.setattr(rates, "check_ends", lambda found: None)
    assert command.main(["--source-only"]) == 0
    assert not (tiny / grid.RUNS).exists()
    folder = tiny / source.SOURCE
    files = sorted(path.name for path in folder.iterdir())
    assert files == ["history.csv", "model.keras", "run.json"]
    run = callbacks.read_run(folder)
    # 36 training images of each of eight classes.
    assert run["data"]["images"] == 8 * 36
    assert "airplane" not in run["classes"] and len(run["classes"]) == 8
    assert run["change"].endswith("all classes but airplane and bird")
    assert keras.models.load_model(folder / "model.keras").output_shape == (None, 8)

    first = (folder / "run.json").read_bytes()
    assert command.main([]) == 0
    assert (folder / "run.json").read_bytes() == first
    assert grid.missing() == []
    found = grid.rows()
    assert [(row["draw"], row["method"]) for row in found] == [
        (0, "features"),
        (0, "last_stage"),
        (1, "features"),
        (1, "last_stage"),
    ]
    assert grid.table(found) in capsys.readouterr().out
    trials = rates.rows(tiny)
    assert [(row["method"], row["rate"]) for row in trials] == [
        ("last_stage", 0.01),
        ("last_stage", 0.1),
    ]
    made = [path.read_bytes() for path in sorted(tiny.glob("*.*"))]
    assert len(made) == 3
    assert command.main([]) == 0
    assert made == [path.read_bytes() for path in sorted(tiny.glob("*.*"))]

    # What was lost is made again, to the same accuracies.
    write_rows(tiny / grid.RUNS, found[:1] + found[2:], grid.KINDS)
    write_rows(tiny / rates.FILE, trials[:1], rates.KINDS)
    assert grid.missing() == [(0, 4, "last_stage")]
    assert command.main([]) == 0
    again = {(row["draw"], row["method"]): row for row in grid.rows()}
    drop = {"seconds": None}
    assert all(again[r["draw"], r["method"]] | drop == r | drop for r in found)
    pairs = zip(rates.rows(tiny), trials, strict=True)
    assert all(one | drop == other | drop for one, other in pairs)

    # Other settings are refused while there are runs.
    study = json.loads((tiny / grid.STUDY).read_text())
    study["batch_size"] += 1
    (tiny / grid.STUDY).write_text(json.dumps(study))
    write_rows(tiny / grid.RUNS, found[:1], grid.KINDS)
    assert command.main([]) == 2
    printed = capsys.readouterr().err
    assert "were made with other batch_size" in printed
    assert f"{grid.STUDY} away" in printed and source.SOURCE in printed


def test_a_source_of_other_images_is_refused(tiny, monkeypatch, capsys):
    assert command.main(["--source-only"]) == 0
    assert command.main(["--source-only"]) == 0
    other = tiny_images(seed=1)
    monkeypatch.setattr(data, "load_cifar10", lambda *a, **k: other)
    assert command.main([]) == 2
    assert "not on these images" in capsys.readouterr().err


def test_a_source_that_has_seen_a_new_class_is_refused(tiny, monkeypatch, capsys):
    assert command.main(["--source-only"]) == 0
    assert source.load_source(tiny).output_shape == (None, 8)
    # Exercise 5 of the lecture: automobile and dog.
    monkeypatch.setattr(source, "NEW", (1, 5))
    assert command.main([]) == 2
    printed = capsys.readouterr().err
    assert "leaves airplane, bird, cat, deer, frog, horse, ship, truck" in printed
    assert not (tiny / rates.FILE).exists()
    with pytest.raises(ValueError, match="was trained on automobile, cat, deer, dog"):
        source.load_source(tiny)


def test_the_lecture_runs_with_other_classes_and_refuses_their_source(capsys):
    run = {"test_accuracy": 0.9, "data": {"source": "no images"}}
    space = {"data": data, "read_run": lambda folder: run}
    run["classes"] = [n for n in data.CLASS_NAMES if n not in ("airplane", "bird")]
    lecture = notebooks.read(notebooks.FOLDER / "20_transfer_learning.ipynb")
    cells = [cell.source for cell in notebooks.code_cells(lecture)]
    trained = {}
    for new in (classes.NEW, (1, 5)):
        space["transfer"] = SimpleNamespace(NEW=new, folder=Path, SOURCE="source")
        for words in ("names = [data.CLASS_NAMES", "TRAINED ="):
            exec(next(cell for cell in cells if words in cell), space)
        trained[" ".join(space["names"])] = space["TRAINED"]
    assert trained == {"airplane bird": True, "automobile dog": False}
    assert "automobile dog\nnot run yet" in capsys.readouterr().out


def test_a_run_that_is_there_twice_is_refused(tmp_path):
    row = dict.fromkeys(grid.KINDS, 0) | {"method": "all"}
    write_rows(tmp_path / grid.RUNS, [row, row], grid.KINDS)
    with pytest.raises(ValueError, match="twice .*0, 0, 'all'.* one of the lines"):
        grid.missing(tmp_path)


def test_interruption_says_how_to_go_on(tiny, monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "train_source", interrupt)
    assert command.main([]) == 130
    assert "run the same command again" in capsys.readouterr().err


def test_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / grid.RUNS).write_text("epoch,loss\n1,2\n")
    with pytest.raises(ValueError, match="was not made by this study"):
        grid.rows(tmp_path)


def test_nothing_is_done_before_the_first_run(tmp_path):
    assert grid.rows(tmp_path) == []
    waiting = grid.missing(tmp_path)
    assert len(waiting) == len(set(waiting)) == 5 * 3 * 4


def test_table_has_mean_and_standard_deviation_of_the_draws():
    row = dict.fromkeys(grid.KINDS, 0)
    found = [
        row | {"method": "all", "images_a_class": n, "draw": d, "test_accuracy": a}
        for n, d, a in ((10, 0, 0.7), (10, 1, 0.8), (50, 0, 0.9))
    ]
    lines = grid.table(found).splitlines()
    assert lines[0] == "| method | 10 a class | 50 a class |"
    # Of 70 and 80 the standard deviation is 5 times the square root of 2.
    assert lines[-1] == "| all stages thawed | 75.0 ± 7.1 | 90.0 |"
    assert lines[2] == "| from scratch |  |  |"


def test_rates_are_chosen_by_their_mean_over_the_draws(tmp_path):
    row = dict.fromkeys(rates.KINDS, 0)
    tried = ((0.1, 5, 0.9), (0.1, 6, 0.5), (0.01, 5, 0.75), (0.01, 6, 0.75))
    found = [
        row | {"method": "all", "rate": rate, "draw": d, "val_accuracy": a}
        for rate, d, a in tried
    ]
    found.append(row | {"method": "scratch", "rate": 0.1, "val_accuracy": 0.625})
    assert rates.chosen(found) == {"all": 0.01, "scratch": 0.1}
    assert rates.table(found).splitlines() == [
        "| method | 0.01 | 0.1 |",
        "|---|---:|---:|",
        "| all stages thawed | **75.0** | 70.0 |",
        "| from scratch |  | **62.5** |",
    ]


def test_rates_are_tried_on_images_that_no_compared_network_learns(tmp_path):
    assert not set(rates.DRAWS) & set(range(grid.DRAWS))
    waiting = rates.missing(tmp_path)
    assert len(waiting) == len(set(waiting)) == 2 * 3 * 7
    assert {method for _, method, _ in waiting} == {"scratch", "last_stage", "all"}


def trials_of(method, accuracies):
    """Trials of one draw, from a dictionary of accuracies by rate."""
    row = dict.fromkeys(rates.KINDS, 0) | {"method": method}
    return [row | {"rate": r, "val_accuracy": a} for r, a in accuracies.items()]


@pytest.mark.parametrize(
    ("accuracies", "end"),
    [
        ({0.01: 0.9, 0.1: 0.8, 1.0: 0.7}, 0.01),
        ({0.01: 0.7, 0.1: 0.8, 1.0: 0.9}, 1.0),
        ({0.01: 0.7, 0.1: 0.9, 1.0: 0.8}, None),
        # Lower rates change nothing any more.
        ({0.01: 0.9, 0.1: 0.9, 1.0: 0.8}, None),
        ({0.01: 0.9, 0.1: 0.7, 1.0: 0.9}, 0.01),
        ({0.01: 0.7, 0.1: 0.9}, 0.1),
        ({0.1: 0.9}, None),
    ],
)
def test_a_best_rate_at_an_end_is_refused(accuracies, end):
    inside = trials_of("all", {0.01: 0.5, 0.1: 0.6, 1.0: 0.5})
    found = inside + trials_of("scratch", accuracies)
    if end is None:
        return rates.check_ends(found)
    with pytest.raises(ValueError, match=f"from scratch: .* {end}, is at an end of"):
        rates.check_ends(found)


def test_rates_may_become_more_until_one_was_used(tiny, monkeypatch):
    """No network is trained: the best rate is 0.3."""
    made = []

    def timed(method, path, drawn, seed, rate):
        if rate is not None:
            made.append(rate)
        return rate, 1.0

    def accuracy(rate, x, y):
        return 0.7 if rate is None else 0.9 - 0.1 * abs(np.log10(rate / 0.3))

    monkeypatch.setattr(grid, "timed", timed)
    monkeypatch.setattr(grid, "accuracy", accuracy)
    (tiny / source.SOURCE).mkdir(parents=True)
    (tiny / source.SOURCE / "model.keras").write_bytes(b"weights")
    images = tiny_images()
    with pytest.raises(ValueError, match="0.1, is at an end .* Add a rate beyond"):
        grid.run_missing(images)
    assert made == [0.01, 0.1] and not grid.rows()

    # Trials of a rate that is no longer tried would take part in the choice.
    monkeypatch.setattr(rates, "RATES", (0.1, 0.3, 1.0))
    with pytest.raises(ValueError, match="made with other rates"):
        grid.run_missing(images)

    made.clear()
    monkeypatch.setattr(rates, "RATES", (0.01, 0.1, 0.3, 1.0))
    grid.run_missing(images)
    # Two new trials, then the compared runs of two draws.
    assert made == [0.3, 1.0, 0.3, 0.3] and len(grid.rows()) == 4
    assert grid.study()["rates"]["tried"] == [0.01, 0.1, 0.3, 1.0]

    write_rows(tiny / grid.RUNS, grid.rows()[:2], grid.KINDS)
    monkeypatch.setattr(rates, "RATES", (0.01, 0.1, 0.2, 0.3, 1.0))
    with pytest.raises(ValueError, match="made with other rates"):
        grid.run_missing(images)
