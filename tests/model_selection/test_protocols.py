import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skanomaly.datasets import make_shifted_anomalies
from skanomaly.model_selection import (
    compare_seeds,
    confidence_score,
    ood_benchmark,
    seed_study,
    unseen_group_report,
)
from tests.reference import protocols as reference


class _Noisy(OutlierMixin, BaseEstimator):
    """Distance from the mean, with noise of a seed of its own."""

    def __init__(self, random_state=None, noise=0.0):
        self.random_state = random_state
        self.noise = noise

    def fit(self, X, y=None):
        self.center_ = X.mean(axis=0)
        return self

    def score_samples(self, X):
        extra = np.random.RandomState(self.random_state).normal(size=len(X)) if self.noise else 0.0
        return -np.linalg.norm(X - self.center_, axis=1) - self.noise * extra


def _distance(train, test, *_):
    return np.linalg.norm(test - train.mean(axis=0), axis=1)


def _grouped(seed, apart):
    random = np.random.default_rng(seed)
    groups, y = np.arange(480) % 6, np.where(random.random(480) < 0.25, -1, 1)
    X = random.normal(size=(480, 4)) + apart * random.normal(size=(6, 4))[groups] + 1.5 * (y == -1)[:, None]
    return X, y, groups


def test_unseen_groups_match_the_definition(seed):
    X, y, groups = _grouped(seed, 1.0)
    report = unseen_group_report(_Noisy(), X, y, groups, random_state=seed)
    unseen, seen = reference.unseen_groups(_distance, X, y, groups, seed)
    assert report.unseen == pytest.approx(unseen)
    assert report.seen == pytest.approx(seen)
    assert (report.worst, report.mean) == pytest.approx((unseen.min(), unseen.mean()))


def test_gap_is_near_zero_where_groups_are_alike(seed):
    gaps = [
        unseen_group_report(_Noisy(), *_grouped(100 * seed + repeat, 0.0), random_state=repeat).gap
        for repeat in range(12)
    ]
    assert abs(np.mean(gaps)) < 5 * np.std(gaps, ddof=1) / np.sqrt(12)  # fails once in 2,000
    assert abs(np.mean(gaps)) < 0.01


def test_gap_shows_groups_that_differ():
    X, y, groups = _grouped(0, 4.0)
    report = unseen_group_report(LocalOutlierFactor(10, novelty=True), X, y, groups, random_state=0)
    assert report.gap > 3 * report.gap_error
    assert report.worst < 0.5


def test_classifier_is_fitted_with_the_labels_of_other_groups():
    X, y, groups = _grouped(0, 0.0)
    report = unseen_group_report(LogisticRegression(), X, y, groups, train_on="all", random_state=0)
    assert report.mean > 0.9


def test_group_without_anomalies_is_left_out():
    X, y, groups = _grouped(0, 0.0)
    y[groups == 2] = 1
    report = unseen_group_report(_Noisy(), X, y, groups, random_state=0)
    assert_array_equal(np.isnan(report.unseen), np.arange(6) == 2)
    assert np.isfinite([report.worst, report.mean, report.gap, report.gap_error]).all()


@pytest.mark.parametrize(
    ("y", "groups", "message"),
    [
        ([1, -1, 1, -1], [0, 0, 0, 0], "at least two groups"),
        ([1, -1, 1, -1], [0, 1], "one group for each row"),
        ([1, -1, 1, -1], [0, 0, 1, 1], "No group has two normal rows"),
    ],
)
def test_groups_that_cannot_be_rated_raise(y, groups, message):
    with pytest.raises(ValueError, match=message):
        unseen_group_report(_Noisy(), np.zeros((4, 1)), y, groups)


def test_gap_of_one_rated_group_has_no_error():
    report = unseen_group_report(_Noisy(), np.arange(8.0)[:, None], [1, 1, 1, -1, 1, 1, 1, 1], [0] * 4 + [1] * 4)
    assert np.isnan(report.gap_error)


class _Likelihood(PCA):
    """Probabilistic principal components as a detector."""

    def score_samples(self, X):
        return super().score_samples(X)

    def fit(self, X, y=None):
        return super().fit(X)


def test_confident_classifier_falls_below_chance_where_detectors_do_not():
    X, y = load_breast_cancer(return_X_y=True)
    models = {
        "logistic": make_pipeline(StandardScaler(), LogisticRegression()),
        "forest": RandomForestClassifier(20, min_samples_leaf=3),
        "local": make_pipeline(StandardScaler(), LocalOutlierFactor(novelty=True)),
        "likelihood": make_pipeline(StandardScaler(), _Likelihood(10)),
    }
    report = ood_benchmark(models, X, y, scales=(100,), n_columns=10, random_state=0)
    found = dict(zip(report.names, report.roc_auc[:, 0], strict=True))
    assert found["logistic"] < 0.2
    assert min(found["local"], found["likelihood"]) > 0.95
    assert 0.35 < found["forest"] < 0.65
    assert report.recall[2, 0] > 0.9 > report.recall[0, 0]


def test_extreme_values_make_a_linear_classifier_certain():
    X, y = load_breast_cancer(return_X_y=True)
    models = {"logistic": make_pipeline(StandardScaler(), LogisticRegression())}
    report = ood_benchmark(models, X, y, scales=(1000.0,), n_columns=10, random_state=0)
    assert report.roc_auc[0, 0] < 0.05
    assert len(report.columns) == 10


@pytest.mark.parametrize("perturbation", ["factor", "deviation"])
def test_perturbed_rows_match_the_definition(perturbation, seed):
    random = np.random.default_rng(seed)
    X, y = random.normal(1.0, 1.0, size=(120, 3)), np.arange(120) % 2
    options = {"scales": (2.0, 30.0), "perturbation": perturbation}
    report = ood_benchmark({"detector": _Noisy(), "bayes": GaussianNB()}, X, y, random_state=seed, **options)

    def entropy(train, classes, rows):
        p = GaussianNB().fit(train, classes).predict_proba(rows)
        return -(p * np.log(np.where(p > 0, p, 1))).sum(axis=1)

    for place, score in enumerate((lambda train, _, rows: _distance(train, rows), entropy)):
        expected = reference.perturbed(score, X, y, (2.0, 30.0), seed, by_factor=perturbation == "factor")
        assert report.roc_auc[place] == pytest.approx(expected, abs=1e-9)


def test_groups_held_out_are_rated_by_models_that_did_not_see_them(seed):
    random = np.random.default_rng(seed)
    groups = np.repeat(["near", "far", "same"], 80)
    X = random.normal(size=(240, 3)) + 8.0 * (groups == "far")[:, None]
    report = ood_benchmark({"detector": _Noisy()}, X, groups=groups, scales=(10,), random_state=0)
    assert report.groups.tolist() == ["far", "near", "same"]
    assert report.group_roc_auc[0, 0] > 0.99
    assert report.group_significance[0] == 1.0


@pytest.mark.parametrize(
    ("models", "options", "message"),
    [
        ({}, {}, "models is empty"),
        ({"a": _Noisy()}, {"groups": [1] * 8}, "at least two groups"),
        ({"a": _Noisy()}, {"groups": [1, 2]}, "groups has 2 entries"),
        ({"a": LogisticRegression()}, {}, "are classifiers"),
    ],
)
def test_benchmark_needs_models_classes_and_groups(models, options, message):
    with pytest.raises(ValueError, match=message):
        ood_benchmark(models, np.arange(16.0).reshape(8, 2), **options)


def test_confidence_by_entropy_maximum_and_agreement(seed):
    X, y = make_shifted_anomalies(200, random_state=seed)
    model = BaggingClassifier(DecisionTreeClassifier(max_depth=2), 7, max_features=0.5, random_state=0).fit(X, y)
    p = model.predict_proba(X)
    assert confidence_score(model, X) == pytest.approx((p * np.log(np.where(p > 0, p, 1))).sum(axis=1))
    assert_array_equal(confidence_score(model, X, kind="maximum"), p.max(axis=1))
    members = [
        one.predict_proba(X[:, own]) for one, own in zip(model.estimators_, model.estimators_features_, strict=True)
    ]
    assert confidence_score(model, X, kind="agreement") == pytest.approx(-np.std(members, axis=0).mean(axis=1))


@pytest.mark.parametrize(("model", "kind"), [(LinearSVC(), "entropy"), (LogisticRegression(), "agreement")])
def test_confidence_that_does_not_exist_raises(model, kind):
    X, y = make_shifted_anomalies(60, random_state=0)
    with pytest.raises(TypeError, match="has no"):
        confidence_score(model.fit(X, y), X, kind=kind)


def test_seed_study_matches_the_definition(seed):
    X, y = make_shifted_anomalies(200, contamination=0.2, random_state=seed)
    y[::9] = 0
    known = y != 0
    study = seed_study(_Noisy(noise=1.0), X[known], y[known], n_seeds=3, random_state=seed)
    random = reference.draws(seed)
    base, drawn = random.integers(2**31 - 1, size=3).tolist(), random.integers(2**31 - 1, size=(3, 3)).tolist()
    plans = {
        "initialisation": [(one[0], base[1], base[2]) for one in drawn],
        "split": [(base[0], one[1], base[2]) for one in drawn],
        "data": [(base[0], base[1], one[2]) for one in drawn],
        "all": drawn,
    }

    def score(train, test, own):
        return -_Noisy(own, 1.0).fit(train).score_samples(test)

    for name, seeds in plans.items():
        expected = reference.seed_values(score, X[known], y[known], seeds, 0.5, 0.8)
        assert study.values[name] == pytest.approx(expected)


def test_deterministic_detector_does_not_depend_on_its_seed(seed):
    X, y = make_shifted_anomalies(200, contamination=0.1, shift=1.5, random_state=seed)
    study = seed_study(_Noisy(), X, y, n_seeds=3, random_state=0)
    assert study.std["initialisation"] == 0.0
    assert min(study.std["split"], study.sampling_std) > 0
    assert study.luck_pvalue(study.mean["initialisation"] + 0.01, 10, source="initialisation") == 0.0


def test_seed_study_of_unlabelled_rows_and_of_a_classifier():
    X, y = make_shifted_anomalies(200, contamination=0.2, random_state=0)
    y[::2] = 0
    for model in (_Noisy(), LogisticRegression()):
        study = seed_study(model, X, y, vary=["split"], n_seeds=2, random_state=0)
        assert sorted(study.values) == ["all", "split"]
        assert_array_equal(study.values["all"], study.values["split"])
    by_labels = seed_study(_Flags(), X, y, vary=["split"], n_seeds=2, scoring="f1", random_state=0)
    assert np.isnan(by_labels.sampling_std)


class _Flags(_Noisy):
    """Flags what is far from the mean."""

    def predict(self, X):
        return np.where(self.score_samples(X) < -3, -1, 1)


def test_best_of_many_seeds_is_luck():
    study = seed_study(_Noisy(noise=2.0), *make_shifted_anomalies(300, random_state=0), n_seeds=8, random_state=0)
    best = study.expected_best(1000)
    assert study.luck_pvalue(best, 1) < 0.01
    assert 0.3 < study.luck_pvalue(best, 1000) < 0.7


@pytest.mark.parametrize(
    ("y", "vary", "message"),
    [
        ([1] * 6 + [-1] * 2, ["luck"], "vary"),
        ([1] * 6 + [-1] * 2, [], "vary"),
        ([1] * 7 + [-1], ["data"], "1 anomalies"),
    ],
)
def test_seed_study_needs_known_sources_and_anomalies(y, vary, message):
    with pytest.raises(ValueError, match=message):
        seed_study(_Noisy(), np.zeros((8, 1)), y, vary=vary)


def test_superiority_is_the_fraction_of_pairs_won(seed):
    random = np.random.default_rng(seed)
    first, second = random.integers(5, size=7), random.integers(5, size=9)
    pairs = [(one > two) + 0.5 * (one == two) for one in first for two in second]
    found = compare_seeds(first, second)
    assert found.superiority == pytest.approx(np.mean(pairs))
    assert found.difference == pytest.approx(first.mean() - second.mean())


def test_comparison_without_variation_has_no_pvalue():
    assert np.isnan(compare_seeds([0.5], [0.4, 0.3]).pvalue)
    assert np.isnan(compare_seeds([0.5, 0.5], [0.5, 0.5]).pvalue)
    with pytest.raises(ValueError, match="second has 0 values"):
        compare_seeds([1.0], [])


def test_pvalue_is_uniform_for_equal_models():
    random = np.random.default_rng(0)
    pvalues = [compare_seeds(*random.normal(size=(2, 8))).pvalue for _ in range(300)]
    assert np.mean(np.array(pvalues) < 0.1) < 0.1 + 3 * np.sqrt(0.1 * 0.9 / 300)
