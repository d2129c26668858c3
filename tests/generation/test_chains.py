import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kstest, norm
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture

from skanomaly.generation import FollmerSampler, LogConcaveChainSampler, MixtureDenoiser


def two_modes(rows):
    """Log density of modes at (-2, 0) and (2, 0) with weights .7 and .3 and standard deviation 1/2."""
    left = np.square(rows - [-2.0, 0.0]).sum(axis=1)
    right = np.square(rows - [2.0, 0.0]).sum(axis=1)
    return np.logaddexp(np.log(0.7) - 2 * left, np.log(0.3) - 2 * right)


def _figures(rows):
    """Weight of the first mode, largest error of the modes' means, and smallest and largest standard deviation."""
    first = rows[:, 0] < 0
    errors = np.abs([rows[first].mean(axis=0) - [-2, 0], rows[~first].mean(axis=0) - [2, 0]])
    spreads = np.array([rows[first].std(axis=0), rows[~first].std(axis=0)])
    return first.mean(), errors.max(), spreads.min(), spreads.max()


@pytest.mark.parametrize("n_draws", [60, "ensemble"])
def test_follmer_weights_are_within_a_twentieth(n_draws):
    options = {"n_features": 2, "n_draws": n_draws, "n_steps": 60}
    found = np.mean(
        [_figures(FollmerSampler(two_modes, random_state=seed, **options).sample(700)) for seed in range(3)], axis=0
    )
    assert abs(found[0] - 0.7) < 0.05
    assert found[1] < 0.12
    assert 0.44 < found[2] < found[3] < 0.60


@pytest.mark.parametrize("n_draws", [100, "ensemble"])
def test_follmer_rows_of_a_gaussian_have_its_distribution(n_draws, seed):
    def log_prob(rows):
        return norm(30.0, 4.0).logpdf(rows[:, 0])

    rows = FollmerSampler(log_prob, n_features=1, n_steps=60, n_draws=n_draws, random_state=seed).sample(800)
    assert abs(rows.mean() - 30) < 4.5 * 4 / np.sqrt(800)
    assert 0.87 < rows.std() / 4 < 1.13


def test_effective_sizes_are_those_of_the_weights(seed):
    """Where the density is the reference, all draws count."""
    options = {"n_features": 2, "center": 1.0, "scale": 2.0, "n_steps": 10, "random_state": seed}
    for n_draws, most in ((50, 50), ("ensemble", 200)):
        sampler = FollmerSampler(lambda rows: -np.square((rows - 1) / 2).sum(axis=1) / 2, n_draws=n_draws, **options)
        sampler.sample(200)
        assert (sampler.effective_sample_sizes_ <= most + 1e-9).all()
        assert sampler.effective_sample_sizes_.min() > (49 if n_draws == 50 else 5)
    # At the start all rows are at the center, so that all draws of the ensemble count.
    assert_allclose(sampler.effective_sample_sizes_[0], 200, rtol=1e-6)


def test_collapsed_weights_are_warned_of():
    sampler = FollmerSampler(
        lambda rows: -5e5 * np.square(rows - 1).sum(axis=1), n_features=2, center=0.0, scale=1.0, random_state=0
    )
    with pytest.warns(UserWarning, match="draws count"):
        sampler.sample(20)


def test_a_support_with_an_edge_is_kept(seed):
    def log_prob(rows):
        return np.where((rows > 0).all(axis=1), -rows.sum(axis=1), -np.inf)

    rows = FollmerSampler(log_prob, n_features=2, n_steps=60, random_state=seed).sample(500)
    assert (rows > 0).mean() > 0.97
    assert np.abs(rows.mean(axis=0) - 1).max() < 4.5 / np.sqrt(500) + 0.1


@pytest.mark.parametrize(
    ("log_prob", "options", "match"),
    [
        (lambda rows: rows, {}, "one number for each row"),
        (lambda rows: np.full(len(rows), np.nan), {}, "return -inf"),
        (lambda rows: np.where((rows > 1e9).all(axis=1), 0.0, -np.inf), {}, "Give center and scale"),
        (two_modes, {"scale": [1.0, 2.0, 3.0]}, "scale has shape"),
        (two_modes, {"scale": [1.0, 0.0]}, "above 0"),
        (two_modes, {"center": np.inf}, "finite"),
        (two_modes, {"n_draws": "all"}, "n_draws"),
    ],
)
def test_what_cannot_be_sampled_raises(log_prob, options, match):
    with pytest.raises(ValueError, match=match):
        FollmerSampler(log_prob, n_features=2, random_state=0, **options).sample(5)


@pytest.fixture(scope="module")
def denoiser():
    random = np.random.default_rng(0)
    X = np.where(random.random((3000, 1)) < 0.7, -1.0, 1.0) * [[2.0, 0.0]] + 0.5 * random.normal(size=(3000, 2))
    return MixtureDenoiser(density=GaussianMixture(2, random_state=0)).fit(X)


def test_chain_of_a_denoiser_draws_the_modes_in_their_fractions(denoiser):
    weights = denoiser.density_.weights_[denoiser.density_.means_[:, 0] < 0]
    rows = LogConcaveChainSampler(denoiser, final="sample", random_state=0).sample(2000)
    weight, error, low, high = _figures(rows)
    assert abs(weight - weights[0]) < 4.5 * np.sqrt(0.21 / 2000)
    assert error < 0.1
    assert 0.45 < low < high < 0.55


def test_expected_rows_vary_less_than_draws(denoiser):
    options = {"n_measurements": 16, "random_state": 0}
    means, draws = (
        _figures(LogConcaveChainSampler(denoiser, final=final, **options).sample(800)) for final in ("mean", "sample")
    )
    assert abs(means[0] - 0.7) < 0.06
    assert means[2] < 0.45 < draws[2]


def test_chain_of_a_log_density_draws_the_modes_in_their_fractions():
    sampler = LogConcaveChainSampler(
        two_modes, n_features=2, n_measurements=12, n_inner=15, n_draws=60, final="sample", random_state=0
    )
    weight, error, low, high = _figures(sampler.sample(500))
    assert abs(weight - 0.7) < 4.5 * np.sqrt(0.21 / 500)
    assert error < 0.25
    assert 0.40 < low < high < 0.62


def test_one_dimensional_chain_has_the_distribution_of_its_target(seed):
    X = np.random.default_rng(seed).normal(7.0, 3.0, size=(500, 1))
    target = MixtureDenoiser(density=GaussianMixture(1)).fit(X)
    rows = LogConcaveChainSampler(target, n_measurements=8, final="sample", random_state=seed).sample(600)
    assert kstest((rows[:, 0] - X.mean()) / X.std(), "norm").pvalue > 1e-5


def test_chain_is_seeded_and_needs_a_fitted_denoiser_or_the_number_of_columns(denoiser):
    first, second = (LogConcaveChainSampler(denoiser, n_measurements=2, random_state=0).sample(5) for _ in range(2))
    assert_array_equal(first, second)
    with pytest.raises(NotFittedError):
        LogConcaveChainSampler(MixtureDenoiser()).sample()
    with pytest.raises(ValueError, match="n_features=None"):
        LogConcaveChainSampler(two_modes).sample()
    with pytest.raises(ValueError, match="final"):
        LogConcaveChainSampler(denoiser, final="median").sample()
