"""What token methods have learnt: scores of stacked sets, in NumPy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression

from skanomaly._networks._attention import HIDDEN, NumpyOperations, Plan, Tokens, initial_weights
from skanomaly._networks._losses import partner_mixture, partner_slopes
from skanomaly._networks._network import Layers, Network
from skanomaly._networks._torch import in_one_thread
from skanomaly._networks._torch_attention import SetLoss
from skanomaly._networks._training import Schedule, train
from skanomaly._support._callbacks import training_steps
from skanomaly._support._optional import import_optional
from skanomaly._support._patches import PatchSets
from skanomaly._support._spectrum import Spectrum, estimate_spectrum
from skanomaly.embeddings._effects import mode_means
from skanomaly.embeddings._token_sets import padded, stacks
from skanomaly.embeddings._whitening import squared_distances, squared_norms

__all__ = ["ContextModel", "Material", "PartnerModel", "Trained", "measured", "train_attention"]

_MOST_FOR_COVARIANCE = 8192  # tokens
_ROUNDS = 2
_MAP, _CONSTANT, _LOG_VARIANCE = "map", "constant", "log_variance"
_LEAST_LOG_VARIANCE = -12.0
_LEAST_PROBABILITY = 1e-6
_LEAST_SPREAD = 1e-3  # of fractions of tokens
Floats = NDArray[np.float64]
Rows = NDArray[np.float32]
Indices = NDArray[np.intp]
Weights = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Material:
    """Normal sets to train on.

    Parameters
    ----------
    sets : PatchSets
    rows : ndarray of shape (n_rows, n_columns), float32
        Tokens as networks get them.
    ordinary : ndarray of shape (n_rows,), bool
        Tokens without extreme values.
    """

    sets: PatchSets
    rows: Rows
    ordinary: NDArray[np.bool_]

    @property
    def whole(self) -> Indices:
        """Numbers of sets all of whose tokens are ordinary; of all sets, where these are fewer than half."""
        kept = np.logical_and.reduceat(self.ordinary, self.sets.edges[:-1])
        return np.flatnonzero(kept) if 2 * np.count_nonzero(kept) >= len(kept) else np.arange(len(kept))


def _errors_spectrum(material: Material, residuals: Callable[[Indices, Rows], Floats]) -> Spectrum:
    """Estimate the covariance of the errors of ordinary tokens, from a part of many sets.

    Parameters
    ----------
    material : Material
    residuals : callable
        Takes numbers of sets of one size and their tokens, of shape (n_sets, n_tokens, n_columns), and returns errors
        of that shape.

    Returns
    -------
    Spectrum
    """
    found, total = [], 0
    for numbers, rows in stacks(material.sets.with_rows(material.rows)):
        errors = residuals(numbers, material.rows[rows])
        found.append(errors[material.ordinary[rows]])
        total += len(found[-1])
        if total >= _MOST_FOR_COVARIANCE:
            break
    errors = np.concatenate(found)
    if not len(errors):
        errors = residuals(np.arange(1), material.rows[None, : int(material.sets.sizes[0])])[0]
    return estimate_spectrum(errors, covariance="ledoit_wolf")


@dataclass(frozen=True)
class Trained:
    """Weights of a plan, by name, and the spread of its errors."""

    weights: Weights
    space: Spectrum | None = None

    def errors(self, plan: Plan, tokens: Tokens) -> Floats:
        """Return what was rebuilt less what was to be rebuilt."""
        rebuilt = plan.forward(NumpyOperations(), self.weights, tokens).rows
        return np.asarray(rebuilt, dtype=np.float64) - tokens.rows

    def distances(self, errors: Floats) -> Floats:
        """Return the squared Mahalanobis distance of errors, of shape (n_sets, n_tokens)."""
        assert self.space is not None  # for type checkers
        return squared_norms(self.space.whiten(errors.reshape(-1, errors.shape[-1]))).reshape(errors.shape[:-1])


def measured(weights: Weights, material: Material, residuals: Callable[[Trained, Indices, Rows], Floats]) -> Trained:
    """Estimate the spread of the errors of trained weights.

    Parameters
    ----------
    weights : dict of str to ndarray
    material : Material
    residuals : callable
        Takes a `Trained`, numbers of sets of one size and their tokens, of shape (n_sets, n_tokens, n_columns), and
        returns errors of that shape.

    Returns
    -------
    Trained
    """
    return Trained(weights, _errors_spectrum(material, partial(residuals, Trained(weights))))


def train_attention(
    plan: Plan,
    material: Material,
    schedule: Schedule,
    random: np.random.Generator,
    after_step: Callable[[int, float], None],
    *,
    make: Callable[[Indices, Rows, NDArray[np.float32], np.random.Generator], tuple[Tokens, Rows, NDArray[np.float32]]],
    mining: float = 0.0,
) -> tuple[dict[str, NDArray[Any]], list[float]]:
    """Train the weights of a plan with torch, and return them as arrays, with the loss of each step.

    Parameters
    ----------
    plan : Plan
    material : Material
    schedule : Schedule
        Batches count in sets.
    random : numpy.random.Generator
    after_step : callable
    make : callable
        Takes numbers of sets, their tokens of shape (n_sets, n_tokens, n_columns), which of them count, and a
        generator; returns what the plan sees, what it is to rebuild, and which tokens count.
    mining : float, default=0.0

    Returns
    -------
    weights : dict of str to ndarray
    losses : list of float
    """
    torch = import_optional("torch", extra="neural")
    network = Network({}, random, np.float32, arrays=plan.shapes)
    for name in plan.shapes:
        values = network.array(name)
        values[:] = initial_weights(name, values)
    loss = SetLoss(torch, plan, network, mining)

    def objective(numbers: Indices, noise: np.random.Generator) -> float:
        rows, counted = padded(material.sets, numbers, noise)
        return loss(*make(numbers, material.rows[rows], counted, noise))

    with in_one_thread():
        losses = train(
            network, objective, material.whole, random, schedule, after_step=after_step, steps=training_steps
        )
    return {name: network.array(name).copy() for name in plan.shapes}, losses


def unseen_padding(counted: NDArray[np.float32]) -> NDArray[np.float32]:
    """Hide tokens that only fill a set up."""
    return np.where(counted > 0, np.float32(0), np.float32(HIDDEN))[:, None, :]


class PartnerModel:
    """A map from tokens to tokens of the same set, a constant beside it, and the variance of the errors.

    Parameters
    ----------
    n_columns, n_hidden : int
    random : numpy.random.Generator
    """

    def __init__(self, n_columns: int, n_hidden: int, random: np.random.Generator) -> None:
        layers = {_MAP: Layers((n_columns, n_hidden, n_hidden, n_columns))}
        self._network = Network(layers, random, np.float32, arrays={_CONSTANT: (1, n_columns), _LOG_VARIANCE: (1,)})
        self._network.array(_CONSTANT)[:] = 0
        self._network.array(_LOG_VARIANCE)[:] = 0

    def train(
        self,
        material: Material,
        schedule: Schedule,
        random: np.random.Generator,
        after_step: Callable[[int, float], None],
    ) -> list[float]:
        """Train the map; return the loss of each step."""

        def objective(numbers: Indices, noise: np.random.Generator) -> float:
            rows, counted = padded(material.sets, numbers, noise)
            return self._step(material.rows[rows], counted)

        losses = train(
            self._network, objective, material.whole, random, schedule, after_step=after_step, steps=training_steps
        )
        self._network.freeze()
        return losses

    def _log_variance(self) -> float:
        return max(float(self._network.array(_LOG_VARIANCE)[0]), _LEAST_LOG_VARIANCE)

    def _step(self, tokens: Rows, counted: NDArray[np.float32]) -> float:
        network, shape = self._network, tokens.shape
        outputs = network.forward(_MAP, tokens.reshape(-1, shape[-1]))
        hidden = np.concatenate([np.where(counted > 0, np.float32(0), np.float32(HIDDEN)), counted[:, :1] * 0], axis=1)
        predicted, unseen = self._candidates(outputs[-1].reshape(shape)), _without_own(shape[1]) + hidden[:, None, :]
        log_variance = self._log_variance()
        losses, shares, squares = partner_mixture(predicted, tokens, log_variance, unseen)
        weights = counted / counted.sum()
        slopes, slope = partner_slopes(predicted, tokens, log_variance, shares, squares, weights)
        network.backward(_MAP, outputs, slopes[:, :-1].reshape(-1, shape[-1]))
        network.add_to_array(_CONSTANT, slopes[:, -1].sum(axis=0, keepdims=True))
        network.add_to_array(_LOG_VARIANCE, np.array([slope], dtype=np.float32))
        return float((losses * weights).sum())

    def _candidates(self, outputs: Rows) -> Rows:
        constant = np.broadcast_to(self._network.array(_CONSTANT), (len(outputs), 1, outputs.shape[-1]))
        return np.concatenate([outputs, constant], axis=1)

    def scores(self, rows: Rows) -> Floats:
        """Return the negative log-likelihood of each token, up to a constant, of shape (n_sets, n_tokens)."""
        predicted = self._candidates(self._network.forward(_MAP, rows)[-1]).astype(np.float64)
        unseen = _without_own(rows.shape[1]).astype(np.float64)
        return partner_mixture(predicted, rows.astype(np.float64), self._log_variance(), unseen)[0]


def _without_own(n_tokens: int) -> Rows:
    """Leave out the prediction that a token makes."""
    return np.float32(HIDDEN) * np.eye(n_tokens, n_tokens + 1, dtype=np.float32)[None]


class ContextModel:
    """Prototypes of tokens, their spread, and how likely each is beside the other tokens of a set.

    Parameters
    ----------
    material : Material
    n_prototypes : int
    ridge : float
    random : numpy.random.Generator
    """

    def __init__(self, material: Material, n_prototypes: int, ridge: float, random: np.random.Generator) -> None:
        rows = material.rows.astype(np.float64)
        ordinary = np.flatnonzero(material.ordinary)
        chosen = np.sort(random.permutation(ordinary)[: 2 * _MOST_FOR_COVARIANCE])
        part = rows[chosen]
        self._means = mode_means(part, n_prototypes, n_rounds=3, seed=int(random.integers(2**31 - 1)))
        nearest = squared_distances(part, self._means).argmin(axis=1)
        for _ in range(_ROUNDS):
            self._space = estimate_spectrum(part - self._means[nearest], covariance="ledoit_wolf")
            nearest = self._distances(part).argmin(axis=1)
        self._coef = np.zeros((len(self._means), 2 * len(self._means)))
        self._intercept = np.zeros(len(self._means))
        self._learn(material, ordinary, ridge, random)

    def _distances(self, rows: Floats) -> Floats:
        centers = self._space.whiten(self._means + self._space.location)
        return squared_distances(self._space.whiten(rows), centers)

    def _contexts(self, rows: Floats) -> tuple[Floats, Floats]:
        """Return squared distances to prototypes, their fractions among the other tokens, and which are present."""
        distances = self._distances(rows.reshape(-1, rows.shape[-1])).reshape(*rows.shape[:-1], -1)
        shares = np.exp(-0.5 * (distances - distances.min(axis=-1, keepdims=True)))
        shares /= shares.sum(axis=-1, keepdims=True)
        others = (shares.sum(axis=1, keepdims=True) - shares) / max(1, rows.shape[1] - 1)
        missing = np.log1p(-np.minimum(shares, 1 - _LEAST_PROBABILITY))
        present = -np.expm1(missing.sum(axis=1, keepdims=True) - missing)
        return distances, np.concatenate([others, present], axis=-1)

    def _learn(self, material: Material, ordinary: Indices, ridge: float, random: np.random.Generator) -> None:
        contexts = np.zeros((len(material.rows), 2 * len(self._means)))
        nearest = np.zeros(len(material.rows), dtype=np.intp)
        for _, rows in stacks(material.sets):
            distances, found = self._contexts(material.rows[rows].astype(np.float64))
            contexts[rows], nearest[rows] = found, distances.argmin(axis=-1)
        chosen = np.sort(random.permutation(ordinary)[:_MOST_FOR_COVARIANCE])
        kinds = np.unique(nearest[chosen])
        self._usual = contexts[chosen].mean(axis=0)
        self._spread = np.maximum(contexts[chosen].std(axis=0), _LEAST_SPREAD)
        if len(kinds) > 1:
            seen = (contexts[chosen] - self._usual) / self._spread
            model = LogisticRegression(C=1.0 / ridge, max_iter=500).fit(seen, nearest[chosen])
            coef, intercept = model.coef_, model.intercept_
            if len(kinds) == 2:
                coef, intercept = np.vstack([-coef / 2, coef / 2]), np.concatenate([-intercept / 2, intercept / 2])
            self._coef[kinds], self._intercept[:] = coef, -np.inf
            self._intercept[kinds] = intercept

    def scores(self, rows: Rows) -> Floats:
        """Return twice the negative log-likelihood of each token, up to a constant, of shape (n_sets, n_tokens)."""
        distances, contexts = self._contexts(rows.astype(np.float64))
        logits = ((contexts - self._usual) / self._spread) @ self._coef.T + self._intercept
        logs = logits - logsumexp(logits, axis=-1, keepdims=True)
        logs = np.maximum(logs, np.log(_LEAST_PROBABILITY))
        return np.asarray(-2 * logsumexp(logs - 0.5 * distances, axis=-1))
