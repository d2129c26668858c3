import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from skanomaly.impute import KNNSamplerImputer, pool_estimates


def test_pooled_parts_follow_rubins_formulas():
    pooled = pool_estimates([1.0, 2.0, 4.0], [0.5, 1.0, 1.5])
    within, between = 1.0, 7 / 3
    assert_allclose(pooled.estimate, 7 / 3)
    assert_allclose([pooled.within, pooled.between], [within, between])
    assert_allclose(pooled.variance, within + 4 / 3 * between)
    assert_allclose(pooled.degrees_of_freedom, 2 * (1 + within / (4 / 3 * between)) ** 2)


def test_small_sample_degrees_of_freedom_follow_barnard_and_rubin():
    pooled = pool_estimates([1.0, 2.0, 4.0], [0.5, 1.0, 1.5], complete_degrees_of_freedom=20.0)
    share = 4 / 3 * (7 / 3) / pooled.variance
    large, observed = 2 / share**2, 21 / 23 * 20 * (1 - share)
    assert_allclose(pooled.degrees_of_freedom, 1 / (1 / large + 1 / observed))


def test_equal_tables_give_the_interval_of_complete_data():
    lower, upper = pool_estimates([2.0] * 5, [0.25] * 5).confidence_interval(0.95)
    assert_allclose([lower, upper], [2 - 0.5 * stats.norm.ppf(0.975), 2 + 0.5 * stats.norm.ppf(0.975)])


def test_equal_tables_without_variance_give_a_point():
    lower, upper = pool_estimates([[2.0, 3.0]] * 5, [[0.0, 0.0]] * 5).confidence_interval()
    assert_allclose([lower, upper], [[2.0, 3.0]] * 2)


@pytest.mark.parametrize("freedom", [None, 30.0])
def test_arrays_are_pooled_entry_by_entry(freedom, seed):
    random = np.random.default_rng(seed)
    estimates, variances = random.normal(size=(4, 2, 3)), random.uniform(size=(4, 2, 3))
    whole = pool_estimates(estimates, variances, complete_degrees_of_freedom=freedom)
    part = pool_estimates(estimates[:, 1, 2], variances[:, 1, 2], complete_degrees_of_freedom=freedom)
    assert whole.variance.shape == (2, 3)
    assert_allclose(whole.degrees_of_freedom[1, 2], part.degrees_of_freedom)


@pytest.mark.parametrize(
    ("estimates", "variances", "message"),
    [
        ([1.0, 2.0], [1.0], "shape"),
        ([1.0], [1.0], "at least two"),
        (1.0, 1.0, "'estimates' parameter.*Got 1.0"),
        ([1.0, 2.0], [1.0, -1.0], "negative"),
    ],
)
def test_wrong_input_raises(estimates, variances, message):
    with pytest.raises(ValueError, match=message):
        pool_estimates(estimates, variances)


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_interval_level_outside_zero_and_one_raises(level):
    with pytest.raises(ValueError, match="level"):
        pool_estimates([1.0, 2.0], [1.0, 1.0]).confidence_interval(level)


def _covers(draw, n_rows=200):
    random = np.random.default_rng(draw)
    table = random.normal(size=(n_rows, 1)) + np.column_stack([np.zeros(n_rows), random.normal(size=n_rows)])
    table[random.random(n_rows) < 0.3, 1] = np.nan
    imputer = KNNSamplerImputer(n_neighbors=5, random_state=draw).fit(table)
    columns = [filled[:, 1] for filled in imputer.sample(table, 10, bootstrap=True)]
    means, variances = zip(*((column.mean(), column.var(ddof=1) / n_rows) for column in columns), strict=True)
    lower, upper = pool_estimates(means, variances, complete_degrees_of_freedom=n_rows - 1).confidence_interval()
    return bool(lower <= 0.0 <= upper)


def test_pooled_interval_covers_the_mean_most_of_the_time(seed):
    hits = sum(_covers(1000 * seed + draw) for draw in range(60))
    assert stats.binomtest(hits, 60, 0.95).pvalue > 1e-5


@pytest.mark.slow
def test_pooled_interval_covers_the_mean_at_its_level():
    assert 0.93 <= np.mean([_covers(draw) for draw in range(1000)]) <= 0.97
