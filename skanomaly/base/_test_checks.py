"""Properties of statistical tests alone."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.base import clone

from skanomaly.base._asserting import Check, assert_close, assert_same, holds
from skanomaly.base._samples import samples_for
from skanomaly.base._shared_checks import scoring_checks, shared_checks

__all__ = ["statistical_checks"]

_N_TABLES = 12


def statistical_checks(test: Any) -> Iterator[Check]:
    """Yield the checks that apply to `test`; each takes an unfitted test."""
    yield check_pvalue
    yield from scoring_checks(test)
    yield check_row_pvalues
    if hasattr(type(test), "predict"):
        yield check_predict
    if hasattr(test, "fit_samples"):
        yield check_fit_samples
    yield check_level
    yield from shared_checks(test)


@holds
def check_pvalue(test: Any) -> None:
    """``statistic_`` is a finite number and ``pvalue_`` one number in (0, 1]."""
    test = test.fit(samples_for(test).X)
    for name in ("statistic_", "pvalue_"):
        value = getattr(test, name)
        assert isinstance(value, float), f"Found: {name} is {type(value).__name__}, not float."
    assert np.isfinite(test.statistic_), f"Found: statistic_ is {test.statistic_}."
    assert 0 < test.pvalue_ <= 1, f"Found: pvalue_ is {test.pvalue_}."


@holds
def check_row_pvalues(test: Any) -> None:
    """``sample_scores_`` has a score for each fitted row: where rows have p-values, their decimal logarithm."""
    X = samples_for(test).X
    test = test.fit(X)
    scores = test.sample_scores_
    assert scores.shape == (len(X),), f"Found: sample_scores_ has shape {scores.shape} for {len(X)} rows."
    if not hasattr(test, "sample_pvalues_"):
        return
    pvalues = test.sample_pvalues_
    outside = int((~((pvalues > 0) & (pvalues <= 1))).sum())
    assert not outside, f"Found: {outside} p-values of rows are not in (0, 1]."
    assert_close(scores, np.log10(pvalues), "sample_scores_, compared with log10 of sample_pvalues_")


@holds
def check_predict(test: Any) -> None:
    """Lower scores are more anomalous: ``predict`` is -1 exactly below a threshold on ``score_samples``."""
    X = np.concatenate([samples_for(test).X, samples_for(test).X[:5] + 40.0])
    test = test.fit(samples_for(test).X)
    if not hasattr(test, "predict"):
        return
    scores, labels = test.score_samples(X), test.predict(X)
    assert set(np.unique(labels)) <= {-1, 1}, f"Found: the labels are {np.unique(labels)}."
    if hasattr(test, "pvalue_threshold_"):
        expected = np.where(10.0**scores <= test.pvalue_threshold_ * (1 + 1e-9), -1, 1)
    else:
        expected = np.where(scores < test.offset_, -1, 1)
    assert_same(labels, expected, "predict")


@holds
def check_fit_samples(test: Any) -> None:
    """``fit_samples(A, B)`` is ``fit`` on both, stacked, with groups 0 and 1."""
    samples = samples_for(test)
    first, second = samples.X[:70], samples.X[70:]
    expected = clone(test).fit(samples.X, groups=np.repeat([0, 1], [len(first), len(second)]))
    found = clone(test).fit_samples(first, second)
    for name in ("statistic_", "pvalue_", "sample_scores_"):
        assert_same(getattr(found, name), getattr(expected, name), name)


@holds
def check_level(test: Any) -> None:
    """On independent rows of one distribution, p-values of at most 0.05 are rare."""
    random = np.random.Generator(np.random.PCG64(20260104))
    low = sum(clone(test).fit(random.normal(size=(60, 3))).pvalue_ <= 0.05 for _ in range(_N_TABLES))
    # Six or more of twelve have a probability below 2e-5 at a level of 0.05.
    assert low < 6, f"Found: {low} of {_N_TABLES} tables have such a p-value."
