"""The tools: quotes, badges, stored outputs, rules for notebooks, and the replay."""

import base64
import copy
import io
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import numpy as np
import pytest
from nbformat import v4
from PIL import Image

import tools.__main__ as tools_main
from tools import (
    badges,
    clean,
    execute,
    hygiene,
    notebooks,
    quotes,
    results,
    setup_cell,
)
from tools.markers import between
from tools.notebooks import Project

ROOT = Path(__file__).parent.parent
SOMEWHERE = Project("https://github.com/someone/networks", "main")

MODULE = '''\
"""A module."""

import functools

RATES = (
    0.1,
    0.2,
)


@functools.cache
def stem(x):
    """First layers."""

    return x  # as it is


class Block:
    size = 3
'''


@pytest.fixture
def module(tmp_path) -> Path:
    (tmp_path / "helpers").mkdir()
    (tmp_path / "helpers" / "net.py").write_text(MODULE)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("RATES", "RATES = (\n", "    0.2,\n)"),
        ("stem", "@functools.cache\ndef stem(x):\n", "    return x  # as it is"),
        ("Block", "class Block:\n", "    size = 3"),
    ],
)
def test_definition_is_taken_letter_for_letter(module, name, start, end):
    text = quotes.definition(module / "helpers" / "net.py", name)
    assert text in MODULE
    assert text.startswith(start) and text.endswith(end)


def test_quotes_are_refreshed_and_other_cells_are_not(module):
    header = "# helpers/net.py: stem, Block"
    cells = [header + "\n# an old version", "# helpers/net.py is a module\nx = 1"]
    notebook = v4.new_notebook(cells=[v4.new_code_cell(text) for text in cells])
    quotes.refresh(notebook, module)
    stem = quotes.definition(module / "helpers" / "net.py", "stem")
    block = quotes.definition(module / "helpers" / "net.py", "Block")
    assert notebook.cells[0].source == f"{header}\n{stem}\n\n\n{block}"
    assert notebook.cells[1].source == cells[1]
    again = copy.deepcopy(notebook)
    quotes.refresh(again, module)
    assert again == notebook


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("# helpers/net.py: steam", "steam, which .*net.py does not define"),
        ("# helpers/network.py: stem", "network.py, which does not exist"),
    ],
)
def test_quote_of_what_does_not_exist(module, header, message):
    with pytest.raises(quotes.QuoteError, match=message):
        quotes.quoted(header, module)


COLAB = (
    "https://colab.research.google.com/github/someone/networks/blob/main/notebooks/"
    "07_resnet.ipynb"
)
KAGGLE = (
    "https://kaggle.com/kernels/welcome?src=https://github.com/someone/networks/blob/"
    "main/notebooks/07_resnet.ipynb"
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# Residuals", ""),
        ("# Residuals\n\nAfter this lecture", "\n\nAfter this lecture"),
        ("# Residuals\n\n[![Open in Colab](old)](link)\n\nText", "\n\nText"),
    ],
)
def test_badges_stand_below_the_title(before, after):
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell(before)])
    for _ in range(2):  # the second time changes nothing
        badges.refresh(notebook, "07_resnet.ipynb", SOMEWHERE)
        title, line, *rest = notebook.cells[0].source.split("\n\n")
        assert title == "# Residuals"
        assert f"]({COLAB})" in line and f"]({KAGGLE})" in line
        assert "".join("\n\n" + text for text in rest) == after


def test_notebook_without_a_title_is_refused():
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("## Residuals")])
    with pytest.raises(ValueError, match="must be '# Title ...', not '## Residuals'"):
        badges.refresh(notebook, "07_resnet.ipynb", SOMEWHERE)


def test_readme_table_lists_the_lectures(tmp_path, monkeypatch):
    for name, title in (("08_resnext", "Cardinality"), ("07_resnet", "Residuals")):
        notebook = v4.new_notebook(cells=[v4.new_markdown_cell(f"# {title}")])
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path)
    readme = f"before\n{badges.START}\nold\n{badges.END}\nafter"
    table = badges.lectures_table(SOMEWHERE)
    new = between(readme, badges.START, badges.END, table).splitlines()
    assert new[0] == "before" and new[-1] == "after" and "old" not in new
    assert new[4].startswith("| 07 | [Residuals](notebooks/07_resnet.ipynb) | [![")
    assert new[5].startswith("| 08 | [Cardinality](notebooks/08_resnext.ipynb) | [![")
    with pytest.raises(ValueError, match="markers"):
        between("no markers", badges.START, badges.END, "")


def png(size: int, colours: int) -> str:
    """A picture of random dots, in base64; the more colours, the larger."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, colours, (size, size, 4), dtype=np.uint8)
    pixels[..., 3] = 255
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_level=0)
    return base64.b64encode(stream.getvalue()).decode()


def decoded(encoded: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(encoded)))


def test_small_figures_are_compressed_without_loss():
    before = png(100, 2)
    after = clean.smaller_png(before)
    assert len(after) < len(before) / 5
    assert np.array_equal(np.asarray(decoded(after)), np.asarray(decoded(before)))


def test_large_figures_get_a_palette():
    before = png(200, 256)
    after = clean.smaller_png(before)
    assert len(after) < len(before) / 3
    assert decoded(after).mode == "P" and decoded(after).size == (200, 200)


def test_clean_takes_out_traces_of_the_machine(tmp_path):
    cell = v4.new_code_cell(
        "train()", metadata={"tags": ["a"], "execution": {"s": "1"}}
    )
    cell.outputs = [
        v4.new_output("stream", name="stderr", text="a warning"),
        v4.new_output("stream", name="stdout", text=f"{tmp_path}/run, {ROOT}/data"),
        v4.new_output("display_data", data={clean.WIDGET: {}, "text/plain": "bar"}),
        v4.new_output("execute_result", data={"text/plain": "<x at 0x7f12ab345678>"}),
        v4.new_output("display_data", data={"image/png": png(10, 2)}),
    ]
    notebook = v4.new_notebook(cells=[cell], metadata={"widgets": {}, "author": "me"})
    clean.clean(notebook, tmp_path)
    outputs = notebook.cells[0].outputs
    assert outputs[0].text == "./logs/local/run, ./data"
    assert outputs[1].data["text/plain"] == "<x at 0x0>"
    assert list(outputs[2].data) == ["image/png"] and len(outputs) == 3
    assert notebook.cells[0].metadata == {"tags": ["a"]}
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


def code(source: str, count: int, *tags: str, outputs=()) -> nbformat.NotebookNode:
    metadata = {"tags": list(tags)} if tags else {}
    return v4.new_code_cell(
        source, execution_count=count, metadata=metadata, outputs=list(outputs)
    )


def lecture() -> nbformat.NotebookNode:
    """A lecture that keeps every rule."""
    text = v4.new_markdown_cell
    figure = v4.new_output(
        "display_data",
        data={"image/png": png(10, 2), "text/plain": "<Figure>"},
        metadata={"image/png": {"alt": "Accuracy rises from epoch to epoch."}},
    )
    cells = [
        text("# Residuals"),
        code("import sys", 1, "setup"),
        code("import keras", 2),
        text("## Sizes\n\n" + "word " * 1000 + "$a + b$ [link](https://x.org/home/a)"),
        code("epochs = 1", 3, "parameters"),
        text("### Smallest block\n\n```bash\n# not a heading\n```"),
        code("plot()", 4, "nbval-ignore-output", outputs=[figure]),
    ]
    for number in (1, 2, 3):
        cells += [
            text(f"### Exercise {number}: count\n\nHow many?"),
            code("answer = 432\nassert answer == 3 * 3 * 3 * 16", 4 + number),
            text("<details><summary>Solution</summary>\n\n432\n</details>"),
        ]
    cells.append(
        text("## References\n\n- K. He et al., *Residuals*, 2015, https://x.org")
    )
    notebook = v4.new_notebook(cells=cells)
    clean.clean(notebook)
    return notebook


def saved(notebook: nbformat.NotebookNode, path: Path) -> Path:
    notebooks.write(path, notebook)
    return path


def test_good_lecture_has_no_problems(tmp_path):
    path = saved(lecture(), tmp_path / "07_resnet.ipynb")
    assert hygiene.problems(path) == []
    assert hygiene.count_words(lecture()) == 1000 + 2 + 3 * 5 + 2 + 1 + 6


def edit_outputs(cell, **output):
    cell.outputs = [v4.new_output(**output)]


BREAKS = {
    "has 41 lines": lambda c: c[6].update(source="x\n" * 40 + "x"),
    "has 81 columns": lambda c: c[6].update(source="x" * 81),
    "median code cell has 7 lines": lambda c: [
        cell.update(source="assert 1\n" * 6 + "x")
        for cell in c
        if cell.cell_type == "code"
    ],
    "7 of 10 code cells follow": lambda c: c.extend(code("x", n) for n in (8, 9, 10)),
    "not executed in order": lambda c: c[6].update(execution_count=9),
    "[1, 2, 3, None,": lambda c: c[6].update(execution_count=None),
    "is empty": lambda c: c[6].update(source=" "),
    "holds an error": lambda c: edit_outputs(
        c[6], output_type="error", ename="E", evalue="", traceback=[]
    ),
    "0 cells carry the tag 'setup'": lambda c: c[1].metadata.clear(),
    "2 cells carry the tag 'parameters'": lambda c: c[6].metadata.tags.append(
        "parameters"
    ),
    "the first code cell does not carry the tag 'setup'": lambda c: c.insert(
        1, code("import sys", 0)
    ),
    "no cell with imports stands between": lambda c: c[2].update(source="x = 1"),
    "between the cells 'setup' and 'parameters'": lambda c: c.insert(5, c.pop(2)),
    "4 of 7 code cells are not compared": lambda c: [
        cell.metadata.update(tags=["nbval-ignore-output"]) for cell in c[8::3]
    ],
    "hides failures": lambda c: c[6].metadata.tags.append("nbval-skip"),
    "calls load_model": lambda c: c[6].update(source="keras.models.load_model(a)"),
    "comment for nbval": lambda c: c[6].update(source="# NBVAL_SKIP\nx"),
    "calls the shell": lambda c: c[6].update(source="!pip install keras"),
    "has metadata 'execution'": lambda c: c[6].metadata.update(execution={}),
    "holds a path of a machine: '/home/'": lambda c: edit_outputs(
        c[6], output_type="stream", name="stdout", text="in /home/me/course"
    ),
    "path of a machine: 'C:": lambda c: edit_outputs(
        c[6], output_type="execute_result", data={"text/plain": "C:\\Users\\me"}
    ),
    "holds a widget": lambda c: edit_outputs(
        c[6], output_type="display_data", data={clean.WIDGET: {}}
    ),
    "went to stderr": lambda c: edit_outputs(
        c[6], output_type="stream", name="stderr", text="warning"
    ),
    "holds a figure of 1": lambda c: (
        c[6].outputs[0].data.update({"image/png": png(170, 256)})
    ),
    "holds a figure without alternative": lambda c: c[6].outputs[0].metadata.clear(),
    "holds a figure whose text says too little": lambda c: (
        c[6]
        .outputs[0]
        .metadata.update({"image/png": {"alt": "A plot of the accuracy"}})
    ),
    "too little: 'accuracy_by_epoch.png'": lambda c: (
        c[6].outputs[0].metadata.update({"image/png": {"alt": "accuracy_by_epoch.png"}})
    ),
    "holds a figure with the text of cell 6": lambda c: c[8].update(
        outputs=c[6].outputs
    ),
    "an image whose text says nothing: 'Figure'": lambda c: c[3].update(
        source="![Figure](graph.png)"
    ),
    "names a colour, color='red'": lambda c: c[6].update(source="plot(color='red')"),
    "names a colour, '#d62728'": lambda c: c[6].update(source="red = '#d62728'"),
    "names a colour, cmap='jet'": lambda c: c[6].update(source="draw(cmap='jet')"),
    "HTML that GitHub drops: <iframe>": lambda c: edit_outputs(
        c[6], output_type="display_data", data={"text/html": "<iframe></iframe>"}
    ),
    "HTML that GitHub drops: class= of <td>": lambda c: edit_outputs(
        c[6], output_type="display_data", data={"text/html": "<td class='x'>1</td>"}
    ),
    "HTML that GitHub drops: style= of <span>": lambda c: c[3].update(
        source='<span style="color:red">careful</span>'
    ),
    "no section '## References'": lambda c: c[-1].update(source="## Sources\n\n- A"),
    "neither year nor address: '- K. He'": lambda c: c[-1].update(
        source="## References\n\n- K. He"
    ),
    "Hu and Shen (2018) is cited and does not": lambda c: c[5].update(
        source="### Smallest block\n\nHu and Shen (2018) gate it."
    ),
    "an image without alternative": lambda c: c[3].update(source="![](graph.png)"),
    "<img": lambda c: c[3].update(source='<img src="graph.png" alt="">'),
    "one title": lambda c: c[3].update(source="# Another\n" + "word " * 1000),
    "it must stand first": lambda c: c[0].update(source="## Residuals"),
    "leaves out a level": lambda c: c[5].update(source="#### Smallest block"),
    "the text has 25 words": lambda c: c[3].update(source="## Sizes"),
    "2 exercises": lambda c: c[9].update(source="The solution is 432."),
    "2 exercises (": lambda c: c[8].update(source="answer = 432"),
}


@pytest.mark.parametrize("problem", BREAKS)
def test_each_rule_sees_its_problem(tmp_path, problem):
    notebook = lecture()
    BREAKS[problem](notebook.cells)
    found = hygiene.problems(saved(notebook, tmp_path / "07_resnet.ipynb"))
    assert problem in "\n".join(found)


def test_rules_about_the_file_and_the_notebook(tmp_path):
    notebook = lecture()
    notebook.metadata.kernelspec.name = "mine"
    notebook.metadata.language_info.version = "3.12.1"
    notebook.metadata["widgets"] = {"state": "x" * 300_000}
    found = "\n".join(hygiene.problems(saved(notebook, tmp_path / "07_resnet.ipynb")))
    assert "the kernel is not the standard one" in found
    assert "names a version of Python" in found
    assert "the notebook has metadata 'widgets'" in found
    assert "bytes: at most 300000" in found


def test_assignment_is_not_held_to_a_lecture_s_length(tmp_path):
    notebook = lecture()
    notebook.cells = [*notebook.cells[:9], notebook.cells[-1]]
    assert hygiene.problems(saved(notebook, tmp_path / "25_assignment.ipynb")) == []
    found = hygiene.problems(saved(notebook, tmp_path / "07_resnet.ipynb"))
    assert len(found) == 1 and "0 exercises" in found[0]


def test_unchanged_notebooks_are_not_written(tmp_path):
    path = saved(lecture(), tmp_path / "07_resnet.ipynb")
    os.utime(path, (0, 0))
    assert not notebooks.changed(path, lambda notebook: None, save=True)
    assert path.stat().st_mtime == 0

    def rename(notebook):
        notebook.cells[0].source = "# Shortcuts"

    assert notebooks.changed(path, rename, save=False)
    assert notebooks.title(notebooks.read(path)) == "Residuals"
    assert notebooks.changed(path, rename, save=True)
    assert notebooks.title(notebooks.read(path)) == "Shortcuts"


@pytest.fixture
def house(tmp_path, monkeypatch) -> Path:
    """A course of one lecture and a README."""
    (tmp_path / "notebooks").mkdir()
    notebook = lecture()
    notebook.cells[6].source = "# helpers/__init__.py: nothing"
    saved(notebook, tmp_path / "notebooks" / "07_resnet.ipynb")
    (tmp_path / "README.md").write_text(f"{badges.START}\n{badges.END}\n")
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path / "notebooks")
    function = badges.refresh_readme
    monkeypatch.setattr(
        badges,
        "refresh_readme",
        lambda save: function(tmp_path / "README.md", save),
    )
    monkeypatch.setattr(quotes, "refresh", lambda notebook: None)
    monkeypatch.setattr(results, "refresh", lambda save: [])
    return tmp_path


def test_check_sees_what_refresh_then_repairs(house, capsys):
    files = [house / "README.md", house / "notebooks" / "07_resnet.ipynb"]
    before = [path.read_bytes() for path in files]
    assert tools_main.main(["--check"]) == 1
    assert [path.read_bytes() for path in files] == before
    out = capsys.readouterr().out
    assert "notebooks/07_resnet.ipynb: out of date" in out
    assert "README.md: out of date" in out

    assert tools_main.main([]) == 0
    setup = notebooks.read(files[1]).cells[1].source
    assert setup == setup_cell.setup_source()
    capsys.readouterr()
    assert tools_main.main(["--check"]) == 0
    assert capsys.readouterr().out == ""


def test_check_fails_on_a_broken_rule(house, capsys):
    tools_main.main([])
    path = house / "notebooks" / "07_resnet.ipynb"
    notebooks.changed(path, lambda n: n.cells[6].metadata.tags.append("nbval-skip"), 1)
    capsys.readouterr()
    assert tools_main.main(["--check"]) == 1
    assert "hides failures" in capsys.readouterr().out


def test_unknown_command_of_the_tools_is_refused(capsys):
    assert tools_main.main(["--chek"]) == 2
    assert "python -m tools --check" in capsys.readouterr().err


def test_execute_stores_clean_outputs(tmp_path):
    source = (
        "import os, sys\n"
        "print(os.environ['COURSE_PROFILE'], os.environ['COURSE_LOGS'])\n"
        "print('warning', file=sys.stderr)\n"
        "print(sys.executable, file=sys.stderr)\n"
        "os.path.basename(os.getcwd())"
    )
    cells = [v4.new_markdown_cell("# Title"), v4.new_code_cell(source)]
    path = saved(v4.new_notebook(cells=cells), tmp_path / "07_resnet.ipynb")
    tools_main.store(path)
    stored = notebooks.read(path)
    first, second = stored.cells[1].outputs
    assert first.text == "quick ./logs/local\n"
    assert second.data["text/plain"] == repr(tmp_path.name)
    assert stored.cells[1].execution_count == 1
    assert stored.metadata == {
        "kernelspec": clean.KERNEL,
        "language_info": {"name": "python"},
    }


def test_failed_execution_stores_nothing(tmp_path, capsys):
    path = saved(v4.new_notebook(cells=[v4.new_code_cell("1 / 0")]), tmp_path / "a")
    before = path.read_bytes()
    assert tools_main.main(["execute", str(path)]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_cells_are_named_after_their_headings():
    text, code_cell = v4.new_markdown_cell, v4.new_code_cell
    cells = [code_cell("a"), text("# Title\n\n## Part"), code_cell("b"), code_cell("c")]
    titles = execute.cell_titles(v4.new_notebook(cells=cells))
    assert [titles[i] for i in (0, 2, 3)] == ["Start", "Part", "Part"]


def stream(text: str, name: str = "stdout") -> nbformat.NotebookNode:
    return v4.new_output("stream", name=name, text=text)


# Each cell's source and tags, the output that is stored, and whether it may pass.
REPLAY = {
    "equal": ("print(42)", (), [stream("42\n")], True),
    "changed": ("print(42)", (), [stream("43\n")], False),
    "missing": ("x = 1", (), [stream("1\n")], False),
    "unexpected": ("print(1)", (), [], False),
    "ignored": ("print(42)", ("nbval-ignore-output",), [stream("43\n")], True),
    "failing though ignored": ("1 / 0", ("nbval-ignore-output",), [], False),
    "stderr": ("import sys; print(1, file=sys.stderr)", (), [], True),
    "address": ("print(object())", (), [stream("<object object at 0x0>\n")], True),
    "path of the course": (f"print({str(ROOT)!r})", (), [stream(".\n")], True),
    "quick": (
        "import os; print(os.environ['COURSE_PROFILE'], os.environ['COURSE_LOGS'])",
        (),
        [stream("quick ./logs/local\n")],
        True,
    ),
    "hanging": ("import time; time.sleep(600)", (), [], False),
}


def test_replay_is_strict(tmp_path):
    cells = [
        code(source, number, *tags, outputs=outputs)
        for number, (source, tags, outputs, _) in enumerate(REPLAY.values(), 1)
    ]
    path = saved(v4.new_notebook(cells=cells), tmp_path / "replay.ipynb")
    report = tmp_path / "report.xml"
    # The settings of conftest.py, which pytest finds by itself below the course.
    command = [sys.executable, "-m", "pytest", "--nbval", str(path), "-p", "conftest"]
    command += [f"--junit-xml={report}", "--nbval-cell-timeout=3", "-q"]
    command += ["-c", os.devnull, f"--rootdir={tmp_path}", "-p", "no:cacheprovider"]
    status = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=300)
    assert status.returncode == 1
    cases = ElementTree.parse(report).getroot().iter("testcase")
    passed = [case.find("failure") is None for case in cases]
    assert dict(zip(REPLAY, passed, strict=True)) == {
        name: expected for name, (*_, expected) in REPLAY.items()
    }
