"""A model written as the code that defines it, a line a layer."""

import inspect
import keyword
import re

import keras
from keras import initializers, layers, tree


def definition(calls) -> list[tuple[str, str]]:
    """Writes the calls of a model as lines of Python.

    A tensor is called `x` where the next line alone uses it, and by its layer's name
    otherwise. Names and settings that Keras would choose by itself are left out.

    Args:
        calls: the calls of `helpers.receptive_field.trace(model)`.

    Returns:
        A pair for each call: its name and its line. Nested models are one line.
    """
    calls = [call for call in calls if "/" not in call.name.removesuffix(_number(call))]
    names = _tensor_names(calls)
    lines = []
    for call in calls:
        if isinstance(call.operation, layers.InputLayer):
            shape = call.outputs[0].shape[1:]
            text = f"{names[call.name]} = keras.Input({_value(tuple(shape))})"
        else:
            text = f"{names[call.name]} = {_call(call, names)}"
        lines.append((call.name, text))
    return lines


def _number(call):
    found = re.search(r"/\d+$", call.name)
    return found.group() if found else ""


def _identifier(name):
    return re.sub(r"\W", "_", name)


def _tensor_names(calls):
    """Chooses a variable for the output of each call."""
    users = {}
    for place, call in enumerate(calls):
        for x in call.inputs:
            users.setdefault(x.origin, []).append(place)
    names, taken = {}, {"x", "keras", "layers"}
    for place, call in enumerate(calls):
        name = _identifier(call.name)
        if isinstance(call.operation, layers.InputLayer):
            name = "inputs" if "inputs" not in taken else name
        elif set(users.get(call.name, [place + 1])) == {place + 1}:
            names[call.name] = "x"
            continue
        while name in taken or keyword.iskeyword(name) or name[:1].isdigit():
            name = f"_{name}" if name[:1].isdigit() else f"{name}_"
        taken.add(name)
        names[call.name] = name
    return names


def _call(call, names):
    operation = call.operation
    given = [names[x.origin] for x in call.inputs]
    if call.nested:
        return f"{_identifier(operation.name)}({', '.join(given)})"
    kind = type(operation)
    if not isinstance(operation, layers.Layer):
        function = re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
        return f"keras.ops.{function}({', '.join(given)})"
    prefix = "layers." if getattr(layers, kind.__name__, None) is kind else ""
    single = len(given) == 1 and not _takes_list(operation)
    argument = given[0] if single else f"[{', '.join(given)}]"
    return f"{prefix}{kind.__name__}({_settings(operation)})({argument})"


def _takes_list(layer):
    first = layer._inbound_nodes[0].arguments.args
    return bool(first) and isinstance(first[0], list | tuple)


def _settings(layer) -> str:
    """Writes the settings of a layer that are not Keras' own choice."""
    config = layer.get_config()
    parts, leading = [], True
    for parameter in _parameters(type(layer)):
        if parameter.name not in config or parameter.name in ("name", "dtype"):
            continue
        value = config[parameter.name]
        default = parameter.default
        if default is parameter.empty and leading:
            parts.append(_value(value))
            continue
        leading = False
        if parameter.name == "strides" and value == config.get("pool_size"):
            continue
        if (
            parameter.name == "data_format"
            and value == keras.config.image_data_format()
        ):
            continue
        if parameter.name.endswith("initializer"):
            value = _short_initializer(value)
        if not _equal(parameter.name, value, default):
            parts.append(f"{parameter.name}={_value(value)}")
    return ", ".join(parts)


def _parameters(kind):
    """Yields the parameters of a class and of those that its **kwargs go to."""
    seen = set()
    for parent in kind.__mro__:
        if parent is keras.Layer:
            return
        if "__init__" not in vars(parent):
            continue
        parameters = inspect.signature(parent.__init__).parameters.values()
        for parameter in parameters:
            if parameter.name != "self" and parameter.name not in seen:
                seen.add(parameter.name)
                if parameter.kind not in (
                    parameter.VAR_KEYWORD,
                    parameter.VAR_POSITIONAL,
                ):
                    yield parameter
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return


def _equal(name, value, default) -> bool:
    if default is inspect.Parameter.empty:
        return False
    if name == "activation" and {value, default} <= {"linear", None}:
        return True
    if name.endswith("initializer"):
        return _initializer(value) == _initializer(default)
    if isinstance(value, list | tuple) and isinstance(default, int):
        return all(v == default for v in tree.flatten(value))
    if isinstance(value, list | tuple) and isinstance(default, list | tuple):
        return tuple(value) == tuple(default)
    return value == default


def _initializer(value):
    config = keras.saving.serialize_keras_object(initializers.get(value))
    if not config:
        return None
    settings = {k: v for k, v in config["config"].items() if k != "seed"}
    return config["class_name"], tuple(sorted(settings.items(), key=str))


def _short_initializer(value):
    """Returns the name of an initializer whose settings are Keras' own choice."""
    if isinstance(value, dict):
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", value["class_name"]).lower()
        try:
            same = _initializer(name) == _initializer(value)
        except ValueError:
            same = False
        if same:
            return name
    return value


def _value(value) -> str:
    if isinstance(value, list | tuple):
        if len(value) == 2 and value[0] == value[1] and isinstance(value[0], int):
            return str(value[0])
        inner = ", ".join(_value(v) for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, dict) and "class_name" in value:
        settings = ", ".join(
            f"{k}={_value(v)}" for k, v in value["config"].items() if v is not None
        )
        return f"{value['module']}.{value['class_name']}({settings})"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, float):
        return f"{value:g}"
    return repr(value)
