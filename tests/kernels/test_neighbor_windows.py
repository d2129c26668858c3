from itertools import pairwise

import numpy as np
import pytest

from skanomaly import _kernels
from tests.reference import permutation_moments as reference

kernels = _kernels.neighbor_windows


def test_window_counts_match_definition(seed):
    rng = np.random.default_rng(seed)
    offsets = np.array([0, 9, 10, 25], dtype=np.intp)
    line = np.concatenate([np.sort(np.round(rng.random(size), 1)) for size in np.diff(offsets)])
    out = np.empty(25)
    kernels.window_counts(line, 0.2, offsets, out)
    expected = [
        sum(abs(line[u] - line[v]) <= 0.2 for v in range(start, stop)) - 1
        for start, stop in pairwise(offsets.tolist())
        for u in range(start, stop)
    ]
    np.testing.assert_array_equal(out, expected)


def test_near_counts_match_definition(seed):
    rng = np.random.default_rng(seed)
    line = rng.random(20)
    anchors = rng.integers(0, 20, 6).astype(np.intp)
    indptr = np.array([0, 3, 3, 8, 10, 14, 15], dtype=np.intp)
    indices = rng.integers(0, 20, 15).astype(np.intp)
    thresholds = np.array([0.1, 0.25, 0.6])
    out = np.empty((6, 3), dtype=np.intp)
    kernels.near_counts(anchors, indptr, indices, line, thresholds, out)
    expected = [
        [
            int((abs(line[indices[indptr[query] : indptr[query + 1]]] - line[anchors[query]]) <= threshold).sum())
            for threshold in thresholds
        ]
        for query in range(6)
    ]
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("population", [1, 2, 9, 40])
def test_hypergeometric_tails_match_whole_numbers(population):
    cases = [
        (population, successes, draws, count)
        for successes in range(0, population + 1, 1 + population // 8)
        for draws in range(0, population + 1, 1 + population // 8)
        for count in range(draws + 2)
    ]
    cases = [cases[0], *cases]
    out = np.empty(len(cases))
    kernels.hypergeometric_tails(np.ascontiguousarray(np.array(cases, dtype=np.intp).T), out)
    expected = [reference.hypergeometric_tail(*case) for case in cases]
    np.testing.assert_allclose(out, expected, rtol=1e-10, atol=1e-300)
    assert (out > 0).all()


def test_hypergeometric_tails_stay_above_zero_far_out():
    out = np.empty(2)
    case = np.array([[200_000, 1_000, 150, 150], [100_000, 50_000, 300, 151]], dtype=np.intp).T
    kernels.hypergeometric_tails(np.ascontiguousarray(case), out)
    assert 0 < out[0] < 1e-300
    assert out[1] == pytest.approx(0.4770, abs=1e-3)
