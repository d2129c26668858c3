"""Attention over the tokens of a set: what other tokens, prototypes or memories say about each token.

The forward passes are written once. Their operations are given: NumPy's here, torch's for training in
``_torch_attention``. Weights are a mapping of names to arrays; sets come as arrays of shape (..., n_tokens, n_columns).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "HIDDEN",
    "NumpyOperations",
    "Operations",
    "Plan",
    "Rebuilt",
    "Tokens",
    "initial_weights",
    "memory",
    "other_tokens",
    "own_prototypes",
    "references",
    "sparsemax",
]

Array = NDArray[Any]
HIDDEN = -1e9  # added to the logits of tokens that are not seen
_TINY = 1e-6
_TEMPERATURE = 0.05  # of queries that choose prototypes


def sparsemax(logits: Array) -> Array:
    """Project logits on the probability simplex along the last axis; most weights are exactly 0.

    Parameters
    ----------
    logits : ndarray of shape (..., n)
        -inf gives the weight 0.

    Returns
    -------
    ndarray of shape (..., n)
    """
    ranked = -np.sort(-logits, axis=-1)
    ranked[~np.isfinite(ranked)] = HIDDEN
    counts = np.arange(1, ranked.shape[-1] + 1)
    totals = np.cumsum(ranked, axis=-1) - 1
    support = (ranked * counts > totals).sum(axis=-1, keepdims=True)
    threshold = np.take_along_axis(totals, support - 1, axis=-1) / support
    return np.maximum(logits - threshold, 0.0).astype(logits.dtype, copy=False)


class Operations(Protocol):
    """What NumPy and torch spell differently."""

    def softmax(self, logits: Any) -> Any:
        """Return exponentials along the last axis, divided by their sum."""

    def sparsemax(self, logits: Any) -> Any:
        """Return the projection on the probability simplex along the last axis."""

    def join(self, left: Any, right: Any) -> Any:
        """Join two arrays along the last axis."""

    def least(self, values: Any) -> Any:
        """Return the smallest value along the last axis."""


class NumpyOperations:
    """Operations of NumPy arrays."""

    def softmax(self, logits: Array) -> Array:
        """Return exponentials along the last axis, divided by their sum."""
        found = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.asarray(found / found.sum(axis=-1, keepdims=True))

    def sparsemax(self, logits: Array) -> Array:
        """Return the projection on the probability simplex along the last axis."""
        return sparsemax(logits - logits.max(axis=-1, keepdims=True))

    def join(self, left: Array, right: Array) -> Array:
        """Join two arrays along the last axis."""
        return np.concatenate([left, right], axis=-1)

    def least(self, values: Array) -> Array:
        """Return the smallest value along the last axis."""
        return np.asarray(values.min(axis=-1))


class Tokens(NamedTuple):
    """The tokens of some sets.

    Attributes
    ----------
    rows : array of shape (..., n_tokens, n_columns)
    unseen : array of shape (..., n_tokens or 1, n_tokens)
        ``HIDDEN`` where a token (second to last axis) must not attend to another (last axis), else 0.
    others : array of shape (..., n_others, n_columns), or None
        Tokens of other sets that are the reference, or what is seen of the tokens themselves.
    """

    rows: Any
    unseen: Any
    others: Any = None


class Rebuilt(NamedTuple):
    """What was rebuilt, and a further loss of each set."""

    rows: Any
    loss: Any = 0.0


@dataclass(frozen=True)
class Plan:
    """An architecture: the shapes of its weights, and its forward pass.

    Attributes
    ----------
    shapes : mapping of str to tuple of int
    forward : callable
        Takes operations, weights and tokens.
    """

    shapes: Mapping[str, tuple[int, ...]]
    forward: Callable[[Any, Mapping[str, Any], Tokens], Rebuilt]


def _layers(name: str, n_inputs: int, n_hidden: int, n_outputs: int) -> dict[str, tuple[int, ...]]:
    return {
        f"{name}_first": (n_inputs, n_hidden),
        f"{name}_first_bias": (n_hidden,),
        f"{name}_second": (n_hidden, n_outputs),
        f"{name}_second_bias": (n_outputs,),
    }


def _apply(weights: Mapping[str, Any], name: str, rows: Any) -> Any:
    hidden = (rows @ weights[f"{name}_first"] + weights[f"{name}_first_bias"]).clip(min=0)
    return hidden @ weights[f"{name}_second"] + weights[f"{name}_second_bias"]


def initial_weights(name: str, values: Array) -> Array:
    """Scale standard normal draws to initial weights of variance 1 / (3 fan_in); biases are 0."""
    if name.endswith("_bias"):
        return np.zeros_like(values)
    if name.startswith("slot"):
        return values
    return np.asarray(values / np.sqrt(3.0 * values.shape[0]), dtype=values.dtype)


def _units(rows: Any) -> Any:
    return rows / ((rows * rows).sum(axis=-1, keepdims=True) + _TINY) ** 0.5


def _attend(
    operations: Any, weigh: Any, queries: Any, keys: Any, values: Any, slots: tuple[Any, Any], unseen: Any
) -> Any:
    """Mix values of tokens and of learnt slots, weighted by the products of queries and keys."""
    scale = float(queries.shape[-1]) ** -0.5
    slot_keys, slot_values = slots
    logits = operations.join((queries @ keys.swapaxes(-1, -2)) * scale + unseen, queries @ slot_keys.T * scale)
    mixed = weigh(logits)
    n_tokens = keys.shape[-2]
    return mixed[..., :n_tokens] @ values + mixed[..., n_tokens:] @ slot_values


def other_tokens(n_columns: int, n_hidden: int) -> Plan:
    """Rebuild hidden columns of each token from those that are seen and from the other tokens of its set.

    The plan reads what is seen of tokens, and which columns are hidden, as ``others``: of shape (..., n_tokens,
    2 * n_columns).
    """
    shapes: dict[str, tuple[int, ...]] = {"slot_keys": (1, n_hidden), "slot_values": (1, n_hidden)}
    shapes |= _layers("query", 2 * n_columns, n_hidden, n_hidden)
    for name in ("key", "value"):
        shapes |= _layers(name, n_columns, n_hidden, n_hidden)
    shapes |= _layers("output", n_hidden + 2 * n_columns, n_hidden, n_columns)

    def forward(operations: Any, weights: Mapping[str, Any], tokens: Tokens) -> Rebuilt:
        queries = _apply(weights, "query", tokens.others)
        keys, values = (_apply(weights, name, tokens.rows) for name in ("key", "value"))
        slots = weights["slot_keys"], weights["slot_values"]
        mixed = _attend(operations, operations.softmax, queries, keys, values, slots, tokens.unseen)
        return Rebuilt(_apply(weights, "output", operations.join(mixed, tokens.others)))

    return Plan(shapes, forward)


def references(n_columns: int, n_hidden: int, kind: str) -> Plan:
    """Rebuild each token from tokens of other, normal sets."""
    shapes: dict[str, tuple[int, ...]] = {"slot_keys": (1, n_hidden), "slot_values": (1, n_hidden)}
    for name in ("query", "key", "value"):
        shapes |= _layers(name, n_columns, n_hidden, n_hidden)
    shapes |= _layers("output", n_hidden, n_hidden, n_columns)

    def forward(operations: Any, weights: Mapping[str, Any], tokens: Tokens) -> Rebuilt:
        queries = _apply(weights, "query", tokens.rows)
        keys, values = (_apply(weights, name, tokens.others) for name in ("key", "value"))
        slots = weights["slot_keys"], weights["slot_values"]
        weigh = operations.sparsemax if kind == "sparsemax" else operations.softmax
        return Rebuilt(_apply(weights, "output", _attend(operations, weigh, queries, keys, values, slots, 0.0)))

    return Plan(shapes, forward)


def own_prototypes(n_columns: int, n_hidden: int, n_prototypes: int, coherence: float) -> Plan:
    """Rebuild each token from a few prototypes that learnt queries take from the tokens of its own set."""
    shapes: dict[str, tuple[int, ...]] = {"slot_queries": (n_prototypes, n_hidden)}
    for name in ("query", "key", "value"):
        shapes |= _layers(name, n_columns, n_hidden, n_hidden)
    shapes |= _layers("output", n_hidden, n_hidden, n_columns)

    def forward(operations: Any, weights: Mapping[str, Any], tokens: Tokens) -> Rebuilt:
        queries, keys, values = (_apply(weights, name, tokens.rows) for name in ("query", "key", "value"))
        unseen = tokens.unseen[..., :1, :]
        similar = _units(weights["slot_queries"]) @ _units(keys).swapaxes(-1, -2)
        prototypes = operations.softmax(similar / _TEMPERATURE + unseen) @ values
        centre = prototypes.mean(axis=-2, keepdims=True)
        units = _units(prototypes - centre).swapaxes(-1, -2)
        products = (_units(queries) @ units).clip(min=0)
        mixed = (products / (products.sum(axis=-1, keepdims=True) + _TINY)) @ prototypes
        cosines = _units(values - centre) @ units
        return Rebuilt(_apply(weights, "output", mixed), coherence * operations.least(1 - cosines))

    return Plan(shapes, forward)


def memory(n_columns: int, n_hidden: int, n_slots: int, n_places: int, *, masked: bool) -> Plan:
    """Rebuild each token from learnt slots, and where it is masked from the visible tokens and its place.

    Parameters
    ----------
    n_columns, n_hidden, n_slots : int
    n_places : int
        Number of positions; 1 if tokens have none.
    masked : bool
        Whether a token's own values are hidden.

    Returns
    -------
    Plan
    """
    shapes: dict[str, tuple[int, ...]] = {"slot_keys": (n_slots, n_hidden), "slot_values": (n_slots, n_hidden)}
    if masked:
        shapes["slot_places"] = (n_places, n_hidden)
        for name in ("key", "value"):
            shapes |= _layers(name, n_columns, n_hidden, n_hidden)
    else:
        shapes |= _layers("query", n_columns, n_hidden, n_hidden)
    shapes |= _layers("output", n_hidden, n_hidden, n_columns)

    def forward(operations: Any, weights: Mapping[str, Any], tokens: Tokens) -> Rebuilt:
        slots = weights["slot_keys"], weights["slot_values"]
        if not masked:
            queries = _apply(weights, "query", tokens.rows)
            mixed = operations.softmax(queries @ slots[0].T * float(queries.shape[-1]) ** -0.5) @ slots[1]
            return Rebuilt(_apply(weights, "output", mixed))
        places = weights["slot_places"]
        keys, values = (_apply(weights, name, tokens.rows) for name in ("key", "value"))
        keys = keys + places
        queries = places + 0 * keys
        mixed = _attend(operations, operations.softmax, queries, keys, values, slots, tokens.unseen)
        return Rebuilt(_apply(weights, "output", mixed + places))

    return Plan(shapes, forward)
