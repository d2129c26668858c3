import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.stats import beta

from skanomaly.threshold import ContaminationPrior
from skanomaly.threshold._distribution import BetaMixture, GridDistribution
from tests.reference import mixture as reference

DISTRIBUTIONS = [
    BetaMixture([0.5, 0.3, 0.2], [3.0, 12.0, 40.0], [60.0, 70.0, 160.0], p_zero=0.1),
    BetaMixture([0.6, 0.4], [5.0, 30.0], [80.0, 55.0], p_zero=0.01, upper=0.25),
    GridDistribution([0.0, 0.01, 0.1, 0.3], [0.2, 0.5, 0.3], p_zero=0.2),
]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_cdf_increases_from_the_atom_to_one(distribution):
    values = distribution.cdf(np.linspace(0, 1, 501))
    assert_allclose(values[0], distribution.p_zero)
    assert (np.diff(values) >= -1e-12).all()
    assert values[-1] == 1
    assert distribution.cdf(-0.1) == 0


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_pdf_integrates_to_one_minus_the_atom(distribution):
    points = [0.01, 0.1, 0.25, 0.3]
    assert_allclose(quad(distribution.pdf, 0, 1, limit=400, points=points)[0], 1 - distribution.p_zero, rtol=1e-6)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_ppf_inverts_cdf(distribution):
    probability = np.linspace(distribution.p_zero + 0.01, 0.99, 30)
    assert_allclose(distribution.cdf(distribution.ppf(probability)), probability, atol=1e-9)
    assert distribution.ppf(0.5 * distribution.p_zero) == 0


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_mean_and_std_are_those_of_the_cdf(distribution):
    grid = np.linspace(0, 1, 200001)
    survival = 1 - distribution.cdf(grid)
    mean = np.trapezoid(survival, grid)
    assert_allclose(distribution.mean(), mean, rtol=1e-4)
    assert_allclose(distribution.std(), np.sqrt(2 * np.trapezoid(grid * survival, grid) - mean**2), rtol=1e-3)


def test_closed_form_equals_a_million_published_draws(seed):
    probabilities, cumulative = np.array([0.6, 0.25, 0.14]), np.array([12.0, 30.0, 90.0])
    total = 400.0
    distribution = BetaMixture(probabilities, cumulative, total - cumulative, p_zero=0.01, upper=0.25)
    draws = reference.sampled_posterior(
        np.r_[probabilities, 0.0], np.r_[cumulative, total], 0.01, 0.25, 1_000_000, np.random.default_rng(seed)
    )
    assert abs(draws.mean() - distribution.mean()) < 3.5 * np.sqrt(2) * draws.std() / 1000
    for probability in (0.1, 0.5, 0.9):
        fraction = np.mean(draws <= distribution.ppf(probability))
        assert abs(fraction - probability) < 3.5 * np.sqrt(2 * probability * (1 - probability) / 1e6) + 1e-9


def test_an_atom_at_one_counts_without_an_upper_limit():
    distribution = BetaMixture([0.5, 0.5], [2.0, 10.0], [8.0, 0.0], p_zero=0.2)
    assert_allclose(distribution.mean(), 0.4 * 0.2 + 0.4)
    assert_allclose(distribution.cdf(0.999999), 0.6, atol=1e-5)


def test_prior_has_the_mean_and_tail_it_was_given():
    prior = ContaminationPrior(mean=0.03, high_contamination=0.1, p_high=0.05, max_contamination=1.0)
    distribution = prior.distribution()
    assert_allclose(beta(distribution.a, distribution.b).mean(), 0.03)
    assert_allclose(distribution.sf(0.1), 0.9 * 0.05, rtol=1e-6)


def test_prior_in_the_wrong_order_raises():
    with pytest.raises(ValueError, match="increasing order"):
        ContaminationPrior(mean=0.2).distribution()


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, None, "90 %"])
def test_interval_level_is_checked(level):
    with pytest.raises(ValueError, match="level"):
        DISTRIBUTIONS[0].interval(level)


def test_each_component_keeps_its_own_limit():
    low = BetaMixture(1.0, 3.0, 30.0, p_zero=0.1, upper=0.25)
    high = BetaMixture(1.0, 300.0, 3.0, p_zero=0.1)
    both = BetaMixture(
        np.r_[low.weights, high.weights] / 2, [3.0, 300.0], [30.0, 3.0], p_zero=0.1, upper=np.r_[low.upper, high.upper]
    )
    fractions = np.linspace(0, 1, 101)
    assert_allclose(both.cdf(fractions), (low.cdf(fractions) + high.cdf(fractions)) / 2, atol=1e-12)
    assert_allclose(both.pdf(fractions), (low.pdf(fractions) + high.pdf(fractions)) / 2, rtol=1e-9, atol=1e-12)
    assert_allclose(both.mean(), (low.mean() + high.mean()) / 2)
