"""Every lecture keeps the rules, and what is generated in it is up to date.

The outputs themselves are compared by the replay, `pytest --nbval notebooks`.
"""

import re
from pathlib import Path

import pytest

from tools import __main__ as tools_main
from tools import badges, hygiene, notebooks

ROOT = Path(__file__).parent.parent
# The assignment is named, so that an empty folder fails instead of testing nothing.
ASSIGNMENT = notebooks.FOLDER / "25_assignment.ipynb"
LECTURES = sorted({*notebooks.lectures(), ASSIGNMENT})


@pytest.fixture(params=LECTURES, ids=lambda path: path.stem)
def lecture(request) -> Path:
    return request.param


def test_lecture_keeps_the_rules(lecture):
    assert hygiene.problems(lecture) == []


def test_quotes_setup_cell_and_badges_are_up_to_date(lecture):
    def edit(notebook):
        tools_main.refresh(notebook, lecture.name)

    assert not notebooks.changed(lecture, edit, save=False), "run: python -m tools"


def test_name_is_a_number_and_a_topic(lecture):
    number, _, topic = lecture.stem.partition("_")
    assert len(number) == 2 and number.isdigit()
    assert topic.isidentifier() and topic.islower()


def test_numbers_are_unique():
    numbers = [path.stem.partition("_")[0] for path in LECTURES]
    assert sorted(set(numbers)) == numbers


def test_readme_lists_every_lecture():
    assert not badges.refresh_readme(save=False), "run: python -m tools"


def test_links_of_the_readme_lead_somewhere():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_badges_lead_to_files_of_this_repository():
    where = notebooks.project()
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(rf"blob/{where.branch}/(\S+?\.ipynb)\)", text)
    expected = [f"notebooks/{path.name}" for path in LECTURES for _ in range(2)]
    assert found == expected
    assert all((ROOT / path).exists() for path in found)
