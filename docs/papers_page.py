"""Write ``docs/papers.md`` from ``docs/papers.csv`` and the figures of ``docs/papers.json``.

    python docs/papers_page.py

The table has one line for each paper. `becomes` are public names (``module.name``), or what is planned where the state
is "not built yet". `experiment` are functions of ``asv_bench/tables/papers.py``, whose stored figures are printed, or
scripts of that folder, with their options.
"""

import csv
import json
from collections import Counter
from pathlib import Path

DOCS = Path(__file__).parent
STATES = ("reproduced", "reproduced in part", "not reproduced", "not checkable here", "not built yet")
PREFACE = """# Papers

**This page lists the papers behind the package, and says which of their central claims hold here.**

Each entry names what the paper becomes, its claim in one sentence, a state, the figure with the command that prints
it, and where the array form misses the paper. The figures are those of small experiments, most on made data and some
on public tables and on embeddings of MVTec-AD; they say whether the claim holds in its array form, and do not compare
with the published numbers. `python asv_bench/tables/papers.py` repeats all of them. "Shell only" says that a language
or vision model is the paper, and that only the part that works on arrays is here.
"""


def rows():
    """Read the table."""
    with (DOCS / "papers.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def figures():
    """Read the stored figures, by experiment."""
    return json.loads((DOCS / "papers.json").read_text(encoding="utf-8"))


def commands(row):
    """Return the commands behind a row."""
    words = row["experiment"].split(";")
    return [
        f"python asv_bench/tables/{word}" if ".py" in word else f"python asv_bench/tables/papers.py {word}"
        for word in map(str.strip, words)
        if word
    ]


def link(name):
    """Link a public name to its API page."""
    module, member = name.split(".")
    role = "class" if member[0].isupper() else "func"
    return f"{{py:{role}}}`~skanomaly.{module}.{member}`"


def entry(row, stored):
    """Return the lines of one paper."""
    built = row["state"] != "not built yet"
    names = ", ".join(link(name) for name in row["becomes"].split()) if built else f"planned: {row['becomes']}"
    lines = [
        f"(paper-{row['key']})=",
        f"### {row['title']}",
        "",
        f"{names or 'No class.'}",
        "",
        f"- *Claim.* {row['claim']}",
    ]
    if built:
        found = [stored[word] for word in map(str.strip, row["experiment"].split(";")) if word in stored]
        figure = ". ".join(text[0].upper() + text[1:] for text in found)
        calls = ", ".join(f"`{command}`" for command in commands(row))
        note = f" {row['figure']}" if row["figure"] else ""
        lines.append(
            f"- *{row['state'].capitalize()}.*{note}"
            + (f" {figure}." if figure else "")
            + (f" {calls}" if calls else "")
        )
    return [*lines, f"- *Array form.* {row['misses']}", ""]


def page():
    """Return the page."""
    table, stored = rows(), figures()
    counts = Counter(row["state"] for row in table)
    lines = [PREFACE, "| state | papers |", "|---|---|"]
    lines += [f"| {state} | {counts[state]} |" for state in STATES]
    for state in STATES:
        chosen = [row for row in table if row["state"] == state]
        if chosen:
            lines += ["", f"## {state.capitalize()}", ""]
            for row in sorted(chosen, key=lambda row: row["title"].lower()):
                lines += entry(row, stored)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    (DOCS / "papers.md").write_text(page(), encoding="utf-8")
