import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import binom
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skanomaly.audit import MembershipAudit, membership_likelihood_ratio
from tests.reference import membership as reference


def _classes(n=300, seed=0):
    return make_classification(n, 8, n_informative=5, n_classes=3, flip_y=0.1, random_state=seed)


@pytest.mark.parametrize("mode", ["online", "offline"])
def test_likelihood_ratio_is_that_of_the_reference(seed, mode):
    random = np.random.default_rng(seed)
    values, shadows, member = random.normal(size=20), random.normal(size=(6, 20)), np.zeros((6, 20), dtype=bool)
    for row in range(20):
        member[random.permutation(6)[:3], row] = True
    found = membership_likelihood_ratio(values, shadows, member, mode=mode)
    assert_allclose(found, reference.scores(values, shadows.tolist(), member.tolist(), mode), rtol=1e-9)


@pytest.mark.parametrize("mode", ["online", "offline"])
def test_attack_of_each_shadow_uses_the_other_shadows_only(mode):
    X, y = _classes(60)
    audit = MembershipAudit(DecisionTreeClassifier(max_depth=4), n_shadows=6, mode=mode, random_state=0).fit(X, y)
    for place in range(6):
        others = np.arange(6) != place
        expected = membership_likelihood_ratio(
            audit.shadow_confidence_[place], audit.shadow_confidence_[others], audit.member_mask_[others], mode=mode
        )
        assert_allclose(audit.membership_scores_[place], expected, atol=1e-4)


@pytest.fixture(scope="module")
def forest_audit():
    X, y = _classes(400)
    return X, y, MembershipAudit(RandomForestClassifier(20), n_shadows=16, random_state=0).fit(X, y)


def test_model_that_memorises_leaks_and_a_smooth_one_does_not(forest_audit):
    X, y, deep = forest_audit
    smooth = MembershipAudit(LogisticRegression(), n_shadows=16, random_state=0).fit(X, y)
    assert deep.auc_ > 0.85
    assert deep.audit_curve_["true_positive_rate"][1] > 0.1
    assert smooth.auc_ < 0.7
    assert smooth.audit_curve_["true_positive_rate"][1] < 0.1


def test_interval_of_the_curve_holds_the_rate(forest_audit):
    curve = forest_audit[2].audit_curve_
    assert (curve["low"] <= curve["true_positive_rate"]).all()
    assert (curve["true_positive_rate"] <= curve["high"]).all()
    assert (curve["high"] - curve["low"] > 0.01).all()


def test_likelihood_ratio_finds_more_than_the_loss(forest_audit):
    _, _, audit = forest_audit
    by_loss = roc_auc_score(audit.member_mask_.ravel(), audit.shadow_confidence_.ravel())
    assert audit.auc_ > by_loss + 0.02


def test_random_labels_of_membership_give_an_area_of_one_half(seed):
    X, y = _classes(400)
    audit = MembershipAudit(DecisionTreeClassifier(), n_shadows=8, random_state=seed).fit(X, y)
    random = np.random.default_rng(seed)
    model = DecisionTreeClassifier(random_state=0).fit(X[::2], y[::2])
    scores = audit.score_model(model, X, y)
    labels = random.permutation(np.arange(400) % 2 == 0)
    area = roc_auc_score(labels, scores)
    # Standard error of the area without ties; four of them.
    assert abs(area - 0.5) < 4 * np.sqrt(401 / (12 * 200 * 200))


def test_models_that_train_on_nothing_leak_nothing():
    class Constant(DecisionTreeClassifier):
        """Trains on the same rows, whichever it is given."""

        def fit(self, X, y):
            return super().fit(np.arange(6.0).reshape(3, 2), [0, 1, 2])

    random = np.random.default_rng(0)
    audit = MembershipAudit(Constant(random_state=0), n_shadows=8, random_state=0).fit(
        random.normal(size=(60, 2)), np.arange(60) % 3
    )
    assert audit.auc_ == 0.5
    assert_array_equal(audit.leakage_score_, 0)


def test_true_positive_rate_of_noise_is_the_false_positive_rate():
    class Noise(OutlierMixin, BaseEstimator):
        """Scores that differ from model to model, and do not depend on the training rows."""

        def __init__(self, random_state=None):
            self.random_state = random_state

        def fit(self, X, y=None):
            return self

        def score_samples(self, X):
            return np.random.default_rng(self.random_state).normal(size=len(X))

    X = np.random.default_rng(0).normal(size=(1000, 1))
    audit = MembershipAudit(Noise(), n_shadows=8, random_state=0).fit(X)
    found = audit.audit_curve_["true_positive_rate"] * 4000
    assert (found <= binom.ppf(1 - 1e-6, 4000, [0.002, 0.015])).all()
    assert abs(audit.auc_ - 0.5) < 0.03


def test_score_model_finds_the_training_rows_of_a_released_model(forest_audit):
    X, y, audit = forest_audit
    released = RandomForestClassifier(20, random_state=1).fit(X[:200], y[:200])
    assert roc_auc_score(np.arange(400) < 200, audit.score_model(released, X, y)) > 0.8


def test_most_exposed_rows_are_the_mislabelled_ones():
    random = np.random.default_rng(0)
    X = np.vstack([random.normal(-3, 1, size=(100, 2)), random.normal(3, 1, size=(100, 2))])
    y = np.repeat([0, 1], 100)
    y[[5, 50, 150]] = 1 - y[[5, 50, 150]]
    audit = MembershipAudit(DecisionTreeClassifier(), n_shadows=16, random_state=0).fit(X, y)
    assert set(audit.most_exposed(3).tolist()) == {5, 50, 150}


@pytest.mark.parametrize("queries", ["gaussian", "canary"])
def test_queries_are_those_of_fit_when_a_model_is_scored(queries):
    X, y = _classes(200)
    audit = MembershipAudit(KNeighborsClassifier(3), n_shadows=6, queries=queries, n_queries=3, random_state=0).fit(
        X, y
    )
    members = audit.member_mask_[0]
    model = clone(KNeighborsClassifier(3)).fit(X[members], y[members])
    scores = audit.score_model(model, X, y)
    assert np.isfinite(scores).all()
    assert roc_auc_score(members, scores) > 0.7


def test_canary_queries_help_a_regressor_of_its_neighbours():
    random = np.random.default_rng(0)
    X = random.normal(size=(200, 3))
    y = X[:, 0] + random.normal(size=200)
    audit = MembershipAudit(DecisionTreeRegressor(), n_shadows=8, queries="canary", n_queries=4, random_state=0)
    assert audit.fit(X, y).auc_ > 0.8


@pytest.mark.parametrize("detector", [IsolationForest(n_estimators=10), LocalOutlierFactor(3, novelty=True)])
def test_detectors_are_audited_without_targets(detector):
    X = np.random.default_rng(0).normal(size=(120, 4))
    audit = MembershipAudit(detector, n_shadows=8, random_state=0).fit(X)
    assert audit.leakage_score_.shape == (120,)
    assert audit.auc_ > 0.5


@pytest.mark.parametrize("estimator", [LinearSVC(), make_pipeline(LinearSVC())])
def test_classifier_without_probabilities_is_audited_by_its_margin(estimator):
    X, y = _classes(90)
    audit = MembershipAudit(estimator, n_shadows=4, random_state=0).fit(X, y)
    assert np.isfinite(audit.shadow_confidence_).all()


def test_frame_of_categories_reaches_a_pipeline():
    X = pd.DataFrame({"color": ["red", "green", "blue"] * 20, "size": np.arange(60.0)})
    encode = make_column_transformer((OneHotEncoder(), ["color"]), remainder="passthrough")
    audit = MembershipAudit(make_pipeline(encode, DecisionTreeClassifier()), n_shadows=4, random_state=0)
    audit.fit(X, np.arange(60) % 2)
    assert audit.score_model(audit.estimator.fit(X, np.arange(60) % 2), X, np.arange(60) % 2).shape == (60,)


def test_scores_are_the_same_bits_for_any_number_of_jobs():
    X, y = _classes(80)
    one, two = (
        MembershipAudit(RandomForestClassifier(3), n_shadows=4, n_jobs=n_jobs, random_state=0).fit(X, y)
        for n_jobs in (1, 2)
    )
    assert_array_equal(one.membership_scores_, two.membership_scores_)


def test_errors_name_what_is_wrong():
    X, y = _classes(60)
    with pytest.raises(ValueError, match="n_shadows=5 must be even"):
        MembershipAudit(Ridge(), n_shadows=5).fit(X, y)
    with pytest.raises(ValueError, match="has one row"):
        MembershipAudit(DecisionTreeClassifier(), n_shadows=4).fit(X, np.r_[y[:-1], 9])
    audit = MembershipAudit(DecisionTreeClassifier(), n_shadows=4, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="fit had 60"):
        audit.score_model(DecisionTreeClassifier().fit(X, y), X[:10], y[:10])
    with pytest.raises(ValueError, match="y=None"):
        audit.score_model(DecisionTreeClassifier().fit(X, y), X)
    with pytest.raises(ValueError, match="in all of the shadow models or in none"):
        membership_likelihood_ratio([1.0], [[1.0], [2.0]], [[True], [True]])
    with pytest.raises(ValueError, match="must be finite"):
        membership_likelihood_ratio([np.inf], [[1.0], [2.0]], [[True], [False]])
    with pytest.raises(ValueError, match="has shape"):
        membership_likelihood_ratio([1.0, 2.0], [[1.0], [2.0]], [[True], [False]])
    with pytest.raises(TypeError, match="must be a classifier"):
        MembershipAudit(OneHotEncoder()).fit(X, y)
