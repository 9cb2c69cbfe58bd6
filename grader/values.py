"""The values that the interpreter of student code knows; anything else is UNKNOWN."""

from __future__ import annotations

import ast
import dataclasses
from typing import Any

from grader.graph import Node
from grader.layers import Layer


class Unknown:
    """A value that is not followed; every operation on it gives it back."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


@dataclasses.dataclass(frozen=True)
class Span:
    """Lines of a cell: where a call stands."""

    cell: int
    first: int
    last: int


@dataclasses.dataclass(frozen=True)
class Data:
    """An array of which only the shape matters; None is a side not known."""

    shape: tuple[int | None, ...]


@dataclasses.dataclass(frozen=True)
class Maker:
    """A layer class; `legacy` as in `layers.read_call`."""

    kind: str
    legacy: bool = True
    preset: tuple[tuple[str, Any], ...] = ()


@dataclasses.dataclass(frozen=True, eq=False)
class Made:
    """A layer object."""

    layer: Layer


@dataclasses.dataclass(frozen=True, eq=False)
class Symbol:
    """A symbolic tensor: the node that computes it."""

    node: Node


@dataclasses.dataclass(frozen=True)
class Library:
    """A module or a name inside one, such as `keras.layers`."""

    path: str


@dataclasses.dataclass(frozen=True, eq=False)
class Routine:
    """A function of the student's, with the names it was defined among."""

    name: str
    arguments: ast.arguments
    body: list[ast.stmt]
    names: dict[str, Any]
    cell: int
    defaults: tuple[Any, ...] = ()
    keyword_defaults: tuple[Any, ...] = ()


@dataclasses.dataclass(frozen=True, eq=False)
class Bound:
    """A method of a value, not yet called."""

    owner: Any
    name: str


@dataclasses.dataclass(eq=False)
class Network:
    """A Keras model under construction.

    Attributes:
        nodes: what it computes, parents first.
        sequential: whether `add` appends to it.
        unsure: why it cannot be trusted to be complete, or None.
        optimizer: what `compile` was given, or None.
        variable: the name it was first bound to.
    """

    nodes: list[Node] = dataclasses.field(default_factory=list)
    sequential: bool = True
    unsure: str | None = None
    optimizer: Any = None
    variable: str = ""

    def append(self, layer: Layer) -> None:
        """Add a layer at the end."""
        self.nodes.append(Node(layer, (self.nodes[-1],) if self.nodes else ()))


def ordered(outputs: list[Node]) -> list[Node]:
    """Return all nodes that `outputs` need, parents first."""
    order: list[Node] = []
    done: set[int] = set()
    stack = [(node, False) for node in reversed(outputs)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif id(node) not in done:
            done.add(id(node))
            stack.append((node, True))
            stack.extend((parent, False) for parent in reversed(node.parents))
    return order


@dataclasses.dataclass(frozen=True, eq=False)
class Event:
    """Something that a cell did with a network.

    Attributes:
        action: "fit", "summary" or "built".
        span: where.
        network: the network, or None when it is not known.
        nodes: its nodes at that moment.
        epochs: epochs asked for, where known.
        batch: batch size asked for, where known.
        optimizer: what the network was compiled with, where known.
    """

    action: str
    span: Span
    network: Network | None
    nodes: tuple[Node, ...] = ()
    epochs: int | None = None
    batch: int | None = None
    optimizer: Any = None


class OutOfBudget(Exception):
    """The code asks for more steps than the interpreter grants."""


class Return(Exception):
    """A `return` in the code that is followed."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class Break(Exception):
    """A `break` in the code that is followed."""


class Continue(Exception):
    """A `continue` in the code that is followed."""
