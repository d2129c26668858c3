import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import multivariate_normal

from skanomaly._support import _denoiser
from skanomaly._support._denoiser import GaussianComponents, KernelComponents, cosine_signals

GRID = np.stack(np.meshgrid(*[np.linspace(-6, 6, 241)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)


def _kernel(seed, n_centers=7):
    random = np.random.default_rng(seed)
    log_weights = random.normal(size=n_centers)
    return KernelComponents(random.normal(size=(n_centers, 2)), np.array([0.3, 0.6]), log_weights)


def _gaussians(seed):
    random = np.random.default_rng(seed)
    roots = random.normal(size=(3, 2, 2)) / 2 + 0.5 * np.eye(2)
    return GaussianComponents(random.normal(size=(3, 2)), roots @ roots.transpose(0, 2, 1), random.normal(size=3))


def _prior(components, rows):
    if isinstance(components, GaussianComponents):
        means, covariances = components.means, components.covariances
    else:
        means = components.centers + components.origin
        covariances = np.repeat(np.diag(components.variances)[None], len(means), axis=0)
    weights = np.exp(components.log_weights)
    return sum(w * multivariate_normal(m, c).pdf(rows) for w, m, c in zip(weights, means, covariances, strict=True))


@pytest.mark.parametrize("make", [_kernel, _gaussians])
@pytest.mark.parametrize("noise", [0.5, np.array([0.4, 1.2])])
def test_posterior_mean_and_density_equal_the_integrals_on_a_grid(make, noise, seed):
    components = make(seed)
    noisy = np.random.default_rng(seed).normal(size=(5, 2))
    prior = _prior(components, GRID)
    likelihoods = [multivariate_normal(row, np.eye(2) * noise).pdf(GRID) for row in noisy]
    means = [(prior * one) @ GRID / (prior @ one) for one in likelihoods]
    assert_allclose(components.posterior_means(noisy, noise), means, atol=1e-3)
    densities = [np.log(prior @ one * (12 / 240) ** 2) for one in likelihoods]
    assert_allclose(components.log_densities(noisy, noise), densities, atol=1e-3)


@pytest.mark.parametrize("make", [_kernel, _gaussians])
def test_density_without_noise_is_that_of_the_components(make, seed):
    components = make(seed)
    rows = np.random.default_rng(seed).normal(size=(9, 2))
    assert_allclose(components.log_densities(rows, 0.0), np.log(_prior(components, rows)), rtol=1e-9)


@pytest.mark.parametrize("make", [_kernel, _gaussians])
def test_draws_of_the_posterior_have_its_mean(make, seed):
    components = make(seed)
    noisy = np.repeat([[0.4, -0.7]], 4000, axis=0)
    drawn = components.draw_posterior(noisy, 0.8, np.random.default_rng(seed))
    error = drawn.mean(axis=0) - components.posterior_means(noisy[:1], 0.8)[0]
    assert (np.abs(error) < 4.5 * drawn.std(axis=0) / np.sqrt(4000)).all()


@pytest.mark.parametrize("make", [_kernel, _gaussians])
def test_draws_plus_noise_are_denoised_to_the_mean_of_the_draws(make, seed):
    components, random = make(seed), np.random.default_rng(seed)
    clean = components.draw(4000, random)
    noisy = clean + random.normal(size=clean.shape)
    difference = clean - components.posterior_means(noisy, 1.0)
    assert (np.abs(difference.mean(axis=0)) < 4.5 * difference.std(axis=0) / np.sqrt(4000)).all()
    # The error of the best prediction is uncorrelated with what it is computed from.
    products = difference * noisy
    assert (np.abs(products.mean(axis=0)) < 4.5 * products.std(axis=0) / np.sqrt(4000)).all()


def test_blocks_do_not_change_the_result(seed, monkeypatch):
    components = _kernel(seed, 300)
    rows = np.random.default_rng(seed).normal(size=(70, 2))
    whole = components.posterior_means(rows, 0.2), components.log_densities(rows, 0.2)
    monkeypatch.setattr(_denoiser, "_CENTERS", 64)
    monkeypatch.setattr(_denoiser, "_QUERY_ROWS", 32)
    assert_allclose(components.posterior_means(rows, 0.2), whole[0], rtol=1e-9, atol=1e-12)
    assert_allclose(components.log_densities(rows, 0.2), whole[1], rtol=1e-9)


@pytest.mark.parametrize("make", [_kernel, _gaussians])
def test_a_row_alone_has_the_bits_it_has_in_a_batch(make, seed):
    components = make(seed)
    rows = np.random.default_rng(seed).normal(size=(300, 2))
    for method in (components.posterior_means, components.log_densities):
        assert_array_equal(method(rows[[123]], 0.3)[0], method(rows, 0.3)[123])


@pytest.mark.parametrize("make", [_kernel, _gaussians])
def test_far_rows_have_finite_results(make, seed):
    components = make(seed)
    rows = np.array([[1e150, -1e150], [1e8, 1.0]])
    assert np.isfinite(components.log_densities(rows, 0.1)).all()
    assert np.isfinite(components.posterior_means(rows, 0.1)).all()


def test_signals_fall_from_clean_to_noise():
    signals = cosine_signals(100)
    assert signals[0] == 1 - 1e-4
    assert signals[-1] == 1e-4
    assert (np.diff(signals) <= 0).all()


def test_a_center_that_is_left_out_counts_for_nothing(seed):
    random = np.random.default_rng(seed)
    centers, log_weights = random.normal(size=(9, 2)), random.normal(size=9)
    whole, rows = KernelComponents(centers, 0.3, log_weights), random.normal(size=(4, 2))
    for place in (0, 8):
        rest = KernelComponents(np.delete(centers, place, axis=0), 0.3, np.delete(log_weights, place))
        left_out = np.array([place, -1, place, -1])
        for method in ("posterior_means", "log_densities"):
            found = getattr(whole, method)(rows, 0.5, left_out)
            assert_allclose(found[::2], getattr(rest, method)(rows[::2], 0.5), rtol=1e-9)
            assert_allclose(found[1::2], getattr(whole, method)(rows[1::2], 0.5), rtol=1e-9)
