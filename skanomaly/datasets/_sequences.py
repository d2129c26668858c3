"""Generated collections of series: repeats of a route, movements with two outcomes, and fixations of a gaze."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import validate_params
from skanomaly.datasets._planting import FRACTION, at_least, choose_anomalies, positive

__all__ = ["make_branching_sequences", "make_gaze_sequences", "make_patrol_passes"]

Series = list[NDArray[np.float64]]
_N_WAVES = 6
_FEWEST_FIXATIONS, _MOST_FIXATIONS = 12, 24


@validate_params(
    {
        "n_references": at_least(1),
        "n_queries": at_least(2),
        "n_timepoints": at_least(20),
        "n_features": at_least(1),
        "warp": positive(),
        "noise": positive(),
        "length": at_least(1),
        "contamination": FRACTION,
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_patrol_passes(
    n_references: int = 20,
    n_queries: int = 60,
    *,
    n_timepoints: int = 120,
    n_features: int = 3,
    warp: float = 0.05,
    noise: float = 0.1,
    length: int = 10,
    contamination: float = 0.5,
    random_state: Any = None,
) -> tuple[Series, Series, NDArray[np.int64], list[NDArray[np.int64]]]:
    """Make repeated passes of one route, with anomalies that are normal at another place of the route.

    A patrol drives past the same places in the same order, at a speed that varies. In an anomalous pass, a few time
    points show what belongs to another place. Only a comparison with an aligned reference finds them.

    Parameters
    ----------
    n_references : int, default=20
        Number of normal passes.
    n_queries : int, default=60
        Number of passes to be compared with them, at least 2.
    n_timepoints : int, default=120
        Time points of the route, at least 20. The length of a pass differs by up to 5 %.
    n_features : int, default=3
        Number of channels.
    warp : float, default=0.05
        Largest deviation of a pass from constant speed, as a fraction of the route; below 0.15.
    noise : float, default=0.1
        Standard deviation of the noise; that of the route is 1 in each channel.
    length : int, default=10
        Number of changed time points in an anomalous pass; at most a third of the route.
    contamination : float in [0, 0.5], default=0.5
        Fraction of anomalous queries, rounded to whole passes.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X_reference : list of ndarray of shape (n_timepoints_i, n_features)
        The normal passes.
    X_query : list of ndarray of shape (n_timepoints_i, n_features)
        The other passes.
    y_query : ndarray of shape (n_queries,), int64
        +1 normal, -1 anomaly.
    timepoint_labels : list of ndarray of shape (n_timepoints_i,), int64
        -1 at the changed time points of the queries, +1 elsewhere.

    Raises
    ------
    ValueError
        If `warp` would make a pass go backwards, or `length` is more than a third of the route.

    See Also
    --------
    skanomaly.sequence.ReferenceDetector : Compares a series with an aligned reference.

    References
    ----------
    .. [1] Li, D., Chen, L., Xu, C.-Z. and Kong, H. (2024). "UMAD: University of Macau Anomaly Detection Benchmark
       Dataset". IROS. arXiv:2408.12527.

    Examples
    --------
    >>> from skanomaly.datasets import make_patrol_passes
    >>> X_reference, X_query, y_query, timepoint_labels = make_patrol_passes(random_state=0)
    >>> len(X_reference), len(X_query), int((y_query == -1).sum())
    (20, 60, 30)
    """
    if warp >= 0.15:
        raise ValueError(f"warp={warp} makes a pass go backwards; use less than 0.15.")
    if 3 * length > n_timepoints:
        raise ValueError(f"length={length} is more than a third of n_timepoints={n_timepoints}; use fewer time points.")
    rng = generator(random_state)
    frequencies = rng.integers(1, 9, size=(_N_WAVES, n_features))
    phases = rng.uniform(0.0, 2.0 * np.pi, size=(_N_WAVES, n_features))

    def route(place: NDArray[np.float64]) -> NDArray[np.float64]:
        waves = np.sin(2.0 * np.pi * frequencies * place[:, None, None] + phases)
        return np.asarray(waves.sum(axis=1) * np.sqrt(2.0 / _N_WAVES))

    def one_pass(*, changed: bool) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        n_points = round(n_timepoints * rng.uniform(0.95, 1.05))
        time = np.linspace(0.0, 1.0, n_points)
        place = time + rng.uniform(-warp, warp) * np.sin(2.0 * np.pi * time)
        labels = np.ones(n_points, dtype=np.int64)
        if changed:
            start = rng.integers(n_points - length)
            labels[start : start + length] = -1
            place[labels == -1] = (place[labels == -1] + rng.uniform(0.3, 0.7)) % 1.0
        return route(place) + noise * rng.standard_normal((n_points, n_features)), labels

    references = [one_pass(changed=False)[0] for _ in range(n_references)]
    y_query = choose_anomalies(n_queries, contamination, rng)
    queries, timepoint_labels = zip(*(one_pass(changed=label == -1) for label in y_query.tolist()), strict=True)
    return references, list(queries), y_query, list(timepoint_labels)


@validate_params(
    {
        "n_sequences": at_least(2),
        "n_past": at_least(1),
        "n_future": at_least(1),
        "n_features": at_least(1),
        "noise": positive(),
        "contamination": FRACTION,
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_branching_sequences(
    n_sequences: int = 400,
    *,
    n_past: int = 6,
    n_future: int = 6,
    n_features: int = 1,
    noise: float = 0.1,
    contamination: float = 0.1,
    random_state: Any = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Make movements with one past and two normal futures, with anomalies that take the way between them.

    The past of each sequence is noise around 0. The future leads to +1 or to -1 with equal probability, and in an
    anomaly stays at 0, which is the mean of the two. A forecast of the mean is best for the anomalies.

    Parameters
    ----------
    n_sequences : int, default=400
        Number of sequences.
    n_past : int, default=6
        Number of time points before the branch.
    n_future : int, default=6
        Number of time points after it; the first half of them leads to the end point.
    n_features : int, default=1
        Number of channels; each has its own direction, the same in all sequences.
    noise : float, default=0.1
        Standard deviation of the noise.
    contamination : float in [0, 0.5], default=0.1
        Fraction of anomalies, rounded to whole sequences.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X : ndarray of shape (n_sequences, n_past + n_future, n_features)
    y : ndarray of shape (n_sequences,), int64
        +1 normal, -1 anomaly.

    See Also
    --------
    skanomaly.sequence.SequenceNeighbors : Compares a sequence with the nearest normal ones.
    make_bimodal : The same in a table.

    References
    ----------
    .. [1] Flaborea, A. et al. (2023). "Multimodal motion conditioned diffusion model for skeleton-based video anomaly
       detection". ICCV. arXiv:2307.07205.

    Examples
    --------
    >>> from skanomaly.datasets import make_branching_sequences
    >>> X, y = make_branching_sequences(random_state=0)
    >>> (
    ...     X.shape,
    ...     bool(abs(X[y == 1, -1].mean()) < 0.2),
    ...     bool(abs(X[y == 1, -1]).mean() > 0.9),
    ... )
    ((400, 12, 1), True, True)
    """
    rng = generator(random_state)
    y = choose_anomalies(n_sequences, contamination, rng)
    branch = np.where(y == -1, 0.0, np.where(rng.random(n_sequences) < 0.5, -1.0, 1.0))
    way = np.minimum(np.arange(1, n_future + 1) / max(1, n_future // 2), 1.0)
    direction = np.where(rng.random(n_features) < 0.5, -1.0, 1.0)
    X = noise * rng.standard_normal((n_sequences, n_past + n_future, n_features))
    X[:, n_past:] += branch[:, None, None] * way[:, None] * direction
    return X, y


@validate_params(
    {
        "n_sequences": at_least(2),
        "dispersion": positive(),
        "contamination": FRACTION,
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_gaze_sequences(
    n_sequences: int = 200,
    *,
    dispersion: float = 0.5,
    contamination: float = 0.2,
    random_state: Any = None,
) -> tuple[Series, NDArray[np.int64]]:
    """Make sequences of fixations of a gaze, with anomalies whose fixations cover a smaller part of the image.

    A sequence has 12 to 24 fixations. They are correlated in time, and lie around a centre of their own. Number,
    durations and centre have the same distributions in normal sequences and in anomalies; only the dispersion differs.

    Parameters
    ----------
    n_sequences : int, default=200
        Number of sequences.
    dispersion : float, default=0.5
        Dispersion of an anomaly relative to that of a normal sequence.
    contamination : float in [0, 0.5], default=0.2
        Fraction of anomalies, rounded to whole sequences.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X : list of ndarray of shape (n_fixations_i, 3)
        Horizontal and vertical position, as fractions of the image, and duration in seconds.
    y : ndarray of shape (n_sequences,), int64
        +1 normal, -1 anomaly.

    Notes
    -----
    People look at a smaller part of a manipulated image than of a genuine one [1]_. The sizes here are not those of
    their recordings.

    References
    ----------
    .. [1] Cartella, G., Cuculo, V., Cornia, M. and Cucchiara, R. (2024). "Unveiling the truth: exploring human gaze
       patterns in fake images". IEEE Signal Processing Letters. arXiv:2403.08933.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.datasets import make_gaze_sequences
    >>> X, y = make_gaze_sequences(random_state=0)
    >>> spread = np.array([gaze[:, :2].std() for gaze in X])
    >>> bool(np.median(spread[y == -1]) < 0.7 * np.median(spread[y == 1]))
    True
    """
    rng = generator(random_state)
    y = choose_anomalies(n_sequences, contamination, rng)
    gazes = []
    for label in y.tolist():
        n_fixations = int(rng.integers(_FEWEST_FIXATIONS, _MOST_FIXATIONS + 1))
        positions = rng.standard_normal((n_fixations, 2))
        for index in range(1, n_fixations):
            positions[index] = 0.5 * positions[index - 1] + np.sqrt(0.75) * positions[index]
        size = 0.13 * (dispersion if label == -1 else 1.0)
        centre = rng.uniform(0.35, 0.65, size=2)
        durations = np.exp(np.log(0.25) + 0.4 * rng.standard_normal(n_fixations))
        gazes.append(np.column_stack([np.clip(centre + size * positions, 0.0, 1.0), durations]))
    return gazes, y
