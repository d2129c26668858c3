"""Distance to the nearest rows of a memory bank."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._blocks import map_blocks, row_blocks
from skanomaly._support._chunks import Chunks
from skanomaly._support._fractions import whole_part
from skanomaly._support._hooks import normal_samples
from skanomaly._support._neighbors import NeighborIndex, RowLookup, unit_rows
from skanomaly._support._scales import SafeRange
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, RealNotInt, StrOptions
from skanomaly._support._spectrum import estimate_spectrum
from skanomaly.base import BaseDetector

__all__ = ["NearestNeighborsDetector"]

_BLOCK_ROWS = 2048
_BLOCK_CENTERS = 128


class NearestNeighborsDetector(BaseDetector):
    r"""Exact distance to the nearest training rows, kept in a memory bank.

    The farther a row is from its nearest training rows, the more anomalous it is. No distribution is assumed; all
    training rows are kept, or fewer in a smaller bank.

    Parameters
    ----------
    n_neighbors : int, default=1
        Number of neighbours, at most the size of the bank minus one. One is best for small clean training data; more
        neighbours tolerate contamination.
    aggregation : {"max", "mean"}, default="max"
        Distance to the last of the neighbours, or mean distance to all of them.
    metric : {"whitened", "euclidean", "cosine"}, default="whitened"
        "whitened" is the Euclidean distance after whitening by the covariance of the training rows, shrunk by Ledoit
        and Wolf's rule: the best choice for embeddings. On standardised tables "euclidean" was as good or slightly
        better in our measurements. No metric makes columns with different units comparable: standardise tables first
        (see Notes).
    bank : {"full", "random", "coreset"}, default="full"
        Training rows that are kept: all, a random sample, or a greedy k-centre selection. The last covers the rows
        evenly and selects outliers first: use it for clean training data only.
    bank_size : int or float, default=0.25
        Rows kept by "random" and "coreset": a number, or a fraction in (0, 1]; at least 2 rows and at most all.
    anomaly_weight : float, default=0.5
        Weight of the distance to the nearest labelled anomaly, which is subtracted; at least 0.
    trim : float, default=0.0
        Fraction of the training rows, in [0, 0.5), that is dropped before the bank is built: those farthest from the
        others. Rows labelled +1 are kept.
    contamination : float, default=0.1
        Fraction of the training rows that are flagged, in (0, 0.5].
    n_jobs : int or None, default=None
        Number of threads. The scores do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed for the random bank and the first row of the coreset.

    Attributes
    ----------
    bank_ : ndarray of shape (n_bank, n_features)
        Training rows that were kept.
    n_neighbors_ : int
        Number of neighbours that are used.
    shrinkage_ : float
        Weight of the identity in the covariance that whitens; 0 for the other metrics.
    offset_ : float
        Threshold on ``score_samples``: rows with lower scores are anomalies.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    GaussianDetector : One covariance instead of a bank: smaller, faster, and equally good on embeddings.
    RandomProjectionDepth : For contaminated training data.
    sklearn.neighbors.LocalOutlierFactor : Distances relative to those of the neighbours.

    Notes
    -----
    The distance to the k-th neighbour is the outlier score of [1]_, the mean distance that of [2]_. The k-centre
    coreset [4]_ follows [3]_, without patches. The shrinkage is that of [5]_. What we changed: the default metric is
    whitened, distances are exact, labelled anomalies form a second bank, and one training row with the same values as
    the query is left out, so that training rows are scored like new rows. Large `n_neighbors` and coresets reduce the
    accuracy on small training data.

    `y`: rows labelled -1 form a second bank. With :math:`d^+` the distance to the first bank and :math:`d^-` the
    distance to the nearest row of the second, the outlyingness is :math:`d^+ - w d^-`. A labelled anomaly is left out
    of the second bank when it is scored itself; if it is the only one, the median :math:`d^-` of the first bank is
    used. With ``metric="euclidean"`` labelled anomalies made the results worse in our measurements. +1 and 0 are
    treated alike except in `trim`.

    ``feature_contributions`` splits a distance among the columns in proportion to their parts of the squared distance:
    squared differences, or each difference times its gradient after whitening. The cosine distance is half the squared
    distance of the rows scaled to norm 1.

    Columns with different units need a ``StandardScaler``: the covariance is shrunk towards a multiple of the identity,
    so a column of large numbers hides the others.

    Cost: O(n n_bank d) to score n rows, in blocks of one matrix product, or O(n log n_bank) by a KD-tree for at most
    eight columns; a coreset costs O(n n_bank d) once. Memory: at most three times the bank.

    References
    ----------
    .. [1] Ramaswamy, S., Rastogi, R. and Shim, K. (2000). "Efficient algorithms for mining outliers from large data
       sets". SIGMOD Record 29(2), 427-438. https://doi.org/10.1145/335191.335437
    .. [2] Angiulli, F. and Pizzuti, C. (2002). "Fast outlier detection in high dimensional spaces". PKDD, 15-27.
       https://doi.org/10.1007/3-540-45681-3_2
    .. [3] Roth, K., Pemula, L., Zepeda, J., Schölkopf, B., Brox, T. and Gehler, P. (2022). "Towards total recall in
       industrial anomaly detection". CVPR. https://doi.org/10.1109/CVPR52688.2022.01392
    .. [4] Gonzalez, T. F. (1985). "Clustering to minimize the maximum intercluster distance". Theoretical Computer
       Science 38, 293-306. https://doi.org/10.1016/0304-3975(85)90224-5
    .. [5] Ledoit, O. and Wolf, M. (2004). "A well-conditioned estimator for large-dimensional covariance matrices".
       Journal of Multivariate Analysis 88(2), 365-411. https://doi.org/10.1016/S0047-259X(03)00096-4

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.detectors import NearestNeighborsDetector
    >>> angles = np.linspace(0, 6.28, 100)
    >>> ring = np.column_stack([np.cos(angles), np.sin(angles)])
    >>> detector = NearestNeighborsDetector(contamination=0.05).fit(ring)
    >>> detector.predict([[0.0, 0.0], [0.0, 1.0]])
    array([-1,  1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,  # scikit-learn's name for a class's declaration
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "aggregation": [StrOptions({"max", "mean"})],
        "metric": [StrOptions({"whitened", "euclidean", "cosine"})],
        "bank": [StrOptions({"full", "random", "coreset"})],
        "bank_size": [Interval(Integral, 1, None, closed="left"), Interval(RealNotInt, 0, 1, closed="right")],
        "anomaly_weight": [Interval(Real, 0, None, closed="left")],
        "trim": [Interval(Real, 0, 0.5, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        n_neighbors: int = 1,
        aggregation: str = "max",
        metric: str = "whitened",
        bank: str = "full",
        bank_size: float = 0.25,
        anomaly_weight: float = 0.5,
        trim: float = 0.0,
        contamination: float = 0.1,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.aggregation = aggregation
        self.metric = metric
        self.bank = bank
        self.bank_size = bank_size
        self.anomaly_weight = anomaly_weight
        self.trim = trim
        self.contamination = contamination
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:  # the hook's form
        is_normal = normal_samples(y, self._min_samples, "rows")
        normal, anomalies = X[is_normal], X[~is_normal]
        if self.trim > 0:
            normal = self._trim(normal, y[is_normal] > 0)
        self._fit_metric(normal)
        transformed = self._transform(normal)
        kept = self._bank_indices(transformed)
        self.bank_ = normal if kept is None else normal[kept]
        self._bank = _Bank(self.bank_, transformed if kept is None else transformed[kept], self.metric)
        self.n_neighbors_ = min(self.n_neighbors, len(self.bank_) - 1)
        self._anomalies = None
        if len(anomalies) > 0:
            self._anomalies = _Bank(anomalies, self._transform(anomalies), self.metric)
            distances = self._anomalies.distances(self.bank_, self._bank.transformed, 1, self.n_jobs)[:, 0]
            distances = distances[np.isfinite(distances)]
            self._median_anomaly_distance = float(np.median(distances)) if distances.size > 0 else 0.0

    def _fit_chunks(self, table: Chunks) -> None:
        size = self.bank_size if isinstance(self.bank_size, Integral) else whole_part(self.bank_size, table.n_normal)
        size = table.n_normal if self.bank == "full" else min(int(size), table.n_normal)
        if not table.sample.is_complete and size > len(table.sample.rows):
            raise ValueError(
                f"bank={self.bank!r} would keep {size} of {table.n_normal} rows, more than the sample of "
                f"{len(table.sample.rows)}. Use bank='random' or 'coreset' with a smaller bank_size."
            )
        self._fit_sample(table)

    def _trim(self, rows: NDArray[Any], labelled: NDArray[np.bool_]) -> NDArray[Any]:
        """Drop a fraction `trim` of the rows, those farthest from the others; keep those labelled normal."""
        self._fit_metric(rows)
        transformed = self._transform(rows)
        n_neighbors = min(self.n_neighbors, len(rows) - 1)
        distances = NeighborIndex(transformed, metric=_index_metric(self.metric)).query(
            n_neighbors=n_neighbors, exclude="self", n_jobs=self.n_jobs
        )[0]
        outlyingness = np.where(labelled, -np.inf, self._aggregate(distances))
        n_dropped = min(int(self.trim * len(rows)), int(np.count_nonzero(~labelled)), len(rows) - 2)
        return rows[np.sort(np.argsort(outlyingness, kind="stable")[: len(rows) - n_dropped])]

    def _fit_metric(self, rows: NDArray[Any]) -> None:
        self._range = SafeRange(rows, rescale="none")
        limited = self._range.apply(rows)
        self._spectrum = None
        if self.metric == "whitened":
            self._spectrum = estimate_spectrum(limited[self._range.ordinary_rows(limited)], covariance="ledoit_wolf")
        self.shrinkage_ = 0.0 if self._spectrum is None else self._spectrum.shrinkage

    def _transform(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Transform rows to the space of the Euclidean or cosine distances."""
        spectrum = self._spectrum
        if self.metric != "cosine":
            rows = self._range.apply(rows)
        if spectrum is None:
            return rows
        parts = map_blocks(
            lambda part: spectrum.whiten(rows[part]).astype(rows.dtype),
            row_blocks(len(rows), _BLOCK_ROWS),
            n_jobs=self.n_jobs,
        )
        return np.concatenate(parts)

    def _bank_indices(self, transformed: NDArray[Any]) -> NDArray[np.intp] | None:
        """Return the sorted indices of the rows of the bank; None: all rows."""
        if self.bank == "full":
            return None
        size = self.bank_size if isinstance(self.bank_size, Integral) else whole_part(self.bank_size, len(transformed))
        size = min(max(int(size), 2), len(transformed))
        random = generator(self.random_state)
        if self.bank == "random":
            return np.sort(random.choice(len(transformed), size, replace=False))
        centers = np.empty(size, dtype=np.intp)
        rows = unit_rows(transformed) if self.metric == "cosine" else transformed
        center, nearest = int(random.integers(len(rows))), np.full(len(rows), np.inf)
        for part in row_blocks(size, _BLOCK_CENTERS):  # the loop can be interrupted
            center, _ = _kernels.coreset.k_center(rows, center, nearest, centers[part])
        return np.sort(centers)

    def _aggregate(self, distances: NDArray[np.float64]) -> NDArray[np.float64]:
        return distances[:, -1] if self.aggregation == "max" else distances.mean(axis=1)

    def _outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        transformed = self._transform(X)
        outlyingness = self._aggregate(self._bank.distances(X, transformed, self.n_neighbors_, self.n_jobs))
        if self._anomalies is None:
            return outlyingness
        distances = self._anomalies.distances(X, transformed, 1, self.n_jobs)[:, 0]
        distances[np.isnan(distances)] = self._median_anomaly_distance
        return outlyingness - self.anomaly_weight * distances

    def _contributions(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """Split each distance among the columns in proportion to their parts of the squared distance."""
        transformed = self._transform(X)
        n_neighbors = self.n_neighbors_
        used = [n_neighbors - 1] if self.aggregation == "max" else list(range(n_neighbors))
        contributions = self._split_distances(self._bank, X, transformed, n_neighbors, used)
        if self._anomalies is None:
            return contributions
        from_anomalies = self._split_distances(self._anomalies, X, transformed, 1, [0])
        # The median distance does not depend on the row: it is split equally.
        from_anomalies[np.isnan(from_anomalies).any(axis=1)] = self._median_anomaly_distance / X.shape[1]
        return contributions - self.anomaly_weight * from_anomalies

    def _split_distances(
        self, bank: "_Bank", X: NDArray[Any], transformed: NDArray[Any], n_neighbors: int, used: list[int]
    ) -> NDArray[np.float64]:
        """Split the distance to each neighbour used, and return the mean; NaN without a neighbour."""
        distances, indices = bank.neighbors(X, transformed, n_neighbors, self.n_jobs)
        total = np.zeros(X.shape)
        for place in used:
            length = distances[:, place]
            squares = self._split_squares(bank, X, transformed, indices[:, place])
            sums = squares.sum(axis=1)
            total += squares * np.divide(length, sums, out=np.zeros_like(length), where=sums > 0)[:, None]
            total[np.isnan(length)] = np.nan
        return total / len(used)

    def _split_squares(
        self, bank: "_Bank", X: NDArray[Any], transformed: NDArray[Any], indices: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Split the squared distance to one neighbour of each row, up to a factor for each row."""
        if self.metric == "cosine":
            rows, others = unit_rows(X), unit_rows(bank.rows[indices])
            return np.square(rows[:, :-1].astype(np.float64) - others[:, :-1])
        differences = X.astype(np.float64) - bank.rows[indices]
        if self._spectrum is None:
            largest = np.abs(differences).max(axis=1, keepdims=True)
            return np.square(differences / np.where(largest > 0, largest, 1))
        return self._spectrum.contributions(differences, transformed.astype(np.float64) - bank.transformed[indices])


class _Bank:
    """Rows with a neighbour index of the transformed rows, and a lookup of the original rows by value."""

    def __init__(self, rows: NDArray[Any], transformed: NDArray[Any], metric: str) -> None:
        self.rows = rows
        self.transformed = transformed
        self._lookup = RowLookup(rows)
        self._index = NeighborIndex(transformed, metric=_index_metric(metric))

    def distances(
        self, rows: NDArray[Any], transformed: NDArray[Any], n_neighbors: int, n_jobs: int | None
    ) -> NDArray[np.float64]:
        """Return the distances to the nearest rows, except one row equal to the query; NaN if no row is left."""
        return self.neighbors(rows, transformed, n_neighbors, n_jobs)[0]

    def neighbors(
        self, rows: NDArray[Any], transformed: NDArray[Any], n_neighbors: int, n_jobs: int | None
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return the same distances, and the indices of the rows in the bank."""
        same = self._lookup.find(rows)
        if len(self.transformed) > 1:
            return self._index.query(transformed, n_neighbors=n_neighbors, exclude=same, n_jobs=n_jobs)
        distances, indices = self._index.query(transformed, n_neighbors=n_neighbors, n_jobs=n_jobs)
        distances[same >= 0] = np.nan
        return distances, indices


def _index_metric(metric: str) -> str:
    return "cosine" if metric == "cosine" else "euclidean"
