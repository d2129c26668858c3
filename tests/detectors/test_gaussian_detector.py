import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.covariance import OAS, EmpiricalCovariance, LedoitWolf, MinCovDet
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly.detectors import GaussianDetector


def _cloud(seed, n_rows=80, n_columns=5):
    random = np.random.default_rng(seed)
    return random.normal(size=(n_rows, n_columns)) @ random.normal(size=(n_columns, n_columns)) + 5


@pytest.mark.parametrize(
    ("name", "estimator"),
    [("ledoit_wolf", LedoitWolf()), ("oas", OAS()), ("empirical", EmpiricalCovariance())],
)
@pytest.mark.parametrize("shape", [(80, 5), (60, 1), (40, 40)])
def test_distances_equal_scikit_learns(seed, name, estimator, shape):
    if name == "empirical" and shape[0] <= shape[1]:
        pytest.skip("a singular covariance has no inverse to compare")
    X = _cloud(seed, *shape)
    detector = GaussianDetector(covariance=name).fit(X)
    assert_allclose(-detector.score_samples(X), estimator.fit(X).mahalanobis(X), rtol=1e-8)
    assert detector.shrinkage_ == pytest.approx(getattr(estimator, "shrinkage_", 0.0), rel=1e-8, abs=1e-12)


@pytest.mark.parametrize(("name", "estimator"), [("ledoit_wolf", LedoitWolf()), ("oas", OAS())])
@pytest.mark.parametrize(("n_rows", "n_columns"), [(30, 200), (160, 1000), (2, 7)])
def test_more_columns_than_rows_change_no_distance(seed, name, estimator, n_rows, n_columns):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n_rows, n_columns)) * random.uniform(0.1, 3, size=n_columns) + 4
    Q = random.normal(size=(50, n_columns)) + 4
    detector = GaussianDetector(covariance=name).fit(X)
    assert_allclose(-detector.score_samples(Q), estimator.fit(X).mahalanobis(Q), rtol=1e-10)


def test_diagonal_covariance_ignores_correlation(seed):
    X = _cloud(seed)
    expected = np.square((X - X.mean(axis=0)) / X.std(axis=0)).sum(axis=1)
    assert_allclose(-GaussianDetector(covariance="diag").fit(X).score_samples(X), expected)


def test_robust_covariance_equals_scikit_learns(seed):
    X = _cloud(seed)
    X[:20] += 30
    found = -GaussianDetector(covariance="robust", random_state=seed).fit(X).score_samples(X)
    drawn = np.random.RandomState(seed).randint(np.iinfo(np.int32).max)
    assert_allclose(found, MinCovDet(random_state=drawn).fit(X).mahalanobis(X), rtol=1e-7)
    assert found[:20].min() > np.quantile(found[20:], 0.9)


def test_robust_covariance_is_finite_with_more_than_half_of_the_rows_equal(seed):
    X = _cloud(seed)
    X[:50] = X[0]
    assert np.isfinite(GaussianDetector(covariance="robust", random_state=0).fit(X).score_samples(X)).all()


def test_robust_covariance_of_few_rows_raises():
    with pytest.raises(ValueError, match="'robust' needs at least 2 rows more"):
        GaussianDetector(covariance="robust").fit(np.eye(5))


@pytest.mark.parametrize("variance", [0.5, 0.9])
@pytest.mark.parametrize("covariance", ["ledoit_wolf", "oas", "empirical"])
def test_leading_subspace_is_that_of_principal_components(seed, variance, covariance):
    X = _cloud(seed, 60, 8)
    estimator = {"ledoit_wolf": LedoitWolf(), "oas": OAS(), "empirical": EmpiricalCovariance()}[covariance]
    fractions = np.cumsum(PCA().fit(X).explained_variance_ratio_)
    projected = PCA(int(np.searchsorted(fractions, variance)) + 1).fit_transform(X)
    detector = GaussianDetector(covariance=covariance, subspace="pca", variance=variance).fit(X)
    assert_allclose(-detector.score_samples(X), estimator.fit(projected).mahalanobis(projected), rtol=1e-7)


def test_trailing_subspace_keeps_the_boundary_direction(seed):
    X = _cloud(seed, 60, 8)
    principal = PCA().fit(X)
    first = int(np.searchsorted(np.cumsum(principal.explained_variance_ratio_), 0.9))
    projected = principal.transform(X)[:, first:]
    detector = GaussianDetector(subspace="npca", variance=0.9).fit(X)
    assert_allclose(-detector.score_samples(X), LedoitWolf().fit(projected).mahalanobis(projected), rtol=1e-7)


def test_trailing_subspace_lies_within_the_span_of_few_rows(seed):
    X = np.random.default_rng(seed).normal(size=(20, 60))
    X[:, 50:] = 0
    moved = X.copy()
    moved[:, 55] = 3
    detector = GaussianDetector(subspace="npca", variance=0.5).fit(X)
    assert_allclose(detector.score_samples(moved), detector.score_samples(X), rtol=1e-6)


def test_robust_covariance_in_a_subspace(seed):
    X = _cloud(seed, 60, 8)
    projected = PCA(0.9).fit_transform(X)
    detector = GaussianDetector(covariance="robust", subspace="pca", variance=0.9, random_state=seed).fit(X)
    ranks = -detector.score_samples(X), MinCovDet(random_state=seed).fit(projected).mahalanobis(projected)
    assert np.corrcoef(*ranks)[0, 1] > 0.9


def test_empirical_covariance_ignores_constant_columns(seed):
    X = _cloud(seed)
    X[:, 2] = 1
    moved = X.copy()
    moved[:, 2] = 9
    for covariance in ("empirical", "diag"):
        with pytest.warns(UserWarning, match="Column 2 does not vary"):
            detector = GaussianDetector(covariance=covariance).fit(X)
        assert_allclose(detector.score_samples(moved), detector.score_samples(X))


def test_classes_have_one_common_covariance(seed):
    X = _cloud(seed)
    classes = np.where(np.arange(80) < 30, "b", "a")
    X[:30] += 20
    means = np.array([X[30:].mean(axis=0), X[:30].mean(axis=0)])
    tied = LedoitWolf(assume_centered=True).fit(X - means[(classes == "b").astype(int)])
    expected = np.min([tied.mahalanobis(X - mean) for mean in means], axis=0)
    detector = GaussianDetector().fit(X, classes=classes)
    assert_allclose(-detector.score_samples(X), expected, rtol=1e-8)
    assert detector.classes_.tolist() == ["a", "b"]
    assert_allclose(detector.means_, means)


def test_relative_distance_subtracts_the_distance_of_one_gaussian(seed):
    X, classes = _cloud(seed), np.arange(80) % 2
    X[::2] += 20
    plain, relative = (GaussianDetector(relative=relative).fit(X, classes=classes) for relative in (False, True))
    background = GaussianDetector().fit(X)
    expected = plain.score_samples(X) - background.score_samples(X)
    assert_allclose(relative.score_samples(X), expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("fit_arguments", [{}, {"classes": np.zeros(80)}])
def test_relative_distance_needs_two_classes(fit_arguments):
    with pytest.raises(ValueError, match="relative=True"):
        GaussianDetector(relative=True).fit(_cloud(0), **fit_arguments)


def test_components_find_clusters(seed):
    random = np.random.default_rng(seed)
    X = random.normal(size=(90, 2)) + np.repeat([[0, 0], [40, 0], [0, 40]], 30, axis=0)
    detector = GaussianDetector(n_components=3, random_state=seed).fit(X)
    assert len(detector.means_) == 3
    assert detector.score_samples([[20.0, 20.0]]) < detector.score_samples(X).min()


def test_components_never_outnumber_distinct_rows():
    assert len(GaussianDetector(n_components=5, random_state=0).fit(np.repeat(np.eye(2), 9, axis=0)).means_) == 2


def test_classes_travel_through_a_pipeline_as_metadata(seed):
    X, classes = _cloud(seed), np.arange(80) % 3
    with config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(StandardScaler(), GaussianDetector().set_fit_request(classes=True))
        pipeline.fit(X, classes=classes)
    assert pipeline[-1].classes_.tolist() == [0, 1, 2]


def test_classes_of_another_length_are_named():
    with pytest.raises(ValueError, match="classes has 3 entries and X has 80 rows"):
        GaussianDetector().fit(_cloud(0), classes=[0, 1, 1])


def test_labelled_anomalies_are_left_out_of_the_fit(seed):
    X = _cloud(seed)
    y = np.repeat([1, 0, -1], [30, 30, 20])
    found = GaussianDetector().fit(X, y, classes=np.zeros(80))
    assert_array_equal(found.score_samples(X), GaussianDetector().fit(X[:60]).score_samples(X))


def test_too_few_rows_that_are_not_anomalies_are_named():
    with pytest.raises(ValueError, match="y leaves 1 rows"):
        GaussianDetector().fit(np.eye(4), [-1, -1, -1, 0])


def test_distances_do_not_depend_on_the_scale_of_all_columns(seed):
    X = _cloud(seed)
    expected = GaussianDetector().fit(X).score_samples(X)
    for factor in (1e-120, 1e120):
        assert_allclose(GaussianDetector().fit(X * factor).score_samples(X * factor), expected, rtol=1e-9)


@pytest.mark.parametrize("shape", [(60, 5), (20, 50)])
def test_distances_do_not_depend_on_rotation_and_shift(seed, shape):
    X = _cloud(seed, *shape)
    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=(shape[1], shape[1])))[0]
    moved = X @ rotation - 3
    assert_allclose(GaussianDetector().fit(moved).score_samples(moved), GaussianDetector().fit(X).score_samples(X))


def test_equal_rows_score_by_euclidean_distance():
    detector = GaussianDetector().fit(np.full((9, 2), 3.0))
    assert_allclose(detector.score_samples([[3.0, 3.0], [6.0, 7.0]]), [0, -25])


@pytest.mark.slow
def test_classes_and_components_beat_one_gaussian_on_digits(seed):
    digits, names = load_digits(return_X_y=True)
    random = np.random.default_rng(seed)
    normal = random.permutation(np.flatnonzero(names < 5))
    train, test = (
        normal[: int(0.7 * len(normal))],
        np.concatenate([normal[int(0.7 * len(normal)) :], np.flatnonzero(names >= 5)]),
    )
    areas = [
        roc_auc_score(names[test] < 5, detector.score_samples(digits[test]))
        for detector in (
            GaussianDetector().fit(digits[train]),
            GaussianDetector().fit(digits[train], classes=names[train]),
            GaussianDetector(n_components=5, random_state=seed).fit(digits[train]),
        )
    ]
    assert areas[0] > 0.91
    assert min(areas[1:]) > areas[0] + 0.01


def test_more_components_than_half_of_the_rows_warn(seed):
    with pytest.warns(UserWarning, match=r"n_components=30 .*10 rows; 5 are used"):
        detector = GaussianDetector(n_components=30, random_state=0).fit(_cloud(seed, 10, 2))
    assert 2 <= len(detector.means_) <= 5


@pytest.mark.parametrize("missing", [None, np.nan])
def test_missing_class_is_named(seed, missing):
    with pytest.raises(ValueError, match="classes has 1 missing values"):
        GaussianDetector().fit(_cloud(seed, 6), classes=np.array(["a", "b", "a", "b", "a", missing], dtype=object))


@pytest.mark.parametrize("n_components", [2, 3, 5])
@pytest.mark.parametrize("covariance", ["ledoit_wolf", "empirical", "diag", "robust"])
@pytest.mark.parametrize(("n_far", "distance"), [(1, 15.0), (3, 8.0), (1, 1e20), (2, 9.97e36)])
def test_far_rows_do_not_become_a_centre(seed, n_components, covariance, n_far, distance):
    rows = np.random.default_rng(seed).normal(size=(300, 4))
    rows[150:, 0] += 30
    rows[:n_far] = [-distance, *[distance] * 3]
    detector = GaussianDetector(n_components=n_components, covariance=covariance, random_state=seed).fit(rows)
    scores = detector.score_samples(rows)
    assert set(np.argsort(scores)[:n_far]) == set(range(n_far))
    near = rows[:1] + 0.5
    np.testing.assert_array_equal(detector.predict(np.vstack([rows[:n_far], near])), -1)


def test_one_huge_value_does_not_use_up_a_centre(seed):
    rows = np.random.default_rng(seed).normal(size=(300, 3))
    rows[100:200] += 20
    rows[200:] -= 20
    rows[0, 1] = 1e30
    detector = GaussianDetector(n_components=3, random_state=seed).fit(rows)
    assert len(detector.means_) == 3
    assert np.abs(detector.means_).max() < 25


def test_a_class_of_one_row_is_left_out_with_a_warning(seed):
    rows = np.random.default_rng(seed).normal(size=(300, 4))
    rows[0] = 20
    classes = np.repeat(["a", "b"], 150)
    classes[0] = "z"
    with pytest.warns(UserWarning, match=r"Classes \['z'\] have a single row"):
        detector = GaussianDetector().fit(rows, classes=classes)
    assert detector.score_samples(rows).argmin() == 0
    assert detector.classes_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="no class of two rows"):
        GaussianDetector().fit(rows, classes=np.arange(300))


@pytest.mark.parametrize("covariance", ["empirical", "diag", "robust", "ledoit_wolf", "oas"])
@pytest.mark.parametrize("value", [0.0, 7.0, 0.1, -1e9])
@pytest.mark.parametrize("named", [True, False])
def test_a_column_that_does_not_vary_is_seen_later_or_named(seed, covariance, value, named):
    X = _cloud(seed, 200, 4)
    X[:, 3] = value
    table = pd.DataFrame(X, columns=list("abcd")) if named else X
    moved = X.mean(axis=0)[None] + [[0, 0, 0, 1e6]]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        detector = GaussianDetector(covariance=covariance, random_state=seed).fit(table)
    told = [str(warning.message) for warning in caught]
    moved = pd.DataFrame(moved, columns=list("abcd")) if named else moved
    seen = detector.predict(moved)[0] == -1
    assert seen == (not told)
    assert all(f"Column {'d' if named else 3!r} does not vary" in words for words in told)


@pytest.mark.parametrize("covariance", ["empirical", "diag"])
def test_a_column_that_varies_only_between_classes_is_named(seed, covariance):
    X = _cloud(seed, 80, 3)
    classes = np.arange(80) % 2
    X[:, 1] = classes
    with pytest.warns(UserWarning, match="Column 1 does not vary"):
        GaussianDetector(covariance=covariance).fit(X, classes=classes)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("subspace", ["pca", "npca"])
def test_subspaces_say_nothing_of_columns_that_do_not_vary(seed, subspace):
    X = _cloud(seed)
    X[:, 2] = 1
    GaussianDetector(covariance="empirical", subspace=subspace).fit(X)
