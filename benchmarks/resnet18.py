"""Training steps of one ResNet-18, in PyTorch and in Keras on TensorFlow.

    python -m benchmarks.resnet18                  float32
    python -m benchmarks.resnet18 --bfloat16       mixed precision

The network is the ResNet-18 for 32x32 images that many public repositories train
(kuangliu's pytorch-cifar made the shape known): a 3x3 stem, four stages of two basic
blocks with 64, 128, 256 and 512 filters, 11,173,962 parameters. Both are given the
same weights, and their outputs are compared before anything is timed. The third way is
Keras with the layers of `helpers.fused`, as `python -m helpers.train` trains on a CPU.

Steps are SGD with momentum on batches of 128 of random images; rounds are interleaved
and medians taken. `torch.compile` is not tried. PyTorch is not among the course's
requirements: `pip install torch`.
"""

import argparse
import os
import statistics
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Triton, which PyTorch loads where it finds it, and TensorFlow both bring LLVM, and no
# process survives two. A CPU needs none of Triton.
sys.modules.setdefault("triton", None)

import keras  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from keras import layers  # noqa: E402

from helpers import runtime  # noqa: E402
from helpers.fused import faster_on_cpu  # noqa: E402

BATCH = 128
STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))
PARAMETERS = 11_173_962


class Unit(torch.nn.Sequential):
    """A convolution without bias and batch normalisation, in PyTorch."""

    def __init__(self, channels, filters, size, stride):
        super().__init__(
            torch.nn.Conv2d(channels, filters, size, stride, size // 2, bias=False),
            torch.nn.BatchNorm2d(filters),
        )


class Block(torch.nn.Module):
    """The basic block in PyTorch: two 3x3 units, added to the shortcut."""

    def __init__(self, channels, filters, stride):
        super().__init__()
        self.first = Unit(channels, filters, 3, stride)
        self.second = Unit(filters, filters, 3, 1)
        same = stride == 1 and channels == filters
        self.shortcut = None if same else Unit(channels, filters, 1, stride)

    def forward(self, x):
        branch = self.second(torch.relu(self.first(x)))
        return torch.relu(branch + (x if self.shortcut is None else self.shortcut(x)))


class ResNet18(torch.nn.Module):
    """The network in PyTorch, from images `(batch, 3, 32, 32)` to 10 logits."""

    def __init__(self):
        super().__init__()
        self.stem, self.blocks, channels = Unit(3, 64, 3, 1), torch.nn.Sequential(), 64
        for filters, stride in STAGES:
            for step in (stride, 1):
                self.blocks.append(Block(channels, filters, step))
                channels = filters
        self.head = torch.nn.Linear(channels, 10)

    def forward(self, x):
        x = self.blocks(torch.relu(self.stem(x)))
        return self.head(x.mean((2, 3)))


def unit(x, filters, size, stride, name):
    """A convolution without bias and batch normalisation, in Keras.

    Layers have the names of the PyTorch modules, by which weights are copied.

    Strided 3x3 convolutions are padded by hand, by one pixel on each side: "same"
    would pad on the right and at the bottom only.
    """
    padding = "same"
    if stride > 1 and size > 1:
        x, padding = layers.ZeroPadding2D(size // 2)(x), "valid"
    x = layers.Conv2D(filters, size, stride, padding, use_bias=False, name=f"{name}.0")(
        x
    )
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}.1")(x)


def resnet18():
    """The network in Keras, from images `(batch, 32, 32, 3)` to 10 logits."""
    inputs = keras.Input((32, 32, 3))
    x = layers.ReLU()(unit(inputs, 64, 3, 1, "stem"))
    steps = [(filters, step) for filters, first in STAGES for step in (first, 1)]
    for index, (filters, step) in enumerate(steps):
        block = f"blocks.{index}"
        branch = layers.ReLU()(unit(x, filters, 3, step, f"{block}.first"))
        branch = unit(branch, filters, 3, 1, f"{block}.second")
        if step > 1 or x.shape[-1] != filters:
            x = unit(x, filters, 1, step, f"{block}.shortcut")
        x = layers.ReLU()(layers.Add()([branch, x]))
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(10, dtype="float32", name="head")(x)
    return keras.Model(inputs, outputs, name="resnet18")


def copy_weights(model, network):
    """Gives the PyTorch network the weights of the Keras model, by name.

    Args:
        model: the network of `resnet18`.
        network: a `ResNet18`.
    """
    modules = dict(network.named_modules())
    for layer in model.layers:
        if not layer.weights:
            continue
        module, values = modules[layer.name], layer.get_weights()
        if isinstance(module, torch.nn.Conv2d):
            targets, values = [module.weight], [values[0].transpose(3, 2, 0, 1)]
        elif isinstance(module, torch.nn.Linear):
            targets, values = [module.weight, module.bias], [values[0].T, values[1]]
        else:
            targets = [module.weight, module.bias]
            targets += [module.running_mean, module.running_var]
        with torch.no_grad():
            for target, value in zip(targets, values, strict=True):
                target.copy_(torch.from_numpy(np.ascontiguousarray(value)))


def agree(model, network):
    """Stops when the two networks are not the same function.

    Returns:
        The largest difference of their logits on eight random images.
    """
    count = sum(p.numel() for p in network.parameters())
    trainable = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    if not count == trainable == PARAMETERS:
        raise RuntimeError(f"{count} and {trainable} parameters, not {PARAMETERS}")
    images = np.random.default_rng(1).normal(size=(8, 32, 32, 3)).astype("float32")
    network.eval()
    with torch.no_grad():
        theirs = network(torch.from_numpy(images.transpose(0, 3, 1, 2).copy())).numpy()
    difference = np.abs(theirs - model.predict_on_batch(images)).max()
    if difference > 1e-3:
        raise RuntimeError(f"the logits of the two networks differ by {difference}")
    return difference


def pytorch_steps(network, images, labels, bfloat16, channels_last):
    """Returns a function that trains one batch in PyTorch."""
    network.train()
    images = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
    if channels_last:
        network.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.from_numpy(labels)
    sgd = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9)
    loss = torch.nn.CrossEntropyLoss()

    def step():
        sgd.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            value = loss(network(images), labels)
        value.backward()
        sgd.step()
        return float(value.detach())

    return step


def keras_steps(model, images, labels):
    """Returns a function that trains one batch in Keras."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), loss)

    def step():
        return float(model.train_on_batch(images, labels))

    return step


def build(bfloat16):
    """Builds the four ways with equal weights.

    Returns:
        The functions by name, each of which trains one batch.
    """
    reference = resnet18()
    networks = [ResNet18() for _ in range(2)]
    for network in networks:
        copy_weights(reference, network)
    print(f"largest difference of the logits: {agree(reference, networks[0]):.1e}")
    if bfloat16:
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    plain, fast = resnet18(), faster_on_cpu(resnet18())
    for model in (plain, fast):
        model.set_weights(reference.get_weights())
    rng = np.random.default_rng(0)
    images = rng.normal(size=(BATCH, 32, 32, 3)).astype("float32")
    labels = rng.integers(0, 10, BATCH)
    first, last = networks
    return {
        "PyTorch": pytorch_steps(first, images, labels, bfloat16, False),
        "PyTorch, channels last": pytorch_steps(last, images, labels, bfloat16, True),
        "Keras": keras_steps(plain, images, labels),
        "Keras, helpers.fused": keras_steps(fast, images, labels),
    }


def main(arguments=None):
    """Prints images a second of each way, and how it stands to PyTorch's faster."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resnet18")
    parser.add_argument("--bfloat16", action="store_true", help="mixed precision")
    parser.add_argument("--steps", type=int, default=4, help="steps in a round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    print(runtime.hardware())
    print(f"PyTorch {torch.__version__}, Keras {keras.__version__}")
    ways = build(options.bfloat16)
    losses = {name: step() for name, step in ways.items()}
    print("loss of the first step:", *(f"{value:.3f}" for value in losses.values()))
    for step in ways.values():
        step()
        step()
    seconds = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, step in ways.items():
            start = time.perf_counter()
            for _ in range(options.steps):
                step()
            seconds[name].append(time.perf_counter() - start)
    images = BATCH * options.steps
    theirs = min(
        statistics.median(times)
        for name, times in seconds.items()
        if name.startswith("PyTorch")
    )
    print(f"{'':24s}images/s  slowest..fastest round   against the faster PyTorch")
    for name, times in seconds.items():
        middle = statistics.median(times)
        spread = f"{images / max(times):.0f}..{images / min(times):.0f}"
        print(
            f"{name:24s}{images / middle:8.1f}  {spread:>22s}   {theirs / middle:.2f}"
        )


if __name__ == "__main__":
    main()
