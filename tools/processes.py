"""Starts other programs: with one progress line, with their output, or both kept."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tools import ROOT

# Between two lines of progress where they cannot overwrite each other, in seconds.
_PAUSE = 60


class ProgressLine:
    """One line that is rewritten on a terminal, and rarely repeated elsewhere.

    Args:
        label: what is being done, as `"Installing packages"`.
        announce: print the label at once where the line cannot be rewritten.
    """

    def __init__(self, label: str, announce: bool = True):
        self.label = label
        self.start = time.monotonic()
        self._terminal = sys.stdout.isatty()
        self._printed = self.start
        self._width = 0
        if self._terminal:
            self.show("")
        elif announce:
            print(f"{label} ...", flush=True)

    def show(self, detail: str) -> None:
        """Shows how long it has taken, and what is being done now."""
        now = time.monotonic()
        text = f"{self.label} ... {now - self.start:.0f} s  {detail}"
        if self._terminal:
            self._overwrite(text)
        elif now - self._printed >= _PAUSE:
            self._printed = now
            print("  " + text, flush=True)

    def close(self, outcome: str = "") -> None:
        """Leaves the line as it will be read later, with an outcome if not good."""
        seconds = time.monotonic() - self.start
        text = f"{self.label} ... {seconds:.1f} s" + (f", {outcome}" if outcome else "")
        if self._terminal:
            self._overwrite(text)
            print()
        else:
            print(text, flush=True)

    def _overwrite(self, text: str) -> None:
        columns = shutil.get_terminal_size().columns
        text = text[: columns - 1]
        print("\r" + text.ljust(self._width), end="", flush=True)
        self._width = len(text)


def run_with_progress(
    command: list[str | Path],
    label: str,
    log: Path,
    variables: dict[str, str] | None = None,
) -> int:
    """Runs a command while one line tells how far it is.

    Args:
        command: the program and its arguments.
        label: what the line says first.
        log: gets all output, at its end; the line's detail is read from there.
        variables: additions to the environment variables.

    Returns:
        The exit status. When interrupted, the command is ended first.
    """
    line = ProgressLine(label)
    outcome = "interrupted"
    with log.open("ab") as stream:
        process = start(command, variables, stdout=stream, stderr=subprocess.STDOUT)
        try:
            while True:
                try:
                    status = process.wait(timeout=0.3)
                    break
                except subprocess.TimeoutExpired:
                    line.show(_detail(log))
            outcome = "failed" if status else ""
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
            line.close(outcome)
    return status


def _detail(log: Path) -> str:
    """What pip did last: the package it looks at, and how many there were."""
    text = log.read_text(encoding="utf-8", errors="replace")
    if "Installing collected packages" in text:
        return "writing the packages"
    names = re.findall(r"^(?:Collecting|Downloading) (\S+)", text, re.MULTILINE)
    collected = len(re.findall(r"^Collecting ", text, re.MULTILINE))
    return f"package {collected}: {names[-1]}" if names else ""


def tee(command: list[str | Path]) -> tuple[int, str]:
    """Runs a command, passing on its output as it comes.

    Returns:
        The exit status, and the last line that reads like pytest's closing one.
    """
    process = start(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = b""
    with process:
        try:
            while chunk := os.read(process.stdout.fileno(), 4096):
                sys.stdout.buffer.write(chunk)
                sys.stdout.buffer.flush()
                output = (output + chunk)[-20_000:]
        except BaseException:
            process.terminate()
            raise
    text = re.sub(r"\x1b\[[\d;]*m", "", output.decode(errors="replace"))
    closing = re.findall(r"^=* ?(.* in \d+\.\d+s\b.*?) ?=*\r?$", text, re.MULTILINE)
    return process.returncode, closing[-1] if closing else ""


def call(command: list[str | Path], variables: dict[str, str] | None = None) -> int:
    """Runs a command in the course's folder and returns its exit status."""
    process = start(command, variables)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the terminal sent it Ctrl-C as well: let it save what it has
        except SystemExit:
            process.terminate()
            process.wait()
            raise


def start(
    command: list[str | Path], variables: dict[str, str] | None = None, **options
) -> subprocess.Popen:
    """Starts a command in the course's folder, without messages of libraries.

    TensorFlow says at its start what it found, and the debugger of older kernels that
    it misses breakpoints.
    """
    silence = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    quiet = {**silence, **os.environ, **(variables or {})}
    words = [str(word) for word in command]
    return subprocess.Popen(words, cwd=ROOT, env=quiet, **options)
