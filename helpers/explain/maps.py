"""Feature maps of any layers, in one forward pass."""

from collections.abc import Sequence

import numpy as np

from .network import Network, to_numpy


def feature_maps(
    model, images, layers: str | Sequence[str] | None = None
) -> dict[str, np.ndarray]:
    """Returns what layers of a functional model make of images, in inference mode.

    Args:
        model: a functional or built Sequential model; layers in nested models and
            every call of shared layers are reached.
        images: `(n, height, width, channels)`, as the model takes them, all run in
            one batch; a list or dict of arrays for a model of several inputs.
        layers: names of calls: `conv`, `conv/1` for the second call of a shared
            layer, `outer/conv` inside a nested model (`conv` where that is unique).
            By default every call whose output has rows and columns.

    Returns:
        By name, in the order asked for or of the graph, the (first) output:
        `(n, rows, columns, channels)` for maps, in Keras's data format; 32-bit floats
        where the layer computes in 16 bits.

    Raises:
        KeyError: where there is no such layer.
        ValueError: where no layer has maps, the images do not fit the model, or it
            has no graph (subclassed, or not built).
    """
    network = Network(model)
    if layers is None:
        wanted = {
            name: name
            for name, step in network.steps.items()
            if step.is_map and step.name == name
        }
        if not wanted:
            raise ValueError(
                f"model {network.name!r} has no layer with maps (batch, rows, columns, "
                "channels). Name the layers to see: "
                f"{', '.join(network.steps)}"
            )
    else:
        names = [layers] if isinstance(layers, str) else layers
        wanted = {name: network.steps[name].name for name in names}
    kept = set(wanted.values())
    values = {}

    def note(name, found):
        if name in kept:
            values[name] = to_numpy(found[0])

    network.run(network.arrays(images), note=note)
    return {name: values[step] for name, step in wanted.items()}
