"""Objects that find neighbours, drawing with replacement, one-hot classes and names of columns."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.datasets import make_classification
from sklearn.neighbors import KNeighborsTransformer, NearestNeighbors

from skanomaly.robust import SampleCurator
from skanomaly.sampling import (
    ADASYN,
    SMOTE,
    SMOTEN,
    SMOTENC,
    SVMSMOTE,
    AnomalySynthesizer,
    BorderlineSMOTE,
    DomainSMOTE,
    ElasticSMOTE,
    KMeansSMOTE,
    RandomUnderSampler,
    RegressionSMOTE,
    TomekLinks,
)

FAMILY = [
    pytest.param(SMOTE, ["k_neighbors"], {}, id="SMOTE"),
    pytest.param(BorderlineSMOTE, ["k_neighbors", "m_neighbors"], {}, id="borderline-1"),
    pytest.param(BorderlineSMOTE, ["k_neighbors", "m_neighbors"], {"kind": "borderline-2"}, id="borderline-2"),
    pytest.param(ADASYN, ["n_neighbors"], {}, id="ADASYN"),
    pytest.param(SVMSMOTE, ["k_neighbors", "m_neighbors"], {}, id="SVMSMOTE"),
    pytest.param(KMeansSMOTE, ["k_neighbors"], {}, id="KMeansSMOTE"),
    pytest.param(SMOTENC, ["k_neighbors"], {"categorical_features": [0]}, id="SMOTENC"),
    pytest.param(DomainSMOTE, ["k_neighbors"], {"domain_column": 0}, id="DomainSMOTE"),
]


def _rows(seed):
    X, y = make_classification(240, 5, weights=[0.75], flip_y=0.1, random_state=seed)
    X[:, 0] = X[:, 1] > 0.7
    return X, y


@pytest.mark.parametrize(("cls", "names", "options"), FAMILY)
def test_an_exact_object_gives_the_rows_of_its_number(cls, names, options, seed):
    X, y = _rows(seed)
    numbers = dict.fromkeys(names, 4)
    objects = {name: NearestNeighbors(n_neighbors=5) for name in names}
    expected = cls(random_state=seed, **options, **numbers).fit_resample(X, y)[0]
    assert_array_equal(cls(random_state=seed, **options, **objects).fit_resample(X, y)[0], expected)


@pytest.mark.parametrize(("cls", "names", "options"), FAMILY)
def test_the_metric_of_an_object_counts(cls, names, options, seed):
    X, y = _rows(seed)
    objects = {name: NearestNeighbors(n_neighbors=5, metric="cosine") for name in names}
    expected = cls(random_state=seed, **options, **dict.fromkeys(names, 4)).fit_resample(X, y)[0]
    rows = cls(random_state=seed, **options, **objects).fit_resample(X, y)[0]
    assert rows.shape != expected.shape or (rows != expected).any()


class _Graph(BaseEstimator):
    """An approximate search: no keyword for the number, and lists without the row itself."""

    def __init__(self, n_neighbors=5):
        self.n_neighbors = n_neighbors

    def fit(self, X):
        self.rows_ = X
        return self

    def kneighbors(self, X, return_distance=True):
        assert not return_distance
        return NearestNeighbors(n_neighbors=self.n_neighbors + 1).fit(self.rows_).kneighbors(X)[1][:, 1:]


@pytest.mark.parametrize("search", [_Graph(5), KNeighborsTransformer(n_neighbors=5), NearestNeighbors(n_neighbors=5)])
def test_parents_are_neighbors_by_the_object(search, seed):
    X, y = _rows(seed)
    sampler = SMOTE(k_neighbors=search, random_state=seed).fit(X, y)
    rows = np.flatnonzero(y == 1)
    near = NearestNeighbors(n_neighbors=5).fit(X[rows]).kneighbors(X[rows])[1]
    allowed = {(rows[first], rows[second]) for first, line in enumerate(near) for second in line[1:]}
    assert {tuple(pair) for pair in sampler.parents_.tolist()} <= {(int(a), int(b)) for a, b in allowed}


def test_sparse_rows_reach_the_object(seed):
    X, y = _rows(seed)
    sampler = SMOTE(k_neighbors=NearestNeighbors(n_neighbors=4, metric="cosine"), random_state=seed)
    rows = sampler.fit_resample(sparse.csr_array(X), y)[0]
    np.testing.assert_allclose(rows.toarray(), sampler.fit_resample(X, y)[0])


def test_series_are_joined_with_the_neighbors_of_an_object(seed):
    X, y = _rows(seed)
    series = np.random.default_rng(seed).normal(size=(len(X), 8, 2))
    search = NearestNeighbors(n_neighbors=3, metric="manhattan")
    sampler = ElasticSMOTE(k_neighbors=search, random_state=seed).fit(series, y)
    rows = np.flatnonzero(y == 1)
    flat = series[rows].reshape(len(rows), -1)
    near = rows[search.fit(flat).kneighbors(flat)[1][:, 1:]]
    allowed = {(first, second) for first, line in zip(rows.tolist(), near.tolist(), strict=True) for second in line}
    assert {tuple(pair) for pair in sampler.parents_.tolist()} <= allowed


def test_rare_targets_are_joined_with_the_neighbors_of_an_object(seed):
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(200, 3)), np.linspace(0, 1, 200)
    options = {"relevance": lambda y: 1.0 * (y > 0.9), "random_state": seed}
    expected = RegressionSMOTE(k_neighbors=4, **options).fit_resample(X, y)
    found = RegressionSMOTE(k_neighbors=NearestNeighbors(n_neighbors=5), **options).fit(X, y)
    for ours, theirs in zip(found.fit_resample(X, y), expected, strict=True):
        np.testing.assert_allclose(ours, theirs)
    other = RegressionSMOTE(k_neighbors=NearestNeighbors(n_neighbors=5, metric="cosine"), **options)
    assert (other.fit_resample(X, y)[0] != expected[0]).any()
    assert np.isfinite(found.score_samples(X)).all()


def test_value_differences_reach_a_precomputed_object(seed):
    random = np.random.default_rng(seed)
    X, y = random.choice(list("abcdefgh"), size=(120, 12)), np.repeat([0, 1], [90, 30])
    search = NearestNeighbors(n_neighbors=4, metric="precomputed")
    found = SMOTEN(k_neighbors=search, random_state=seed).fit_resample(X, y)[0]
    assert_array_equal(found, SMOTEN(k_neighbors=3, random_state=seed).fit_resample(X, y)[0])


def test_categories_with_a_metric_of_the_object_raise(seed):
    X, y = np.random.default_rng(seed).choice(list("abc"), size=(60, 3)), np.repeat([0, 1], [40, 20])
    with pytest.raises(ValueError, match=r"k_neighbors=NearestNeighbors.*SMOTEN.*metric='precomputed'"):
        SMOTEN(k_neighbors=NearestNeighbors(n_neighbors=4)).fit(X, y)


def test_an_object_is_lowered_in_a_small_class(seed):
    X, y = _rows(seed)
    kept = np.r_[np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:3]]
    with pytest.warns(UserWarning, match="k_neighbors=5 is lowered to 2"):
        SMOTE(k_neighbors=NearestNeighbors(n_neighbors=6), random_state=0).fit(X[kept], y[kept])


@pytest.mark.parametrize("number", [1, 0, None, 2.5])
def test_objects_without_other_neighbors_raise(number, seed):
    with pytest.raises(ValueError, match="counts the row itself"):
        BorderlineSMOTE(m_neighbors=_Graph(number)).fit(*_rows(seed))


def test_objects_that_find_too_few_raise(seed):
    class Short(_Graph):
        def kneighbors(self, X, return_distance=True):
            return super().kneighbors(X, return_distance)[:, :2]

    with pytest.raises(ValueError, match=r"of shape \(.*, 2\)"):
        ADASYN(n_neighbors=Short(5)).fit(*_rows(seed))


def test_drawing_with_replacement_repeats_rows(seed):
    X, y = _rows(seed)
    frame = pd.DataFrame({"name": [f"r{place}" for place in range(len(X))]}, index=np.arange(len(X)) + 7)
    sampler = RandomUnderSampler(replacement=True, random_state=seed)
    rows, targets = sampler.fit_resample(frame, y)
    assert len(np.unique(sampler.sample_indices_)) < len(rows)
    assert np.sum(targets == 0) == np.sum(targets == 1) == np.sum(y == 1)
    assert rows.index.tolist() == (sampler.sample_indices_ + 7).tolist()
    minority = sampler.sample_indices_[targets == 1]
    assert_array_equal(minority, np.flatnonzero(y == 1))  # a class that does not shrink is kept as it is


ONE_HOT = {
    "integers": lambda codes: np.eye(3, dtype=np.int8)[codes],
    "booleans": lambda codes: np.eye(3, dtype=bool)[codes],
    "frame": lambda codes: pd.DataFrame(np.eye(3)[codes], columns=list("abc")),
    "sparse": lambda codes: sparse.csr_array(np.eye(3)[codes]),
    "list": lambda codes: np.eye(3, dtype=int)[codes].tolist(),
}


@pytest.mark.parametrize("kind", ONE_HOT)
@pytest.mark.parametrize(
    "sampler",
    [
        SMOTE(random_state=0),
        RandomUnderSampler(random_state=0),
        TomekLinks(),
        SampleCurator(random_state=0, cv=2),
    ],
    ids=lambda sampler: type(sampler).__name__,
)
def test_one_hot_classes_come_back_one_hot(sampler, kind, seed):
    random = np.random.default_rng(seed)
    codes = np.repeat([0, 1, 2], [30, 20, 12])
    X = random.normal(size=(62, 3)) + 2 * codes[:, None]
    expected_rows, expected = sampler.fit_resample(X, codes)
    given = ONE_HOT[kind](codes)
    rows, targets = sampler.fit_resample(X, given)
    assert_array_equal(rows, expected_rows)
    assert type(targets) is (np.ndarray if kind == "list" else type(given))
    table = targets.toarray() if sparse.issparse(targets) else np.asarray(targets)
    assert_array_equal(table, np.eye(3)[expected])
    if kind in {"integers", "booleans"}:
        assert targets.dtype == given.dtype


@pytest.mark.parametrize(
    ("y", "found"),
    [
        (np.ones((62, 2), dtype=int), r"row 0 holds \[1.0, 1.0\]"),
        (np.zeros((62, 2), dtype=int), r"row 0 holds \[0.0, 0.0\]"),
        (np.full((62, 2), "a"), "not numbers"),
        (pd.DataFrame({"a": [1] * 61 + [2], "b": [0] * 62}), r"row 61 holds \[2.0, 0.0\]"),
    ],
    ids=["two", "none", "text", "counts"],
)
@pytest.mark.parametrize("sampler", [SMOTE(), RandomUnderSampler(), SampleCurator()])
def test_columns_that_are_not_one_hot_raise(sampler, y, found, seed):
    X = np.random.default_rng(seed).normal(size=(62, 3))
    with pytest.raises(ValueError, match=f"y has 2 columns and is not one-hot.*{found}"):
        sampler.fit(X, y)


def test_synthetic_rows_of_a_class_without_a_column_raise(seed):
    X = np.random.default_rng(seed).normal(size=(62, 3))
    codes = np.zeros(62, dtype=int)
    with pytest.raises(ValueError, match="for which y has no one-hot column"):
        AnomalySynthesizer(random_state=0).fit(X, np.eye(2)[codes])


@pytest.mark.parametrize("sampler", [SMOTE(), RegressionSMOTE(relevance=lambda y: 1.0 * (y > 0.9)), SampleCurator()])
def test_names_of_columns_go_through(sampler, seed):
    table = np.random.default_rng(seed).normal(size=(60, 2)) + np.repeat([[0.0], [6.0]], 30, axis=0)
    X = pd.DataFrame(table, columns=["a", "b"])
    y = np.linspace(0, 1, 60) if isinstance(sampler, RegressionSMOTE) else np.repeat([0, 1], 30)
    assert sampler.fit(X, y).get_feature_names_out().tolist() == ["a", "b"]
    assert sampler.get_feature_names_out(["a", "b"]).tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="not equal to feature_names_in_"):
        sampler.get_feature_names_out(["b", "a"])
