"""What the grader reads in logs, summaries, notes and code, piece by piece."""

import sys
from pathlib import Path

import pytest

from grader.comments import field_agrees, interpret_notes, size_agrees
from grader.graph import describe
from grader.interpret import Interpreter
from grader.logs import find_logs
from grader.notes import comment_of
from grader.readme import code_lines
from grader.source import statements, without_magics
from grader.summaries import find_summaries
from grader.values import UNKNOWN

sys.path.insert(0, str(Path(__file__).parent / "fixtures" / "grader"))

import student  # noqa: E402

# Logs


def test_a_log_gives_number_and_accuracy_of_each_epoch():
    (log,) = find_logs(student.log([0.5, 0.625, 0.6]))
    assert log.accuracies == {1: 0.5, 2: 0.625, 3: 0.6}
    assert (log.final, log.best(50), log.total) == (0.6, (0.625, 2), 3)


def test_the_best_counts_within_its_epochs_and_the_first_of_equals():
    (log,) = find_logs(student.log([0.5, 0.7, 0.7, 0.9]))
    assert log.best(3) == (0.7, 2)
    assert log.best(4) == (0.9, 4)


@pytest.mark.parametrize(
    ("drop", "numbers"),
    [(0, [1, 2, 3]), (2, [1, 2, 3]), (4, [1, 2, 3])],
)
def test_a_lost_header_is_made_up_for(drop, numbers):
    lines = student.log([0.5, 0.6, 0.7], total=3).split("\n")
    del lines[drop]
    (log,) = find_logs("\n".join(lines))
    assert [result.number for result in log.results] == numbers


def test_a_new_count_from_one_is_a_new_run():
    logs = find_logs(student.log([0.5, 0.6]) + "\n" + student.log([0.3, 0.4, 0.45]))
    assert [len(log.results) for log in logs] == [2, 3]


def test_a_result_pasted_behind_the_last_epoch_adds_none():
    text = student.log([0.5, 0.6], total=2) + "2/2 - acc: 0.6 - val_acc: 0.6000\n"
    (log,) = find_logs(text)
    assert len(log.results) == 2


@pytest.mark.parametrize("epochs", [48, 49, 50])
def test_fifty_epochs_but_for_one(epochs):
    lines = student.log(student.OWN_CURVE).split("\n")
    del lines[20 : 20 + 2 * (50 - epochs)]
    (log,) = find_logs("\n".join(lines))
    assert log.covers(50) == (epochs >= 49)


def test_progress_lines_and_checkpoints_are_no_epochs():
    text = (
        "Epoch 1/2\n 97/390 [==>...] - ETA: 9s - loss: 1.1 - acc: 0.6012\n"
        "390/390 - loss: 1.0 - acc: 0.6 - val_loss: 1.0 - val_acc: 0.6100\n"
        "Epoch 00001: val_acc improved from -inf to 0.61000, saving model to w.h5\n"
        "Epoch 2/2\n390/390 - loss: 1.0 - acc: 0.6 - val_loss: 1.0 - val_acc: 0.6200\n"
    )
    (log,) = find_logs(text)
    assert log.accuracies == {1: 0.61, 2: 0.62}


def test_percentages_are_fractions():
    (log,) = find_logs("Epoch 1/2\nval_acc: 82.46\nEpoch 2/2\nval_acc: 83.5\n")
    assert log.accuracies == {1: 0.8246, 2: 0.835}


# Summaries


def test_an_old_summary_agrees_with_its_network():
    (summary,) = find_summaries(student.summary())
    assert summary.total == student.PARAMETERS
    machine = Interpreter()
    machine.run(1, statements(student.own_code())[0])
    description = describe(machine.networks[0].nodes)
    assert description.parameters == student.PARAMETERS
    assert summary.differs(description) is None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("(Separab", "(Conv2D)", "Conv2D where"),
        ("30, 30, 48", "29, 29, 48", "output"),
        ("10176", "10175", "parameters"),
    ],
)
def test_a_summary_of_another_network_differs(old, new, words):
    text = student.summary().replace(old, new, 1).replace("separable_conv2d_1 ", "c ")
    (summary,) = find_summaries(text)
    machine = Interpreter()
    machine.run(1, statements(student.own_code())[0])
    assert words in summary.differs(describe(machine.networks[0].nodes))


def test_the_summary_that_keras_3_prints():
    text = """
┃ Layer (type)          ┃ Output Shape      ┃    Param # ┃
│ conv2d (Conv2D)       │ (None, 32, 32, 8) │        224 │
│ dense (Dense)         │ (None, 10)        │     81,930 │
 Total params: 82,154 (320.91 KB)
"""
    (summary,) = find_summaries(text)
    assert [(x.kind, x.shape, x.parameters) for x in summary.lines] == [
        ("Conv2D", (32, 32, 8), 224),
        ("Dense", (10,), 81_930),
    ]
    assert summary.total == 82_154


# Notes. Four layers; each form says size n, channels c and field r in its own way,
# knowing the size and the field before it.
SHAPES = [(32, 32, 48), (30, 30, 48), (15, 15, 48), (13, 13, 96)]
FIELDS = [(3, 3), (5, 5), (6, 6), (10, 10)]
FORMS = {
    "letters, bold": lambda n, c, r, m, q: f"**#S-{n}, R-{r}**",
    "dims, x": lambda n, c, r, m, q: f"{n}x{n}x{c} RF={r}",
    "size is": lambda n, c, r, m, q: f"(output size is {n}*{n}*{c},R.F is {r}*{r})",
    "bare dims": lambda n, c, r, m, q: f"({n}*{n}*{c},{r}*{r})",
    "triple": lambda n, c, r, m, q: f"({n},{n},{c}) {r}",
    "field, triple": lambda n, c, r, m, q: f"{r} ({n}, {n}, {c})",
    "detailed": lambda n, c, r, m, q: (
        f"rin={q}, nin={m}x{m}, cin=3, jin=1, k=3, p=1, s=1, jout=1, rout={r}, "
        f"nout={n}x{n}, cout={c}"
    ),
    "size RF": lambda n, c, r, m, q: f"{n} RF {r}",
    "size, RF": lambda n, c, r, m, q: f"size={n} Receptive Field={r}",
    "dashes": lambda n, c, r, m, q: f"{r}x{r} -{n}x{n}-{c}",
    "arrow": lambda n, c, r, m, q: f"{m}x{m} -> {n}x{n}x{c}, RF {r}",
    "arrows": lambda n, c, r, m, q: f"RF: {q} -> {r}, size: {m} -> {n}",
    "behind": lambda n, c, r, m, q: f"{r}x{r} receptive field, {n}x{n}x{c} output",
    "brackets": lambda n, c, r, m, q: f"[{n},{n},{c}] [{r},{r}]",
    "at": lambda n, c, r, m, q: f"{n}x{n}@{c}, RF:{r}",
    "names": lambda n, c, r, m, q: f"output_size={n} receptive_field={r}",
    "jump last": lambda n, c, r, m, q: f"Out = {n} , RF = {r}, J=2",
    "channels word": lambda n, c, r, m, q: f"{c} channels, {n}x{n}, RF = {r}x{r}",
    "local and global": lambda n, c, r, m, q: f"o/p {n}x{n}x{c}, GRF {r}x{r}, LRF 3x3",
    "input too": lambda n, c, r, m, q: f"Input: {m}x{m} Output: {n}x{n}x{c} RF: {r}",
    "outputsize": lambda n, c, r, m, q: f"(outputsize - {n}, Receptive Field - {r})",
    "commas": lambda n, c, r, m, q: f"Output Size: {n},{n},{c}   RF: {r}",
    "misspelt": lambda n, c, r, m, q: f"ouput: {n}, receptive feild: {r}",
}


def notes(form, sizes, fields):
    before = [(32, 1), *zip((s[0] for s in sizes), (f[0] for f in fields), strict=True)]
    return [
        form(s[0], s[2], f[0], *b)
        for s, f, b in zip(sizes, fields, before, strict=False)
    ]


@pytest.mark.parametrize("name", list(FORMS))
def test_notes_are_understood(name):
    claims = interpret_notes(notes(FORMS[name], SHAPES, FIELDS), SHAPES, FIELDS)
    for claim, shape, field in zip(claims, SHAPES, FIELDS, strict=True):
        assert claim.size is not None and size_agrees(claim.size, shape)
        assert claim.field is not None and field_agrees(claim.field, field)


@pytest.mark.parametrize("name", list(FORMS))
@pytest.mark.parametrize("role", ["size", "field"])
def test_one_wrong_number_is_seen(name, role):
    sizes, fields = list(SHAPES), list(FIELDS)
    if role == "size":
        sizes[3] = (14, 14, 96)
    else:
        fields[3] = (12, 12)
    claims = interpret_notes(notes(FORMS[name], sizes, fields), SHAPES, FIELDS)
    if role == "size":
        assert claims[3].size is not None
        assert not size_agrees(claims[3].size, SHAPES[3])
    else:
        assert claims[3].field is not None
        assert not field_agrees(claims[3].field, FIELDS[3])


def test_the_result_of_a_sum_is_the_claim():
    (claim,) = interpret_notes(["output=(32+2*0-3)+1=30"], [(30, 30, 8)], [(3, 3)])
    assert claim.size == (30,)


def test_code_that_is_switched_off_is_no_note():
    assert comment_of("x = 1  # model.add(MaxPooling2D()) # 2x2x48") == ""
    assert comment_of("name = '#1'  # 30x30") == "30x30"


# Code


def test_magics_and_old_prints_leave_the_rest_readable():
    source = "% matplotlib inline\n!pip install x\nprint 'a', b\nfiles = !ls\ny = 3\n"
    body, skipped = statements(source)
    assert not skipped
    machine = Interpreter()
    machine.run(1, body)
    assert machine.names["y"] == 3
    assert without_magics("%%javascript\nalert(1)") == ""


def test_a_line_that_is_no_python_costs_only_itself():
    body, skipped = statements("a = 1\nthis is some prose\nb = 2\n")
    assert skipped == [2]
    assert len(body) == 2


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("x = 2 ** 5 + 7 // 2", 35),
        ("x = [i * 2 for i in range(4) if i > 1]", [4, 6]),
        ("x = 0\nfor a, b in zip([1, 2], (3, 4)):\n    x += a * b", 11),
        ("def f(n, k=3):\n    return n * k\nx = f(2)", 6),
        ("def f(n):\n    return 1 if n < 2 else n * f(n - 1)\nx = f(5)", 120),
        ("d = {'a': 5}\nx = d['a']", 5),
        ("n = 0\nwhile n < 7:\n    n += 1\nx = n", 7),
        ("f = lambda a: a + 1\nx = f(1)", 2),
        ("def f():\n    global x\n    x = 8\nf()", 8),
        ("(a, b), c = (1, 2), 3\nx = a + b + c", 6),
        ("x = 32 if 'a' in ['a'] and not False else 0", 32),
        ("x = open('/etc/passwd').read()", UNKNOWN),
        ("x = __import__('os').getcwd()", UNKNOWN),
        ("x = 10 ** 10 ** 10", UNKNOWN),
        (
            "from keras.datasets import cifar10\n"
            "(a, b), (c, d) = cifar10.load_data()\nx = len(np.unique(b))",
            10,
        ),
    ],
)
def test_small_python_is_followed(code, value):
    body, skipped = statements(code)
    assert not skipped
    machine = Interpreter()
    machine.run(1, body)
    assert machine.names["x"] == value


def test_a_branch_on_an_unknown_value_leaves_the_network_unsure():
    body, _ = statements(
        "m = Sequential()\nif os.path.exists('x'):\n    m.add(Dense(3))\n"
    )
    machine = Interpreter()
    machine.run(1, body)
    assert "condition in line 2" in machine.networks[0].unsure


def test_statements_on_one_line_of_a_readme_are_told_apart():
    lines = code_lines(
        "model = Sequential() model.add(Dense(3)) #RF=3 model.add(Flatten()) done"
    )
    assert lines == [
        "model = Sequential()",
        "model.add(Dense(3))  # RF=3",
        "model.add(Flatten())  # done",
    ]


def test_prose_is_no_code_and_switched_off_code_neither():
    text = "I added layers (many).\n# model.add(Dense(9))\nmodel.add(Dense(3))\n"
    kept = [line for line in code_lines(text) if line and line[0] != "#"]
    assert kept == ["model.add(Dense(3))"]
