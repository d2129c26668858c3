"""Write the benchmark pages of the documentation: every table of ``asv_bench/tables``, from one run on one machine.

    pip install -e . aeon cleanlab imbalanced-learn matplotlib pyarrow pyod pythresh rich stumpy typer
    python asv_bench/benchmark_page.py [--only WORD ...] [--data FOLDER] [--river PYTHON]

It writes a page for each part into ``docs/benchmarks/``, section by section, so an interrupted run can be continued
with ``--only``: a word of "Part/Title" chooses a section, and its old text is replaced. Each section has a date, and a
page lists the machine and the versions of each of its dates. The summary ``docs/benchmarks.md`` is written by hand;
``tests/test_site.py`` compares its figures with the pages. Sections that measure time run alone, the others two at a
time. Real data are read from the folder, or from ``SKANOMALY_DATA``. River is measured with the interpreter of another
environment, in which it is installed. A section that fails is reported and left out.
"""

import argparse
import ast
import datetime as dt
import importlib.metadata
import os
import platform
import re
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "benchmarks"
PEERS = ("scikit-learn", "numpy", "scipy", "numba", "pandas", "pyod", "imbalanced-learn", "cleanlab", "pythresh")
PEERS += ("aeon", "stumpy")
# Part, title, command in asv_bench/tables, and how it runs: "alone" as it measures time, with two blocks, of one thread
# and as installed ("threads"), or beside others ("any").
SECTIONS = [
    ("Speed", "As installed", "as_installed.py", "alone"),
    ("Speed", "Random projection depth", "depth.py", "threads"),
    ("Speed", "Nearest neighbours", "neighbors.py", "threads"),
    ("Speed", "Patches", "patches_speed.py --samples 200", "threads"),
    ("Speed", "Drift test", "audit.py --search", "threads"),
    ("Speed", "Thresholds", "threshold.py", "threads"),
    ("Speed", "Samplers", "sampling.py", "threads"),
    ("Speed", "Imputation", "impute.py", "threads"),
    ("Speed", "Robust training", "robust.py", "threads"),
    ("Speed", "Metrics of series", "metrics.py", "threads"),
    ("Speed", "Matrix profile", "series.py --profile", "threads"),
    ("Speed", "Neighbours of subsequences", "series.py --neighbors", "threads"),
    ("Speed", "Series detectors compared with aeon and PyOD", "series_peers.py", "threads"),
    ("Speed", "Streams", "streams.py 200000 --river {river}", "alone"),
    ("Speed", "Growth with rows and columns", "growth.py", "alone"),
    ("Detection", "Tables", "detection.py --seeds 3 --most-rows 1500 --collections tables", "any"),
    ("Detection", "Tables without labels", "default.py --show asv_bench/tables/default.csv", "any"),
    ("Detection", "Embeddings of images", "detection.py --seeds 1 --collections resnet18 vit", "any"),
    ("Detection", "Planted patches", "detection.py --seeds 2 --collections patches", "any"),
    ("Detection", "Few references, few labels, other categories", "patches.py --seeds 2", "any"),
    ("Detection", "Series", "series.py", "any"),
    ("Detection", "Time stamps of series", "series.py --times", "any"),
    ("Detection", "Event traces and collections of series", "events.py", "any"),
    ("Detection", "Label errors", "curation.py 1", "any"),
    ("Detection", "Auxiliary anomalies", "auxiliary_anomalies.py", "any"),
    ("Detection", "Model selection without labels", "label_free_selection.py", "any"),
    ("Detection", "Resampling", "resampling_quality.py --tables vowels thyroid", "any"),
    ("Calibration", "Nominal and observed rates", "calibration.py --runs 500", "any"),
    ("Calibration", "Contamination", "contamination.py --seeds 0 --cases {scratch}", "any"),
    ("Calibration", "Metrics of uninformative scores", "metrics_trust.py", "any"),
    ("Contract", "scikit-learn's estimator checks", "checks.py", "any"),
    ("First use", "Compiling", "first_call.py", "alone"),
    ("First use", "Memory", "first_call.py --memory", "alone"),
    ("First use", "Installing and importing", "install.py", "alone"),
]
# What the page of each part says first.
PREFACES = {
    "Speed": (
        "This page compares times and memory with those of other packages, and shows how they grow. The scripts ran\n"
        'alone. A table is of one thread, and below it, "as installed", are wall times of the same calls with the\n'
        "threads that each side uses by default. Growth and streams are measured in one thread only."
    ),
    "Detection": (
        "This page measures how well anomalies, wrong labels and settings are found, on real and on generated data.\n"
        "The scripts ran two at a time, so seconds here are not measurements."
    ),
    "Calibration": (
        "This page compares nominal rates, such as levels of tests and coverages of intervals, with observed ones."
    ),
    "Contract": "This page counts the checks of scikit-learn's API that estimators pass, here and in other packages.",
    "First use": (
        "This page measures what installing, importing, the first call and a process that scores cost. The scripts\n"
        "ran alone."
    ),
}
COMMON = """The command above each table repeats that table alone. Ratios compare figures of one run. The comment behind
each command gives the date and the duration of the run. Machines and versions by date:"""


def explanation(command):
    """Return the summary and the other paragraphs, without commands, of a script's docstring.

    Where an option has the name of a function of the script, it is the function's docstring.
    """
    name, *words = command.split()
    tree = ast.parse((ROOT / "asv_bench" / "tables" / name).read_text(encoding="utf-8"))
    options = {word.removeprefix("--") for word in words}
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in options]
    summary, *paragraphs = ast.get_docstring(functions[0] if functions else tree).split("\n\n")
    return summary, [text for text in paragraphs if not text.startswith("    ")]


def machine():
    """Return one line with the machine and the installed versions."""
    model = platform.processor() or platform.machine()
    cpus = Path("/proc/cpuinfo")
    if cpus.exists():
        model = re.search(r"model name\s*: (.*)", cpus.read_text(encoding="utf-8"))[1]
    found = {one.name.lower(): one.version for one in importlib.metadata.distributions()}
    versions = ", ".join(f"{name} {found[name]}" for name in PEERS if name in found)
    return f"{model}, {os.cpu_count()} processors, {platform.system()}, Python {platform.python_version()}, {versions}."


def printed(command, data, scratch, river):
    """Run one script; return what it printed and how long it took, or None if it failed."""
    start = time.time()
    name, *words = shlex.split(command.format(scratch=scratch, river=river))
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    if name != "as_installed.py" and "--as-installed" not in words:
        environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    if data:
        environment["SKANOMALY_DATA"] = str(data)
    print(f"python asv_bench/tables/{command}", file=sys.stderr, flush=True)
    run = subprocess.run(  # noqa: S603  # our own scripts
        [sys.executable, ROOT / "asv_bench" / "tables" / name, *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        check=False,
    )
    took = time.time() - start
    print(f"{command}: {took:.0f} s, exit {run.returncode}", file=sys.stderr, flush=True)
    if run.returncode:
        print(run.stderr[-2000:], file=sys.stderr, flush=True)
        return None
    return run.stdout.strip(), took


def section(title, command, how, day, data, scratch, river):
    """Run one script and return its section, dated with the day of the whole run, or None if it failed."""
    summary, others = explanation(command)
    parts = [f"## {title}", summary]
    for option in ("", " --as-installed") if how == "threads" else ("",):
        found = printed(command + option, data, scratch, river)
        if found is None:
            return None
        output, took = found
        shown = (command + option).format(scratch="cases.csv", river="python")
        command_line = f"```bash\npython asv_bench/tables/{shown}   # {day}, {took:,.0f} s\n```"
        parts += [f"### {title}, as installed", command_line] if option else [command_line, *others]
        parts.append(output)
    return "\n\n".join(parts) + "\n"


def page_of(part):
    """Return the file of a part."""
    return FOLDER / f"{part.lower().replace(' ', '_')}.md"


def write(texts, days):
    """Write the page of each part from the texts of its sections, in order, and the machine of each day."""
    FOLDER.mkdir(exist_ok=True)
    for part, preface in PREFACES.items():
        own = [texts[title].strip() for of, title, *_ in SECTIONS if of == part and title in texts]
        shown = [f"- {day}: {text}" for day, text in sorted(days.items()) if any(f"# {day}," in one for one in own)]
        parts = [f"# {part}", preface, COMMON, "\n".join(shown), *own]
        page_of(part).write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def stored():
    """Return the sections of the existing pages by title, and their machines by day."""
    texts, days = {}, {}
    for page in sorted(FOLDER.glob("*.md")):
        head, *pieces = re.split(r"(?m)^(?=## )", page.read_text(encoding="utf-8"))
        texts |= {piece[3:].split("\n", 1)[0]: piece for piece in pieces}
        days |= dict(re.findall(r"(?m)^- ([0-9-]{10}): (.*)$", head))
    return texts, days


def main():
    """Run the chosen sections and update their pages after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="WORD", help='run the sections whose "Part/Title" contains a word')
    parser.add_argument("--data", type=Path, help="folder of the real data; default SKANOMALY_DATA")
    parser.add_argument("--river", metavar="PYTHON", default="python", help="interpreter that has river")
    options = parser.parse_args()
    chosen = [one for one in SECTIONS if not options.only or any(word in f"{one[0]}/{one[1]}" for word in options.only)]
    texts, days = stored() if options.only else ({}, {})
    day = str(dt.datetime.now(tz=dt.UTC).date())
    days[day] = machine()
    scratch = ROOT / "build" / "benchmark_cases.csv"
    scratch.parent.mkdir(exist_ok=True)
    scratch.unlink(missing_ok=True)
    failed = []
    for alone in (True, False):
        batch = [one for one in chosen if (one[3] != "any") == alone]
        with ThreadPoolExecutor(1 if alone else 2) as pool:
            common = day, options.data, scratch, options.river
            runs = [pool.submit(section, *one[1:], *common) for one in batch]
            for (_, title, *_), run in zip(batch, runs, strict=True):
                text = run.result()
                if text is None:
                    failed.append(title)
                else:
                    texts[title] = text
                    write(texts, days)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
