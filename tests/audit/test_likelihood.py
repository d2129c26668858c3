"""Two samples compared by the likelihood ratio of a kernel classifier."""

import numpy as np
import pytest
from scipy import stats

from skanomaly.audit import NPLMTest


def _samples(seed, n_local=0):
    random = np.random.Generator(np.random.PCG64(seed))
    reference, sample = random.normal(size=(1000, 3)), random.normal(size=(300, 3))
    sample[:n_local] = 1.8 + 0.2 * sample[:n_local]
    return reference, sample


def test_pvalues_keep_the_level_and_are_uniform():
    pvalues = []
    for seed in range(60):
        rows = np.random.Generator(np.random.PCG64(seed)).normal(size=(80, 2))
        pvalues.append(NPLMTest(n_centers=15, n_permutations=39, random_state=seed).fit(rows).pvalue_)
    assert (np.array(pvalues) <= 0.05).sum() <= stats.binom.ppf(0.9999, 60, 0.05)
    assert stats.kstest(pvalues, "uniform").pvalue > 0.001


def test_local_group_is_found_and_located():
    found = 0
    for seed in range(4):
        reference, sample = _samples(seed, n_local=24)
        test = NPLMTest(n_permutations=19, random_state=seed).fit_samples(reference, sample)
        found += test.pvalue_ <= 0.05
        scores = test.sample_scores_[1000:]
        assert scores[:24].mean() < scores[24:].mean()
    assert found >= 3


def test_permuted_statistics_are_nearly_chi_square():
    test = NPLMTest(n_centers=50, n_permutations=60, random_state=0).fit_samples(*_samples(0))
    assert test.null_fit_pvalue_ > 0.001
    assert test.degrees_of_freedom_ == pytest.approx(test.null_statistics_.mean())
    same = NPLMTest(n_centers=50, n_permutations=60, null="chi_square", random_state=0).fit_samples(*_samples(0))
    assert same.pvalue_ == pytest.approx(stats.chi2.sf(test.statistic_, test.degrees_of_freedom_))


def test_rows_are_left_out_of_their_own_score():
    rows = np.random.Generator(np.random.PCG64(1)).normal(size=(60, 2))
    groups = np.arange(60) % 2
    test = NPLMTest(n_centers=60, ridge=1e-3, n_permutations=1, alpha=0.5, random_state=0).fit(rows, groups=groups)
    own = test.score_samples(rows)
    sign = np.where(groups == 1, 1, -1)
    assert (sign * (test.sample_scores_ - own) > 0).all()


def test_monitor_names_the_batch_that_changed():
    reference, sample = _samples(2)
    test = NPLMTest(n_centers=30, n_permutations=19, random_state=0).fit_samples(reference, sample)
    pvalues = test.monitor([sample[:150], sample[150:] + 1.0])
    assert pvalues[1] == 0.05
    assert pvalues[0] > 0.05
