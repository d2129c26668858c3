"""Measure the first call of every public estimator, with an empty kernel cache and with a filled one.

    python asv_bench/tables/first_call.py [NAME ...]

Each estimator is fitted and used once in its own process, after all imports: first with an empty kernel cache, then
with the cache that the first process left. Figures are CPU seconds, the slowest first.
"""

import sys
import tempfile
from pathlib import Path

sys.path[1:1] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from benchmarks.first_call import seconds  # noqa: E402  # found on the path above

from tests.test_persistence import one_of_each  # noqa: E402


def main():
    """Print the table."""
    lines = []
    for name in sys.argv[1:] or [type(estimator).__name__ for estimator in one_of_each()]:
        with tempfile.TemporaryDirectory() as cache:
            cold, use = seconds(name, cache)
            warm, _ = seconds(name, cache)
        lines.append((cold, warm, use, name))
        print(f"{name}: {cold:.2f} {warm:.2f} {use:.2f}", file=sys.stderr, flush=True)
    print("CPU seconds of the first calls and of a second one.\n")
    print(
        "| estimator | first call, empty cache, s | first call, filled cache, s | second call, s |\n|---|---|---|---|"
    )
    for cold, warm, use, name in sorted(lines, reverse=True):
        print(f"| {name} | {cold:.2f} | {warm:.2f} | {use:.2f} |")


if __name__ == "__main__":
    main()
