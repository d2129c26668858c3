import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate
from scipy.stats import beta
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from skanomaly import metrics
from skanomaly.threshold import ContaminationPrior


def _case(seed, size=80):
    random = np.random.default_rng(seed)
    probability = random.random(size).round(2)
    return np.where(random.random(size) < probability, -1, 1), probability, random.random(size)


@pytest.mark.parametrize("weighted", [False, True])
def test_brier_score_is_that_of_scikit_learn(weighted, seed):
    labels, probability, weights = _case(seed)
    weights = weights if weighted else None
    expected = brier_score_loss(labels == -1, probability, sample_weight=weights)
    assert metrics.brier_score(labels, probability, sample_weight=weights) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("label", [-1, 1])
def test_brier_score_of_one_class_is_defined(label):
    expected = 0.25 if label == 1 else 0.5625
    assert metrics.brier_score([label] * 2, [0.5, 0.5] if label == 1 else [0.25, 0.25]) == pytest.approx(expected)


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@pytest.mark.parametrize("n_bins", [1, 4, 10])
def test_calibration_curve_is_that_of_scikit_learn(strategy, n_bins, seed):
    labels, probability, _ = _case(seed)
    expected = calibration_curve(labels == -1, probability, n_bins=n_bins, strategy=strategy)
    found = metrics.calibration_curve(labels, probability, n_bins=n_bins, strategy=strategy)
    assert_allclose(found, expected, rtol=1e-12)


def test_calibration_error_weighs_bins_by_rows():
    labels, probability = [1, 1, 1, -1], [0.1, 0.1, 0.1, 0.7]
    error = metrics.expected_calibration_error(labels, probability, n_bins=2, strategy="uniform")
    assert error == pytest.approx(0.75 * 0.1 + 0.25 * 0.3)


def test_calibration_error_counts_weights_as_rows(seed):
    labels, probability, _ = _case(seed)
    weights = np.random.default_rng(seed).integers(1, 4, size=labels.size)
    options = {"n_bins": 5, "strategy": "uniform"}
    expected = metrics.expected_calibration_error(
        np.repeat(labels, weights), np.repeat(probability, weights), **options
    )
    found = metrics.expected_calibration_error(labels, probability, sample_weight=weights, **options)
    assert found == pytest.approx(expected, rel=1e-12)


def test_right_probabilities_are_calibrated(seed):
    labels, probability, _ = _case(seed, size=40000)
    # Ten bins of 4,000 rows: standard errors below 0.008, and the error is their mean size.
    assert metrics.expected_calibration_error(labels, probability) < 0.02


@pytest.mark.parametrize("metric", [metrics.brier_score, metrics.expected_calibration_error])
@pytest.mark.parametrize("probability", [[0.5, 1.5], [-0.1, 0.5]])
def test_values_outside_the_unit_interval_raise(metric, probability):
    with pytest.raises(ValueError, match="must be probabilities"):
        metric([1, -1], probability)


def test_probabilities_leave_out_unlabelled_rows():
    found = metrics.brier_score([1, -1, 0], [0.5, 0.5, 1.0])
    assert found == pytest.approx(0.25)


@pytest.mark.parametrize(("a", "b"), [(0.3, 4.0), (1.0, 1.0), (5.0, 95.0), (500.0, 9500.0)])
@pytest.mark.parametrize("truth", [0.0, 0.05, 0.4, 1.0])
def test_crps_is_the_integral(a, b, truth):
    distribution = beta(a, b)
    low, high = distribution.ppf([1e-12, 1 - 1e-12])
    points = sorted({min(max(point, 0.0), 1.0) for point in [low, distribution.mean(), high, truth]})
    expected = integrate.quad(
        lambda x: (distribution.cdf(x) - (x >= truth)) ** 2, 0, 1, points=points, limit=2000, epsabs=1e-12, epsrel=1e-10
    )[0]
    assert metrics.crps_score([truth], [distribution]) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("truth", [0.0, 0.03, 0.2])
def test_crps_of_a_distribution_with_a_point_mass_is_the_integral(truth):
    distribution = ContaminationPrior(p_zero=0.3).distribution()
    grid = (np.arange(400_000) + 0.5) / 400_000
    expected = np.mean((distribution.cdf(grid) - (grid >= truth)) ** 2)
    assert metrics.crps_score([truth], [distribution]) == pytest.approx(expected, abs=1e-6)


def test_crps_of_draws_is_mean_distance_minus_half_the_mean_difference(seed):
    random = np.random.default_rng(seed)
    draws, truth = random.random((5, 7)).round(1), random.random(5)
    expected = np.mean(
        [
            np.abs(row - fraction).mean() - np.abs(row[:, None] - row).mean() / 2
            for row, fraction in zip(draws, truth, strict=True)
        ]
    )
    assert metrics.crps_score(truth, draws) == pytest.approx(expected, rel=1e-12)


def test_crps_of_many_draws_nears_that_of_the_distribution(seed):
    distribution = beta(5, 95)
    draws = distribution.rvs(20000, random_state=seed)
    assert metrics.crps_score([0.1], [draws]) == pytest.approx(metrics.crps_score([0.1], [distribution]), abs=1e-3)


def test_crps_of_numbers_is_the_mean_absolute_error():
    assert metrics.crps_score([0.1, 0.3], [0.2, 0.2], sample_weight=[3, 1]) == pytest.approx(0.1)


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_intervals_of_the_right_distribution_cover_their_level(level):
    distribution = beta(5, 95)
    truth = distribution.ppf((np.arange(1000) + 0.5) / 1000)
    assert metrics.interval_coverage_score(truth, [distribution] * 1000, level=level) == pytest.approx(level, abs=1e-12)


def test_draws_and_given_ends_give_the_same_coverage(seed):
    random = np.random.default_rng(seed)
    draws, truth = random.random((30, 50)), random.random(30)
    ends = np.quantile(draws, [0.1, 0.9], axis=1).T
    assert metrics.interval_coverage_score(truth, draws, level=0.8) == metrics.interval_coverage_score(truth, ends)


def test_a_point_mass_at_zero_covers_zero():
    distribution = ContaminationPrior(p_zero=0.3).distribution()
    assert metrics.interval_coverage_score([0.0], [distribution]) == 1.0


def test_interval_calibration_error_is_the_mean_distance_over_levels(seed):
    random = np.random.default_rng(seed)
    truth, distributions = random.random(20), [beta(*random.integers(1, 9, size=2)) for _ in range(20)]
    levels = [0.2, 0.5, 0.7]
    expected = np.mean(
        [abs(metrics.interval_coverage_score(truth, distributions, level=level) - level) for level in levels]
    )
    assert metrics.interval_calibration_error(truth, distributions, levels=levels) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("levels", [[], [0.0], [0.5, 1.0]])
def test_impossible_levels_raise(levels):
    with pytest.raises(ValueError, match="levels="):
        metrics.interval_calibration_error([0.1], [beta(1, 1)], levels=levels)


def test_one_interval_has_no_calibration_error():
    with pytest.raises(ValueError, match="two columns"):
        metrics.interval_calibration_error([0.1], [[0.0, 0.2]])


@pytest.mark.parametrize(
    "metric", [metrics.crps_score, metrics.interval_coverage_score, metrics.interval_calibration_error]
)
def test_fractions_outside_the_unit_interval_raise(metric):
    with pytest.raises(ValueError, match="fractions of anomalies"):
        metric([5.0], [beta(1, 1)])


@pytest.mark.parametrize("y_dist", [[beta(1, 1)], [[0.0, 0.1, 0.2]]])
@pytest.mark.parametrize("metric", [metrics.crps_score, metrics.interval_coverage_score])
def test_contaminations_and_distributions_must_agree_in_number(metric, y_dist):
    with pytest.raises(ValueError, match="inconsistent numbers"):
        metric([0.1, 0.2], y_dist)


@pytest.mark.parametrize("metric", [metrics.interval_coverage_score, metrics.interval_calibration_error])
def test_intervals_need_more_than_one_number_per_table(metric):
    with pytest.raises(ValueError, match=r"y_dist has shape \(1,\); pass a distribution"):
        metric([0.1], [0.2])
