"""Makes the tables of all architectures in `tables/`: `python -m tools tables`.

A change of an architecture shows there as a change of numbers, and the tables are read
on GitHub and on the website without TensorFlow. Of the tools, this one alone needs it.
"""

import inspect
from functools import partial
from pathlib import Path

import keras

from helpers.architectures import BUILDERS
from helpers.describe import Description, describe
from helpers.training import last_field
from tools import ROOT

_INDEX = """\
# Tables of all architectures

Every network that `python -m helpers.train` trains, for images of 32x32 pixels with
three channels and ten classes; its name leads to a table of its layers. The tables are
written by `python -m tools tables` from the code, and a test compares them with it.

{summary}

- **parameters** counts every weight once, the statistics of batch normalisation
  included.
- **multiply-adds** are those of one image.
- **receptive field**, here, is that of the last layer with several positions, in
  pixels. It may be larger than the image: it then covers all of it and padding.

In the tables of layers:

- **output** is height x width x channels; a layer without positions has channels alone.
- **jump** is how many pixels of the image lie between neighbouring positions.
- **receptive field** is how many pixels one position depends on; `(whole image)` says
  that it sees all of it whatever its own size, `(gate: whole image)` that it sees its
  field, scaled by factors that depend on the whole image.
- **start** is the centre of the first position, in pixels, the first pixel's centre
  being at 0.5.

Lecture 2 works these numbers out by hand:
[Receptive fields](../notebooks/02_receptive_field.ipynb).
"""
_PAGE = """\
# {name}

Built by `{call}` of [{module}](../{module}).

{table}"""


def network(name: str) -> Description:
    """Builds a network and describes it.

    Args:
        name: one of `BUILDERS`.
    """
    # Names that Keras counts up would depend on what was built before.
    keras.utils.clear_session()
    return describe(BUILDERS[name]())


def page(name: str, table: Description) -> str:
    """Returns the page of one network in Markdown.

    Args:
        name: one of `BUILDERS`.
        table: its description.
    """
    builder = BUILDERS[name]
    function, given = builder, []
    if isinstance(builder, partial):
        function = builder.func
        given = [*map(repr, builder.args)]
        given += [f"{key}={value!r}" for key, value in builder.keywords.items()]
    file = Path(inspect.getfile(function)).relative_to(ROOT).as_posix()
    call = f"{function.__name__}({', '.join(given)})"
    return _PAGE.format(name=name, call=call, module=file, table=table.to_markdown())


def summary(name: str, table: Description) -> str:
    """Returns a network's row on the page that lists all networks.

    Args:
        name: one of `BUILDERS`.
        table: its description.
    """
    height, width = last_field(table)
    return (
        f"| [{name}]({name}.md) | {len(table.rows)} | {table.parameters:,} | "
        f"{table.macs:,} | {height}x{width} |"
    )


def index(rows: list[str]) -> str:
    """Returns the page that lists all networks in Markdown.

    Args:
        rows: the networks' rows, as `summary` makes them.
    """
    head = "| network | layers | parameters | multiply-adds | receptive field |"
    return _INDEX.format(summary="\n".join([head, "|---|" + "---:|" * 4, *rows]))


def refresh(folder: Path = ROOT / "tables") -> list[str]:
    """Writes all tables, and removes those of networks that are no more.

    Args:
        folder: where they lie.

    Returns:
        The names of the files that changed.
    """
    folder.mkdir(exist_ok=True)
    kept = {"README.md", *(f"{name}.md" for name in BUILDERS)}
    changed = [path.name for path in folder.glob("*.md") if path.name not in kept]
    for name in changed:
        (folder / name).unlink()
    rows = []
    for name in BUILDERS:
        table = network(name)
        rows.append(summary(name, table))
        changed += _write(folder / f"{name}.md", page(name, table))
    return changed + _write(folder / "README.md", index(rows))


def _write(path: Path, text: str) -> list[str]:
    """Writes a file where it differs; returns its name then."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return []
    path.write_text(text, encoding="utf-8", newline="\n")
    return [path.name]
