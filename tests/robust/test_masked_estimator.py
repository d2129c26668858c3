import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import GradientBoostingRegressor, IsolationForest
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier, SGDRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import estimator_checks

from skanomaly.robust import MaskedEstimator, ZErrorMask


def _with_outliers(seed, fraction=0.3, n=800):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 3))
    truth = X @ [1.0, -2.0, 0.5]
    wrong = random.random(n) < fraction
    return X, truth + 0.3 * random.normal(size=n) + 15 * wrong, truth, wrong


def _flipped(seed, fraction=0.15, n=900):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 3))
    truth = np.argmax(X, axis=1)
    wrong = random.random(n) < fraction
    return X, np.where(wrong, (truth + 1) % 3, truth), truth, wrong


@pytest.mark.parametrize(
    ("estimator", "options"),
    [
        (SGDRegressor(), {}),
        (Ridge(), {"cv": None}),
        (make_pipeline(StandardScaler(), Ridge()), {}),
        (SGDRegressor(), {"method": "refit", "cv": 3}),
    ],
    ids=["epochs", "in_sample", "pipeline", "refit"],
)
def test_regressors_are_robust_to_outliers(seed, estimator, options):
    X, y, truth, wrong = _with_outliers(seed)
    model = MaskedEstimator(estimator, random_state=seed, **options).fit(X, y)
    assert np.abs(model.predict(X) - truth).mean() < 0.15
    assert model.inlier_mask_[wrong].mean() < 0.01
    assert model.inlier_mask_[~wrong].mean() > 0.9
    assert model.mask_frequency_[wrong].min() > model.mask_frequency_[~wrong].mean()


def test_out_of_fold_errors_make_boosting_robust(seed):
    X, y, truth, _ = _with_outliers(seed, fraction=0.2, n=500)
    model = GradientBoostingRegressor(n_estimators=40)
    masked = MaskedEstimator(model, cv=3, random_state=seed).fit(X, y)
    plain = model.fit(X, y)
    assert np.abs(masked.predict(X) - truth).mean() < 0.5 * np.abs(plain.predict(X) - truth).mean()


@pytest.mark.parametrize(
    "estimator",
    [SGDClassifier(loss="log_loss"), LogisticRegression(), GaussianNB(), DecisionTreeClassifier(max_depth=4)],
)
def test_classifiers_mask_label_errors(seed, estimator):
    X, y, truth, wrong = _flipped(seed)
    model = MaskedEstimator(estimator, masking=ZErrorMask(threshold=1.5), random_state=seed).fit(X, y)
    assert model.mask_frequency_[wrong].mean() > 3 * model.mask_frequency_[~wrong].mean()
    assert model.score(X, truth) > 0.75


@pytest.mark.parametrize("method", ["partial_fit", "refit"])
def test_infinite_threshold_trains_on_every_row(method):
    X, y, _, _ = _with_outliers(0)
    model = MaskedEstimator(SGDRegressor(random_state=0), masking=ZErrorMask(threshold=np.inf), method=method).fit(X, y)
    assert model.inlier_mask_.all()
    if method == "refit":
        assert_array_equal(model.predict(X), SGDRegressor(random_state=0).fit(X, y).predict(X))


@pytest.mark.parametrize("estimator", [Ridge(), SGDRegressor(random_state=0)])
def test_sample_weight_reaches_the_estimator(seed, estimator):
    X, y, _, wrong = _with_outliers(seed)
    masking = ZErrorMask(threshold=np.inf)
    weights = np.where(wrong, 0.0, 2.0)
    model = MaskedEstimator(estimator, masking=masking, max_iter=5, random_state=0).fit(X, y, sample_weight=weights)
    assert np.abs(model.predict(X) - (X @ [1.0, -2.0, 0.5])).mean() < 0.15


@pytest.mark.parametrize("estimator", [LogisticRegression(), Ridge()])
def test_scores_rank_rows_with_their_targets(seed, estimator):
    X, y, _, wrong = _flipped(seed) if isinstance(estimator, LogisticRegression) else _with_outliers(seed)
    model = MaskedEstimator(estimator, random_state=0).fit(X, y)
    scores = model.score_samples(X, y)
    assert scores[wrong].mean() < scores[~wrong].mean() - 1
    assert np.isfinite(model.score_samples(X)).all()


def test_available_methods_are_those_of_the_estimator():
    X, y, _, _ = _flipped(0)
    model = MaskedEstimator(LogisticRegression(), cv=2).fit(X, y)
    assert_allclose(model.predict_proba(X).sum(axis=1), 1)
    assert model.decision_function(X).shape == (len(X), 3)
    assert not hasattr(MaskedEstimator(Ridge()), "predict_proba")


def test_frame_reaches_the_estimator_as_a_frame():
    X, y, _, _ = _with_outliers(0, n=200)
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = MaskedEstimator(Ridge(), cv=2).fit(frame, y)
    assert list(model.estimator_.feature_names_in_) == ["a", "b", "c"]
    assert model.predict(frame).shape == (200,)


def test_missing_values_reach_an_estimator_that_supports_them():
    X, y, _, _ = _with_outliers(0, n=200)
    X[0, 0] = np.nan
    tree = DecisionTreeRegressor(max_depth=3, random_state=0)
    model = MaskedEstimator(tree, cv=2, max_iter=1, random_state=0).fit(X, y)
    assert np.isfinite(model.predict(X)).all()
    with pytest.raises(ValueError, match="NaN"):
        MaskedEstimator(Ridge()).fit(X, y)


def test_single_class_raises():
    with pytest.raises(ValueError, match="at least two classes"):
        MaskedEstimator(GaussianNB()).fit([[1.0], [2.0]], [1, 1])


def test_detector_as_estimator_raises():
    with pytest.raises(TypeError, match="classifier or a regressor; got IsolationForest"):
        MaskedEstimator(IsolationForest()).fit([[1.0], [2.0]], [1, -1])


def test_partial_fit_of_an_estimator_without_it_raises():
    with pytest.raises(ValueError, match=r"method='partial_fit'.*Ridge\(\) has none"):
        MaskedEstimator(Ridge(), method="partial_fit").fit([[1.0], [2.0]], [1.0, 2.0])


def test_grid_search_sets_parameters_of_mask_and_estimator():
    X, y, truth, _ = _with_outliers(0, n=300)
    grid = {"masking__threshold": [2.0, 3.0], "estimator__alpha": [0.1, 1.0]}
    search = GridSearchCV(MaskedEstimator(Ridge(), cv=None), grid, cv=2, scoring="neg_median_absolute_error").fit(X, y)
    assert np.abs(search.predict(X) - truth).mean() < 0.2


@pytest.mark.slow
@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_classifiers_classes,
        estimator_checks.check_dict_unchanged,
        estimator_checks.check_estimators_dtypes,
        estimator_checks.check_estimators_pickle,
        estimator_checks.check_fit_idempotent,
        estimator_checks.check_methods_subset_invariance,
    ],
    ids=lambda check: check.__name__,
)
def test_checks_hold_with_a_reference(check):
    check("MaskedEstimator", MaskedEstimator(LogisticRegression(max_iter=2000), cv=2, random_state=0))
