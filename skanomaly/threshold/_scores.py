"""Scores that detectors gave: whether there are any, and which of them can be ranked."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["require_scores", "usable_columns"]


def require_scores(detector: Any) -> None:
    """Raise if the detector cannot score rows."""
    if not hasattr(detector, "score_samples"):
        raise TypeError(
            f"{detector!r} has no score_samples, so its rows cannot be ranked. Give a detector with score_samples "
            "(lower scores are more anomalous); LocalOutlierFactor has it with novelty=True."
        )


def usable_columns(S: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which columns of scores are finite and not constant; warn of those with NaN or infinity."""
    finite: NDArray[np.bool_] = np.atleast_1d(np.isfinite(S).all(axis=0))
    if not finite.all():
        warnings.warn(
            f"Scores of detector {np.flatnonzero(~finite).tolist()} contain NaN or infinity; it is left out.",
            UserWarning,
            stacklevel=4,
        )
    usable = finite.copy()
    usable[finite] = np.ptp(S[:, finite], axis=0) > 1e-12 * (1.0 + np.abs(S[:, finite]).max(axis=0, initial=0.0))
    return usable
