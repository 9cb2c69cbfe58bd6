"""Makes outputs fit to be stored: small, without a trace of the machine."""

import base64
import io
import re
from pathlib import Path

from nbformat import NotebookNode
from PIL import Image

from tools import ROOT
from tools.notebooks import code_cells

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
CELL_METADATA = ("cellView", "tags")
WIDGET = "application/vnd.jupyter.widget-view+json"
# Above this size a figure is stored with a palette of 256 colours.
PALETTE_BYTES = 40_000
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")


def machine_paths(logs: Path | None = None) -> dict[str, str]:
    """Returns what stands for the folders of this machine in a stored output.

    Args:
        logs: where the notebook wrote its runs, if not below the course.

    Returns:
        The text that replaces a path, by path, longest path first.
    """
    paths = {str(ROOT): ".", str(Path.home()): "~"}
    if logs is not None:
        paths[str(logs)] = "./logs/local"
    # The root of the file system, as some containers' home, stands in every path.
    real = {path: text for path, text in paths.items() if len(path) > 3}
    return dict(sorted(real.items(), key=lambda item: -len(item[0])))


def clean(notebook: NotebookNode, logs: Path | None = None) -> None:
    """Takes out of a notebook what only its execution, or its machine, needed.

    Args:
        notebook: changed in place.
        logs: as for `machine_paths`.
    """
    paths = machine_paths(logs)
    notebook.metadata = NotebookNode(
        kernelspec=NotebookNode(KERNEL), language_info=NotebookNode(name="python")
    )
    for cell in notebook.cells:
        kept = {k: v for k, v in cell.metadata.items() if k in CELL_METADATA}
        cell.metadata = NotebookNode(kept)
    for cell in code_cells(notebook):
        # What goes to stderr is the machine's: warnings, TensorFlow's messages.
        cell.outputs = [
            output
            for output in cell.outputs
            if output.get("name") != "stderr" and WIDGET not in output.get("data", {})
        ]
        for output in cell.outputs:
            if "text" in output:
                output.text = _clean_text(output.text, paths)
            for kind, value in output.get("data", {}).items():
                if kind == "image/png":
                    output.data[kind] = smaller_png(value)
                elif isinstance(value, str):
                    output.data[kind] = _clean_text(value, paths)


def _clean_text(text: str, paths: dict[str, str]) -> str:
    """Replaces paths and addresses in memory."""
    for path, shown in paths.items():
        text = text.replace(path, shown)
    return _ADDRESS.sub("0x0", text)


def smaller_png(encoded: str) -> str:
    """Compresses a figure: without loss, or with a palette where it is large.

    Args:
        encoded: a PNG file in base64.

    Returns:
        The smallest of the versions, in base64 on one line, as Jupyter stores it.
    """
    original = base64.b64decode(encoded)
    image = Image.open(io.BytesIO(original))
    versions = [original, _png(image)]
    if min(map(len, versions)) > PALETTE_BYTES:
        flat = Image.new("RGB", image.size, "white")
        flat.paste(image, mask=image.getchannel("A") if "A" in image.mode else None)
        versions.append(_png(flat.quantize(256)))
    return base64.b64encode(min(versions, key=len)).decode("ascii")


def _png(image: Image.Image) -> bytes:
    """Encodes an image, without the notes that matplotlib adds about itself."""
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()
