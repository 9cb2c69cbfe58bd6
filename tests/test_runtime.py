"""Where the course runs, on what, at which size, with which seeds."""

import ast
import os
import random
import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from helpers import runtime


@pytest.fixture(autouse=True)
def plain_machine(monkeypatch):
    """Takes away what Colab, Kaggle or the caller have set."""
    for name in ("KAGGLE_KERNEL_RUN_TYPE", "COLAB_RELEASE_TAG", "COURSE_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)


def test_a_plain_machine_is_local():
    assert runtime.environment() == "local"


def test_colab_is_known_by_its_variable_or_its_module(monkeypatch):
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab_20261101")
    assert runtime.environment() == "colab"
    monkeypatch.delenv("COLAB_RELEASE_TAG")
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace())
    assert runtime.environment() == "colab"


def test_kaggle_is_kaggle_although_its_image_has_colabs_marks(monkeypatch):
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab_20261101")
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace())
    monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    assert runtime.environment() == "kaggle"


@pytest.mark.parametrize(("gpu", "expected"), [(True, "full"), (False, "quick")])
def test_the_gpu_decides_the_profile(monkeypatch, gpu, expected):
    monkeypatch.setattr(runtime, "has_gpu", lambda: gpu)
    assert runtime.profile() == expected
    monkeypatch.setenv("COURSE_PROFILE", "")
    assert runtime.profile() == expected


@pytest.mark.parametrize(
    ("service", "place"), [("colab", "Runtime, Change"), ("kaggle", "Settings, Acc")]
)
def test_a_service_without_a_gpu_says_once_where_it_has_them(
    monkeypatch, capsys, service, place
):
    runtime._say_where_gpus_are.cache_clear()
    monkeypatch.setattr(runtime, "environment", lambda: service)
    monkeypatch.setattr(runtime, "has_gpu", lambda: False)
    assert runtime.profile() == "quick"
    out, said = capsys.readouterr()
    assert said.startswith("There is no GPU here") and said.count("\n") == 1
    assert place in said and "quota" in said and out == ""
    assert runtime.profile() == "quick"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("service", "gpu", "chosen"),
    [("local", False, ""), ("colab", True, ""), ("colab", False, "quick")],
)
def test_elsewhere_nothing_is_said_about_gpus(
    monkeypatch, capsys, service, gpu, chosen
):
    runtime._say_where_gpus_are.cache_clear()
    monkeypatch.setattr(runtime, "environment", lambda: service)
    monkeypatch.setattr(runtime, "has_gpu", lambda: gpu)
    monkeypatch.setenv("COURSE_PROFILE", chosen)
    assert runtime.profile() == ("full" if gpu else "quick")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("gpu", [True, False])
@pytest.mark.parametrize("value", ["quick", "full", " Full\n"])
def test_the_variable_overrides_the_gpu(monkeypatch, gpu, value):
    monkeypatch.setattr(runtime, "has_gpu", lambda: gpu)
    monkeypatch.setenv("COURSE_PROFILE", value)
    assert runtime.profile() == value.strip().lower()


def test_another_profile_is_refused(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "fast")
    with pytest.raises(ValueError, match="COURSE_PROFILE is 'fast'"):
        runtime.profile()


def fake_backend(monkeypatch, name, module):
    """Makes Keras say that it runs on a backend, and gives it one device."""
    monkeypatch.setattr(keras.backend, "backend", lambda: name)
    monkeypatch.setitem(sys.modules, name, module)


def tensorflow_with(**devices):
    experimental = SimpleNamespace(
        get_device_details=lambda device: {"device_name": device} if device else {}
    )
    return SimpleNamespace(
        config=SimpleNamespace(
            list_physical_devices=lambda kind: devices.get(kind, []),
            experimental=experimental,
        )
    )


def torch_with(cuda, mps):
    return SimpleNamespace(
        cuda=SimpleNamespace(
            is_available=lambda: cuda, get_device_name=lambda: "Tesla T4"
        ),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps)),
    )


def jax_with(platform, kind):
    device = SimpleNamespace(platform=platform, device_kind=kind)
    return SimpleNamespace(devices=lambda: [device])


@pytest.mark.parametrize(
    ("name", "module", "hardware"),
    [
        ("tensorflow", tensorflow_with(GPU=["Tesla T4"]), "Tesla T4"),
        ("tensorflow", tensorflow_with(GPU=[""]), "GPU"),
        ("tensorflow", tensorflow_with(TPU=[""]), "TPU"),
        ("jax", jax_with("gpu", "NVIDIA L4"), "NVIDIA L4"),
        ("torch", torch_with(cuda=True, mps=False), "Tesla T4"),
        ("torch", torch_with(cuda=False, mps=True), "Apple GPU"),
    ],
)
def test_an_accelerator_is_named(monkeypatch, name, module, hardware):
    fake_backend(monkeypatch, name, module)
    assert runtime.has_gpu()
    assert runtime.hardware() == hardware
    assert runtime.profile() == "full"


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("tensorflow", tensorflow_with()),
        ("jax", jax_with("cpu", "cpu")),
        ("torch", torch_with(cuda=False, mps=False)),
    ],
)
def test_without_an_accelerator_cores_and_processor_are_named(
    monkeypatch, name, module
):
    fake_backend(monkeypatch, name, module)
    monkeypatch.setattr(runtime, "_processor", lambda: "AMD EPYC")
    monkeypatch.setattr(runtime, "_usable_cores", lambda: 2)
    assert not runtime.has_gpu()
    assert runtime.hardware() == "2 CPU cores, AMD EPYC"
    monkeypatch.setattr(runtime, "_usable_cores", lambda: 1)
    assert runtime.hardware() == "1 CPU core, AMD EPYC"


def test_this_machine_has_a_processor_with_a_name():
    assert 1 <= runtime._usable_cores() <= os.cpu_count()
    name = runtime._processor()
    assert name and name == name.strip() and "\n" not in name


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_a_processor_is_named_even_where_it_cannot_be_asked(monkeypatch, system):
    def fails(*_, **__):
        raise OSError("nothing to read here")

    monkeypatch.setattr(runtime.sys, "platform", system)
    monkeypatch.setattr(runtime.Path, "read_text", fails)
    monkeypatch.setattr(runtime.subprocess, "run", fails)
    monkeypatch.setattr(runtime.platform, "processor", lambda: "")
    monkeypatch.setattr(runtime.platform, "machine", lambda: "arm64")
    assert runtime._processor() == "arm64"


def draws():
    """One draw from every generator that a lecture may use."""
    layer = keras.layers.Dense(3)
    layer.build((None, 4))
    return [
        np.asarray([random.random()]),
        np.random.rand(2),
        keras.ops.convert_to_numpy(keras.random.normal((2,))),
        keras.ops.convert_to_numpy(layer.kernel),
    ]


def test_a_seed_repeats_every_generator():
    runtime.set_seed(7)
    first = draws()
    runtime.set_seed(np.int64(7))
    for left, right in zip(first, draws(), strict=True):
        np.testing.assert_array_equal(left, right)
    runtime.set_seed(8)
    for left, right in zip(first, draws(), strict=True):
        assert (left != right).any()


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_numpy_refuses_is_refused_first(seed):
    with pytest.raises(ValueError, match=f"The seed is {seed}"):
        runtime.set_seed(seed)


def test_determinism_is_asked_of_tensorflow(monkeypatch):
    asked = []
    module = tensorflow_with()
    module.config.experimental.enable_op_determinism = lambda: asked.append(True)
    monkeypatch.setattr(keras.utils, "set_random_seed", lambda seed: None)
    fake_backend(monkeypatch, "tensorflow", module)
    runtime.set_seed(1)
    assert not asked
    runtime.set_seed(1, deterministic=True)
    assert asked


def test_jax_must_be_told_before_it_starts(monkeypatch):
    monkeypatch.setattr(keras.utils, "set_random_seed", lambda seed: None)
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    fake_backend(monkeypatch, "jax", jax_with("gpu", "NVIDIA L4"))
    with pytest.raises(RuntimeError, match="--xla_gpu_deterministic_ops=true"):
        runtime.set_seed(1, deterministic=True)
    monkeypatch.setenv("XLA_FLAGS", "--xla_gpu_deterministic_ops=true")
    runtime.set_seed(1, deterministic=True)


def test_versions_name_what_a_run_depends_on():
    found = runtime.versions()
    assert found["keras"] == keras.__version__
    assert found["numpy"] == np.__version__
    assert found["backend"] == keras.backend.backend()
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert all(isinstance(version, str) for version in found.values())


def test_the_course_root_holds_the_course():
    root = runtime.course_root()
    assert (root / "helpers" / "runtime.py").is_file()
    assert (root / "pyproject.toml").is_file()


def test_an_old_python_is_refused_before_its_keras(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 12, "final", 0))
    monkeypatch.setattr(runtime.platform, "python_version", lambda: "3.10.12")
    with pytest.raises(RuntimeError, match=r"Python 3\.10\.12.*needs 3\.11 or newer"):
        runtime.check_keras()


@pytest.mark.parametrize("name", ["__init__.py", "runtime.py"])
def test_an_old_python_can_read_what_refuses_it(name):
    text = (runtime.course_root() / "helpers" / name).read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 9))
    # Evaluated, `str | None` would be an error before 3.10.
    assert "|" not in text or "from __future__ import annotations" in text


@pytest.mark.parametrize("version", ["3.12.1", "2.15.0"])
def test_an_old_keras_is_refused(monkeypatch, version):
    monkeypatch.setattr(runtime.importlib.metadata, "version", lambda _: version)
    with pytest.raises(RuntimeError, match=f"Keras {version} is too old.*3.13 or"):
        runtime.check_keras()


def test_a_missing_keras_is_told_apart(monkeypatch):
    def missing(name):
        raise runtime.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(runtime.importlib.metadata, "version", missing)
    with pytest.raises(RuntimeError, match="Keras is not installed"):
        runtime.check_keras()


@pytest.mark.parametrize("version", ["3.13.0", "3.15.1", "3.100.0", "4.0.0rc1"])
def test_a_new_keras_is_taken(monkeypatch, version):
    monkeypatch.setattr(runtime.importlib.metadata, "version", lambda _: version)
    runtime.check_keras()


def test_importing_it_imports_no_keras():
    code = "import sys, helpers.runtime; sys.exit('keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=runtime.course_root())
    assert done.returncode == 0
