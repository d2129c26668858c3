"""Log densities that users give, and where their mass is."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

__all__ = ["evaluated", "find_mass", "self_normalised"]

Table = NDArray[np.float64]
_FIRST_SCALES = 2.0 ** np.arange(-8, 13)
_DRAWS = 4096
_ROUNDS = 8
_SPREAD = 1.5  # of the proposal, in standard deviations of the target
_FEWEST = 20.0


def evaluated(log_prob: Callable[[Table], Any], rows: Table) -> Table:
    """Evaluate a user's log density; minus infinity is allowed, NaN and plus infinity raise."""
    found = np.asarray(log_prob(rows), dtype=np.float64)
    if found.shape != (len(rows),):
        raise ValueError(
            f"log_prob returned shape {found.shape} for {len(rows)} rows; it must return one number for each row."
        )
    if np.isnan(found).any() or (found == np.inf).any():
        place = int(np.flatnonzero(np.isnan(found) | (found == np.inf))[0])
        raise ValueError(
            f"log_prob returned {found[place]} at {rows[place].round(3).tolist()!s:.80}; return -inf where the density "
            "is 0."
        )
    return found


def self_normalised(log_weights: Table) -> tuple[Table, Table]:
    """Weights that sum to 1 along the last axis, and their effective number; equal where none is positive."""
    largest = log_weights.max(axis=-1, keepdims=True)
    weights = np.exp(log_weights - np.where(np.isfinite(largest), largest, 0.0))
    weights = np.where(np.isfinite(largest), weights, 1.0)
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights, 1.0 / np.square(weights).sum(axis=-1)


def find_mass(log_prob: Callable[[Table], Any], n_features: int, random: np.random.Generator) -> tuple[Table, Table]:
    """Estimate the means and standard deviations of a density by adaptive importance sampling.

    The first draws are around 0 with standard deviations from 2**-8 to 2**12; later ones have the shape found.

    Raises
    ------
    ValueError
        If fewer than 20 draws count in the end.
    """
    first = np.repeat(_FIRST_SCALES, _DRAWS // len(_FIRST_SCALES))
    rows = first[:, None] * random.normal(size=(len(first), n_features))
    log_proposal = logsumexp(
        [-0.5 * np.square(rows / scale).sum(axis=1) - n_features * np.log(scale) for scale in _FIRST_SCALES], axis=0
    )
    center, spread = np.zeros(n_features), np.ones(n_features)
    for _ in range(_ROUNDS):
        logs = evaluated(log_prob, rows) - log_proposal
        weights, size = self_normalised(logs)
        effective = float(size) if np.isfinite(logs).any() else 0.0
        center = weights @ rows
        spread = np.sqrt(weights @ np.square(rows - center))
        # Few draws that count have a spread that is too small: it grows then.
        growth = 2.0 if effective < _FEWEST else 1.0
        reach = np.maximum(spread, 1e-3 * np.abs(center).max(initial=0.0) + 1e-12) * growth
        # A wide and a narrow proposal, so that neither a mode nor a tail is missed.
        wide = random.random(_DRAWS) < 0.5
        factors = np.where(wide, 2 * _SPREAD, _SPREAD)
        rows = center + factors[:, None] * reach * random.normal(size=(_DRAWS, n_features))
        squares = np.square((rows - center) / reach).sum(axis=1)
        log_proposal = logsumexp(
            [-0.5 * squares / factor**2 - n_features * np.log(factor) for factor in (_SPREAD, 2 * _SPREAD)], axis=0
        )
    if effective < _FEWEST:
        raise ValueError(
            f"Importance sampling does not find where log_prob has its mass ({effective:.1f} of {_DRAWS} draws count). "
            "Give center and scale, or shift and scale log_prob so that its mass is around 0."
        )
    return center, spread
