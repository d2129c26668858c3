"""Products whose bits depend on the row alone, beside BLAS: a projection, and the scores of projections.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python asv_bench/tables/fixed_products.py

Microseconds of processor time of one thread for a tile of rows and 256 directions: the best of 15 runs, by turns.
"score" adds the deviations of the projections from locations; by BLAS, 128 bytes of directions per row at a time.
"""

import time

import _markdown
import numpy as np
from numba import njit

from skanomaly import _kernels
from skanomaly.detectors._depth._projections import _lines, _padded_size

N_DIRECTIONS = 256


@njit(nogil=True, fastmath={"nsz", "arcp", "contract", "afn", "reassoc"})
def score_by_blas(directions, columns, locations, factors, per_block, totals):
    """Score as ``_kernels.projection.score_panels`` does, with matrix products of BLAS."""
    buffer = np.empty((per_block, columns.shape[1]), columns.dtype)
    for start in range(0, len(directions), per_block):
        stop = start + per_block
        np.dot(directions[start:stop], columns, buffer)
        for place in range(start, stop, 4):
            m0, m1, m2, m3 = (
                locations[0, place],
                locations[0, place + 1],
                locations[0, place + 2],
                locations[0, place + 3],
            )
            f0, f1, f2, f3 = factors[0, place], factors[0, place + 1], factors[0, place + 2], factors[0, place + 3]
            k = place - start
            u, v, w, x = buffer[k], buffer[k + 1], buffer[k + 2], buffer[k + 3]
            for i in range(u.size):
                deviation = abs(u[i] - m0) * f0 + abs(v[i] - m1) * f1 + abs(w[i] - m2) * f2 + abs(x[i] - m3) * f3
                totals[0, i] += np.float64(deviation)


def score_by_panels(rows, panels, lines, locations, factors, per_group, sums, parts, totals):
    """Lay the rows out and score them."""
    _kernels.projection.fill_panels(rows, 0, np.zeros(rows.shape[1]), panels)
    _kernels.projection.score_panels(lines, panels, locations, factors, per_group, 0, sums, parts, totals)


def microseconds(calls, repeats=15, inner=10):
    """Return the best time of each call, measured by turns."""
    best = [np.inf] * len(calls)
    for call in calls:
        call()
    for _ in range(repeats):
        for place, call in enumerate(calls):
            start = time.thread_time_ns()
            for _ in range(inner):
                call()
            best[place] = min(best[place], (time.thread_time_ns() - start) / (1000 * inner))
    return best


def main():
    """Print the table."""
    _markdown.head("type", "columns", "rows", "multiply", "BLAS", "ratio", "score", "with BLAS", "ratio")
    random = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        for n_features in (6, 10, 20, 64, 100):
            n_rows = min(2048, 2 ** int(np.log2(32768 / n_features)))
            directions = random.normal(size=(N_DIRECTIONS, n_features)).astype(dtype)
            columns = random.normal(size=(n_features, n_rows)).astype(dtype)
            locations = random.normal(size=(1, N_DIRECTIONS)).astype(dtype)
            factors, totals = np.ones_like(locations), np.zeros((1, n_rows))
            panel_totals = np.zeros((1, n_rows // 256, 256))
            lines, panels = _lines(directions), np.zeros((n_rows // 256, 256 * _padded_size(n_features)), dtype)
            rows, scratch = np.ascontiguousarray(columns.T), (np.empty(1024, dtype), np.empty((1, 256)))
            values, per_block = np.empty((N_DIRECTIONS, n_rows), dtype), 128 // np.dtype(dtype).itemsize
            arguments = (lines, locations, factors, 4 * per_block, *scratch, panel_totals)
            kernels = _kernels.projection
            times = microseconds(
                [
                    lambda: kernels.multiply(directions, columns, values),  # noqa: B023  # called at once
                    lambda: np.dot(directions, columns, out=values),  # noqa: B023
                    lambda: score_by_panels(rows, panels, *arguments),  # noqa: B023
                    lambda: score_by_blas(directions, columns, locations, factors, per_block, totals),  # noqa: B023
                ]
            )
            cells = [f"{value:.0f}" for value in times]
            ratios = [f"{times[0] / times[1]:.2f}", f"{times[2] / times[3]:.2f}"]
            name = np.dtype(dtype).name
            _markdown.row(name, n_features, n_rows, *cells[:2], ratios[0], *cells[2:], ratios[1])


if __name__ == "__main__":
    main()
