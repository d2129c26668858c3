"""Two samples compared column by column."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skanomaly.audit import ColumnDriftTest, EnergyTest, KernelTest
from skanomaly.audit._columns._cells import column_cells, merge_cells
from skanomaly.audit._columns._null import category_pvalue, number_pvalue, number_statistic, weighted_chi2_sf

KINDS = ["anderson_darling", "cramer_von_mises", "kolmogorov_smirnov"]


def _mixed(seed, n_rows):
    random = np.random.Generator(np.random.PCG64(seed))
    rows = np.column_stack(
        [
            random.normal(size=n_rows),
            random.poisson(1, n_rows),
            random.random(n_rows) < 0.3,
            np.where(random.random(n_rows) < 0.8, 0, random.normal(size=n_rows)),
            random.gamma(2, size=n_rows),
        ]
    )
    rows[random.random(n_rows) < 0.1, 4] = np.nan
    return rows


def _reference_statistic(first, second, kind):
    """Compute the statistic from its definition, value by value."""
    pooled = np.r_[first, second]
    values = np.unique(pooled)
    total = 0.0
    largest = 0.0
    for low, high in pairwise(values):
        gap = (first <= low).mean() - (second <= low).mean()
        largest = max(largest, abs(gap))
        weight = ((pooled == low).mean() + (pooled == high).mean()) / 2
        if kind == "anderson_darling":
            weight /= (pooled <= low).mean() * (pooled > low).mean()
        total += weight * gap**2
    rate = first.size * second.size / pooled.size
    return largest if kind == "kolmogorov_smirnov" else rate * total


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("column", [0, 1, 2, 3])
def test_statistic_equals_its_definition(kind, column):
    rows = _mixed(0, 90)[:, column]
    test = ColumnDriftTest(number_statistic=kind, n_resamples=1, random_state=0)
    test.fit_samples(rows[:40, None], rows[40:, None])
    assert test.results_["statistic"][0] == pytest.approx(_reference_statistic(rows[:40], rows[40:], kind), rel=1e-12)


def test_statistics_without_ties_agree_with_scipy():
    random = np.random.Generator(np.random.PCG64(1))
    first, second = random.normal(size=300), random.normal(0.1, size=500)
    cells = column_cells(np.r_[first, second], np.repeat([0, 1], [300, 500]))
    found = {kind: float(number_statistic(cells.masses, cells.pooled, cells.rate, kind)) for kind in KINDS}
    assert found["kolmogorov_smirnov"] == pytest.approx(stats.ks_2samp(first, second).statistic, rel=1e-12)
    # SciPy's adds terms that vanish with the number of rows.
    assert found["cramer_von_mises"] == pytest.approx(stats.cramervonmises_2samp(first, second).statistic, abs=0.01)
    pvalue = number_pvalue(cells, found["cramer_von_mises"], "cramer_von_mises", random)
    assert pvalue == pytest.approx(stats.cramervonmises_2samp(first, second, method="asymptotic").pvalue, abs=0.02)


@pytest.mark.parametrize("weights", [[1.0, 0.5], [1.0, 0.9, 0.1], 1 / np.arange(1, 60) ** 2.0])
def test_tail_of_weighted_chi_squares_agrees_with_simulation(weights):
    weights = np.asarray(weights)
    random = np.random.Generator(np.random.PCG64(0))
    draws = (random.standard_normal((100_000, weights.size)) ** 2) @ weights
    for level in (0.5, 0.05, 0.005):
        assert weighted_chi2_sf(float(np.quantile(draws, 1 - level)), weights) == pytest.approx(level, rel=0.12)


def test_far_tail_of_anderson_darling_keeps_its_rate():
    weights = 1.0 / (np.arange(1, 200) * np.arange(2, 201.0))
    for value in (20.0, 50.0, 200.0):
        # The largest weight is 1/2; the others contribute the square root of 3.
        first_term = np.sqrt(3) * stats.chi2.sf(2 * value, 1)
        assert weighted_chi2_sf(value, weights) == pytest.approx(first_term, rel=0.2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_rows", [25, 100, 400])
def test_columns_of_equal_samples_keep_the_level(kind, n_rows):
    pvalues = [
        ColumnDriftTest(number_statistic=kind, n_resamples=1, n_permutations=199, random_state=seed)
        .fit(_mixed(seed, 2 * n_rows))
        .results_["pvalue"]
        for seed in range(60)
    ]
    for level in (0.05, 0.01):
        found = int((np.concatenate(pvalues) <= level).sum())
        assert found <= stats.binom.ppf(0.9999, 300, level)


def test_false_discovery_rate_over_many_columns_is_held():
    random = np.random.Generator(np.random.PCG64(3))
    fractions = []
    for seed in range(15):
        rows = random.normal(size=(200, 50))
        rows[100:, :10] += 0.9
        drifted = ColumnDriftTest(n_resamples=1, alpha=0.1, random_state=seed).fit(rows).drifted_
        fractions.append(np.mean(drifted >= 10) if drifted.size else 0.0)
    assert np.mean(fractions) <= 0.1 * 0.8 + 3 * np.std(fractions) / np.sqrt(len(fractions))


def test_one_changed_column_of_thirty_one_is_named():
    random = np.random.Generator(np.random.PCG64(4))
    names = [f"c{place}" for place in range(31)]
    january = pd.DataFrame(random.gamma(2, size=(5000, 31)), columns=names)
    february = pd.DataFrame(random.gamma(2, size=(5000, 31)), columns=names)
    february["c7"] *= 1.3
    test = ColumnDriftTest(alpha=0.001, n_resamples=20, random_state=0).fit_samples(january, february)
    assert test.drifted_.tolist() == ["c7"]
    assert test.results_["pvalue"][7] < 1e-10
    assert test.results_["psi_low"][7] > 0.02


def test_categories_report_new_and_vanished_ones():
    first = pd.DataFrame({"shop": ["a"] * 50 + ["b"] * 50})
    second = pd.DataFrame({"shop": ["a"] * 50 + ["c"] * 50})
    results = ColumnDriftTest(random_state=0).fit_samples(first, second).results_
    assert (results["n_new"][0], results["n_vanished"][0]) == (1, 1)
    assert results["effect"][0] == pytest.approx(0.5)
    assert np.isnan(results["wasserstein"][0])


def test_missing_values_alone_are_drift():
    rows = np.random.Generator(np.random.PCG64(5)).normal(size=(400, 2))
    rows[200:260, 1] = np.nan
    test = ColumnDriftTest(random_state=0).fit(rows)
    assert test.drifted_.tolist() == [1]
    assert test.results_["value_pvalue"][1] > 0.01 > test.results_["missing_pvalue"][1]
    assert test.results_["missing_sample"][1] == pytest.approx(0.3)
    assert test.results_["effect"][1] >= 0.3


def test_smallest_effect_keeps_negligible_differences_silent():
    random = np.random.Generator(np.random.PCG64(6))
    first, second = random.normal(size=(20_000, 1)), random.normal(0.08, size=(20_000, 1))
    assert ColumnDriftTest(n_resamples=5, random_state=0).fit_samples(first, second).drifted_.size == 1
    assert ColumnDriftTest(n_resamples=5, min_effect=0.1, random_state=0).fit_samples(first, second).drifted_.size == 0


def test_strata_remove_a_difference_of_mixture():
    random = np.random.Generator(np.random.PCG64(7))
    strata = np.r_[random.random(400) < 0.2, random.random(400) < 0.8].astype(int)
    rows = (random.normal(size=800) + 2 * strata)[:, None]
    groups = np.repeat([0, 1], 400)
    plain = ColumnDriftTest(n_permutations=199, random_state=0).fit(rows, groups=groups)
    stratified = ColumnDriftTest(n_permutations=199, random_state=0).fit(rows, groups=groups, strata=strata)
    assert plain.pvalue_ < 1e-6
    assert stratified.pvalue_ > 0.02
    shifted = ColumnDriftTest(n_permutations=199, random_state=0).fit(
        rows + groups[:, None], groups=groups, strata=strata
    )
    assert shifted.pvalue_ <= 0.01


def test_strata_of_one_sample_are_left_out_with_a_warning():
    rows = np.random.Generator(np.random.PCG64(8)).normal(size=(60, 1))
    strata = np.r_[np.zeros(50), np.ones(10)]
    with pytest.warns(UserWarning, match="10 rows are in strata of one sample only"):
        ColumnDriftTest(n_permutations=19, random_state=0).fit(rows, groups=np.arange(60) >= 30, strata=strata)
    with pytest.raises(ValueError, match="No stratum has rows of both samples"):
        ColumnDriftTest().fit(rows, groups=np.arange(60) >= 30, strata=np.arange(60) >= 30)


def test_weights_balance_the_samples():
    random = np.random.Generator(np.random.PCG64(9))
    strata = np.r_[random.random(1500) < 0.2, random.random(1500) < 0.8]
    rows = (random.normal(size=3000) + strata)[:, None]
    weights = np.where(strata, np.repeat([0.5 / 0.2, 0.5 / 0.8], 1500), np.repeat([0.5 / 0.8, 0.5 / 0.2], 1500))
    groups = np.repeat([0, 1], 1500)
    assert ColumnDriftTest(random_state=0).fit(rows, groups=groups).pvalue_ < 1e-6
    assert ColumnDriftTest(random_state=0).fit(rows, groups=groups, row_weights=weights).pvalue_ > 0.02


def test_merged_cells_keep_ties_and_totals():
    column = np.r_[np.zeros(500), np.random.Generator(np.random.PCG64(10)).normal(size=1500)]
    cells = column_cells(column, np.arange(2000) % 2)
    merged = merge_cells(cells, 50)
    assert merged.levels.size <= 60
    assert (merged.counts.sum(axis=0) == cells.counts.sum(axis=0)).all()
    assert merged.pooled.max() == pytest.approx(0.25)


def test_rare_categories_keep_the_level():
    random = np.random.Generator(np.random.PCG64(11))
    frequencies = np.r_[0.5, np.full(50, 0.01)]
    reached = 0
    for _ in range(200):
        draws = random.choice(51, size=(2, 60), p=frequencies)
        counts = np.stack([np.bincount(draw, minlength=51) for draw in draws], axis=1).astype(float)
        reached += category_pvalue(counts, "chi_square", 99, random) <= 0.05
    assert reached <= stats.binom.ppf(0.9999, 200, 0.05)


def test_intervals_of_the_effect_cover_it():
    truth = float(stats.norm.cdf(0.25) - stats.norm.cdf(-0.25))
    random = np.random.Generator(np.random.PCG64(12))
    covered = 0
    for seed in range(100):
        test = ColumnDriftTest(random_state=seed).fit_samples(
            random.normal(size=(400, 1)), random.normal(0.5, size=(400, 1))
        )
        covered += test.results_["effect_low"][0] <= truth <= test.results_["effect_high"][0]
    assert stats.binom.ppf(0.0001, 100, 0.85) <= covered


@pytest.mark.parametrize("cls", [EnergyTest, KernelTest])
def test_pairwise_tests_keep_the_level_and_find_a_scale(cls):
    rejected = 0
    for seed in range(100):
        rows = np.random.Generator(np.random.PCG64(seed)).normal(size=(40, 3))
        rejected += cls(n_permutations=39, random_state=seed).fit(rows).pvalue_ <= 0.05
    assert rejected <= stats.binom.ppf(0.9999, 100, 0.05)
    rows = np.random.Generator(np.random.PCG64(0)).normal(size=(400, 3))
    rows[200:] *= 1.5
    assert cls(n_permutations=199, random_state=0).fit(rows).pvalue_ == 1 / 200


def test_energy_distance_equals_its_definition():
    first, second = np.random.Generator(np.random.PCG64(1)).normal(size=(2, 25, 2))
    test = EnergyTest(metric="euclidean", n_permutations=1, alpha=0.5, random_state=0).fit_samples(first, second)
    mean = [[np.mean([np.linalg.norm(a - b) for a in x for b in y]) for y in (first, second)] for x in (first, second)]
    assert test.statistic_ == pytest.approx((2 * mean[0][1] - mean[0][0] - mean[1][1]) * 25 * 25 / 50)


@pytest.mark.parametrize("cls", [EnergyTest, KernelTest])
def test_pairwise_tests_draw_rows_of_both_samples(cls):
    rows = np.random.Generator(np.random.PCG64(2)).normal(size=(500, 2))
    test = cls(max_samples=50, n_permutations=9, alpha=0.1, random_state=0).fit(rows, groups=np.arange(500) >= 490)
    assert test.n_compared_ == 51
    assert test.score_samples(rows).shape == (500,)


@pytest.mark.parametrize("value", [1.7e308, -1e160, 9.96921e36])
def test_effects_beside_a_huge_value_are_finite_and_the_other_columns_keep_theirs(seed, value):
    first, second = np.random.default_rng(seed).normal(size=(2, 150, 2))
    test = ColumnDriftTest(n_resamples=20, random_state=0)
    plain = test.fit_samples(first, second + np.array([0, 1])).results_
    first[3, 0] = value
    found = test.fit_samples(first, second + np.array([0, 1])).results_
    for name in ("effect", "psi", "pvalue"):
        assert found[name][1] == plain[name][1]
        assert np.isfinite(found[name]).all()
