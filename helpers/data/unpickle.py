"""Read the pickles of CIFAR-10 without running anything that they could carry.

A pickle names functions to call while it loads. The batch files need five names,
all to rebuild one array; here those five stand for inert classes that only keep
what they are given, and every other name is refused before it is looked up. Not
even NumPy runs on a pickle's behalf.
"""

import io
import pickle
from typing import Any

import numpy as np


class _Dtype:
    """Keeps the code of a dtype, such as `u1` for uint8."""

    def __init__(self, code: str | bytes, *_: Any) -> None:
        self.code = code.decode("ascii") if isinstance(code, bytes) else code

    def __setstate__(self, state: Any) -> None:
        """Byte order and the like: one byte has none."""


class _Array:
    """Keeps the state of a pickled array until it has been checked."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def to_numpy(self) -> np.ndarray:
        _, shape, dtype, fortran_order, raw = self.state
        if not isinstance(dtype, _Dtype) or dtype.code not in ("u1", "|u1"):
            raise pickle.UnpicklingError("its array is not of uint8")
        order = "F" if fortran_order else "C"
        return np.frombuffer(raw, np.uint8).reshape(shape, order=order)


def _latin1(text: str, encoding: str = "") -> bytes:
    """Python 3 writes bytes to the old protocols as a call of `_codecs.encode`."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"its bytes are in the encoding {encoding!r}")
    return text.encode("latin1")


_ALLOWED = {
    # NumPy's module was renamed in version 2; both write batch files.
    ("numpy.core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy._core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _latin1,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"it asks to run {module}.{name}, which no CIFAR-10 file needs"
            ) from None


def load_batch(raw: bytes) -> tuple[np.ndarray, list[int]]:
    """Reads one batch file of the Python version.

    Args:
        raw: the file's bytes, a pickled dictionary with `data` and `labels`.

    Returns:
        The images as uint8 `(n, 3072)`, channels first, and the list of labels.

    Raises:
        pickle.UnpicklingError: if the bytes are no such pickle, or one that asks
            for anything but an array, bytes, numbers, lists and dictionaries.
    """
    try:
        content = _Unpickler(io.BytesIO(raw), encoding="bytes").load()
        # The official files, written by Python 2, have keys of bytes.
        named = {
            key.decode("ascii") if isinstance(key, bytes) else key: value
            for key, value in content.items()
        }
        return named["data"].to_numpy(), list(named["labels"])
    except pickle.UnpicklingError:
        raise
    except KeyError as error:
        raise pickle.UnpicklingError(f"it has no entry {error}") from error
    except Exception as error:
        # A damaged pickle may raise anything: the manual promises no more.
        raise pickle.UnpicklingError(
            f"it is damaged or cut short ({type(error).__name__}: {error})"
        ) from error
