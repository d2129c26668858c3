import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly.model_selection import DetectorSearch, ScoreEnsemble
from skanomaly.sampling import ADASYN, SMOTE, RandomUnderSampler, ResampledEstimator, SamplerChain, TomekLinks
from skanomaly.threshold import ContaminationPosterior

DETECTORS = [ContaminationPosterior, DetectorSearch, ScoreEnsemble]


@pytest.mark.parametrize("cls", DETECTORS)
def test_members_without_names_are_named_by_their_class(cls):
    model = cls([IsolationForest(), LocalOutlierFactor(novelty=True), IsolationForest()])
    model.set_params(**{"isolationforest-2__max_samples": 32, "localoutlierfactor__n_neighbors": 7})
    assert [member.max_samples for member in model.detectors[::2]] == ["auto", 32]
    assert model.get_params()["localoutlierfactor__n_neighbors"] == 7


@pytest.mark.parametrize("cls", DETECTORS)
def test_a_name_replaces_a_detector(cls):
    first = IsolationForest(n_estimators=5)
    model = clone(cls([("a", first), ("b", first)])).set_params(b=LocalOutlierFactor(novelty=True), a__n_estimators=3)
    assert [name for name, _ in model.detectors] == ["a", "b"]
    assert model.detectors[0][1].n_estimators == 3
    assert isinstance(model.detectors[1][1], LocalOutlierFactor)


@pytest.mark.parametrize("cls", DETECTORS)
def test_names_do_not_change_the_scores(cls, seed):
    X = np.random.default_rng(seed).normal(size=(60, 2))
    forest, factor = IsolationForest(n_estimators=5, random_state=0), LocalOutlierFactor(novelty=True)
    bare = cls([forest, factor], random_state=0).fit(X)
    named = cls([("forest", forest), ("factor", factor)], random_state=0).fit(X)
    np.testing.assert_array_equal(bare.score_samples(X), named.score_samples(X))


@pytest.mark.parametrize("cls", DETECTORS)
def test_a_new_list_and_its_nested_parameters_are_set_together(cls):
    model = cls([IsolationForest()])
    model.set_params(detectors=[LocalOutlierFactor()], localoutlierfactor__n_neighbors=3)
    assert model.detectors[0].n_neighbors == 3


@pytest.mark.parametrize(
    ("names", "words"),
    [(["a", "a"], "not unique"), (["a__b", "c"], "must not contain __"), (["random_state", "c"], "conflict")],
)
@pytest.mark.parametrize(
    ("cls", "member"), [*((cls, IsolationForest(n_estimators=5)) for cls in DETECTORS), (SamplerChain, TomekLinks())]
)
def test_names_that_cannot_be_addressed_raise(cls, member, names, words, seed):
    X, y = make_classification(60, random_state=seed)
    with pytest.raises(ValueError, match=words):
        cls([(name, member) for name in names]).fit(X, np.where(y, -1, 1))


def test_unknown_names_raise():
    with pytest.raises(ValueError, match="Invalid parameter 'smote'"):
        SamplerChain([ADASYN(), TomekLinks()]).set_params(smote__k_neighbors=3)


@pytest.mark.parametrize("samplers", [[SMOTE(), TomekLinks()], [("smote", SMOTE()), ("clean", TomekLinks())]])
def test_grid_search_reaches_the_members_of_a_chain(samplers, seed):
    X, y = make_classification(200, weights=[0.8], random_state=seed)
    model = make_pipeline(
        StandardScaler(), ResampledEstimator(SamplerChain(samplers), LogisticRegression(), random_state=0)
    )
    grid = {
        "resampledestimator__sampler__smote__k_neighbors": [2, 4],
        "resampledestimator__sampler__smote__selection": ["random"],
    }
    search = GridSearchCV(model, grid, cv=2).fit(X, y)
    chosen = search.best_estimator_[-1].sampler_.samplers_[0]
    assert chosen.k_neighbors == search.best_params_["resampledestimator__sampler__smote__k_neighbors"]
    assert chosen.selection == "random"


def test_random_state_of_a_chain_reaches_nested_parameters(seed):
    X, y = make_classification(200, weights=[0.8], random_state=seed)
    chain = SamplerChain([SamplerChain([SMOTE(), RandomUnderSampler()]), SMOTE(random_state=3)], random_state=1)
    first = chain.fit_resample(X, y)[0]
    np.testing.assert_array_equal(first, clone(chain).fit_resample(X, y)[0])
    inner = chain.samplers_[0]
    assert isinstance(inner.samplers_[0].random_state, int)
    assert isinstance(inner.samplers_[1].random_state, int)
    assert chain.samplers_[1].random_state == 3
