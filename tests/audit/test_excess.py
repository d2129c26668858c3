"""Counts above what is expected, and searches in a window."""

import numpy as np
import pytest
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from skanomaly.audit import WindowExcessSearch, count_significance


@pytest.mark.parametrize(
    ("counts", "expected"), [((50, 30, 0), 3.329), ((50, 30, 3), 2.855), ((75, 34.45, 4.18), 4.617)]
)
def test_significances_are_the_published_ones(counts, expected):
    assert count_significance(*counts) == pytest.approx(expected, abs=5e-4)


def test_significance_has_the_sign_of_the_excess_and_one_limit():
    assert count_significance(30, 30, 3) == 0.0
    assert count_significance(0, 9, 2) < count_significance(5, 9, 2) < 0 < count_significance(12, 9, 2)
    assert count_significance(50, 30, 1e-2) == pytest.approx(count_significance(50, 30, 0), rel=1e-4)
    with pytest.raises(ValueError, match=r"'expected' parameter.*Got 0"):
        count_significance(5, 0)
    with pytest.raises(ValueError, match=r"'observed' parameter.*Got -1"):
        count_significance(-1, 3)


def _table(seed, n_rows, n_group):
    random = np.random.Generator(np.random.PCG64(seed))
    X, amount = random.normal(size=(n_rows + n_group, 4)), random.uniform(0, 10, size=n_rows + n_group)
    X[n_rows:] = [2, 2, 1.5, 0] + 0.4 * random.normal(size=(n_group, 4))
    amount[n_rows:] = random.normal(5, 0.15, size=n_group)
    return X, amount


def _search(seed, n_rows, n_group, **parameters):
    X, amount = _table(seed, n_rows, n_group)
    parameters = {"limits": (4.6, 5.4), "fractions": (0.01,), "random_state": seed, **parameters}
    return WindowExcessSearch(**parameters).fit(X, locations=amount)


def test_significance_without_an_excess_is_near_zero():
    z = [_search(seed, 4000, 0).z_[0] for seed in range(10)]
    assert abs(np.mean(z)) < 0.8


def test_group_that_the_counts_of_the_window_do_not_show_is_found():
    found = [_search(seed, 15_000, 80) for seed in range(4)]
    assert np.mean([search.z_[0] for search in found]) > 4.5
    for search in found:
        X, amount = _table(search.random_state, 15_000, 80)
        inside = (amount[:15_000] >= 4.6) & (amount[:15_000] < 5.4)
        assert 80 / np.sqrt(inside.sum()) < 2.5
        assert search.score_samples(X[15_000:]).mean() < search.score_samples(X[:15_000]).mean()


@pytest.mark.parametrize("template", ["sides", "regression"])
def test_pvalues_keep_the_level(template):
    rejected = 0
    for seed in range(40):
        X = np.random.Generator(np.random.PCG64(seed)).normal(size=(200, 3))
        search = WindowExcessSearch(LogisticRegression(), template=template, cv=3, random_state=seed)
        rejected += search.fit(X).pvalue_ <= 0.05
    assert rejected <= stats.binom.ppf(0.9999, 40, 0.05)


def test_regression_moves_columns_that_follow_the_location():
    random = np.random.Generator(np.random.PCG64(0))
    amount = random.uniform(0, 10, size=4000)
    X = random.normal(size=(4000, 2)) * (1 + 0.1 * amount)[:, None] + 0.8 * amount[:, None]
    wrong, right = (
        WindowExcessSearch(limits=(9, 10), template=template, fractions=(0.1,), random_state=0).fit(X, locations=amount)
        for template in ("sides", "regression")
    )
    assert wrong.null_z_[0] > 5
    assert wrong.z_[0] > 5
    assert abs(right.z_[0]) < 3
    assert abs(right.null_z_[0]) < 3


def test_systematic_uncertainty_lowers_the_significance():
    plain, careful = (_search(0, 4000, 80, systematic=systematic) for systematic in (0.0, 0.5))
    assert careful.z_[0] < plain.z_[0]
    assert careful.expected_[0] == plain.expected_[0]
    assert careful.pvalue_ > plain.pvalue_


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"limits": (5, 4)}, "limits="),
        ({"limits": (50, 60)}, "0 rows are in the window"),
        ({"side_limits": (4.6, 5.4)}, "0 beside it"),
        ({"fractions": (0.7,)}, "fractions="),
    ],
)
def test_bad_windows_raise(parameters, message):
    with pytest.raises(ValueError, match=message):
        _search(0, 100, 0, **parameters)


def test_bad_locations_raise():
    X = np.zeros((50, 2))
    with pytest.raises(ValueError, match="49 values for 50 rows"):
        WindowExcessSearch().fit(X, locations=np.zeros(49))
    with pytest.raises(ValueError, match="1 missing or infinite"):
        WindowExcessSearch().fit(X, locations=np.r_[np.zeros(49), np.nan])


def _few_rows(seed, n_columns, shift, n_rows=48):
    X, places = np.random.default_rng(seed).normal(size=(n_rows, n_columns)), np.arange(n_rows)
    X[(places >= 0.4 * n_rows) & (places < 0.6 * n_rows)] += shift
    return X


def test_trees_find_an_excess_among_few_rows_of_many_columns(seed):
    scores = WindowExcessSearch(cv=3, random_state=seed).fit(_few_rows(seed, 60, 5.0)).sample_scores_
    assert np.median(scores[20:28]) < np.median(np.delete(scores, slice(19, 29))) - 5


def test_a_classifier_that_does_not_split_few_rows_is_named(seed):
    words = "48 rows of 30 columns are too few for HistGradientBoosting.*no difference can be found.*another estimator"
    with pytest.warns(UserWarning, match=words):
        WindowExcessSearch(HistGradientBoostingClassifier(), random_state=0).fit(_few_rows(seed, 30, 5.0))


def test_windows_of_too_few_rows_for_any_evidence_are_told_beforehand(seed):
    with pytest.warns(UserWarning, match=r"cannot be below 0.074: 3 rows .* and 12 beside it. Give more rows"):
        WindowExcessSearch(random_state=0).fit(_few_rows(seed, 3, 5.0, n_rows=15))
    WindowExcessSearch(random_state=0).fit(_few_rows(seed, 3, 0.0))


def test_rows_that_are_all_equal_have_no_difference_to_find():
    assert WindowExcessSearch(random_state=0).fit(np.ones((48, 30))).pvalue_ == 1.0
