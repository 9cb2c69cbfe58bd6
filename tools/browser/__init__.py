"""Opens lectures and the website in a real browser: `python -m tools browser`.

`laboratory` runs a lecture in JupyterLab as a student would, by its menu; `pages` reads
the built website; `browser` starts Chromium. What they find wrong is a list of lines;
what they see is stored as screenshots, at the width of a laptop and of a phone.

Playwright (PyPI) drives the browser. It is no requirement of the course: only who
changes how lectures look needs it.
"""
