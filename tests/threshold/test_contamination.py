import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import betainc
from sklearn.cluster import KMeans
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import BayesianGaussianMixture
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state

from skanomaly.threshold import ContaminationPosterior, ContaminationPrior, GammaGMM, TwoGroup
from skanomaly.threshold._mixture._link import link_posterior, order_components
from skanomaly.threshold._mixture._nuts import nuts_posterior
from skanomaly.threshold._mixture._variational import Components, fit_components
from tests.reference import contamination as reference

GOLDEN = Path(__file__).parents[1] / "golden"
PUBLISHED = ContaminationPrior(p_zero=0.01, p_high=0.01, max_contamination=0.25)


def _scores(seed, n_rows=300, contamination=0.08, n_detectors=2):
    random = np.random.default_rng(seed)
    anomalous = random.random(n_rows) < contamination
    return -(random.normal(size=(n_rows, n_detectors)) + 6.0 * anomalous[:, None]), anomalous


def _mixture(seed=None, **parameters):
    return ContaminationPosterior(method=GammaGMM(**parameters), random_state=seed)


def _components(seed):
    random = np.random.default_rng(seed)
    concentrations = 1 + random.gamma(1.0, 20.0, size=12)
    concentrations[:2] = 1 + random.gamma(1.0, 2.0, size=2)
    draws = np.linspace(3.0, -1.0, 12)[:, None] + 0.05 * random.normal(size=(12, 64))
    return concentrations, draws[np.argsort(-draws.mean(axis=1))]


@pytest.mark.parametrize("case", range(20))
def test_a_feasible_solution_meets_both_constraints(seed, case):
    concentrations, draws = _components(1000 * seed + case)
    fit = link_posterior(concentrations, draws, PUBLISHED)
    if fit.status == "feasible":
        assert abs(1 - fit.probabilities.sum() - 0.01) < 1e-8
        assert abs(fit.p_high - 0.01) < 1e-8
    else:
        assert fit.status == "infeasible_high"


@pytest.mark.parametrize("first", [5.0, 30.0, 45.0, 60.0, 90.0, 200.0])
def test_plug_in_is_infeasible_exactly_where_the_top_component_is_too_heavy(first):
    concentrations = np.array([first, 60.0, 100.0, 240.0])
    fit = link_posterior(concentrations, np.array([[3.0], [1.0], [0.0], [-1.0]]), PUBLISHED, plug_in=True)
    heavy = 0.99 * betainc(400.0, first, 0.85) > 0.01
    assert (fit.status == "infeasible_high") == heavy


@pytest.mark.parametrize("n_components", [3, 6, 10])
def test_variational_core_equals_scikit_learns(n_components):
    random = np.random.default_rng(n_components)
    S = np.vstack([random.normal(size=(100, 3)), random.normal(4.0, 0.4, size=(20, 3))])
    model = BayesianGaussianMixture(
        n_components=n_components, weight_concentration_prior=0.01, max_iter=1500, random_state=0
    ).fit(S)
    labels = KMeans(n_components, n_init=1, random_state=check_random_state(0)).fit(S).labels_
    components = fit_components(S, labels, n_components, prune=False)
    assert_allclose(components.concentrations, model.weight_concentration_[0], rtol=0.02)


def test_iteration_limit_stops_the_fit():
    S = _scores(0)[0]
    model = BayesianGaussianMixture(n_components=4, weight_concentration_prior=0.01, max_iter=3, random_state=0)
    with pytest.warns(ConvergenceWarning):
        model.fit(S)
    labels = KMeans(4, n_init=1, random_state=check_random_state(0)).fit(S).labels_
    assert fit_components(S, labels, 4, max_iter=3).n_iter == 3


@pytest.mark.filterwarnings("ignore:The two constraints:UserWarning")
@pytest.mark.parametrize("transform", ["log", "log_scaled", "rank_normal"])
def test_published_inference_is_near_the_expectations(seed, transform):
    S, _ = _scores(seed, n_rows=200)
    means = [
        _mixture(seed, inference=inference, max_components=8, n_init=1, transform=transform)
        .fit_scores(S)
        .contamination_
        for inference in ("published", "variational")
    ]
    assert abs(means[0] - means[1]) < 0.1


@pytest.mark.filterwarnings("ignore:The two constraints:UserWarning")
def test_splitting_the_top_component_brings_the_constraint_nearer(seed):
    S, _ = _scores(seed, contamination=0.3)
    fits = [
        _mixture(seed, max_components=3, n_init=1, on_infeasible=choice).fit_scores(S) for choice in ("warn", "split")
    ]
    assert fits[0].status_ == "infeasible_high"
    assert fits[1].mixture_.n_components[0] > fits[0].mixture_.n_components[0]
    assert fits[1].mixture_.p_high < fits[0].mixture_.p_high


@pytest.mark.parametrize("case", json.loads((GOLDEN / "cardio_mixture.json").read_text())["cases"])
def test_published_posterior_of_cardio(case, seed):
    names = ("concentrations", "means", "covariances", "mean_precisions", "dofs")
    components = Components(*(np.array(case[name]) for name in names))
    ordered, draws = order_components(components, np.random.default_rng(seed), n_draws=1000, published=True)
    fit = link_posterior(ordered.concentrations, draws, PUBLISHED, plug_in=True)
    assert fit.status == "feasible"
    assert abs(fit.distribution.mean() - case["mean"]) < 0.003


def test_published_samples_have_the_closed_form_mean(seed):
    case = json.loads((GOLDEN / "cardio_mixture.json").read_text())["cases"][0]
    names = ("concentrations", "means", "covariances", "mean_precisions", "dofs")
    components = Components(*(np.array(case[name]) for name in names))
    generator = np.random.default_rng(seed)
    ordered, draws = order_components(components, generator, n_draws=1000, published=True)
    fit = link_posterior(ordered.concentrations, draws, PUBLISHED, plug_in=True)
    parts = [tuple(getattr(ordered, name)[k] for name in names) for k in range(len(ordered.means))]
    samples = reference.sampled_posterior(
        parts, fit.slope, fit.intercept, n_samples=4000, n_draws=100, p_zero=0.01, upper=0.25, generator=generator
    )
    # Draws of one round share their components' values, and probabilities below half a sample are dropped.
    assert abs(samples.mean() - fit.distribution.mean()) < 0.006


def _separate_groups(seed):
    """Return standardised rows of two groups, 276 and 24, seven standard deviations apart, and the second's weight."""
    rng = np.random.default_rng(seed)
    S = rng.normal(size=(300, 2))
    S[:24] += 7.0
    return (S - S.mean(axis=0)) / S.std(axis=0), 25 / 302


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # PyMC's and ArviZ's own
def test_nuts_finds_the_weight_of_a_separate_group():
    pytest.importorskip("pymc", reason="PyMC is not installed (extra bayes)")
    S, weight = _separate_groups(0)
    generators = np.random.default_rng(0).spawn(2)
    _, data = nuts_posterior(S, ContaminationPrior(), generators, max_components=2)
    weights = data.posterior["weights"].to_numpy().reshape(-1, 2)
    centers = data.posterior["centers"].to_numpy().reshape(-1, 2, 2).mean(axis=-1)
    top = np.take_along_axis(weights, centers.argmax(axis=1)[:, None], axis=1)
    assert abs(top.mean() - weight) < 0.01
    assert data.attrs["divergences"] == 0


@pytest.mark.filterwarnings("ignore:The two constraints:UserWarning")
@pytest.mark.parametrize("method", [TwoGroup(), GammaGMM(on_infeasible="split", max_components=20)])
def test_a_clear_group_is_estimated(seed, method):
    S, anomalous = _scores(seed, n_rows=500, contamination=0.06)
    model = ContaminationPosterior(method=method, random_state=seed).fit_scores(S)
    assert abs(model.posterior_.mean() - anomalous.mean()) < 0.06


def test_two_group_increases_with_the_fraction_of_anomalies(seed):
    means = [
        ContaminationPosterior()
        .fit_scores(_scores(seed, n_rows=1000, contamination=contamination)[0])
        .posterior_.mean()
        for contamination in (0.0, 0.05, 0.15)
    ]
    assert means[0] < means[1] < means[2]


def test_threshold_flags_the_estimated_fraction(seed):
    S, _ = _scores(seed, n_rows=400)
    model = ContaminationPosterior().fit_scores(S)
    assert np.count_nonzero(model.predict(S) == -1) == round(400 * model.contamination_)


def test_anomaly_probability_is_the_posterior_at_the_rank(seed):
    S, _ = _scores(seed, n_rows=200)
    model = ContaminationPosterior().fit_scores(S)
    order = np.argsort(model.score_samples(S))
    assert_allclose(model.anomaly_probability(S)[order], model.posterior_.sf(np.arange(200) / 200), atol=1e-12)


@pytest.mark.parametrize("scores", [np.zeros((50, 2)), np.arange(19.0)[:, None]])
def test_constant_or_few_scores_leave_the_prior(scores):
    model = ContaminationPosterior().fit_scores(scores)
    assert model.status_ == "prior"
    assert_allclose(model.posterior_.mean(), ContaminationPrior().distribution().mean())
    if not scores.any():
        assert_array_equal(model.predict(scores), 1)


def test_a_detector_with_nan_is_left_out_with_a_warning(seed):
    S, _ = _scores(seed)
    broken = np.column_stack([S, np.full(len(S), np.nan)])
    with pytest.warns(UserWarning, match="detector .2. contain NaN"):
        model = ContaminationPosterior().fit_scores(broken)
    assert model.contamination_ == ContaminationPosterior().fit_scores(S).contamination_


def test_rows_without_a_score_are_left_out_and_normal(seed):
    S, _ = _scores(seed)
    broken = np.insert(S, [7, 70], np.nan, axis=0)
    broken[7, 1:] = 0.0
    with pytest.warns(UserWarning, match=f"2 of {len(broken)} rows have no score"):
        model = ContaminationPosterior().fit_scores(broken)
    expected = ContaminationPosterior().fit_scores(S)
    assert model.contamination_ == expected.contamination_
    assert model.offset_ == expected.offset_
    assert_array_equal(np.flatnonzero(np.isnan(model.score_samples(broken))), [7, 71])
    assert_array_equal(np.isnan(model.anomaly_probability(broken)), np.isnan(broken).any(axis=1))
    assert_array_equal(model.predict(broken)[[7, 71]], 1)


@pytest.mark.filterwarnings("ignore:Scores of detector:UserWarning")
def test_nan_everywhere_raises():
    with pytest.raises(ValueError, match="finite scores"):
        ContaminationPosterior().fit_scores(np.full((50, 1), np.nan))


@pytest.mark.filterwarnings("ignore:The two constraints:UserWarning")
def test_detectors_that_agree_warn(seed):
    S, _ = _scores(seed, n_detectors=1)
    with pytest.warns(UserWarning, match="agree"):
        _mixture(max_components=10, n_init=1).fit_scores(np.hstack([S, S]))


def test_infeasible_constraints_can_raise(seed):
    S, _ = _scores(seed, contamination=0.4)
    model = _mixture(max_components=2, n_init=1, on_infeasible="raise")
    with pytest.raises(ValueError, match="no solution"):
        model.fit_scores(S)
    assert not hasattr(model, "posterior_")


def test_a_detector_without_scores_raises():
    with pytest.raises(TypeError, match="score_samples"):
        ContaminationPosterior(detectors=[LocalOutlierFactor()]).fit(np.random.default_rng(0).normal(size=(40, 2)))


def test_it_ends_a_pipeline(seed):
    X = np.random.default_rng(seed).normal(size=(120, 3))
    X[:5] += 9
    model = ContaminationPosterior(detectors=[IsolationForest(n_estimators=20, random_state=0)])
    pipeline = make_pipeline(StandardScaler(), model).fit(X)
    assert set(pipeline.predict(X)) <= {-1, 1}
    assert pipeline.score_samples(X)[:5].max() < np.median(pipeline.score_samples(X))


def test_scores_of_one_detector_may_be_one_dimensional(seed):
    scores = np.random.default_rng(seed).normal(size=200)
    model = ContaminationPosterior(random_state=0).fit_scores(scores)
    assert_array_equal(model.predict(scores), model.predict(scores[:, None]))
    assert model.anomaly_probability(scores).shape == (200,)


@pytest.mark.filterwarnings("ignore:The two constraints:UserWarning")
def test_posterior_of_several_starts_lies_between_theirs(seed):
    S, _ = _scores(seed, n_rows=120)
    model = _mixture(seed, n_init=3, max_components=8).fit_scores(S)
    means = model.mixture_.start_means
    assert means.shape == (3,)
    assert means.min() - 1e-9 <= model.contamination_ <= means.max() + 1e-9


def test_a_method_by_name_raises():
    with pytest.raises(ValueError, match=r"'method' parameter .*TwoGroup.*GammaGMM"):
        ContaminationPosterior(method="gammagmm").fit_scores(np.arange(50.0))


def test_parameters_of_the_method_are_checked_before_detectors_are_fitted():
    class Untouched(IsolationForest):
        def fit(self, X, y=None):
            raise AssertionError

    with pytest.raises(ValueError, match="'n_init' parameter of GammaGMM"):
        ContaminationPosterior([Untouched()], method=GammaGMM(n_init=0)).fit(np.zeros((30, 2)))


def test_method_and_prior_are_tuned_by_name():
    model = ContaminationPosterior(method=TwoGroup(), prior=ContaminationPrior())
    model.set_params(method__coarsening=3.0, prior__mean=0.02)
    assert model.get_params()["method__coarsening"] == 3.0
    assert model.prior.mean == 0.02
