"""Training without a notebook: the command line, its logs and its refusals."""

import errno
import importlib
import json
import pkgutil

import keras
import numpy as np
import pytest

from helpers import architectures, callbacks, data, optimizers, recipes, train, training
from helpers.architectures import BUILDERS
from helpers.callbacks import state
from helpers.callbacks.atomic import explain_full_disk
from helpers.callbacks.progress import MainOutput, Progress
from helpers.data.dataset import assemble
from helpers.studies import __main__ as studies_command
from helpers.transfer import __main__ as transfer_command


def tiny_images(source="CIFAR-10 (JPEG copy)"):
    """A data set of CIFAR-10's form: 200 training and 40 test images."""
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(10), 20)
    pixels = rng.integers(0, 256, (200, 32, 32, 3), dtype=np.uint8)
    return assemble(pixels, labels, pixels[:40], labels[:40], source)


def tiny_network(input_shape=(32, 32, 3), classes=10):
    inputs = keras.Input(input_shape)
    x = keras.layers.SeparableConv2D(4, 3, strides=4)(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Dropout(0.2)(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    outputs = keras.layers.Dense(classes, activation="softmax")(x)
    return keras.Model(inputs, outputs, name="tiny")


def side_network():
    """A network with a side branch, whose own output is in front."""
    model = tiny_network()
    x = keras.layers.Flatten()(model.layers[1].output)
    side = keras.layers.Dense(10, activation="softmax", name="side")(x)
    outputs = keras.layers.Activation("linear", name="own")(model.output)
    return keras.Model(model.inputs, [outputs, side], name="tiny")


@pytest.fixture
def tiny(monkeypatch):
    """Makes "tiny" an architecture, and a run of it take a second."""
    monkeypatch.setitem(BUILDERS, "tiny", tiny_network)
    monkeypatch.setattr(data, "load_cifar10", lambda *a, **k: tiny_images())
    monkeypatch.setattr(
        train, "QUICK", {"epochs": 2, "train": 180, "validation": 20, "test": 40}
    )


def test_run_leaves_its_logs_and_its_model(tiny, tmp_path):
    folder = train.train("tiny", folder=tmp_path / "run", epochs=3)
    rows = callbacks.read_rows(folder)
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    # One triangle: the rate after the last step is the end of the cycle, zero.
    assert rows[-1]["learning_rate"] == pytest.approx(0.0, abs=1e-9)
    run = json.loads((folder / "run.json").read_text())
    # By hand: 27 + 12 + 4 weights, 4 numbers a channel, 40 + 10 in the dense layer.
    assert run["parameters"] == 43 + 16 + 50
    assert run["data"]["source"] == "CIFAR-10 (JPEG copy)"
    assert run["recipe"] == "course"
    assert run["finished"]
    model = keras.models.load_model(folder / "model.keras")
    assert type(model.layers[2]) is keras.layers.BatchNormalization
    images = tiny_images()
    assert run["test_accuracy"] == pytest.approx(accuracy(model, images), abs=1e-6)


def test_the_saved_network_is_not_compiled(tiny, tmp_path, monkeypatch):
    # On a GPU the trained network is the plain one itself.
    monkeypatch.setattr(training, "faster_on_cpu", lambda model: model)
    folder = train.train("tiny", folder=tmp_path / "run", epochs=1)
    model = keras.models.load_model(folder / "model.keras")
    assert not model.compiled
    # One output is a tensor, not a list of one: other models are built on it.
    assert keras.ops.shape(model(model.input)) == (None, 10)
    found = callbacks.read_run(folder)["test_accuracy"]
    assert found == pytest.approx(accuracy(model, tiny_images()), abs=1e-6)


def accuracy(model, images):
    """Test accuracy, computed without the generator."""
    from helpers import augment

    x = (images.x_test.astype("float32") - augment.MEAN) / augment.STD
    predicted = model.predict(x, verbose=0).argmax(-1)
    return float((predicted == images.y_test).mean())


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_interrupted_run_continues_to_the_same_end(
    tiny, tmp_path, monkeypatch, precision
):
    kind = {"epochs": 3, "precision": precision}
    whole = train.train("tiny", folder=tmp_path / "whole", **kind)
    stop = Progress.on_epoch_end

    def interrupt(self, epoch, logs=None):
        stop(self, epoch, logs)
        if epoch == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "on_epoch_end", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train.train("tiny", folder=tmp_path / "cut", **kind)
    monkeypatch.setattr(Progress, "on_epoch_end", stop)
    cut = train.train("tiny", folder=tmp_path / "cut", **kind)
    assert callbacks.read_run(cut)["precision"] == precision
    assert callbacks.read_run(whole)["wall_seconds"] > 0
    assert callbacks.read_run(cut)["wall_seconds"] is None
    drop = {"seconds": None}
    assert [r | drop for r in callbacks.read_rows(cut)] == [
        r | drop for r in callbacks.read_rows(whole)
    ]


def test_the_scale_of_a_float16_loss_belongs_to_the_state():
    with training.dtype_policy("mixed_float16"):
        model = tiny_network()
        model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    saved = state.capture(model)
    before = float(model.optimizer.dynamic_scale)
    model.optimizer.dynamic_scale.assign(before / 2)
    state.restore(model, saved)
    assert float(model.optimizer.dynamic_scale) == before > 1


def test_quick_run_says_so(tiny, tmp_path):
    folder = train.train("tiny", folder=tmp_path / "run", profile="quick")
    run = callbacks.read_run(folder)
    assert run["profile"] == "quick"
    assert run["epochs"] == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tiny", "--epochs", "0"], "epochs is 0"),
        (["tiny", "--epochs", "4"], "epochs"),
    ],
)
def test_command_refuses_with_one_line(tiny, tmp_path, capsys, arguments, words):
    folder = str(tmp_path / "run")
    assert train.main(["tiny", "--epochs", "1", "--run", folder]) == 0
    assert train.main([*arguments, "--run", folder]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert words in error


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="no architecture 'resnet'"):
        train.train("resnet")
    with pytest.raises(ValueError, match="no recipe 'fast'"):
        recipes.recipe_for("base", "fast")


def test_interruption_has_its_exit_code(monkeypatch, capsys):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "train", interrupted)
    assert train.main(["base"]) == 130
    assert "run the same command again" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "names"),
    [(train, ["base"]), (studies_command, ["schedules"]), (transfer_command, [])],
)
def test_a_full_disk_is_one_line_in_every_command(
    command, names, tmp_path, monkeypatch, capsys
):
    def no_room(*_, **__):
        with explain_full_disk(tmp_path):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(data, "load_cifar10", no_room)
    assert command.main(names) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("error: ") and "No space left on device. Make room" in said


def test_list_names_every_architecture(capsys):
    assert train.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(BUILDERS)
    assert lines[1].split() == ["base", "1,172,410", "55,145,472", "36x36"]


def test_every_builder_for_small_images_is_listed():
    listed = {
        getattr(builder, "func", builder).__name__ for builder in BUILDERS.values()
    }
    for module in pkgutil.iter_modules(architectures.__path__):
        module = importlib.import_module(f"helpers.architectures.{module.name}")
        assert {name for name in vars(module) if name.endswith("_cifar")} <= listed


def test_side_branches_are_trained_and_left_out(tiny, tmp_path, monkeypatch):
    monkeypatch.setitem(BUILDERS, "tiny", side_network)
    losses = []
    stop = MainOutput.on_epoch_end

    def record(self, epoch, logs=None):
        losses.append(dict(logs))
        stop(self, epoch, logs)

    monkeypatch.setattr(MainOutput, "on_epoch_end", record)
    folder = train.train("tiny", folder=tmp_path / "run", epochs=2)
    run = callbacks.read_run(folder)
    # As in the network without the branch: its dense layer is not counted.
    assert run["parameters"] == 43 + 16 + 50
    model = keras.models.load_model(folder / "model.keras")
    assert model.count_params() == run["parameters"]
    assert run["test_accuracy"] == pytest.approx(
        accuracy(model, tiny_images()), abs=1e-6
    )
    for row, keras_logs in zip(callbacks.read_rows(folder), losses, strict=True):
        own, side = keras_logs["own_loss"], keras_logs["side_loss"]
        # Keras averages an output's loss over batches, the sum's over images.
        assert keras_logs["loss"] == pytest.approx(own + 0.3 * side, rel=0.02)
        assert row["loss"] == pytest.approx(own, rel=1e-5)
        assert row["val_loss"] == pytest.approx(keras_logs["val_own_loss"], rel=1e-5)
        assert row["accuracy"] == pytest.approx(keras_logs["own_accuracy"], rel=1e-5)


def test_published_weight_decay_is_converted():
    optimizer = optimizers.one_cycle_sgd(100, 5e-4)
    assert optimizer.weight_decay == pytest.approx(5e-3)


def test_only_dense_and_convolution_kernels_decay():
    layers = keras.layers
    inputs = keras.Input((8, 8, 4))
    x = layers.Conv2D(4, 3, name="conv")(inputs)
    x = layers.DepthwiseConv2D(3, name="depthwise")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.SeparableConv2D(4, 3, name="separable")(x)
    x = layers.Dense(3, name="dense")(layers.Flatten(name="flatten")(x))
    model = keras.Model(inputs, x)
    recipes.compile_model(model, recipes.RECIPES["course"], steps=10)
    model.optimizer.build(model.trainable_variables)
    decays = {
        variable.path
        for variable in model.trainable_variables
        if model.optimizer._use_weight_decay(variable)
    }
    assert decays == {"conv/kernel", "separable/pointwise_kernel", "dense/kernel"}


def test_sheet_uses_all_training_images_and_split_does_not():
    images = tiny_images()
    sheet = recipes.images_for(recipes.RECIPES["sheet"], images)
    split = recipes.images_for(recipes.RECIPES["course"], images)
    assert [len(y) for _, y in sheet] == [200, 40, 40]
    assert [len(y) for _, y in split] == [180, 20, 40]
    assert sheet[1][0] is sheet[2][0]
