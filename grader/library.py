"""The whitelist: what names, attributes and calls of libraries stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grader import layers
from grader.builtin_calls import BUILTINS, LONGEST_RANGE, call_builtin
from grader.graph import Node
from grader.keras_calls import (
    MOST_NODES,
    apply_layer,
    apply_network,
    epochs_of,
    functional,
    make_layer,
    merge,
    network_method,
    record,
    register,
    sequential,
    shape_of,
)
from grader.values import UNKNOWN, Bound, Data, Library, Made, Maker, Network, Symbol

if TYPE_CHECKING:
    from grader.expressions import Expressions as Interpreter

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
_OPTIMIZERS = frozenset(
    "sgd rmsprop adam adamw adadelta adagrad adamax adafactor nadam ftrl lion lamb "
    "muon lossscaleoptimizer".split()
)


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
    if name in _MODELS or name in BUILTINS or name == "Input":
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
        return shape_of(machine, owner)
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


def call(
    machine: Interpreter, function: Any, args: list[Any], kwargs: dict[str, Any]
) -> Any:
    """Return the result of a call that is not one of the student's functions."""
    if isinstance(function, Maker):
        return make_layer(machine, function, args, kwargs)
    if isinstance(function, Made):
        return apply_layer(machine, function.layer, args, kwargs)
    if isinstance(function, Network):
        return apply_network(machine, function, args)
    if isinstance(function, Library):
        return _library_call(machine, function.path, args, kwargs)
    if isinstance(function, Bound):
        return _method(machine, function.owner, function.name, args, kwargs)
    return UNKNOWN


def _library_call(machine: Interpreter, path: str, args: list, kwargs: dict) -> Any:
    name = path.rsplit(".", 1)[-1]
    if name == "Sequential":
        return sequential(machine, args, kwargs)
    if name in ("Model", "Functional"):
        return functional(machine, args, kwargs)
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
        return shape_of(machine, args[0])
    if "optimizers" in path.split(".") and name.lower() in _OPTIMIZERS:
        return name.lower()
    if name == "load_data":
        return _CIFAR if "cifar100" not in path and "mnist" not in path else UNKNOWN
    if name == "image_data_format" or name == "image_dim_ordering":
        return "channels_last"
    if name == "clone_model" and args and isinstance(args[0], Network):
        source = args[0]
        return register(
            machine, Network(list(source.nodes), source.sequential, source.unsure)
        )
    if name in ("unique", "to_categorical") and args and isinstance(args[0], Data):
        if name == "unique":
            return Data((10,))
        return Data((args[0].shape[0], 10))
    if name == "partial" and args and isinstance(args[0], Maker):
        maker = args[0]
        return Maker(maker.kind, maker.legacy, (*maker.preset, *kwargs.items()))
    if name in BUILTINS and "." not in path:
        return call_builtin(name, args, kwargs)
    if isinstance(args[0] if args else None, Data) and name in ("array", "float32"):
        return args[0]
    return UNKNOWN


def _method(
    machine: Interpreter, owner: Any, name: str, args: list, kwargs: dict
) -> Any:
    if isinstance(owner, Network):
        return network_method(machine, owner, name, args, kwargs)
    if name in ("fit", "fit_generator") and (owner is UNKNOWN or owner is None):
        # `datagen.fit(x)` also fits; only what runs for epochs trains a network.
        if epochs_of(name, args, kwargs) is not None:
            record(machine, "fit", None, name, args, kwargs)
        return UNKNOWN
    if isinstance(owner, Made) and name == "__call__":
        return apply_layer(machine, owner.layer, args, kwargs)
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
