import weakref

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly._support._refits import balanced_subsets, clone_with_seed, fit_subsets
from skanomaly._support._seeds import generator


class _Counted(ClassifierMixin, BaseEstimator):
    """Knows how many of its kind are alive."""

    alive = weakref.WeakSet()

    def fit(self, X, y=None):
        self.alive.add(self)
        self.mean_ = X.mean(axis=0)
        return self


def _mean(fitted, place):
    return place, len(_Counted.alive), fitted.mean_


def _importances(fitted, place):
    return fitted.feature_importances_


def test_fit_subsets_returns_results_in_order():
    X = np.arange(12.0).reshape(6, 2)
    subsets = [np.array([0, 1]), np.arange(6) > 3]
    found = fit_subsets(_Counted(), X, None, subsets, _mean)
    assert [place for place, _, _ in found] == [0, 1]
    assert_array_equal(np.stack([mean for _, _, mean in found]), [[1, 2], [9, 10]])


def test_fit_subsets_keeps_no_more_models_than_workers():
    X = np.arange(40.0).reshape(20, 2)
    found = fit_subsets(_Counted(), X, np.arange(20), [np.arange(20)] * 30, _mean, n_jobs=2)
    assert max(alive for _, alive, _ in found) <= 4


@pytest.mark.parametrize("n_jobs", [2, 3])
def test_fit_subsets_gives_the_same_bits_for_any_number_of_workers(n_jobs):
    X = np.random.default_rng(0).normal(size=(60, 3))
    y = X[:, 0] > 0
    subsets = list(balanced_subsets(60, 6, generator(0), y))
    forest = make_pipeline(StandardScaler(), RandomForestClassifier(3))[-1]
    one, many = (fit_subsets(forest, X, y, subsets, _importances, seeds=range(6), n_jobs=n) for n in (1, n_jobs))
    assert_array_equal(one, many)


def test_clone_with_seed_keeps_a_given_seed_and_reaches_nested_estimators():
    seeded = clone_with_seed(make_pipeline(StandardScaler(), RandomForestClassifier()), 7)
    assert seeded[-1].random_state == 7
    assert clone_with_seed(RandomForestClassifier(random_state=3), 7).random_state == 3


def test_balanced_subsets_have_each_row_in_half_and_half_of_each_stratum(seed):
    strata = np.repeat([0, 1, 2], [3, 10, 24])
    members = balanced_subsets(37, 8, generator(seed), strata)
    assert_array_equal(members.sum(axis=0), 4)
    for value, count in enumerate((3, 10, 24)):
        inside = members[:, strata == value].sum(axis=1)
        assert set(inside) <= {count // 2, -(-count // 2)}
