import itertools

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


def test_collapsed_sweep_keeps_counts_and_posteriors(seed):
    random = np.random.default_rng(seed)
    X = np.vstack([random.normal(size=(12, 2)), random.normal(8, 0.5, size=(4, 2))])
    prior_mean, prior_scale = X.mean(axis=0), np.cov(X.T)
    labels, counts = np.zeros(16, dtype=np.intp), np.zeros(6)
    means, roots = np.tile(prior_mean, (6, 1)), np.tile(np.linalg.cholesky(prior_scale), (6, 1, 1))
    counts[0] = 16.0
    center = X.mean(axis=0)
    roots[0] = np.linalg.cholesky(prior_scale + (X - center).T @ (X - center))
    for _ in range(8):
        kernels.collapsed_sweep(
            X, 1.0, prior_mean, np.linalg.cholesky(prior_scale), 1.0, 2.0, labels, counts, means, roots, random
        )
    assert_allclose(counts, np.bincount(labels, minlength=6))
    for component in np.flatnonzero(counts):
        rows = X[labels == component]
        mean = (prior_mean + rows.sum(axis=0)) / (1 + len(rows))
        center = rows.mean(axis=0)
        scale = prior_scale + (rows - center).T @ (rows - center)
        scale += len(rows) / (1 + len(rows)) * np.outer(center - prior_mean, center - prior_mean)
        assert_allclose(means[component], mean, atol=1e-9)
        assert_allclose(roots[component] @ roots[component].T, scale, rtol=1e-7, atol=1e-8)


def _partitions(size):
    for labels in itertools.product(range(size), repeat=size):
        seen = list(dict.fromkeys(labels))
        if seen == sorted(seen) == list(range(len(seen))):
            yield labels


def test_collapsed_sweep_visits_partitions_as_often_as_they_are_likely(seed):
    X = np.array([[0.0], [0.3], [2.5], [2.9]])
    mean, scale = np.array([1.0]), np.array([[1.0]])
    partitions = list(_partitions(4))
    log_probability = []
    for labels in partitions:
        groups = [X[np.array(labels) == label] for label in range(max(labels) + 1)]
        log_probability.append(
            reference.log_partition_prior([len(group) for group in groups], 1.0)
            + sum(reference.log_marginal(group, mean, scale, 1.0, 1.0) for group in groups)
        )
    expected = np.exp(np.array(log_probability) - np.max(log_probability))
    expected /= expected.sum()
    labels, counts = np.zeros(4, dtype=np.intp), np.zeros(4)
    means, roots = np.tile(mean, (4, 1)), np.tile(np.ones((1, 1)), (4, 1, 1))
    counts[0], means[0] = 4.0, (mean + X.sum(axis=0)) / 5
    roots[0] = np.sqrt(scale + (X**2).sum() + mean**2 - 5 * means[0] ** 2)
    random, visits = np.random.default_rng(seed), dict.fromkeys(partitions, 0)
    n_sweeps = 2000
    for _ in range(n_sweeps):
        kernels.collapsed_sweep(X, 1.0, mean, np.ones((1, 1)), 1.0, 1.0, labels, counts, means, roots, random)
        names = {label: place for place, label in enumerate(dict.fromkeys(labels.tolist()))}
        visits[tuple(names[label] for label in labels.tolist())] += 1
    assert_allclose(np.array(list(visits.values())) / n_sweeps, expected, atol=0.08)
