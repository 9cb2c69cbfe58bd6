"""The committed tables of all architectures against the architectures."""

import functools

import pytest

from helpers.architectures import BUILDERS
from tools import ROOT, tables

FOLDER = ROOT / "tables"
REMEDY = "run `python -m tools tables` and look at what changed"


@functools.cache
def description(name):
    return tables.network(name)


@pytest.mark.parametrize("name", BUILDERS)
def test_table_equals_the_code(name):
    committed = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    assert committed == tables.page(name, description(name)), REMEDY
    row = tables.summary(name, description(name))
    assert row in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()


def test_there_are_tables_of_these_networks_alone():
    expected = {"README.md", *(f"{name}.md" for name in BUILDERS)}
    assert {path.name for path in FOLDER.iterdir()} == expected
    lines = (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| [")]
    assert tables.index(rows).splitlines() == lines
    assert len(rows) == len(BUILDERS)


def test_page_of_a_partial_names_its_arguments():
    text = (FOLDER / "densenet_bc100.md").read_text(encoding="utf-8")
    # DenseNet's paper, table 1: k = 12, L = 100, BC: 0.8 million parameters.
    assert (
        "Built by `densenet_cifar(depth=100, bottleneck=True, compression=0.5)` of "
        "[helpers/architectures/densenet.py](../helpers/architectures/densenet.py)."
    ) in text


def test_refresh_writes_what_differs_and_removes_what_is_gone(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "BUILDERS", {"lenet5": BUILDERS["lenet5"]})
    (tmp_path / "gone.md").write_text("")
    assert tables.refresh(tmp_path) == ["gone.md", "lenet5.md", "README.md"]
    assert tables.refresh(tmp_path) == []
    assert {path.name for path in tmp_path.iterdir()} == {"lenet5.md", "README.md"}
    (tmp_path / "lenet5.md").write_text("edited")
    assert tables.refresh(tmp_path) == ["lenet5.md"]
