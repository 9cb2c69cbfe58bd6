"""CIFAR-10 for the lectures: found or fetched, verified, split; or its stand-in.

`load_cifar10()` is all that a notebook needs:

    data = load_cifar10()
    data.x_train, data.y_train, data.source
"""

import sys
from pathlib import Path

from helpers import runtime

from . import fetch, find, read, synthetic
from .dataset import CLASS_NAMES, SYNTHETIC, Cifar10, DataError, assemble
from .verify import UNVERIFIED

__all__ = ["CLASS_NAMES", "Cifar10", "DataError", "load_cifar10"]

SOURCES = ("auto", "cifar10", "synthetic")


def load_cifar10(folder: str | Path | None = None, source: str = "auto") -> Cifar10:
    """Loads CIFAR-10, from this machine or from the network.

    It is looked for in `folder` alone where that is given; otherwise in the folder
    that the environment variable `CIFAR10_DIR` names, in the course's `data/`, in
    Keras' cache, in the course's folder on a mounted Google Drive and in the data
    sets attached on Kaggle. Where none has it, it is downloaded (170 MB), checked
    and unpacked to `CIFAR10_DIR` or `data/`.

    Which training images are held out for validation depends on their pixels
    alone (see `dataset.split`). The order of the images is that of the files: the
    same for the Python and the binary version, another one for class folders.

    Args:
        folder: a folder or archive to read, or a folder that holds it: the Python
            or the binary version, unpacked or as `.tar.gz`, or class folders such
            as `train/cat/1.png`.
        source: `"cifar10"` for CIFAR-10 or an error; `"synthetic"` for the stand-in
            of drawn patterns; `"auto"` for CIFAR-10, and in the quick profile the
            stand-in where CIFAR-10 is neither here nor to be had.

    Returns:
        The images and labels; its `source` says what they are.

    Raises:
        DataError: if the files found are damaged, or none are found and CIFAR-10
            cannot be downloaded.
        ValueError: if `source` is none of the three.
    """
    if source not in SOURCES:
        raise ValueError(f"source is {source!r}: choose one of {', '.join(SOURCES)}.")
    if source == "synthetic":
        return _load_stand_in()
    path = find.locate(folder)
    if path is None:
        try:
            path = fetch.download_and_unpack(
                find.download_folder(), cache=find.drive_cache()
            )
        except (DataError, OSError) as error:
            if source == "cifar10":
                raise DataError(f"CIFAR-10 is not on this machine. {error}") from error
            if runtime.profile() == "full":
                raise DataError(
                    f"CIFAR-10 is not on this machine. {error}\nThe full profile does "
                    "not train on the synthetic stand-in: set COURSE_PROFILE=quick, or "
                    'ask for it with load_cifar10(source="synthetic").'
                ) from error
            _notice(
                "CIFAR-10 IS NOT HERE: THESE ARE DRAWN PATTERNS, NOT CIFAR-10",
                f"{error}\nNo result below says anything about CIFAR-10.",
            )
            return _load_stand_in()
    images = read.read_images(path)
    if images.source == UNVERIFIED:
        _notice(
            "These images are not known",
            f"{path} has the form of CIFAR-10, but its images are neither the official "
            "ones nor a copy that the course knows. Results carry the source "
            f'"{UNVERIFIED}".',
        )
    return assemble(
        images.x_train, images.y_train, images.x_test, images.y_test, images.source
    )


def _load_stand_in() -> Cifar10:
    return assemble(*synthetic.stand_in(), SYNTHETIC, synthetic.CLASS_NAMES)


def _notice(title: str, text: str) -> None:
    """Prints to stderr, which a notebook shows on red and the replay leaves out."""
    line = "=" * 72
    print(f"{line}\n{title}\n{line}\n{text}\n{line}", file=sys.stderr, flush=True)
