"""Where CIFAR-10 may lie on this machine."""

import os
import sys
from pathlib import Path

from helpers import runtime

from .dataset import DataError

# What a place may hold, best first: unpacked is read fastest. Keras 3 unpacks
# into the `-target` folder; "" is the place itself.
_NAMES = (
    "cifar-10-batches-py",
    "cifar-10-batches-py-target/cifar-10-batches-py",
    "cifar-10-batches-bin",
    "cifar-10-python.tar.gz",
    "cifar-10-binary.tar.gz",
    "cifar10",
    "",
)


DRIVE = Path("/content/drive/MyDrive")
KAGGLE = Path("/kaggle/input")


def locate(folder: str | Path | None = None) -> Path | None:
    """Finds the files to read.

    Args:
        folder: the only place to look, where given. Otherwise the places are, in
            this order: the environment variable `CIFAR10_DIR`, the course's
            `data/`, Keras' cache, the course's folder on a mounted Google Drive,
            the data sets attached on Kaggle.

    Returns:
        A folder or an archive that claims to be CIFAR-10, or None.

    Raises:
        DataError: if `folder` is given and holds none.
    """
    if folder is not None:
        place = Path(folder).expanduser()
        found = _look(place)
        if found is None:
            state = "holds no CIFAR-10" if place.exists() else "does not exist"
            raise DataError(
                f"{place} {state}. It should be or hold one of: cifar-10-batches-py, "
                "cifar-10-batches-bin, cifar-10-python.tar.gz, cifar-10-binary.tar.gz, "
                "or train/ and test/ with one folder of images for each class."
            )
        return found
    chosen = os.environ.get("CIFAR10_DIR")
    if chosen and _look(Path(chosen).expanduser()) is None:
        print(
            f"CIFAR10_DIR is {chosen}, which holds no CIFAR-10: looking elsewhere.",
            file=sys.stderr,
        )
    return next((found for found in map(_look, places()) if found), None)


def places() -> list[Path]:
    """Lists the folders in which CIFAR-10 is looked for, in order."""
    result = []
    if os.environ.get("CIFAR10_DIR"):
        result.append(Path(os.environ["CIFAR10_DIR"]).expanduser())
    result.append(runtime.course_root() / "data")
    keras_home = os.environ.get("KERAS_HOME", "~/.keras")
    result.append(Path(keras_home).expanduser() / "datasets")
    cache = drive_cache()
    if cache is not None:
        result.append(cache)
    if runtime.environment() == "kaggle":
        result += sorted([*KAGGLE.glob("*"), *KAGGLE.glob("datasets/*/*")])
    return result


def drive_cache() -> Path | None:
    """Returns where the archive outlives a Colab session, once Drive is mounted."""
    if runtime.environment() != "colab" or not DRIVE.is_dir():
        return None
    return DRIVE / "convolutional-networks" / "data"


def download_folder() -> Path:
    """Returns the folder that a download goes to.

    That is `CIFAR10_DIR` where it is set, else the course's `data/`, which needs
    about 360 MB while the archive is unpacked.
    """
    chosen = os.environ.get("CIFAR10_DIR")
    return Path(chosen).expanduser() if chosen else runtime.course_root() / "data"


def is_class_folders(path: Path) -> bool:
    """Tells whether `path` has the layout `train/cat/*.png`, `test/cat/*.png`."""
    return any((path / part / "cat").is_dir() for part in ("train", "test"))


def _look(place: Path) -> Path | None:
    for name in _NAMES:
        path = place / name
        if path.is_file():
            return path
        # Any one file is enough: that the others are missing is for the reader
        # to say, as an error.
        if path.is_dir() and (
            any(path.glob("data_batch_[1-5]*"))
            or any(path.glob("test_batch*"))
            or is_class_folders(path)
        ):
            return path
    return None
