"""Training on two virtual CPUs against training on one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import devices

CHILD = Path(__file__).with_name("devices_child.py")


def run_child(which, folder, backend):
    command = [sys.executable, str(CHILD), which, str(folder / which)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "KERAS_BACKEND": backend},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_two_devices_train_as_one(tmp_path, backend):
    one, two = (run_child(which, tmp_path, backend) for which in ("one", "all"))
    assert one["devices"] == 1
    assert two["devices"] == 2
    assert two["weights"] == pytest.approx(one["weights"], rel=1e-4)
    assert two["loss"] == pytest.approx(one["loss"], rel=1e-4)
    # Three epochs did change the network.
    assert one["loss"][2] < one["loss"][0]


def test_unknown_choice_is_refused():
    with (
        pytest.raises(ValueError, match="devices is 'two'"),
        devices.distribute("two"),
    ):
        pass
