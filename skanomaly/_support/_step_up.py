"""Benjamini and Hochberg's step-up rule, for every module that selects by p-value."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["step_up_threshold"]


def step_up_threshold(pvalues: NDArray[np.float64], alpha: float) -> float:
    """Return the largest p-value that the rule rejects at false discovery rate `alpha`.

    Parameters
    ----------
    pvalues : ndarray of shape (n_values,)
        In [0, 1].
    alpha : float
        In (0, 1).

    Returns
    -------
    float
        Minus one if nothing is rejected, so that ``pvalues <= threshold`` selects what is.
    """
    ordered = np.sort(pvalues)
    # A p-value that meets its bound but for rounding counts as meeting it.
    bounds = alpha * np.arange(1, ordered.size + 1) / max(ordered.size, 1) * (1 + 1e-12)
    passed = np.flatnonzero(ordered <= bounds)
    return float(ordered[passed[-1]]) if passed.size else -1.0
