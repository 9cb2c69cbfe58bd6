"""The grader agrees with verdicts made by hand, on submissions in many forms."""

import sys
from pathlib import Path

import pytest

from grader import sheet
from grader.grading import grade_to_dict

sys.path.insert(0, str(Path(__file__).parent / "fixtures" / "grader"))

import cases  # noqa: E402
import student  # noqa: E402


def verdicts(files: dict[str, str], folder: Path) -> dict[str, str]:
    report = grade_to_dict(student.write(folder, files))
    return {key: rule["verdict"] for key, rule in report["rules"].items()}


@pytest.mark.parametrize("name", list(cases.CASES))
def test_verdicts_are_those_made_by_hand(name, tmp_path):
    files, expected = cases.CASES[name]
    found = verdicts(files, tmp_path)
    assert tuple(found) == sheet.KEYS
    differing = {key: verdict for key, verdict in found.items() if verdict != "pass"}
    wanted = {key: verdict for key, verdict in expected.items() if verdict != "pass"}
    assert differing == wanted
