import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.calibration import CalibrationDisplay
from sklearn.ensemble import IsolationForest

from skanomaly._support._audit import (
    GRID,
    RatePosterior,
    count_checked,
    default_masses,
    inclusion_probabilities,
    stratum_edges,
    systematic_sample,
)
from skanomaly.model_selection import ScoreEnsemble
from skanomaly.threshold import (
    ConformalDetector,
    ContaminationDisplay,
    ContaminationPosterior,
    ContaminationPrior,
    DecisionCosts,
    ThresholdedDetector,
)


def _scores(seed, n=800, contamination=0.05, gap=2.0):
    random = np.random.default_rng(seed)
    y = np.where(random.permutation(n) < round(contamination * n), -1, 1)
    return random.normal(size=n) - gap * (y == -1), y


def _audited(scores, y, seed, n_rounds=4, n=10, **parameters):
    checked = np.full(len(y), np.nan)
    model = ContaminationPosterior(random_state=seed, **parameters).fit_scores(scores)
    for round_ in range(n_rounds):
        rows = model.suggest_audit(n).indices
        checked[rows] = y[rows]
        model = ContaminationPosterior(random_state=seed + round_, **parameters).fit_scores(scores, checked)
    return model, checked


@pytest.mark.slow
def test_checked_rows_shorten_the_interval_and_keep_the_truth(seed):
    covered, errors = [], []
    for replicate in range(30):
        contamination = (0.0, 0.01, 0.03, 0.05, 0.1)[replicate % 5]
        scores, y = _scores([seed, replicate], contamination=contamination)
        model, _ = _audited(scores, y, replicate)
        low, high = model.posterior_.interval(0.9)
        truth = np.mean(y == -1)
        covered.append(low - 1e-9 <= truth <= high + 1e-9)
        errors.append([abs(model.contamination_ - truth), abs(model.score_posterior_.median() - truth)])
    assert np.mean(covered) > 0.7  # 0.9 - 3 standard errors of 30 runs and more
    assert np.mean(errors, axis=0)[0] < np.mean(errors, axis=0)[1]


def test_no_label_leaves_the_posterior_of_the_scores(seed):
    scores, _ = _scores(seed)
    model = ContaminationPosterior(random_state=0).fit_scores(scores, np.full(len(scores), np.nan))
    assert model.posterior_ is model.score_posterior_
    assert model.audit_ is None


@pytest.mark.parametrize("contamination", [0.0, 0.07])
def test_all_rows_checked_give_the_exact_fraction(seed, contamination):
    scores, y = _scores(seed, contamination=contamination)
    model = ContaminationPosterior(random_state=0).fit_scores(scores, np.where(y == -1, -1.0, 1.0))
    assert_allclose(model.contamination_, contamination, atol=1e-5)
    assert_allclose(model.posterior_.interval(0.9), contamination, atol=1e-5)
    assert len(model.suggest_audit(5)) == 0


def test_known_anomalies_bound_the_contamination_from_below(seed):
    scores, y = _scores(seed, contamination=0.1, gap=4.0)
    model, checked = _audited(scores, y, seed)
    n_found = np.count_nonzero(checked == -1)
    assert n_found > 0
    assert model.posterior_.ppf(1e-6) >= n_found / len(y) * (1 - 1e-5)


def test_equal_selection_probabilities_change_nothing(seed):
    scores, y = _scores(seed)
    model, checked = _audited(scores, y, seed)
    given = ContaminationPosterior(random_state=0).fit_scores(scores, checked, selection_probability=np.full(800, 0.3))
    assert_allclose(given.posterior_.interval(0.9), model.posterior_.interval(0.9))


def test_selection_probabilities_correct_a_biased_choice(seed):
    errors = []
    for replicate in range(4):
        random = np.random.default_rng([seed, replicate])
        y = np.where(random.permutation(2000) < 200, -1, 1)
        probability = np.where(y == -1, 0.2, 0.02)  # anomalies were ten times as likely to be checked
        checked = np.where(random.random(2000) < probability, y, np.nan)
        scores = random.normal(size=2000)
        fit = [
            ContaminationPosterior(random_state=0).fit_scores(scores, checked, selection_probability=given)
            for given in (probability, None)
        ]
        errors.append([abs(model.contamination_ - 0.1) for model in fit])
    assert np.mean(errors, axis=0)[0] < 0.5 * np.mean(errors, axis=0)[1]


@pytest.mark.parametrize(
    ("parameters", "probability", "match"),
    [
        ({}, np.zeros(30), r"must lie in \(0, 1\]"),
        ({}, np.full(29, 0.5), "must have shape"),
        ({"selection": "top"}, np.full(30, 0.5), "not drawn at random"),
    ],
)
def test_selection_probabilities_are_checked(parameters, probability, match):
    scores, checked = np.arange(30.0), np.r_[-1.0, 1.0, np.full(28, np.nan)]
    with pytest.raises(ValueError, match=match):
        ContaminationPosterior(**parameters).fit_scores(scores, checked, selection_probability=probability)


def test_selection_probabilities_need_labels():
    with pytest.raises(ValueError, match="needs y"):
        ContaminationPosterior().fit_scores(np.arange(30.0), selection_probability=np.full(30, 0.5))


def test_top_rows_do_not_stand_for_the_others(seed):
    scores, y = _scores(seed, contamination=0.05, gap=3.0)
    checked = np.full(len(y), np.nan)
    top = np.argsort(scores)[:30]
    checked[top] = y[top]
    estimates = [
        ContaminationPosterior(selection=selection, random_state=0).fit_scores(scores, checked).contamination_
        for selection in ("top", "random")
    ]
    assert abs(estimates[0] - 0.05) < abs(estimates[1] - 0.05) + 0.01
    assert np.count_nonzero(~np.isnan(checked)) == 30


def test_suggested_rows_are_new_and_have_probabilities(seed):
    scores, y = _scores(seed)
    model, checked = _audited(scores, y, seed, n_rounds=2)
    suggestion = model.suggest_audit(15)
    assert len(np.unique(suggestion.indices)) == 15
    assert np.isnan(checked[suggestion.indices]).all()
    assert ((suggestion.probabilities > 0) & (suggestion.probabilities <= 1)).all()
    assert_array_equal(model.suggest_audit(15).indices, suggestion.indices)


def test_suggestion_for_precision_stays_among_the_flagged_rows(seed):
    scores, _ = _scores(seed)
    model = ContaminationPosterior(random_state=0).fit_scores(scores)
    rows = model.suggest_audit(10, n_flagged=50).indices
    assert set(rows) <= set(np.argsort(scores)[:50])


def test_suggestions_stop_at_the_width(seed):
    scores, y = _scores(seed)
    model, _ = _audited(scores, y, seed)
    low, high = model.posterior_.interval(0.9)
    assert len(model.suggest_audit(5, width=high - low + 1e-6)) == 0
    assert len(model.suggest_audit(5, width=0.5 * (high - low))) == 5


@pytest.mark.parametrize("parameters", [{"n": 0}, {"n_flagged": 0}, {"width": 2.0}])
def test_suggestion_parameters_are_checked(parameters):
    model = ContaminationPosterior().fit_scores(np.arange(30.0))
    with pytest.raises(ValueError, match="suggest_audit"):
        model.suggest_audit(**parameters)


def test_probabilities_after_an_audit_are_calibrated(seed):
    differences = []
    for replicate in range(2):
        scores, y = _scores([seed, replicate], n=2000, contamination=0.08, gap=3.0)
        model, _ = _audited(scores, y, replicate, n_rounds=3, n=20)
        probability = model.anomaly_probability(scores)
        assert (np.diff(probability[np.argsort(scores)]) <= 1e-12).all()
        differences.append(probability.mean() - 0.08)
    assert abs(np.mean(differences)) < 0.03


def test_default_masses_are_those_of_the_default_prior():
    assert_allclose(default_masses(), ContaminationPrior().distribution()._on_grid(), atol=1e-6)
    assert len(default_masses()) == len(GRID)


def _forest():
    return IsolationForest(n_estimators=20, random_state=0)


@pytest.mark.parametrize(
    "model",
    [
        ThresholdedDetector(_forest()),
        ConformalDetector(_forest(), random_state=0),
        ScoreEnsemble([_forest()]),
        ContaminationPosterior([_forest()], random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("labelled", [False, True])
def test_probabilities_fall_with_the_score_and_can_be_displayed(seed, model, labelled):
    random = np.random.default_rng(seed)
    y = np.where(np.arange(400) < 40, -1, 1)
    X = random.normal(size=(400, 3)) + 3.0 * (y == -1)[:, None]
    checked = np.where(random.random(400) < 0.2, y, np.nan) if labelled else None
    probability = model.fit(X, checked).anomaly_probability(X)
    order = np.argsort(model.score_samples(X), kind="stable")
    assert (np.diff(probability[order]) <= 1e-9).all()
    assert ((probability >= 0) & (probability <= 1)).all()
    display = CalibrationDisplay.from_predictions(y == -1, probability, n_bins=3, strategy="quantile")
    assert len(display.prob_true) >= 1


def test_audit_is_displayed(seed):
    scores, y = _scores(seed)
    model, _ = _audited(scores, y, seed)
    display = ContaminationDisplay.from_estimator(model, scores)
    assert len(display.ax_) == 3
    texts = [text.get_text() for text in display.ax_[0].get_legend().get_texts()]
    assert "before the audit" in texts


def test_inclusion_probabilities_are_those_of_the_draws(seed):
    random = np.random.default_rng(seed)
    included = inclusion_probabilities(random.gamma(0.5, size=20) + 0.01, 6)
    assert_allclose(included.sum(), 6)
    counts = np.zeros(20)
    for _ in range(2000):
        chosen = systematic_sample(included, random)
        assert len(set(chosen.tolist())) == 6
        counts[chosen] += 1
    bound = 5 * np.sqrt(included * (1 - included) / 2000) + 1e-9
    assert (np.abs(counts / 2000 - included) <= bound).all()


def test_doubt_is_the_probability_of_the_other_side(seed):
    scores, y = _scores(seed)
    order = np.argsort(scores)
    labels = np.zeros(len(y), dtype=np.int8)
    labels[::20] = y[::20]
    rates = RatePosterior(default_masses(), count_checked(stratum_edges(len(y)), labels[order]))
    random = np.random.default_rng(seed)
    pairs = random.choice(len(rates.weights), 4000, p=rates.weights)
    drawn = random.beta(rates.a[pairs], rates.b[pairs])
    other = (drawn < 0.1) != (rates.rates() < 0.1)
    assert_allclose(rates.doubt(0.1), other.mean(axis=0), atol=0.04)


def test_audit_for_costs_checks_where_the_decision_is_open(seed):
    scores, y = _scores(seed, contamination=0.1, gap=4.0)
    model, _ = _audited(scores, y, seed, n_rounds=2)
    rare, frequent = DecisionCosts(flag_normal=0.2, review_normal=0.1), DecisionCosts(flag_normal=40.0)
    rank = np.argsort(np.argsort(scores))
    places = [rank[model.suggest_audit(20, costs=costs).indices].mean() for costs in (frequent, rare)]
    assert places[0] < places[1]


def test_two_targets_of_an_audit_raise(seed):
    scores, _ = _scores(seed)
    model = ContaminationPosterior(random_state=0).fit_scores(scores)
    with pytest.raises(ValueError, match="n_flagged=50 and costs are two targets"):
        model.suggest_audit(n_flagged=50, costs=DecisionCosts())


def test_probabilities_of_many_anomalies_stay_in_range(seed):
    random = np.random.default_rng(seed)
    rows = np.vstack([random.normal(size=(650, 3)), random.normal(3.0, 2.0, size=(350, 3))])
    posterior = ContaminationPosterior([IsolationForest(random_state=seed)], random_state=seed).fit(rows)
    fractions = np.r_[0.0, np.geomspace(1e-6, 1.0, 500)]
    assert (posterior.posterior_.sf(fractions) >= 0).all()
    probability = posterior.anomaly_probability(rows)
    assert ((probability >= 0) & (probability <= 1)).all()
