"""Expressions of a student's code: what they stand for, without running them."""

from __future__ import annotations

import ast
import operator
from typing import Any

from grader import library
from grader.keras_calls import merge
from grader.values import (
    UNKNOWN,
    Bound,
    Break,
    Continue,
    Data,
    Event,
    Network,
    OutOfBudget,
    Return,
    Routine,
    Span,
    Symbol,
)

DEEPEST_CALL = 25
LONGEST = 5_000
LARGEST = 10**12

_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARISONS = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_NUMBERS = (int, float)


class Expressions:
    """Evaluates expressions among the names of one notebook.

    Every value has a bounded size; what is not on the whitelist is UNKNOWN.
    Statements, and with them `bind` and `block`, are the subclass' concern.
    """

    def __init__(self, steps: int, excerpt: bool) -> None:
        self.names: dict[str, Any] = dict(library.DEFAULTS)
        self.scopes: list[dict[str, Any]] = [self.names]
        self.events: list[Event] = []
        self.networks: list[Network] = []
        self.spans: list[Span] = []
        self.doubts: list[str] = []
        self.steps = steps
        self.stop_at = 0
        self.excerpt = excerpt
        self.cell = 0
        self.depth = 0
        self.legacy = True

    def step(self) -> None:
        """Spend one step.

        Raises:
            OutOfBudget: none is left.
        """
        self.steps -= 1
        if self.steps < self.stop_at:
            raise OutOfBudget("the code takes more steps than are granted")

    def bind(self, target: ast.expr, value: Any) -> None:
        """Assign `value` to a name, a tuple of names or an element."""
        raise NotImplementedError

    def block(self, body: list[ast.stmt]) -> None:
        """Follow statements in order."""
        raise NotImplementedError

    def value(self, node: ast.expr) -> Any:
        """Return what an expression stands for, UNKNOWN where it is not followed."""
        self.step()
        method = getattr(self, f"_of_{type(node).__name__}", None)
        if method is None:
            # Arguments of what is not followed may still build or fit a network.
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.value(child)
            return UNKNOWN
        return method(node)

    def lookup(self, name: str) -> Any:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return library.named(name, self.legacy)

    def _of_Constant(self, node: ast.Constant) -> Any:
        value = node.value
        if isinstance(value, int) and abs(value) > LARGEST:
            return UNKNOWN
        if value is None or isinstance(value, bool | int | float):
            return value
        return value[:LONGEST] if isinstance(value, str) else UNKNOWN

    def _of_Name(self, node: ast.Name) -> Any:
        return self.lookup(node.id)

    def _of_Tuple(self, node: ast.Tuple) -> Any:
        return tuple(self._elements(node.elts))

    def _of_List(self, node: ast.List) -> Any:
        return self._elements(node.elts)

    def _elements(self, elements: list[ast.expr]) -> list[Any]:
        values: list[Any] = []
        for element in elements[:LONGEST]:
            if isinstance(element, ast.Starred):
                value = self.value(element.value)
                if isinstance(value, list | tuple):
                    values.extend(value[:LONGEST])
                else:
                    values.append(UNKNOWN)
            else:
                values.append(self.value(element))
        return values

    def _of_Dict(self, node: ast.Dict) -> Any:
        result: dict[Any, Any] = {}
        for key, item in zip(node.keys[:LONGEST], node.values, strict=False):
            value = self.value(item)
            name = self.value(key) if key is not None else None
            if key is None and isinstance(value, dict):
                result.update(value)
            elif isinstance(name, str | int):
                result[name] = value
        return result

    def _of_ListComp(self, node: ast.ListComp) -> Any:
        first = node.generators[0]
        items = self.value(first.iter)
        if len(node.generators) != 1 or not isinstance(items, list | tuple | range):
            return UNKNOWN
        results = []
        for item in items[:LONGEST]:
            self.step()
            self.bind(first.target, item)
            tests = [self.truth(self.value(test)) for test in first.ifs]
            if None in tests:
                return UNKNOWN
            if all(tests):
                results.append(self.value(node.elt))
        return results

    _of_GeneratorExp = _of_ListComp

    def _of_Lambda(self, node: ast.Lambda) -> Any:
        result = ast.Return(node.body)
        ast.copy_location(result, node.body)
        scope = self.scopes[-1]
        names = {} if scope is self.names else dict(scope)
        defaults = tuple(self.value(value) for value in node.args.defaults)
        return Routine("lambda", node.args, [result], names, self.cell, defaults)

    def _of_IfExp(self, node: ast.IfExp) -> Any:
        test = self.truth(self.value(node.test))
        if test is None:
            return UNKNOWN
        return self.value(node.body if test else node.orelse)

    def _of_BoolOp(self, node: ast.BoolOp) -> Any:
        stop = isinstance(node.op, ast.Or)
        value: Any = UNKNOWN
        for part in node.values:
            value = self.value(part)
            test = self.truth(value)
            if test is None:
                return UNKNOWN
            if test == stop:
                return value
        return value

    def _of_UnaryOp(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            test = self.truth(value)
            return UNKNOWN if test is None else not test
        if isinstance(node.op, ast.USub) and type(value) in _NUMBERS:
            return -value
        return value if isinstance(node.op, ast.UAdd) else UNKNOWN

    def _of_BinOp(self, node: ast.BinOp) -> Any:
        left = self.value(node.left)
        return self.combine(type(node.op), left, self.value(node.right))

    def combine(self, kind: type, left: Any, right: Any) -> Any:
        """Return left (operator) right for small numbers, strings, lists, tensors."""
        if isinstance(left, Symbol) and isinstance(right, Symbol):
            if kind in (ast.Add, ast.Mult):
                name = "Add" if kind is ast.Add else "Multiply"
                return merge(self, name, [left, right])
            return UNKNOWN
        if isinstance(left, Data) and kind in _OPERATORS:
            return left
        if type(left) in _NUMBERS and type(right) in _NUMBERS:
            if kind is ast.Pow:
                if abs(left) > 1000 or abs(right) > 16:
                    return UNKNOWN
                result: Any = left**right
            elif kind in _OPERATORS and not (
                right == 0 and kind in (ast.Div, ast.FloorDiv, ast.Mod)
            ):
                result = _OPERATORS[kind](left, right)
            else:
                return UNKNOWN
            if isinstance(result, complex) or abs(result) > LARGEST:
                return UNKNOWN
            return result
        if kind is ast.Add and type(left) is type(right):
            if isinstance(left, str | list | tuple):
                return (left + right)[:LONGEST]
        if kind is ast.Mult and type(right) is int and isinstance(left, list | tuple):
            if 0 <= right <= 100:
                return (left * right)[:LONGEST]
        return UNKNOWN

    def _of_Compare(self, node: ast.Compare) -> Any:
        left = self.value(node.left)
        for kind, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node)
            result = self._compare(kind, left, right)
            if result is not True:
                return result
            left = right
        return True

    def _compare(self, kind: ast.cmpop, left: Any, right: Any) -> Any:
        plain = (bool, int, float, str, type(None))
        if isinstance(kind, ast.In | ast.NotIn) and isinstance(
            right, list | tuple | dict
        ):
            keys = list(right)
            if isinstance(left, plain) and all(isinstance(k, plain) for k in keys):
                return (left in keys) == isinstance(kind, ast.In)
            return UNKNOWN
        if not (isinstance(left, plain) and isinstance(right, plain)):
            if isinstance(kind, ast.Is | ast.IsNot) and right is None:
                if left is not UNKNOWN:
                    return isinstance(kind, ast.IsNot)
            return UNKNOWN
        if isinstance(kind, ast.Is | ast.IsNot):
            return (left is right) == isinstance(kind, ast.Is)
        compare = _COMPARISONS.get(type(kind))
        if compare is None:
            return UNKNOWN
        try:
            return bool(compare(left, right))
        except TypeError:
            return UNKNOWN

    def truth(self, value: Any) -> bool | None:
        """Return whether a value counts as true, None when that is not known."""
        if value is None or isinstance(
            value, bool | int | float | str | list | tuple | dict
        ):
            return bool(value)
        if isinstance(value, Network | Symbol | Routine):
            return True
        return None

    def _of_JoinedStr(self, node: ast.JoinedStr) -> Any:
        parts = []
        for part in node.values:
            if isinstance(part, ast.Constant):
                parts.append(str(part.value))
            elif isinstance(part, ast.FormattedValue):
                value = self.value(part.value)
                parts.append(str(value) if isinstance(value, int | str) else "?")
        return "".join(parts)[:LONGEST]

    def _of_Attribute(self, node: ast.Attribute) -> Any:
        return library.attribute(self, self.value(node.value), node.attr)

    def _of_Subscript(self, node: ast.Subscript) -> Any:
        owner = self.value(node.value)
        if isinstance(node.slice, ast.Slice):
            bounds = [
                None if part is None else self.value(part)
                for part in (node.slice.lower, node.slice.upper, node.slice.step)
            ]
            if isinstance(owner, list | tuple | str) and all(
                bound is None or type(bound) is int for bound in bounds
            ):
                return owner[slice(*bounds)] if bounds[2] != 0 else UNKNOWN
            return owner if isinstance(owner, Data) else UNKNOWN
        key = self.value(node.slice)
        if isinstance(owner, list | tuple | str | range) and type(key) is int:
            return owner[key] if -len(owner) <= key < len(owner) else UNKNOWN
        if isinstance(owner, dict) and isinstance(key, str | int):
            return owner.get(key, UNKNOWN)
        return UNKNOWN

    # Calls

    def _of_Call(self, node: ast.Call) -> Any:
        if self.excerpt and isinstance(node.func, ast.Attribute):
            self._suppose(node.func)
        function = self.value(node.func)
        positional: list[Any] = []
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                value = self.value(argument.value)
                positional.extend(value if isinstance(value, list | tuple) else [])
            else:
                positional.append(self.value(argument))
        keywords: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self.value(keyword.value)
            if keyword.arg is not None:
                keywords[keyword.arg] = value
            elif isinstance(value, dict):
                keywords.update((k, v) for k, v in value.items() if type(k) is str)
        span = Span(self.cell, node.lineno, node.end_lineno or node.lineno)
        self.spans.append(span)
        try:
            if isinstance(function, Routine):
                return self.enter(function, positional, keywords)
            if function is UNKNOWN and isinstance(node.func, ast.Attribute):
                function = Bound(UNKNOWN, node.func.attr)
            return library.call(self, function, positional, keywords)
        finally:
            if self.spans:
                self.spans.pop()

    def _suppose(self, function: ast.Attribute) -> None:
        """In an excerpt, take `model.add(...)` for a network made before it."""
        owner = function.value
        if function.attr == "add" and isinstance(owner, ast.Name):
            if self.lookup(owner.id) is UNKNOWN:
                network = Network(variable=owner.id)
                self.networks.append(network)
                self.names[owner.id] = network

    def enter(
        self, routine: Routine, positional: list[Any], keywords: dict[str, Any]
    ) -> Any:
        """Follow a call of one of the student's own functions."""
        if self.depth >= DEEPEST_CALL:
            raise OutOfBudget("functions call each other too deep")
        arguments = routine.arguments
        names = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
        scope: dict[str, Any] = dict(routine.names)
        scope.update(dict.fromkeys(names, UNKNOWN))
        if routine.defaults:
            scope.update(
                zip(names[-len(routine.defaults) :], routine.defaults, strict=False)
            )
        scope.update(
            zip(
                (a.arg for a in arguments.kwonlyargs),
                routine.keyword_defaults,
                strict=False,
            )
        )
        scope.update(zip(names, positional, strict=False))
        known = {*names, *(a.arg for a in arguments.kwonlyargs)}
        scope.update({k: v for k, v in keywords.items() if k in known})
        if arguments.vararg:
            scope[arguments.vararg.arg] = tuple(positional[len(names) :])
        if arguments.kwarg:
            scope[arguments.kwarg.arg] = {
                k: v for k, v in keywords.items() if k not in known
            }
        outer, self.scopes = self.scopes, [self.names, scope]
        cell, self.cell = self.cell, routine.cell
        self.depth += 1
        try:
            self.block(routine.body)
        except Return as result:
            return result.value
        except (Break, Continue):
            return None
        finally:
            self.scopes, self.cell = outer, cell
            self.depth -= 1
        return None
