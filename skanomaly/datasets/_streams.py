"""Generated rows of several nodes, and of a stream whose anomalies change."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.datasets._planting import FRACTION, TABLE, at_least, positive

__all__ = ["make_fraud_stream", "make_grouped_series"]


@validate_params(
    {
        "n_groups": at_least(2),
        "n_timepoints": at_least(20),
        "n_features": at_least(2),
        "episode_length": at_least(1),
        "contamination": FRACTION,
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_grouped_series(
    n_groups: int = 20,
    *,
    n_timepoints: int = 200,
    n_features: int = 4,
    episode_length: int = 5,
    contamination: float = 0.05,
    random_state: Any = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Make the series of several nodes of a computer, with anomalies that are normal at another node.

    Each node has its own level and its own covariance. In an anomalous episode, a node behaves as another node does, so
    that one model of all nodes sees nothing.

    Parameters
    ----------
    n_groups : int, default=20
        Number of nodes.
    n_timepoints : int, default=200
        Time points of each node, at least 20.
    n_features : int, default=4
        Number of channels, at least 2.
    episode_length : int, default=5
        Time points of an anomalous episode; at most a half of `n_timepoints`.
    contamination : float in [0, 0.5], default=0.05
        Fraction of anomalous time points of each node, rounded down to whole episodes.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X : ndarray of shape (n_groups * n_timepoints, n_features)
        The series of the nodes, one after the other, each in order of time.
    y : ndarray of shape (n_groups * n_timepoints,), int64
        +1 normal, -1 anomaly.
    groups : ndarray of shape (n_groups * n_timepoints,), int64
        Number of the node.

    Raises
    ------
    ValueError
        If an episode is longer than half of the series.

    See Also
    --------
    skanomaly.sequence.GroupedDetector : One clone of a detector for each group.

    References
    ----------
    .. [1] Borghesi, A., Bartolini, A., Lombardi, M., Milano, M. and Benini, L. (2019). "Anomaly detection using
       autoencoders in high performance computing systems". AAAI. https://doi.org/10.1609/aaai.v33i01.33019428

    Examples
    --------
    >>> from skanomaly.datasets import make_grouped_series
    >>> X, y, groups = make_grouped_series(random_state=0)
    >>> X.shape, len(set(groups.tolist())), int((y == -1).sum())
    ((4000, 4), 20, 200)
    """
    if 2 * episode_length > n_timepoints:
        raise ValueError(
            f"episode_length={episode_length} is more than half of n_timepoints={n_timepoints}; use shorter episodes."
        )
    rng = generator(random_state)
    levels = 5.0 * rng.standard_normal((n_groups, n_features))
    mixing = rng.standard_normal((n_groups, n_features, n_features))
    groups = np.repeat(np.arange(n_groups, dtype=np.int64), n_timepoints)
    y = np.ones(len(groups), dtype=np.int64)
    behaviour = groups.copy()
    n_slots = n_timepoints // episode_length
    n_episodes = int(contamination * n_timepoints / episode_length + 1e-9)
    for group in range(n_groups):
        for slot in rng.choice(n_slots, size=n_episodes, replace=False).tolist():
            start = group * n_timepoints + slot * episode_length
            y[start : start + episode_length] = -1
            behaviour[start : start + episode_length] = (group + rng.integers(1, n_groups)) % n_groups
    white = rng.standard_normal((len(groups), n_features))
    return levels[behaviour] + np.einsum("ij,ijk->ik", white, mixing[behaviour]), y, groups


@validate_params(
    {
        **TABLE,
        "n_features": at_least(2),
        "n_days": at_least(1),
        "turn": [Interval(Real, None, None, closed="neither")],
        "turn_from": [Interval(Real, 0, 1, closed="left")],
        "size": positive(),
    },
    prefer_skip_nested_validation=True,
)
def make_fraud_stream(
    n_samples: int = 12000,
    n_features: int = 6,
    *,
    n_days: int = 120,
    turn: float = np.pi,
    turn_from: float = 0.4,
    size: float = 4.5,
    contamination: float = 0.02,
    random_state: Any = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Make a stream of payments with frauds whose pattern rotates as time passes.

    Normal payments are standard normal. Frauds are shifted in the plane of the first two columns. The direction of the
    shift is constant at first, and then turns; its size does not change. A classifier trained on the first days loses
    the frauds of the last ones, and a detector does not.

    Parameters
    ----------
    n_samples : int, default=12000
        Number of payments.
    n_features : int, default=6
        Number of columns, at least 2.
    n_days : int, default=120
        Number of days, over which the payments are spread evenly.
    turn : float, default=pi
        Angle in radians by which the direction has turned at the end. 0: the frauds stay as they are.
    turn_from : float in [0, 1), default=0.4
        Fraction of the days before the direction begins to turn.
    size : float, default=4.5
        Size of the shift, in standard deviations.
    contamination : float in [0, 0.5], default=0.02
        Probability that a payment is a fraud.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Payments in order of time.
    y : ndarray of shape (n_samples,), int64
        +1 normal, -1 fraud.
    times : ndarray of shape (n_samples,)
        Days since the beginning.

    See Also
    --------
    skanomaly.model_selection.compare_over_time : Compares models trained on the first days.

    References
    ----------
    .. [1] Thimonier, H., Popineau, F., Rimmel, A., Doan, B.-L. and Daniel, F. (2023). "Comparative evaluation of
       anomaly detection methods for fraud detection in online credit card payments". arXiv:2312.13896.

    Examples
    --------
    >>> from skanomaly.datasets import make_fraud_stream
    >>> X, y, times = make_fraud_stream(random_state=0)
    >>> first, last = (X[(y == -1) & days, 0].mean() for days in (times < 40, times > 110))
    >>> bool(first > 4), bool(last < -3)
    (True, True)
    """
    rng = generator(random_state)
    times: NDArray[np.float64] = np.arange(n_samples, dtype=np.float64) * (n_days / n_samples)
    X = rng.standard_normal((n_samples, n_features))
    y = np.where(rng.random(n_samples) < contamination, -1, 1).astype(np.int64)
    angle = turn * np.maximum(times / max(times[-1], np.finfo(float).tiny) - turn_from, 0.0) / (1.0 - turn_from)
    X[:, :2] += size * np.column_stack([np.cos(angle), np.sin(angle)]) * (y == -1)[:, None]
    return X, y, times
