import numpy as np
import pytest
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import is_classifier, is_outlier_detector, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, IsolationForest, VotingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import skanomaly.sampling as module
from skanomaly.base import BaseSampler
from skanomaly.sampling import (
    SMOTE,
    EditedNearestNeighbours,
    OptimalImbalance,
    RandomUnderSampler,
    ResampledEstimator,
    SamplerChain,
    TomekLinks,
)

SAMPLERS = [
    cls
    for cls in (getattr(module, name) for name in module.__all__)
    if isinstance(cls, type) and issubclass(cls, BaseSampler)
]


def _rows(seed, weights=0.9):
    return make_classification(300, 6, weights=[weights], flip_y=0, class_sep=0.8, random_state=seed)


@pytest.mark.filterwarnings(
    "ignore:No (cluster holds|row of class):UserWarning",
    "ignore:-1 is no label of y:UserWarning",
    "ignore:y is 0 in .* its box plot has no width:UserWarning",
    "ignore:(categorical_features='auto' found|SMOTEN reads every value):UserWarning",
)
@pytest.mark.parametrize("cls", SAMPLERS)
def test_every_sampler_works_in_both_pipelines(cls, seed):
    X, y = _rows(seed)
    if cls.__name__ == "DomainSMOTE":
        X[:, -1] = X[:, 0] > 0
    given = {"random_state": 0} if "random_state" in cls().get_params() else {}
    inner = LinearRegression() if cls.__name__ == "RegressionSMOTE" else LogisticRegression()
    theirs = make_imblearn_pipeline(StandardScaler(), cls(**given), inner).fit(X, y)
    ours = make_pipeline(StandardScaler(), ResampledEstimator(cls(**given), inner)).fit(X, y)
    assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-10)
    assert not hasattr(cls(), "transform")


def test_grid_search_reaches_sampler_and_estimator(seed):
    X, y = _rows(seed)
    model = make_pipeline(StandardScaler(), ResampledEstimator(SMOTE(random_state=0), LogisticRegression()))
    grid = {"resampledestimator__sampler__k_neighbors": [2, 5], "resampledestimator__estimator__C": [0.1, 1]}
    search = GridSearchCV(model, grid, scoring="average_precision", cv=3).fit(X, y)
    assert set(search.best_params_) == set(grid)


def test_resampling_happens_in_fit_only(seed):
    X, y = _rows(seed)
    model = ResampledEstimator(SMOTE(random_state=0), LogisticRegression()).fit(X, y)
    assert len(model.predict(X)) == len(X)
    expected = LogisticRegression().fit(*SMOTE(random_state=0).fit_resample(X, y))
    assert_array_equal(model.predict_proba(X), expected.predict_proba(X))


@pytest.mark.parametrize(
    ("inner", "is_kind"),
    [
        (LogisticRegression(), is_classifier),
        (LinearRegression(), is_regressor),
        (IsolationForest(), is_outlier_detector),
    ],
)
def test_kind_follows_the_estimator(inner, is_kind):
    assert is_kind(ResampledEstimator(RandomUnderSampler(), inner))


def test_detector_keeps_its_scores(seed):
    X, y = _rows(seed)
    model = ResampledEstimator(RandomUnderSampler(random_state=0), IsolationForest(random_state=0)).fit(X, y)
    assert set(model.predict(X)) <= {-1, 1}
    assert model.score_samples(X).shape == model.decision_function(X).shape == (300,)


def test_corrected_probabilities_have_the_prevalence(seed):
    X, y = make_classification(20_000, 6, weights=[0.9], flip_y=0, class_sep=0.6, random_state=seed)
    model = ResampledEstimator(RandomUnderSampler(random_state=0), LogisticRegression(), correct_prior=True)
    model.fit(X[::2], y[::2])
    assert abs(model.predict_proba(X[1::2])[:, 1].mean() / y[1::2].mean() - 1) < 0.12
    assert_array_equal(model.predict(X), model.classes_[model.predict_proba(X).argmax(axis=1)])
    assert_array_equal(model.decision_function(X) > 0, model.predict(X) == 1)


def test_weights_of_synthetic_rows_lie_between_their_parents(seed):
    X, y = _rows(seed)
    weights = np.random.default_rng(seed).random(300)
    sampler = SMOTE(random_state=0).fit(X, y)
    from skanomaly.sampling._resampled import resampled_metadata

    targets = sampler.fit_resample(X, y)[1]
    carried = resampled_metadata("sample_weight", weights, sampler, y, targets)
    assert_array_equal(carried[:300], weights)
    parents = weights[sampler.parents_]
    assert (carried[300:] >= parents.min(axis=1) - 1e-15).all()
    assert (carried[300:] <= parents.max(axis=1) + 1e-15).all()


def test_routed_weights_reach_the_estimator(seed):
    X, y = _rows(seed)
    weights = np.random.default_rng(seed).random(300) + 0.1
    sampler = RandomUnderSampler(random_state=0)
    with config_context(enable_metadata_routing=True):
        inner = DecisionTreeClassifier(max_depth=3, random_state=0).set_fit_request(sample_weight=True)
        model = ResampledEstimator(sampler, inner).fit(X, y, sample_weight=weights)
    rows, targets = sampler.fit_resample(X, y)
    expected = DecisionTreeClassifier(max_depth=3, random_state=0).fit(
        rows, targets, sample_weight=weights[sampler.sample_indices_]
    )
    assert_array_equal(model.predict_proba(X), expected.predict_proba(X))


def test_weights_reach_the_estimator_without_routing(seed):
    X, y = _rows(seed)
    weights = np.random.default_rng(seed).random(300) + 0.1
    sampler = RandomUnderSampler(random_state=0)
    model = ResampledEstimator(sampler, DecisionTreeClassifier(max_depth=3, random_state=0))
    model.fit(X, y, sample_weight=weights)
    rows, targets = sampler.fit_resample(X, y)
    expected = DecisionTreeClassifier(max_depth=3, random_state=0).fit(
        rows, targets, sample_weight=weights[sampler.sample_indices_]
    )
    assert_array_equal(model.predict_proba(X), expected.predict_proba(X))


@pytest.mark.parametrize(
    "model",
    [
        ResampledEstimator(SMOTE(random_state=0), DecisionTreeClassifier(max_depth=2, random_state=0)),
        ResampledEstimator(RandomUnderSampler(random_state=0), DecisionTreeClassifier(max_depth=2, random_state=0)),
        OptimalImbalance(DecisionTreeClassifier(max_depth=2, random_state=0), ratios=(0.3,), cv=2, random_state=0),
    ],
    ids=lambda model: str(model)[:40],
)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: CalibratedClassifierCV(model, cv=2),
        lambda model: AdaBoostClassifier(model, n_estimators=3, random_state=0),
        lambda model: GridSearchCV(model, {"random_state": [0]}, cv=2),
        lambda model: BaggingClassifier(model, n_estimators=2, random_state=0),
        lambda model: VotingClassifier([("a", model), ("b", model)], voting="soft"),
    ],
    ids=["calibration", "boosting", "search", "bagging", "voting"],
)
def test_weights_pass_through_meta_estimators(model, wrap, seed):
    X, y = _rows(seed)
    X += np.random.default_rng(seed).normal(size=X.shape)
    weights = np.where(X[:, 0] > 0, 10.0, 0.1)
    weighted = wrap(model).fit(X, y, sample_weight=weights)
    assert np.abs(weighted.predict_proba(X) - wrap(model).fit(X, y).predict_proba(X)).max() > 0


@pytest.mark.parametrize("correct_prior", [False, True])
def test_weights_count_in_score(correct_prior, seed):
    X, y = _rows(seed)
    X += np.random.default_rng(seed).normal(size=X.shape)
    model = ResampledEstimator(SMOTE(random_state=0), LogisticRegression(), correct_prior=correct_prior).fit(X, y)
    right = model.predict(X) == y
    weights = np.where(right, 1.0, 3.0)
    assert_allclose(model.score(X, y, sample_weight=weights), np.average(right, weights=weights))


def test_weights_are_routed_through_a_search(seed):
    X, y = _rows(seed)
    weights = np.random.default_rng(seed).random(300) + 0.1
    with config_context(enable_metadata_routing=True):
        inner = LogisticRegression().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        model = ResampledEstimator(SMOTE(random_state=0), inner)
        assert not hasattr(model, "set_fit_request")
        search = GridSearchCV(model, {"sampler__k_neighbors": [3]}, cv=2).fit(X, y, sample_weight=weights)
        routed = search.best_estimator_.score(X, y, sample_weight=weights)
    plain = ResampledEstimator(SMOTE(random_state=0, k_neighbors=3), LogisticRegression())
    plain.fit(X, y, sample_weight=weights)
    assert_allclose(search.predict_proba(X), plain.predict_proba(X))
    assert_allclose(routed, plain.score(X, y, sample_weight=weights))


def test_arrays_that_are_not_weights_raise_beside_synthetic_rows(seed):
    X, y = _rows(seed)
    with pytest.raises(ValueError, match=r"groups has one entry a row.*only sample_weight"):
        ResampledEstimator(SMOTE(random_state=0), LogisticRegression()).fit(X, y, groups=np.arange(300))


def test_weights_of_a_step_are_resampled(seed):
    X, y = _rows(seed)
    weights = np.random.default_rng(seed).uniform(0.5, 2, 300)
    piped = ResampledEstimator(SMOTE(random_state=0), make_pipeline("passthrough", LogisticRegression()))
    piped.fit(X, y, logisticregression__sample_weight=weights)
    plain = ResampledEstimator(SMOTE(random_state=0), LogisticRegression()).fit(X, y, sample_weight=weights)
    assert_allclose(piped.predict_proba(X), plain.predict_proba(X))


def test_default_chain_grows_to_half_then_balances(seed):
    X, y = _rows(seed)
    sampler = SamplerChain(random_state=0)
    rows, targets = sampler.fit_resample(X, y)
    assert np.sum(targets == 0) == np.sum(targets == 1) == np.sum(y == 0) // 2
    kept = sampler.sample_indices_ >= 0
    assert_array_equal(rows[kept], X[sampler.sample_indices_[kept]])


@pytest.mark.parametrize("kind", [None, object])
def test_default_chain_takes_labels_of_text(kind, seed):
    X, y = _rows(seed)
    targets = SamplerChain(random_state=0).fit_resample(X, np.array(["ok", "fraud"], dtype=kind)[y])[1]
    assert np.sum(targets == "ok") == np.sum(targets == "fraud") == np.sum(y == 0) // 2


@pytest.mark.parametrize("member", ["grow", SMOTE, ("grow", "smote"), LogisticRegression()])
def test_a_chain_of_other_objects_raises(member, seed):
    with pytest.raises(TypeError, match="samplers must be a list of samplers, or of pairs"):
        SamplerChain([member]).fit_resample(*_rows(seed))


def test_tomek_links_agree_with_imbalanced_learn(seed):
    from imblearn.under_sampling import TomekLinks as Theirs

    X, y = _rows(seed, 0.7)
    X += np.random.default_rng(seed).normal(size=X.shape)
    assert_array_equal(TomekLinks().fit(X, y).sample_indices_, np.sort(_indices(Theirs(), X, y)))


@pytest.mark.parametrize("kind", ["all", "mode"])
def test_edited_neighbors_agree_with_imbalanced_learn(kind, seed):
    from imblearn.under_sampling import EditedNearestNeighbours as Theirs

    X, y = _rows(seed, 0.7)
    X += np.random.default_rng(seed).normal(size=X.shape)
    ours = EditedNearestNeighbours(kind_sel=kind).fit(X, y).sample_indices_
    assert_array_equal(ours, np.sort(_indices(Theirs(kind_sel=kind), X, y)))


def _indices(sampler, X, y):
    sampler.fit_resample(X, y)
    return sampler.sample_indices_


@pytest.mark.parametrize(
    ("strategy", "words"), [({0: 9999}, "only removes"), ({5: 1}, "does not hold"), (0.01, "below")]
)
def test_impossible_under_sampling_raises(strategy, words, seed):
    with pytest.raises(ValueError, match=words):
        RandomUnderSampler(sampling_strategy=strategy).fit(*_rows(seed))
