"""The API pages list each public name once, under titles where a module has many."""

import importlib

import pytest

import skanomaly
from tests.scripts import load_script

api_sections = load_script("docs/api_sections.py")
MODULES = [name for name in skanomaly.__all__ if not name.startswith("_")]


@pytest.mark.parametrize("module", MODULES)
def test_larger_modules_have_titled_sections_that_list_each_name_once(module):
    names = importlib.import_module(f"skanomaly.{module}").__all__
    sections = api_sections.sections_of(module, names)
    if sections is None:
        assert len(names) <= api_sections.MOST_NAMES, f"docs/api_sections.py lacks sections of skanomaly.{module}."
        return
    listed = [name for section in sections.values() for name in section]
    assert "Others" not in sections, f"docs/api_sections.py does not list {sections['Others']} of skanomaly.{module}."
    assert sorted(listed) == sorted(names)


def test_sections_are_of_modules_that_exist():
    assert set(api_sections.SECTIONS) <= set(MODULES)


def test_names_in_no_section_come_last():
    assert api_sections.sections_of("audit", ["Finding", "Unlisted"])["Others"] == ["Unlisted"]
