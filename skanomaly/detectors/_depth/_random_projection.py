"""Random projection depth."""

from collections.abc import Callable, Iterable, Iterator
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._blocks import row_blocks
from skanomaly._support._chunks import Chunks
from skanomaly._support._covariance import Piece, robust_covariance, shrunk_covariance, whitening_matrix
from skanomaly._support._labels import read_labels
from skanomaly._support._restore import restore_on_error
from skanomaly._support._seeds import child_generators, draw_seed
from skanomaly._support._sklearn import Interval, StrOptions, fit_context
from skanomaly._support._validation import check_rows, check_weights
from skanomaly._support._warnings import warn_user
from skanomaly.base import BaseDetector
from skanomaly.detectors._depth._chunked import ChunkedTable
from skanomaly.detectors._depth._directions import (
    draw_directions,
    n_direction_blocks,
)
from skanomaly.detectors._depth._projections import (
    center_columns,
    column_medians,
    directions_per_block,
    fit_projections,
    inverse_deviations,
    log_rule,
    plain_weights,
    rows_per_tile,
    score_contributions,
    score_projections,
    settle_scales,
    weighted_medians,
)
from skanomaly.detectors._depth._reservoir import keep_rows

__all__ = ["RandomProjectionDepth"]

# A cluster that holds less than this share of an equal share of the rows is no mode of normality.
_LEAST_SHARE_OF_MODE = 0.2
# Rows that partial_fit keeps: a rank error of about half a per cent.
_RESERVOIR = 8192


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
    directions_ : ndarray of shape (n_projections, `n_features_in_`)
        Directions that centred rows are multiplied with, whitening included.
    center_ : ndarray of shape (`n_features_in_`,)
        Median of each column; subtracted from rows before they are projected.
    locations_ : ndarray of shape (`n_modes_`, n_projections)
        Median of the centred training rows along each direction.
    scales_ : ndarray of shape (`n_modes_`, n_projections)
        Median absolute deviation along each direction, without the factor 1.4826.
    n_modes_ : int
        Number of modes kept.
    n_degenerate_ : int
        Number of directions, over all modes, along which more than half of the rows coincide.
    offset_ : float
        Threshold on ``score_samples``.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
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

    Columns are taken as they come: put a scaler in front, or whiten. Ledoit and Wolf's shrinkage [4]_ towards a round
    cloud keeps an extremely narrow direction narrow; "mcd" does not, and is the choice where such directions matter and
    rows are many.

    ``feature_contributions`` splits each deviation :math:`(u^T x - m(u)) / s(u)` by the loadings of its direction; for
    "max" only the worst direction counts, for "top" the worst 5 %.

    Left out: a factor 1.4826 on the deviations (multiply scores by 0.6745 to have them in standard deviations),
    refinement of the maximum row by row, other scales than the median absolute deviation, and projections through
    pairs of points or along columns. The floor on a deviation is that of the number format alone: rows are centred
    at the coordinatewise median, so that rows which coincide project to exactly the same point.

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
        return self._run_fit(X, y, sample_weight=sample_weight)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None, *, sample_weight: Any = None) -> Self:
        """Learn from one more batch of rows, keeping a bounded sample of all rows seen.

        The `max_samples` rows (8192 where that is None) whose hashed values are smallest are kept, equal rows once
        with their number, and medians and deviations are computed from them. Which rows these are depends neither on
        the order of the rows nor on how they are cut into batches; while all distinct rows fit, the result is that of
        `fit` on all of them. A row that repeats is kept or left out with all its repetitions. After `fit`, which keeps
        no rows, this starts afresh.

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
        with restore_on_error(self):
            reservoir = vars(self).get("_reservoir")
            rows = check_rows(self, X, reset=reservoir is None)
            counted, weights = _counted(
                read_labels(y, len(rows), zero="unlabelled", lenient=True), check_weights(sample_weight, rows)
            )
            seed = draw_seed(self.random_state) if reservoir is None else reservoir.seed
            capacity = _RESERVOIR if self.max_samples is None else self.max_samples
            reservoir = keep_rows(reservoir, rows[counted], weights, seed, capacity)
            outlyingness = self._learn(reservoir.rows, plain_weights(reservoir.weights), seed, None)
            if outlyingness is None:
                outlyingness = self._outlyingness(reservoir.rows)
            self._reservoir = reservoir
            self._settle_threshold(outlyingness, reservoir.weights)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_chunks(self, chunks: Any) -> Self:
        """Fit to a table in chunks: to the bit what `fit` gives for the chunks put together.

        Medians are found by counting: each pass over the chunks adds up, for every direction, how many rows lie below
        a few thresholds, and narrows them. Some fifteen passes are made, more where values tie. Memory holds one
        chunk, some thousand rows, and one score a row.

        Parameters
        ----------
        chunks : iterable of array-like of shape (n_rows, n_features)
            Must yield the same chunks, in the same order, each time it is iterated: a list, or an object whose
            ``__iter__`` opens the data anew, not a generator.

        Returns
        -------
        self
            The fitted detector.

        Raises
        ------
        ValueError
            If `chunks` is one frame, can be iterated only once or changes between passes, or with ``n_modes`` above 1,
            ``whiten="mcd"`` or ``max_samples``, which need all rows at once.
        """
        needs_all = self.n_modes > 1 or self.whiten == "mcd" or self.max_samples is not None
        if needs_all:
            raise ValueError("fit_chunks works with n_modes=1, whiten other than 'mcd', and max_samples=None only.")
        with restore_on_error(self):
            table = ChunkedTable(Chunks(chunks, self))
            self.__dict__.pop("_reservoir", None)
            self._per_block = directions_per_block(table.n_samples, table.dtype)
            self.center_ = table.center
            directions = self._draw(table.n_features, draw_seed(self.random_state))[0]
            whitening = np.eye(table.n_features)
            if self.whiten is not None:
                whitening = _whitening(self.whiten, table.inverse_deviations(), table.tiles)
            self.directions_ = (directions @ whitening).astype(table.dtype)
            locations, scales, self.n_degenerate_ = table.fit_projections(self.directions_, self.n_jobs)
            self.locations_, self.scales_ = locations[None], settle_scales(scales, self.center_)[None]
            self.n_modes_ = 1
            self._settle_threshold(np.concatenate([self._outlyingness(rows) for rows in table.rows()]), None)
        return self

    def _fit(
        self, X: NDArray[Any], y: NDArray[np.int8], sample_weight: NDArray[np.float64] | None = None, **_: Any
    ) -> NDArray[np.float64]:
        counted, weights = _counted(y, sample_weight)
        rows = X if counted.all() else X[counted]
        self.__dict__.pop("_reservoir", None)
        outlyingness = self._learn(rows, plain_weights(weights), draw_seed(self.random_state), self.max_samples)
        if outlyingness is None or len(rows) < len(X):
            outlyingness = self._outlyingness(X)
        if self.contamination == "auto":
            self._cut = log_rule(outlyingness, sample_weight)
        return outlyingness

    def _settle_threshold(self, outlyingness: NDArray[np.float64], weights: NDArray[np.float64] | None) -> None:
        if self.contamination == "auto":
            self._cut = log_rule(outlyingness, weights)
            self.offset_ = self._auto_offset()
        else:
            self._set_offset(outlyingness, weights)

    def _draw(self, n_features: int, seed: int) -> tuple[NDArray[np.float64], np.random.Generator]:
        """Directions on the sphere, and the generator for all else."""
        random, *generators = child_generators(seed, 1 + n_direction_blocks(self.n_projections, n_features))
        return draw_directions(self.n_projections, n_features, self.directions, generators), random

    def _learn(
        self, rows: NDArray[Any], weights: NDArray[np.float64] | None, seed: int, max_samples: int | None
    ) -> NDArray[np.float64] | None:
        """Set the fitted attributes from rows that all count; return their outlyingness where it falls out."""
        directions, random = self._draw(rows.shape[1], seed)
        n_rows = len(rows)
        if max_samples is not None and max_samples < n_rows:
            kept = np.sort(random.choice(n_rows, max_samples, replace=False))
            rows, weights = rows[kept], plain_weights(_take(weights, kept))
        if self.aggregation == "max" and 2 * rows.shape[1] > len(rows):
            warn_user(
                f"With {len(rows)} rows of {rows.shape[1]} columns some direction puts more than half of the rows on "
                "one point, so the maximum has no finite limit; use aggregation='mean'."
            )
        self._per_block = directions_per_block(len(rows), rows.dtype)
        self.center_ = column_medians(rows, weights)
        columns = center_columns(rows, self.center_)
        modes = self._find_modes(columns, weights, random)
        if self.whiten is not None:
            directions = directions @ self._whitening(columns, weights, modes, random)
        self.directions_ = directions.astype(rows.dtype)
        fused = len(rows) == n_rows and weights is None and self.n_modes == 1 and self.aggregation != "top"
        parts = [
            fit_projections(
                columns if len(mode) == len(rows) else np.ascontiguousarray(columns[:, mode]),
                plain_weights(_take(weights, mode)),
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

    def _find_modes(
        self, columns: NDArray[Any], weights: NDArray[np.float64] | None, random: np.random.Generator
    ) -> list[NDArray[np.intp]]:
        """Cluster the rows, and list those of each cluster."""
        if self.n_modes == 1:
            return [np.arange(columns.shape[1])]
        from sklearn.cluster import KMeans

        table = columns.T if self.whiten is None else columns.T * inverse_deviations(columns, weights)
        n_modes = min(self.n_modes, len(np.unique(table, axis=0)))
        kmeans = KMeans(n_modes, n_init=10, random_state=int(random.integers(np.iinfo(np.int32).max)))
        labels = kmeans.fit(table, sample_weight=weights).labels_
        sizes = np.bincount(labels, weights=weights, minlength=n_modes)
        kept = np.flatnonzero(sizes >= _LEAST_SHARE_OF_MODE * sizes.sum() / self.n_modes)
        return [np.flatnonzero(labels == mode) for mode in kept]

    def _whitening(
        self,
        columns: NDArray[Any],
        weights: NDArray[np.float64] | None,
        modes: list[NDArray[np.intp]],
        random: np.random.Generator,
    ) -> NDArray[np.float64]:
        """Map of directions that makes the cloud, or its modes on average, round."""
        if len(modes[0]) < columns.shape[1]:
            parts = [columns[:, mode] for mode in modes]
            middles = [weighted_medians(part, _take(weights, mode)) for part, mode in zip(parts, modes, strict=True)]
            columns = np.concatenate([part - middle[:, None] for part, middle in zip(parts, middles, strict=True)], 1)
            weights = _take(weights, np.concatenate(modes))

        def tiles() -> Iterator[Piece]:
            for tile in row_blocks(columns.shape[1], rows_per_tile(len(columns))):
                yield np.ascontiguousarray(columns[:, tile].T, dtype=np.float64), _take(weights, tile)

        seed = int(random.integers(np.iinfo(np.int32).max)) if self.whiten == "mcd" else 0
        return _whitening(str(self.whiten), inverse_deviations(columns, weights), tiles, seed)

    def _outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return score_projections(X, *self._fitted(X.dtype), self.aggregation, self._per_block, self.n_jobs)

    def _fitted(self, dtype: Any) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Fitted arrays in the type of the rows to be scored; the centre stays in float64."""
        directions = self.directions_.astype(dtype, copy=False)
        locations = self.locations_.astype(dtype, copy=False)
        return self.center_, directions, locations, self.scales_.astype(dtype, copy=False)

    def _auto_offset(self) -> float:
        return -self._cut

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

    def _contributions(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """Split each direction's deviation by its loadings; only the worst ones count for "max" and "top"."""
        return np.concatenate(list(score_contributions(X, *self._fitted(X.dtype), self.aggregation)))


def _counted(
    labels: NDArray[np.int8], weights: NDArray[np.float64] | None
) -> tuple[NDArray[np.bool_], NDArray[np.float64] | None]:
    """Which rows count, and their weights."""
    counted = labels != -1
    if weights is not None:
        counted &= weights > 0
    if not counted.any():
        raise ValueError("y labels every row that has weight -1; at least one must be normal or unlabelled.")
    return counted, _take(weights, counted)


def _take(weights: NDArray[np.float64] | None, rows: Any) -> NDArray[np.float64] | None:
    return None if weights is None else weights[rows]


def _whitening(
    kind: str,
    inverse: NDArray[np.float64],
    tiles: Callable[[], Iterable[Piece]],
    seed: int = 0,
) -> NDArray[np.float64]:
    if kind == "diag":
        return np.diag(inverse)
    # A power of two brings the table near 1, so that fourth powers neither overflow nor vanish.
    factor = float(2.0 ** np.round(np.log2(np.median(inverse))))

    def scaled() -> Iterator[Piece]:
        for rows, weights in tiles():
            yield rows * factor, weights

    if kind == "ledoit_wolf":
        covariance = shrunk_covariance(scaled).covariance
    else:
        parts = list(scaled())
        weights = None if parts[0][1] is None else np.concatenate([part[1] for part in parts if part[1] is not None])
        rows = np.concatenate([part[0] for part in parts])
        covariance = robust_covariance(rows, weights=weights, random_state=seed).covariance
    return whitening_matrix(covariance) * factor
