import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax, softmax
from scipy.stats import binom, entropy

from skanomaly.generation import antidistillation_direction, tilted_sample


def _rows(seed, n_rows=6, n_tokens=8):
    random = np.random.default_rng(seed)
    return random.normal(size=(n_rows, n_tokens)), random.normal(size=(n_rows, n_tokens))


def test_probabilities_are_those_of_the_formula(seed):
    logits, direction = _rows(seed)
    found = tilted_sample(logits, direction, strength=0.7, temperature=2.0, random_state=0)
    expected = softmax(logits / 2 + 0.7 * direction, axis=1)
    assert_allclose(found.probabilities, expected)
    assert_allclose(found.divergence, entropy(expected, softmax(logits / 2, axis=1), axis=1))


@pytest.mark.parametrize("budget", [1e-4, 0.01, 0.3])
def test_divergence_is_the_budget(seed, budget):
    logits, direction = _rows(seed)
    assert_allclose(tilted_sample(logits, direction, kl_budget=budget).divergence, budget, rtol=1e-8)


def test_divergence_of_a_weak_tilt_is_half_its_variance(seed):
    logits, direction = _rows(seed)
    found = tilted_sample(logits, direction, kl_budget=0.01)
    p = softmax(logits, axis=1)
    variance = (p * direction**2).sum(axis=1) - (p * direction).sum(axis=1) ** 2
    # The next term is of the third order, with the skewness of the direction.
    assert np.abs(0.5 * found.strength**2 * variance / 0.01 - 1).mean() < 0.05


def test_no_tilt_draws_from_the_given_distribution():
    logits, direction = _rows(0)
    assert_allclose(tilted_sample(logits, direction, strength=0).probabilities, softmax(logits, axis=1))
    assert_array_equal(tilted_sample(logits, direction, kl_budget=0).divergence, 0)


def test_budget_beyond_reach_tilts_as_far_as_possible():
    found = tilted_sample([[0.0, 0.0, -np.inf]], [1.0, 0.0, 5.0], kl_budget=3.0)
    assert_allclose(found.probabilities, [[1, 0, 0]])
    assert_allclose(found.divergence, np.log(2))
    assert tilted_sample([[0.0, 1.0]], [2.0, 2.0], kl_budget=0.1).divergence == 0


def test_tokens_have_the_tilted_frequencies(seed):
    logits, direction = np.tile([0.0, 1.0, 2.0], (4000, 1)), [1.0, 0.0, 0.0]
    found = tilted_sample(logits, direction, strength=1.0, random_state=seed)
    counts = np.bincount(found.tokens, minlength=3)
    for count, probability in zip(counts, softmax([1.0, 1.0, 2.0]), strict=True):
        assert binom.ppf(1e-6, 4000, probability) <= count <= binom.ppf(1 - 1e-6, 4000, probability)


def test_direction_is_the_derivative_for_a_linear_proxy(seed):
    random = np.random.default_rng(seed)
    features, weights, gradient = random.normal(size=(5, 3)), random.normal(size=(3, 4)), random.normal(size=(3, 4))
    found = antidistillation_direction(lambda given: log_softmax(features @ given, axis=1), weights, gradient)
    moved = features @ gradient
    expected = moved - (softmax(features @ weights, axis=1) * moved).sum(axis=1, keepdims=True)
    assert_allclose(found, expected, atol=1e-5)


def test_errors_name_what_is_wrong():
    with pytest.raises(ValueError, match="Give one of"):
        tilted_sample([[0.0, 1.0]], [0.0, 1.0])
    with pytest.raises(ValueError, match="have shape"):
        tilted_sample([[0.0, 1.0]], [0.0], strength=1.0)
    with pytest.raises(ValueError, match="a finite one in each row"):
        tilted_sample([[-np.inf, -np.inf]], [0.0, 1.0], strength=1.0)
    with pytest.raises(ValueError, match="direction must be finite"):
        tilted_sample([[0.0, 1.0]], [np.nan, 1.0], strength=1.0)
    with pytest.raises(ValueError, match="they must agree"):
        antidistillation_direction(np.asarray, [1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"'step_size' parameter.*Got 0"):
        antidistillation_direction(np.asarray, [1.0], [1.0], step_size=0)
