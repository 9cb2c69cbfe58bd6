"""The course as a website: `python3 course.py site`.

`pages` writes the sources of all pages into a folder, from the notebooks, README, the
logs' tables and the tables of the architectures; `links` leads their links to pages of
the site or to GitHub; Sphinx with MyST-NB makes HTML of them, as `conf` says; `check`
reads the HTML and names what a reader would find broken. No notebook is executed, none
is changed, and nothing is fetched.

All but `conf` need the standard library and nbformat alone. What builds the HTML stands
in requirements-site.txt and is installed into an environment of its own, so that
students who run the lectures need not have it, nor builders of the site TensorFlow.
"""
