"""Generated tables and series, each with one kind of anomaly, which only some detectors find."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._fractions import whole_part
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions, validate_params
from skanomaly.datasets._planting import TABLE, count_anomalies, shuffle_rows

__all__ = [
    "make_bimodal",
    "make_broken_dependence",
    "make_clusters",
    "make_drifting_series",
    "make_low_variance_anomalies",
    "make_shifted_anomalies",
]

_N_FEATURES = [Interval(Integral, 1, None, closed="left")]
_N_FEATURES_FROM_TWO = [Interval(Integral, 2, None, closed="left")]
_SIZE = [Interval(Real, None, None, closed="neither")]
_SMALLEST_SD = 0.1


@validate_params(
    {
        **TABLE,
        "n_features": _N_FEATURES,
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "anomalies": [StrOptions({"global", "local", "clustered"})],
    },
    prefer_skip_nested_validation=True,
)
def make_clusters(
    n_samples: int = 500,
    n_features: int = 2,
    *,
    n_clusters: int = 3,
    anomalies: str = "global",
    contamination: float = 0.05,
    random_state: Any = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Make Gaussian clusters of normal rows with anomalies of a chosen kind.

    The centres are uniform in a cube of side 20. The standard deviation of each cluster is between 0.5 and 1.5.

    Parameters
    ----------
    n_samples : int, default=500
        Number of rows.
    n_features : int, default=2
        Number of columns.
    n_clusters : int, default=3
        Number of normal clusters; each row belongs to each of them with equal probability.
    anomalies : {"global", "local", "clustered"}, default="global"
        "global": uniform in a box 10 % wider on each side than the bounding box of the normal rows, so that a few are
        among them. "local": around the centres, with five times the standard deviation. "clustered": one small cluster
        outside a corner of the bounding box of the normal rows.
    contamination : float in [0, 0.5], default=0.05
        Fraction of anomalies, rounded to whole rows.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Rows in random order.
    y : ndarray of shape (n_samples,), int64
        +1 normal, -1 anomaly.

    See Also
    --------
    make_broken_dependence : Anomalies that differ only in the dependence between columns.

    Examples
    --------
    >>> from skanomaly.datasets import make_clusters
    >>> X, y = make_clusters(200, contamination=0.1, random_state=0)
    >>> X.shape, int((y == -1).sum())
    ((200, 2), 20)
    """
    rng = generator(random_state)
    n_anomalies = count_anomalies(n_samples, contamination)
    centres = rng.uniform(-10.0, 10.0, size=(n_clusters, n_features))
    deviations = rng.uniform(0.5, 1.5, size=n_clusters)

    def around_centres(n_rows: int, factor: float) -> NDArray[np.float64]:
        cluster = rng.integers(n_clusters, size=n_rows)
        return centres[cluster] + factor * deviations[cluster, None] * rng.standard_normal((n_rows, n_features))

    normal = around_centres(n_samples - n_anomalies, 1.0)
    lowest, highest = normal.min(axis=0), normal.max(axis=0)
    if anomalies == "global":
        margin = 0.1 * (highest - lowest)
        anomalous = rng.uniform(lowest - margin, highest + margin, size=(n_anomalies, n_features))
    elif anomalies == "local":
        anomalous = around_centres(n_anomalies, 5.0)
    else:
        anomalous = highest + 3.0 + 0.3 * rng.standard_normal((n_anomalies, n_features))
    return shuffle_rows(normal, anomalous, rng)


@validate_params(
    {
        **TABLE,
        "n_features": _N_FEATURES,
        "n_shifted_features": [Interval(Integral, 1, None, closed="left")],
        "shift": _SIZE,
    },
    prefer_skip_nested_validation=True,
)
def make_shifted_anomalies(
    n_samples: int = 500,
    n_features: int = 10,
    *,
    n_shifted_features: int = 1,
    shift: float = 5.0,
    contamination: float = 0.05,
    random_state: Any = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Make standard normal rows with anomalies shifted in a few columns.

    The more columns are not shifted, the harder the anomalies are to find for a detector that averages over columns.

    Parameters
    ----------
    n_samples : int, default=500
        Number of rows.
    n_features : int, default=10
        Number of columns.
    n_shifted_features : int, default=1
        Number of columns that are shifted in each anomaly, always the first ones; at most `n_features`.
    shift : float, default=5.0
        Size of the shift, in standard deviations.
    contamination : float in [0, 0.5], default=0.05
        Fraction of anomalies, rounded to whole rows.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Rows in random order.
    y : ndarray of shape (n_samples,), int64
        +1 normal, -1 anomaly.

    Examples
    --------
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> X, y = make_shifted_anomalies(shift=8.0, random_state=0)
    >>> bool(X[y == -1, 0].min() > X[y == 1, 0].max())
    True
    """
    if n_shifted_features > n_features:
        raise ValueError(
            f"n_shifted_features is {n_shifted_features} and n_features is {n_features}; at most all columns can be "
            "shifted."
        )
    rng = generator(random_state)
    n_anomalies = count_anomalies(n_samples, contamination)
    normal = rng.standard_normal((n_samples - n_anomalies, n_features))
    anomalous = rng.standard_normal((n_anomalies, n_features))
    anomalous[:, :n_shifted_features] += shift
    return shuffle_rows(normal, anomalous, rng)


@validate_params(
    {**TABLE, "n_features": _N_FEATURES_FROM_TWO, "shift": _SIZE},
    prefer_skip_nested_validation=True,
)
def make_low_variance_anomalies(
    n_samples: int = 500,
    n_features: int = 10,
    *,
    shift: float = 6.0,
    contamination: float = 0.05,
    random_state: Any = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Make correlated normal rows with anomalies along their direction of least variance.

    The standard deviations along the principal directions fall geometrically from 1 to 0.1; the directions are a random
    rotation. An anomaly is a normal row shifted along the last direction. Its columns and its norm are normal: only a
    detector that uses the covariance finds it.

    Parameters
    ----------
    n_samples : int, default=500
        Number of rows.
    n_features : int, default=10
        Number of columns, at least 2.
    shift : float, default=6.0
        Size of the shift, in standard deviations along the last direction; to either side with equal probability.
    contamination : float in [0, 0.5], default=0.05
        Fraction of anomalies, rounded to whole rows.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Rows in random order.
    y : ndarray of shape (n_samples,), int64
        +1 normal, -1 anomaly.

    See Also
    --------
    make_broken_dependence : Anomalies with independent columns.

    Examples
    --------
    >>> from sklearn.covariance import EllipticEnvelope
    >>> from sklearn.metrics import roc_auc_score
    >>> from skanomaly.datasets import make_low_variance_anomalies
    >>> X, y = make_low_variance_anomalies(random_state=0)
    >>> scores = EllipticEnvelope(random_state=0).fit(X).score_samples(X)
    >>> bool(roc_auc_score(y, scores) > 0.95)
    True
    """
    rng = generator(random_state)
    n_anomalies = count_anomalies(n_samples, contamination)
    deviations = np.geomspace(1.0, _SMALLEST_SD, n_features)
    coordinates = deviations * rng.standard_normal((n_samples, n_features))
    side = np.where(rng.random(n_anomalies) < 0.5, -1.0, 1.0)
    coordinates[n_samples - n_anomalies :, -1] += shift * _SMALLEST_SD * side
    rotation, triangle = np.linalg.qr(rng.standard_normal((n_features, n_features)))
    X = coordinates @ (rotation * np.sign(np.diag(triangle))).T
    return shuffle_rows(X[: n_samples - n_anomalies], X[n_samples - n_anomalies :], rng)


@validate_params(
    {**TABLE, "n_features": _N_FEATURES_FROM_TWO, "correlation": [Interval(Real, 0, 1, closed="both")]},
    prefer_skip_nested_validation=True,
)
def make_broken_dependence(
    n_samples: int = 500,
    n_features: int = 5,
    *,
    correlation: float = 0.95,
    contamination: float = 0.05,
    random_state: Any = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Make equally correlated normal rows with anomalies whose columns are independent.

    Every column of an anomaly has the same distribution as in normal rows, so a single column cannot distinguish them.

    Parameters
    ----------
    n_samples : int, default=500
        Number of rows.
    n_features : int, default=5
        Number of columns, at least 2.
    correlation : float in [0, 1], default=0.95
        Correlation between any two columns of normal rows. At 0 the anomalies do not differ from normal rows.
    contamination : float in [0, 0.5], default=0.05
        Fraction of anomalies, rounded to whole rows.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Rows in random order; each column is standard normal.
    y : ndarray of shape (n_samples,), int64
        +1 normal, -1 anomaly.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.datasets import make_broken_dependence
    >>> X, y = make_broken_dependence(2000, random_state=0)
    >>> bool(np.corrcoef(X[y == 1, 0], X[y == 1, 1])[0, 1] > 0.9)
    True
    """
    rng = generator(random_state)
    n_anomalies = count_anomalies(n_samples, contamination)
    common = rng.standard_normal((n_samples - n_anomalies, 1))
    own = rng.standard_normal((n_samples - n_anomalies, n_features))
    normal = np.sqrt(correlation) * common + np.sqrt(1.0 - correlation) * own
    return shuffle_rows(normal, rng.standard_normal((n_anomalies, n_features)), rng)


@validate_params(
    {**TABLE, "n_features": _N_FEATURES, "separation": _SIZE},
    prefer_skip_nested_validation=True,
)
def make_bimodal(
    n_samples: int = 500,
    n_features: int = 10,
    *,
    separation: float = 10.0,
    contamination: float = 0.05,
    random_state: Any = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Make two modes of normal rows with anomalies at the midpoint between them.

    For a detector that measures the distance from one centre, the anomalies are the most normal rows.

    Parameters
    ----------
    n_samples : int, default=500
        Number of rows.
    n_features : int, default=10
        Number of columns.
    separation : float, default=10.0
        Distance between the two modes, in standard deviations, along a random direction.
    contamination : float in [0, 0.5], default=0.05
        Fraction of anomalies, rounded to whole rows.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Rows in random order; both modes and the anomalies have unit covariance.
    y : ndarray of shape (n_samples,), int64
        +1 normal, -1 anomaly.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.datasets import make_bimodal
    >>> X, y = make_bimodal(random_state=0)
    >>> distance = np.linalg.norm(X, axis=1)
    >>> bool(np.median(distance[y == -1]) < np.median(distance[y == 1]))
    True
    """
    rng = generator(random_state)
    n_anomalies = count_anomalies(n_samples, contamination)
    direction = rng.standard_normal(n_features)
    direction /= np.linalg.norm(direction)
    side = np.where(rng.random(n_samples - n_anomalies) < 0.5, -0.5, 0.5)
    normal = rng.standard_normal((n_samples - n_anomalies, n_features)) + separation * side[:, None] * direction
    return shuffle_rows(normal, rng.standard_normal((n_anomalies, n_features)), rng)


@validate_params(
    {
        "n_timepoints": [Interval(Integral, 4, None, closed="left")],
        "n_features": _N_FEATURES,
        "drift": [StrOptions({"none", "step", "ramp", "variance"})],
        "change_point": [Interval(Real, 0, 1, closed="both")],
        "size": _SIZE,
        "autocorrelation": [Interval(Real, -1, 1, closed="neither")],
        "contamination": [Interval(Real, 0, 0.5, closed="both")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_drifting_series(
    n_timepoints: int = 1000,
    n_features: int = 1,
    *,
    drift: str = "step",
    change_point: float = 0.5,
    size: float = 2.0,
    autocorrelation: float = 0.0,
    contamination: float = 0.02,
    random_state: Any = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Make a series that changes at a known time point, with spikes as anomalies.

    The rows after the change are labelled +1: drift is not an anomaly.

    Parameters
    ----------
    n_timepoints : int, default=1000
        Number of rows, in order of time.
    n_features : int, default=1
        Number of columns.
    drift : {"step", "ramp", "variance", "none"}, default="step"
        Change from the change point on: every column is shifted by `size`; or it rises linearly to `size` at the end;
        or its standard deviation is multiplied by ``1 + abs(size)``; or there is no change.
    change_point : float in [0, 1], default=0.5
        Position of the change as a fraction of the series: row ``floor(change_point * n_timepoints)``.
    size : float, default=2.0
        Size of the change, in standard deviations of the series.
    autocorrelation : float in (-1, 1), default=0.0
        First-order autocorrelation of each column; the standard deviation remains 1.
    contamination : float in [0, 0.5], default=0.02
        Fraction of rows with a spike, rounded to whole rows. A spike is 6 to 9 standard deviations, up or down, in one
        column.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X : ndarray of shape (n_timepoints, n_features)
        The series.
    y : ndarray of shape (n_timepoints,), int64
        +1 normal, -1 at a spike.

    Examples
    --------
    >>> from skanomaly.datasets import make_drifting_series
    >>> X, y = make_drifting_series(size=3.0, random_state=0)
    >>> before, after = X[:500][y[:500] == 1].mean(), X[500:][y[500:] == 1].mean()
    >>> bool(2.5 < after - before < 3.5)
    True
    """
    rng = generator(random_state)
    noise = rng.standard_normal((n_timepoints, n_features))
    series = noise.copy()
    scale = np.sqrt(1.0 - autocorrelation**2)
    for time_point in range(1, n_timepoints):
        series[time_point] = autocorrelation * series[time_point - 1] + scale * noise[time_point]
    start = whole_part(change_point, n_timepoints)
    length = n_timepoints - start
    if drift == "step":
        series[start:] += size
    elif drift == "ramp":
        series[start:] += size * (np.arange(1, length + 1) / max(length, 1))[:, None]
    elif drift == "variance":
        series[start:] *= 1.0 + abs(size)
    n_anomalies = count_anomalies(n_timepoints, contamination)
    spikes = rng.choice(n_timepoints, size=n_anomalies, replace=False)
    height = rng.uniform(6.0, 9.0, size=n_anomalies) * np.where(rng.random(n_anomalies) < 0.5, -1.0, 1.0)
    if drift == "variance":
        height[spikes >= start] *= 1.0 + abs(size)
    series[spikes, rng.integers(n_features, size=n_anomalies)] += height
    y = np.ones(n_timepoints, dtype=np.int64)
    y[spikes] = -1
    return series, y
