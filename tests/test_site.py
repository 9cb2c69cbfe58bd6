"""The website: what its pages are made from, where links lead, what the check finds.

Sphinx is in an environment of its own, so that the whole build is tested where the
website is published; these are the parts that the course itself is responsible for.
"""

import base64
import re
from pathlib import Path

import pytest
from nbformat import v4

from tools import cli, commands, environment, notebooks
from tools.environment import CourseError
from tools.notebooks import Project
from tools.site import __main__ as site_main
from tools.site import check, pages
from tools.site.links import Site, link_mentions

SOMEWHERE = Project("https://github.com/someone/networks", "main")
ON_GITHUB = "https://github.com/someone/networks"
# The smallest PNG file: one pixel.
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kg"
    "AAAABJRU5ErkJggg=="
)
NEW = '<html lang="en"><h1>New</h1>'
README = """\
# A course

Code is in [helpers](helpers), rules are in [its README](grader/README.md#rules).

<!-- lectures -->
| | Lecture | Open it |
|---:|---|---|
| 02 | [Fields](notebooks/02_fields.ipynb) | [![O](https://a.org/b)](https://a.org/c) |
<!-- /lectures -->

## Results

What they reach, from [logs](logs).

<!-- results -->
| base | [0](logs/base_seed0) |
<!-- /results -->

## Licence

[MIT](LICENSE)
"""
LOGS = """\
# Logs of full runs

<!-- results -->
| base | [0](base_seed0) |
<!-- /results -->

## Studies

[none](base_seed0)
"""


def write_lecture(path: Path, title: str, *cells) -> None:
    first = v4.new_markdown_cell(f"# {title}\n\nSee lecture 2 and lecture 7.")
    notebooks.write(path, v4.new_notebook(cells=[first, *cells]))


@pytest.fixture
def course(tmp_path) -> Path:
    """A course with two lectures, one run and the tables of two networks."""
    root = tmp_path / "course"
    for folder in ("notebooks", "logs/base_seed0", "tables", "helpers", "grader"):
        (root / folder).mkdir(parents=True)
    texts = {
        "README.md": README,
        "LICENSE": "MIT",
        "grader/README.md": "# Rules",
        "logs/README.md": LOGS,
        "tables/README.md": "# Tables\n\n[b](b.md), [a](a.md)\n",
        "tables/a.md": "# a\n\n[code](../helpers)\n",
        "tables/b.md": "# b\n",
    }
    for name, text in texts.items():
        (root / name).write_text(text)
    figure = v4.new_output("display_data", data={"image/png": PNG, "text/plain": "x"})
    figure.metadata = {"image/png": {"alt": "Loss [log]\nover *epochs*, $a_1$"}}
    setup = v4.new_code_cell("import sys", metadata={"tags": ["setup"]})
    drawn = v4.new_code_cell("show()", outputs=[figure])
    write_lecture(root / "notebooks/07_vgg.ipynb", "VGG: depth", setup, drawn)
    write_lecture(root / "notebooks/02_fields.ipynb", "Fields")
    return root


@pytest.fixture
def sources(course, tmp_path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    assert pages.write_sources(course, folder, SOMEWHERE) == 2
    return folder


def test_front_page_lists_the_pages_in_teaching_order(sources):
    text = (sources / "index.md").read_text()
    trees = re.findall(
        r"```\{toctree\}\n:hidden:\n:caption: (\w+)\n\n(.*?)\n```", text, re.S
    )
    assert trees == [
        ("Lectures", "02 Fields <notebooks/02_fields>\n07 VGG <notebooks/07_vgg>"),
        ("Networks", "Results <results>\nArchitectures <tables/index>"),
    ]
    assert "| 02 | [Fields](notebooks/02_fields.ipynb) |" in text
    assert f"[helpers]({ON_GITHUB}/tree/main/helpers)" in text
    assert f"[its README]({ON_GITHUB}/blob/main/grader/README.md#rules)" in text
    assert f"## Licence\n\n[MIT]({ON_GITHUB}/blob/main/LICENSE)" in text
    # The results have a page of their own.
    assert "(results.md)" in text and "base_seed0" not in text


def test_results_page_has_the_table_once_and_the_studies(sources):
    text = (sources / "results.md").read_text()
    assert text.startswith("# Results\n\nWhat they reach")
    run = f"{ON_GITHUB}/tree/main/logs/base_seed0"
    assert text.count(f"| base | [0]({run}) |") == 1
    assert re.findall(r"^#.*", text, re.M) == [
        "# Results",
        "## Logs of full runs",
        "### Studies",
    ]
    assert f"[none]({run})" in text


def test_tables_come_in_the_order_of_their_readme(sources):
    text = (sources / "tables/index.md").read_text()
    assert text.endswith("```{toctree}\n:hidden:\n\nb\na\n```\n")
    assert f"({ON_GITHUB}/tree/main/helpers)" in (sources / "tables/a.md").read_text()


def test_lecture_is_linked_and_its_figure_has_its_text(course, sources):
    page = notebooks.read(sources / "notebooks/07_vgg.ipynb")
    assert page.cells[0].source.endswith(
        "See [lecture 2](02_fields.ipynb) and lecture 7."
    )
    assert page.cells[1].metadata.tags == ["setup", "hide-input"]
    shown = page.cells[2].outputs[0].data
    alternative = r"Loss \[log\] over \*epochs\*\, \$a\_1\$"
    assert shown == {"text/markdown": f"![{alternative}](figures/07_vgg_2_0.png)"}
    stored = (sources / "notebooks/figures/07_vgg_2_0.png").read_bytes()
    assert stored == base64.b64decode(PNG)
    # The course's own notebook is as it was.
    before = notebooks.read(course / "notebooks/07_vgg.ipynb")
    assert before.cells[2].outputs[0].data["image/png"] == PNG
    assert before.cells[1].metadata.tags == ["setup"]


def fails(course: Path, tmp_path: Path, message: str) -> None:
    folder = tmp_path / "sources"
    folder.mkdir()
    with pytest.raises(CourseError, match=message) as raised:
        pages.write_sources(course, folder, SOMEWHERE)
    assert "\n" not in str(raised.value)


def test_link_that_leads_nowhere_is_named(course, tmp_path):
    lecture = v4.new_markdown_cell("[before](06_alexnet.ipynb)")
    write_lecture(course / "notebooks/08_nin.ipynb", "NIN", lecture)
    fails(course, tmp_path, "notebooks/08_nin.ipynb links to 06_alexnet.ipynb, which")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("README.md", "# A course\n", "needs a section '## Results'"),
        ("tables/README.md", "[c](c.md)", "tables/README.md links to|tables/c.md is"),
        ("tables/README.md", None, "tables/README.md is missing"),
        ("tables/a.md", "[out](../../x)", r"tables/a.md links to ../../x, which does"),
    ],
)
def test_source_that_is_missing_or_unfit_is_named(
    course, tmp_path, name, text, message
):
    if text is None:
        (course / name).unlink()
    else:
        (course / name).write_text(text)
    fails(course, tmp_path, message)


def test_notebook_without_a_title_is_named(course, tmp_path):
    notebooks.write(course / "notebooks/09_x.ipynb", v4.new_notebook())
    fails(course, tmp_path, "notebooks/09_x.ipynb: the first cell must be")


def test_course_without_lectures(course, tmp_path):
    for path in (course / "notebooks").iterdir():
        path.unlink()
    fails(course, tmp_path, "has no lectures")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](../logs/README.md#x)", "[a](../results.md#x)"),
        ("[a](<../LICENSE>)", f"[a](<{ON_GITHUB}/blob/main/LICENSE>)"),
        ("[a]: ../LICENSE", f"[a]: {ON_GITHUB}/blob/main/LICENSE"),
        ('<a href="02_fields.ipynb">', '<a href="02_fields.ipynb">'),
        ("[a](#here), [b](mailto:c@d.org)", "[a](#here), [b](mailto:c@d.org)"),
        ("![a](../logs/c.png)", "![a](../logs/c.png)"),
        (
            "[![a](../logs/c.png)](../LICENSE)",
            f"[![a](../logs/c.png)]({ON_GITHUB}/blob/main/LICENSE)",
        ),
        # Code and formulas hold no links.
        ("`x[0](nowhere)`", "`x[0](nowhere)`"),
        ("```\nx[0](nowhere)\n```", "```\nx[0](nowhere)\n```"),
        ("$w[0](nowhere)$", "$w[0](nowhere)$"),
    ],
)
def test_links_of_a_text(course, text, expected):
    (course / "logs/c.png").write_bytes(b"")
    known = {"logs/README.md": "results.md"}
    known |= {"notebooks/02_fields.ipynb": "notebooks/02_fields.ipynb"}
    site = Site(course, SOMEWHERE, known)
    page = "notebooks/07_vgg.ipynb"
    assert site.rewrite(text, page, page) == expected
    assert site.images == ({"logs/c.png"} if "c.png" in text else set())


def test_images_of_texts_are_copied(course, tmp_path):
    (course / "logs/c.png").write_bytes(b"pixels")
    (course / "tables/b.md").write_text("![curves](../logs/c.png)")
    folder = tmp_path / "sources"
    folder.mkdir()
    pages.write_sources(course, folder, SOMEWHERE)
    assert (folder / "logs/c.png").read_bytes() == b"pixels"


@pytest.mark.parametrize(
    "text",
    [
        "lecture 7",  # itself
        "lecture 3",  # not there
        "lectures 2 to 5",
        "## After lecture 2",
        "[as lecture 2 says](x.md)",
        "`lecture 2`",
        "<summary>lecture 2</summary>",
    ],
)
def test_mentions_that_stay_as_they_are(text):
    assert link_mentions(text, {2: "02_fields.ipynb", 7: "07_vgg.ipynb"}, 7) == text


def write_site(folder: Path, body: str) -> Path:
    folder.mkdir()
    start = '<html lang="en"><h1 id="top">Title</h1>'
    (folder / "index.html").write_text(start + body)
    (folder / "other.html").write_text(f'{start}<p id="über">')
    (folder / "a.png").write_bytes(b"")
    return folder


@pytest.mark.parametrize(
    "body",
    [
        '<a href="#top">a</a> <a href="#">b</a> <a href="other.html#%C3%BCber">c</a>',
        '<img src="a.png" alt="A cat"><a href="https://a.org/nowhere">d</a>',
        "<p>it costs <code>$HOME</code> and <pre>$y$</pre></p>",
        '<img src="https://kaggle.com/static/x.svg" alt="Open in Kaggle">',
    ],
)
def test_sound_site_has_no_problems(tmp_path, body):
    assert check.problems(write_site(tmp_path / "site", body)) == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<a href="gone.html">a</a>', "the link gone.html leads to no file"),
        ('<a href="other.html#gone">a</a>', "other.html#gone leads to no place"),
        ('<a href="#gone">a</a>', "the link #gone leads to no place"),
        ('<img src="b.png" alt="A cat">', "the link b.png leads to no file"),
        ('<img src="a.png" alt=" ">', "the image a.png has no text alternative"),
        ('<img src="a.png" alt="a.png">', "'a.png' does not say what an image shows"),
        ("<p>so $ y = x.", "the text 'so $ y = x.' has a formula that is not set"),
        ("<h3>Deep</h3>", "the heading 'Deep' leaves out a level"),
        ("<h2>Part</h2><h1>Again</h1>", "one heading of level 1, and it must come"),
        ('<script src="https://a.org/b.js"></script>', "needs a network: it loads"),
        ('<link rel="stylesheet" href="c.css">', "the link c.css leads to no file"),
    ],
)
def test_broken_site_has_one_problem(tmp_path, body, problem):
    found = check.problems(write_site(tmp_path / "site", body))
    assert len(found) == 1 and found[0].startswith("index.html")
    assert problem in found[0]


@pytest.fixture
def builder(course, tmp_path, monkeypatch) -> Path:
    """The build, with a stand-in for Sphinx; returns the output folder."""
    monkeypatch.setattr(site_main, "ROOT", course)

    def sphinx(command, label, log):
        assert label == "Building 2 lectures"
        sources, built = command[-2:]
        built.mkdir()
        (built / site_main._SIGN).write_text("")
        said = (sources / "say").read_text() if (sources / "say").exists() else ""
        log.write_text(said.replace("HERE", str(sources)))
        (built / "index.html").write_text(page[0])
        return int(bool(said))

    page = [NEW]
    monkeypatch.setattr(site_main, "run_with_progress", sphinx)
    builder = tmp_path / "deep" / "site"
    sphinx.page = page
    return builder


def test_build_replaces_an_earlier_site(builder, capsys):
    assert site_main.main(["--output", str(builder)]) == 0
    (builder / "old.html").write_text("")
    assert site_main.main(["--output", str(builder)]) == 0
    assert not (builder / "old.html").exists()
    assert (builder / "index.html").read_text() == NEW
    assert f"The site: {builder / 'index.html'}" in capsys.readouterr().out


def test_build_leaves_a_folder_of_something_else(builder, capsys):
    builder.mkdir(parents=True)
    (builder / "thesis.tex").write_text("mine")
    assert site_main.main(["--output", str(builder)]) == 1
    err = capsys.readouterr().err
    assert "holds something that is no site of the course" in err
    assert (builder / "thesis.tex").read_text() == "mine"


@pytest.mark.parametrize("failing", ["warning", "link"])
def test_failed_build_says_why_and_keeps_the_earlier_site(
    builder, monkeypatch, capsys, failing
):
    assert site_main.main(["--output", str(builder)]) == 0
    if failing == "warning":
        written = pages.write_sources

        def with_warning(root, folder, where):
            (folder / "say").write_text("HERE/index.md:3: WARNING: no such thing")
            return written(root, folder, where)

        monkeypatch.setattr(pages, "write_sources", with_warning)
        expected = "  index.md:3: WARNING: no such thing\n"
    else:
        site_main.run_with_progress.page[0] += '<a href="gone">'
        expected = "  index.html: the link gone leads to no file of the site\n"
    assert site_main.main(["--output", str(builder)]) == 1
    err = capsys.readouterr().err
    assert err == f"{expected}course.py: the site was not built: 1 problem\n"
    assert (builder / "index.html").read_text() == NEW


def test_command_starts_the_build_in_its_own_environment(monkeypatch, tmp_path):
    asked, seen = [], []
    monkeypatch.setattr(
        environment, "ensure", lambda name: (asked.append(name), Path("py"))[1]
    )
    monkeypatch.setattr(commands, "call", lambda words: (seen.extend(words), 3)[1])
    monkeypatch.chdir(tmp_path)
    assert cli.main(["site", "--output", "here"]) == 3
    assert asked == ["site"]
    assert seen[1:] == ["-m", "tools.site", "--output", tmp_path / "here"]


def test_environment_of_the_site_is_apart(monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_VENV", raising=False)
    assert environment.folder_for("site").name == ".venv-site"
    monkeypatch.setenv("COURSE_VENV", str(tmp_path / "mine"))
    assert environment.folder_for("site") == tmp_path / "mine-site"
    assert environment.folder_for() == tmp_path / "mine"
    assert environment.requirements("site").name == "requirements-site.txt"
    assert "sphinx==" in environment.constraints("site")
    assert "tensorflow" not in environment.constraints("site")


def test_page_without_a_language(tmp_path):
    folder = write_site(tmp_path / "site", "")
    (folder / "other.html").write_text("<h1>Title</h1>")
    assert check.problems(folder) == ["other.html: the page does not say its language"]
