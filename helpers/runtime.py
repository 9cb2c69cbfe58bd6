"""Where the course runs, on what, and at which size.

This module answers the questions that every notebook asks first: Colab, Kaggle
or a machine of one's own; a GPU or not; the quick size or the full one; and it
sets the seeds. Keras is imported only by the functions that need it, and an older
Python can import all of this, so that `check_keras` can say that it is too old.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path

PROFILES = ("quick", "full")
PYTHON_NEEDED = (3, 11)
KERAS_NEEDED = (3, 13)
# Where a service keeps its GPUs, and why it may refuse one.
_GPU_AT = {
    "colab": "choose Runtime, Change runtime type, T4 GPU (if Colab refuses, your "
    "quota is used up: try again tomorrow)",
    "kaggle": "choose Settings, Accelerator, GPU (if Kaggle refuses, verify your "
    "phone number, or wait for next week's quota)",
}
# What decides whether two runs can be compared, in the order of a run's record.
_PACKAGES = ("keras", "tensorflow", "jax", "torch", "numpy")


def environment() -> str:
    """Names the service that runs this process.

    Kaggle is tested first: its image derives from Colab's and holds Colab's
    package too.

    Returns:
        `"kaggle"`, `"colab"` or `"local"`.
    """
    if os.environ.get("KAGGLE_KERNEL_RUN_TYPE"):
        return "kaggle"
    # Colab's kernel sets the release tag; the module is imported at its start.
    if os.environ.get("COLAB_RELEASE_TAG") or "google.colab" in sys.modules:
        return "colab"
    return "local"


def course_root() -> Path:
    """Returns the folder that holds `helpers/`, `notebooks/` and `logs/`."""
    return Path(__file__).resolve().parent.parent


def runs_folder() -> Path:
    """Returns the folder for runs that are not kept in the repository.

    `COURSE_LOGS` decides where it is set; otherwise `logs/local/` of the course,
    which git ignores.
    """
    chosen = os.environ.get("COURSE_LOGS", "").strip()
    return Path(chosen) if chosen else course_root() / "logs" / "local"


def check_keras() -> None:
    """Checks that Keras is new enough for the course; the setup cell calls it.

    Raises:
        RuntimeError: if it is too old or missing, or Python is too old to have it.
    """
    if sys.version_info < PYTHON_NEEDED:
        python = ".".join(map(str, PYTHON_NEEDED))
        raise RuntimeError(
            f"This kernel is Python {platform.python_version()}, the course needs "
            f"{python} or newer: install one, then run `python3 course.py lab` with it."
        )
    needed = ".".join(map(str, KERAS_NEEDED))
    try:
        version = importlib.metadata.version("keras")
    except importlib.metadata.PackageNotFoundError:
        version = None
    if version is None or tuple(map(int, version.split(".")[:2])) < KERAS_NEEDED:
        state = f"Keras {version} is too old" if version else "Keras is not installed"
        raise RuntimeError(
            f"{state}: the course needs {needed} or newer. On your own machine run "
            f"`python3 course.py lab`, which brings it; elsewhere run "
            f'`%pip install "keras>={needed}"` in a cell and restart the kernel.'
        )


def has_gpu() -> bool:
    """Tells whether Keras' active backend would compute on a GPU (or a TPU).

    Devices are listed only: no memory is taken on them.
    """
    return _accelerator() is not None


def profile() -> str:
    """Chooses the size at which a notebook runs.

    `COURSE_PROFILE` decides where it is set. Otherwise the profile is `"full"`
    with a GPU and `"quick"` without one, which is said once on Colab and Kaggle: both
    lend GPUs, and start without.

    Returns:
        `"quick"` or `"full"`.

    Raises:
        ValueError: if `COURSE_PROFILE` is neither.
    """
    chosen = os.environ.get("COURSE_PROFILE", "").strip().lower()
    if not chosen:
        if has_gpu():
            return "full"
        _say_where_gpus_are(environment())
        return "quick"
    if chosen not in PROFILES:
        raise ValueError(
            f"COURSE_PROFILE is {chosen!r}: set it to 'quick' or 'full', or unset "
            "it to let the presence of a GPU decide."
        )
    return chosen


def set_seed(seed: int, deterministic: bool = False) -> None:
    """Seeds Python, NumPy and the backend.

    Args:
        seed: a whole number from 0 to 2**32 - 1, NumPy's integers included.
        deterministic: also ask the backend for algorithms that give the same
            bits on a GPU at every run. They are slower; CPU runs do not need
            them.

    Raises:
        ValueError: if `seed` is outside the range that NumPy takes.
        RuntimeError: if determinism is asked of JAX on a GPU, which reads that
            setting before it starts.
    """
    import keras

    # int() first: keras refuses NumPy's integers, which a sweep over seeds has.
    seed = int(seed)
    if not 0 <= seed < 2**32:
        raise ValueError(f"The seed is {seed}: choose one from 0 to 4294967295.")
    keras.utils.set_random_seed(seed)
    if not deterministic:
        return
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    elif backend == "torch":
        import torch

        # cuBLAS reads the variable when the first product is computed.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
    elif backend == "jax" and has_gpu():
        flag = "--xla_gpu_deterministic_ops=true"
        if flag not in os.environ.get("XLA_FLAGS", ""):
            raise RuntimeError(
                f"JAX is deterministic on a GPU only when it starts with XLA_FLAGS="
                f"{flag}: set the variable, then restart Python."
            )


def hardware() -> str:
    """Describes in one line what a run computes on.

    Returns:
        The accelerator's name, such as `"Tesla T4"`; without one, the number of
        usable cores and the processor, such as `"2 CPU cores, AMD EPYC"`.
    """
    name = _accelerator()
    if name is not None:
        return name
    cores = _usable_cores()
    return f"{cores} CPU {'core' if cores == 1 else 'cores'}, {_processor()}"


def versions() -> dict[str, str]:
    """Returns the versions that a run depends on.

    Returns:
        A version by name: `python`, the installed ones of `keras`,
        `tensorflow`, `jax`, `torch`, `numpy`, and `backend` (Keras' backend).
    """
    import keras

    found = {"python": platform.python_version(), "backend": keras.backend.backend()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@functools.cache
def _say_where_gpus_are(service: str) -> None:
    """Prints, once, how to get a GPU; to stderr, which no replay compares."""
    if service in _GPU_AT:
        print(
            "There is no GPU here, so the quick profile runs: small and short. For the "
            f"full one {_GPU_AT[service]}, then run all cells again.",
            file=sys.stderr,
        )


def _accelerator() -> str | None:
    """Returns the name of the backend's first accelerator, or None without one."""
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        for kind in ("GPU", "TPU"):
            for device in tf.config.list_physical_devices(kind):
                details = tf.config.experimental.get_device_details(device)
                return details.get("device_name", kind)
    elif backend == "jax":
        import jax

        device = jax.devices()[0]
        if device.platform != "cpu":
            return device.device_kind
    elif backend == "torch":
        import torch

        if torch.cuda.is_available():
            return torch.cuda.get_device_name()
        if torch.backends.mps.is_available():
            return "Apple GPU"
    return None


def _usable_cores() -> int:
    """Counts the cores this process may use, fewer than exist in a container."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    """Returns the processor's marketing name, or its architecture."""
    try:
        if sys.platform.startswith("linux"):
            for line in Path("/proc/cpuinfo").read_text().splitlines():
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
        elif sys.platform == "darwin":
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(
                command, capture_output=True, text=True, check=True, timeout=5
            ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        pass  # an unusual system: the architecture below is all we can say
    return platform.processor() or platform.machine() or "unknown processor"
