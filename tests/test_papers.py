"""The page of papers: one row each, generated from one table, with commands and names that exist."""

import ast
import importlib
import inspect
import re
from functools import cache

import pytest

import skanomaly
from tests.scripts import ROOT, load_script

papers_page = load_script("docs/papers_page.py")
ROWS = papers_page.rows()
SCRIPTS = ROOT / "asv_bench" / "tables"


@cache
def _experiments():
    functions = set()
    for name in ("scores", "training", "series", "models", "networks", "trust", "makers", "protocols"):
        tree = ast.parse((SCRIPTS / f"_papers_{name}.py").read_text(encoding="utf-8"))
        functions |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return functions


def _normalised(text):
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def _documented():
    for module_name in skanomaly.__all__:
        if not module_name.startswith("_"):
            module = importlib.import_module(f"skanomaly.{module_name}")
            for name in module.__all__:
                yield f"{module_name}.{name}", _normalised(inspect.getdoc(getattr(module, name)) or "")


def test_there_is_one_row_for_each_paper():
    assert len(ROWS) == 118
    for column in ("key", "title"):
        assert len({row[column] for row in ROWS}) == 118


def test_page_is_that_of_the_table_and_the_stored_run():
    assert (ROOT / "docs" / "papers.md").read_text(encoding="utf-8") == papers_page.page()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["key"])
def test_row_is_complete(row):
    assert row["state"] in papers_page.STATES
    assert re.fullmatch(r"[a-z0-9-]+", row["key"])
    for column in ("title", "becomes", "claim", "misses"):
        assert row[column].strip()
    assert row["claim"].endswith(".")
    assert row["misses"].endswith(".")
    if row["state"] not in {"not built yet", "not checkable here"}:
        assert row["experiment"].strip()


@pytest.mark.parametrize("row", [row for row in ROWS if row["state"] != "not built yet"], ids=lambda row: row["key"])
def test_names_of_a_row_are_public(row):
    for name in row["becomes"].split():
        module, member = name.split(".")
        assert member in importlib.import_module(f"skanomaly.{module}").__all__


@pytest.mark.parametrize("row", [row for row in ROWS if row["experiment"]], ids=lambda row: row["key"])
def test_commands_of_a_row_exist_and_have_a_figure(row):
    stored = papers_page.figures()
    for word in map(str.strip, row["experiment"].split(";")):
        if ".py" in word:
            script, *options = word.split()
            text = (SCRIPTS / script).read_text(encoding="utf-8")
            assert all(option in text for option in options if option.startswith("--"))
            assert row["figure"].strip()
        else:
            assert word in _experiments()
            assert stored[word]


def test_every_public_name_that_cites_a_paper_is_in_its_row():
    missing, documented = [], list(_documented())
    for row in ROWS:
        title = _normalised(row["title"])
        citing = {name for name, text in documented if title in text}
        if row["state"] == "not built yet":
            missing += [(row["key"], name) for name in citing if name.split(".")[1] not in row["becomes"]]
        else:
            missing += [(row["key"], name) for name in citing if name not in row["becomes"].split()]
    assert missing == []


def test_few_rows_are_not_checkable():
    assert sum(row["state"] == "not checkable here" for row in ROWS) <= 11
