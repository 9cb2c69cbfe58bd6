"""The walk through a functional graph, nested models included."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import keras
from keras import tree

from .feature_map import FeatureMap
from .registry import ReceptiveFieldError, find_rule


@dataclass(frozen=True)
class Call:
    """One call of a layer in a model.

    Attributes:
        name: the layer's name, with `/1` for its second call and `outer/` in front
            inside a nested model.
        operation: the layer or `keras.ops` operation.
        inputs: the feature maps it was called with.
        outputs: the feature maps of its outputs.
        arguments: positional and keyword arguments, with feature maps for tensors.
        results: of a nested model, whose layers are calls of their own, the maps that
            they ended in; None for other layers.
    """

    name: str
    operation: object
    inputs: tuple[FeatureMap, ...]
    outputs: tuple[FeatureMap, ...]
    arguments: tuple[tuple, dict] = ((), {})
    results: tuple[FeatureMap, ...] | None = None

    @property
    def nested(self) -> bool:
        """Whether it is a nested model."""
        return self.results is not None


def functional_of(model) -> "keras.Function":
    """Returns the graph of a functional or a built Sequential model.

    Raises:
        ReceptiveFieldError: where the model has no graph.
    """
    if isinstance(model, keras.Sequential):
        # A Sequential model keeps the functional model that it stands for here.
        graph = model._functional
        if graph is None:
            raise ReceptiveFieldError(
                f"model {model.name!r} is not built, so its sizes are not known. Put "
                "keras.Input(shape=...) first, or call model.build((None, 32, 32, 3))"
            )
        return graph
    if isinstance(model, keras.Function):
        return model
    if isinstance(model, keras.Model):
        raise ReceptiveFieldError(
            f"model {model.name!r} is a subclassed {type(model).__name__}: its call is "
            "Python code, which has no graph to follow. Build the network with "
            "keras.Model(inputs, outputs)"
        )
    raise ReceptiveFieldError(
        f"expected a Keras model, got {type(model).__name__}: {model!r}"
    )


def is_nested(operation) -> bool:
    """Whether the operation is a model with a graph of its own."""
    return isinstance(operation, keras.Function | keras.Sequential)


def ordered_nodes(function) -> Iterator[tuple[object, str]]:
    """Yields the nodes of a graph, parents first, with the name of each call."""
    order = {id(op): i for i, op in enumerate(function.operations)}
    calls = {}
    for nodes in function._nodes_by_depth.values():
        for node in nodes:
            calls.setdefault(id(node.operation), []).append(node)
    for nodes in calls.values():
        if len(nodes) > 1:
            nodes.sort(key=nodes[0].operation._inbound_nodes.index)
    for depth in sorted(function._nodes_by_depth, reverse=True):
        layer = function._nodes_by_depth[depth]
        for node in sorted(layer, key=lambda node: order[id(node.operation)]):
            operation = node.operation
            number = calls[id(operation)].index(node)
            yield node, f"{operation.name}/{number}" if number else operation.name


def walk(function, inputs: list[FeatureMap], prefix: str = "") -> tuple[list, list]:
    """Carries feature maps through a graph.

    Args:
        function: the graph, a `keras.Function`.
        inputs: a feature map for each of the graph's inputs.
        prefix: what to put in front of the names of calls.

    Returns:
        The calls in the order of the graph, and the feature maps of its outputs.

    Raises:
        ReceptiveFieldError: where a layer has no rule or branches do not fit.
    """
    maps = {id(t): m for t, m in zip(function.inputs, inputs, strict=True)}
    # A nested model may be called on another size than the one it was built with.
    as_built = all(
        tuple(t.shape) == m.shape for t, m in zip(function.inputs, inputs, strict=True)
    )
    calls = []
    for node, name in ordered_nodes(function):
        name = prefix + name
        if node.is_input:
            if not prefix:
                found = tuple(maps[id(t)] for t in node.outputs)
                calls.append(Call(name, node.operation, (), found))
            continue
        args, kwargs = node.arguments.fill_in(maps)
        given = tuple(maps[id(t)] for t in node.input_tensors)
        shapes = [tuple(t.shape) for t in node.outputs]
        if not as_built:
            shapes = _shapes(node, maps)
        results = None
        if is_nested(node.operation):
            inner, found = _enter(node.operation, args, kwargs, name)
            calls.extend(inner)
            results = tuple(found)
        elif not any(m.sighted for m in given):
            found = [FeatureMap.blind(shape) for shape in shapes]
        else:
            found = _apply(node.operation, args, kwargs, name)
        found = tuple(
            _checked(replace(m, shape=shape, origin=name, output=i))
            for i, (m, shape) in enumerate(zip(found, shapes, strict=True))
        )
        calls.append(Call(name, node.operation, given, found, (args, kwargs), results))
        maps.update((id(t), m) for t, m in zip(node.outputs, found, strict=True))
    return calls, [maps[id(t)] for t in function.outputs]


def _enter(model, args, kwargs, name):
    inputs = [x for x in tree.flatten((args, kwargs)) if isinstance(x, FeatureMap)]
    return walk(functional_of(model), inputs, f"{name}/")


def _apply(operation, args, kwargs, name):
    rule = find_rule(operation)
    try:
        found = rule(operation, *args, **kwargs)
    except ValueError as error:
        # The rules do not know the name of the call.
        kind = type(operation).__name__
        cause = type(error) if isinstance(error, ReceptiveFieldError) else None
        text = f"layer {name!r} ({kind}): {error}"
        raise (cause or ReceptiveFieldError)(text) from error
    return list(found) if isinstance(found, list | tuple) else [found]


def _shapes(node, maps):
    """Returns the output shapes of a call, from the shapes of its feature maps."""
    specs = {
        id(t): keras.KerasTensor(maps[id(t)].shape, t.dtype) for t in node.input_tensors
    }
    args, kwargs = node.arguments.fill_in(specs)
    spec = node.operation.compute_output_spec(*args, **kwargs)
    return [tuple(t.shape) for t in tree.flatten(spec)]


def _checked(m):
    """Compares the number of positions with the one that Keras computed.

    Returns:
        The map; sizes that Keras leaves open are filled in.
    """
    rows, columns = m.axes
    counted = dict(zip(m.axes, m.grid, strict=True))
    if rows is not None and rows == columns:
        counted[rows] = None if None in m.grid else m.grid[0] * m.grid[1]
    shape = list(m.shape)
    for axis, count in counted.items():
        if axis is None or count == shape[axis]:
            continue
        if shape[axis] is not None:
            expected = tuple(shape[a] for a in m.axes if a is not None)
            raise ReceptiveFieldError(
                f"layer {m.origin!r}: its rule counts {m.grid} positions, Keras "
                f"{expected}. The rule does not describe what the layer does"
            )
        shape[axis] = count
    return replace(m, shape=tuple(shape)) if tuple(shape) != m.shape else m
