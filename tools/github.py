"""What GitHub leaves of the HTML in notebooks and Markdown.

GitHub shows both without what could restyle or script its own pages. The names below
are the public filter's, gjtorikian/html-pipeline, which GitHub's own began as.
"""

from html.parser import HTMLParser

TAGS = frozenset(
    "a abbr b bdo blockquote br caption cite code dd del details dfn div dl dt em "
    "figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q rp rt "
    "ruby s samp small span strike strong sub summary sup table tbody td tfoot th "
    "thead time tr tt ul var wbr".split()
)
ATTRIBUTES = frozenset(
    "align alt aria-describedby aria-hidden aria-label aria-labelledby border cite "
    "colspan datetime dir height href id label lang name open rel role rowspan scope "
    "span src start summary tabindex title type valign value width".split()
)
# Without it numbers stand at the other side of their column, and nothing is lost.
_HARMLESS = ("text-align:left", "text-align:right", "text-align:center")


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        if tag not in TAGS:
            self.found.append(f"<{tag}>")
            return
        for name, value in attrs:
            harmless = name == "style" and (value or "").replace(" ", "") in _HARMLESS
            if name not in ATTRIBUTES and not harmless:
                self.found.append(f"{name}= of <{tag}>")


def dropped(text: str) -> list[str]:
    """Returns what GitHub would take out of a text.

    Args:
        text: HTML, or Markdown with HTML in it, without code and formulas.

    Returns:
        Tags and attributes in the order of the text; an alignment of a table's text
        is not counted, because nothing is lost with it.
    """
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.found
