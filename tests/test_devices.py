"""Training on two virtual CPUs against training on one."""

import json
import os
import subprocess
import sys
import types
from pathlib import Path

import keras
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


@pytest.mark.parametrize(("gpus", "names"), [(0, ["cpu"]), (2, ["cuda:0"])])
def test_one_device_of_pytorch_needs_no_distribution(monkeypatch, gpus, names):
    cuda = types.SimpleNamespace(device_count=lambda: gpus)
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(cuda=cuda))
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with devices.distribute("one") as used:
        assert used == names
    with (
        pytest.raises(ValueError, match="Keras' torch backend trains on one device"),
        devices.distribute("all"),
    ):
        pass
