"""Which columns of scores can be ranked."""

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._warnings import warn_user

__all__ = ["usable_columns"]


def usable_columns(S: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which columns of scores are finite and not constant; warn of those with NaN or infinity."""
    finite: NDArray[np.bool_] = np.atleast_1d(np.isfinite(S).all(axis=0))
    if not finite.all():
        warn_user(f"Scores of detector {np.flatnonzero(~finite).tolist()} contain NaN or infinity; it is left out.")
    usable = finite.copy()
    usable[finite] = np.ptp(S[:, finite], axis=0) > 1e-12 * (1.0 + np.abs(S[:, finite]).max(axis=0, initial=0.0))
    return usable
