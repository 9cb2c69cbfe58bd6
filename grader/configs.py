"""Read networks from Keras' own files: the JSON inside `.keras`, or model JSON.

Only the JSON is read. Nothing is unpacked to disk, no weights are loaded, no
class is looked up; a Lambda layer or a custom class ends the reading.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from grader import layers
from grader.graph import Node
from grader.layers import Layer
from grader.notebook import Unreadable

LARGEST_CONFIG = 4 * 2**20
LARGEST_FILE = 64 * 2**20
MOST_MEMBERS = 1_000
MOST_LAYERS = 2_000


def read_model(path: Path) -> list[Node]:
    """Return the nodes of a stored model, parents first.

    Args:
        path: a `.keras` archive or a JSON file of `model.to_json()`.

    Raises:
        Unreadable: too large, not a model, or with layers that are not safe.
    """
    if path.stat().st_size > LARGEST_FILE:
        raise Unreadable(f"larger than {LARGEST_FILE // 2**20} MiB")
    text = _archived(path) if path.suffix.lower() == ".keras" else _plain(path)
    try:
        content = json.loads(text)
    except RecursionError as error:
        raise Unreadable("the JSON is nested too deep") from error
    except ValueError as error:
        raise Unreadable("not valid JSON") from error
    if not isinstance(content, dict) or "config" not in content:
        raise Unreadable("not a Keras model")
    return _nodes(content)


def _plain(path: Path) -> bytes:
    data = path.read_bytes()
    if len(data) > LARGEST_CONFIG:
        raise Unreadable("a model's JSON of this size is not read")
    return data


def _archived(path: Path) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            if len(archive.infolist()) > MOST_MEMBERS:
                raise Unreadable("the archive has too many members")
            for member in archive.infolist():
                name = member.filename
                if name.startswith(("/", "\\")) or ".." in name.split("/"):
                    raise Unreadable("the archive names a file outside itself")
            member = archive.getinfo("config.json")
            if member.file_size > LARGEST_CONFIG:
                raise Unreadable("config.json unpacks to too much")
            with archive.open(member) as stream:
                # The header may lie about the size: read no more than is allowed.
                data = stream.read(LARGEST_CONFIG + 1)
    except KeyError as error:
        raise Unreadable("the archive has no config.json") from error
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise Unreadable("not a readable .keras archive") from error
    except (EOFError, ValueError) as error:
        raise Unreadable("not a readable .keras archive") from error
    if len(data) > LARGEST_CONFIG:
        raise Unreadable("config.json unpacks to too much")
    return data


def _nodes(content: dict[str, Any]) -> list[Node]:
    config = content.get("config")
    if not isinstance(config, dict):
        raise Unreadable("not a Keras model")
    entries = config.get("layers")
    if not isinstance(entries, list) or not entries or len(entries) > MOST_LAYERS:
        raise Unreadable("the model lists no layers, or too many")
    sequential = content.get("class_name") == "Sequential"
    nodes: list[Node] = []
    by_name: dict[str, Node] = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("config"), dict):
            raise Unreadable("a layer has no config")
        layer = _layer(entry)
        if sequential:
            parents = (nodes[-1],) if nodes else ()
        else:
            names = _parents(entry.get("inbound_nodes"))
            if any(name not in by_name for name in names):
                raise Unreadable("the layers are not in order")
            parents = tuple(by_name[name] for name in names)
        node = Node(layer, parents)
        nodes.append(node)
        by_name[str(entry["config"].get("name", entry.get("name")))] = node
    return nodes


def _layer(entry: dict[str, Any]) -> Layer:
    name = str(entry.get("class_name"))
    kind = layers.kind_of(name)
    if kind is None or kind == "Lambda":
        raise Unreadable(f"a layer of class {name[:40]!r} is not read")
    config = entry["config"]
    keywords = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in config.items()
        if isinstance(value, bool | int | float | str | list) or value is None
    }
    shape = keywords.pop("batch_shape", None) or keywords.pop("batch_input_shape", None)
    if isinstance(shape, tuple) and len(shape) > 1:
        keywords["input_shape"] = shape[1:]
    keywords.pop("data_format", None)
    return layers.read_call(kind, [], keywords)


def _parents(inbound: Any) -> list[str]:
    """Return the names a node reads from, in the format of Keras 2 or 3."""
    names: list[str] = []
    stack: list[Any] = [inbound]
    while stack and len(names) < 100:
        item = stack.pop(0)
        if isinstance(item, dict):
            history = item.get("keras_history")
            if isinstance(history, list) and history:
                names.append(str(history[0]))
            else:
                stack[:0] = [v for v in item.values() if isinstance(v, dict | list)]
        elif isinstance(item, list):
            if len(item) >= 3 and isinstance(item[0], str) and type(item[1]) is int:
                names.append(item[0])
            else:
                stack[:0] = item
    return names
