"""Attention: weights against their definition, and torch against NumPy and finite differences."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skanomaly._networks import _attention as attention
from skanomaly._networks._attention import HIDDEN, NumpyOperations, Tokens
from skanomaly._networks._losses import partner_mixture, partner_slopes

PLANS = {
    "others": attention.other_tokens(3, 8),
    "references, softmax": attention.references(3, 8, "softmax"),
    "references, sparsemax": attention.references(3, 8, "sparsemax"),
    "own": attention.own_prototypes(3, 8, 2, 0.3),
    "masked": attention.memory(3, 8, 4, 5, masked=True),
    "memory": attention.memory(3, 8, 4, 1, masked=False),
}


def test_sparsemax_is_the_projection_on_the_simplex(seed):
    logits = 2 * np.random.default_rng(seed).normal(size=(50, 7))
    logits[0] = 0.0
    logits[1, 3:] = -np.inf
    weights = attention.sparsemax(logits)
    assert (weights >= 0).all()
    assert_allclose(weights.sum(axis=1), 1.0)
    # Optimality: where a weight is positive it is its logit less one threshold; elsewhere the logit is below it.
    threshold = np.max(logits - weights, axis=1, keepdims=True)
    assert_allclose(np.where(weights > 0, logits - weights, threshold), np.broadcast_to(threshold, logits.shape))
    assert (weights == 0).any()


def test_partner_mixture_is_the_likelihood_and_its_slopes_agree_with_finite_differences(seed):
    random = np.random.default_rng(seed)
    predicted, tokens, weights = random.normal(size=(2, 4, 3)), random.normal(size=(2, 3, 3)), random.random((2, 3))
    hidden = HIDDEN * np.eye(3, 4)[None]

    def losses(predicted, log_variance):
        return partner_mixture(predicted, tokens, log_variance, hidden)

    found, shares, squares = losses(predicted, 0.3)
    distances = np.square(tokens[:, :, None] - predicted[:, None]).sum(axis=-1)
    allowed = ~np.eye(3, 4, dtype=bool)
    likelihood = (np.exp(-0.5 * distances / np.exp(0.3)) * allowed).sum(axis=-1) * np.exp(0.3) ** -1.5
    assert_allclose(found, -np.log(likelihood))
    slopes, slope = partner_slopes(predicted, tokens, 0.3, shares, squares, weights)
    step = 1e-6
    for place in np.ndindex(predicted.shape):
        moved = [predicted.copy(), predicted.copy()]
        moved[0][place] += step
        moved[1][place] -= step
        above, below = ((weights * losses(one, 0.3)[0]).sum() for one in moved)
        assert_allclose(slopes[place], (above - below) / (2 * step), atol=1e-7)
    above, below = ((weights * losses(predicted, value)[0]).sum() for value in (0.3 + step, 0.3 - step))
    assert_allclose(slope, (above - below) / (2 * step), atol=1e-7)


def _case(name, random):
    plan = PLANS[name]
    weights = {key: attention.initial_weights(key, random.normal(size=shape)) for key, shape in plan.shapes.items()}
    rows = random.normal(size=(2, 5, 3))
    others = random.normal(size=(2, 5, 6)) if name == "others" else random.normal(size=(2, 4, 3))
    return plan, weights, Tokens(rows, HIDDEN * np.eye(5)[None], others)


@pytest.mark.parametrize("name", PLANS)
def test_torch_agrees_with_numpy_and_its_gradient_with_finite_differences(name, seed):
    torch = pytest.importorskip("torch", reason="needs torch")
    from skanomaly._networks._torch_attention import TorchOperations

    random = np.random.default_rng(seed)
    plan, weights, tokens = _case(name, random)
    target = random.normal(size=tokens.rows.shape)

    def loss(operations, weights, tokens):
        rebuilt = plan.forward(operations, weights, tokens)
        return ((rebuilt.rows - operations.target) ** 2).sum() + (rebuilt.loss + 0 * rebuilt.rows[..., 0]).sum()

    ours, theirs = NumpyOperations(), TorchOperations(torch)
    ours.target, theirs.target = target, torch.from_numpy(target)
    tensors = {key: torch.from_numpy(value.copy()).requires_grad_() for key, value in weights.items()}
    given = Tokens(*(torch.from_numpy(np.ascontiguousarray(part)) for part in tokens))
    value = loss(theirs, tensors, given)
    assert_allclose(float(value.detach()), loss(ours, weights, tokens), rtol=1e-10)
    value.backward()
    for key, array in weights.items():
        place = tuple(random.integers(array.shape))
        kept, step = array[place], 1e-6
        array[place] = kept + step
        above = loss(ours, weights, tokens)
        array[place] = kept - step
        below = loss(ours, weights, tokens)
        array[place] = kept
        assert_allclose(float(tensors[key].grad[place]), (above - below) / (2 * step), atol=1e-5)
