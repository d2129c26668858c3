"""Format the examples of README and of the documentation's pages to 88 columns, as the site shows them.

    python docs/format_code.py

A line with a prompt is changed only if its statement is too wide. A comment behind a statement that is then still too
wide goes to the line before it. ``tests/test_site.py`` checks the widths.
"""

import re
import subprocess
import sys
from pathlib import Path

__all__ = ["formatted"]

ROOT = Path(__file__).resolve().parents[1]
MOST_COLUMNS = 88
_STATEMENT = re.compile(r"(?m)^>>> .*\n(?:^\.\.\.(?: .*)?\n)*")
_BLOCK = re.compile(r"(?ms)^```pycon\n.*?^```$")


def _ruff(source):
    width = MOST_COLUMNS - len(">>> ")
    command = [sys.executable, "-m", "ruff", "format", "--line-length", str(width), "--stdin-filename", "example.py", "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True, cwd=ROOT).stdout  # noqa: S603


def _with_prompts(source):
    first, *others = source.rstrip("\n").split("\n")
    return "\n".join([f">>> {first}", *(f"... {line}".rstrip() for line in others)]) + "\n"


def _narrowed(match):
    lines = match[0].rstrip("\n").split("\n")
    if max(map(len, lines)) <= MOST_COLUMNS:
        return match[0]
    comments = ""
    source = "\n".join(line[4:] for line in lines) + "\n"
    if len(lines) == 1 and (found := re.fullmatch(r"(.*?\S)  # ([^\"'#]*)\n", source)):
        comments, source = f">>> # {found[2]}\n", found[1] + "\n"
    return comments + _with_prompts(_ruff(source))


def formatted(text):
    """Return the text of a page with narrow examples."""
    return _BLOCK.sub(lambda block: _STATEMENT.sub(_narrowed, block[0]), text)


if __name__ == "__main__":
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs").glob("[gs]*/*.md"))]:
        old = page.read_text(encoding="utf-8")
        new = formatted(old)
        if new != old:
            page.write_text(new, encoding="utf-8")
            print(page.relative_to(ROOT))
