"""The random numbers that belong to no layer: Python's, NumPy's and PyTorch's.

Layers keep the state of their random numbers in variables, with one exception:
dropout on the PyTorch backend draws from PyTorch's own generator. A callback or a
data set of one's own may draw from `random` or `numpy.random`.
"""

import random

import keras
import numpy as np


def capture_random() -> dict[str, np.ndarray]:
    """Copies the states of the global generators.

    Returns:
        Arrays by `random/...`; on the PyTorch backend its own and, with GPUs, theirs.
    """
    version, words, gauss = random.getstate()
    _, key, *rest = np.random.get_state()
    arrays = {
        "random/python": np.array([version, *words], "uint64"),
        "random/python_gauss": np.array([] if gauss is None else [gauss]),
        "random/numpy": key,
        "random/numpy_rest": np.array(rest, "float64"),
    }
    if keras.backend.backend() == "torch":
        import torch

        arrays["random/torch"] = torch.get_rng_state().numpy()
        for index, state in enumerate(torch.cuda.get_rng_state_all()):
            arrays[f"random/torch_gpu{index}"] = state.numpy()
    return arrays


def restore_random(arrays: dict[str, np.ndarray]) -> None:
    """Puts back what `capture_random` copied; what was not copied is left alone."""
    if "random/python" not in arrays:
        return
    version, *words = (int(word) for word in arrays["random/python"])
    gauss = arrays["random/python_gauss"].tolist()
    random.setstate((version, tuple(words), gauss[0] if gauss else None))
    position, has_gauss, cached = arrays["random/numpy_rest"].tolist()
    key = arrays["random/numpy"]
    np.random.set_state(("MT19937", key, int(position), int(has_gauss), cached))
    if keras.backend.backend() == "torch" and "random/torch" in arrays:
        import torch

        torch.set_rng_state(torch.from_numpy(arrays["random/torch"]))
        for index in range(torch.cuda.device_count()):
            name = f"random/torch_gpu{index}"
            if name in arrays:
                torch.cuda.set_rng_state(torch.from_numpy(arrays[name]), index)
