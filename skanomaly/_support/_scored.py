"""Scores of which some are NaN, such as those of time points that no window covers."""

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._warnings import warn_user

__all__ = ["find_scored"]


def find_scored(scores: NDArray[np.floating], *, name: str, noun: str = "rows") -> NDArray[np.bool_]:
    """Return which rows have a score, and warn of those that have none.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,) or (n_samples, n_columns)
        A row with NaN in a column has no score.
    name : str
        Of the scores.
    noun : str, default="rows"
        What has a score.

    Returns
    -------
    ndarray of shape (n_samples,), bool

    Raises
    ------
    ValueError
        If no row has a score.
    """
    missing = np.isnan(scores)
    missing = missing.any(axis=1) if missing.ndim == 2 else missing
    n_missing = int(missing.sum())
    if n_missing == len(missing) > 0:
        raise ValueError(f"{name} is NaN in all {n_missing:,} {noun}; none has a score.")
    if n_missing:
        warn_user(
            f"{n_missing:,} of {len(missing):,} {noun} have no score (NaN in {name}) and are left out, as time points "
            "are that no window covers."
        )
    return np.asarray(~missing)
