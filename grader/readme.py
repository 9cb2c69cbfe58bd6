"""Find the code in a README, fenced or not, and give it the shape of a program."""

from __future__ import annotations

import re

from grader.logs import unescaped
from grader.source import plain

MOST_LINES = 6_000
DEEPEST_BLOCK = 6
LONGEST_LINE = 100_000
MOST_JOINED = 14
MOST_STEPS = 2_000_000  # characters looked at for closing brackets

_LAYER = (
    r"(?:Separable|Depthwise)?Conv(?:olution)?[12]D\w{0,9}|"
    r"(?:Max|Average|Avg|GlobalAverage|GlobalMax|GlobalAvg)Pool(?:ing)?2D|"
    r"SpatialDropout2D|Dropout|BatchNormali[sz]ation|Activation|Dense|Flatten|"
    r"InputLayer|Input|Add|Concatenate|ReLU|LeakyReLU|PReLU|ZeroPadding2D|Reshape|"
    r"SeparableConvolution2D"
)
_START = re.compile(
    r"(?:\b[A-Za-z_]\w{0,40}\s{0,2}=\s{0,2})?"
    r"(?:\b[A-Za-z_]\w{0,40}\.add\s{0,2}\(|"
    rf"\b(?:[A-Za-z_]\w{{0,20}}\.){{0,3}}(?:Sequential|Model|{_LAYER})\s{{0,2}}\()"
)
_BLOCK = re.compile(
    r"\s*(?:def\s+\w+\s*\(.{0,300}\)|for\s+.{1,200}\s+in\s+.{1,200}|with\s.{1,200}|"
    r"if\s.{1,200}|elif\s.{1,200}|else|while\s.{1,200}|try|except.{0,100})\s*:\s*(?:#.*)?$"
)
_CODE = re.compile(
    r"\s*(?:from\s+[\w.]+\s+import\s|import\s+\w|return\b|"
    r"[A-Za-z_]\w{0,40}(?:\s*,\s*\w{1,40})*\s*=\s*[\w([{\"'-]|"
    r"[A-Za-z_]\w{0,40}(?:\.\w{1,40}){0,3}\(|\*{0,2}\w{1,30}\s*=\s*\S{1,80}\)|[)\]}])"
)
_LOG_LINE = re.compile(
    r"UserWarning:|\d{1,6}/\d{1,6}\s{0,2}\[|^\s*Epoch\s|val_acc|_{12,}|={12,}"
)
# A heading of the README, not a comment that Markdown shows as one.
_HEADING = re.compile(
    r"\b(?:logs?|epochs?|accuracy|assignment|results?|definition|training|session)\b",
    re.IGNORECASE,
)
_LIST_MARK = re.compile(r"^(\s{0,12})(?:[-*+]|\d{1,2}[.)])\s+(?=\S)")
_ENTITIES = (
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", '"'),
    ("&#39;", "'"),
    ("&#35;", "#"),
    ("&amp;", "&"),
)


def readable(text: str) -> str:
    """Return a README with Markdown's and HTML's escapes undone, line breaks kept."""
    text = unescaped(plain(text))
    text = re.sub(r"<\s{0,3}(?:/?br|/p|/li|/div|/tr)\s{0,3}/?>", "\n", text, flags=re.I)
    text = re.sub(
        r"</?(?:code|pre|p|b|i|em|strong|span|div|font)\b[^<>]{0,80}>",
        "",
        text,
        flags=re.I,
    )
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    return text


def code_lines(text: str) -> list[str]:
    """Return the README's code as lines of a program.

    Every statement gets a line of its own with what was written behind it as a
    comment; prose becomes empty lines; indentation is kept only under a header
    such as `def` or `for`.

    Args:
        text: the README.

    Returns:
        Lines to be parsed by `source.statements`.
    """
    lines = [line[:LONGEST_LINE] for line in readable(text).split("\n")[:MOST_LINES]]
    result: list[str] = []
    blocks: list[int] = []
    scanner = _Scanner(MOST_STEPS)
    index = 0
    while index < len(lines):
        raw = lines[index]
        index += 1
        line = _unmarked(raw)
        if _LOG_LINE.search(line[:400]) or not line.strip():
            result.append("")
            continue
        start = _START.search(line)
        if start is None:
            result.append(_other_line(line, blocks))
            continue
        # A statement may go on over lines: take as many as its brackets need.
        joined = line
        taken = 0
        while not scanner.closes(joined, start.start()) and taken < MOST_JOINED:
            if index + taken >= len(lines):
                break
            following = _unmarked(lines[index + taken])
            if _START.match(following.strip()) and ".add" in following:
                break
            joined = f"{joined}\n{following}"
            taken += 1
        if taken and scanner.closes(joined, start.start()):
            index += taken
        else:
            joined = line
        depth = _depth(line, blocks)
        for statement in _statements(joined, scanner):
            result.append("    " * depth + statement)
    return result


def _unmarked(raw: str) -> str:
    """Remove quotation marks, list marks and fences; keep the indentation."""
    line = raw.expandtabs(4)
    while line.lstrip().startswith(">"):
        line = line.lstrip()[1:]
    if line.lstrip().startswith(("```", "~~~")):
        rest = line.lstrip()[3:].strip("`~ ")
        return rest if _START.search(rest) else ""
    match = _LIST_MARK.match(line)
    if match and not line.lstrip().startswith("**"):
        line = match[1] + line[match.end() :]
    if line.lstrip().startswith("|"):
        line = line.lstrip()[1:].lstrip()
    return line


def _other_line(line: str, blocks: list[int]) -> str:
    stripped = line.strip()
    if stripped.startswith("#"):
        if _HEADING.search(stripped):
            return ""
        return "    " * len(blocks) + stripped
    if _BLOCK.match(line) and len(blocks) < DEEPEST_BLOCK:
        depth = _depth(line, blocks)
        blocks.append(len(line) - len(line.lstrip()))
        return "    " * depth + stripped
    if _CODE.match(line) and len(stripped) < 600:
        return "    " * _depth(line, blocks) + stripped.rstrip("`")
    if stripped.startswith("(") and re.search(r"\d", stripped):
        return f"# {stripped}"
    return ""


def _depth(line: str, blocks: list[int]) -> int:
    indent = len(line) - len(line.lstrip())
    while blocks and indent <= blocks[-1]:
        blocks.pop()
    return len(blocks)


class _Scanner:
    """Finds closing brackets, within a budget for the whole README."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def closes(self, text: str, start: int) -> bool:
        """Whether the brackets that open after `start` are closed in `text`."""
        return self.end(text, start) is not None

    def end(self, text: str, start: int) -> int | None:
        """Return where the brackets that open after `start` are closed again."""
        depth = 0
        quote = ""
        opened = False
        comment = False
        for i in range(start, min(len(text), start + min(4_000, self.steps))):
            self.steps -= 1
            character = text[i]
            if comment:
                comment = character != "\n"
            elif quote:
                if character == quote or character == "\n":
                    quote = ""
            elif character == "#":
                comment = True
            elif character in "'\"":
                quote = character
            elif character in "([{":
                depth += 1
                opened = True
            elif character in ")]}":
                depth -= 1
                if opened and depth <= 0:
                    if text[i + 1 : i + 2] == "(":  # the call of a layer on a tensor
                        continue
                    return i + 1
        return None


def _statements(text: str, scanner: _Scanner) -> list[str]:
    """Split what stands on one line into statements with their comments."""
    found: list[str] = []
    position = 0
    while True:
        match = _START.search(text, position)
        if match is None:
            break
        # `# model.add(...)` is switched off.
        before = text[position : match.start()]
        end = scanner.end(text, match.start())
        if end is None:
            found.append(text[match.start() :].split("\n")[0])
            break
        disabled = re.search(r"#[^\n]{0,60}$", before) and not found
        statement = text[match.start() : end]
        following = _START.search(text, end)
        trailing = text[end : following.start() if following else len(text)]
        off_next = re.search(r"#\s{0,2}$", trailing)
        comment, statement = _split_comments(statement)
        note = f"{comment} {trailing}".replace("\n", " ").strip(" ;*#|`\\")
        if not disabled:
            found.append(f"{statement}  # {note}" if note else statement)
        if off_next and following:
            # The next statement is commented out: step over it.
            after = scanner.end(text, following.start())
            position = after if after is not None else len(text)
        else:
            position = end
    return found or [text.split("\n")[0]]


def _split_comments(statement: str) -> tuple[str, str]:
    """Take comments out of a statement of several lines and join the lines."""
    comments: list[str] = []
    code: list[str] = []
    for line in statement.split("\n"):
        quote = ""
        cut = len(line)
        for i, character in enumerate(line):
            if quote:
                quote = "" if character == quote else quote
            elif character in "'\"":
                quote = character
            elif character == "#":
                cut = i
                break
        code.append(line[:cut].strip())
        if line[cut:].strip():
            comments.append(line[cut:].strip())
    return " ".join(comments), " ".join(code)
