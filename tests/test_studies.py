"""Studies: every variant is a valid run, runs are made once, tables tell the files."""

import functools
import json
from dataclasses import replace

import keras
import numpy as np
import pytest

from helpers import callbacks, data, optimizers, recipes, studies
from helpers.architectures import BUILDERS, separable
from helpers.architectures.search_space import separable_stages
from helpers.architectures.small import small
from helpers.callbacks.progress import Progress
from helpers.data.dataset import assemble
from helpers.studies import __main__ as command
from helpers.studies import results
from helpers.studies.assignment import small_branches


def tiny_images():
    """A data set of CIFAR-10's form: 180 training, 20 validation, 40 test images."""
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(10), 20)
    pixels = rng.integers(0, 256, (200, 32, 32, 3), dtype=np.uint8)
    return assemble(pixels, labels, pixels[:40], labels[:40], "CIFAR-10 (JPEG copy)")


TINY = studies.Study(
    "Does it run?",
    recipes.Recipe(optimizers.one_cycle_sgd, epochs=2, batch_size=60),
    {
        "plain": studies.Variant("nothing"),
        "smooth": studies.Variant(
            "smoothed, longer", {"label_smoothing": 0.1}, {"dropout": 0.5}, epochs=3
        ),
    },
    builder=functools.partial(small, filters=(4,)),
    images=120,
)


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """Makes "tiny" a study whose runs take a second, in a folder of the test."""
    monkeypatch.setitem(studies.STUDIES, "tiny", TINY)
    monkeypatch.setattr(data, "load_cifar10", lambda *a, **k: tiny_images())
    monkeypatch.setattr(results.runtime, "course_root", lambda: tmp_path)
    return tmp_path / "logs" / "studies" / "tiny"


def test_small_network_has_the_parameters_counted_by_hand():
    # 3x3 kernels, four numbers a channel in each normalisation, the dense layer.
    kernels = 9 * (3 * 32 + 32 * 64 + 64 * 128)
    assert small().count_params() == kernels + 4 * (32 + 64 + 128) + 128 * 10 + 10
    # Without normalisation, a bias a channel instead.
    plain = small(normalization=None)
    assert plain.count_params() == kernels + (32 + 64 + 128) + 128 * 10 + 10


@pytest.mark.parametrize(
    "wrong", [{"normalization": "batches"}, {"order": "relu"}, {"dropout_place": "x"}]
)
def test_small_network_names_a_choice_that_does_not_exist(wrong):
    name, value = next(iter(wrong.items()))
    with pytest.raises(ValueError, match=f"{name}={value!r}: choose one of"):
        small(**wrong)


@pytest.mark.parametrize("kind, axes", [("layer", (1, 2, 3)), ("instance", (1, 2))])
def test_normalisations_average_over_the_axes_that_their_papers_name(kind, axes):
    x = np.random.default_rng(0).normal(3.0, 2.0, (4, 8, 8, 16)).astype("float32")
    inputs = keras.Input(x.shape[1:])
    model = keras.Model(inputs, small_normalize(inputs, kind))
    centred = x - x.mean(axes, keepdims=True)
    expected = centred / np.sqrt(x.var(axes, keepdims=True) + 1e-3)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=1e-4)


def small_normalize(x, kind):
    from helpers.architectures.small import normalize

    return normalize(x, kind, name="norm")


@pytest.mark.parametrize("name", studies.STUDIES)
def test_every_variant_makes_a_network_an_optimizer_and_a_batch(name):
    study, images = studies.study(name), tiny_images()
    for variant in study.variants.values():
        model = study.builder(**variant.network)
        recipe = replace(study.recipe, **variant.recipe)
        recipes.compile_model(model, recipe, steps=100)
        training, validation, _ = recipes.generators(recipe, images, seed=0)
        outputs = keras.tree.flatten(model(training[0][0][:2]))
        training.outputs = validation.outputs = len(outputs)
        for batch in (training[0], validation[0]):
            labels, losses = (
                keras.tree.flatten(batch[1]),
                keras.tree.flatten(model.loss),
            )
            for output, y, loss in zip(outputs, labels, losses, strict=True):
                both = keras.ops.convert_to_numpy(output).repeat(len(y) // 2, 0)
                value = keras.losses.get(loss)(y, both)
                assert np.isfinite(keras.ops.convert_to_numpy(value)).all(), variant
        callbacks.check(recipe.callbacks(), model.optimizer)


def test_variants_differ_from_each_other():
    for study in studies.STUDIES.values():
        phrases = [variant.what for variant in study.variants.values()]
        assert len(set(phrases)) == len(phrases)


def test_study_trains_what_is_missing_and_nothing_twice(tiny, capsys):
    assert studies.missing("tiny") == ["plain", "smooth"]
    assert command.main(["tiny", "--variant", "smooth"]) == 0
    assert studies.missing("tiny") == ["plain"]
    first = (tiny / "smooth_seed0" / "run.json").read_bytes()
    assert command.main(["tiny"]) == 0
    assert studies.missing("tiny") == []
    assert (tiny / "smooth_seed0" / "run.json").read_bytes() == first
    assert list(studies.folders("tiny")) == ["plain", "smooth"]

    run = callbacks.read_run(tiny / "smooth_seed0")
    assert run["recipe"] == "tiny/smooth"
    assert run["change"] == "smoothed, longer"
    assert run["data"]["images"] == 120
    assert run["epochs"] == 3
    assert len(callbacks.read_rows(tiny / "smooth_seed0")) == 3
    files = sorted(path.name for path in (tiny / "smooth_seed0").iterdir())
    assert files == ["history.csv", "run.json"]

    table = studies.table("tiny").splitlines()
    assert [line.split(" | ")[:2] for line in table[2:]] == [
        ["| nothing", "2"],
        ["| smoothed, longer", "3"],
    ]
    test = f"{100 * run['test_accuracy']:.1f}"
    assert table[3].split(" | ")[4] == f"{test} |"
    assert studies.table("tiny", ["plain"]).splitlines() == table[:3]
    assert table[3] in capsys.readouterr().out


def test_table_shows_what_views_add(tiny):
    for variant, views in (("plain", 0.5), ("smooth", 0.625)):
        folder = tiny / f"{variant}_seed0"
        folder.mkdir(parents=True)
        run = {"finished": True, "epochs": 1, "test_accuracy": 0.25}
        run["test_accuracy_views"] = views
        (folder / "run.json").write_text(json.dumps(run))
        (folder / "history.csv").write_text(
            "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds\n"
            "1,1.0,0.75,1.0,0.5,0.1,1\n"
        )
    head, _, *rows = studies.table("tiny").splitlines()
    assert head == "| variant | epochs | training | validation | test | test, views |"
    assert rows[0] == "| nothing | 1 | 75.0 | 50.0 | 25.0 | 50.0 |"
    assert rows[1].endswith("| 25.0 | 62.5 |")


def test_a_variant_that_is_an_architecture_has_its_run(tiny, monkeypatch):
    own = studies.Variant("as published", architecture="narrow")
    study = replace(TINY, variants={**TINY.variants, "own": own})
    monkeypatch.setitem(studies.STUDIES, "tiny", study)
    monkeypatch.setitem(BUILDERS, "narrow", TINY.builder)
    short = replace(recipes.RECIPES["course"], epochs=1)
    monkeypatch.setitem(recipes.RECIPES, "course", short)
    assert command.main(["tiny", "--variant", "own"]) == 0
    path = tiny.parents[1] / "narrow_seed0"
    assert studies.folders("tiny") == {"own": path}
    run = callbacks.read_run(path)
    assert (run["architecture"], run["recipe"]) == ("narrow", "course")
    assert run["data"]["images"] == 180
    assert (path / "model.keras").exists()


def test_variants_that_are_architectures_equal_their_runs():
    """What the variant would train is what `helpers.train` trains."""
    for study in studies.STUDIES.values():
        for variant in study.variants.values():
            name = variant.architecture
            if name is None:
                continue
            assert study.images is None
            _, recipe = recipes.recipe_for(name)
            assert replace(study.recipe, **variant.recipe) == recipe
            one, other = study.builder(**variant.network), BUILDERS[name]()
            assert one.to_json() == other.to_json()


def test_interrupted_study_goes_on(tiny, monkeypatch):
    def interrupt(self, epoch, logs=None):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "on_epoch_end", interrupt)
        assert command.main(["tiny"]) == 130
    assert studies.missing("tiny") == ["plain", "smooth"]
    assert command.main(["tiny"]) == 0
    assert studies.missing("tiny") == []


def test_names_that_do_not_exist_are_refused(tiny, capsys):
    with pytest.raises(ValueError, match="no study 'sizes'. Choose one of: schedules"):
        studies.folders("sizes")
    with pytest.raises(ValueError, match="'tiny' has no variant 'odd'"):
        studies.table("tiny", ["odd"])
    with pytest.raises(SystemExit):
        command.main(["tiny", "--variant", "odd"])
    assert "has no variant odd; choose from: plain, smooth" in capsys.readouterr().err


def test_networks_of_the_assignment_keep_its_limit():
    study = studies.STUDIES["assignment"]
    for name, variant in study.variants.items():
        assert study.builder(**variant.network).count_params() < 100_000, name
    ours = study.builder(**study.variants["own"].network)
    assert [w.shape for w in ours.weights] == [w.shape for w in separable().weights]


def test_small_branches_make_every_block_an_identity():
    model = separable_stages([(4, 2, 3), (8, 1, 5)], input_shape=(8, 8, 3))
    small_branches(model, None)
    for stage, block in ((1, 1), (1, 2), (2, 1)):
        part = keras.Model(
            model.get_layer(f"stage{stage}_block{block}_a_conv").input,
            model.get_layer(f"stage{stage}_block{block}_relu").output,
        )
        # What enters has passed a ReLU.
        images = np.random.default_rng(0).uniform(size=(2, *part.input_shape[1:]))
        found = keras.ops.convert_to_numpy(part(images))
        np.testing.assert_allclose(found, images, rtol=1e-6)


def test_choices_of_the_assignment_change_what_they_name():
    def network(**choices):
        return separable_stages([(4, 1, 3), (8, 1, 5)], (8, 8, 3), **choices)

    kernels = [w.shape for w in network(stem=5).get_layer("stage1_first_conv").weights]
    assert kernels == [(3, 3, 3, 5), (1, 1, 15, 4)]
    assert network(stem=5).get_layer("stage2_first_conv").depth_multiplier == 1
    smooth = [layer.name for layer in network(activation="hard_silu").layers]
    assert "stage2_block1_hard_silu" in smooth
    assert not any("relu" in name for name in smooth)
    linear = network(after_addition=False)
    after = linear.get_layer("stage1_block1_add")._outbound_nodes
    assert [node.operation.name for node in after] == ["stage1_dropout"]
    assert "stage1_block1_a_relu" in [layer.name for layer in linear.layers]
