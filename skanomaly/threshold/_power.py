"""What conformal p-values can find: power of selections, e-values, weights under shift, probabilities."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from skanomaly._support._audit import GRID, default_masses
from skanomaly._support._columns import in_order_of
from skanomaly._support._sklearn import HasMethods, Interval, validate_params
from skanomaly._support._tables import read_numbers

__all__ = ["PValueCurve", "SelectionPower", "domain_weights", "e_benjamini_hochberg", "selection_power"]

_SHAPES = np.array([1.0, 0.6, 0.35, 0.2, 0.1, 0.05])


class PValueCurve:
    """Probability of being an anomaly by p-value, from the p-values of known anomalies."""

    def __init__(self, pvalues: NDArray[np.float64]) -> None:
        log_likelihood = len(pvalues) * np.log(_SHAPES) + (_SHAPES - 1.0) * np.log(pvalues).sum()
        weights = np.exp(log_likelihood - log_likelihood.max())
        self._shape_weights = weights / weights.sum()

    def __call__(self, pvalues: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probabilities."""
        contaminations = np.r_[0.0, 0.5 * (GRID[1:] + GRID[:-1])]
        masses = default_masses()
        distinct, inverse = np.unique(np.maximum(pvalues, 1e-12), return_inverse=True)
        found = np.zeros(len(distinct))
        for shape, weight in zip(_SHAPES.tolist(), self._shape_weights, strict=True):
            odds = shape * distinct ** (shape - 1.0)
            anomalous = contaminations * odds[:, None]
            found += weight * ((anomalous / (anomalous + 1.0 - contaminations)) @ masses)
        return np.asarray(found[inverse])


@dataclass(frozen=True)
class SelectionPower:
    """Whether anything can be selected, and what would change that.

    ``n_needed`` is how many rows of the batch need the smallest p-value before any is selected, ``possible`` whether
    that many anomalies are expected, and ``n_calibration_needed`` the number of calibration rows from which on the
    expected anomalies suffice.
    """

    possible: bool
    n_needed: int
    n_calibration_needed: int


@validate_params(
    {
        "n_calibration": [Interval(Integral, 1, None, closed="left")],
        "n_rows": [Interval(Integral, 1, None, closed="left")],
        "n_anomalies": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def selection_power(n_calibration: int, n_rows: int, *, n_anomalies: int = 1, alpha: float = 0.1) -> SelectionPower:
    """Say before a batch is scored whether :meth:`ConformalDetector.select` can select any row.

    Parameters
    ----------
    n_calibration : int
        Number of calibration rows.
    n_rows : int
        Number of rows of the batch.
    n_anomalies : int, default=1
        Number of anomalies that are expected in the batch.
    alpha : float, default=0.1
        False discovery rate, in (0, 1).

    Returns
    -------
    SelectionPower
        ``possible``, ``n_needed`` and ``n_calibration_needed``.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    No p-value is below ``1 / (n_calibration + 1)``, and the procedure of Benjamini and Hochberg selects k rows of m
    only if their p-values are at most ``alpha * k / m`` [1]_. ``possible`` is a necessary condition: the anomalies must
    also be more anomalous than all calibration rows, or nearly all.

    References
    ----------
    .. [1] Mary, D. and Roquain, E. (2022). Semi-supervised multiple testing. Electronic Journal of Statistics 16,
       4926-4981. https://doi.org/10.1214/22-EJS2050

    Examples
    --------
    >>> from skanomaly.threshold import selection_power
    >>> selection_power(200, 1000, n_anomalies=10, alpha=0.05)
    SelectionPower(possible=False, n_needed=100, n_calibration_needed=1999)
    """
    n_needed = math.ceil(n_rows / (alpha * (n_calibration + 1)) * (1 - 1e-12))
    n_calibration_needed = math.ceil(n_rows / (alpha * min(n_anomalies, n_rows)) * (1 - 1e-12)) - 1
    return SelectionPower(n_needed <= min(n_anomalies, n_rows), n_needed, max(n_calibration_needed, 1))


@validate_params(
    {"evalues": ["array-like"], "alpha": [Interval(Real, 0, 1, closed="neither")]}, prefer_skip_nested_validation=True
)
def e_benjamini_hochberg(evalues: Any, *, alpha: float = 0.1) -> NDArray[np.bool_]:
    """Select rows by e-values with a false discovery rate of at most `alpha`, whatever their dependence.

    Parameters
    ----------
    evalues : array-like of shape (n_samples,) or (n_samples, n_detectors)
        e-values, at least 0, large for anomalies: :meth:`ConformalDetector.evalues`. Those of several detectors are
        averaged, which gives e-values again.
    alpha : float, default=0.1
        False discovery rate, in (0, 1).

    Returns
    -------
    ndarray of shape (n_samples,), bool
        True for selected rows.

    Raises
    ------
    ValueError
        If an e-value is negative or NaN, or alpha outside (0, 1).

    Notes
    -----
    The k rows of the largest e-values are selected, for the largest k for which all of them are at least
    ``n_samples / (alpha * k)`` [1]_.

    References
    ----------
    .. [1] Wang, R. and Ramdas, A. (2022). False discovery rate control with e-values. Journal of the Royal Statistical
       Society B 84, 822-852. https://doi.org/10.1111/rssb.12489

    Examples
    --------
    >>> from skanomaly.threshold import e_benjamini_hochberg
    >>> e_benjamini_hochberg([40.0, 25.0, 0.3, 0.0], alpha=0.1)
    array([ True,  True, False, False])
    """
    values = np.asarray(evalues, dtype=np.float64)
    values = values.mean(axis=1) if values.ndim == 2 else values
    if values.ndim != 1 or not (values >= 0).all():
        raise ValueError("evalues must be an array of numbers that are at least 0, without NaN, one row per sample.")
    descending = np.sort(values)[::-1]
    ranks = np.arange(1, len(values) + 1)
    good = np.flatnonzero(descending * ranks * alpha * (1 + 1e-12) >= len(values))
    if good.size == 0:
        return np.zeros(len(values), dtype=bool)
    return np.asarray(values >= descending[good[-1]])


class _DensityRatio:
    """Weights of rows by a fitted classifier."""

    def __init__(self, classifier: Any, limit: float) -> None:
        self.classifier = classifier
        self.limit = limit

    def __call__(self, X: Any) -> NDArray[np.float64]:
        """Return the weight of each row."""
        probability = np.asarray(self.classifier.predict_proba(X), dtype=np.float64)[:, 1]
        return np.minimum(probability / np.maximum(1.0 - probability, 1e-9), self.limit)


@validate_params(
    {
        "X": ["array-like"],
        "X_new": ["array-like"],
        "classifier": [HasMethods(["fit", "predict_proba"]), None],
        "largest_weight": [Interval(Real, 1, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def domain_weights(
    X: Any, X_new: Any, *, classifier: Any = None, largest_weight: float = 20.0
) -> Callable[[Any], NDArray[np.float64]]:
    """Estimate the density ratio of new rows to training rows: a `weight_function` of :class:`ConformalDetector`.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Training rows.
    X_new : array-like of shape (n_new, n_features)
        Rows of the distribution of the new rows, but not those that are tested. Columns of frames are matched by name.
    classifier : classifier or None, default=None
        Classifier with ``predict_proba``; None is ``LogisticRegression()``. It is cloned.
    largest_weight : float, default=20.0
        Weights are limited to this multiple of their median over the new rows, since a few large weights leave no
        calibration row that counts.

    Returns
    -------
    callable
        Takes rows and returns one weight per row, up to a factor; it can be pickled.

    Raises
    ------
    ValueError
        If `X_new` lacks a column of `X`, or, without a `classifier`, a table holds missing values, text or dates.

    Notes
    -----
    A classifier that distinguishes new rows from training rows gives the ratio up to a factor,
    ``probability / (1 - probability)`` [1]_. The level of the p-values is exact for the true ratio only.

    References
    ----------
    .. [1] Tibshirani, R., Barber, R., Candès, E. and Ramdas, A. (2019). Conformal prediction under covariate shift.
       NeurIPS. arXiv:1904.06019.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.threshold import ConformalDetector, domain_weights
    >>> random = np.random.default_rng(0)
    >>> X, (new, batch) = random.normal(size=(1000, 2)), random.normal(1, 1, (2, 500, 2))
    >>> plain = ConformalDetector(random_state=0).fit(X)
    >>> weighted = ConformalDetector(
    ...     weight_function=domain_weights(X, new), random_state=0
    ... ).fit(X)
    >>> plain, weighted = (
    ...     float((model.pvalues(batch) <= 0.1).mean()) for model in (plain, weighted)
    ... )
    >>> plain > 1.5 * weighted
    True
    """
    X_new = in_order_of(X_new, X, name="X_new", other="X")
    if classifier is None:
        for name, rows in (("X", X), ("X_new", X_new)):
            read_numbers(rows, name)
    is_new = np.repeat([0, 1], [len(X), len(X_new)])
    fitted = clone(LogisticRegression() if classifier is None else classifier).fit(_stacked(X, X_new), is_new)
    unlimited = _DensityRatio(fitted, np.inf)
    return _DensityRatio(fitted, float(largest_weight * np.median(unlimited(X_new))))


def _stacked(X: Any, X_new: Any) -> Any:
    """Return the rows of both tables, frames as a frame."""
    if hasattr(X, "iloc") and hasattr(X_new, "iloc"):
        import pandas as pd

        return pd.concat([X, X_new], ignore_index=True)
    return np.concatenate([np.asarray(X), np.asarray(X_new)])
