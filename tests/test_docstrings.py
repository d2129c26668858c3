"""Docstrings have the sections that numpydoc knows, and no others."""

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
    unknown = set(SECTION.findall(path.read_text(encoding="utf-8"))) - KNOWN
    assert not unknown
