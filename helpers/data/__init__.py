"""CIFAR-10: find, fetch, verify, split; and the synthetic stand-in."""

import os
import pickle
from pathlib import Path

import numpy as np

from helpers import runtime

from .dataset import CLASS_NAMES, Cifar10, DataError, assemble

__all__ = ["CLASS_NAMES", "Cifar10", "DataError", "load_cifar10"]


def load_cifar10(folder: str | Path | None = None, source: str = "auto") -> Cifar10:
    """Loads CIFAR-10 from the unpacked official Python archive."""
    root = Path(
        folder or os.environ.get("CIFAR10_DIR") or runtime.course_root() / "data"
    )
    root = root if root.name == "cifar-10-batches-py" else root / "cifar-10-batches-py"
    if not root.is_dir():
        raise DataError(f"No CIFAR-10 in {root}: set CIFAR10_DIR to its folder.")
    parts = []
    for name in [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]:
        with open(root / name, "rb") as file:
            batch = pickle.load(file, encoding="bytes")
        images = batch[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        parts.append((images, np.array(batch[b"labels"], np.uint8)))
    x = np.concatenate([images for images, _ in parts])
    y = np.concatenate([labels for _, labels in parts])
    return assemble(x[:50000], y[:50000], x[50000:], y[50000:], "CIFAR-10 (JPEG copy)")
