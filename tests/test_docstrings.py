"""Docstrings have the sections that numpydoc knows, and no others."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "skanomaly"
SECTION = re.compile(r"(?m)^([A-Z][\w ]*)\n-{3,}$")
KNOWN = {
    *("Attributes", "Examples", "Methods", "Notes", "Other Parameters", "Parameters", "Raises", "Receives"),
    *("References", "Returns", "See Also", "Warnings", "Warns", "Yields"),
}


@pytest.mark.parametrize("module", sorted(path.name for path in PACKAGE.iterdir() if path.is_dir()))
def test_sections_are_those_of_numpydoc(module):
    unknown = []
    for path in sorted((PACKAGE / module).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                found = SECTION.findall(ast.get_docstring(node) or "")
                unknown += [f"{path.name}, line {node.body[0].lineno}: {name}" for name in found if name not in KNOWN]
    assert not unknown
