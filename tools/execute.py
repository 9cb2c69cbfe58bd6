"""Executes a notebook cell by cell, and stores outputs that are fit to be kept.

python -m tools.execute NOTEBOOK --output COPY     what `course.py run` calls
python -m tools execute NOTEBOOK ...               stores quick outputs in place
"""

import argparse
import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode

from tools import notebooks
from tools.processes import ProgressLine

_COLOURS = re.compile(r"\x1b\[[\d;]*m")


class ThisPython(KernelSpecManager):
    """Starts kernels with this interpreter, whatever kernels a user has installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Returns the kernel of the environment that runs this."""
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


class Client(NotebookClient):
    """A client that shows what a running cell prints, and interrupts it on Ctrl-C."""

    line: ProgressLine | None = None
    interrupted = False

    def take_signals(self) -> None:
        """Interrupts the cell when this process is interrupted or asked to end.

        nbclient would end the kernel at once: a training could not save its state.
        Windows has no such handlers; Ctrl-C reaches the kernel there by itself.
        """
        loop = asyncio.get_running_loop()
        with contextlib.suppress(NotImplementedError):
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self._interrupt)

    def _interrupt(self) -> None:
        # The second time, the cell did not listen.
        shutdown = self.km.shutdown_kernel(now=True) if self.interrupted else None
        asyncio.ensure_future(shutdown or self.km.interrupt_kernel())
        self.interrupted = True

    def process_message(self, msg, cell, cell_index):
        """Handles one message of the kernel, as nbclient does, and reports it."""
        if self.line is not None and msg["msg_type"] == "stream":
            # Progress bars go back to the start of their line with \r or \b.
            pieces = re.split(r"[\r\n\b]+", _COLOURS.sub("", msg["content"]["text"]))
            shown = [piece.strip() for piece in pieces if piece.strip()]
            if shown:
                self.line.show(shown[-1])
        return super().process_message(msg, cell, cell_index)


def cell_titles(notebook: NotebookNode) -> list[str]:
    """Names each cell after the heading above it."""
    titles, heading = [], "Start"
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            found = re.findall(r"^#+ +(.+)$", cell.source, re.MULTILINE)
            heading = found[-1].strip() if found else heading
        titles.append(heading)
    return titles


def execute(
    notebook: NotebookNode,
    folder: Path,
    variables: dict[str, str] | None = None,
    timeout: float | None = None,
    log: IO[bytes] | int = subprocess.DEVNULL,
) -> None:
    """Executes a notebook in place, printing one line a code cell.

    Args:
        notebook: gets the outputs, and the error where a cell fails.
        folder: the kernel's working directory.
        variables: additions to the kernel's environment variables.
        timeout: seconds that one cell may take; None for any time.
        log: a file that gets what the kernel says outside of cells.

    Raises:
        CellExecutionError: if a cell raises an error.
        KeyboardInterrupt: if a cell is interrupted.
        CellTimeoutError: if a cell takes longer than `timeout`.
        DeadKernelError: if the kernel ends before its time.
    """
    titles = cell_titles(notebook)
    number = {}
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and cell.source.strip():
            number[index] = len(number) + 1
    manager = AsyncKernelManager(kernel_spec_manager=ThisPython())
    client = Client(
        notebook,
        km=manager,
        timeout=timeout,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )

    def on_start(cell, cell_index):
        client.take_signals()
        if cell_index in number:
            place = f"[{number[cell_index]:>{len(str(len(number)))}}/{len(number)}]"
            client.line = ProgressLine(f"{place} {titles[cell_index]}", announce=False)

    def on_end(cell, cell_index, execute_reply):
        if client.line is not None:
            failed = execute_reply["content"]["status"] == "error"
            client.line.close("failed" if failed else "")
            client.line = None

    client.on_cell_start = on_start
    client.on_cell_executed = on_end
    # The kernel chooses its own way to show figures, which a test run may forbid.
    inherited = {k: v for k, v in os.environ.items() if k != "MPLBACKEND"}
    try:
        env = {**inherited, **(variables or {})}
        client.execute(env=env, cleanup_kc=True, stdout=log, stderr=log)
    except (CellExecutionError, DeadKernelError):
        if client.interrupted:
            raise KeyboardInterrupt from None
        raise
    finally:
        if client.line is not None:
            client.line.close("stopped")


def main(arguments: list[str]) -> int:
    """Executes one notebook into a copy; returns the exit status."""
    parser = argparse.ArgumentParser(description="Execute a notebook into a copy.")
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--timeout", type=float, help="seconds that a cell may take")
    options = parser.parse_args(arguments)
    notebook = notebooks.read(options.notebook)
    for cell in notebooks.code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    folder = options.notebook.resolve().parent
    log = options.output.with_name("kernel.log")
    try:
        with log.open("wb") as stream:
            execute(notebook, folder, timeout=options.timeout, log=stream)
    except CellExecutionError as problem:
        print(f"\n{_COLOURS.sub('', str(problem)).strip()}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\nInterrupted. The same command continues an unfinished training.",
            file=sys.stderr,
        )
        return 130
    except DeadKernelError:
        print(
            "\nThe kernel died, most likely because the memory was full; what it said "
            f"is in {log}",
            file=sys.stderr,
        )
        return 1
    finally:
        notebooks.write(options.output, notebook)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
