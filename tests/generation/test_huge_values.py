"""One huge value, or a few far rows, do not take over a density."""

import numpy as np
import pytest

from skanomaly.generation import (
    DiffusionSampler,
    MixtureDenoiser,
    NoiseAwareMixture,
    evaluate_samples,
    recursive_generation,
)

huge = pytest.mark.parametrize("value", [1.7e308, -1e160, -3.4028235e38, 9.96921e36])


def _rows(seed, value, n=200):
    X = np.random.default_rng(seed).normal(size=(n, 3))
    X[7, 1] = value
    return X


@huge
@pytest.mark.parametrize("density", [NoiseAwareMixture(random_state=0), MixtureDenoiser(random_state=0)])
def test_huge_value_is_the_most_anomalous_and_the_others_are_distinguished(seed, value, density):
    X = _rows(seed, value)
    scores = density.fit(X).score_samples(X)
    assert np.isfinite(scores).all()
    assert scores.argmin() == 7
    fresh = np.random.default_rng(seed + 1).normal(size=(40, 3))
    fresh[4] = 8.0
    assert density.score_samples(fresh).argmin() == 4


@huge
def test_generated_rows_are_finite(seed, value):
    rows = DiffusionSampler(n_steps=10, random_state=0).fit(_rows(seed, value)).sample(100)
    assert np.isfinite(rows).all()
    assert np.median(np.abs(rows), axis=0).max() < 2


@huge
def test_evaluations_are_finite(seed, value):
    X = _rows(seed, value)
    assert np.isfinite(evaluate_samples(X[::2], X, X, n_permutations=19, random_state=0).to_numpy()).all()
    assert np.isfinite(recursive_generation(X, n_generations=2, random_state=0).to_numpy()).all()


@pytest.mark.parametrize("n_far", [1, 2, 3])
@pytest.mark.parametrize("distance", [8.0, 30.0])
def test_few_far_rows_are_no_component(seed, n_far, distance):
    X = np.random.default_rng(seed).normal(size=(300, 4))
    X[:n_far] = distance
    mixture = NoiseAwareMixture(n_components=3, random_state=0).fit(X)
    scores = mixture.score_samples(X)
    assert scores[:n_far].max() < np.quantile(scores, 0.05)
    assert (300 * mixture.weights_ >= 5 - 1e-6).all()


def test_rare_component_is_kept(seed):
    X = np.random.default_rng(seed).normal(size=(500, 2))
    X[:10] += 20
    assert len(NoiseAwareMixture(n_components=2, random_state=0).fit(X).weights_) == 2
