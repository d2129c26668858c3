"""Clean targets with long tails, clean classes with a minority mode, and clean data in other classes that drop rows."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import LocalOutlierFactor

from skanomaly.robust import (
    ContaminationFilter,
    MaskedEstimator,
    PurifiedDetector,
    SampleCurator,
    StreamGuard,
    TrainingDynamics,
    ZErrorClassifier,
    ZErrorMask,
    ZErrorRegressor,
)
from skanomaly.robust._contradictions import Contradictions
from skanomaly.robust._mask import MaskPlan
from skanomaly.robust._reference import Forests, SuspectForests, is_better
from skanomaly.robust._tails import target_step


def _with_mode(seed, n=600):
    """Two classes without any label error; a tenth of the first lies far beyond the second."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, size=n)
    X = random.normal(size=(n, 4)) + 2.5 * y[:, None] * np.array([1.0, 1.0, 0.0, 0.0])
    mode = (y == 0) & (random.random(n) < 0.1)
    X[mode] = 0.5 * random.normal(size=(mode.sum(), 4)) + [6.0, 6.0, 3.0, -3.0]
    return X, y, mode


def _linear(seed, noise, n=600):
    X = np.random.default_rng(seed).normal(size=(n, 3))
    return X, X @ [1.0, -2.0, 0.5] + noise


def _plan(**options):
    return MaskPlan.of(ZErrorMask(**options), classifier=False)


# Long tails.


@pytest.mark.filterwarnings("ignore:.*heavier tails")
def test_targets_with_a_long_tail_are_kept():
    masked = []
    for seed in range(10):  # by chance a part of a tail holds more rows than the one before
        X, y = _linear(seed, np.random.default_rng(seed + 100).gamma(2.0, size=600))
        models = MaskedEstimator(Ridge(), cv=2, random_state=0), ZErrorRegressor(max_iter=20, random_state=0)
        masked.append([(~model.fit(X, y).inlier_mask_).mean() for model in models])
    assert (np.median(masked, axis=0) <= 0.02).all()


@pytest.mark.filterwarnings("ignore:.*heavier tails")
def test_curator_drops_no_more_of_a_long_tail_than_its_rate():
    dropped = []
    for seed in range(5):
        X, y = _linear(seed, np.random.default_rng(seed + 100).gamma(2.0, size=1000), n=1000)
        curator = SampleCurator(ZErrorRegressor(max_iter=20), cv=2, false_drop_rate=0.01, random_state=0).fit(X, y)
        dropped.append((curator.decision_ == "drop").mean())
    assert 0 < np.median(dropped) <= 0.01


@pytest.mark.filterwarnings("ignore:.*heavier tails")
def test_a_number_as_threshold_masks_the_tail_beyond_it(seed):
    X, y = _linear(seed, np.random.default_rng(seed + 1).standard_t(3, size=2000), n=2000)
    model = MaskedEstimator(Ridge(), masking=ZErrorMask(threshold=3.0), max_iter=1, random_state=seed).fit(X, y)
    assert (~model.inlier_mask_).mean() > 0.02


def test_wrong_targets_beyond_a_normal_tail_are_found(seed):
    random = np.random.default_rng(seed)
    wrong = random.random(600) < 0.05
    X, y = _linear(seed, random.normal(size=600) + 6.0 * wrong)
    for model in (MaskedEstimator(Ridge(), random_state=seed), ZErrorRegressor(random_state=seed)):
        assert (~model.fit(X, y).inlier_mask_)[wrong].mean() > 0.85


def test_tails_that_decrease_have_a_limit_and_others_have_none():
    normal = norm.ppf(np.arange(0.5, 2000) / 2000)
    skewed = np.exp(0.5 * normal)
    limit = _plan().tail_limit(skewed, None)
    standardised = np.abs(skewed - 1.0) / (1.4826 * np.median(np.abs(skewed - 1.0)))
    assert limit > 3.0
    assert 0.018 < (standardised > limit).mean() < 0.022
    assert (standardised > 3.0).mean() > 0.03
    assert _plan().tail_limit(normal, None) == 0.0
    assert _plan().tail_limit(np.r_[normal, np.full(100, 12.0)], None) == 0.0
    assert _plan().tail_limit(np.r_[normal, 5.0 + normal[::20]], None) == 0.0
    for options in ({"threshold": 3.0}, {"threshold": np.inf}, {"center_scale": "mean_std"}, {"statistic": "loss"}):
        assert _plan(**options).tail_limit(skewed, None) == 0.0
    assert _plan().tail_limit(np.zeros(50), None) == 0.0
    for errors in (
        np.exp(normal),
        normal / np.sqrt(np.linspace(0.1, 1.0, 2000)),
        np.tan(np.pi * norm.cdf(normal) / 2.1),
    ):
        assert _plan().tail_limit(errors, None) > 3.0  # tails of any weight


def test_targets_of_one_value_and_others_have_no_group(seed):
    targets = np.r_[np.zeros(700), np.random.default_rng(seed).lognormal(2.0, 0.3, size=300)]
    errors = targets + 0.1 * np.random.default_rng(seed + 1).normal(size=1000)
    assert _plan().tail_limit(errors, None) == 0.0
    assert _plan().tail_limit(errors, None, targets) > 3.0


def test_scale_of_counts_is_at_least_half_of_their_step(seed):
    random = np.random.default_rng(seed)
    targets = random.poisson(0.3, size=1000).astype(float)
    errors = targets - 0.3 + 0.01 * random.normal(size=1000)
    center = np.median(errors)
    limit = 1.4826 * np.median(np.abs(errors - center)) * _plan().tail_limit(errors, None, targets)
    assert (np.abs(errors - center) > limit).mean() <= 0.022
    assert limit >= 1.5 * (1 - 1e-9)


def test_steps_are_those_of_counts_and_rounded_targets(seed):
    random = np.random.default_rng(seed)
    counts = random.poisson(3.0, size=200).astype(float)
    assert target_step(counts, None) == 1.0
    assert_allclose(target_step(np.round(random.normal(size=200), 1), None), 0.1)
    assert target_step(random.normal(size=200), None) == 0.0
    assert target_step(np.r_[counts, 7.3], None) == 1.0
    assert target_step(np.ones(9), None) == 0.0


def test_errors_that_the_columns_predict_are_a_tail(seed):
    random = np.random.default_rng(seed)
    X = random.normal(size=(500, 4))
    noisy, wrong = X[:, 0] > 1.0, random.random(500) < 0.16
    for mask, answer in ((noisy, True), (wrong, False)):
        assert SuspectForests(seed).predict(0, X, mask, None) is answer
    assert not SuspectForests(0).predict(0, pd.DataFrame({"lists": [[1]] * 100}), np.arange(100) < 5, None)


def test_few_other_suspects_need_no_other_forest(monkeypatch):
    X, calls = np.random.default_rng(0).normal(size=(200, 3)), []
    forests = SuspectForests(0)

    def outputs(X, labels, *_):
        calls.append(1)
        return np.zeros((labels.size, 2))

    monkeypatch.setattr(forests, "_outputs", outputs)
    for n_suspects in (40, 42, 60):
        forests.predict(0, X, np.arange(200) < n_suspects, None)
    assert len(calls) == 2


@pytest.mark.parametrize("kind", ["exponential", "hetero", "zero inflated", "log-normal"])
def test_clean_targets_far_from_normal_are_kept(kind, seed):
    masked = []
    for draw in range(3):
        random = np.random.default_rng(1000 * seed + draw)
        X = random.normal(size=(500, 3))
        y = {
            "exponential": X[:, 0] + random.exponential(size=500),
            "hetero": X[:, 0] + np.exp(X[:, 1]) * random.normal(size=500),
            "zero inflated": np.where(random.random(500) < 0.6, 0.0, random.lognormal(1.0, 0.5, size=500)),
            "log-normal": np.exp(X[:, 0] + 0.5 * random.normal(size=500)),
        }[kind]
        models = MaskedEstimator(Ridge(), cv=3, random_state=0), ZErrorRegressor(max_iter=25, random_state=0)
        masked.append([(~model.fit(X, y).inlier_mask_).mean() for model in models])
    assert (np.median(masked, axis=0) <= 0.021).all()


def test_weights_of_a_tail_equal_repetition(seed):
    random = np.random.default_rng(seed)
    errors, weights = random.gamma(2.0, size=2000), random.integers(1, 4, size=2000)
    limit = _plan().tail_limit(errors, weights.astype(float))
    assert limit > 3.0
    assert_allclose(limit, _plan().tail_limit(np.repeat(errors, weights), None))


def test_few_rows_beyond_the_threshold_are_no_tail():
    errors = np.r_[np.linspace(-1.0, 1.0, 80), [2.5, 2.6, 2.7, 2.8, 2.9, 3.1, 3.5]]
    assert _plan().limit_of_long_tail(errors, np.ones(87)) == 0.0
    assert _plan().limit_of_long_tail(np.r_[errors, 3.2], np.ones(88)) > 3.0


# A second opinion for linear classifiers, and overlap by the reference.


def test_minority_mode_of_a_class_is_kept(seed):
    X, y, mode = _with_mode(seed)
    model = ZErrorClassifier(random_state=seed).fit(X, y)
    assert model.inlier_mask_[mode].mean() > 0.8
    assert (~model.inlier_mask_).mean() <= 0.02
    alone = ZErrorClassifier(masking=ZErrorMask(threshold=2.0), random_state=seed).fit(X, y)
    assert alone.inlier_mask_[mode].mean() < 0.2


def test_curator_keeps_a_minority_mode(seed):
    X, y, mode = _with_mode(seed, 400)
    curator = SampleCurator(ZErrorClassifier(max_iter=30), cv=3, random_state=seed).fit(X, y)
    assert (curator.decision_[mode] == "drop").mean() < 0.2


def test_label_errors_beside_a_minority_mode_are_found(seed):
    X, y, mode = _with_mode(seed)
    wrong = (np.random.default_rng(seed + 1).random(600) < 0.1) & ~mode
    model = ZErrorClassifier(random_state=seed).fit(X, np.where(wrong, 1 - y, y))
    assert (~model.inlier_mask_)[wrong].mean() > 0.5
    assert model.inlier_mask_[mode].mean() > 0.8


def test_minority_mode_is_kept_with_held_out_rows_and_in_pieces(seed):
    X, y, mode = _with_mode(seed)
    held_out = ZErrorClassifier(early_stopping=True, max_iter=40, random_state=seed).fit(X, y)
    assert held_out.inlier_mask_[mode].mean() > 0.8
    pieces = ZErrorClassifier(max_iter=20, random_state=seed).fit_chunks([X[:250], X[250:]], [y[:250], y[250:]])
    whole = ZErrorClassifier(max_iter=20, random_state=seed).fit(X, y)
    assert_array_equal(pieces.coef_, whole.coef_)
    assert_array_equal(pieces.inlier_mask_, whole.inlier_mask_)


def test_minority_mode_is_kept_in_several_windows(monkeypatch, seed):
    monkeypatch.setattr("skanomaly._support._recut.windows.__defaults__", (300,))
    monkeypatch.setattr("skanomaly.robust._zerror_base.WINDOW_ROWS", 300)
    X, y, mode = _with_mode(seed, 900)
    model = ZErrorClassifier(max_iter=40, random_state=seed).fit_chunks([X], [y])
    assert model.inlier_mask_[mode].mean() > 0.8
    assert model._training.forests is None


def test_forest_of_a_part_is_fitted_once():
    X, y, _ = _with_mode(0, 100)
    forests = Forests(2, np.random.default_rng(0))
    first = forests.outputs(0, X, y, None)
    assert forests.outputs(0, X, y, None) is first
    assert forests.outputs(1, X[:50], y[:50], None).shape == (50, 2)


def test_error_rates_are_compared_by_weight():
    labels, logits = np.array([0, 1, 1]), np.array([[-1.0], [1.0], [-1.0]])
    reference = np.array([[0.2, 0.8], [0.2, 0.8], [0.2, 0.8]])
    assert not is_better(reference, logits, labels, None)
    assert is_better(reference, logits, labels, np.array([1.0, 1.0, 3.0]))
    assert not is_better(reference, logits, labels, np.array([1.0, 1.0, 3.0]), 0.3)


@pytest.mark.parametrize(("n_wrong", "decided"), [(30, True), (15, None)])
@pytest.mark.parametrize("overlapping", [True, False])
def test_reference_that_is_far_better_decides_whether_classes_overlap(monkeypatch, n_wrong, decided, overlapping):
    labels, given = np.arange(100) % 2, []

    def found(outputs, **options):
        given.append(options.get("overlapping"))
        return Contradictions(np.zeros(100, dtype=bool), np.ones(2), overlapping=overlapping)

    monkeypatch.setattr("skanomaly.robust._mask.contradictions", found)
    own, reference = (np.eye(2)[np.where(np.arange(100) < n, 1 - labels, labels)] for n in (n_wrong, 10))
    plan = MaskPlan.of(ZErrorMask(), classifier=True)
    kept = plan.keep_labels(own, labels, None, 2.0, np.zeros((2, 3)), 2, reference=reference).keep
    assert given[-1] == (decided if overlapping else None)
    assert_array_equal(kept, np.arange(100) >= 10)  # where the reference predicts the label


@pytest.mark.slow
@pytest.mark.parametrize(("name", "learner"), [("satellite", GaussianNB()), ("Ionosphere", None)])
def test_tables_that_the_classifier_does_not_suit_stay_clean(shared_data, name, learner):
    with np.load(shared_data / "tables" / f"{name}.npz") as file:
        X, y = file["X"].astype(float), file["y"].astype(int)
    if y.size > 1000:
        X, _, y, _ = train_test_split(X, y, train_size=1000, stratify=y, random_state=0)
    masked = []
    for split in range(3):
        train, _ = train_test_split(np.arange(y.size), test_size=0.4, stratify=y, random_state=split)
        model = ZErrorClassifier() if learner is None else MaskedEstimator(learner)
        masked.append((~model.set_params(random_state=split).fit(X[train], y[train]).inlier_mask_).mean())
    assert np.mean(masked) <= 0.02


# Clean data in other classes that drop rows.


def test_purified_detector_keeps_the_ranking_of_clean_data(seed):
    random = np.random.default_rng(seed)
    X, normal = random.normal(size=(2, 400, 5))
    rows = np.concatenate([normal, 3.0 * random.normal(size=(100, 5))])
    truth = np.repeat([0, 1], [400, 100])
    plain = LocalOutlierFactor(novelty=True)
    purified = PurifiedDetector(plain, row_filter=ContaminationFilter(n_subsets=30), random_state=seed).fit(X)
    areas = [roc_auc_score(truth, -model.score_samples(rows)) for model in (purified, plain.fit(X))]
    assert areas[0] >= areas[1] - 0.02


def test_few_clean_rows_are_called_mislabelled(seed):
    X, y, mode = _with_mode(seed, 400)
    found = TrainingDynamics(max_iter=15, random_state=seed).fit(X, y).labels_ == "mislabelled"
    assert found[~mode].mean() <= 0.04


def test_clean_stream_is_not_rejected(seed):
    X, y, _ = _with_mode(seed, 4000)
    learner = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=0.01)
    guard = StreamGuard(learner, lag=10, action="reject", batch_size=50, random_state=seed).fit(X, y)
    assert np.mean(guard.history_["alarm"]) <= 0.05


def test_logistic_regression_keeps_a_minority_mode(seed):
    X, y, mode = _with_mode(seed, 400)
    model = MaskedEstimator(LogisticRegression(), cv=3, random_state=seed).fit(X, y)
    assert model.inlier_mask_[mode].mean() > 0.8
