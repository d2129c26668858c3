import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import binom, genpareto, norm
from sklearn.covariance import EmpiricalCovariance
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import LocalOutlierFactor

from skanomaly.detectors import GaussianDetector
from skanomaly.threshold import (
    ContaminationPrior,
    FDistributionThreshold,
    FixedThreshold,
    MADThreshold,
    ParetoThreshold,
    PosteriorThreshold,
    QuantileThreshold,
    ThresholdedDetector,
)

FROM_SCORES = [
    QuantileThreshold(),
    PosteriorThreshold(),
    MADThreshold(),
    MADThreshold(side="lower"),
    ParetoThreshold(),
]


class Mahalanobis(EmpiricalCovariance):
    def score_samples(self, X):
        return -self.mahalanobis(X)


@pytest.mark.parametrize("rule", FROM_SCORES)
def test_constant_scores_flag_no_row(rule):
    assert rule.offset(np.full(30, -1.5)) == -1.5


@pytest.mark.parametrize("rule", FROM_SCORES)
@pytest.mark.parametrize(
    ("scores", "match"),
    [([], "shape"), ([[1.0, 2.0]], "shape"), ([1.0, np.inf], "1 of 2 rows"), ([np.nan] * 2, "all 2 rows")],
)
def test_scores_that_cannot_be_ranked_raise(rule, scores, match):
    with pytest.raises(ValueError, match=match):
        rule.offset(scores)


@pytest.mark.parametrize("rule", FROM_SCORES)
def test_missing_scores_are_left_out_and_counted(rule, seed):
    scores = np.random.default_rng(seed).normal(size=100)
    with pytest.warns(UserWarning, match="^3 of 103 rows have no score"):
        assert rule.offset(np.insert(scores, [0, 50, 50], np.nan)) == rule.offset(scores)


@pytest.mark.parametrize("rule", FROM_SCORES)
def test_a_threshold_moves_and_scales_with_the_scores(seed, rule):
    scores = np.random.default_rng(seed).normal(size=200)
    assert_allclose(rule.offset(5.0 + 3.0 * scores), 5.0 + 3.0 * rule.offset(scores), rtol=1e-9)


def test_quantile_flags_its_fraction(seed):
    scores = np.random.default_rng(seed).normal(size=200)
    assert np.count_nonzero(scores < QuantileThreshold(contamination=0.05).offset(scores)) == 10


def test_mad_threshold_is_the_normal_quantile_of_normal_scores():
    scores = -norm.ppf((np.arange(100001) + 0.5) / 100001)
    assert_allclose(MADThreshold(alpha=0.01).offset(scores), norm.ppf(0.01), atol=1e-3)


@pytest.mark.parametrize("shape", [-0.3, 0.0, 0.25])
def test_pareto_threshold_extrapolates_a_pareto_tail(shape):
    outlyingness = genpareto.ppf((np.arange(20000) + 0.5) / 20000, shape)
    assert_allclose(-ParetoThreshold(alpha=1e-3).offset(-outlyingness), genpareto.isf(1e-3, shape), rtol=0.03)


def test_pareto_threshold_of_a_larger_alpha_is_a_quantile():
    scores = np.arange(100.0)
    assert_allclose(ParetoThreshold(alpha=0.2, tail=0.1).offset(scores), np.quantile(scores, 0.2))


@pytest.mark.parametrize(("n", "d"), [(100, 20), (300, 20), (200, 64)])
def test_f_distribution_threshold_has_its_false_alarm_rate(seed, n, d):
    random = np.random.default_rng(seed)
    alarms, fits, queries = 0, 40, 250
    for _ in range(fits):
        model = ThresholdedDetector(
            detector=Mahalanobis(), rule=FDistributionThreshold(covariance="maximum_likelihood")
        )
        model.fit(random.normal(size=(n, d)))
        alarms += np.count_nonzero(model.predict(random.normal(size=(queries, d))) == -1)
    # Rows of one fit share its error; the variance over fits stays below three times the binomial's here.
    low, high = binom.interval(1 - 1e-5, fits * queries // 3, 0.01)
    assert low <= alarms / 3 <= high


def test_f_distribution_threshold_needs_more_rows_than_columns():
    with pytest.raises(ValueError, match="more rows"):
        FDistributionThreshold().offset(np.arange(5.0), 5)


def test_fixed_threshold_is_the_threshold(seed):
    X = np.random.default_rng(seed).normal(size=(80, 2))
    model = ThresholdedDetector(detector=Mahalanobis(), rule=FixedThreshold(threshold=-2.0)).fit(X)
    assert_array_equal(model.predict(X) == -1, model.score_samples(X) < -2.0)


def test_posterior_threshold_at_a_lower_quantile_flags_fewer_rows(seed):
    scores = np.random.default_rng(seed).standard_t(2, size=300)
    prior = ContaminationPrior(mean=0.1, high_contamination=0.2)
    flagged = [
        np.count_nonzero(scores < PosteriorThreshold(prior=prior, probability=probability).offset(scores))
        for probability in (0.2, 0.5, 0.9)
    ]
    assert flagged[0] <= flagged[1] < flagged[2]


def test_rules_are_tuned_by_name(seed):
    random = np.random.default_rng(seed)
    X = np.vstack([random.normal(size=(190, 2)), random.normal(8, 1, size=(10, 2))])
    y = np.r_[np.ones(190, dtype=int), -np.ones(10, dtype=int)]
    order = random.permutation(200)
    model = ThresholdedDetector(detector=IsolationForest(n_estimators=10, random_state=0), rule=QuantileThreshold())

    def accuracy(estimator, rows, labels):
        return np.mean(estimator.predict(rows) == labels)

    search = GridSearchCV(model, {"rule__contamination": [0.05, 0.4]}, scoring=accuracy, cv=2)
    assert search.fit(X[order], y[order]).best_params_ == {"rule__contamination": 0.05}


def test_a_detector_without_scores_raises():
    with pytest.raises(TypeError, match="score_samples"):
        ThresholdedDetector(detector=LocalOutlierFactor()).fit(np.arange(40.0)[:, None])


def test_contributions_of_the_detector_inside_come_through(seed):
    rows = np.random.default_rng(seed).normal(size=(100, 3))
    inside = GaussianDetector()
    wrapped = ThresholdedDetector(inside).fit(rows)
    assert_array_equal(wrapped.feature_contributions(rows), inside.fit(rows).feature_contributions(rows))
    assert not hasattr(ThresholdedDetector(IsolationForest()), "feature_contributions")


def test_f_distribution_threshold_has_its_level_for_the_gaussian_detector():
    # Seed by seed the rate of 400 new rows varies; over 80 tables its mean is within 4 standard errors of the level.
    rates = []
    for seed in range(80):
        random = np.random.default_rng(seed)
        rule = FDistributionThreshold(alpha=0.05, covariance="maximum_likelihood")
        model = ThresholdedDetector(GaussianDetector(covariance="empirical"), rule=rule)
        rates.append((model.fit(random.normal(size=(60, 8))).predict(random.normal(size=(400, 8))) == -1).mean())
    assert abs(np.mean(rates) - 0.05) < 4 * np.std(rates) / np.sqrt(len(rates))
