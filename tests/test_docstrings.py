"""Docstrings have the sections that numpydoc knows, and no others."""

import ast
import re
from pathlib import Path

from tests.every import of_every

PACKAGE = Path(__file__).parents[1] / "skanomaly"
SECTION = re.compile(r"(?m)^([A-Z][\w ]*)\n-{3,}$")
KNOWN = {
    *("Attributes", "Examples", "Methods", "Notes", "Other Parameters", "Parameters", "Raises", "Receives"),
    *("References", "Returns", "See Also", "Warnings", "Warns", "Yields"),
}


@of_every(sorted(PACKAGE.rglob("*.py")), lambda path: str(path.relative_to(PACKAGE)))
def test_sections_are_those_of_numpydoc(path):
    unknown = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            found = SECTION.findall(ast.get_docstring(node) or "")
            unknown += [f"line {node.body[0].lineno}: {name}" for name in found if name not in KNOWN]
    assert not unknown
