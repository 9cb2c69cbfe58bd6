"""What Keras' layers and models do to the interpreter's values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grader import layers
from grader.graph import Node, describe
from grader.layers import Layer
from grader.values import (
    UNKNOWN,
    Bound,
    Event,
    Made,
    Maker,
    Network,
    Symbol,
    ordered,
)

if TYPE_CHECKING:
    from grader.expressions import Expressions as Interpreter

MOST_NODES = 500
MOST_EVENTS = 500


def make_layer(machine: Interpreter, maker: Maker, args: list, kwargs: dict) -> Any:
    """Return the layer that a call of a layer class makes."""
    merged = {**dict(maker.preset), **kwargs}
    layer = layers.read_call(
        maker.kind, args, merged, tuple(machine.spans), maker.legacy
    )
    return Made(layer)


def apply_layer(machine: Interpreter, layer: Layer, args: list, kwargs: dict) -> Any:
    """Return the tensor that a layer makes of tensors."""
    tensor = args[0] if args else kwargs.get("inputs", UNKNOWN)
    tensors = list(tensor) if isinstance(tensor, list | tuple) else [tensor]
    if tensors == [UNKNOWN] and machine.excerpt:
        tensors = [Symbol(Node(layers.read_call("InputLayer", [(32, 32, 3)], {})))]
    if not tensors or not all(isinstance(t, Symbol) for t in tensors):
        return UNKNOWN
    return Symbol(Node(layer, tuple(t.node for t in tensors)))


def merge(machine: Interpreter, kind: str, tensors: list[Any]) -> Any:
    """Return a merge of tensors as if by a layer of that kind."""
    layer = layers.read_call(kind, [], {}, tuple(machine.spans))
    return apply_layer(machine, layer, [tensors], {})


def apply_network(machine: Interpreter, network: Network, args: list) -> Any:
    """Return the tensor that a whole network makes of a tensor."""
    tensor = args[0] if args else UNKNOWN
    if not isinstance(tensor, Symbol) or not network.nodes or network.unsure:
        return UNKNOWN
    copies: dict[int, Node] = {}
    last = tensor.node
    for node in network.nodes[:MOST_NODES]:
        if node.layer.kind == "InputLayer":
            copies[id(node)] = tensor.node
            last = tensor.node
            continue
        parents = tuple(copies.get(id(p), tensor.node) for p in node.parents)
        last = Node(node.layer, parents or (tensor.node,))
        copies[id(node)] = last
    return Symbol(last)


def shape_of(machine: Interpreter, symbol: Symbol) -> Any:
    """Return a tensor's shape, with None for the batch."""
    nodes = ordered([symbol.node])
    machine.steps -= 10 * len(nodes)  # following a long network is work, too
    description = describe(nodes[:MOST_NODES])
    if description.broken or not description.rows:
        return symbol.node.layer.options.get("input_shape") and (
            None,
            *symbol.node.layer.options["input_shape"],
        )
    return (None, *description.rows[-1].shape)


def register(machine: Interpreter, network: Network) -> Network:
    """Keep a network that was made, and whether it may not have been made."""
    if machine.doubts:
        network.unsure = network.unsure or machine.doubts[-1]
    machine.networks.append(network)
    return network


def sequential(machine: Interpreter, args: list, kwargs: dict) -> Network:
    """Return what `Sequential(...)` makes."""
    network = register(machine, Network())
    stack = args[0] if args else kwargs.get("layers")
    if isinstance(stack, list | tuple):
        for item in stack:
            _add(machine, network, item)
    elif stack is not None and not isinstance(stack, str):
        network.unsure = "its list of layers cannot be followed"
    return network


def functional(machine: Interpreter, args: list, kwargs: dict) -> Network:
    """Return what `Model(inputs, outputs)` makes."""
    values = dict(zip(("inputs", "outputs"), args, strict=False)) | {
        {"input": "inputs", "output": "outputs"}.get(k, k): v for k, v in kwargs.items()
    }
    outputs = values.get("outputs", UNKNOWN)
    ends = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
    network = Network(sequential=False)
    if ends and all(isinstance(end, Symbol) for end in ends):
        nodes = ordered([end.node for end in ends])
        machine.steps -= 10 * len(nodes)
        network.nodes = nodes[:MOST_NODES]
        if len(nodes) > MOST_NODES:
            network.unsure = f"it has more than {MOST_NODES} layers"
    else:
        network.unsure = "its output cannot be followed"
    return register(machine, network)


def _add(machine: Interpreter, network: Network, item: Any) -> None:
    if machine.doubts:
        network.unsure = network.unsure or machine.doubts[-1]
    if len(network.nodes) >= MOST_NODES:
        network.unsure = f"it has more than {MOST_NODES} layers"
    elif isinstance(item, Made):
        network.append(item.layer)
    elif isinstance(item, Symbol) and item.node.layer.kind == "InputLayer":
        network.append(item.node.layer)
    elif isinstance(item, Network) and item is not network:
        network.unsure = network.unsure or item.unsure
        base = network.nodes[-1] if network.nodes else None
        inner = [n for n in item.nodes if base is None or n.layer.kind != "InputLayer"]
        machine.steps -= 10 * len(inner)
        for node in inner[: MOST_NODES - len(network.nodes)]:
            network.append(node.layer)
        if not item.sequential and any(len(n.parents) > 1 for n in item.nodes):
            network.unsure = network.unsure or "it holds a branching network"
    else:
        line = machine.spans[-1].first if machine.spans else 0
        network.unsure = network.unsure or f"what line {line} adds cannot be followed"


def network_method(
    machine: Interpreter, network: Network, name: str, args: list, kwargs: dict
) -> Any:
    """Return what a method of a network gives."""
    if name == "add":
        _add(machine, network, args[0] if args else kwargs.get("layer", UNKNOWN))
        return None
    if name == "pop":
        if network.nodes:
            network.nodes.pop()
        return None
    if name == "compile":
        network.optimizer = kwargs.get("optimizer", args[0] if args else None)
        return None
    if name in ("fit", "fit_generator"):
        record(machine, "fit", network, name, args, kwargs)
        return UNKNOWN
    if name == "summary":
        record(machine, "summary", network, name, args, kwargs)
        return None
    if name == "get_layer":
        wanted = kwargs.get("name", args[0] if args else None)
        for node in network.nodes:
            if wanted is not None and node.layer.options.get("name") == wanted:
                return Bound(node, "layer")
    return UNKNOWN


def epochs_of(name: str, args: list, kwargs: dict) -> Any:
    """Return the epochs that a call of `fit` asks for, in any version's words."""
    for word in ("epochs", "nb_epoch", "nb_epochs", "n_epoch"):
        if word in kwargs:
            return kwargs[word]
    place = 3 if name == "fit" else 2
    return args[place] if len(args) > place else None


def record(
    machine: Interpreter,
    action: str,
    network: Network | None,
    name: str,
    args: list,
    kwargs: dict,
) -> None:
    """Note that a network was trained or summarised here."""
    epochs = epochs_of(name, args, kwargs)
    batch = kwargs.get("batch_size")
    if len(machine.events) >= MOST_EVENTS:
        return
    machine.events.append(
        Event(
            action,
            machine.spans[0] if machine.spans else None,
            network,
            tuple(network.nodes) if network is not None else (),
            epochs if type(epochs) is int else None,
            batch if type(batch) is int else None,
            network.optimizer if network is not None else None,
        )
    )
