"""Docstrings have the sections that numpydoc knows, and no others."""

import ast
import re
from pathlib import Path

from tests.every import of_every

PACKAGE = Path(__file__).parents[1] / "skanomaly"
SECTION = re.compile(r"(?m)^ *([A-Z][\w ]*)\n *-{3,}$")
KNOWN = {
    *("Attributes", "Examples", "Methods", "Notes", "Other Parameters", "Parameters", "Raises", "Receives"),
    *("References", "Returns", "See Also", "Warnings", "Warns", "Yields"),
}


@of_every(sorted(PACKAGE.rglob("*.py")), lambda path: str(path.relative_to(PACKAGE)))
def test_sections_are_those_of_numpydoc(path):
    text = path.read_text(encoding="utf-8")
    if not set(SECTION.findall(text)) - KNOWN:
        return
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    assert not {title for node in nodes for title in SECTION.findall(ast.get_docstring(node) or "")} - KNOWN
