"""Training sets with a known fraction of anomalies, and what they cost detectors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._labels import native_labels, read_labels
from skanomaly._support._refits import clone_with_seed
from skanomaly._support._results import ShortRepr
from skanomaly._support._rows import take_rows
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.model_selection._names import get_scorer

__all__ = ["ContaminationCurve", "contaminate", "contamination_curve"]

Indices = NDArray[np.intp]
_SPLIT: dict[str, list[Any]] = {
    "test_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_normal": [Interval(Integral, 1, None, closed="left"), None],
    "random_state": ["random_state"],
}


@dataclass(frozen=True, repr=False)
class ContaminationCurve(ShortRepr):
    """How detectors do with anomalies in their training data, from :func:`contamination_curve`.

    Attributes
    ----------
    names : list of str
        Names of the detectors.
    ratios : ndarray of shape (n_ratios,)
        Fraction of anomalies in the training rows.
    values : ndarray of shape (n_detectors, n_ratios, n_repeats)
        The metric on the test rows, which are the same for all detectors and ratios of a repeat.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.model_selection import contamination_curve
    >>> X, y = make_shifted_anomalies(n_samples=400, contamination=0.25, random_state=0)
    >>> curve = contamination_curve(
    ...     {"forest": IsolationForest()},
    ...     X,
    ...     y,
    ...     ratios=(0, 0.1),
    ...     n_repeats=2,
    ...     random_state=0,
    ... )
    >>> curve.mean.shape, curve.loss.shape
    ((1, 2), (1, 2))
    """

    names: list[str]
    ratios: NDArray[np.float64]
    values: NDArray[np.float64]

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean over the repeats, of shape (n_detectors, n_ratios)."""
        return np.asarray(self.values.mean(axis=2))

    @property
    def loss(self) -> NDArray[np.float64]:
        """Mean difference from the smallest ratio within a repeat, of shape (n_detectors, n_ratios)."""
        least = int(self.ratios.argmin())
        return np.asarray((self.values[:, least : least + 1] - self.values).mean(axis=2))


@validate_params({"ratio": [Interval(Real, 0, 1, closed="left")], **_SPLIT}, prefer_skip_nested_validation=True)
def contaminate(
    y: Any,
    ratio: float,
    *,
    test_fraction: float = 0.5,
    n_normal: int | None = None,
    pos_label: Any = None,
    random_state: Any = None,
) -> tuple[Indices, Indices]:
    """Split rows so that the training rows contain a given fraction of anomalies; the test rows do not depend on it.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels: -1 anomaly and +1 normal, or 1 anomaly and 0 normal. Unlabelled rows are in no set.
    ratio : float
        Fraction of the training rows that are anomalies, in [0, 1).
    test_fraction : float, default=0.5
        Fraction of the normal rows, and of the anomalies, that are test rows.
    n_normal : int, default=None
        Number of normal training rows. None takes all that are no test rows; fewer allow a larger `ratio` where
        anomalies are rare.
    pos_label : label, default=None
        The anomalies' label. None recognises -1, or 1 beside 0.
    random_state : int, RandomState instance or None, default=None
        Draws the rows. The same integer gives the same test rows and normal training rows for every `ratio`, and a
        larger `ratio` keeps the anomalies of a smaller one.

    Returns
    -------
    train, test : ndarray
        Row indices, in order.

    Raises
    ------
    ValueError
        If there are too few anomalies for the ratio, or too few normal rows.

    See Also
    --------
    contamination_curve : Follows detectors over ratios.
    OneClassKFold : Trains on normal rows only.

    Notes
    -----
    The fully unsupervised setting of Real-IAD [1]_: the training rows contain unlabelled anomalies, which are not test
    rows.

    References
    ----------
    .. [1] C. Wang et al., "Real-IAD: A Real-World Multi-View Dataset for Benchmarking Versatile Industrial Anomaly
       Detection", CVPR 2024. arXiv:2403.12580.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.model_selection import contaminate
    >>> y = np.array([1] * 180 + [-1] * 40)
    >>> train, test = contaminate(y, 0.1, random_state=0)
    >>> len(train), int((y[train] == -1).sum()), len(test), int((y[test] == -1).sum())
    (100, 10, 110, 20)
    """
    labels = read_labels(y, pos_label=pos_label)
    random = generator(random_state)
    normal, anomalies = (random.permutation(np.flatnonzero(labels == label)) for label in (1, -1))
    n_tests = [round(test_fraction * len(rows)) for rows in (normal, anomalies)]
    given, pool = normal[n_tests[0] :], anomalies[n_tests[1] :]
    if min(n_tests) == 0 or len(given) < (n_normal or 1):
        raise ValueError(
            f"y has {len(normal)} normal rows and {len(anomalies)} anomalies, of which {n_tests[0]} and {n_tests[1]} "
            f"are test rows; {len(given)} normal rows are left to train on (n_normal={n_normal}). Change test_fraction."
        )
    clean = given[:n_normal]
    wanted = round(ratio / (1 - ratio) * len(clean))
    if wanted > len(pool):
        raise ValueError(
            f"ratio={ratio} needs {wanted} anomalies beside {len(clean)} normal training rows, and {len(pool)} are "
            f"left. Lower ratio to {len(pool) / (len(pool) + len(clean)):.3f}, or n_normal to "
            f"{int(len(pool) * (1 - ratio) / ratio)}."
        )
    train = np.concatenate([clean, pool[:wanted]])
    return np.sort(train), np.sort(np.concatenate([normal[: n_tests[0]], anomalies[: n_tests[1]]]))


@validate_params(
    {
        "models": [Mapping],
        "ratios": ["array-like"],
        "scoring": [str, callable],
        "n_repeats": [Interval(Integral, 1, None, closed="left")],
        **_SPLIT,
    },
    prefer_skip_nested_validation=True,
)
def contamination_curve(
    models: Mapping[str, Any],
    X: Any,
    y: Any,
    *,
    ratios: Sequence[float] = (0.0, 0.1, 0.2, 0.4),
    scoring: str | Callable[..., float] = "roc_auc",
    n_repeats: int = 5,
    test_fraction: float = 0.5,
    n_normal: int | None = None,
    pos_label: Any = None,
    random_state: Any = None,
) -> ContaminationCurve:
    """Fit detectors to training rows with more and more anomalies in them, and rate them on fixed test rows.

    Parameters
    ----------
    models : dict of str to estimator
        Detectors; cloned, and fitted without labels.
    X : array-like of shape (n_samples, ...)
        Whatever the detectors accept.
    y : array-like of shape (n_samples,)
        Labels: -1 anomaly and +1 normal, or 1 anomaly and 0 normal.
    ratios : sequence of float, default=(0, 0.1, 0.2, 0.4)
        Fractions of the training rows that are anomalies.
    scoring : str or callable, default="roc_auc"
        Name for :func:`get_scorer`, or ``scorer(estimator, X, y)``.
    n_repeats : int, default=5
        Number of splits.
    test_fraction : float, default=0.5
        As in :func:`contaminate`.
    n_normal : int, default=None
        As in :func:`contaminate`; None takes as many normal rows as the largest ratio allows, the same for all ratios.
    pos_label : label, default=None
        The anomalies' label. None recognises -1, or 1 beside 0.
    random_state : int, RandomState instance or None, default=None
        Draws the splits, and is set where a `random_state` of a detector is None.

    Returns
    -------
    ContaminationCurve

    Raises
    ------
    ValueError
        If there is no model or no ratio, or as :func:`contaminate`.

    See Also
    --------
    contaminate : One of the splits.
    skanomaly.robust.PurifiedDetector : Drops suspicious training rows.

    References
    ----------
    .. [1] C. Wang et al., "Real-IAD: A Real-World Multi-View Dataset for Benchmarking Versatile Industrial Anomaly
       Detection", CVPR 2024. arXiv:2403.12580.

    Examples
    --------
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from skanomaly.datasets import make_clusters
    >>> from skanomaly.model_selection import contamination_curve
    >>> X, y = make_clusters(
    ...     n_samples=600, contamination=0.2, anomalies="clustered", random_state=0
    ... )
    >>> models = {"local": LocalOutlierFactor(novelty=True)}
    >>> curve = contamination_curve(
    ...     models, X, y, ratios=(0, 0.1), n_repeats=2, random_state=0
    ... )
    >>> bool(curve.loss[0, 1] > 0.2)  # a cluster of anomalies looks normal to it
    True
    """
    if not models or len(ratios) == 0:
        raise ValueError(f"models has {len(models)} entries and ratios {len(ratios)}; give at least one of each.")
    labels, random = read_labels(y, pos_label=pos_label), generator(random_state)
    scorer = get_scorer(scoring) if isinstance(scoring, str) else scoring
    if n_normal is None and max(ratios) > 0:
        counts = [int((labels == label).sum()) for label in (1, -1)]
        left, pool = (count - round(test_fraction * count) for count in counts)
        n_normal = max(1, min(left, int(pool * (1 - max(ratios)) / max(ratios))))
    values = np.empty((len(models), len(ratios), n_repeats))
    for repeat in range(n_repeats):
        split_seed, model_seed = (int(seed) for seed in random.integers(2**31, size=2))
        for place, ratio in enumerate(ratios):
            train, test = contaminate(
                labels, ratio, test_fraction=test_fraction, n_normal=n_normal, random_state=split_seed
            )
            rows, truth = take_rows(X, test), native_labels(labels[test])
            for name, model in enumerate(models.values()):
                fitted = clone_with_seed(model, model_seed).fit(take_rows(X, train))
                values[name, place, repeat] = scorer(fitted, rows, truth)
    return ContaminationCurve(names=list(models), ratios=np.asarray(ratios, dtype=np.float64), values=values)
