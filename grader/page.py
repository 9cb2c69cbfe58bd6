"""One HTML page for teachers: a row a student, a column a rule, evidence on click.

The page holds all it needs, runs no script, and escapes every text. A verdict is
a symbol and a word besides its colour; the three colours differ in lightness.
"""

from __future__ import annotations

import html
from typing import Any

from grader import sheet
from grader.report import SYMBOLS
from grader.verdict import PASS

_STYLE = """
:root { color-scheme: light; --line: #c9ced6; --ink: #1b1f24; --soft: #5b6470; }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); margin: 2rem;
  background: #fff; }
h1 { font-size: 1.4rem; margin: 0 0 .3rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { max-width: 60rem; color: var(--soft); }
.scroll { overflow-x: auto; padding-bottom: 16rem; }
table { border-collapse: separate; border-spacing: 0; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .45rem;
  text-align: center; vertical-align: top; white-space: nowrap; }
thead th { position: sticky; top: 0; background: #fff; vertical-align: bottom;
  font-weight: 600; height: 9.5rem; }
thead th span { writing-mode: vertical-rl; transform: rotate(180deg); }
tbody th { text-align: left; font-weight: 600; position: sticky; left: 0;
  background: #fff; min-width: 12rem; max-width: 16rem; overflow-wrap: anywhere;
  white-space: normal; z-index: 1; }
tbody td { position: relative; }
tbody tr:hover > * { background: #f4f6f9; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
summary { cursor: pointer; list-style: none; border-radius: .35rem;
  padding: .1rem .4rem; min-width: 1.6rem; border: 1px solid transparent; }
summary::-webkit-details-marker { display: none; }
summary:focus-visible { outline: 2px solid #0b57d0; }
.pass summary { background: #dcebfa; color: #0b3d6e; }
.fail summary { background: #8a2d04; color: #fff; font-weight: 700; }
.unproven summary { background: #fff; color: #1b1f24; border: 1px dashed #5b6470; }
details[open] summary { outline: 2px solid #1b1f24; }
.evidence { position: absolute; z-index: 2; left: 0; top: 100%; text-align: left;
  white-space: normal; width: 24rem; font-size: .86rem; overflow-wrap: anywhere;
  background: #fff; border: 1px solid var(--ink); border-radius: .4rem;
  padding: .6rem .8rem; box-shadow: 0 .4rem 1.2rem #1b1f2433; }
td:nth-last-child(-n+7) .evidence { left: auto; right: 0; }
.evidence ul { margin: .3rem 0; padding-left: 1.1rem; }
.evidence p { margin: .4rem 0 0; }
.help { color: var(--soft); }
.legend span { display: inline-block; margin-right: 1.2rem; }
@media print { thead th, tbody th { position: static; } }
"""

_COLUMNS = (
    ("parameters", "{:,}"),
    ("base_final", "{:.4f}"),
    ("own_best", "{:.4f}"),
    ("own_final", "{:.4f}"),
)


def render(
    results: list[dict[str, Any]],
    alike: list[tuple[str, list[str]]],
    empty: list[str],
) -> str:
    """Return the page.

    Args:
        results: reports, in the order of the rows.
        alike: groups of submissions that look alike.
        empty: names of folders with nothing to grade.
    """
    heads = ["submission", "passed", *(name.replace("_", " ") for name, _ in _COLUMNS)]
    heads += [key.replace("_", " ") for key in sheet.KEYS]
    head = "".join(f'<th scope="col"><span>{_safe(h)}</span></th>' for h in heads)
    rows = "\n".join(_row(result) for result in results)
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>Grades of {len(results)} submissions</title>",
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>Grades of {len(results)} submissions</h1>",
        '<p class="legend"><span>✓ pass</span><span>✗ fail</span>'
        "<span>? unproven</span> Open a cell to see what a verdict rests on.</p>",
        '<div class="scroll"><table>',
        f"<thead><tr>{head}</tr></thead><tbody>",
        rows,
        "</tbody></table></div>",
    ]
    if alike:
        parts.append(
            "<h2>Look-alikes</h2><p>Something to look at, not a verdict.</p><ul>"
        )
        parts += [
            f"<li>{_safe(same)}: {_safe(', '.join(names))}</li>"
            for same, names in alike
        ]
        parts.append("</ul>")
    if empty:
        parts.append("<h2>Nothing to grade</h2><ul>")
        parts += [f"<li>{_safe(name)}</li>" for name in empty]
        parts.append("</ul>")
    parts.append("</body></html>\n")
    return "\n".join(parts)


def _safe(text: str) -> str:
    return html.escape(str(text), quote=True)


def _row(result: dict[str, Any]) -> str:
    rules = result["rules"]
    count = sum(rules[key]["verdict"] == PASS for key in sheet.KEYS)
    cells = [f'<td class="number">{count}/{len(sheet.KEYS)}</td>']
    for name, form in _COLUMNS:
        value = result[name]
        shown = form.format(value) if value is not None else ""
        cells.append(f'<td class="number">{_safe(shown)}</td>')
    cells += [_cell(key, rules[key]) for key in sheet.KEYS]
    return (
        f'<tr><th scope="row">{_safe(result["submission"])}</th>{"".join(cells)}</tr>'
    )


def _cell(key: str, rule: dict[str, Any]) -> str:
    verdict = rule["verdict"]
    label = f"{key.replace('_', ' ')}: {verdict}"
    items = "".join(f"<li>{_safe(line)}</li>" for line in rule["evidence"])
    advice = f'<p class="help">{_safe(rule["help"])}</p>' if rule["help"] else ""
    return (
        f'<td class="{_safe(verdict)}"><details name="cell">'
        f'<summary title="{_safe(label)}" aria-label="{_safe(label)}">'
        f"{SYMBOLS[verdict]}</summary>"
        f'<div class="evidence"><b>{_safe(label)}</b><ul>{items}</ul>{advice}</div>'
        "</details></td>"
    )
