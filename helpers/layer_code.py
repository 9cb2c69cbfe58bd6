"""The Python that makes a layer: its class and the settings that were chosen."""

import inspect
import re

import keras
from keras import initializers, layers, tree

_VARIADIC = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
# Settings that one number can give for rows and columns.
_PAIRS = ("dilation_rate", "kernel_size", "pool_size", "size", "strides")


def construction(layer) -> str:
    """Writes the call that makes a layer like the given one."""
    kind = type(layer)
    prefix = "layers." if getattr(layers, kind.__name__, None) is kind else ""
    return f"{prefix}{kind.__name__}({_settings(layer)})"


def _settings(layer) -> str:
    """Writes the settings of a layer that are not Keras' own choice."""
    config = layer.get_config()
    if isinstance(layer, layers.Conv2DTranspose):
        # The configuration lacks it before Keras 3.15.
        config["output_padding"] = layer.output_padding
    parts, leading = [], True
    for parameter in parameters(type(layer), keras.Layer):
        name, default = parameter.name, parameter.default
        if name not in config or name in ("name", "dtype"):
            continue
        value = config[name]
        if name in _PAIRS and isinstance(value, list | tuple) and len(set(value)) == 1:
            value = value[0]
        if default is parameter.empty and leading:
            parts.append(text_of(value))
            continue
        leading = False
        if name == "strides" and config[name] == config.get("pool_size"):
            continue
        if name == "data_format" and value == keras.config.image_data_format():
            continue
        if name.endswith("initializer"):
            value = _short_initializer(value)
        if not _equal(name, value, default):
            parts.append(f"{name}={text_of(value)}")
    return ", ".join(parts)


def parameters(kind: type, last: type):
    """Yields the parameters of a class and of those that its **kwargs go to."""
    seen = {"self"}
    for parent in kind.__mro__:
        if parent is last:
            return
        if "__init__" not in vars(parent):
            continue
        found = inspect.signature(parent.__init__).parameters.values()
        for parameter in found:
            if parameter.name not in seen and parameter.kind not in _VARIADIC:
                seen.add(parameter.name)
                yield parameter
        if not any(p.kind is p.VAR_KEYWORD for p in found):
            return


def _equal(name, value, default) -> bool:
    if default is inspect.Parameter.empty:
        return False
    if name == "activation" and value in ("linear", None):
        return default in ("linear", None)
    if name.endswith("initializer"):
        return _initializer(value) == _initializer(default)
    # Keras keeps one number for both directions as a pair, and some pairs as lists.
    values, defaults = tree.flatten(value), tree.flatten(default)
    if len(defaults) == 1:
        return all(v == defaults[0] for v in values)
    return values == defaults or set(values) == set(defaults) and len(set(values)) == 1


def _initializer(value):
    config = keras.saving.serialize_keras_object(initializers.get(value))
    if not config:
        return None
    settings = {k: v for k, v in config["config"].items() if k != "seed"}
    return config["class_name"], tuple(sorted(settings.items(), key=str))


def _short_initializer(value):
    """Returns the name of an initializer whose settings are Keras' own choice."""
    if isinstance(value, dict):
        name = snake_case(value["class_name"])
        try:
            same = _initializer(name) == _initializer(value)
        except (ValueError, KeyError):
            # Unknown to Keras by name alone, or not to be had without settings.
            same = False
        if same:
            return name
    return value


def text_of(value) -> str:
    """Writes a setting."""
    if isinstance(value, list | tuple):
        inner = ", ".join(text_of(v) for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, dict) and value.get("class_name") == "function":
        # A registered function is known as "package>name".
        return value["config"].split(">")[-1]
    if isinstance(value, dict) and "class_name" in value:
        settings = ", ".join(
            f"{k}={text_of(v)}" for k, v in value["config"].items() if v is not None
        )
        return f"{value['module']}.{value['class_name']}({settings})"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, float):
        return repr(float(value))
    return "..." if value is Ellipsis else repr(value)


def snake_case(name: str) -> str:
    """Returns `HeNormal` as `he_normal`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
