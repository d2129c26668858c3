"""Likelihood of sequences under an autoregression."""

from itertools import pairwise
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr
from sklearn.base import clone
from sklearn.linear_model import RidgeCV

from skanomaly._support._covariance import shrunk_covariance
from skanomaly._support._scales import ROUNDING, SafeRange, column_scale
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions
from skanomaly.base import BaseDetector
from skanomaly.sequence._collections._base import SequenceDetector
from skanomaly.sequence._collections._representation import normal_sequences

__all__ = ["SequenceLikelihood"]

_PENALTIES = 10.0 ** np.arange(-3, 4)
_MIXES = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005)
_SUM_TOLERANCE = 1e-3
Floats = NDArray[np.float64]


class SequenceLikelihood(SequenceDetector):
    r"""Likelihood of each series of a collection, under an autoregression fitted on all of them.

    A series is anomalous if its time points are unlikely after those before them, whatever their values are. So it sees
    a delay that jumps where each delay is normal.

    Parameters
    ----------
    family : {"gaussian", "categorical"}, default="gaussian"
        "gaussian": time points have a normal distribution around the prediction. "categorical": each time point is
        itself a distribution (at least 0, with sum 1), such as those of :func:`delay_distributions`.
    order : int, default=8
        Number of time points before that predict the next. Where fewer exist, the training mean takes their place.
    estimator : regressor or None, default=None
        Predicts the time point, all channels at once, from those before it, the nearest first. None is ridge regression
        with a penalty chosen by cross-validation.
    contamination : float, default=0.1
        Fraction of the training series that is flagged, in (0, 0.5].

    Attributes
    ----------
    estimator_ : regressor
        The fitted regressor.
    location_ : ndarray of shape (`n_features_in_`,)
        Mean of the training time points.
    covariance_ : ndarray of shape (`n_features_in_`, `n_features_in_`)
        Ledoit-Wolf covariance of the errors; only "gaussian".
    mix_ : float
        Weight of `location_` in the predicted distribution; only "categorical".
    offset_ : float
        Threshold on ``score_samples``: series that score below are anomalies.
    n_features_in_ : int
        Number of channels.

    See Also
    --------
    delay_distributions : Distributions of the delay between two streams.
    AutoregressiveDetector : Errors of forecasts in one long series.

    Notes
    -----
    The score of a time point is its log-likelihood for "gaussian", and minus the divergence
    :math:`\sum_k p_k \log(p_k / \hat p_k)` of the predicted distribution from the true one for "categorical", as in
    [1]_. The score of a series is the mean. What we changed: the prediction is a linear regression on the last `order`
    time points and not a transformer. A predicted distribution has its negative values replaced by 0, is scaled to sum
    1, and is mixed with the training mean, with the weight that is best for the training data, so that no value has
    probability 0.

    `y`: series labelled -1 are left out of training; +1 and 0 are treated alike. Training series are scored by the
    model trained on them. Extreme values are limited, and their time points do not train.

    Cost: O(N (p d)^2) for N time points in total, order p and d channels; memory O(N p d).

    References
    ----------
    .. [1] Feng, C., Chen, Z. and Owens, A. (2023). "Self-supervised video forensics by audio-visual anomaly detection".
       CVPR, section 3. arXiv:2301.01767.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import SequenceLikelihood
    >>> random = np.random.default_rng(0)
    >>> X = np.cumsum(random.normal(size=(40, 50, 1)), axis=1)
    >>> shuffled = random.permuted(X[:1], axis=1)
    >>> bool(SequenceLikelihood(order=2).fit(X).predict(shuffled)[0] == -1)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,
        "family": [StrOptions({"gaussian", "categorical"})],
        "order": [Interval(Integral, 1, None, closed="left")],
        "estimator": [HasMethods(["fit", "predict"]), None],
        "contamination": [Interval(Real, 0, 0.5, closed="right")],
    }

    def __init__(
        self, *, family: str = "gaussian", order: int = 8, estimator: Any = None, contamination: float = 0.1
    ) -> None:
        self.family = family
        self.order = order
        self.estimator = estimator
        self.contamination = contamination

    def _fit(self, X: list[NDArray[Any]], y: NDArray[np.int8], **metadata: Any) -> None:
        normal = normal_sequences(X, y, fewest=2)
        self._check_distributions(normal)
        self._range = SafeRange(np.concatenate(normal))
        series = [np.asarray(self._range.apply(part), dtype=np.float64) for part in normal]
        rows = np.concatenate(series)
        ordinary = self._range.ordinary_rows(rows)
        self._center = rows[ordinary].mean(axis=0)
        self._scale = np.asarray(column_scale(rows[ordinary]))
        self.location_ = self._range.restored(self._center)
        pasts = np.concatenate([self._pasts(part) for part in series])
        edges = np.cumsum([0, *map(len, series)])
        extreme = np.concatenate([_after(~ordinary[start:stop], self.order) for start, stop in pairwise(edges)])
        kept = ordinary if extreme.all() else ~extreme
        rows, pasts = rows[kept], pasts[kept]
        self.estimator_ = RidgeCV(_PENALTIES) if self.estimator is None else clone(self.estimator)
        self.estimator_.fit(pasts, (rows - self._center) / self._scale)
        predicted = self._predict(pasts)
        if self.family == "categorical":
            n_rows, n_values = rows.shape
            self._mean = (n_rows * self._center / self._center.sum() + 1 / n_values) / (n_rows + 1)
            losses = [_divergence(rows, self._mixed(predicted, mix)).mean() for mix in _MIXES]
            self.mix_ = _MIXES[int(np.argmin(losses))]
            return
        errors = shrunk_covariance((rows - self._center) / self._scale - predicted, assume_centered=True).covariance
        unit = self._range.restored(self._scale)
        self.covariance_ = errors * np.outer(unit, unit)
        values, vectors = np.linalg.eigh(errors)
        values = np.maximum(values, ROUNDING)  # of columns that are predicted without error
        self._whitening = vectors / np.sqrt(values)
        self._log_volume = 0.5 * float(np.log(2 * np.pi * values).sum()) + float(np.log(unit).sum())

    def _check_distributions(self, X: list[NDArray[Any]]) -> None:
        if self.family != "categorical":
            return
        for index, series in enumerate(X):
            wrong = (series < 0).any(axis=1) | (np.abs(series.sum(axis=1) - 1) > _SUM_TOLERANCE)
            if wrong.any():
                row = int(wrong.argmax())
                raise ValueError(
                    f"family='categorical' needs distributions, and time point {row} of series {index} has the "
                    f"smallest value {series[row].min():g} and the sum {series[row].sum():g}. Divide counts by their "
                    "sum, or set family='gaussian'."
                )

    def _pasts(self, rows: Floats) -> Floats:
        """Return the standardised time points before each, the nearest first; zeros where there are none."""
        scaled = (rows - self._center) / self._scale
        pasts = np.zeros((len(rows), self.order, rows.shape[1]))
        for lag in range(1, min(self.order, len(rows) - 1) + 1):
            pasts[lag:, lag - 1] = scaled[:-lag]
        return pasts.reshape(len(rows), -1)

    def _predict(self, pasts: Floats) -> Floats:
        predicted = np.asarray(self.estimator_.predict(pasts), dtype=np.float64)
        return predicted.reshape(len(pasts), len(self._center))

    def _mixed(self, predicted: Floats, mix: float) -> Floats:
        """Return predicted distributions, mixed with the training mean."""
        shares = np.maximum(predicted * self._scale + self._center, 0.0)
        shares[shares.sum(axis=1) <= 0] = self._mean
        shares /= shares.sum(axis=1, keepdims=True)
        return np.asarray((1 - mix) * shares + mix * self._mean)

    def _timepoint_outlyingness(self, X: list[NDArray[Any]]) -> list[Floats]:
        self._check_distributions(X)
        scores = []
        for part in X:
            rows = np.asarray(self._range.apply(part), dtype=np.float64)
            predicted = self._predict(self._pasts(rows))
            if self.family == "categorical":
                scores.append(_divergence(rows, self._mixed(predicted, self.mix_)))
            else:
                errors = ((rows - self._center) / self._scale - predicted) @ self._whitening
                scores.append(0.5 * np.einsum("ij,ij->i", errors, errors) + self._log_volume)
        return scores

    def _outlyingness(self, X: list[NDArray[Any]]) -> Floats:
        return np.array([scores.mean() for scores in self._timepoint_outlyingness(X)])


def _divergence(true: Floats, predicted: Floats) -> Floats:
    """Return the Kullback-Leibler divergence of each row."""
    return np.asarray(rel_entr(true, predicted).sum(axis=1))


def _after(extreme: NDArray[np.bool_], order: int) -> NDArray[np.bool_]:
    """Say which time points are extreme, or have an extreme one among the `order` before them."""
    counts: NDArray[np.intp] = np.cumsum(extreme, dtype=np.intp)
    counts[order + 1 :] -= counts[: -order - 1].copy()
    return np.asarray(counts > 0)
