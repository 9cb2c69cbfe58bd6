"""A model written as the code that defines it, a line a layer."""

import keyword
import re

from keras import Operation, layers

from helpers.layer_code import construction, parameters, snake_case, text_of
from helpers.receptive_field import FeatureMap


def definition(calls) -> list[tuple[str | None, str]]:
    """Writes the calls of a model as lines of Python.

    A tensor is called `x` where the next line alone uses it, and by its layer's name
    otherwise. Names and settings that Keras would choose by itself are left out. The
    layers of nested models stand in their place; a layer that is called several times
    has a line of its own in front.

    Args:
        calls: the calls of `helpers.receptive_field.trace(model)`.

    Returns:
        A pair for each line: the name of its call, None where a layer is only made,
        and the text.
    """
    # What a nested model returns is what its last layers return.
    aliases = {
        (call.name, i): (m.origin, m.output)
        for call in calls
        for i, m in enumerate(call.results or ())
    }
    calls = [call for call in calls if not call.nested]
    times = {}
    for call in calls:
        times[id(call.operation)] = times.get(id(call.operation), 0) + 1
    writer = _Writer(calls, aliases)
    lines, made = [], {}
    for call in calls:
        layer = call.operation
        maker = None
        if isinstance(layer, layers.Layer) and times[id(layer)] > 1:
            if id(layer) not in made:
                made[id(layer)] = writer.free_name(f"{layer.name}_layer")
                lines.append((None, f"{made[id(layer)]} = {construction(layer)}"))
            maker = made[id(layer)]
        lines.append((call.name, writer.line(call, maker)))
    return lines


class _Writer:
    """Writes calls, and knows the variable of each tensor."""

    def __init__(self, calls, aliases):
        self.aliases = aliases
        self.taken = {"x", "keras", "layers"}
        self.outputs = {call.name: len(call.outputs) for call in calls}
        users = {}
        for place, call in enumerate(calls):
            for m in call.inputs:
                users.setdefault(self._source(m)[0], set()).add(place)
        self.names = {}
        for place, call in enumerate(calls):
            if isinstance(call.operation, layers.InputLayer):
                taken = "inputs" in self.taken
                name = self.free_name(call.name if taken else "inputs")
            elif users.get(call.name, {place + 1}) == {place + 1}:
                name = "x"
            else:
                name = self.free_name(call.name)
            self.names[call.name] = name

    def free_name(self, text: str) -> str:
        """Returns an identifier like the text that no variable has yet."""
        name = re.sub(r"\W", "_", text)
        if name[:1].isdigit():
            name = f"_{name}"
        while name in self.taken or keyword.iskeyword(name):
            name = f"{name}_"
        self.taken.add(name)
        return name

    def line(self, call, maker: str | None) -> str:
        """Writes a call; `maker` is the variable of a layer that exists already."""
        layer, (args, kwargs) = call.operation, call.arguments
        if isinstance(layer, layers.InputLayer):
            text = f"keras.Input({text_of(tuple(call.outputs[0].shape[1:]))})"
        elif isinstance(layer, layers.Layer):
            kwargs = {k: v for k, v in kwargs.items() if k not in ("mask", "training")}
            text = f"{maker or construction(layer)}({self._given(args, kwargs)})"
        else:
            # An operator's settings are attributes of the operation.
            kind = type(layer)
            settings = {
                p.name: getattr(layer, p.name)
                for p in parameters(kind, Operation)
                if getattr(layer, p.name, p.default) != p.default and p.name != "name"
            }
            function = snake_case(kind.__name__)
            text = f"keras.ops.{function}({self._given(args, {**settings, **kwargs})})"
            if kind.__name__ == "GetItem":
                text = f"{self._argument(args[0])}[{_index(args[1])}]"
        return f"{self.names[call.name]} = {text}"

    def _given(self, args, kwargs):
        parts = [self._argument(a) for a in args]
        parts += [
            f"{k}={self._argument(v)}" for k, v in kwargs.items() if v is not None
        ]
        return ", ".join(parts)

    def _argument(self, value):
        if isinstance(value, FeatureMap):
            source, output = self._source(value)
            name = self.names[source]
            return f"{name}[{output}]" if self.outputs[source] > 1 else name
        if isinstance(value, list) and any(isinstance(v, FeatureMap) for v in value):
            return f"[{', '.join(map(self._argument, value))}]"
        return text_of(value)

    def _source(self, m):
        source = (m.origin, m.output)
        while source in self.aliases:
            source = self.aliases[source]
        return source


def _index(key) -> str:
    keys = key if isinstance(key, list | tuple) else [key]
    return ", ".join(_slice(k) if isinstance(k, slice) else text_of(k) for k in keys)


def _slice(key) -> str:
    ends = ["" if end is None else str(end) for end in (key.start, key.stop)]
    return ":".join(ends if key.step is None else [*ends, str(key.step)])
