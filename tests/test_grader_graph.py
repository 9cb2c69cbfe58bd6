"""The grader's arithmetic is Keras' and the course's own, on random networks."""

import random
import sys
from pathlib import Path

import pytest

from grader import layers as kinds
from grader import sheet
from grader.configs import read_model
from grader.evidence import gather
from grader.files import collect
from grader.graph import Node, chain, describe
from grader.interpret import Interpreter
from grader.rules import judge
from grader.source import statements

sys.path.insert(0, str(Path(__file__).parent / "fixtures" / "grader"))

import student  # noqa: E402


def network_of(code: str):
    machine = Interpreter()
    body, skipped = statements(code)
    assert not skipped
    machine.run(1, body)
    return machine.networks[-1]


def test_base_network_has_the_sheet_s_numbers():
    code = student.BASE_CODE.replace("num_classes", "10")
    description = describe(network_of(code).nodes)
    assert description.parameters == 1_172_410
    rows = [row for row in description.rows if row.layer.is_windowed]
    assert [row.shape[0] for row in rows] == [32, 30, 15, 15, 13, 6, 6, 4, 2]
    assert [row.field[0] for row in rows] == [3, 5, 6, 10, 14, 16, 24, 32, 36]
    assert sheet.is_base(description)


@pytest.mark.parametrize(
    ("code", "kernel", "strides"),
    [
        ("SeparableConv2D(32, 1, 1)", (1, 1), (1, 1)),
        ("Convolution2D(48, 3, 5, border_mode='same')", (3, 5), (1, 1)),
        ("Convolution2D(nb_filter=8, nb_row=5, nb_col=3)", (5, 3), (1, 1)),
        ("Conv2D(8, (3, 3), (2, 2))", (3, 3), (2, 2)),
        ("Conv2D(8, 3, strides=2)", (3, 3), (2, 2)),
        ("Convolution2D(8, 3, 3, subsample=(2, 2))", (3, 3), (2, 2)),
        ("SeparableConv2D(filters=8, kernel_size=(5, 5))", (5, 5), (1, 1)),
    ],
)
def test_argument_styles(code, kernel, strides):
    network = network_of(f"m = Sequential()\nm.add({code})")
    options = network.nodes[0].layer.options
    assert options["kernel"] == kernel
    assert options["strides"] == strides


def test_tensorflow_keras_knows_no_positional_kernel_sides():
    network = network_of(
        "from tensorflow.keras.layers import SeparableConv2D\n"
        "m = Sequential()\nm.add(SeparableConv2D(8, 3, 2))"
    )
    options = network.nodes[0].layer.options
    assert (options["kernel"], options["strides"]) == ((3, 3), (2, 2))


def random_stack(seed: int) -> list[tuple[str, dict]]:
    """Return layers as (class, arguments) that fit a 32x32x3 image."""
    draw = random.Random(seed)
    stack: list[tuple[str, dict]] = []
    side = 32
    while len(stack) < 9:
        kind = draw.choice(
            ["SeparableConv2D", "Conv2D", "DepthwiseConv2D", "MaxPooling2D"]
            + ["AveragePooling2D", "BatchNormalization", "ZeroPadding2D"]
        )
        padding = draw.choice(["same", "valid"])
        kernel = draw.choice([1, 2, 3, 5])
        stride = draw.choice([1, 1, 1, 2])
        if kind == "BatchNormalization":
            stack.append((kind, {"scale": draw.random() < 0.7}))
            continue
        if kind == "ZeroPadding2D":
            pad = draw.choice([1, 2])
            stack.append((kind, {"padding": pad}))
            side += 2 * pad
            continue
        if "Pool" in kind:
            arguments = {"pool_size": draw.choice([2, 3]), "padding": padding}
            span = arguments["pool_size"]
            stride = span
        else:
            dilation = draw.choice([1, 1, 2]) if stride == 1 else 1
            arguments = {
                "kernel_size": kernel,
                "strides": stride,
                "padding": padding,
                "dilation_rate": dilation,
                "use_bias": draw.random() < 0.5,
            }
            if kind != "DepthwiseConv2D":
                arguments["filters"] = draw.choice([4, 6, 10])
            if kind != "Conv2D":
                arguments["depth_multiplier"] = draw.choice([1, 2])
            span = (kernel - 1) * dilation + 1
        if padding == "valid":
            if side < span:
                continue
            side = (side - span) // stride + 1
        else:
            side = -(-side // stride)
        stack.append((kind, arguments))
    return stack


@pytest.mark.parametrize("seed", range(12))
def test_random_stacks_agree_with_keras_and_helpers(seed):
    keras = pytest.importorskip("keras")
    from helpers.describe import describe as described
    from helpers.receptive_field import receptive_fields

    stack = random_stack(seed)
    inputs = keras.Input((32, 32, 3))
    x = inputs
    for i, (kind, arguments) in enumerate(stack):
        x = getattr(keras.layers, kind)(name=f"layer{i}", **arguments)(x)
    model = keras.Model(inputs, x)
    read = [kinds.read_call(kind, [], arguments) for kind, arguments in stack]
    mine = describe(chain(read), (32, 32, 3))
    assert mine.broken is None
    assert mine.parameters == model.count_params() == described(model).parameters
    fields = receptive_fields(model)
    for i, row in enumerate(mine.rows):
        layer = model.get_layer(f"layer{i}")
        assert row.shape == tuple(layer.output.shape[1:])
        if row.layer.is_windowed:
            assert row.field == fields[f"layer{i}"].size


def test_residual_branch_agrees_with_helpers():
    keras = pytest.importorskip("keras")
    from helpers.receptive_field import receptive_fields

    inputs = keras.Input((32, 32, 3))
    stem = keras.layers.SeparableConv2D(8, 3, padding="same", name="stem")(inputs)
    deep = keras.layers.SeparableConv2D(8, 5, padding="same", name="deep")(stem)
    joined = keras.layers.Add(name="join")([stem, deep])
    last = keras.layers.MaxPooling2D(2, name="last")(joined)
    model = keras.Model(inputs, last)

    image = Node(kinds.read_call("InputLayer", [(32, 32, 3)], {}))
    a = Node(kinds.read_call("SeparableConv2D", [8, 3], {"padding": "same"}), (image,))
    b = Node(kinds.read_call("SeparableConv2D", [8, 5], {"padding": "same"}), (a,))
    c = Node(kinds.read_call("Add", [], {}), (a, b))
    d = Node(kinds.read_call("MaxPooling2D", [2], {}), (c,))
    mine = describe([image, a, b, c, d])
    fields = receptive_fields(model)
    assert [row.field for row in mine.rows] == [
        fields[name].size for name in ("stem", "deep", "join", "last")
    ]
    assert mine.parameters == model.count_params()


def test_stored_models_are_read_without_keras(tmp_path):
    keras = pytest.importorskip("keras")
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.SeparableConv2D(16, 3, padding="same", name="a")(inputs)
    y = keras.layers.BatchNormalization(name="b")(x)
    x = keras.layers.Add(name="c")([x, y])
    x = keras.layers.GlobalAveragePooling2D(name="d")(x)
    model = keras.Model(inputs, keras.layers.Dense(10, name="e")(x))
    model.save(tmp_path / "own.keras")
    (tmp_path / "model.json").write_text(model.to_json())
    for name in ("own.keras", "model.json"):
        description = describe(read_model(tmp_path / name))
        assert description.broken is None
        assert description.parameters == model.count_params()
        assert description.rows[0].field == (3, 3)


def run_folder(folder: Path, name: str, curve: list[float], parameters: int) -> Path:
    import json

    run = folder / "logs" / name
    run.mkdir(parents=True)
    head = "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds"
    rows = [f"{i},0.9,0.7,0.8,{v},0.001,12.5" for i, v in enumerate(curve, 1)]
    (run / "history.csv").write_text("\n".join([head, *rows]) + "\n")
    info = {
        "architecture": name,
        "parameters": parameters,
        "epochs": 50,
        "profile": "full",
        "data": {"source": "CIFAR-10", "sha256": "0" * 64},
    }
    (run / "run.json").write_text(json.dumps(info))
    return run


def test_the_course_s_own_readme_passes(tmp_path):
    pytest.importorskip("keras")
    submission = pytest.importorskip("helpers.submission")
    from helpers.architectures.separable import separable

    model = separable()
    base = run_folder(tmp_path, "base", student.BASE_CURVE, 1_172_410)
    own = run_folder(tmp_path, "separable", student.OWN_CURVE, model.count_params())
    model.save(own / "model.keras")
    submission.write_readme(tmp_path, base, own, model)
    cells = [student.cell("from helpers.architectures import separable")]
    (tmp_path / "Assignment 3.ipynb").write_text(student.notebook(*cells))
    grade = judge("own", gather(collect(tmp_path)))
    found = {key: rule.verdict for key, rule in grade.rules.items()}
    assert grade.parameters == model.count_params()
    assert grade.base_final == student.BASE_CURVE[-1]
    assert {key for key, verdict in found.items() if verdict != "pass"} == set(), [
        grade.rules[key] for key, verdict in found.items() if verdict != "pass"
    ]
