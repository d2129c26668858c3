"""Rounds of refitting without the masked rows."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from skanomaly._support._warnings import warn_user

__all__ = ["Rounds", "warn_if_unsettled"]

# Rounds have settled where at most this fraction of the rows changes.
_UNSETTLED = 0.01


class Rounds(NamedTuple):
    """What rounds of refitting found.

    Parameters
    ----------
    keep : ndarray of shape (n_samples,), bool
    dropped : ndarray of shape (n_samples,), int64
        How often each row was dropped.
    rounds : int
    outputs : ndarray or None
        Out-of-fold outputs of the last round; None where nothing is masked.
    limit : float
        Threshold of the last round.
    first : float
        Fraction of the rows that the first round dropped.
    unsettled : int
        Number of rows that changed in the last round of the most that are allowed; otherwise 0.
    """

    keep: NDArray[np.bool_]
    dropped: NDArray[np.int64]
    rounds: int
    outputs: NDArray[np.float64] | None
    limit: float
    first: float
    unsettled: int


def warn_if_unsettled(changed: int, n_rows: int, max_iter: int) -> None:
    """Warn if more than 1 % of the rows changed in the last of `max_iter` rounds."""
    if changed > max(1, _UNSETTLED * n_rows):
        warn_user(
            f"The mask did not settle in max_iter={max_iter} rounds: {changed} of {n_rows} rows changed "
            "in the last one. Raise max_iter or masking__threshold, or give a smoother estimator.",
            ConvergenceWarning,
        )
