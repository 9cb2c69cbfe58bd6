"""The whitelist: what Keras, NumPy and the builtins do to the interpreter's values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grader import layers
from grader.graph import Node, describe
from grader.layers import Layer
from grader.values import (
    UNKNOWN,
    Bound,
    Data,
    Event,
    Library,
    Made,
    Maker,
    Network,
    Symbol,
    ordered,
)

if TYPE_CHECKING:
    from grader.interpret import Interpreter

MOST_NODES = 2_000
LONGEST_RANGE = 5_000

# The assignment's data set: a name of these is what it holds unless it is set.
DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(
        "num_classes nb_classes n_classes classes nclasses num_class "
        "NUM_CLASSES NB_CLASSES N_CLASSES no_classes numClasses".split(),
        10,
    ),
    **dict.fromkeys("input_shape INPUT_SHAPE img_shape image_shape".split(), None),
    **dict.fromkeys(
        "train_features x_train X_train".split(), Data((50_000, 32, 32, 3))
    ),
    **dict.fromkeys("test_features x_test X_test".split(), Data((10_000, 32, 32, 3))),
    **dict.fromkeys("train_labels y_train Y_train".split(), Data((50_000, 1))),
    **dict.fromkeys("test_labels y_test Y_test".split(), Data((10_000, 1))),
}
for _name in ("input_shape", "INPUT_SHAPE", "img_shape", "image_shape"):
    DEFAULTS[_name] = (32, 32, 3)

_CIFAR = (
    (Data((50_000, 32, 32, 3)), Data((50_000, 1))),
    (Data((10_000, 32, 32, 3)), Data((10_000, 1))),
)
_MODELS = {"Sequential", "Model", "Functional"}
_BUILTINS = frozenset(
    "range len int float str list tuple enumerate zip min max sum abs round "
    "reversed sorted dict bool partial".split()
)
_MERGE_FUNCTIONS = {
    "add": "Add",
    "subtract": "Subtract",
    "multiply": "Multiply",
    "average": "Average",
    "maximum": "Maximum",
    "minimum": "Minimum",
    "concatenate": "Concatenate",
    "merge": "merge",
}
_MERGE_MODES = {
    "sum": "Add",
    "concat": "Concatenate",
    "mul": "Multiply",
    "ave": "Average",
    "max": "Maximum",
}
_KEEPS_SHAPE = frozenset("astype copy reshape_as clip normalize".split())


def is_layer_name(name: str) -> bool:
    """Whether a bare name is a layer class."""
    return layers.kind_of(name) is not None


def imported(module: str, name: str) -> Any:
    """Return what `from module import name` binds."""
    legacy = "tensorflow" not in module
    if module.split(".")[0] in ("keras", "tensorflow", "tf_keras", ""):
        kind = layers.kind_of(name)
        if kind is not None:
            return Maker(kind, legacy)
    return Library(f"{module}.{name}" if module else name)


def named(name: str, legacy: bool) -> Any:
    """Return what a name means that the code never bound."""
    kind = layers.kind_of(name)
    if kind is not None:
        return Maker(kind, legacy)
    if name in _MODELS or name in _BUILTINS or name == "Input":
        return Library(name)
    if name in ("add", "concatenate", "merge", "multiply", "average", "maximum"):
        return Library(name)
    if name in ("keras", "tf", "np", "numpy", "layers", "K", "cifar10", "np_utils"):
        return Library(name)
    return UNKNOWN


def attribute(machine: Interpreter, owner: Any, name: str) -> Any:
    """Return `owner.name`."""
    if isinstance(owner, Library):
        kind = layers.kind_of(name)
        root = owner.path.split(".")[0]
        if kind is not None and root not in ("np", "numpy"):
            return Maker(kind, root not in ("tf", "tensorflow") and machine.legacy)
        return Library(f"{owner.path}.{name}")
    if isinstance(owner, Data) and name == "shape":
        return tuple(UNKNOWN if side is None else side for side in owner.shape)
    if isinstance(owner, Symbol) and name in ("shape", "_keras_shape"):
        return _symbol_shape(owner)
    if isinstance(owner, Network):
        if name in ("output", "outputs") and owner.nodes:
            return Symbol(owner.nodes[-1])
        if name in ("input", "inputs") and owner.nodes:
            return Symbol(owner.nodes[0])
        if name == "layers":
            return [Bound(node, "layer") for node in owner.nodes[:MOST_NODES]]
    if isinstance(owner, Bound) and isinstance(owner.owner, Node):
        if name == "output":
            return Symbol(owner.owner)
    return Bound(owner, name)


def _symbol_shape(symbol: Symbol) -> Any:
    description = describe(ordered([symbol.node])[:MOST_NODES])
    if description.broken or not description.rows:
        return symbol.node.layer.options.get("input_shape") and (
            None,
            *symbol.node.layer.options["input_shape"],
        )
    return (None, *description.rows[-1].shape)


def call(
    machine: Interpreter, function: Any, args: list[Any], kwargs: dict[str, Any]
) -> Any:
    """Return the result of a call that is not one of the student's functions."""
    if isinstance(function, Maker):
        return _make(machine, function, args, kwargs)
    if isinstance(function, Made):
        return _apply(machine, function.layer, args, kwargs)
    if isinstance(function, Network):
        return _inline(machine, function, args)
    if isinstance(function, Library):
        return _library_call(machine, function.path, args, kwargs)
    if isinstance(function, Bound):
        return _method(machine, function.owner, function.name, args, kwargs)
    return UNKNOWN


def _make(machine: Interpreter, maker: Maker, args: list, kwargs: dict) -> Any:
    merged = {**dict(maker.preset), **kwargs}
    layer = layers.read_call(
        maker.kind, args, merged, tuple(machine.spans), maker.legacy
    )
    return Made(layer)


def _apply(machine: Interpreter, layer: Layer, args: list, kwargs: dict) -> Any:
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
    return _apply(machine, layer, [tensors], {})


def _inline(machine: Interpreter, network: Network, args: list) -> Any:
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


def _library_call(machine: Interpreter, path: str, args: list, kwargs: dict) -> Any:
    name = path.rsplit(".", 1)[-1]
    if name == "Sequential":
        return _sequential(machine, args, kwargs)
    if name in ("Model", "Functional"):
        return _functional(machine, args, kwargs)
    if name == "Input":
        layer = layers.read_call(
            "InputLayer", args, kwargs, tuple(machine.spans), machine.legacy
        )
        return Symbol(Node(layer))
    if name in _MERGE_FUNCTIONS and args and isinstance(args[0], list | tuple):
        kind = _MERGE_FUNCTIONS[name]
        if kind == "merge":
            mode = kwargs.get("mode", args[1] if len(args) > 1 else "sum")
            kind = _MERGE_MODES.get(mode if isinstance(mode, str) else "", "")
        return merge(machine, kind, list(args[0])) if kind else UNKNOWN
    if name == "int_shape" and args and isinstance(args[0], Symbol):
        return _symbol_shape(args[0])
    if name == "load_data":
        return _CIFAR if "cifar100" not in path and "mnist" not in path else UNKNOWN
    if name == "image_data_format" or name == "image_dim_ordering":
        return "channels_last"
    if name == "clone_model" and args and isinstance(args[0], Network):
        source = args[0]
        return _register(
            machine, Network(list(source.nodes), source.sequential, source.unsure)
        )
    if name in ("unique", "to_categorical") and args and isinstance(args[0], Data):
        if name == "unique":
            return Data((10,))
        return Data((args[0].shape[0], 10))
    if name == "partial" and args and isinstance(args[0], Maker):
        maker = args[0]
        return Maker(maker.kind, maker.legacy, (*maker.preset, *kwargs.items()))
    if name in _BUILTINS and "." not in path:
        return _builtin(name, args, kwargs)
    if isinstance(args[0] if args else None, Data) and name in ("array", "float32"):
        return args[0]
    return UNKNOWN


def _register(machine: Interpreter, network: Network) -> Network:
    if machine.doubts:
        network.unsure = network.unsure or machine.doubts[-1]
    machine.networks.append(network)
    return network


def _sequential(machine: Interpreter, args: list, kwargs: dict) -> Network:
    network = _register(machine, Network())
    stack = args[0] if args else kwargs.get("layers")
    if isinstance(stack, list | tuple):
        for item in stack:
            _add(machine, network, item)
    elif stack is not None and not isinstance(stack, str):
        network.unsure = "its list of layers cannot be followed"
    return network


def _functional(machine: Interpreter, args: list, kwargs: dict) -> Network:
    values = dict(zip(("inputs", "outputs"), args, strict=False)) | {
        {"input": "inputs", "output": "outputs"}.get(k, k): v for k, v in kwargs.items()
    }
    outputs = values.get("outputs", UNKNOWN)
    ends = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
    network = Network(sequential=False)
    if ends and all(isinstance(end, Symbol) for end in ends):
        network.nodes = ordered([end.node for end in ends])[:MOST_NODES]
    else:
        network.unsure = "its output cannot be followed"
    return _register(machine, network)


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
        for node in inner[: MOST_NODES - len(network.nodes)]:
            network.append(node.layer)
        if not item.sequential and any(len(n.parents) > 1 for n in item.nodes):
            network.unsure = network.unsure or "it holds a branching network"
    else:
        line = machine.spans[-1].first if machine.spans else 0
        network.unsure = network.unsure or f"what line {line} adds cannot be followed"


def _method(
    machine: Interpreter, owner: Any, name: str, args: list, kwargs: dict
) -> Any:
    if isinstance(owner, Network):
        return _network_method(machine, owner, name, args, kwargs)
    if name in ("fit", "fit_generator") and (owner is UNKNOWN or owner is None):
        # `datagen.fit(x)` also fits; only what runs for epochs trains a network.
        if _epochs(name, args, kwargs) is not None:
            record(machine, "fit", None, name, args, kwargs)
        return UNKNOWN
    if isinstance(owner, Made) and name == "__call__":
        return _apply(machine, owner.layer, args, kwargs)
    if isinstance(owner, Data):
        return owner if name in _KEEPS_SHAPE else UNKNOWN
    if isinstance(owner, list) and len(owner) < LONGEST_RANGE:
        if name == "append" and args:
            owner.append(args[0])
            return None
        if name == "extend" and args and isinstance(args[0], list | tuple):
            owner.extend(args[0][:LONGEST_RANGE])
            return None
        if name == "pop":
            return owner.pop() if owner and not args else UNKNOWN
    if isinstance(owner, dict):
        if name == "items":
            return [tuple(item) for item in owner.items()]
        if name in ("keys", "values"):
            return list(owner) if name == "keys" else list(owner.values())
        if name == "get" and args and isinstance(args[0], str | int):
            return owner.get(args[0], args[1] if len(args) > 1 else None)
        if name == "update" and args and isinstance(args[0], dict):
            owner.update(args[0])
            return None
    if isinstance(owner, str) and name in ("lower", "upper", "strip"):
        return getattr(owner, name)() if not args else UNKNOWN
    return UNKNOWN


def _network_method(
    machine: Interpreter, network: Network, name: str, args: list, kwargs: dict
) -> Any:
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


def _epochs(name: str, args: list, kwargs: dict) -> Any:
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
    epochs = _epochs(name, args, kwargs)
    batch = kwargs.get("batch_size")
    if len(machine.events) >= MOST_NODES:
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


def _builtin(name: str, args: list, kwargs: dict) -> Any:
    known = [_sized(arg) for arg in args]
    if any(arg is UNKNOWN for arg in known):
        return UNKNOWN
    try:
        if name == "range":
            if all(type(a) is int for a in args) and 1 <= len(args) <= 3:
                result = range(*args)
                return list(result) if len(result) <= LONGEST_RANGE else UNKNOWN
        elif name == "len" and isinstance(args[0], Data):
            side = args[0].shape[0]
            return side if side is not None else UNKNOWN
        elif name == "len":
            return len(args[0])
        elif name in ("int", "float", "bool", "abs", "round"):
            if len(args) <= 2 and all(isinstance(a, int | float) for a in args):
                return {"int": int, "float": float, "bool": bool, "abs": abs}.get(
                    name, round
                )(*args)
        elif name == "str" and isinstance(args[0], str | int | float):
            return str(args[0])
        elif name in ("list", "tuple", "sorted", "reversed"):
            items = list(args[0]) if args else []
            if name == "reversed":
                items.reverse()
            elif name == "sorted":
                items.sort()
            return tuple(items) if name == "tuple" else items
        elif name == "enumerate":
            return list(enumerate(args[0]))
        elif name == "zip":
            return list(zip(*args, strict=False))
        elif name in ("min", "max", "sum"):
            items = list(args[0]) if len(args) == 1 else args
            if all(isinstance(i, int | float) for i in items):
                return {"min": min, "max": max, "sum": sum}[name](items)
        elif name == "dict" and not args:
            return dict(kwargs)
    except (TypeError, ValueError, IndexError, OverflowError):
        return UNKNOWN
    return UNKNOWN


def _sized(value: Any) -> Any:
    if isinstance(value, list | tuple | dict | str) and len(value) > LONGEST_RANGE:
        return UNKNOWN
    return value
