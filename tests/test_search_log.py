"""Trials in CSV files: what is written is read again, and a search goes on from it."""

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from helpers import search_log
from helpers.architectures.search import MemoryStorage, random_search, search
from helpers.architectures.search_space import Space
from helpers.search_log import MEASURED, Table, TrialLog

CHOICES = {"filters": (1, 2, 3, 5), "kind": ("plain", "wide"), "depth": (0, 1, 2)}


def build(candidate):
    inputs = keras.Input((4, 4, 1))
    return keras.Model(inputs, layers.Conv2D(candidate["filters"], 1)(inputs))


SPACE = Space(CHOICES, build, lambda candidate: 10 * candidate["filters"])
CANDIDATE = {"filters": 3, "kind": "wide", "depth": 0}


def score(candidate):
    return candidate["filters"] / 7 + candidate["depth"] / 13


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 99)), max_size=4))
def test_table_gives_back_what_it_was_given(tmp_path_factory, measured):
    folder = tmp_path_factory.mktemp("table")
    table = Table(folder / "t.csv", SPACE, {"accuracy": float, "seed": int})
    for accuracy, seed in measured:
        table.add(CANDIDATE, accuracy=accuracy, seed=seed)
    again = Table(folder / "t.csv", SPACE, {"accuracy": float, "seed": int})
    assert again.rows() == [
        {"candidate": CANDIDATE, "accuracy": a, "seed": s} for a, s in measured
    ]


def test_table_of_another_space_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("filters,kind,accuracy\n3,wide,0.5\n")
    with pytest.raises(ValueError, match=r"t\.csv has the columns .*another space"):
        Table(path, SPACE, {"accuracy": float}).rows()


@pytest.mark.parametrize("row", ["4,wide,0,0.5", "3,wide,0,high", "3,wide,0"])
def test_damaged_line_is_named(tmp_path, row):
    path = tmp_path / "t.csv"
    path.write_text(f"filters,kind,depth,accuracy\n3,wide,0,0.5\n{row}\n")
    with pytest.raises(ValueError, match=r"t\.csv, line 3: .*Mend the line"):
        Table(path, SPACE, {"accuracy": float}).rows()


def test_table_needs_every_column(tmp_path):
    table = Table(tmp_path / "t.csv", SPACE, {"accuracy": float, "seed": int})
    with pytest.raises(KeyError, match="seed"):
        table.add(CANDIDATE, accuracy=0.5)
    assert table.rows() == []


def test_search_goes_on_from_a_log_as_if_it_had_not_stopped(tmp_path):
    whole = search(SPACE, random_search, score, 8, MemoryStorage(), seed=5)
    calls = []

    def interrupted(candidate):
        calls.append(candidate)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return score(candidate)

    with pytest.raises(KeyboardInterrupt):
        log = TrialLog(tmp_path, SPACE, "random", 5)
        search(SPACE, random_search, interrupted, 8, log, seed=5)
    log = TrialLog(tmp_path, SPACE, "random", 5)
    assert log.trials() == whole[:3]
    assert search(SPACE, random_search, score, 8, log, seed=5) == whole


def test_log_counts_work_and_time_of_every_trial(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(search_log.time, "perf_counter", lambda: now[0])

    def evaluate(candidate):
        now[0] += 12.34
        return score(candidate)

    log = TrialLog(tmp_path, SPACE, "random", 5)
    trials = search(SPACE, random_search, evaluate, 3, log, seed=5)
    rows = log.rows()
    assert list(rows[0]) == ["candidate", *MEASURED]
    assert [row["candidate"] for row in rows] == [t.candidate for t in trials]
    assert all(row["seconds"] == 12.3 for row in rows)
    # A 1x1 convolution of one channel on 16 positions.
    assert all(r["multiply_adds"] == 16 * r["candidate"]["filters"] for r in rows)
    assert {(row["algorithm"], row["seed"]) for row in rows} == {("random", 5)}
