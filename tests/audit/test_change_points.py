import numpy as np
import pytest
from scipy import stats
from sklearn.neighbors import kneighbors_graph

from skanomaly.audit import KNNChangePointTest, KNNDriftTest


def _hits(size, columns, n_runs, seed):
    """Count the runs in which a change of one column, somewhere in the middle, is found within 2 % of the rows."""
    count = 0
    for run in range(n_runs):
        rng = np.random.default_rng([seed, run])
        place = int(rng.integers(200, 800))
        rows = rng.normal(size=(1000, columns))
        rows[place:, 0] += size
        count += abs(KNNDriftTest(random_state=run).fit(rows).change_point_ - place) <= 20
    return count


def test_change_point_is_found_cheaply(seed):
    assert _hits(2, 5, 15, seed) >= stats.binom.ppf(1e-4, 15, 0.97)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "columns", "share"), [(2, 5, 0.97), (1, 5, 0.8), (2, 20, 0.75)])
def test_change_point_is_found(size, columns, share):
    assert _hits(size, columns, 200, 0) >= stats.binom.ppf(1e-4, 200, share)


@pytest.mark.slow
@pytest.mark.parametrize("n", [200, 1000, 4000])
def test_change_pvalue_keeps_its_level(n):
    n_runs = 400
    pvalues = np.array(
        [
            KNNDriftTest(random_state=run).fit(np.random.default_rng([n, run]).normal(size=(n, 2))).change_pvalue_
            for run in range(n_runs)
        ]
    )
    # The tail approximation, above 2,000 rows, may exceed the level by half of it.
    slack = 1.5 if n > 2000 else 1.0
    assert (pvalues <= 0.05).sum() <= stats.binom.isf(1e-4, n_runs, 0.05 * slack)


@pytest.mark.parametrize("metric", ["standardized", "euclidean", "precomputed"])
def test_three_parts_are_separated(seed, metric):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(450, 2))
    rows[150:300] += 4
    table = kneighbors_graph(rows, 10) if metric == "precomputed" else rows
    test = KNNChangePointTest(metric=metric, random_state=seed).fit(table)
    near = [np.abs(test.change_points_ - place).min() <= 9 for place in (150, 300)]
    assert all(near)
    assert test.change_points_.size <= 4
    assert (test.change_pvalues_ <= 0.05).all()


def test_no_change_is_rarely_found(seed):
    found = sum(
        KNNChangePointTest(random_state=run)
        .fit(np.random.default_rng([seed, run]).normal(size=(150, 2)))
        .change_points_.size
        > 0
        for run in range(40)
    )
    assert found <= stats.binom.isf(1e-4, 40, 0.05)


def test_order_sorts_the_rows(seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(300, 2)) + 4 * (np.arange(300) >= 120)[:, None]
    mixed = rng.permutation(300)
    plain = KNNChangePointTest(random_state=0).fit(rows)
    shuffled = KNNChangePointTest(random_state=0).fit(rows[mixed], order=mixed)
    np.testing.assert_array_equal(plain.change_points_, shuffled.change_points_)
    np.testing.assert_array_equal(plain.sample_pvalues_[mixed], shuffled.sample_pvalues_)
    np.testing.assert_array_equal(mixed[shuffled.order_], np.arange(300))


def test_max_changes_is_kept():
    rows = np.repeat(np.arange(8.0) * 10, 50)[:, None] + np.random.default_rng(0).normal(size=(400, 2))
    test = KNNChangePointTest(max_changes=3, random_state=0).fit(rows)
    assert test.change_points_.size == 3


def test_given_neighbors_shrink_in_small_parts():
    rows = np.repeat(np.arange(8.0) * 10, 10)[:, None] + np.random.default_rng(0).normal(size=(80, 2))
    assert KNNChangePointTest(n_neighbors=30, random_state=0).fit(rows).change_points_.size > 0


@pytest.mark.parametrize("rows", [np.zeros((40, 2)), np.arange(3.0)[:, None]], ids=["equal", "three"])
def test_nothing_to_find(rows):
    test = KNNChangePointTest(random_state=0).fit(rows)
    assert test.change_points_.size == 0
    assert test.pvalue_ == 1.0


def test_no_cut_between_equal_times():
    rows = np.random.default_rng(0).normal(size=(300, 2)) + 3 * (np.arange(300) >= 145)[:, None]
    test = KNNChangePointTest(random_state=0).fit(rows, times=np.arange(300) // 30)
    assert (test.change_points_ % 30 == 0).all()
    assert 150 in test.change_points_ or 120 in test.change_points_
