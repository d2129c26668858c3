"""Weights of the donors."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.base import clone
from sklearn.impute import KNNImputer

from skanomaly.impute import KNNSamplerImputer, LeaveOneOutNeighbors


def _inverse_squares(distances):
    return 1.0 / (0.1 + distances**2)


WEIGHTS = pytest.mark.parametrize("weights", ["distance", _inverse_squares], ids=["distance", "callable"])


def _incomplete(seed, n_rows=150, n_columns=4, fraction=0.2):
    random = np.random.default_rng(seed)
    table = random.normal(size=(n_rows, n_columns)) + random.normal(size=(n_rows, 1))
    table[random.random(table.shape) < fraction] = np.nan
    return table


@pytest.mark.parametrize("weights", ["uniform", "distance", _inverse_squares])
@pytest.mark.parametrize("n_neighbors", [1, 4, 60])
def test_weighted_means_equal_those_of_knn_imputer(weights, n_neighbors, seed):
    table = _incomplete(seed)
    imputer = KNNSamplerImputer(n_neighbors=n_neighbors, weights=weights, strategy="mean", scale=False)
    expected = KNNImputer(n_neighbors=n_neighbors, weights=weights).fit(table[:100])
    assert_allclose(imputer.fit(table[:100]).transform(table), expected.transform(table), rtol=1e-9, atol=1e-12)


def test_donors_at_distance_zero_share_all_of_the_weight(seed):
    table = np.random.default_rng(seed).integers(0, 3, size=(80, 3)).astype(float)
    query = np.column_stack([table[:20, :2], np.full(20, np.nan)])
    options = {"n_neighbors": 7, "weights": "distance"}
    ours = KNNSamplerImputer(strategy="mean", scale=False, **options).fit(table)
    exact = np.array([np.all(table[:, :2] == row, axis=1).sum() for row in query[:, :2]]) <= 7  # no choice among ties
    assert exact.any()
    assert_allclose(ours.transform(query)[exact], KNNImputer(**options).fit(table).transform(query)[exact])


@WEIGHTS
@pytest.mark.parametrize("donors", ["joint", "separate"])
def test_donors_are_drawn_in_proportion_to_their_weights(weights, donors, seed):
    table = np.column_stack([[1.0, 2.0, 4.0], [10.0, 20.0, 30.0], [-1.0, -2.0, -3.0]])
    options = {"n_neighbors": 3, "weights": weights, "donors": donors, "scale": False}
    imputer = KNNSamplerImputer(**options, random_state=seed).fit(table)
    n_draws = 2000
    drawn = np.array([part[0, 1] for part in imputer.sample([[0.0, np.nan, np.nan]], n_draws)])
    distances = np.array([1.0, 2.0, 4.0]) * np.sqrt(3.0)
    expected = 1 / distances if weights == "distance" else weights(distances)
    for value, probability in zip([10.0, 20.0, 30.0], expected / expected.sum(), strict=True):
        low, high = stats.binom.interval(1 - 1e-6, n_draws, probability)
        assert low <= np.sum(drawn == value) <= high


def test_medians_and_categories_are_weighted():
    frame = pd.DataFrame({"x": [0.0, 0.1, 5.0, 5.1, 5.2], "y": [1.0, 2.0, 7.0, 8.0, 9.0], "kind": list("aabbb")})
    query = pd.DataFrame({"x": [0.05], "y": [np.nan], "kind": [None]})
    for weights, y, kind in (("uniform", 7.0, "b"), ("distance", 2.0, "a")):
        found = KNNSamplerImputer(n_neighbors=5, strategy="median", weights=weights).fit(frame).transform(query)
        assert found["kind"].tolist() == [kind]
        assert found["y"][0] <= y


@WEIGHTS
@pytest.mark.parametrize("strategy", ["sample", "mean", "median"])
def test_weights_go_through_rounds_and_rows_alone(weights, strategy, seed):
    table = _incomplete(seed, 60)
    imputer = KNNSamplerImputer(n_neighbors=5, weights=weights, strategy=strategy, n_rounds=2, random_state=seed)
    found = imputer.fit(table).transform(table)
    assert np.isfinite(found).all()
    assert_array_equal(np.vstack([imputer.transform(row[None]) for row in table]), found)
    assert_array_equal(clone(imputer).set_params(n_jobs=2).fit(table).transform(table), found)


def test_a_value_without_donors_is_imputed_from_its_whole_column():
    table = np.array([[1.0, np.nan], [2.0, np.nan], [np.nan, 3.0], [np.nan, 5.0]])
    found = KNNSamplerImputer(n_neighbors=2, weights="distance", strategy="mean").fit_transform(table)
    assert_array_equal(found, [[1, 4], [2, 4], [1.5, 3], [1.5, 5]])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (lambda distances: distances[:, :1], r"returned shape \(.*return one weight for each distance"),
        (lambda distances: -distances, "negative, infinite, or 0 for all donors"),
        (lambda distances: distances * np.inf, "negative, infinite, or 0 for all donors"),
        (np.zeros_like, "negative, infinite, or 0 for all donors"),
    ],
)
def test_unusable_weights_raise(weights, message, seed):
    imputer = KNNSamplerImputer(n_neighbors=3, weights=weights).fit(_incomplete(seed))
    with pytest.raises(ValueError, match=message):
        imputer.transform(_incomplete(seed + 1))


def test_intervals_of_weighted_donors_raise(seed):
    imputer = KNNSamplerImputer(n_neighbors=20, weights="distance").fit(_incomplete(seed))
    with pytest.raises(ValueError, match="predict_interval needs weights='uniform'"):
        imputer.predict_interval(_incomplete(seed))


def test_parameters_of_the_search_are_validated_and_nested(seed):
    imputer = KNNSamplerImputer(n_neighbors=LeaveOneOutNeighbors()).set_params(n_neighbors__max_neighbors=3)
    assert imputer.fit(_incomplete(seed)).n_neighbors_.max() <= 3
    with pytest.raises(ValueError, match="'max_neighbors' parameter of LeaveOneOutNeighbors"):
        imputer.set_params(n_neighbors__max_neighbors=0).fit(_incomplete(seed))
