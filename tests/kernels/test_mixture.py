import numpy as np
import pytest
from numpy.testing import assert_allclose

from skanomaly._kernels import _mixture as kernels
from tests.reference import mixture as reference


def _problem(seed, n_rows=30, n_features=3, n_components=4):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n_rows, n_features))
    means = random.normal(size=(n_components, n_features))
    factors = np.tril(random.normal(size=(n_components, n_features, n_features))) + 2 * np.eye(n_features)
    return X, means, factors, random.normal(size=n_components)


def _moments(X, means, factors, constants):
    n_components, n_features = means.shape
    out = np.ones(n_components), np.ones((n_components, n_features)), np.ones((n_components, n_features, n_features))
    arguments = np.ascontiguousarray(means.T), np.ascontiguousarray(factors.transpose(1, 2, 0)), constants
    return *out, kernels.expected_moments(X, *arguments, *out), arguments


@pytest.mark.parametrize("shape", [(30, 3, 4), (1, 2, 3), (12, 1, 1), (0, 2, 2)])
def test_expected_moments_meet_their_definition(seed, shape):
    X, means, factors, constants = _problem(seed, *shape)
    counts, sums, scatters, entropy, arguments = _moments(X, means, factors, constants)
    if len(X) == 0:
        assert entropy == counts.sum() == sums.sum() == scatters.sum() == 0
        return
    precisions = factors.transpose(0, 2, 1) @ factors
    shares, *expected, expected_entropy = reference.expected_moments(X, means, precisions, constants)
    assert_allclose(counts, expected[0], rtol=1e-8, atol=1e-9)
    assert_allclose(sums, expected[1], rtol=1e-8, atol=1e-9)
    assert_allclose(scatters, np.tril(expected[2]), rtol=1e-8, atol=1e-8)
    assert_allclose(entropy, expected_entropy, rtol=1e-7, atol=1e-7)
    out = np.empty_like(shares)
    kernels.responsibilities(X, *arguments, out)
    assert_allclose(out, shares, atol=1e-10)


def test_representative_draws_have_the_moments_of_the_law(seed):
    mean, scale = np.array([1.0, -0.5]), np.array([[8.0, 2.0], [2.0, 4.0]])
    out = np.empty((1, 3000))
    kernels.representative_draws(
        mean[None],
        np.linalg.cholesky(scale)[None],
        np.array([3.0]),
        np.array([9.0]),
        np.random.default_rng(seed),
        out,
    )
    expected_mean, variance = reference.representative_moments(mean, scale, 3.0, 9.0, 3000, seed + 1)
    assert abs(out.mean() - expected_mean) < 5.5 * np.sqrt(2 * variance / 3000)
    assert 0.75 < out.var() / variance < 1.33


@pytest.mark.parametrize("slope", [-1e-6, -0.5, -3.0, -40.0, -1e4])
@pytest.mark.parametrize("n_draws", [1, 16])
def test_ordered_link_holds_p_zero_and_meets_its_definition(seed, slope, n_draws):
    random = np.random.default_rng(seed)
    draws = np.sort(random.normal(size=6))[::-1, None] + 0.1 * random.normal(size=(6, n_draws))
    out = np.empty(6)
    intercept = kernels.ordered_link(draws, slope, 0.01, out)
    if slope > -1e3:  # beyond, the intercept's last bit moves the shares
        assert_allclose(out, reference.ordered_link(draws, intercept, slope), rtol=1e-6, atol=1e-9)
    assert_allclose(out.sum(), 0.99, rtol=1e-9)


def test_the_steepest_link_of_distant_draws_narrows_its_bracket_to_the_last_bit(seed):
    random = np.random.default_rng(seed)
    draws = 1e4 * np.sort(random.normal(size=6))[::-1, None] + random.normal(size=(6, 16))
    intercept = kernels.ordered_link(draws, -1e4, 0.01, np.empty(6))
    arguments = np.clip(intercept - 1e4 * draws[0], -700, 700)
    # The intercept is about 1e8 and its last bit 1e-8, of which a share sees a sixty-fourth at most.
    assert_allclose(np.mean(1 / (1 + np.exp(arguments))), 0.99, atol=1e-8)


def test_ordered_link_of_one_component_is_certain():
    out = np.empty(1)
    kernels.ordered_link(np.array([[1.0, 2.0]]), -1.0, 0.2, out)
    assert_allclose(out, 0.8)
