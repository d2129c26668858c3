"""Random projection depth."""

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._seeds import child_generators
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._validation import check_rows
from skanomaly.base import BaseDetector
from skanomaly.detectors._depth._directions import (
    draw_directions,
    ledoit_wolf_covariance,
    n_direction_blocks,
    robust_covariance,
    whitening_matrix,
)
from skanomaly.detectors._depth._projections import (
    column_medians,
    fit_projections,
    score_projections,
    settle_scales,
    weighted_medians,
)

__all__ = ["RandomProjectionDepth"]

# A cluster that holds less than this share of an equal share of the rows is no mode of normality.
_LEAST_SHARE_OF_MODE = 0.2


class RandomProjectionDepth(BaseDetector):
    r"""Outlyingness along random directions: the robust z-score of a row, seen from many sides.

    Each direction projects the rows to a line, on which the distance to the median is measured in units of the
    median absolute deviation. A row's outlyingness aggregates these distances over the directions; its depth is
    1 / (1 + outlyingness). Rows that `y` labels -1 are left out when medians and deviations are fitted; +1 and 0
    are treated alike.

    Parameters
    ----------
    n_projections : int, default=256
        Number of directions K. With orthogonal directions the relative error of the mean, about 0.26 / sqrt(K), is
        that of eight times as many independent ones; "max" needs more directions the more columns there are.
    aggregation : {"mean", "max", "top"}, default="mean"
        How distances along the directions make one score. "mean" is stable in any dimension. "max" is the classical
        approximation of Stahel-Donoho outlyingness, for few columns. "top" averages the largest 5 % of the
        distances (at least one).
    whiten : {None, "diag", "ledoit_wolf", "mcd"}, default=None
        Map that makes the cloud round before directions are drawn, so that anomalies along a direction of little
        variance show. "diag" scales columns by their median absolute deviation, "ledoit_wolf" and "mcd" use the
        inverse root of that covariance; the last is robust, slow, and needs many more rows than columns.
    directions : {"orthogonal", "gaussian"}, default="orthogonal"
        Whether directions come in perpendicular sets of ``n_features`` or all independently.
    n_modes : int, default=1
        Number of clusters that normal rows may fall into. Above 1, k-means finds them, each has its own medians and
        deviations, and the outlyingness of a row is the least over the modes. Clusters holding less than 0.2 /
        `n_modes` of the rows are no modes.
    max_samples : int or None, default=None
        Largest number of rows, drawn without replacement, that medians and deviations are computed from; None takes
        all.
    contamination : float in (0, 0.5] or "auto", default=0.1
        Share of the training rows to call anomalies. "auto" finds the threshold from the bulk of the scores by a
        robust rule on their logarithm (see Notes).
    n_jobs : int or None, default=None
        Number of threads. The scores do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Draws the directions, the subset of rows, and the clusters.

    Attributes
    ----------
    directions_ : ndarray of shape (n_projections, n_features_in_)
        Directions that centred rows are multiplied with, whitening included.
    center_ : ndarray of shape (n_features_in_,)
        Median of each column; subtracted from rows before they are projected.
    locations_ : ndarray of shape (n_modes_, n_projections)
        Median of the centred training rows along each direction.
    scales_ : ndarray of shape (n_modes_, n_projections)
        Median absolute deviation along each direction, without the factor 1.4826.
    n_modes_ : int
        Number of modes kept.
    n_degenerate_ : int
        Number of directions, over all modes, along which more than half of the rows coincide.
    offset_ : float
        Threshold on ``score_samples``.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    sklearn.ensemble.IsolationForest : Isolates rows by random cuts along the columns.
    sklearn.covariance.EllipticEnvelope : Robust Mahalanobis distance, exact where whitened depth is approximate.

    Notes
    -----
    With :math:`m(u)` the median and :math:`s(u)` the median absolute deviation of the projections :math:`u^T x_i`,
    the outlyingness along :math:`u` is :math:`|u^T x - m(u)| / s(u)`. Its supremum over :math:`u` is the outlyingness
    of Stahel and Donoho [1]_; the maximum over random directions approximates it [2]_, and the mean over them is the
    estimator of [3]_, whose deep network is not part of this class.

    Where more than half of the rows coincide along a direction, the deviation is 0; the mean absolute deviation, put
    in the same units, then stands in for it, and coinciding rows score 0. If all rows coincide, other rows score high
    but finite.

    ``contamination="auto"`` puts the threshold at :math:`\exp(\mathrm{med}\,L + 2.5758 \cdot 1.4826\,
    \mathrm{mad}\,L) - 0.1` with :math:`L = \log(0.1 + O)` over the training outlyingness :math:`O`.

    Columns are taken as they come: put a scaler in front, or whiten.

    References
    ----------
    .. [1] Zuo, Y. and Serfling, R. (2000). General notions of statistical depth function. Annals of Statistics 28.
    .. [2] Velasco-Forero, S. and Angulo, J. (2012). Random projection depth for multivariate mathematical morphology.
       IEEE Journal of Selected Topics in Signal Processing 6.
    .. [3] Bauw, M., Velasco-Forero, S., Angulo, J., Adnet, C. and Airiau, O. (2021). Deep random projection
       outlyingness for unsupervised anomaly detection. arXiv:2106.15307.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.detectors import RandomProjectionDepth
    >>> rows = np.vstack([np.random.RandomState(0).normal(size=(99, 2)), [[6.0, -6.0]]])
    >>> detector = RandomProjectionDepth(contamination=0.01, random_state=0).fit(rows)
    >>> detector.predict([[0.0, 0.0], [6.0, -6.0]])
    array([ 1, -1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_projections": [Interval(Integral, 1, None, closed="left")],
        "aggregation": [StrOptions({"mean", "max", "top"})],
        "whiten": [None, StrOptions({"diag", "ledoit_wolf", "mcd"})],
        "directions": [StrOptions({"orthogonal", "gaussian"})],
        "n_modes": [Interval(Integral, 1, None, closed="left")],
        "max_samples": [None, Interval(Integral, 2, None, closed="left")],
        "contamination": [Interval(Real, 0, 0.5, closed="right"), StrOptions({"auto"})],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        n_projections: int = 256,
        aggregation: str = "mean",
        whiten: str | None = None,
        directions: str = "orthogonal",
        n_modes: int = 1,
        max_samples: int | None = None,
        contamination: float | str = 0.1,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_projections = n_projections
        self.aggregation = aggregation
        self.whiten = whiten
        self.directions = directions
        self.n_modes = n_modes
        self.max_samples = max_samples
        self.contamination = contamination
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, *, sample_weight: Any = None) -> Self:
        """Learn medians and deviations along random directions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,), default=None
            Rows labelled -1 are left out; +1 and 0 are treated alike.
        sample_weight : array-like of shape (n_samples,), default=None
            A whole weight equals that many repetitions of the row.

        Returns
        -------
        self
            The fitted detector.
        """
        return self._run_fit(X, y, sample_weight=sample_weight)  # type: ignore[no-any-return]

    def _fit(
        self, X: NDArray[Any], y: NDArray[np.int8], sample_weight: NDArray[np.float64] | None = None, **_: Any
    ) -> NDArray[np.float64]:
        counted = y != -1
        if sample_weight is not None:
            counted &= sample_weight > 0
        if not counted.any():
            raise ValueError("y labels every row -1; at least one row must be normal or unlabelled.")
        rows = X if counted.all() else X[counted]
        weights = None if sample_weight is None else sample_weight[counted]
        if weights is not None and (weights == weights[0]).all():
            weights = None
        n_blocks = n_direction_blocks(self.n_projections, X.shape[1])
        random, *generators = child_generators(self.random_state, n_blocks + 1)
        if self.max_samples is not None and self.max_samples < len(rows):
            kept = np.sort(random.choice(len(rows), self.max_samples, replace=False))
            rows, weights = rows[kept], None if weights is None else weights[kept]
        self.center_ = column_medians(rows, weights)
        centred = (rows - self.center_).astype(X.dtype)
        modes = self._find_modes(centred, weights, random)
        directions = draw_directions(self.n_projections, X.shape[1], self.directions, generators)
        self.directions_ = (directions @ self._whitening(centred, weights, modes, random)).astype(X.dtype)
        parts = []
        for mode in modes:
            part = centred if len(mode) == len(centred) else centred[mode]
            parts.append(fit_projections(part, _take(weights, mode), self.directions_, self.n_jobs))
        self.locations_ = np.stack([part[0] for part in parts])
        self.scales_ = settle_scales(np.stack([part[1] for part in parts]), self.center_)
        self.n_degenerate_ = sum(part[2] for part in parts)
        self.n_modes_ = len(modes)
        outlyingness = self._outlyingness(X)
        if self.contamination == "auto":
            self._threshold = self._log_rule(outlyingness, sample_weight)
        return outlyingness

    def _find_modes(
        self, centred: NDArray[Any], weights: NDArray[np.float64] | None, random: np.random.Generator
    ) -> list[NDArray[np.intp]]:
        """Cluster the rows, and list those of each cluster."""
        if self.n_modes == 1:
            return [np.arange(len(centred))]
        from sklearn.cluster import KMeans

        table = centred if self.whiten is None else centred * self._inverse_deviations(centred, weights)
        seed = int(random.integers(np.iinfo(np.int32).max))
        n_modes = min(self.n_modes, len(np.unique(table, axis=0)))
        labels = KMeans(n_modes, n_init=10, random_state=seed).fit(table, sample_weight=weights).labels_
        sizes = np.bincount(labels, weights=weights, minlength=n_modes)
        kept = np.flatnonzero(sizes >= _LEAST_SHARE_OF_MODE * sizes.sum() / self.n_modes)
        return [np.flatnonzero(labels == mode) for mode in kept]

    def _whitening(
        self,
        centred: NDArray[Any],
        weights: NDArray[np.float64] | None,
        modes: list[NDArray[np.intp]],
        random: np.random.Generator,
    ) -> NDArray[np.float64]:
        """Map of directions that makes the cloud, or each of its modes on average, round."""
        if self.whiten is None:
            return np.eye(centred.shape[1])
        if len(modes[0]) < len(centred):
            parts = [centred[mode] - column_medians(centred[mode], _take(weights, mode)) for mode in modes]
            weights = None if weights is None else weights[np.concatenate(modes)]
            centred = np.concatenate(parts)
        inverse = self._inverse_deviations(centred, weights)
        if self.whiten == "diag":
            return np.diag(inverse)
        # A power of two brings the table near 1, so that fourth powers neither overflow nor vanish.
        factor = 2.0 ** np.round(np.log2(np.median(inverse)))
        table = centred.astype(np.float64) * factor
        if self.whiten == "ledoit_wolf":
            covariance = ledoit_wolf_covariance(table, weights)
        else:
            covariance = robust_covariance(table, weights, int(random.integers(np.iinfo(np.int32).max)))
        return whitening_matrix(covariance) * factor

    @staticmethod
    def _inverse_deviations(centred: NDArray[Any], weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """One over the deviation of each column; 1 for constant columns."""
        columns = np.eye(centred.shape[1], dtype=centred.dtype)
        deviations = fit_projections(centred, weights, columns, None)[1].astype(np.float64)
        return 1.0 / np.where(deviations > 0, deviations, 1.0)

    def _outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return score_projections(
            X,
            self.center_,
            self.directions_.astype(X.dtype, copy=False),
            self.locations_.astype(X.dtype, copy=False),
            self.scales_.astype(X.dtype, copy=False),
            self.aggregation,
            self.n_jobs,
        )

    @staticmethod
    def _log_rule(outlyingness: NDArray[np.float64], weights: NDArray[np.float64] | None) -> float:
        """Threshold on outlyingness from the bulk of its logarithm."""
        counted = slice(None) if weights is None else weights > 0
        logs, weights = np.log(0.1 + outlyingness[None, counted]), _take(weights, counted)
        middle = weighted_medians(logs, weights)
        deviation = weighted_medians(np.abs(logs - middle), weights)
        cut = np.exp(middle + 2.5758293035489004 * 1.482602218505602 * deviation) - 0.1
        return float(max(cut[0], weighted_medians(outlyingness[None, counted], weights)[0]))

    def _auto_offset(self) -> float:
        return -self._threshold

    def depth(self, X: Any) -> NDArray[np.float64]:
        """Projection depth of each row, 1 / (1 + outlyingness).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
            In (0, 1]; large is deep, 1 is the centre.
        """
        check_is_fitted(self)
        return 1.0 / (1.0 + self._outlyingness(check_rows(self, X, reset=False)))


def _take(weights: NDArray[np.float64] | None, rows: Any) -> NDArray[np.float64] | None:
    return None if weights is None else weights[rows]
