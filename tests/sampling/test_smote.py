import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from skanomaly.sampling import (
    ADASYN,
    SMOTE,
    SVMSMOTE,
    BorderlineSMOTE,
    DomainSMOTE,
    KMeansSMOTE,
    RandomUnderSampler,
    RegressionSMOTE,
)

FAMILY = [SMOTE, BorderlineSMOTE, ADASYN, KMeansSMOTE, SVMSMOTE]
ON_TWO_CLASSES = [
    pytest.param("auto", {0: 300, 1: 300, 2: 300}, id="auto"),
    pytest.param("minority", {0: 300, 1: 60, 2: 300}, id="minority"),
    pytest.param("not minority", {0: 300, 1: 300, 2: 30}, id="not-minority"),
    pytest.param("all", {0: 300, 1: 300, 2: 300}, id="all"),
    pytest.param({2: 97}, {0: 300, 1: 60, 2: 97}, id="dict"),
    pytest.param(lambda _: {1: 61}, {0: 300, 1: 61, 2: 30}, id="callable"),
]


def _rows(seed, n=(300, 60, 30)):
    random = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(n)), n)
    return random.normal(size=(len(y), 4)) + 1.2 * y[:, None], y


@pytest.mark.parametrize("cls", FAMILY)
@pytest.mark.parametrize(("strategy", "expected"), ON_TWO_CLASSES)
def test_counts_are_exact(cls, strategy, expected, seed):
    X, y = _rows(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        sampler = cls(sampling_strategy=strategy, random_state=seed)
        _, targets = sampler.fit_resample(X, y)
    made = dict(zip(*(part.tolist() for part in np.unique(targets, return_counts=True)), strict=True))
    if cls is BorderlineSMOTE:  # makes nothing where no row is in danger, and says so
        expected = {label: np.sum(y == label) + sampler.sampling_strategy_.get(label, 0) for label in expected}
    assert made == expected


@pytest.mark.parametrize("cls", FAMILY)
def test_float_strategy_is_a_ratio_of_two_classes(cls, seed):
    X, y = _rows(seed, (300, 60))
    _, targets = cls(sampling_strategy=0.5, random_state=seed).fit_resample(X, y)
    assert np.sum(targets == 1) == 150


@pytest.mark.parametrize("duplicated", [False, True])
@pytest.mark.parametrize("selection", ["balanced", "random"])
def test_smote_rows_lie_on_segments_to_neighbors(duplicated, selection, seed):
    X, y = _rows(seed, (200, 50))
    if duplicated:
        X[220:235] = X[205]  # three rows in ten are copies
    sampler = SMOTE(selection=selection, random_state=seed)
    rows, _ = sampler.fit_resample(X, y)
    first, second = sampler.parents_.T
    expected = X[first] + sampler.steps_[:, None] * (X[second] - X[first])
    assert_allclose(rows[250:], expected, rtol=0, atol=1e-12)
    assert (first != second).all()
    distances = np.linalg.norm(X[200:, None] - X[None, 200:], axis=2)
    np.fill_diagonal(distances, np.inf)
    fifth = np.sort(distances, axis=1)[:, 4]
    assert (distances[first - 200, second - 200] <= fifth[first - 200] + 1e-12).all()


def test_balanced_selection_uses_rows_equally_often(seed):
    X, y = _rows(seed, (200, 47))
    sampler = SMOTE(random_state=seed).fit(X, y)
    uses = np.bincount(sampler.parents_[:, 0] - 200, minlength=47)
    assert set(uses.tolist()) <= {153 // 47, 153 // 47 + 1}


def test_training_rows_come_first_and_unchanged(seed):
    X, y = _rows(seed)
    rows, targets = SMOTE(random_state=seed).fit_resample(X, y)
    assert_array_equal(rows[: len(X)], X)
    assert_array_equal(targets[: len(y)], y)


def test_borderline_starts_from_rows_in_danger(seed):
    X, y = _rows(seed, (300, 60))
    sampler = BorderlineSMOTE(random_state=seed).fit(X, y)
    distances = np.linalg.norm(X[300:, None] - X[None], axis=2)
    distances[np.arange(60), np.arange(300, 360)] = np.inf
    n_foreign = (y[np.argsort(distances, axis=1)[:, :10]] == 0).sum(axis=1)
    assert_array_equal(sampler.in_danger_[1], 300 + np.flatnonzero((n_foreign >= 5) & (n_foreign < 10)))
    assert set(sampler.parents_[:, 0]) <= set(sampler.in_danger_[1].tolist())


def test_borderline_two_goes_half_way_to_other_classes(seed):
    X, y = _rows(seed, (300, 60))
    sampler = BorderlineSMOTE(kind="borderline-2", random_state=seed).fit(X, y)
    foreign = y[sampler.parents_[:, 1]] == 0
    assert foreign.any()
    assert sampler.steps_[foreign].max() < 0.5


def test_adasyn_makes_rows_in_proportion_to_foreign_neighbors(seed):
    X, y = _rows(seed, (300, 60))
    sampler = ADASYN(random_state=seed).fit(X, y)
    distances = np.linalg.norm(X[300:, None] - X[None], axis=2)
    distances[np.arange(60), np.arange(300, 360)] = np.inf
    fractions = (y[np.argsort(distances, axis=1)[:, :5]] == 0).mean(axis=1)
    exact = 240 * fractions / fractions.sum()
    made = np.bincount(sampler.parents_[:, 0] - 300, minlength=60)
    assert np.abs(made - exact).max() < 1
    assert made.sum() == 240


def test_svm_smote_steps_outwards_from_safe_rows_only(seed):
    X, y = _rows(seed, (300, 60))
    sampler = SVMSMOTE(random_state=seed).fit(X, y)
    assert sampler.steps_.min() >= -0.5
    distances = np.linalg.norm(X[:, None] - X[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    n_foreign = (y[np.argsort(distances, axis=1)[:, :10]] == 0).sum(axis=1)
    assert (n_foreign[sampler.parents_[sampler.steps_ < 0, 0]] < 5).all()


def test_kmeans_smote_stays_within_clusters(seed):
    X, y = _rows(seed, (300, 60))
    sampler = KMeansSMOTE(random_state=seed).fit(X, y)
    clusters = sampler.cluster_labels_[sampler.parents_]
    assert_array_equal(clusters[:, 0], clusters[:, 1])


@pytest.mark.parametrize("cls", FAMILY)
def test_one_row_of_a_class_is_copied(cls, seed):
    X, y = _rows(seed, (40, 1))
    if cls is SVMSMOTE:
        X[40] = X[0] + 0.1
    with pytest.warns(UserWarning, match="class|Class"):
        rows, targets = cls(random_state=seed).fit_resample(X, y)
    assert_allclose(rows[targets == 1], np.tile(X[40], (np.sum(targets == 1), 1)))


@pytest.mark.parametrize("cls", [SMOTE, ADASYN])
def test_fewer_rows_than_neighbors_uses_all_with_a_warning(cls, seed):
    X, y = _rows(seed, (40, 4))
    X[40:] = X[:4] + 0.01  # with other classes around
    with pytest.warns(UserWarning, match="lowered to 3"):
        _, targets = cls(random_state=seed).fit_resample(X, y)
    assert np.sum(targets == 1) == 40


def test_class_of_duplicates_gives_duplicates(seed):
    X, y = _rows(seed, (40, 12))
    X[40:] = 3.0
    rows, targets = SMOTE(random_state=seed).fit_resample(X, y)
    assert_array_equal(rows[targets == 1], 3.0)


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        ({7: 50}, "does not hold"),
        ({1: 5}, "only adds"),
        (0.01, "below the present ratio"),
        ("majority", "under-sampling"),
        ({1: 60.5}, "60.5 rows of class 1; final counts must be whole"),
        ({1: np.inf}, "final counts must be whole"),
    ],
)
def test_impossible_strategies_raise(strategy, words, seed):
    X, y = _rows(seed, (100, 20))
    with pytest.raises(ValueError, match=words):
        SMOTE(sampling_strategy=strategy).fit_resample(X, y)


@pytest.mark.parametrize(
    ("ratio", "small", "large", "made"),
    [(0.29, 28, 100, 1), (0.29, 29, 100, 0), (1 / 3, 30, 99, 3), (0.57, 20, 100, 37), (28 / 97, 28, 97, 0)],
)
def test_ratios_give_the_exact_count(ratio, small, large, made):
    X, y = np.arange(float(large + small))[:, None], np.repeat([0, 1], [large, small])
    assert SMOTE(sampling_strategy=ratio, random_state=0).fit(X, y).sampling_strategy_ == {1: made}


def test_ratios_leave_the_exact_count():
    X, y = np.zeros((229, 1)), np.repeat([0, 1], [200, 29])
    assert RandomUnderSampler(sampling_strategy=0.29, random_state=0).fit(X, y).sampling_strategy_ == {0: 100}


@pytest.mark.parametrize("sampler", [SMOTE(), ADASYN(), BorderlineSMOTE()], ids=lambda sampler: type(sampler).__name__)
def test_whole_floats_are_counts(sampler, seed):
    X, y = _rows(seed, (100, 20))
    _, targets = sampler.set_params(sampling_strategy={1: 60.0}, random_state=seed).fit_resample(X, y)
    assert np.sum(targets == 1) == 60


def test_estimator_without_support_vectors_raises(seed):
    with pytest.raises(TypeError, match=r"svm_estimator=LogisticRegression\(\) has no support_"):
        SVMSMOTE(svm_estimator=LogisticRegression()).fit(*_rows(seed, (100, 20)))


def test_support_vectors_may_come_from_a_pipeline(seed):
    X, y = _rows(seed, (100, 20))
    sampler = SVMSMOTE(svm_estimator=make_pipeline(FunctionTransformer(), SVC()), random_state=seed).fit(X, y)
    assert set(sampler.parents_[:, 0]) <= set(SVC().fit(X, y).support_)


@pytest.mark.parametrize("cls", FAMILY)
def test_one_class_raises(cls, seed):
    with pytest.raises(ValueError, match="y holds 1 class, 7, and sampling_strategy='auto'"):
        cls().fit_resample(_rows(seed)[0], np.full(390, 7))


def test_ratio_of_three_classes_raises(seed):
    with pytest.raises(ValueError, match="two classes"):
        SMOTE(sampling_strategy=0.5).fit_resample(*_rows(seed))


@pytest.mark.parametrize("cls", [SMOTE, BorderlineSMOTE, ADASYN, KMeansSMOTE, SVMSMOTE])
def test_nan_raises_with_a_remedy(cls, seed):
    X, y = _rows(seed)
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        cls().fit_resample(X, y)


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_sparse_kind_is_kept(kind, seed):
    X, y = _rows(seed)
    X[np.abs(X) < 0.5] = 0
    rows, _ = SMOTE(random_state=seed).fit_resample(kind(X), y)
    assert isinstance(rows, kind)
    assert_allclose(rows.toarray(), SMOTE(random_state=seed).fit_resample(X, y)[0], atol=1e-12)


def test_float32_rows_stay_float32(seed):
    X, y = _rows(seed)
    assert SMOTE(random_state=seed).fit_resample(X.astype(np.float32), y)[0].dtype == np.float32


@pytest.mark.parametrize("cls", FAMILY)
def test_plausible_rows_score_above_far_ones(cls, seed):
    X, y = _rows(seed, (300, 60))
    sampler = cls(random_state=seed).fit(X, y)
    near, far = sampler.score_samples(X[300:]), sampler.score_samples(X[300:] + 50)
    assert np.median(near) > far.max()
    assert -2 < np.median(near) < -0.5


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_rows_do_not_depend_on_n_jobs(n_jobs, seed):
    X, y = make_classification(3000, weights=[0.5], random_state=seed)
    expected = ADASYN(sampling_strategy={0: 2000, 1: 2000}, random_state=0).fit_resample(X, y)[0]
    sampler = ADASYN(sampling_strategy={0: 2000, 1: 2000}, random_state=0, n_jobs=n_jobs)
    assert_array_equal(sampler.fit_resample(X, y)[0], expected)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_domains_are_balanced_within_classes(metric, seed):
    random = np.random.default_rng(seed)
    domain, y = np.repeat([0, 1, 0, 1], [90, 10, 50, 7]), np.repeat([1, 2], [100, 57])
    X = np.column_stack([random.normal(size=(157, 3)) + domain[:, None], domain])
    sampler = DomainSMOTE(metric=metric, random_state=seed)
    rows, targets = sampler.fit_resample(X, y)
    for label, size in ((1, 90), (2, 50)):
        assert_array_equal(np.bincount(rows[targets == label, 3].astype(int)), [size, size])
    assert_array_equal(domain[sampler.parents_[:, 0]], domain[sampler.parents_[:, 1]])


def test_cosine_domain_rows_have_norms_between_their_parents(seed):
    random = np.random.default_rng(seed)
    X = random.normal(size=(60, 5))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    table = np.column_stack([X, np.repeat([0, 1], [50, 10])])
    rows, _ = DomainSMOTE(metric="cosine", random_state=seed).fit_resample(table, np.ones(60))
    assert_allclose(np.linalg.norm(rows[:, :5], axis=1), 1.0)


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_domains_named_by_words_are_balanced_too(kind, seed):
    random = np.random.default_rng(seed)
    site = np.repeat(["mill", "mine"], [90, 10])
    table = kind({"a": random.normal(size=100), "site": site.tolist(), "b": random.normal(size=100)})
    rows, _ = DomainSMOTE(domain_column="site", random_state=seed).fit_resample(table, np.ones(100))
    assert list(rows["site"]).count("mine") == list(rows["site"]).count("mill") == 90


def test_domains_named_by_words_give_the_rows_of_numbers(seed):
    random = np.random.default_rng(seed)
    X, domain = random.normal(size=(100, 2)), np.repeat([0, 1], [90, 10])
    plain, _ = DomainSMOTE(random_state=seed).fit_resample(np.column_stack([X, domain]), np.ones(100))
    words = np.array(["mill", "mine"], dtype=object)[domain]
    rows, _ = DomainSMOTE(random_state=seed).fit_resample(np.column_stack([X.astype(object), words]), np.ones(100))
    assert_allclose(rows[:, :2].astype(float), plain[:, :2])


def test_small_domains_warn_by_name(seed):
    X = np.column_stack([_rows(seed)[0][:12], np.repeat([1.0, 2.0], [9, 3])])
    with pytest.warns(UserWarning, match=r"Domain 2\.0 has 3 rows, so k_neighbors=5 is lowered to 2"):
        DomainSMOTE(random_state=seed).fit_resample(X, np.ones(12))


def test_a_domain_column_of_measurements_warns(seed):
    X, y = _rows(seed, (60, 30))
    with pytest.warns(UserWarning, match="domain_column=-1 has (60|30) values in the (60|30) rows of class"):
        DomainSMOTE().fit(X, y)


def test_unknown_domain_column_raises(seed):
    X, y = _rows(seed)
    with pytest.raises(ValueError, match="domain_column"):
        DomainSMOTE(domain_column="site").fit(X, y)


def _skewed(seed, n=3000):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 5))
    return X, np.exp(X[:, 0] + 0.1 * random.normal(size=n))


def test_missing_labels_are_counted(seed):
    X, _ = _rows(seed, (10, 5))
    with pytest.raises(ValueError, match="y has 5 missing values"):
        SMOTE().fit_resample(X, np.repeat(np.array(["ok", np.nan], dtype=object), [10, 5]))


def test_rare_targets_become_common(seed):
    X, y = _skewed(seed)
    _, targets = RegressionSMOTE(random_state=seed).fit_resample(X, y)
    assert np.mean(targets > np.quantile(y, 0.95)) >= 0.17


def test_oversampling_rare_targets_keeps_every_row(seed):
    X, y = _skewed(seed, 500)
    sampler = RegressionSMOTE(strategy="oversample", random_state=seed)
    rows, targets = sampler.fit_resample(X, y)
    assert_array_equal(rows[:500], X)
    assert_array_equal(targets[:500], y)
    assert len(rows) > 500


def test_targets_of_text_are_answered_with_the_sampler_of_classes(seed):
    X, y = _skewed(seed, 20)
    with pytest.raises(ValueError, match=r"y must hold numbers\..*take SMOTE"):
        RegressionSMOTE().fit_resample(X, np.where(y > 1, "high", "low"))


@pytest.mark.parametrize(
    ("options", "y", "words"),
    [
        ({}, np.linspace(0, 1, 100), "no value of y has a relevance of 0.8 or more"),
        ({}, np.zeros(100), "no value of y"),
        ({}, np.full(100, 0.1) + 1e-17 * np.arange(100), "no value of y"),
        ({"relevance": np.zeros_like}, np.arange(100.0), "no value of y"),
        ({"relevance": np.ones_like}, np.arange(100.0), "every value of y"),
        ({"relevance": lambda y: 1.0 * (y > 40)}, np.arange(100.0), "strategy='balance' asks for no more rows"),
    ],
    ids=["uniform", "constant", "rounding", "none", "all", "frequent"],
)
def test_targets_without_rare_values_are_left_alone_with_a_warning(options, y, words, seed):
    X = np.random.default_rng(seed).normal(size=(100, 2))
    with pytest.warns(UserWarning, match=rf"Nothing was resampled: {words}.*relevance="):
        rows, targets = RegressionSMOTE(**options).fit_resample(X, y)
    assert_array_equal(rows, X)
    assert_array_equal(targets, y)


@pytest.mark.parametrize("mode", [0.0, 0.1, -5.0])
@pytest.mark.parametrize("strategy", ["balance", "oversample"])
def test_values_beside_the_mode_are_rare_in_an_inflated_target(mode, strategy, seed):
    random = np.random.default_rng(seed)
    y = mode + np.concatenate([np.zeros(280), random.uniform(0.3, 5, 20)])
    y[:100] += 4e-17  # rounding does not make a value rare
    sampler = RegressionSMOTE(strategy=strategy, random_state=seed)
    with pytest.warns(UserWarning, match=rf"y is {mode:g} in 280 of 300 rows.*relevance="):
        _, targets = sampler.fit_resample(random.normal(size=(300, 3)), y)
    assert np.mean(targets > mode + 0.1) == 0.5


def test_an_inflated_target_may_have_values_on_both_sides(seed):
    random = np.random.default_rng(seed)
    y = np.concatenate([np.zeros(180), random.uniform(1, 2, 10), random.uniform(-2, -1, 10)])
    with pytest.warns(UserWarning, match="the other 20 values all count as rare"):
        sampler = RegressionSMOTE(random_state=seed).fit(random.normal(size=(200, 3)), y)
    assert sampler.rare_.tolist() == [True, False, True]


def test_relevance_outside_the_unit_interval_raises(seed):
    with pytest.raises(ValueError, match="relevance"):
        RegressionSMOTE(relevance=lambda y: y).fit(*_skewed(seed, 100))
