"""Damaged submissions get a report, never a traceback.

A few hundred run here. `GRADER_FUZZ=10000 pytest tests/test_grader_fuzz.py` runs
as many as that.
"""

import json
import os
import random
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import sheet
from grader.claims import base_claims
from grader.comments import interpret_notes
from grader.grading import NothingToGrade, grade_to_dict
from grader.interpret import Interpreter
from grader.logs import find_logs
from grader.notebook import Unreadable, read_cells
from grader.readme import code_lines
from grader.source import statements
from grader.summaries import find_summaries
from grader.values import OutOfBudget

sys.path.insert(0, str(Path(__file__).parent / "fixtures" / "grader"))

import cases  # noqa: E402
import mutate  # noqa: E402
import student  # noqa: E402

COUNT = int(os.environ.get("GRADER_FUZZ", "300"))
CHUNKS = 10
MOST_SECONDS = 6.0  # of processor time, for one damaged submission


def check(report: dict) -> None:
    assert tuple(report["rules"]) == sheet.KEYS
    for rule in report["rules"].values():
        assert rule["verdict"] in ("pass", "fail", "unproven")
        assert all(line.isprintable() for line in rule["evidence"])
        assert rule["evidence"]
    json.dumps(report).encode("utf-8")


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_damaged_submissions(chunk, tmp_path):
    forms = [files for files, _ in cases.CASES.values()]
    for i in range(chunk, COUNT, CHUNKS):
        draw = random.Random(i)
        files = mutate.damaged(draw.choice(forms), draw)
        folder = student.write(tmp_path / str(i), files)
        began = time.process_time()
        try:
            check(grade_to_dict(folder))
        except NothingToGrade:
            pass
        except Exception as error:
            raise AssertionError(f"damaged submission {i}") from error
        assert time.process_time() - began < MOST_SECONDS, i
        for name in files:
            (folder / name).unlink()


# Text as students' files have it, and anything else.
WORDS = st.sampled_from(
    [*mutate.ODD, *student.own_code().split(), *student.summary().split("\n")[:6]]
)
TEXT = st.lists(st.one_of(WORDS, st.text(max_size=12)), max_size=60).map(" ".join)
FAST = settings(max_examples=min(200, COUNT), deadline=None)


@FAST
@given(TEXT)
def test_no_text_stops_the_parsers(text):
    find_logs(text)
    find_summaries(text)
    base_claims(text)
    statements("\n".join(code_lines(text)))


@FAST
@given(TEXT)
def test_no_code_stops_the_interpreter(text):
    body, _ = statements(text)
    try:
        Interpreter(steps=5_000).run(1, body)
    except OutOfBudget:
        pass


@FAST
@given(st.lists(TEXT, min_size=1, max_size=4))
def test_no_note_stops_the_reading(notes):
    shapes = [(30, 30, 48)] * len(notes)
    claims = interpret_notes(notes, shapes, [(3, 3)] * len(notes))
    assert len(claims) == len(notes)


@FAST
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    ["cells", "source", "outputs", "text", "data", "cell_type"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=30,
    )
)
def test_no_json_stops_the_notebook_reader(content):
    try:
        cells = read_cells(json.dumps(content))
    except Unreadable:
        return
    assert all(isinstance(cell.source, str) for cell in cells)
