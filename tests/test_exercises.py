"""The solutions of the exercises pass the asserts that students are judged by."""

from multiprocessing import get_context

import pytest
from exercises import split
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from solving import begin, cheapen, problems, problems_of

from tools import notebooks
from tools.hygiene import MIN_EXERCISES

# The assignment is named, so that an empty folder fails instead of testing nothing.
ASSIGNMENT = notebooks.FOLDER / "25_assignment.ipynb"
LECTURES = sorted({*notebooks.lectures(), ASSIGNMENT})
# What cells before the exercises take long for, and less of it: no solution depends
# on how well a network was trained, or on how many images were looked at.
CHEAPER = {
    "20_transfer_learning": {"train=1_000": "train=64"},
    "22_seeing": {
        "else 100": "else 8",
        "data.load_cifar10()": "data.load_cifar10().take(test=200)",
    },
}


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """A process of its own: lectures draw figures, and set seeds and precisions.

    One for all lectures, because TensorFlow takes seconds to import.
    """
    folder = tmp_path_factory.mktemp("exercises")
    with get_context("spawn").Pool(1, begin, (folder,)) as pool:
        yield pool


@pytest.mark.parametrize("path", LECTURES, ids=lambda path: path.stem)
def test_solutions_pass_the_asserts(path, elsewhere):
    _, exercises = split(notebooks.read(path))
    assert sum(exercise.asserts for exercise in exercises) >= MIN_EXERCISES
    answer = elsewhere.apply_async(problems_of, (path, CHEAPER.get(path.stem, {})))
    assert answer.get(timeout=300) == []


def test_lectures_that_are_made_cheaper_are_there():
    assert set(CHEAPER) <= {path.stem for path in LECTURES}


def test_a_piece_to_make_cheaper_must_be_there_once():
    notebook = lecture("`twice = 42`", before=["number = 21", "number = 21"])
    for piece, times in (("21", 2), ("42", 0)):
        with pytest.raises(ValueError, match=f"holds '{piece}' {times} times"):
            cheapen(notebook, {piece: "1"})


ASKED = "### Exercise 1: double\n\nHow much is it?"
CELL = "twice = None\nif twice is not None:\n    assert twice == 2 * number"


def folded(solution):
    return f"<details><summary>Solution</summary>\n\n{solution}\n</details>\n\n"


def lecture(solution, cell=CELL, before=("number = 21",), after=()):
    """A made-up lecture with one exercise, and more of it in `after`."""
    return new_notebook(
        cells=[
            new_markdown_cell("# Numbers"),
            *map(new_code_cell, before),
            new_markdown_cell(f"## Exercises\n\n{ASKED}"),
            new_code_cell(cell),
            new_markdown_cell(folded(solution) + "".join(after[:1])),
            *map(new_code_cell, after[1:2]),
            *map(new_markdown_cell, after[2:]),
        ]
    )


@pytest.mark.parametrize(
    "solution",
    [
        "`twice = 42`: as `number = 21`.",
        "`number` is given: `twice = 2 * number`.",
        "```python\nhalf = number\ntwice = half + half\n```\n`twice = 0` is wrong.",
    ],
)
def test_a_right_solution_passes(solution):
    assert problems(lecture(solution)) == []


@pytest.mark.parametrize(
    ("solution", "complaint"),
    [
        ("`twice = 41`.", "AssertionError, at: assert twice == 2 * number"),
        ("`twice = undefined`.", "NameError name 'undefined' is not defined"),
        ("`twice = None`.", "not reached: assert twice == 2 * number"),
        ("```python\ntwice = 41\n```\nand `twice = 42`", "AssertionError"),
    ],
)
def test_a_wrong_solution_fails(solution, complaint):
    alone, after_others = problems(lecture(solution))
    assert alone.startswith("Exercise 1: double, alone: ") and complaint in alone
    assert "after the others: " in after_others and complaint in after_others


@pytest.mark.parametrize(
    "solution", ["Count.", "`42`", "`double = 42`", "```python\ntwo = 2\n```", "`=`"]
)
def test_a_solution_that_does_not_set_the_name_fails(solution):
    expected = "Exercise 1: double: no code in the solution sets twice"
    assert problems(lecture(solution)) == [expected]


def test_an_assert_without_a_solution_fails():
    notebook = lecture("`twice = 42`")
    notebook.cells[-1].source = "## References"
    [problem] = problems(notebook)
    assert "no code in the solution sets twice" in problem


def test_an_exercise_that_asks_for_no_name_fails():
    [problem] = problems(lecture("`twice = 42`", cell="assert 2 * number == 42"))
    assert problem.endswith(": 0 statements to fill in: one is needed")


def test_all_names_are_asked_for():
    cell = "twice, half = None, None\nassert half is None or twice == 4 * half"
    assert problems(lecture("`twice, half = 42, 10.5`", cell)) == []
    [problem] = problems(lecture("`twice = 42`", cell))
    assert problem.endswith("sets half, twice")


def test_a_class_to_fill_in_is_replaced():
    cell = "class Two:\n    def __call__(self):\n        return None\n\n\nx = Two()()"
    cell += "\nif x is not None:\n    assert x == 2"
    block = "```python\nclass Two:\n    def __call__(self):\n        return {}\n```"
    assert problems(lecture(block.format(2), cell)) == []
    assert len(problems(lecture(block.format(3), cell))) == 2


def test_only_what_an_exercise_needs_is_run():
    before = ["number = 21", "raise RuntimeError('this trains for hours')"]
    assert problems(lecture("`twice = 42`", before=before)) == []
    [problem] = problems(lecture("`twice = 42`", before=["number = 1 / 0"]))
    assert problem.startswith("before the exercises: ZeroDivisionError")


def test_an_answer_must_not_disturb_the_next_exercise():
    more = [
        "### Exercise 2: again",
        "again = None\nassert again is None or again == number",
        folded("`again = 21`"),
    ]
    assert problems(lecture("`twice = 42`", after=more)) == []
    disturbing = "`number, twice = 0, 0`"
    [problem] = problems(lecture(disturbing, after=more))
    assert problem.startswith("Exercise 2: again, after the others: AssertionError")


@pytest.mark.parametrize(
    ("solution", "failures"),
    [
        ("Think of `nothing = 1 / 0`.", 0),
        ("```python\nassert number == 21\n```", 0),
        ("```python\nassert number == 22\n```", 2),
    ],
)
def test_the_block_of_an_open_exercise_is_run(solution, failures):
    more = f"### Exercise 2: think\n\n{folded(solution)}## References"
    assert len(problems(lecture("`twice = 42`", after=[more]))) == failures
