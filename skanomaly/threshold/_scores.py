"""Scores of detectors: collected from detectors, checked, and put on a common scale."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skanomaly._support._ties import rank_scores
from skanomaly._support._warnings import warn_user

__all__ = [
    "collect_scores",
    "default_detectors",
    "log_scores",
    "robust_scale",
    "usable_columns",
]

_MOST_KERNEL_ROWS = 5000


def default_detectors(n_rows: int, seed: int, *, neighbors: bool) -> list[Any]:
    """Return an isolation forest, up to 5,000 rows a one-class support vector machine, and a local outlier factor."""
    detectors = [IsolationForest(random_state=seed)]
    if n_rows <= _MOST_KERNEL_ROWS:
        detectors.append(make_pipeline(StandardScaler(), OneClassSVM(nu=0.5)))
    if neighbors:
        factor = LocalOutlierFactor(n_neighbors=max(1, min(20, n_rows // 3)), novelty=True)
        detectors.append(make_pipeline(StandardScaler(), factor))
    return detectors


def collect_scores(detectors: Sequence[Any], X: Any) -> NDArray[np.float64]:
    """Return the outlyingness of rows, one column per fitted detector; large is odd."""
    return np.column_stack([-np.asarray(detector.score_samples(X), dtype=np.float64) for detector in detectors])


def usable_columns(S: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which columns of scores tell rows apart; warn of those that hold NaN or infinity."""
    finite: NDArray[np.bool_] = np.atleast_1d(np.isfinite(S).all(axis=0))
    if not finite.all():
        warn_user(f"Scores of detector {np.flatnonzero(~finite).tolist()} hold NaN or infinity; it is left out.")
    usable = finite.copy()
    usable[finite] = np.ptp(S[:, finite], axis=0) > 1e-12 * (1.0 + np.abs(S[:, finite]).max(axis=0, initial=0.0))
    return usable


def log_scores(S: NDArray[np.float64], transform: str) -> NDArray[np.float64]:
    """Put columns on the scale of the mixture model, each with mean 0 and standard deviation 1.

    Parameters
    ----------
    S : ndarray of shape (n_samples, n_detectors)
        Large is odd; no constant column.
    transform : {"log", "log_scaled", "rank_normal"}
        Log of the distance to the smallest score plus 0.01, or plus 0.01 interquartile ranges; or normal scores.

    Returns
    -------
    ndarray of shape (n_samples, n_detectors)
    """
    if transform == "rank_normal":
        turned = ndtri((rank_scores(S, axis=0) - 0.5) / len(S))
    else:
        offset = 0.01
        if transform == "log_scaled":
            quartiles = np.percentile(S, [25, 75], axis=0)
            spread = quartiles[1] - quartiles[0]
            offset = 0.01 * np.where(spread > 0, spread, np.ptp(S, axis=0))
        turned = np.log(S - S.min(axis=0) + offset)
    return (turned - turned.mean(axis=0)) / turned.std(axis=0)


def robust_scale(S: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return median and spread of columns: the distance down to the 15.87 % point, or another that is not 0."""
    low, median = np.percentile(S, [15.87, 50.0], axis=0)
    spread = median - low
    fallback = np.abs(S - median).mean(axis=0)
    spread = np.where(spread > 0, spread, fallback)
    return median, np.where(spread > 0, spread, 1.0)
