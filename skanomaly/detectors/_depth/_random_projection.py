"""Random projection depth."""

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._chunks import Chunks
from skanomaly._support._labels import read_labels
from skanomaly._support._reservoir import keep_rows
from skanomaly._support._restore import restore_on_error
from skanomaly._support._seeds import child_generators, draw_seed
from skanomaly._support._sklearn import Interval, StrOptions, fit_context
from skanomaly._support._validation import check_rows, check_weights
from skanomaly._support._warnings import warn_user
from skanomaly.base import BaseDetector
from skanomaly.detectors._depth._chunked import ChunkedTable, chunked_whitening, table_log_threshold
from skanomaly.detectors._depth._directions import draw_directions, n_direction_blocks
from skanomaly.detectors._depth._projections import (
    center_columns,
    column_medians,
    directions_per_block,
    fit_projections,
    log_score_threshold,
    none_if_equal,
    score_contributions,
    score_projections,
)
from skanomaly.detectors._depth._whitening import rows_of_modes, take_weights, whitening_of_modes

__all__ = ["RandomProjectionDepth"]

# Rows that partial_fit keeps: the rank error of a median is about half a per cent.
_RESERVOIR_SIZE = 8192


class RandomProjectionDepth(BaseDetector):
    r"""Mean or maximum robust z-score of a row along random directions.

    The rows are projected on random directions. On each direction, the distance of a row to the median is divided by
    the median absolute deviation (MAD). The outlyingness of a row is the mean, or the maximum, of these distances; its
    depth is 1 / (1 + outlyingness). Lower scores are more anomalous. Median and MAD are robust, so the training data
    may contain anomalies.

    Parameters
    ----------
    n_projections : int, default=256
        Number of directions K. With orthogonal directions the relative error of the mean is about 0.26 / sqrt(K), that
        of eight times as many independent directions. "max" needs more directions the more columns there are.
    aggregation : {"mean", "max", "top"}, default="mean"
        How the distances along the directions are aggregated. "mean" is stable in any dimension. "max" is the classical
        approximation of the Stahel-Donoho outlyingness, for few columns. "top" is the mean of the largest 5 % of the
        distances (at least one).
    covariance : {"diag", "ledoit_wolf", "robust"} or None, default=None
        Covariance by which the rows are whitened first, so that anomalies along a direction of low variance become
        visible; None does not whiten. "diag" divides each column by its MAD. "ledoit_wolf" is the shrunk covariance,
        "robust" the minimum covariance determinant (MCD), which is slow and needs many more rows than columns.
    directions : {"orthogonal", "gaussian"}, default="orthogonal"
        Whether directions are drawn in orthogonal sets of ``n_features``, or all independently.
    n_modes : int, default=1
        Number of clusters of normal rows. Above 1, k-means finds the clusters, each one has its own medians and MADs,
        and the outlyingness of a row is the minimum over the clusters. Clusters with less than 0.2 / `n_modes` of the
        rows are left out.
    max_samples : int or None, default=None
        Maximum number of rows, drawn without replacement, from which medians and MADs are computed; None uses all.
    contamination : float in (0, 0.5] or "auto", default=0.1
        Fraction of the training rows that are flagged as anomalies. "auto" computes the threshold from median and MAD
        of the logarithm of the scores (see Notes).
    n_jobs : int or None, default=None
        Number of threads. The scores do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed for the directions, the drawn rows, and the clusters.

    Attributes
    ----------
    directions_ : ndarray of shape (n_projections, `n_features_in_`)
        Directions on which the centred rows are projected; they include the whitening.
    center_ : ndarray of shape (`n_features_in_`,)
        Median of each column, subtracted before the projection.
    locations_ : ndarray of shape (`n_modes_`, n_projections)
        Median of the centred training rows along each direction.
    scales_ : ndarray of shape (`n_modes_`, n_projections)
        MAD along each direction, without the factor 1.4826.
    n_modes_ : int
        Number of clusters that were kept.
    n_degenerate_ : int
        Number of directions, over all clusters, along which more than half of the rows coincide.
    offset_ : float
        Threshold on ``score_samples``: rows with lower scores are anomalies.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    sklearn.ensemble.IsolationForest : Isolates rows by random splits of single columns.
    sklearn.covariance.EllipticEnvelope : Robust Mahalanobis distance.

    Notes
    -----
    With :math:`m(u)` the median and :math:`s(u)` the MAD of the projections :math:`u^T x_i`, the outlyingness along
    :math:`u` is :math:`|u^T x - m(u)| / s(u)`. Its supremum over :math:`u` is the Stahel-Donoho outlyingness [1]_. The
    maximum over random directions approximates it [2]_. The mean over them is the estimator of [3]_, whose deep network
    is not part of this class.

    If more than half of the rows coincide along a direction, the MAD is 0. It is then replaced by the mean absolute
    deviation, scaled so that both agree for a Gaussian, and the coinciding rows have outlyingness 0. If all rows
    coincide, other rows have a large but finite outlyingness.

    ``contamination="auto"`` sets the threshold on the outlyingness to :math:`\exp(\mathrm{med}\,L + 2.5758 \cdot
    1.4826\, \mathrm{mad}\,L) - 0.1` with :math:`L = \log(0.1 + O)`, where :math:`O` is the outlyingness of the
    training rows.

    The columns are not scaled: use a scaler, or set `covariance`. Shrinkage towards a multiple of the identity [4]_
    overestimates the variance along very narrow directions; "robust" does not, and is better if such directions matter
    and there are many rows.

    `y`: rows labelled -1 are left out of the medians and MADs; +1 and 0 are treated alike.

    ``feature_contributions`` splits :math:`(u^T x - m(u)) / s(u)` among the columns in proportion to the direction's
    components. For "max" only the direction with the largest distance counts, for "top" the largest 5 %.

    What we changed: the MAD has no factor 1.4826 (multiply scores by 0.6745 to have them in standard deviations of a
    Gaussian), the maximum is not refined for each row, and directions through pairs of rows or along columns are not
    used. The only lower bound on a scale is the rounding error: rows are centred at the columns' medians, so that rows
    that coincide have identical projections.

    References
    ----------
    .. [1] Zuo, Y. and Serfling, R. (2000). General notions of statistical depth function. Annals of Statistics 28.
       https://doi.org/10.1214/aos/1016218226
    .. [2] Velasco-Forero, S. and Angulo, J. (2012). Random projection depth for multivariate mathematical morphology.
       IEEE Journal of Selected Topics in Signal Processing 6. https://doi.org/10.1109/JSTSP.2012.2211336
    .. [3] Bauw, M., Velasco-Forero, S., Angulo, J., Adnet, C. and Airiau, O. (2021). Deep random projection
       outlyingness for unsupervised anomaly detection. arXiv:2106.15307.
    .. [4] Ledoit, O. and Wolf, M. (2004). "A well-conditioned estimator for large-dimensional covariance matrices".
       Journal of Multivariate Analysis 88(2), 365-411. https://doi.org/10.1016/S0047-259X(03)00096-4

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
        "covariance": [StrOptions({"diag", "ledoit_wolf", "robust"}), None],
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
        covariance: str | None = None,
        directions: str = "orthogonal",
        n_modes: int = 1,
        max_samples: int | None = None,
        contamination: float | str = 0.1,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_projections = n_projections
        self.aggregation = aggregation
        self.covariance = covariance
        self.directions = directions
        self.n_modes = n_modes
        self.max_samples = max_samples
        self.contamination = contamination
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, *, sample_weight: Any = None) -> Self:
        """Compute medians and MADs along random directions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,), default=None
            Rows labelled -1 are left out; +1 and 0 are treated alike.
        sample_weight : array-like of shape (n_samples,), default=None
            An integer weight is equivalent to that many repetitions of the row.

        Returns
        -------
        self
            The fitted detector.
        """
        return self._run_fit(X, y, sample_weight=sample_weight)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None, *, sample_weight: Any = None) -> Self:
        """Update the fit with a batch of rows, of which a random sample of bounded size is kept.

        The `max_samples` rows (8192 for None) with the smallest hash values are kept; equal rows are kept once, with
        their number. Medians and MADs are computed from these rows. The sample depends neither on the order of the
        rows nor on the batches. As long as it contains all distinct rows, the result is that of `fit` on all rows. A
        row is kept or dropped together with all its repetitions. `fit` keeps no rows, so after `fit` a new sample is
        started.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,), default=None
            Rows labelled -1 are left out; +1 and 0 are treated alike.
        sample_weight : array-like of shape (n_samples,), default=None
            An integer weight is equivalent to that many repetitions of the row.

        Returns
        -------
        self
            The fitted detector.
        """
        with restore_on_error(self, X):
            reservoir = vars(self).get("_reservoir")
            rows = check_rows(self, X, reset=reservoir is None)
            counted, weights = _rows_that_count(
                read_labels(y, len(rows), zero="unlabelled", lenient=True), check_weights(sample_weight, rows)
            )
            seed = draw_seed(self.random_state) if reservoir is None else reservoir.seed
            capacity = _RESERVOIR_SIZE if self.max_samples is None else self.max_samples
            reservoir = keep_rows(reservoir, rows[counted], weights, seed, capacity)
            outlyingness = self._fit_rows(reservoir.rows, none_if_equal(reservoir.weights), seed, None)
            if outlyingness is None:
                outlyingness = self._outlyingness(reservoir.rows)
            self._reservoir = reservoir
            self._set_threshold(outlyingness, reservoir.weights)
        return self

    def _fit_chunks(self, table: Chunks) -> None:
        self.__dict__.pop("_reservoir", None)
        if self.n_modes > 1 or self.covariance == "robust" or self.max_samples is not None:
            self._fit_sample(table)
            return
        counted = ChunkedTable(table)
        self._per_block = directions_per_block(table.n_normal, table.dtype)
        self.center_ = counted.center
        directions = self._draw_directions(table.n_features, draw_seed(self.random_state))[0]
        if self.covariance is not None:
            directions = directions @ self._chunked_whitening(table, counted)
        self.directions_ = directions.astype(table.dtype)
        locations, scales, self.n_degenerate_ = counted.fit_projections(self.directions_)
        self.locations_, self.scales_ = locations[None], scales[None]
        self.n_modes_ = 1
        if self.contamination == "auto":
            self.offset_ = -table_log_threshold(table, self)

    def _chunked_whitening(self, table: Chunks, counted: ChunkedTable) -> NDArray[np.float64]:
        inverse = counted.inverse_mads()
        if self.covariance == "diag":
            return np.diag(inverse)
        return chunked_whitening(table, counted.center, inverse)

    def _fit(
        self, X: NDArray[Any], y: NDArray[np.int8], sample_weight: NDArray[np.float64] | None = None, **_: Any
    ) -> NDArray[np.float64]:
        counted, weights = _rows_that_count(y, sample_weight)
        rows = X if counted.all() else X[counted]
        self.__dict__.pop("_reservoir", None)
        outlyingness = self._fit_rows(rows, none_if_equal(weights), draw_seed(self.random_state), self.max_samples)
        if outlyingness is None or len(rows) < len(X):
            outlyingness = self._outlyingness(X)
        if self.contamination == "auto":
            self._set_threshold(outlyingness, sample_weight)
        return outlyingness

    def _set_threshold(self, outlyingness: NDArray[np.float64], weights: NDArray[np.float64] | None) -> None:
        """Set `offset_` from the outlyingness of the training rows."""
        if self.contamination == "auto":
            self.offset_ = -log_score_threshold(outlyingness, weights)
        else:
            self._set_offset(outlyingness, weights)

    def _auto_offset(self) -> float:
        return self.offset_  # set by _fit

    def _draw_directions(self, n_features: int, seed: int) -> tuple[NDArray[np.float64], np.random.Generator]:
        """Draw the directions; also return the generator for everything else."""
        random, *generators = child_generators(seed, 1 + n_direction_blocks(self.n_projections, n_features))
        return draw_directions(self.n_projections, n_features, self.directions, generators), random

    def _fit_rows(
        self, rows: NDArray[Any], weights: NDArray[np.float64] | None, seed: int, max_samples: int | None
    ) -> NDArray[np.float64] | None:
        """Set the fitted attributes; return the outlyingness of the rows if it was computed along the way."""
        directions, random = self._draw_directions(rows.shape[1], seed)
        n_rows = len(rows)
        if max_samples is not None and max_samples < n_rows:
            kept = np.sort(random.choice(n_rows, max_samples, replace=False))
            rows, weights = rows[kept], none_if_equal(take_weights(weights, kept))
        if self.aggregation == "max" and 2 * rows.shape[1] > len(rows):
            warn_user(
                f"With {len(rows)} rows and {rows.shape[1]} columns, more than half of the rows coincide along some "
                "direction, so the maximum over all directions has no finite limit; use aggregation='mean'."
            )
        self._per_block = directions_per_block(len(rows), rows.dtype)
        self.center_ = column_medians(rows, weights)
        modes = [np.arange(len(rows))]
        if self.covariance is not None or self.n_modes > 1:
            directions, modes = self._whiten(rows, weights, directions, random)
        self.directions_ = directions.astype(rows.dtype)
        fused = len(rows) == n_rows and weights is None and self.n_modes == 1 and self.aggregation != "top"
        parts = [
            fit_projections(
                rows if len(mode) == len(rows) else rows[mode],
                none_if_equal(take_weights(weights, mode)),
                self.directions_,
                self.center_,
                self.aggregation if fused else None,
                self._per_block,
                self.n_jobs,
            )
            for mode in modes
        ]
        self.locations_ = np.stack([part[0] for part in parts])
        self.scales_ = np.stack([part[1] for part in parts])
        self.n_degenerate_ = sum(part[2] for part in parts)
        self.n_modes_ = len(modes)
        return parts[0][3] if fused else None

    def _whiten(
        self,
        rows: NDArray[Any],
        weights: NDArray[np.float64] | None,
        directions: NDArray[np.float64],
        random: np.random.Generator,
    ) -> tuple[NDArray[np.float64], list[NDArray[np.intp]]]:
        """Return the directions of whitened rows and the rows of each mode."""
        columns = center_columns(rows, self.center_)
        modes = rows_of_modes(
            columns, weights, self.center_, n_modes=self.n_modes, scale=self.covariance is not None, random=random
        )
        if self.covariance is not None:
            directions = directions @ whitening_of_modes(
                columns, weights, modes, self.center_, covariance=self.covariance, random=random
            )
        return directions, modes

    def _outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return score_projections(X, *self._fitted(X.dtype), self.aggregation, self._per_block, self.n_jobs)

    def _fitted(self, dtype: Any) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return the fitted arrays in the dtype of the rows to be scored; the centre stays in float64."""
        directions = self.directions_.astype(dtype, copy=False)
        locations = self.locations_.astype(dtype, copy=False)
        return self.center_, directions, locations, self.scales_.astype(dtype, copy=False)

    def depth(self, X: Any) -> NDArray[np.float64]:
        """Compute the projection depth of each row, 1 / (1 + outlyingness).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
            In (0, 1]; lower is more anomalous, and 1 is the centre.
        """
        check_is_fitted(self)
        return 1.0 / (1.0 + self._outlyingness(check_rows(self, X, reset=False)))

    def _contributions(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """Split the outlyingness among the columns."""
        return np.concatenate(list(score_contributions(X, *self._fitted(X.dtype), self.aggregation)))


def _rows_that_count(
    labels: NDArray[np.int8], weights: NDArray[np.float64] | None
) -> tuple[NDArray[np.bool_], NDArray[np.float64] | None]:
    """Return which rows are used for fitting, and their weights."""
    counted = labels != -1
    if weights is not None:
        counted &= weights > 0
    if not counted.any():
        raise ValueError("y labels every row of positive weight -1; at least one must be normal or unlabelled.")
    return counted, take_weights(weights, counted)
