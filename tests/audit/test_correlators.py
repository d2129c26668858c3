"""How strong the dependence between columns is, compared with a reference."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skanomaly.audit import CorrelatorTest, dependence_noise_level
from skanomaly.audit._correlator_test import _correlators as correlators_of_draws
from skanomaly.audit._correlators import _correlators


def _counts(seed, n_rows):
    random = np.random.Generator(np.random.PCG64(seed))
    return random.poisson(random.gamma(2, size=(n_rows, 1)) * np.linspace(1, 3, 8)).astype(float)


@pytest.mark.parametrize(("order", "tolerance"), [(2, 0.02), (3, 0.05), (4, 0.1)])
@pytest.mark.parametrize("level", [0.0, 0.1, 0.3])
def test_fraction_of_replaced_cells_is_estimated(order, tolerance, level):
    random = np.random.Generator(np.random.PCG64(1))
    reference, X = _counts(2, 40_000), _counts(3, 40_000)
    others = np.column_stack([random.permutation(column) for column in X.T])
    X = np.where(random.random(X.shape) < level, others, X)
    assert dependence_noise_level(X, reference, order=order) == pytest.approx(level, abs=tolerance)


def test_correlators_equal_their_definition():
    rows = _counts(4, 30)[:, :5]
    centred = rows - rows.mean(axis=0)
    for order in (2, 3, 4):
        expected = [centred[:, list(places)].prod(axis=1).mean() for places in itertools.combinations(range(5), order)]
        np.testing.assert_allclose(_correlators(rows, order), expected, rtol=1e-10)


def test_shuffled_join_has_noise_level_near_one():
    random = np.random.Generator(np.random.PCG64(5))
    reference = _counts(6, 20_000)
    shuffled = np.column_stack([random.permutation(column) for column in reference.T])
    assert dependence_noise_level(shuffled, reference) > 0.85
    assert np.isnan(dependence_noise_level(reference, np.ones((50, 8))))


@pytest.mark.parametrize(
    ("arguments", "order", "message"),
    [
        ((np.ones((5, 2)), np.ones((5, 3))), 2, "2 columns and reference 3"),
        ((np.ones((5, 2)), np.ones((5, 2))), 3, "order=3 takes 3 to 100"),
        ((np.ones((5, 2)), np.ones((5, 2))), 5, "'order' parameter.*Got 5"),
        ((np.full((5, 2), np.nan), np.ones((5, 2))), 2, "column 0, in 5 rows"),
        ((np.ones(5), np.ones((5, 2))), 2, "X has one dimension"),
    ],
)
def test_bad_tables_raise(arguments, order, message):
    with pytest.raises(ValueError, match=message):
        dependence_noise_level(*arguments, order=order)


def test_tables_are_joined_by_the_names_of_their_columns():
    reference = pd.DataFrame(_counts(6, 500)).add_prefix("c")
    X = pd.DataFrame(_counts(7, 500)).add_prefix("c")
    turned = X[X.columns[::-1]].astype("Int64")
    assert dependence_noise_level(turned, reference, order=2) == dependence_noise_level(X, reference, order=2)


def _dependent(seed, n_rows, n_columns=5):
    random = np.random.Generator(np.random.PCG64(seed))
    return random.gamma(2, size=(n_rows, 1)) + random.gamma(1, size=(n_rows, n_columns)), random


def test_correlators_of_draws_equal_those_of_the_drawn_rows():
    rows, random = _dependent(0, 70)
    draws = np.column_stack([random.permutation(np.arange(70) < 30) for _ in range(4)])
    found = correlators_of_draws(rows, draws.astype(float), [2, 3, 4])
    for place, drawn in enumerate(draws.T):
        for group, members in enumerate((~drawn, drawn)):
            part = rows[members]
            part = (part - part.mean(axis=0)) / part.std(axis=0)
            for order in (2, 3, 4):
                np.testing.assert_allclose(found[group][order][:, place], _correlators(part, order), atol=1e-12)


@pytest.mark.parametrize("parameters", [{}, {"scale": "standardized", "orders": [2, 4]}])
def test_correlators_of_equal_samples_keep_the_level(parameters):
    pvalues = []
    for seed in range(100):
        rows, _ = _dependent(seed, 60)
        rows[:, 0] = rows[:, 0] > 3
        pvalues.append(CorrelatorTest(n_permutations=39, random_state=seed, **parameters).fit(rows).pvalue_)
    rejected = int((np.array(pvalues) <= 0.05).sum())
    assert rejected <= stats.binom.ppf(0.9999, 100, 0.05)


def test_changes_of_single_columns_are_no_other_dependence():
    for seed in range(3):
        rows, _ = _dependent(seed, 200)
        plain = CorrelatorTest(n_permutations=39, random_state=seed).fit(rows)
        rows[100:] = np.exp(3.0 * rows[100:]) + 5.0
        changed = CorrelatorTest(n_permutations=39, random_state=seed).fit(rows)
        assert (changed.pvalue_, changed.statistic_) == (plain.pvalue_, plain.statistic_)


def test_shuffled_column_is_named_while_no_column_changes():
    rows, random = _dependent(1, 2000)
    rows[1000:, 3] = random.permutation(rows[1000:, 3])
    test = CorrelatorTest(random_state=0).fit(rows)
    assert test.pvalue_ == 1 / 200
    assert test.column_changes_.argmax() == 3
    assert test.column_pvalues_[3] == 1 / 200
    assert stats.ks_2samp(rows[:1000, 3], rows[1000:, 3]).pvalue > 0.01


@pytest.mark.parametrize("scale", ["ranks", "standardized"])
def test_noise_level_of_the_test_is_the_fraction_of_replaced_cells(scale):
    reference, _ = _dependent(2, 20_000, 8)
    sample, random = _dependent(3, 20_000, 8)
    others = np.column_stack([random.permutation(column) for column in sample.T])
    sample = np.where(random.random(sample.shape) < 0.3, others, sample)
    test = CorrelatorTest(scale=scale, n_permutations=9, alpha=0.1, max_samples=None, random_state=0)
    assert test.fit_samples(reference, sample).noise_level_ == pytest.approx(0.3, abs=0.02)
    assert test.results_["mean_z"][0] < -10


def test_independent_columns_have_no_noise_level():
    rows = np.random.Generator(np.random.PCG64(4)).normal(size=(400, 6))
    assert np.isnan(CorrelatorTest(n_permutations=9, alpha=0.1, random_state=0).fit(rows).noise_level_)


def test_fitted_rows_are_left_out_of_their_own_score():
    rows, _ = _dependent(5, 12, 3)
    test = CorrelatorTest(scale="standardized", n_permutations=1, alpha=0.5, random_state=0).fit(rows)
    halves = [(half - half.mean(axis=0)) / half.std(axis=0) for half in (rows[:6], rows[6:])]
    values = (rows - rows[:6].mean(axis=0)) / rows[:6].std(axis=0)
    upper = np.triu_indices(3, 1)

    def products(part):
        return (part.T @ part / len(part))[upper]

    length = np.linalg.norm(products(halves[0]) - products(halves[1]))
    for row in range(12):
        group, place = divmod(row, 6)
        means = [products(half) for half in halves]
        means[group] = products(np.delete(halves[group], place, axis=0))
        expected = (means[0] - means[1]) @ np.outer(values[row], values[row])[upper] / length
        assert test.sample_scores_[row] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("n_columns", "orders", "message"),
    [
        (1, None, "1 feature"),
        (3, [4], "order 4 takes"),
        (21, [2, 4], "order 4 takes"),
        (3, [5], "orders="),
        (3, [], "orders="),
    ],
)
def test_orders_that_the_columns_do_not_allow_raise(n_columns, orders, message):
    with pytest.raises(ValueError, match=message):
        CorrelatorTest(orders=orders).fit(np.random.default_rng(0).normal(size=(20, n_columns)))


def test_wide_tables_are_compared_by_pairs():
    rows = np.random.default_rng(0).normal(size=(60, 60))
    assert CorrelatorTest(n_permutations=9, alpha=0.1, random_state=0).fit(rows).results_["order"].tolist() == [2]
