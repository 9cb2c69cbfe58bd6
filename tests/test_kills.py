"""The proof: killed at any moment and run again, a training ends as if never killed.

`pytest tests/test_kills.py --kills 500 -s` kills more often and prints the tally.
"""

import collections
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from same_bits import assert_same_bits

HERE = Path(__file__).resolve().parent
SAVING = (
    "before saving",
    "half written",
    "before renaming",
    "after renaming",
    "before dropping",
    "after saving",
)


class Server:
    """The process that forks trainings; see resume_child.py."""

    def __init__(self):
        path = os.pathsep.join([str(HERE.parent), str(HERE)])
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "resume_child.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )

    def train(self, folder, outcome, point=None, delay=None, since=1):
        """Orders a training and returns what became of it."""
        order = {"folder": str(folder), "outcome": str(outcome)}
        order |= {"point": point, "delay": delay, "since": since}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the server of trainings died"
        return json.loads(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


@pytest.fixture(scope="module")
def server():
    if not hasattr(os, "fork"):
        pytest.skip("trainings are forked, which this system cannot do")
    server = Server()
    yield server
    server.close()


def load(path):
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def test_a_training_killed_at_random_ends_as_if_never_killed(server, tmp_path, request):
    wanted = request.config.getoption("--kills")
    whole = tmp_path / "whole"
    uninterrupted = server.train(whole, tmp_path / "whole.npz")
    assert uninterrupted["code"] == 0
    expected = load(tmp_path / "whole.npz")
    passed = json.loads((whole / "points.json").read_text())

    rng = random.Random(0)
    kills, again, runs, arrays = [], 0, 0, 0
    while len(kills) < wanted:
        folder, outcome = tmp_path / f"run{runs}", tmp_path / f"run{runs}.npz"
        epochs = []  # in which this run was killed
        while True:
            plan = {}
            if len(kills) < wanted:
                plan = moment(rng, passed, uninterrupted["seconds"])
            result = server.train(folder, outcome, **plan)
            if not result["killed"]:
                break
            how = plan["point"][0] if "point" in plan else "timer"
            kills.append((how, result["place"]))
            epochs.append(result["epoch"])
        assert result["code"] == 0, f"run {runs}, killed in the epochs {epochs}"
        found = load(outcome)
        arrays += assert_same_bits(expected, found)
        run = json.loads((folder / "run.json").read_text())
        assert run["finished"] is True and run["epochs_done"] == len(found["epochs"])
        again += sum(count > 1 for count in collections.Counter(epochs).values())
        runs += 1
        print(f"\r{len(kills)} kills in {runs} runs", end="", flush=True)
    print(
        f"\n{len(kills)} kills in {runs} runs, {again} times more than once in the "
        f"same epoch; {arrays} arrays compared bit for bit"
    )
    for (how, place), count in sorted(collections.Counter(kills).items()):
        print(f"{count:5} by {how} in {place}")
    places = {place for _, place in kills}
    assert {"epoch", "save"} <= places


def moment(rng, passed, seconds):
    """Draws when to kill: early more often, as a continued run is shorter."""
    if rng.random() < 0.4:
        since = rng.choice([1, 2, 2])
        return {"since": since, "delay": seconds[since - 1] * rng.random() ** 2}
    # Inside a save as often as inside an epoch, whatever their lengths.
    name = rng.choice(["batch"] * len(SAVING) + list(SAVING))
    return {"point": (name, int(passed[name] ** rng.random()))}
