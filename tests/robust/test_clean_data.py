"""Clean data stay clean with any learner, and planted label errors are found."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine, make_blobs
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skanomaly.robust import MaskedEstimator, SampleCurator, ZErrorClassifier, ZErrorMask, ZErrorRegressor
from skanomaly.robust._contradictions import _overlapping, contradictions
from skanomaly.robust._reference import combined_outputs, forest_outputs

FAST = {
    "boosting": HistGradientBoostingClassifier(max_iter=30, random_state=0),
    "forest": RandomForestClassifier(30, random_state=0),
    "extra trees": ExtraTreesClassifier(30, random_state=0),
    "naive Bayes": GaussianNB(),
    "neighbours": KNeighborsClassifier(),
    "quadratic": QuadraticDiscriminantAnalysis(),
    "support vectors": SVC(),
    "logistic": LogisticRegression(),
}
SLOW = {
    "boosting": HistGradientBoostingClassifier(max_iter=50, random_state=0),
    "forest": RandomForestClassifier(random_state=0),
    "extra trees": ExtraTreesClassifier(random_state=0),
    "naive Bayes": GaussianNB(),
    "neighbours": make_pipeline(StandardScaler(), KNeighborsClassifier()),
    "support vectors": make_pipeline(StandardScaler(), SVC()),
    "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)),
    "calibrated": CalibratedClassifierCV(make_pipeline(StandardScaler(), SVC())),
}
learners = pytest.mark.parametrize("learner", FAST.values(), ids=FAST)


def _half_plane(seed, n):
    """Two classes without any label error, which meet at a line."""
    X = np.random.default_rng(seed).normal(size=(n, 4))
    return X, (X[:, 0] + X[:, 1] > 0).astype(int)


def _overlap(seed, n):
    """Two classes without any label error, of which a fifth of the rows lies on the wrong side of the best boundary."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 4))
    return X, (random.random(n) < 1 / (1 + np.exp(-1.5 * (X[:, 0] + X[:, 1])))).astype(int)


def _flipped(y, fraction, seed):
    random = np.random.default_rng(seed)
    wrong = random.random(y.size) < fraction
    return np.where(wrong, (y + random.integers(1, y.max() + 1, size=y.size)) % (y.max() + 1), y), wrong


def _contradictions(outputs, labels, weights=None, **options):
    defaults = {"threshold": 2.0, "adaptive": False, "per_class": True, "min_keep": 0.5, "min_group": 6, "decay": 0.0}
    n_classes = int(labels.max()) + 1
    groups = n_classes if options.get("per_class", True) else 1
    pooled = np.zeros((groups, 3))
    return contradictions(outputs, labels, weights, n_classes=n_classes, pooled=pooled, **{**defaults, **options})


# The property.


@learners
def test_clean_labels_are_kept_and_accuracy_too(seed, learner):
    X, y = _half_plane(seed, 400)
    fresh, truth = _half_plane(seed + 10_000, 4000)
    model = MaskedEstimator(learner, random_state=seed).fit(X, y)
    assert (~model.inlier_mask_).mean() <= 0.02
    assert model.score(fresh, truth) >= clone(learner).fit(X, y).score(fresh, truth) - 0.01


@learners
@pytest.mark.parametrize("fraction", [0.1, 0.2])
def test_planted_label_errors_are_found(seed, learner, fraction):
    X, y = make_blobs(500, n_features=5, centers=[[0] * 5, [2] * 5], random_state=seed)
    given, wrong = _flipped(y, fraction, seed)
    masked = ~MaskedEstimator(learner, random_state=seed).fit(X, given).inlier_mask_
    assert masked[wrong].mean() > 0.4
    assert masked[~wrong].mean() < 0.05


@pytest.mark.parametrize("learner", [GaussianNB(), LogisticRegression(), QuadraticDiscriminantAnalysis()])
def test_clean_labels_of_overlapping_classes_are_kept(seed, learner):
    X, y = _overlap(seed, 500)
    fresh, truth = _overlap(seed + 10_000, 4000)
    model = MaskedEstimator(learner, random_state=seed).fit(X, y)
    assert (~model.inlier_mask_).mean() <= 0.015
    assert model.score(fresh, truth) >= clone(learner).fit(X, y).score(fresh, truth) - 0.01


@pytest.mark.parametrize("learner", [GaussianNB(), SVC(), LogisticRegression(max_iter=500)])
def test_label_errors_of_four_classes_are_found(seed, learner):
    X, y = make_blobs(600, n_features=6, centers=4, cluster_std=2.0, center_box=(-6, 6), random_state=seed)
    given, wrong = _flipped(y, 0.15, seed)
    masked = ~MaskedEstimator(learner, random_state=seed).fit(X, given).inlier_mask_
    assert masked[wrong].mean() > 0.5
    assert masked[~wrong].mean() < 0.05


@pytest.mark.parametrize("hidden", [(), (16,)])
def test_clean_labels_of_a_rare_class_are_kept_in_training(seed, hidden):
    random = np.random.default_rng(seed)
    y = np.repeat([0, 1], [950, 50])
    X = random.normal(size=(1000, 3)) + 2.5 * y[:, None] * random.random((1000, 1))
    model = ZErrorClassifier(hidden_layer_sizes=hidden, random_state=seed).fit(X, y)
    assert (~model.inlier_mask_).mean() <= 0.02
    assert model.inlier_mask_[y == 1].mean() > 0.6


@pytest.mark.parametrize("learner", [FAST["boosting"], FAST["neighbours"], FAST["naive Bayes"]])
def test_curator_keeps_clean_rows_and_drops_label_errors(seed, learner):
    X, y = make_blobs(500, n_features=5, centers=[[0] * 5, [2] * 5], random_state=seed)
    given, wrong = _flipped(y, 0.2, seed)
    curator = SampleCurator(MaskedEstimator(learner), cv=3, random_state=seed)
    assert (curator.fit(X, y).decision_ == "drop").mean() <= 0.02
    dropped = curator.fit(X, given).decision_ == "drop"
    assert dropped[wrong].mean() > 0.4
    assert dropped[~wrong].mean() < 0.04


@pytest.mark.parametrize(
    "learner",
    [Ridge(), KNeighborsRegressor(), RandomForestRegressor(20, random_state=0), DecisionTreeRegressor(max_depth=4)],
)
def test_clean_targets_are_kept(seed, learner):
    random = np.random.default_rng(seed)
    X = random.normal(size=(400, 3))
    y = X @ [1.0, 2.0, -1.0] + random.normal(size=400)
    assert (~MaskedEstimator(learner, random_state=seed).fit(X, y).inlier_mask_).mean() <= 0.02


def test_errors_that_are_only_rounding_mask_nothing(seed):
    X = np.random.default_rng(seed).normal(size=(200, 3))
    model = MaskedEstimator(Ridge(alpha=1e-12), random_state=0).fit(X, 1e3 + X @ [1.0, 2.0, 3.0])
    assert model.inlier_mask_.all()


def test_class_that_is_not_recognised_is_kept(seed):
    random = np.random.default_rng(seed)
    y = np.repeat([0, 1], [260, 20])
    model = MaskedEstimator(LogisticRegression(), random_state=0).fit(random.normal(size=(280, 3)), y)
    assert model.inlier_mask_.all()


@pytest.mark.slow
@pytest.mark.parametrize("learner", SLOW.values(), ids=SLOW)
def test_public_tables_stay_clean(learner):
    masked, changes = [], []
    for load in (load_breast_cancer, load_wine, load_digits):
        X, y = load(return_X_y=True)
        if y.size > 1000:
            X, _, y, _ = train_test_split(X, y, train_size=1000, stratify=y, random_state=0)
        for split in range(3):
            X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, stratify=y, random_state=split)
            model = MaskedEstimator(learner, random_state=split).fit(X_train, y_train)
            masked.append(1 - model.inlier_mask_.mean())
            changes.append(model.score(X_test, y_test) - clone(learner).fit(X_train, y_train).score(X_test, y_test))
    assert np.mean(masked) <= 0.02
    assert np.mean(changes) >= -0.005


@pytest.mark.slow
@pytest.mark.parametrize("learner", [Ridge(), RandomForestRegressor(), HistGradientBoostingRegressor(max_iter=50)])
def test_diabetes_targets_stay_clean(learner):
    X, y = load_diabetes(return_X_y=True)
    assert (~MaskedEstimator(learner, random_state=0).fit(X, y).inlier_mask_).mean() <= 0.02


# The rule.


def test_rows_that_agree_with_their_label_are_kept(seed):
    random = np.random.default_rng(seed)
    outputs, labels = random.standard_cauchy(size=(500, 3)), random.integers(0, 3, size=500)
    labels[:400] = outputs[:400].argmax(axis=1)
    keep = _contradictions(outputs, labels, adaptive=True).keep
    assert keep[outputs.argmax(axis=1) == labels].all()


@pytest.mark.parametrize("n_classes", [2, 3, 30])
def test_label_errors_are_found_at_any_scale_of_the_outputs(seed, n_classes):
    random = np.random.default_rng(seed)
    truth = random.integers(0, n_classes, size=1200)
    outputs = random.normal(size=(1200, n_classes))
    outputs[np.arange(1200), truth] += 8.0
    labels, wrong = truth.copy(), random.random(1200) < 0.1
    labels[wrong] = (truth[wrong] + 1) % n_classes
    found = _contradictions(outputs, labels, adaptive=True)
    assert (~found.keep)[wrong].mean() > 0.8
    assert found.keep[~wrong].all()
    assert_array_equal(_contradictions(2.0**20 * outputs, labels, adaptive=True).keep, found.keep)


def test_unsure_contradictions_are_overlap_and_sure_ones_are_label_errors(seed):
    random = np.random.default_rng(seed)
    logits = 2.0 * random.normal(size=2000)
    overlap = (random.random(2000) < 1 / (1 + np.exp(-logits))).astype(int)
    noise = np.where(random.random(2000) < 0.25, logits < 0, logits > 0).astype(int)
    found = _contradictions(logits[:, None], overlap, adaptive=True)
    assert found.overlapping
    assert 0 < (~found.keep).mean() <= 0.015
    found = _contradictions(logits[:, None], noise, adaptive=True)
    assert not found.overlapping
    assert (~found.keep).mean() > 0.12
    assert (~_contradictions(logits[:, None], overlap, adaptive=False).keep).mean() > 0.015


@pytest.mark.parametrize(("n_classes", "overlapping"), [(2, True), (3, True), (10, False)])
def test_more_classes_need_fewer_sure_contradictions(n_classes, overlapping):
    sure, unsure = np.full(50, 1.5), np.full(50, 0.5)
    references, suspects = np.r_[sure, unsure], np.r_[sure[:12], unsure[:38]]  # 24 % of them, and 50 %
    found = _overlapping(suspects, np.ones(50), references, np.ones(100), 200.0, n_classes)
    assert found == overlapping


def test_overlap_is_decided_before_rows_are_masked(seed):
    random = np.random.default_rng(seed)
    logits = 2.0 * random.normal(size=2000)
    labels = np.where(random.random(2000) < 0.25, logits < 0, logits > 0).astype(int)
    earlier = np.abs(logits) * (labels != (logits > 0)) > 5
    assert earlier.any()
    found = _contradictions(logits[:, None], labels, adaptive=True, earlier=earlier, overlapping=True)
    assert found.overlapping
    assert (~found.keep).mean() <= 0.015


def test_one_logit_equals_two_outputs(seed):
    random = np.random.default_rng(seed)
    logits, labels = random.normal(size=300), random.integers(0, 2, size=300)
    labels[:250] = logits[:250] > 0
    one, two = (_contradictions(table, labels) for table in (logits[:, None], np.column_stack([-logits, logits]) / 2))
    assert_array_equal(one.keep, two.keep)
    assert_allclose(one.scale, two.scale)


@pytest.mark.parametrize("adaptive", [True, False])
def test_weights_equal_repetition(seed, adaptive):
    random = np.random.default_rng(seed)
    outputs, labels = random.normal(size=(300, 3)), random.integers(0, 3, size=300)
    outputs[np.arange(300), labels] += 3.0
    labels[:30] = (labels[:30] + 1) % 3
    weights = random.integers(1, 4, size=300)
    weighted = _contradictions(outputs, labels, weights.astype(float), adaptive=adaptive)
    repeated = _contradictions(np.repeat(outputs, weights, axis=0), np.repeat(labels, weights), adaptive=adaptive)
    assert_array_equal(np.repeat(weighted.keep, weights), repeated.keep)
    assert_allclose(weighted.scale, repeated.scale)


def test_min_keep_keeps_the_least_sure_rows(seed):
    random = np.random.default_rng(seed)
    logits = random.normal(size=400)
    labels = np.where(random.random(400) < 0.4, logits < 0, logits > 0).astype(int)
    keep = _contradictions(logits[:, None], labels, threshold=1.2, min_keep=0.9).keep
    assert 0.85 < 1 - (~keep).mean() < 0.95
    wrong = (logits > 0) != labels
    assert np.abs(logits[~keep]).min() > 0.5 * np.abs(logits[keep & wrong]).max()


def test_higher_threshold_masks_fewer_rows(seed):
    X, y = make_blobs(300, n_features=4, centers=[[0] * 4, [2] * 4], random_state=seed)
    given, _ = _flipped(y, 0.2, seed)
    counts = [
        (~MaskedEstimator(GaussianNB(), masking=ZErrorMask(threshold=t), max_iter=1).fit(X, given).inlier_mask_).sum()
        for t in (1.0, 1.5, 2.0, 3.0)
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_masked_rows_have_standardised_errors_above_the_threshold(seed):
    X, y = make_blobs(400, n_features=5, centers=[[0] * 5, [2] * 5], random_state=seed)
    given, _ = _flipped(y, 0.15, seed)
    model = ZErrorClassifier(random_state=seed).fit(X, given)
    assert_array_equal(model.score_samples(X, given) > -2.0 * (1 - 1e-9), model.inlier_mask_)


# The reference.


def _curved(seed, n):
    """Two classes that a curved line separates without overlap, and a straight one does not."""
    X = np.random.default_rng(seed).normal(size=(n, 3))
    return X, (np.abs(X[:, 0]) < 0.3 + 0.3 * (X[:, 1] > 0)).astype(int)


def test_errors_of_a_model_that_does_not_suit_the_classes_are_kept(seed):
    X, y = _curved(seed, 500)
    masked = {
        name: (~MaskedEstimator(LogisticRegression(), reference=name, random_state=seed).fit(X, y).inlier_mask_).mean()
        for name in ("auto", None)
    }
    assert masked["auto"] <= min(0.015, masked[None])


def test_label_errors_are_found_where_the_classifier_alone_does_not_suit_the_classes(seed):
    X, y = _curved(seed, 500)
    given, wrong = _flipped(y, 0.1, seed)
    found = {
        name: (~MaskedEstimator(SVC(), reference=name, random_state=seed).fit(X, given).inlier_mask_)[wrong].mean()
        for name in ("auto", None)
    }
    assert found["auto"] > 0.4
    assert found["auto"] >= found[None] - 0.1


def test_tree_with_pure_leaves_masks_label_errors_by_the_reference(seed):
    X, y = make_blobs(400, n_features=4, centers=[[0] * 4, [3] * 4], random_state=seed)
    given, wrong = _flipped(y, 0.1, seed)
    masked = ~MaskedEstimator(DecisionTreeClassifier(random_state=0), random_state=seed).fit(X, given).inlier_mask_
    assert masked[wrong].mean() > 0.5
    assert masked[~wrong].mean() < 0.03


def test_rows_that_the_reference_predicts_as_labelled_are_kept(seed):
    X, y = _curved(seed, 300)
    given, _ = _flipped(y, 0.2, seed)
    model = MaskedEstimator(LogisticRegression(), random_state=seed)
    expected = int(np.random.default_rng(seed).integers(2**31))
    votes = forest_outputs(X, given, None, 2, expected)
    assert model.fit(X, given).inlier_mask_[votes.argmax(axis=1) == given].all()


def test_a_number_as_threshold_needs_no_reference():
    X, y = _half_plane(0, 200)
    mask = ZErrorMask(threshold=2.0)
    kept = [
        MaskedEstimator(GaussianNB(), masking=mask, reference=name, random_state=0).fit(X, y).inlier_mask_
        for name in ("auto", None)
    ]
    assert_array_equal(*kept)


def test_combined_outputs_do_not_depend_on_the_units_of_either(seed):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, size=200)
    first, second = random.normal(size=(2, 200, 3)) + 2.0 * np.eye(3)[labels]
    combined = combined_outputs(first, second, labels, None)
    assert_allclose(combined_outputs(2.0**20 * first, second + 7.0, labels, None), combined, atol=1e-12)
    assert_allclose(combined_outputs(second, first, labels, None), combined, atol=1e-12)
    assert combined.max() <= 0.0
    assert combined.min() >= -2.0


def test_weights_of_combined_outputs_equal_repetition(seed):
    random = np.random.default_rng(seed)
    labels, weights = random.integers(0, 3, size=100), random.integers(1, 4, size=100)
    first, second = random.normal(size=(2, 100, 3)) + 2.0 * np.eye(3)[labels]
    weighted = combined_outputs(first, second, labels, weights.astype(float))
    repeated = combined_outputs(*(np.repeat(table, weights, axis=0) for table in (first, second, labels)), None)
    assert_allclose(np.repeat(weighted, weights, axis=0), repeated, atol=1e-12)


def test_forest_outputs_are_those_of_trees_without_the_row(seed):
    X = np.random.default_rng(seed).normal(size=(200, 2))
    outputs = forest_outputs(X, np.random.default_rng(seed + 1).integers(0, 2, size=200), None, 3, 0)
    assert_allclose(outputs.sum(axis=1), 1.0)
    assert not outputs[:, 2].any()
    votes = outputs[np.arange(200), np.random.default_rng(seed + 1).integers(0, 2, size=200)]
    assert (votes > 0.5).mean() < 0.75  # of labels that are random; trees that saw the row would give 1.0


def test_forest_reads_categories_dates_missing_and_huge_values():
    frame = pd.DataFrame({"kind": list("abcd") * 25, "size": [1e300, np.inf, np.nan, -np.inf] * 25})
    frame["when"] = pd.date_range("2024", periods=100)
    labels = np.arange(100) % 4 // 2
    assert (forest_outputs(frame, labels, None, 2, 0).argmax(axis=1) == labels).mean() > 0.95
    assert forest_outputs(pd.DataFrame({"lists": [[1]] * 100}), labels, None, 2, 0) is None


# Warnings.


def test_labels_that_contradict_a_third_of_the_predictions_warn(seed):
    X, y = make_blobs(600, n_features=5, centers=[[0] * 5, [3] * 5], random_state=seed)
    given, _ = _flipped(y, 0.38, seed)
    with pytest.warns(UserWarning, match="labels contradict the predictions"):
        ZErrorClassifier(random_state=seed).fit(X, given)


def test_heavy_tails_warn_and_outliers_do_not(seed):
    random = np.random.default_rng(seed)
    X = random.normal(size=(2000, 2))
    clean = X @ [1.0, 2.0]
    with pytest.warns(UserWarning, match="heavier tails than the normal distribution"):
        ZErrorRegressor(masking=ZErrorMask(threshold=3.0), max_iter=30, random_state=seed).fit(
            X, clean + random.standard_t(1.5, size=2000)
        )
    ZErrorRegressor(max_iter=30, random_state=seed).fit(X, clean + random.normal(size=2000) + 20 * (X[:, 0] > 1))


def test_mask_that_does_not_settle_warns():
    random = np.random.default_rng(0)
    X, y = random.normal(size=(200, 3)), random.standard_cauchy(size=200)
    with pytest.warns(ConvergenceWarning, match=r"did not settle in max_iter=2 rounds"):
        MaskedEstimator(DecisionTreeRegressor(random_state=0), max_iter=2, random_state=0).fit(X, y)


@pytest.mark.parametrize("learner", [DecisionTreeClassifier(random_state=0), KNeighborsClassifier(1)])
def test_classifier_that_is_always_sure_masks_nothing_and_warns(seed, learner):
    X, y = _half_plane(seed, 300)
    with pytest.warns(UserWarning, match="equally sure of nearly all of its predictions"):
        model = MaskedEstimator(learner, reference=None, random_state=0).fit(X, y)
    assert model.inlier_mask_.all()


def test_classifier_without_scores_raises():
    X, y = _half_plane(0, 60)
    with pytest.raises(TypeError, match="neither decision_function nor predict_proba"):
        MaskedEstimator(VotingClassifier([("a", GaussianNB()), ("b", SVC())])).fit(X, y)
