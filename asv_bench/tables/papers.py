"""Repeat the central claim of each paper in a small experiment, for the page "Papers" of the documentation.

    python asv_bench/tables/papers.py                  # all, in less than 20 minutes on two processors
    python asv_bench/tables/papers.py smote views      # some
    python asv_bench/tables/papers.py --store          # writes docs/papers.json, from which docs/papers.md is made

The experiments are the functions of ``_papers_*.py``, one for each claim. The seeds are in the docstring of each, which
returns the figure as one sentence. Seconds are those of the processor, with one thread. Real tables and embeddings are
read from the folder SKANOMALY_DATA; an experiment whose data are missing is left out.
"""

import argparse
import inspect
import json
import os
import sys
import time
import warnings
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent))

import _papers_makers
import _papers_models
import _papers_networks
import _papers_protocols
import _papers_scores
import _papers_series
import _papers_training
import _papers_trust
from _markdown import head, row

ROOT = Path(__file__).resolve().parents[2]
STORE = ROOT / "docs" / "papers.json"


def experiments():
    """Return the experiments by name: the functions of these files whose docstrings name their seeds."""
    return {
        name: value
        for module in (
            _papers_scores,
            _papers_training,
            _papers_series,
            _papers_models,
            _papers_networks,
            _papers_trust,
            _papers_makers,
            _papers_protocols,
        )
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and "eed" in (value.__doc__ or "")
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[*experiments(), []])
    parser.add_argument("--store", action="store_true", help=f"write {STORE.relative_to(ROOT)}")
    arguments = parser.parse_args()
    figures = json.loads(STORE.read_text(encoding="utf-8")) if STORE.exists() else {}
    head("experiment", "figure", "processor s")
    for name in arguments.names or experiments():
        start = time.process_time()
        try:
            figure = experiments()[name]()
        except FileNotFoundError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
            continue
        row(name, figure, f"{time.process_time() - start:.1f}")
        figures[name] = figure
        if arguments.store:
            STORE.write_text(json.dumps(figures, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
