"""A model and its data, with what several checks need measured once."""

from functools import cached_property
from typing import Any

import keras
import numpy as np
from keras import ops

from helpers.diagnose.backward import loss_gradients
from helpers.diagnose.forward import Passage, kernel_of, passages
from helpers.diagnose.losses import Loss, loss_of
from helpers.diagnose.preserve import preserved
from helpers.diagnose.samples import Sample, read

# Images that pass through the network for its inner signals: enough for the
# statistics of batch normalisation, few enough for a second on a CPU.
_PROBE = 64


class Case:
    """A reader's compiled model and data; what the checks look at.

    Args:
        model: A built, compiled `keras.Model` of one input and one output.
        train: What `fit` trains on: `(images, labels)`, a `keras.utils.PyDataset`, a
            list of batches, or a `tf.data.Dataset` of batches.
        validation: The same for the validation images, or None.
        batch_size: Images a step; by default 32 for arrays, as in `fit`, else as in
            the data.
        trained: Whether the model is meant to be trained by now; by default it is
            if its optimizer has made the steps of one epoch.
        images: About how many images of each data set to read.

    Raises:
        TypeError: If the model is no Keras model, or data would be used up.
        ValueError: If the model is not built or compiled or has several inputs or
            outputs, or a number is out of range.
    """

    def __init__(
        self,
        model: keras.Model,
        train: Any,
        validation: Any = None,
        batch_size: int | None = None,
        trained: bool | None = None,
        images: int = 1024,
    ):
        check_model(model)
        for name, value in (("batch_size", batch_size), ("images", images)):
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ValueError(f"{name} is {value!r}: give a whole number from 1 up.")
        self.model = model
        self.train = read(train, images, batch_size)
        self.validation = None if validation is None else read(validation, images)
        steps = -(-(self.train.total or images) // self.train.batch_size)
        self.trained = self.iterations >= steps if trained is None else bool(trained)

    @property
    def iterations(self) -> int:
        """Steps that the optimizer has made."""
        optimizer = inner_optimizer(self.model)
        return int(ops.convert_to_numpy(optimizer.iterations))

    @property
    def outputs(self) -> int:
        """Values that the model gives for an image."""
        return int(self.model.output_shape[-1])

    @cached_property
    def loss(self) -> Loss:
        """What the model was compiled to lower."""
        return loss_of(self.model)

    @cached_property
    def _passed(self) -> tuple[list[Passage], np.ndarray]:
        images, _ = self.train.head(_PROBE)
        with preserved(self.model):
            return passages(self.model, images, training=True)

    @property
    def passages(self) -> list[Passage]:
        """Calls of layers on some training images, in training mode."""
        return self._passed[0]

    @property
    def probe_outputs(self) -> np.ndarray:
        """What the model gives for them, `(images, outputs)`."""
        return self._passed[1]

    @cached_property
    def kernels(self) -> list[Passage]:
        """First calls of the layers with a kernel, in the order of the calls."""
        first = {}
        for passage in self.passages:
            if kernel_of(passage.layer) is not None:
                first.setdefault(id(passage.layer), passage)
        return list(first.values())

    @cached_property
    def gradients(self) -> dict[int, np.ndarray]:
        """Gradients of the loss on some training images, by id of the variable."""
        images, labels = self.train.head(_PROBE)
        with preserved(self.model):
            _, arrays = loss_gradients(self.model, images, labels)
        variables = self.model.trainable_variables
        return {id(v): array for v, array in zip(variables, arrays, strict=True)}

    @cached_property
    def relative_gradients(self) -> dict[str, float]:
        """|gradient| / |weights| by layer, in the order of the calls.

        How fast a layer would learn at a learning rate of 1. Frozen kernels and
        those that are zero are left out.
        """
        found = {}
        for passage in self.kernels:
            kernel = kernel_of(passage.layer)
            size = float(np.linalg.norm(ops.convert_to_numpy(kernel)))
            gradient = self.gradients.get(id(kernel))
            if gradient is not None and size > 0.0:
                found[passage.layer.name] = float(np.linalg.norm(gradient)) / size
        return found

    def predict(self, sample: Sample) -> np.ndarray:
        """Returns the model's outputs on a sample, in inference mode."""
        found = []
        for start in range(0, len(sample.images), 128):
            images = ops.convert_to_tensor(sample.images[start : start + 128])
            found.append(ops.convert_to_numpy(self.model(images, training=False)))
        return np.concatenate(found).astype("float32")


def check_model(model: keras.Model) -> None:
    """Refuses what cannot be checked.

    Raises:
        TypeError: If it is no Keras model.
        ValueError: If it is not built or compiled, or has several inputs or outputs.
    """
    if not isinstance(model, keras.Model):
        raise TypeError(
            f"Expected a Keras model, got {type(model).__name__}: {model!r}."
        )
    if not model.built or not model.compiled or model.optimizer is None:
        lacks = "compiled" if model.built else "built"
        raise ValueError(
            f"Model {model.name!r} is not {lacks}: build it from keras.Input and "
            "compile it as for fit, then check it."
        )
    for what in ("inputs", "outputs"):
        tensors = getattr(model, what, None)
        if tensors is None:
            raise ValueError(
                f"Model {model.name!r} is a subclassed {type(model).__name__} without "
                "known inputs: build the network with keras.Model(inputs, outputs)."
            )
        if len(tensors) != 1:
            raise ValueError(
                f"Model {model.name!r} has {len(tensors)} {what}, and the checks look "
                "at one. Check keras.Model(model.inputs[0], model.outputs[0])."
            )


def inner_optimizer(model: keras.Model) -> keras.optimizers.Optimizer:
    """Returns the optimizer itself: float16 training wraps it to scale the loss."""
    return getattr(model.optimizer, "inner_optimizer", model.optimizer)
