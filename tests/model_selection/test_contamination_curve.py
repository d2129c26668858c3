from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor

from skanomaly.datasets import make_clusters
from skanomaly.model_selection import FewShotSplit, contaminate, contamination_curve
from tests.model_selection.toys import Column
from tests.reference import protocols as reference


def _labels(seed, n=400):
    return np.random.default_rng(seed).choice([-1, 0, 1], p=[0.3, 0.1, 0.6], size=n)


@pytest.mark.parametrize(("ratio", "n_normal"), [(0.0, None), (0.1, None), (0.4, 60)])
def test_contaminate_matches_the_definition(ratio, n_normal, seed):
    y = _labels(seed)
    train, test = contaminate(y, ratio, n_normal=n_normal, random_state=seed)
    expected = reference.contaminated(y, ratio, 0.5, n_normal, seed)
    assert (train.tolist(), test.tolist()) == expected
    assert (y[train] == -1).mean() == pytest.approx(ratio, abs=0.01)


def test_test_rows_are_those_of_any_ratio_and_anomalies_are_nested(seed):
    y = _labels(seed)
    splits = [contaminate(y, ratio, random_state=3) for ratio in (0, 0.1, 0.2)]
    for (smaller, test), (larger, other_test) in pairwise(splits):
        assert_array_equal(test, other_test)
        assert set(smaller) < set(larger)
        assert not set(larger) & set(test)


@pytest.mark.parametrize(
    ("y", "options", "message"),
    [
        ([1] * 90 + [-1] * 10, {"ratio": 0.3}, "Lower ratio to 0.100, or n_normal to 11"),
        ([1] * 10 + [-1], {"ratio": 0.0}, "Change test_fraction"),
        ([1] * 10 + [-1] * 4, {"ratio": 0.0, "n_normal": 9}, "Change test_fraction"),
        ([1, -1], {"ratio": 1.0}, "'ratio' parameter"),
    ],
)
def test_splits_that_are_impossible_raise(y, options, message):
    with pytest.raises(ValueError, match=message):
        contaminate(y, **options)


def test_remedy_of_the_error_works():
    y = np.repeat([1, -1], [90, 10])
    assert len(contaminate(y, 0.3, n_normal=11)[0]) == 16
    assert len(contaminate(y, 0.1)[0]) == 50


def test_contamination_curve_is_the_mean_over_splits(seed):
    X, y = make_clusters(300, contamination=0.3, anomalies="clustered", random_state=seed)
    models = {"local": LocalOutlierFactor(novelty=True), "column": Column()}
    curve = contamination_curve(models, X, y, ratios=(0.0, 0.2), n_repeats=2, random_state=seed)
    random = reference.draws(seed)
    for repeat in range(2):
        split_seed = int(random.integers(2**31, size=2)[0])
        for place, ratio in enumerate((0.0, 0.2)):
            train, test = reference.contaminated(y, ratio, 0.5, 105, split_seed)
            fitted = LocalOutlierFactor(novelty=True).fit(X[train])
            expected = roc_auc_score(y[test] == -1, -fitted.score_samples(X[test]))
            assert curve.values[0, place, repeat] == pytest.approx(expected)
    assert_array_equal(curve.loss[:, 0], 0)
    assert_array_equal(curve.loss[1], 0)  # it does not look at the training rows
    assert curve.mean.shape == (2, 2)


def test_clustered_contamination_harms_neighbours():
    X, y = make_clusters(600, contamination=0.2, anomalies="clustered", random_state=0)
    models = {"local": LocalOutlierFactor(novelty=True)}
    curve = contamination_curve(models, X, y, ratios=[0.0, 0.1], n_repeats=3, random_state=0)
    assert curve.loss[0, 1] > 0.2
    with pytest.raises(ValueError, match="models has 0 entries"):
        contamination_curve({}, X, y)


@pytest.mark.parametrize(("n_shots", "n_anomalies"), [(1, 0), (5, 2)])
@pytest.mark.parametrize("grouped", [False, True])
def test_few_shots_match_the_definition(n_shots, n_anomalies, grouped, seed):
    y = _labels(seed, 100)
    groups = np.arange(100) // 3 if grouped else np.arange(100)
    splitter = FewShotSplit(n_shots, n_anomalies=n_anomalies, n_splits=4, random_state=seed)
    splits = list(splitter.split(y, y, groups if grouped else None))
    assert len(splits) == splitter.get_n_splits() == 4
    for train, test in splits:
        assert reference.few_shot_is_valid(y, groups, train, test, n_shots, n_anomalies)
    assert len({tuple(train) for train, _ in splits}) > 1


def test_fewer_shots_are_a_part_of_more():
    y = _labels(0)
    few, more = (next(FewShotSplit(n, random_state=5).split(y, y))[0] for n in (2, 8))
    assert set(few) < set(more)


@pytest.mark.parametrize(
    ("options", "y", "message"),
    [
        ({"n_shots": 3}, [1, 1, 1, -1, -1], "3 normal and 2 anomalous rows"),
        ({"n_anomalies": 1}, [1, 1, 1, -1], "one of each is needed"),
        ({}, None, "y=None"),
    ],
)
def test_too_few_rows_for_shots_raise(options, y, message):
    with pytest.raises(ValueError, match=message):
        next(FewShotSplit(**options).split(np.zeros((5 if y is None else len(y), 1)), y))
