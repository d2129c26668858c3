import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from skanomaly.threshold import DensityRatioFraction, ElkanNotoFraction

METHODS = [ElkanNotoFraction, DensityRatioFraction]


def _planted(seed, n=600, n_anomalies=60, gap=6.0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 2))
    X[:n_anomalies] += gap * random.uniform(0.7, 1.3, size=(n_anomalies, 1))
    return X, n_anomalies, random


def _confirmed(n, rows):
    y = np.zeros(n)
    y[rows] = -1
    return y


def _method(method, **parameters):
    return method(classifier=LogisticRegression(), random_state=0, **parameters)


@pytest.mark.parametrize("method", METHODS)
def test_separable_anomalies_confirmed_at_random_give_the_fraction(seed, method):
    X, n_anomalies, random = _planted(seed)
    y = _confirmed(len(X), random.choice(n_anomalies, 30, replace=False))
    assert 0.07 < _method(method).estimate(X, y) < 0.16


@pytest.mark.parametrize("method", METHODS)
def test_anomalies_confirmed_from_the_top_are_underestimated(seed, method):
    X, n_anomalies, random = _planted(seed)
    top = np.argsort(-X[:n_anomalies].sum(axis=1))[:30]
    at_random = random.choice(n_anomalies, 30, replace=False)
    biased, fair = (_method(method).estimate(X, _confirmed(len(X), rows)) for rows in (top, at_random))
    assert biased < fair
    assert biased < 0.09


@pytest.mark.parametrize("method", METHODS)
def test_estimate_is_at_least_the_confirmed_fraction(seed, method):
    X = np.random.default_rng(seed).normal(size=(100, 2))
    y = _confirmed(100, np.arange(40))
    assert 0.4 <= _method(method).estimate(X, y) <= 1.0


@pytest.mark.parametrize("method", METHODS)
def test_default_classifier_is_reproducible_and_the_object_clones(seed, method):
    X, n_anomalies, random = _planted(seed, n=200, n_anomalies=30)
    y = _confirmed(200, random.choice(n_anomalies, 15, replace=False))
    first = method(random_state=3)
    assert first.estimate(X, y) == clone(first).estimate(X, np.where(y == 0, np.nan, y))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.repeat([-1, 1, 0], [5, 5, 40]), "labels 5 rows normal"),
        (np.repeat([-1, 0], [3, 47]), r"3 confirmed anomalies \(-1\); cv=5"),
        (np.repeat([-1, 0], [47, 3]), r"3 rows that are not labelled \(0\); cv=5"),
    ],
)
def test_labels_that_do_not_suffice_raise(method, y, words):
    with pytest.raises(ValueError, match=words):
        method().estimate(np.zeros((50, 2)), y)


def test_scores_in_one_dimension_raise():
    with pytest.raises(ValueError, match=r"scores\[:, None\]"):
        ElkanNotoFraction().estimate(np.zeros(50), np.repeat([-1, 0], 25))
