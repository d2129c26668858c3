"""Eigenvalues of covariance matrices, and the distributions they have without structure."""

import numpy as np
import pytest
from scipy import linalg, stats

from skanomaly.audit import (
    CovarianceSpectrumTest,
    hermite_eigenvalues,
    jacobi_eigenvalues,
    laguerre_eigenvalues,
    tracy_widom,
)


@pytest.mark.parametrize(
    ("beta", "mean", "deviation"), [(1, -1.2065, 1.2680), (2, -1.7711, 0.9018), (4, -2.0552, 0.6410)]
)
def test_tracy_widom_has_the_published_mean_and_standard_deviation(beta, mean, deviation):
    distribution = tracy_widom(beta)
    assert distribution.mean() == pytest.approx(mean, abs=1e-4)
    assert distribution.std() == pytest.approx(deviation, abs=1e-4)


def test_tracy_widom_quantiles_are_the_published_ones():
    distribution = tracy_widom(1)
    np.testing.assert_allclose(distribution.ppf([0.9, 0.95, 0.99]), [0.4501, 0.9793, 2.0234], atol=1e-4)
    np.testing.assert_allclose(distribution.cdf(distribution.ppf([0.01, 0.5, 0.999])), [0.01, 0.5, 0.999], atol=1e-5)
    np.testing.assert_array_equal(distribution.cdf([-20, 20]), [0, 1])
    with pytest.raises(ValueError, match=r"'beta' parameter.*Got 3"):
        tracy_widom(3)


def test_laguerre_eigenvalues_are_those_of_normal_tables():
    drawn = laguerre_eigenvalues(20, 200, size=2000, random_state=0)
    random = np.random.Generator(np.random.PCG64(1))
    dense = np.array([np.linalg.eigvalsh(table.T @ table) for table in random.normal(size=(500, 200, 20))])
    deviation = np.sqrt(2 * 20 * 200 / 2000)
    assert drawn.sum(axis=1).mean() == pytest.approx(4000, abs=4 * deviation)
    for place in (0, -1):
        assert stats.ks_2samp(drawn[:, place], dense[:, place]).pvalue > 1e-4


def test_largest_eigenvalues_come_from_the_leading_rows():
    whole = laguerre_eigenvalues(300, 600, size=200, random_state=0)[:, -1]
    leading = laguerre_eigenvalues(300, 600, size=200, n_top=1, random_state=1)[:, 0]
    assert stats.ks_2samp(whole, leading).pvalue > 1e-4
    edge = (hermite_eigenvalues(1000, size=1500, n_top=1, random_state=0)[:, 0] - 2 * np.sqrt(1000)) * 1000 ** (1 / 6)
    assert edge.mean() == pytest.approx(-1.771, abs=4 * 0.9 / np.sqrt(1500))
    assert edge.std() == pytest.approx(0.9018, rel=0.08)


def test_limit_of_the_largest_eigenvalue_is_too_large_at_twenty_columns():
    largest = laguerre_eigenvalues(20, 200, size=20_000, n_top=1, random_state=0)[:, 0]
    root = np.sqrt(199) + np.sqrt(20)
    scaled = (largest - root**2) / (root * (1 / np.sqrt(199) + 1 / np.sqrt(20)) ** (1 / 3))
    assert scaled.mean() == pytest.approx(-1.301, abs=0.04)
    assert np.quantile(scaled, 0.95) == pytest.approx(0.863, abs=0.08)
    assert np.quantile(scaled, 0.95) < tracy_widom(1).ppf(0.95)


def test_hermite_eigenvalues_are_those_of_symmetric_normal_matrices():
    random = np.random.Generator(np.random.PCG64(2))
    entries = random.normal(size=(1500, 6, 6))
    dense = np.linalg.eigvalsh((entries + entries.transpose(0, 2, 1)) / np.sqrt(2))
    drawn = hermite_eigenvalues(6, beta=1, size=1500, random_state=0)
    for place in (0, 3, 5):
        assert stats.ks_2samp(drawn[:, place], dense[:, place]).pvalue > 1e-4


def test_jacobi_eigenvalues_compare_two_scatter_matrices():
    random = np.random.Generator(np.random.PCG64(3))
    dense = []
    for _ in range(600):
        first, second = random.normal(size=(20, 6)), random.normal(size=(30, 6))
        dense.append(linalg.eigvalsh(first.T @ first, first.T @ first + second.T @ second))
    drawn = jacobi_eigenvalues(6, 7.5, 12.5, size=1500, random_state=0)
    for place in range(6):
        assert stats.ks_2samp(drawn[:, place], np.array(dense)[:, place]).pvalue > 1e-4
    assert (
        stats.kstest(jacobi_eigenvalues(1, 2, 3, size=1000, random_state=0)[:, 0], stats.beta(2, 3).cdf).pvalue > 1e-4
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: laguerre_eigenvalues(5, 4), "n_samples=4"),
        (lambda: hermite_eigenvalues(0), "'n' parameter.*Got 0"),
        (lambda: hermite_eigenvalues(5, beta=0), "'beta' parameter.*Got 0"),
        (lambda: hermite_eigenvalues(5, n_top=6), "n_top=6"),
        (lambda: jacobi_eigenvalues(5, 0, 1), "'a' parameter.*Got 0"),
    ],
)
def test_bad_sizes_raise(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("statistic", ["largest_share", "sphericity", "log_determinant"])
@pytest.mark.parametrize("null", ["permutation", "gaussian"])
def test_pvalues_keep_the_level(statistic, null):
    rejected = 0
    for seed in range(80):
        rows = np.random.Generator(np.random.PCG64(seed)).normal(size=(40, 6))
        test = CovarianceSpectrumTest(statistic=statistic, null=null, n_draws=39, random_state=seed)
        rejected += test.fit(rows).pvalue_ <= 0.05
    assert rejected <= stats.binom.ppf(0.9999, 80, 0.05)


def test_permutations_keep_the_level_with_heavy_tails_and_ties():
    rejected = 0
    for seed in range(60):
        random = np.random.Generator(np.random.PCG64(seed))
        rows = np.column_stack([random.standard_t(2, size=(50, 3)), random.poisson(0.5, size=(50, 3))])
        rejected += CovarianceSpectrumTest(n_draws=39, random_state=seed).fit(rows).pvalue_ <= 0.05
    assert rejected <= stats.binom.ppf(0.9999, 60, 0.05)


@pytest.mark.parametrize("null", ["permutation", "gaussian"])
@pytest.mark.parametrize(("n_rows", "n_columns"), [(300, 10), (40, 60)])
def test_components_are_counted(null, n_rows, n_columns):
    random = np.random.Generator(np.random.PCG64(4))
    rows = random.normal(size=(n_rows, n_columns))
    directions = np.linalg.qr(random.normal(size=(n_columns, 2)))[0].T
    rows += random.normal(size=(n_rows, 2)) @ (np.array([[6.0], [4.5]]) * directions)
    test = CovarianceSpectrumTest(null=null, n_draws=199, alpha=0.01, random_state=0).fit(rows)
    assert test.n_components_ == 2
    assert test.components_.shape == (2, n_columns)
    assert test.eigenvalues_.size == min(n_columns, n_rows - 1)


def test_columns_in_other_units_are_no_structure_for_permutations():
    rows = np.random.Generator(np.random.PCG64(5)).normal(size=(200, 5)) * [1, 10, 100, 1e3, 1e4]
    assert CovarianceSpectrumTest(n_draws=99, random_state=0).fit(rows).pvalue_ > 0.05
    assert CovarianceSpectrumTest(null="gaussian", n_draws=99, random_state=0).fit(rows).pvalue_ == 0.01


def test_constant_tables_have_no_structure():
    test = CovarianceSpectrumTest(n_draws=19, random_state=0).fit(np.ones((30, 3)))
    assert (test.pvalue_, test.n_components_) == (1.0, 0)
