"""Turn a cell's text into statements: magics away, what does not parse set aside."""

from __future__ import annotations

import ast
import re
import warnings

DEEPEST_BRACKETS = 60
MOST_RETRIES = 40

_MAGIC = re.compile(r"^[ \t]*(?:%|!|\?)")
_ASSIGNED_MAGIC = re.compile(r"^([ \t]*[\w, ]{1,80}=[ \t]*)[!%].{0,2000}$")
_PRINT = re.compile(r"^([ \t]*)print[ \t]+(?![=(,.])\S.{0,2000}$")
_ODD_SPACES = str.maketrans(
    {
        "\u00a0": " ",
        "\u2002": " ",
        "\u2003": " ",
        "\u2009": " ",
        "\u3000": " ",
        "\u200b": "",
        "\u200c": "",
        "\u200d": "",
        "\u2060": "",
        "\ufeff": "",
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u00d7": "x",
        "\u2715": "x",
        "\u2716": "x",
        "\u2217": "*",
        "\u2013": "-",
        "\u2014": "-",
        "\u2212": "-",
    }
)


def plain(text: str) -> str:
    """Return `text` with one kind of line end, space, quote, dash and times sign."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.translate(_ODD_SPACES).replace("\x00", "")


def without_magics(source: str) -> str:
    """Blank out IPython magics, shell lines and Python 2 prints, line for line."""
    if re.match(r"\s*%%(?!time|capture)", source):
        return ""
    lines = []
    for line in source.split("\n"):
        if _MAGIC.match(line):
            indent = line[: len(line) - len(line.lstrip())]
            line = f"{indent}pass"
        elif match := _ASSIGNED_MAGIC.match(line):
            line = f"{match[1]}None"
        elif match := _PRINT.match(line):
            line = f"{match[1]}pass"
        lines.append(line)
    return "\n".join(lines)


def statements(source: str) -> tuple[list[ast.stmt], list[int]]:
    """Parse a cell as far as it parses.

    Args:
        source: the cell's text.

    Returns:
        The statements, with line numbers of the cell, and the numbers of the
        lines that were left out because they are not Python.
    """
    source = without_magics(plain(source))
    lines = source.split("\n")
    skipped: list[int] = []
    for _ in range(MOST_RETRIES):
        tree = _parse("\n".join(lines))
        if isinstance(tree, ast.Module):
            return tree.body, skipped
        number = min(max(tree, 1), len(lines))
        # The parser may point past the culprit: take the nearest line with text.
        while number > 1 and not lines[number - 1].strip():
            number -= 1
        text = lines[number - 1]
        if not text.strip():
            break
        dedented = text.lstrip()
        if dedented != text and number not in skipped:
            # A stray indent is common in pasted code: try without it first.
            trial = [*lines]
            trial[number - 1] = dedented
            if isinstance(_parse("\n".join(trial)), ast.Module):
                lines = trial
                continue
        indent = text[: len(text) - len(dedented)]
        lines[number - 1] = f"{indent}pass" if text.rstrip().endswith(":") else ""
        skipped.append(number)
    return _one_by_one(lines, skipped)


def _parse(text: str) -> ast.Module | int:
    """Return the tree, or the number of the line that does not parse."""
    if _too_deep(text):
        return 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        return error.lineno or 1
    except (ValueError, RecursionError, MemoryError):
        return 1


def _too_deep(text: str) -> bool:
    depth = deepest = 0
    for character in text:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth = max(depth - 1, 0)
        elif character == "\n" and depth > DEEPEST_BRACKETS:
            return True
    # Long chains of unary signs or powers also nest, without brackets.
    return deepest > DEEPEST_BRACKETS or bool(
        re.search(r"[-+~]{60}|(?:\*\*-?){30}", text)
    )


def _one_by_one(
    lines: list[str], skipped: list[int]
) -> tuple[list[ast.stmt], list[int]]:
    """Parse unindented blocks apart, dropping those that do not parse."""
    body: list[ast.stmt] = []
    start = 0
    while start < len(lines):
        end = start + 1
        while end < len(lines) and (
            not lines[end].strip() or lines[end][:1] in " \t)]}"
        ):
            end += 1
        tree = _parse("\n".join(lines[start:end]))
        if isinstance(tree, ast.Module):
            for statement in tree.body:
                ast.increment_lineno(statement, start)
                body.append(statement)
        else:
            skipped.extend(range(start + 1, end + 1))
        start = end
    return body, skipped
