"""Sphinx's settings for the site; `python -m tools.site` starts Sphinx with them."""

from importlib.util import find_spec
from pathlib import Path

from tools import notebooks

_HERE = Path(__file__).parent
# MathJax from PyPI, so that formulas need no network. The package's name has hyphens,
# and its own extension would copy the files after Sphinx has looked for them.
_MATHJAX = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static"

project = "Convolutional networks, block by block"
language = "en"
extensions = ["myst_nb", "sphinx.ext.mathjax", "sphinx.ext.githubpages"]

nb_execution_mode = "off"
nb_merge_streams = True
# What a cell prints as Markdown has tables and formulas.
nb_render_markdown_format = "myst"
myst_enable_extensions = ["amsmath", "dollarmath"]
# A formula between $$ on a line of its own may belong to the paragraph around it.
myst_dmath_double_inline = True
myst_heading_anchors = 4

html_theme = "furo"
html_title = project
html_static_path = [str(_HERE / "static"), str(_MATHJAX)]
html_css_files = ["course.css"]
mathjax_path = "mathjax/tex-chtml.js"
html_copy_source = False
html_show_copyright = False
html_use_index = False
html_theme_options = {
    "footer_icons": [
        {
            "name": "GitHub",
            "url": notebooks.project().repository,
            "html": "The course on GitHub",
            "class": "",
        }
    ]
}
