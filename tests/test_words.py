"""Public text uses the words of the field."""

import re
from pathlib import Path

from tests.every import of_every

ROOT = Path(__file__).parents[1]
FORBIDDEN = re.compile(
    r"\b(oddness|odd|odder|oddest|house|rooms?|(held|holds?) [\w' ]+ against|held against|told (apart|from)|refuses"
    r"|mend(s|ed|ing)?|accuses?|believed|what training (has|holds)|in \d+ cases of)\b",
    re.IGNORECASE,
)
# Titles of cited works, and odd numbers.
ALLOWED = (
    "The elephant in the room",
    "The elephant in the Room",
    "house-keeping",
    "Filter lengths are odd",
    "odd number",
)
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "changes").rglob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs").glob("*.py")),
    *sorted((ROOT / "docs" / "_ext").glob("*.py")),
    *sorted((ROOT / "docs" / "benchmarks").glob("*.md")),
    *sorted((ROOT / "docs" / "start").glob("*.md")),
    *sorted((ROOT / "asv_bench").rglob("*.py")),
    *sorted((ROOT / "docs" / "guide").glob("*.md")),
    *sorted((ROOT / "examples").rglob("*.py")),
    *sorted((ROOT / "examples").rglob("*.rst")),
    *sorted((ROOT / "skanomaly").rglob("*.py")),
]


@of_every(PAGES, lambda path: str(path.relative_to(ROOT)))
def test_text_holds_no_forbidden_word(path):
    text = path.read_text(encoding="utf-8")
    for allowed in ALLOWED:
        text = text.replace(allowed, "")
    found = [f"{number}: {line.strip()}" for number, line in enumerate(text.splitlines(), 1) if FORBIDDEN.search(line)]
    assert not found
