import io
import pickle
from contextlib import redirect_stdout

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import HuberRegressor, LinearRegression, LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import GridSearchCV

from skanomaly.robust import ImbalancedRegressor, ZErrorClassifier, ZErrorMask, ZErrorRegressor

PLAIN = ZErrorMask(threshold=np.inf)
BY_STANDARD_DEVIATION = ZErrorMask(threshold=2.0, center_scale="mean_std")


def _shifted(seed, fraction, *, n=5000, d=20):
    random = np.random.default_rng(seed)
    X, coef = random.normal(size=(n, d)), random.normal(size=d)
    y = X @ coef + random.normal(size=n)
    wrong = random.random(n) < fraction
    y[wrong] += 20
    return X, y, coef, wrong


def _error(model, coef):
    return np.sqrt(((model.coef_ - coef) ** 2).sum() + model.intercept_**2)


def _logistic(seed, *, n=6000, d=20, scale=2.0, shift=0.0):
    random = np.random.default_rng(seed)
    X, coef = random.normal(size=(n, d)), random.normal(size=d)
    coef *= scale * np.sqrt(d) / np.linalg.norm(coef)
    y = (random.random(n) < 1 / (1 + np.exp(-(X @ coef + shift)))).astype(int)
    return X, y, random


def _flipped(y, fraction, random, *, only_ones=True):
    wrong = (random.random(y.size) < fraction) & ((y == 1) | (not only_ones))
    return np.where(wrong, 1 - y, y), wrong


# Equality with training without a mask.


@pytest.mark.parametrize("hidden", [(), (7,)])
@pytest.mark.parametrize("make", [ZErrorRegressor, ZErrorClassifier])
@pytest.mark.parametrize("other", [{"threshold": 1e9}, {"warmup_epochs": 9}])
def test_infinite_threshold_equals_training_in_which_no_row_is_dropped(seed, make, hidden, other):
    random = np.random.default_rng(seed)
    X = random.normal(size=(150, 4))
    y = X[:, 0] + random.normal(size=150)
    y = y if make is ZErrorRegressor else (y > 0).astype(int)
    plain = make(masking=PLAIN, hidden_layer_sizes=hidden, max_iter=9, random_state=seed).fit(X, y)
    equal = make(masking=ZErrorMask(**other), hidden_layer_sizes=hidden, max_iter=9, random_state=seed).fit(X, y)
    for mine, theirs in zip([*plain.coefs_, *plain.intercepts_], [*equal.coefs_, *equal.intercepts_], strict=True):
        assert_array_equal(mine, theirs)
    assert plain.mask_count_.sum() == 0


def test_unmasked_regression_reaches_least_squares(seed):
    X, y, _, _ = _shifted(seed, 0.0, n=1000, d=5)
    model = ZErrorRegressor(masking=PLAIN, ridge=0.0, random_state=seed).fit(X, y)
    assert_allclose(model.coef_, LinearRegression().fit(X, y).coef_, atol=0.01)


def test_unmasked_classification_reaches_maximum_likelihood(seed):
    X, y, _ = _logistic(seed, n=1000, d=3, scale=1.0)
    model = ZErrorClassifier(masking=PLAIN, ridge=0.0, random_state=seed).fit(X, y)
    assert_allclose(model.coef_, LogisticRegression(C=np.inf).fit(X, y).coef_, rtol=0.05, atol=0.03)


# Clean data.


@pytest.mark.parametrize(
    ("statistic", "threshold", "fraction"),
    [("error", 2.0, 0.0455), ("loss", 2.0, 0.0504), ("error", 3.0, 0.0027), ("loss", 3.0, 0.0220)],
)
def test_clean_gaussian_rows_are_masked_at_the_theoretical_rate(seed, statistic, threshold, fraction):
    X, y, _, _ = _shifted(seed, 0.0)
    mask = ZErrorMask(threshold=threshold, statistic=statistic, center_scale="mean_std")
    model = ZErrorRegressor(masking=mask, batch_size=256, random_state=seed).fit(X, y)
    assert abs(model.mask_rate_curve_[-20:].mean() - fraction) < 0.006


# Outliers.


@pytest.mark.parametrize("fraction", [0.05, 0.10])
def test_mean_and_standard_deviation_are_robust_to_ten_percent(seed, fraction):
    X, y, coef, wrong = _shifted(seed, fraction)
    model = ZErrorRegressor(masking=BY_STANDARD_DEVIATION, random_state=seed).fit(X, y)
    assert _error(model, coef) < 0.12
    assert roc_auc_score(wrong, model.mask_frequency_) >= 0.99


def test_mean_and_standard_deviation_fail_at_a_quarter(seed):
    X, y, coef, _ = _shifted(seed, 0.25)
    assert _error(ZErrorRegressor(masking=BY_STANDARD_DEVIATION, random_state=seed).fit(X, y), coef) > 3


@pytest.mark.parametrize("fraction", [0.10, 0.25, 0.35])
def test_defaults_are_robust_to_a_third(seed, fraction):
    X, y, coef, wrong = _shifted(seed, fraction)
    clean = y - 20 * wrong
    model = ZErrorRegressor(random_state=seed).fit(X, y)
    best = _error(ZErrorRegressor(random_state=seed).fit(X, clean), coef)
    assert _error(model, coef) <= 1.7 * best
    assert roc_auc_score(wrong, model.mask_frequency_) >= 0.99
    assert model.inlier_mask_[wrong].mean() < 0.01


def test_defaults_predict_as_well_as_on_clean_data_where_huber_fails(seed):
    X, y, coef, wrong = _shifted(seed, 0.35)
    clean = y - 20 * wrong
    fresh = np.random.default_rng(seed + 1000).normal(size=(5000, 20))
    trained, untouched = (ZErrorRegressor(random_state=seed).fit(X, target) for target in (y, clean))
    huber = HuberRegressor(max_iter=1000).fit(X, y)
    truth = fresh @ coef
    loss = {name: np.mean((model.predict(fresh) - truth) ** 2) for name, model in
            {"trained": trained, "clean": untouched, "huber": huber}.items()}  # fmt: skip
    assert 1 + loss["trained"] <= 1.01 * (1 + loss["clean"])  # the noise has variance 1
    assert _error(huber, coef) > 50 * _error(untouched, coef)


def test_network_is_robust_to_outliers(seed):
    random = np.random.default_rng(seed)
    X = random.uniform(-2, 2, size=(1500, 1))
    y = np.sin(2 * X[:, 0]) + 0.1 * random.normal(size=1500)
    wrong = random.random(1500) < 0.3
    y[wrong] += 5
    model = ZErrorRegressor(hidden_layer_sizes=(32,), random_state=seed).fit(X, y)
    assert np.abs(model.predict(X) - np.sin(2 * X[:, 0])).mean() < 0.15


def test_mask_improves_accuracy_with_asymmetric_label_errors(seed):
    X, y, random = _logistic(seed, n=26000)
    noisy, _ = _flipped(y[:6000], 0.2, random)
    plain, masked = (
        ZErrorClassifier(masking=mask, random_state=seed).fit(X[:6000], noisy).score(X[6000:], y[6000:])
        for mask in (PLAIN, None)
    )
    assert masked - plain >= 0.025


def test_mask_keeps_accuracy_on_clean_labels(seed):
    X, y, _ = _logistic(seed, n=26000)
    plain, masked = (
        ZErrorClassifier(masking=mask, random_state=seed).fit(X[:6000], y[:6000]).score(X[6000:], y[6000:])
        for mask in (PLAIN, None)
    )
    assert plain - masked <= 0.005


def test_label_errors_of_three_classes_have_low_scores(seed):
    random = np.random.default_rng(seed)
    X = random.normal(size=(1500, 4))
    truth = np.argmax(X[:, :3], axis=1)
    wrong = random.random(1500) < 0.1
    y = np.where(wrong, (truth + 1) % 3, truth)
    model = ZErrorClassifier(random_state=seed).fit(X, y)
    assert model.score(X, truth) > 0.97
    assert roc_auc_score(wrong, -model.score_samples(X, y)) > 0.97


@pytest.mark.parametrize(("cutoff", "least"), [("gaussian", 0.87), ("youden", 0.85)])
def test_cutoff_improves_balanced_accuracy_at_five_percent(seed, cutoff, least):
    X, y, _ = _logistic(seed, n=46000, scale=0.7, shift=-5.6)
    model = ZErrorClassifier(cutoff=cutoff, random_state=seed).fit(X[:6000], y[:6000])
    fixed = clone(model).set_params(cutoff="fixed").fit(X[:6000], y[:6000])
    better, plain = (balanced_accuracy_score(y[6000:], m.predict(X[6000:])) for m in (model, fixed))
    assert better >= least
    assert better > plain + 0.05
    assert_array_equal(model.predict_proba(X[:9]), fixed.predict_proba(X[:9]))


# Chunks.


def test_partial_fit_reaches_the_score_of_fit(seed):
    X, y, _, wrong = _shifted(seed, 0.2)
    clean = y - 20 * wrong
    whole = ZErrorRegressor(random_state=seed).fit(X, y).score(X, clean)
    chunked = ZErrorRegressor(random_state=seed)
    random = np.random.default_rng(seed)
    for _ in range(20):
        for rows in np.array_split(random.permutation(5000), 10):
            chunked.partial_fit(X[rows], y[rows], sample_indices=rows)
    assert chunked.score(X, clean) >= 0.98 * whole
    assert chunked.seen_count_.size == 5000
    assert roc_auc_score(wrong, chunked.mask_frequency_) >= 0.99


def test_partial_fit_of_a_classifier_reaches_the_score_of_fit(seed):
    X, y, random = _logistic(seed, n=4000)
    whole = ZErrorClassifier(random_state=seed).fit(X, y).score(X, y)
    chunked = ZErrorClassifier(random_state=seed)
    for _ in range(15):
        for rows in np.array_split(random.permutation(4000), 8):
            chunked.partial_fit(X[rows], y[rows], classes=[0, 1])
    assert chunked.score(X, y) >= 0.98 * whole
    assert chunked.mask_frequency_.size == 500


def test_seen_counts_accumulate_over_chunks():
    X, y, _, _ = _shifted(0, 0.1, n=200, d=2)
    model = ZErrorRegressor(random_state=0)
    model.partial_fit(X[:100], y[:100], sample_indices=np.arange(100))
    model.partial_fit(X[:100], y[:100], sample_indices=np.arange(100))
    model.partial_fit(X[100:], y[100:], sample_indices=np.arange(150, 250))
    assert_array_equal(model.seen_count_, np.repeat([1, 0, 1], [100, 50, 100]))  # the first chunk is the warm-up


@pytest.mark.parametrize("indices", [[0, 1], [-1, 0, 1], [0.5, 1.0, 2.0]])
def test_invalid_sample_indices_raise(indices):
    with pytest.raises(ValueError, match="sample_indices must be 3 integers"):
        ZErrorRegressor().partial_fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0], sample_indices=indices)


def test_classes_are_required_first_and_fixed_afterwards():
    X, y = [[0.0], [1.0]] * 5, [0, 1] * 5
    with pytest.raises(ValueError, match="first call"):
        ZErrorClassifier().partial_fit(X, y)
    model = ZErrorClassifier().partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="not the same"):
        model.partial_fit(X, y, classes=[0, 2])
    with pytest.raises(ValueError, match="not in classes_"):
        model.partial_fit(X, [0, 7] * 5)


# Weights.


def test_weights_equal_repetition_in_one_batch(seed):
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(25, 3)), random.standard_t(2, size=25)
    weights = random.integers(0, 3, size=25)
    weighted = ZErrorRegressor(random_state=0).fit(X, y, sample_weight=weights)
    repeated = ZErrorRegressor(random_state=0).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-6, atol=1e-8)
    assert (weighted.seen_count_ > 0).tolist() == (weights > 0).tolist()


def test_low_weights_reduce_the_influence_of_outliers(seed):
    X, y, coef, wrong = _shifted(seed, 0.45, n=2000, d=3)
    model = ZErrorRegressor(random_state=seed).fit(X, y, sample_weight=np.where(wrong, 0.1, 1.0))
    assert _error(model, coef) < 0.3


# Scores.


def test_scores_rank_wrong_targets(seed):
    X, y, _, wrong = _shifted(seed, 0.2, n=1000, d=3)
    model = ZErrorRegressor(random_state=seed).fit(X, y)
    scores = model.score_samples(X, y)
    assert roc_auc_score(wrong, -scores) > 0.99
    assert_array_equal(scores >= -3.0, model.inlier_mask_)


def test_scores_without_targets_use_the_predictions(seed):
    X, y, _ = _logistic(seed, n=500)
    model = ZErrorClassifier(random_state=seed).fit(X, y)
    assert_array_equal(model.score_samples(X), model.score_samples(X, model.predict(X)))


def test_scores_with_too_many_targets_raise():
    model = ZErrorRegressor(max_iter=2).fit(np.arange(20.0)[:, None], np.arange(20.0))
    with pytest.raises(ValueError, match="the numbers must be equal"):
        model.score_samples([[1.0]], [1.0, 2.0])


# Edge cases.


def test_constant_target_is_predicted_and_no_row_masked():
    model = ZErrorRegressor(random_state=0).fit(np.arange(100.0)[:, None], np.full(100, 7.0))
    assert_allclose(model.predict([[3.0]]), 7.0)
    assert model.mask_count_.sum() == 0


def test_two_valued_target_with_equal_residuals_has_no_nan():
    y = np.r_[np.zeros(90), np.ones(10)]
    model = ZErrorRegressor(random_state=0).fit(np.ones((100, 2)), y)
    assert np.isfinite(model.predict(np.ones((3, 2)))).all()
    assert np.isfinite(model.loss_curve_).all()


def test_batches_of_one_class_train(seed):
    X, y, _ = _logistic(seed, n=300, d=3)
    model = ZErrorClassifier(batch_size=7, max_iter=5, random_state=seed)
    for label in (0, 1, 0, 1):
        model.partial_fit(X[y == label], y[y == label], classes=[0, 1])
    assert np.isfinite(model.decision_function(X)).all()


@pytest.mark.parametrize("n_rows", [3, 5])
def test_batches_too_small_to_mask_warn_and_mask_nothing(n_rows):
    X, y = np.arange(40.0)[:, None], np.r_[np.zeros(39), 1e6]
    with pytest.warns(UserWarning, match="too small to mask anything"):
        model = ZErrorRegressor(batch_size=n_rows, masking=BY_STANDARD_DEVIATION, max_iter=3, random_state=0).fit(X, y)
    assert model.mask_count_.sum() == 0


def test_batches_of_six_can_mask():
    X, y = np.zeros((42, 1)), np.r_[np.zeros(41), 1e6]
    model = ZErrorRegressor(batch_size=6, masking=BY_STANDARD_DEVIATION, random_state=0).fit(X, y)
    assert model.mask_count_[-1] > 0


@pytest.mark.parametrize("make", [ZErrorRegressor, ImbalancedRegressor])
def test_text_targets_raise_and_name_the_classifier(make):
    with pytest.raises(ValueError, match=r"y must hold numbers\..*take ZErrorClassifier"):
        make().fit(pd.DataFrame({"a": [1.0, 2.0]}), ["ok", "fraud"])


def test_missing_targets_raise():
    with pytest.raises(ValueError, match="NaN"):
        ZErrorRegressor().fit([[1.0], [2.0]], [np.nan, 1.0])


def test_single_class_raises():
    with pytest.raises(ValueError, match="at least two classes"):
        ZErrorClassifier().fit([[1.0], [2.0]], [1, 1])


def test_cutoff_with_three_classes_raises():
    with pytest.raises(ValueError, match="is for two classes"):
        ZErrorClassifier(cutoff="youden").fit(np.arange(9.0)[:, None], [0, 1, 2] * 3)


@pytest.mark.parametrize("hidden", [(), (5,)])
def test_float32_is_kept_and_agrees_with_float64(seed, hidden):
    X, y, _, _ = _shifted(seed, 0.1, n=600, d=4)
    double = ZErrorRegressor(hidden_layer_sizes=hidden, max_iter=20, random_state=seed).fit(X, y)
    single = clone(double).fit(X.astype(np.float32), y)
    predictions = single.predict(X.astype(np.float32))
    assert predictions.dtype == np.float32
    assert_allclose(predictions, double.predict(X), rtol=0.05, atol=0.1)


def test_feature_names_are_kept_and_checked(seed):
    X, y, _, _ = _shifted(seed, 0.1, n=200, d=3)
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = ZErrorRegressor(random_state=0).fit(frame, pd.Series(y))
    assert list(model.feature_names_in_) == ["a", "b", "c"]
    assert_array_equal(model.predict(frame), ZErrorRegressor(random_state=0).fit(X, y).predict(X))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["c", "b", "a"]])


@pytest.mark.parametrize("scale", [2.0**-20, 2.0**20])
def test_predictions_are_equivariant_to_units(seed, scale):
    X, y, _, _ = _shifted(seed, 0.2, n=300, d=3)
    plain = ZErrorRegressor(random_state=0).fit(X, y).predict(X)
    assert_allclose(ZErrorRegressor(random_state=0).fit(X * scale, y * scale).predict(X * scale), plain * scale)


def test_labels_may_be_text(seed):
    X, y, _ = _logistic(seed, n=300, d=3)
    named = np.array(["no", "yes"])[y]
    model = ZErrorClassifier(random_state=0).fit(X, named)
    assert_array_equal(model.predict(X), np.array(["no", "yes"])[ZErrorClassifier(random_state=0).fit(X, y).predict(X)])


# Curves, early stopping, printing, parameters.


def test_coefficients_are_in_original_units(seed):
    X, y, _, _ = _shifted(seed, 0.1, n=300, d=3)
    X = X * [1.0, 50.0, 0.01] + [0.0, 7.0, -3.0]
    model = ZErrorRegressor(random_state=0).fit(X, y)
    assert_allclose(X @ model.coef_ + model.intercept_, model.predict(X), rtol=1e-8, atol=1e-8)


def test_network_weights_reproduce_the_predictions(seed):
    X, y, _, _ = _shifted(seed, 0.1, n=300, d=3)
    model = ZErrorRegressor(hidden_layer_sizes=(4,), random_state=0).fit(X, y)
    hidden = np.maximum(X @ model.coefs_[0] + model.intercepts_[0], 0)
    assert_allclose((hidden @ model.coefs_[1] + model.intercepts_[1])[:, 0], model.predict(X), rtol=1e-8, atol=1e-8)
    assert not hasattr(model, "coef_")


@pytest.mark.parametrize("schedule", ["linear", "cosine", "exponential"])
def test_threshold_follows_its_schedule(schedule):
    mask = ZErrorMask(threshold=2.0, threshold_start=4.0, schedule=schedule, warmup_epochs=2)
    model = ZErrorRegressor(masking=mask, max_iter=11).fit(np.arange(50.0)[:, None], np.arange(50.0))
    curve = model.threshold_curve_
    assert np.isinf(curve[:2]).all()
    assert_allclose(curve[[2, -1]], [4.0, 2.0])
    assert_allclose(curve[6], {"linear": 3.0, "cosine": 3.0, "exponential": np.sqrt(8.0)}[schedule])
    assert (np.diff(curve[2:]) < 0).all()


def test_early_stopping_masks_held_out_rows_too(seed):
    X, y, _, wrong = _shifted(seed, 0.2, n=2000, d=5)
    model = ZErrorRegressor(early_stopping=True, max_iter=400, random_state=seed).fit(X, y)
    assert model.n_iter_ < 400
    assert (model.seen_count_ > 0).all()
    assert roc_auc_score(wrong, model.mask_frequency_) > 0.99


def test_verbose_prints_each_epoch():
    with redirect_stdout(io.StringIO()) as printed:
        ZErrorRegressor(verbose=True, max_iter=3).fit(np.arange(50.0)[:, None], np.arange(50.0))
    assert printed.getvalue().count("ZErrorRegressor: epoch") == 3


@pytest.mark.parametrize("make", [ZErrorRegressor, ZErrorClassifier])
def test_grid_search_sets_parameters_of_the_mask(make):
    X, y, _, _ = _shifted(0, 0.1, n=200, d=2)
    y = y if make is ZErrorRegressor else (y > 0).astype(int)
    search = GridSearchCV(make(max_iter=5, random_state=0), {"masking__threshold": [1.5, 4.0]}, cv=2).fit(X, y)
    assert search.best_estimator_.masking.threshold == search.best_params_["masking__threshold"]


def test_nested_parameters_do_not_change_other_estimators():
    first, second = ZErrorRegressor(), ZErrorRegressor()
    first.set_params(masking__threshold=1.0)
    assert second.masking is None
    mask = ZErrorMask()
    clone(ZErrorRegressor(masking=mask)).set_params(masking__threshold=1.0)
    assert mask.threshold == "auto"


def test_pickle_keeps_the_training_state():
    X, y, _, _ = _shifted(0, 0.1, n=300, d=3)
    model = ZErrorRegressor(random_state=0).partial_fit(X, y)
    copy = pickle.loads(pickle.dumps(model))  # noqa: S301  # our own bytes
    assert_array_equal(copy.partial_fit(X, y).predict(X), model.partial_fit(X, y).predict(X))


def test_failed_partial_fit_keeps_the_fitted_model():
    X, y, _, _ = _shifted(0, 0.1, n=300, d=3)
    model = ZErrorRegressor(random_state=0).fit(X, y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="features"):
        model.partial_fit(X[:, :2], y)
    assert_array_equal(model.predict(X), before)


def test_layer_without_units_raises():
    with pytest.raises(ValueError, match="at least one unit"):
        ZErrorRegressor(hidden_layer_sizes=(3, 0)).fit([[0.0], [1.0]], [0.0, 1.0])
