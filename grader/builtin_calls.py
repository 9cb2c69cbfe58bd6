"""What Python's builtin functions do to the interpreter's values."""

from __future__ import annotations

from typing import Any

from grader.values import UNKNOWN, Data

LONGEST_RANGE = 5_000
BUILTINS = frozenset(
    "range len int float str list tuple enumerate zip min max sum abs round "
    "reversed sorted dict bool partial".split()
)


def call_builtin(name: str, args: list, kwargs: dict) -> Any:
    """Return the result for small, known arguments, and UNKNOWN otherwise."""
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
