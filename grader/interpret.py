"""Rebuild networks from a student's code without running it.

A small whitelist of Python is followed: assignments, arithmetic, strings,
lists, loops over known values, functions, and calls of Keras layers. Whatever
else the code does has no effect here and gives the value UNKNOWN. Steps, call
depth, and the size of every value are bounded.
"""

from __future__ import annotations

import ast
from typing import Any

from grader import library
from grader.expressions import LONGEST, Expressions
from grader.values import (
    UNKNOWN,
    Break,
    Continue,
    Library,
    Network,
    OutOfBudget,
    Return,
    Routine,
)

MOST_STEPS = 300_000
MOST_STEPS_OF_A_CELL = 60_000

# A key no name can have: the names that a function declares global.
_GLOBALS = "\0global"


class Interpreter(Expressions):
    """Follows the cells of one notebook, in order, in one set of names."""

    def __init__(self, steps: int = MOST_STEPS, excerpt: bool = False) -> None:
        """Start with the assignment's usual names.

        Args:
            steps: how many statements and expressions to follow.
            excerpt: whether the code is an excerpt, as in a README, in which a
                network or tensor may be used that is nowhere made.
        """
        super().__init__(steps, excerpt)
        self.notes: list[str] = []

    def run(self, cell: int, body: list[ast.stmt]) -> None:
        """Follow one cell; a statement that fails leaves its names UNKNOWN.

        A cell that asks for too many steps is left, and the next one followed.

        Raises:
            OutOfBudget: the steps for all cells are used up.
        """
        self.cell = cell
        self.stop_at = max(self.steps - MOST_STEPS_OF_A_CELL, 0)
        for statement in body:
            try:
                self.execute(statement)
            except (Return, Break, Continue):
                continue
            except OutOfBudget as error:
                if self.steps <= 0:
                    raise
                self.notes.append(f"cell {cell}: {error}")
                return
            except RecursionError:
                self.notes.append(f"cell {cell}: nested too deep to follow")
            finally:
                self.spans.clear()
                self.doubts.clear()
                self.depth = 0
                self.cell = cell
                del self.scopes[1:]

    def execute(self, node: ast.stmt) -> None:
        self.step()
        method = getattr(self, f"_do_{type(node).__name__}", None)
        if method is not None:
            method(node)

    def block(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self.execute(statement)

    def _do_Expr(self, node: ast.Expr) -> None:
        self.value(node.value)

    def _do_Assign(self, node: ast.Assign) -> None:
        value = self.value(node.value)
        for target in node.targets:
            self.bind(target, value)

    def _do_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.bind(node.target, self.value(node.value))

    def _do_AugAssign(self, node: ast.AugAssign) -> None:
        current = UNKNOWN
        if isinstance(node.target, ast.Name):
            current = self.lookup(node.target.id)
        value = self.combine(type(node.op), current, self.value(node.value))
        self.bind(node.target, value)

    def bind(self, target: ast.expr, value: Any) -> None:
        """Assign `value` to a name, a tuple of names or an element."""
        if isinstance(target, ast.Name):
            scope = self.scopes[-1]
            if target.id in scope.get(_GLOBALS, ()):
                scope = self.names
            scope[target.id] = value
            if isinstance(value, Network) and not value.variable:
                value.variable = target.id
        elif isinstance(target, ast.Tuple | ast.List):
            parts: list[Any] = []
            if isinstance(value, list | tuple):
                parts = list(value)
            if any(isinstance(element, ast.Starred) for element in target.elts):
                parts = []
            if len(parts) != len(target.elts):
                parts = [UNKNOWN] * len(target.elts)
            for element, part in zip(target.elts, parts, strict=True):
                self.bind(element, part)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, UNKNOWN)
        elif isinstance(target, ast.Subscript):
            owner = self.value(target.value)
            key = self.value(target.slice)
            if isinstance(owner, dict) and isinstance(key, str | int):
                if len(owner) < LONGEST:
                    owner[key] = value
            elif isinstance(owner, list) and type(key) is int:
                if -len(owner) <= key < len(owner):
                    owner[key] = value

    def _do_For(self, node: ast.For) -> None:
        items = self.value(node.iter)
        if isinstance(items, dict):
            items = list(items)
        if not isinstance(items, list | tuple | range | str):
            if _builds(node.body):
                self._doubtful(node.body, f"a loop in line {node.lineno}", node.target)
            return
        for item in items:
            self.step()
            self.bind(node.target, item)
            try:
                self.block(node.body)
            except Break:
                return
            except Continue:
                continue
        self.block(node.orelse)

    def _do_While(self, node: ast.While) -> None:
        while True:
            self.step()
            test = self.truth(self.value(node.test))
            if test is None:
                if _builds(node.body):
                    self._doubtful(node.body, f"a loop in line {node.lineno}")
                return
            if not test:
                return
            try:
                self.block(node.body)
            except Break:
                return
            except Continue:
                continue

    def _do_If(self, node: ast.If) -> None:
        test = self.truth(self.value(node.test))
        if test is None:
            chosen = node.body if _builds(node.body) else node.orelse
            if _builds(chosen):
                self._doubtful(chosen, f"a condition in line {node.lineno}")
            else:
                self.block(node.body)
        else:
            self.block(node.body if test else node.orelse)

    def _doubtful(
        self, body: list[ast.stmt], why: str, target: ast.expr | None = None
    ) -> None:
        """Follow a branch that may not be the one taken; its networks are unsure."""
        self.doubts.append(f"{why} depends on a value that cannot be followed")
        try:
            if target is not None:
                self.bind(target, UNKNOWN)
            self.block(body)
        except (Break, Continue):
            pass
        finally:
            if self.doubts:
                self.doubts.pop()

    def _do_With(self, node: ast.With) -> None:
        for item in node.items:
            value = self.value(item.context_expr)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, value)
        self.block(node.body)

    def _do_Try(self, node: ast.Try) -> None:
        self.block(node.body)
        self.block(node.orelse)
        self.block(node.finalbody)

    def _do_FunctionDef(self, node: ast.FunctionDef) -> None:
        defaults = tuple(self.value(value) for value in node.args.defaults)
        keyword_defaults = tuple(
            UNKNOWN if value is None else self.value(value)
            for value in node.args.kw_defaults
        )
        scope = self.scopes[-1]
        names = {} if scope is self.names else dict(scope)
        self.scopes[-1][node.name] = Routine(
            node.name,
            node.args,
            node.body,
            names,
            self.cell,
            defaults,
            keyword_defaults,
        )

    def _do_ClassDef(self, node: ast.ClassDef) -> None:
        self.scopes[-1][node.name] = UNKNOWN

    def _do_Return(self, node: ast.Return) -> None:
        raise Return(None if node.value is None else self.value(node.value))

    def _do_Break(self, node: ast.Break) -> None:
        raise Break

    def _do_Continue(self, node: ast.Continue) -> None:
        raise Continue

    def _do_Global(self, node: ast.Global) -> None:
        scope = self.scopes[-1]
        scope[_GLOBALS] = (*scope.get(_GLOBALS, ()), *node.names)

    def _do_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.scopes[-1].pop(target.id, None)

    def _do_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            root = alias.name if alias.asname else alias.name.split(".")[0]
            self.scopes[-1][alias.asname or root] = Library(root)
            self._note_origin(alias.name)

    def _do_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        for alias in node.names:
            if alias.name == "*":
                self._note_origin(module)
                continue
            value = library.imported(module, alias.name)
            self.scopes[-1][alias.asname or alias.name] = value
            self._note_origin(module)

    def _note_origin(self, module: str) -> None:
        """Remember whether bare layer names mean tf.keras, which knows no Keras 1."""
        if module.startswith(("keras.layers", "keras.models")):
            self.legacy = True
        elif module.startswith(("tensorflow.keras.layers", "tensorflow.python.keras")):
            self.legacy = False


_BUILDERS = ("add", "fit", "fit_generator", "Sequential", "Model")


def _builds(body: list[ast.stmt]) -> bool:
    """Whether statements make layers or train."""
    for statement in body:
        for node in ast.walk(statement):
            name = getattr(node, "attr", None) or getattr(node, "id", None)
            if isinstance(name, str) and (
                name in _BUILDERS or library.is_layer_name(name)
            ):
                return True
    return False
