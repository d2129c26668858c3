"""Distance to the nearest rows of a memory bank."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._blocks import map_blocks, row_blocks
from skanomaly._support._neighbors import NeighborIndex, RowLookup, unit_rows
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, RealNotInt, StrOptions
from skanomaly.base import BaseDetector
from skanomaly.detectors._density._spectrum import estimate_spectrum

__all__ = ["NearestNeighborsDetector"]

_BLOCK_ROWS = 2048
_BLOCK_CENTERS = 128


class NearestNeighborsDetector(BaseDetector):
    r"""Distance to the nearest normal rows, exact, with a memory bank.

    A row is the odder, the farther its nearest training rows are. Nothing is assumed of the shape of normality; in
    return every training row is kept, unless a smaller bank is asked for.

    Parameters
    ----------
    n_neighbors : int, default=1
        Neighbours that count. One is best on small clean training sets; some more stand contamination. Never more than
        the bank holds beside the row itself.
    aggregation : {"max", "mean"}, default="max"
        The distance of the last of the neighbours, or the mean over them.
    metric : {"whitened", "euclidean", "cosine"}, default="whitened"
        Whitened is Euclidean after the training rows were made round by a covariance that is shrunk by Ledoit and
        Wolf's rule: the best choice for embeddings, and as good as any for standardised tables. No metric makes
        columns of different units comparable: standardise tables first (Notes).
    bank : {"full", "random", "coreset"}, default="full"
        Rows kept: all, a random choice, or a greedy k-centre choice, which covers the rows evenly and therefore
        prefers outliers: use it on clean training rows only.
    bank_size : int or float, default=0.25
        Rows kept by "random" and "coreset": a number, or a share in (0, 1]; at least 2 and at most all.
    anomaly_weight : float, default=0.5
        Weight of the distance to the nearest known anomaly, which is subtracted; at least 0.
    trim : float, default=0.0
        Share of the training rows, in [0, 0.5), those with the largest scores, that is dropped before the bank is
        built; rows labelled +1 stay.
    contamination : float, default=0.1
        Share of the training rows that is flagged, in (0, 0.5].
    n_jobs : int or None, default=None
        Threads over blocks of rows; results do not depend on it.
    random_state : int, RandomState instance or None, default=None
        For a random bank and for the first row of a coreset.

    Attributes
    ----------
    bank_ : ndarray of shape (n_bank, n_features)
        Training rows kept.
    n_neighbors_ : int
        Neighbours that count.
    shrinkage_ : float
        Share of the identity in the covariance that whitens; 0 for the other metrics.
    offset_ : float
        Threshold on ``score_samples``: rows that score below are anomalies.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    GaussianDetector : One covariance instead of a bank; smaller, faster, and as good on embeddings.
    RandomProjectionDepth : Robust against contaminated training.
    sklearn.neighbors.LocalOutlierFactor : Distances in units of the neighbours' own.

    Notes
    -----
    The distance to the k-th neighbour is the outlier score of Ramaswamy, Rastogi and Shim (2000), its mean that of
    Angiulli and Pizzuti (2002). The bank with a k-centre coreset follows Roth and others (2022), without patches, and
    labelled anomalies are subtracted as a second bank is. What we changed: the metric is whitened by default, distances
    are exact, and one training row with the values of the query is left out, so that training rows score as new rows
    do. Large `n_neighbors` and coresets cost accuracy on small training sets.

    `y`: rows labelled -1 form a second bank; with :math:`d^-` the distance to the nearest of them a row scores
    :math:`d^+ - w d^-`. A labelled row is no evidence for itself there either; where it is the only one, the median
    :math:`d^-` of the bank stands in. Without whitening such labels did harm in our measurements. +1 and 0 count alike
    except in `trim`.

    ``feature_contributions`` shares a distance among the columns in proportion to their parts of its square: squared
    differences, or each difference times the whitening matrix squared times all differences. Cosine distances are
    shared as half the squared distance of rows of norm 1.

    Columns of different units need a ``StandardScaler`` in front: the shrunk covariance tends to a sphere, so that a
    column of large numbers hides the others.

    Cost: O(n n_bank d) for scoring n rows, in blocks of one matrix product, or O(n log n_bank) by a KD-tree for at most
    eight columns; a coreset costs O(n n_bank d) once. Memory: the bank three times at the most.

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
        normal, anomalies = X[y >= 0], X[y < 0]
        if len(normal) < self._min_samples:
            raise ValueError(f"y leaves {len(normal)} rows that are not -1; a fit needs at least 2.")
        if self.trim > 0:
            normal = self._trimmed(normal, y[y >= 0] > 0)
        self._learn_metric(normal)
        coded = self._encode(normal)
        kept = self._choose(coded)
        self.bank_ = normal if kept is None else normal[kept]
        self._bank = _Bank(self.bank_, coded if kept is None else coded[kept], self.metric)
        self.n_neighbors_ = min(self.n_neighbors, len(self.bank_) - 1)
        self._anomalies = None
        if len(anomalies) > 0:
            self._anomalies = _Bank(anomalies, self._encode(anomalies), self.metric)
            gaps = self._anomalies.distances(self.bank_, self._bank.coded, 1, self.n_jobs)[:, 0]
            gaps = gaps[np.isfinite(gaps)]
            self._usual_gap = float(np.median(gaps)) if gaps.size > 0 else 0.0

    def _trimmed(self, rows: NDArray[Any], certain: NDArray[np.bool_]) -> NDArray[Any]:
        """Drop the share `trim` of the rows, those that lie farthest from the others, sparing the certain ones."""
        self._learn_metric(rows)
        coded = self._encode(rows)
        n_neighbors = min(self.n_neighbors, len(rows) - 1)
        distances = NeighborIndex(coded, metric=_index_metric(self.metric)).query(
            n_neighbors=n_neighbors, exclude="self", n_jobs=self.n_jobs
        )[0]
        outlyingness = np.where(certain, -np.inf, self._aggregate(distances))
        n_dropped = min(int(self.trim * len(rows)), int(np.count_nonzero(~certain)), len(rows) - 2)
        return rows[np.sort(np.argsort(outlyingness, kind="stable")[: len(rows) - n_dropped])]

    def _learn_metric(self, rows: NDArray[Any]) -> None:
        self._spectrum = estimate_spectrum(rows, covariance="ledoit_wolf") if self.metric == "whitened" else None
        self.shrinkage_ = 0.0 if self._spectrum is None else self._spectrum.shrinkage

    def _encode(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Bring rows into the space in which the distances are Euclidean, or cosine."""
        spectrum = self._spectrum
        if spectrum is None:
            return rows
        parts = map_blocks(
            lambda part: spectrum.whiten(rows[part]).astype(rows.dtype),
            row_blocks(len(rows), _BLOCK_ROWS),
            n_jobs=self.n_jobs,
        )
        return np.concatenate(parts)

    def _choose(self, coded: NDArray[Any]) -> NDArray[np.intp] | None:
        """Choose the rows of the bank, in ascending order; None is all."""
        if self.bank == "full":
            return None
        wanted = self.bank_size if isinstance(self.bank_size, Integral) else int(self.bank_size * len(coded))
        size = min(max(int(wanted), 2), len(coded))
        random = generator(self.random_state)
        if self.bank == "random":
            return np.sort(random.choice(len(coded), size, replace=False))
        centers = np.empty(size, dtype=np.intp)
        rows = unit_rows(coded) if self.metric == "cosine" else coded
        center, nearest = int(random.integers(len(rows))), np.full(len(rows), np.inf)
        for part in row_blocks(size, _BLOCK_CENTERS):  # so that it can be interrupted
            center, _ = _kernels.coreset.k_center(rows, center, nearest, centers[part])
        return np.sort(centers)

    def _aggregate(self, distances: NDArray[np.float64]) -> NDArray[np.float64]:
        return distances[:, -1] if self.aggregation == "max" else distances.mean(axis=1)

    def _outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        coded = self._encode(X)
        outlyingness = self._aggregate(self._bank.distances(X, coded, self.n_neighbors_, self.n_jobs))
        if self._anomalies is None:
            return outlyingness
        gaps = self._anomalies.distances(X, coded, 1, self.n_jobs)[:, 0]
        gaps[np.isnan(gaps)] = self._usual_gap
        return outlyingness - self.anomaly_weight * gaps

    def _contributions(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """Share each distance among the columns as its square is a sum over them."""
        coded = self._encode(X)
        n_neighbors = self.n_neighbors_
        used = [n_neighbors - 1] if self.aggregation == "max" else list(range(n_neighbors))
        shares = self._split(self._bank, X, coded, n_neighbors, used)
        if self._anomalies is None:
            return shares
        gaps = self._split(self._anomalies, X, coded, 1, [0])
        # Where the usual gap stands in, no column is the reason: all bear the same.
        gaps[np.isnan(gaps).any(axis=1)] = self._usual_gap / X.shape[1]
        return shares - self.anomaly_weight * gaps

    def _split(
        self, bank: "_Bank", X: NDArray[Any], coded: NDArray[Any], n_neighbors: int, used: list[int]
    ) -> NDArray[np.float64]:
        """Average, over the neighbours used, each one's distance split among the columns; NaN where there is none."""
        distances, indices = bank.neighbors(X, coded, n_neighbors, self.n_jobs)
        total = np.zeros(X.shape)
        for place in used:
            length = distances[:, place]
            squares = self._squares(bank, X, coded, indices[:, place])
            sums = squares.sum(axis=1)
            total += squares * np.divide(length, sums, out=np.zeros_like(length), where=sums > 0)[:, None]
            total[np.isnan(length)] = np.nan
        return total / len(used)

    def _squares(
        self, bank: "_Bank", X: NDArray[Any], coded: NDArray[Any], indices: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Split the squared distance to one neighbour each among the columns, up to a factor a row."""
        if self.metric == "cosine":
            rows, others = unit_rows(X), unit_rows(bank.rows[indices])
            return np.square(rows[:, :-1].astype(np.float64) - others[:, :-1])
        differences = X.astype(np.float64) - bank.rows[indices]
        if self._spectrum is None:
            largest = np.abs(differences).max(axis=1, keepdims=True)
            return np.square(differences / np.where(largest > 0, largest, 1))
        return self._spectrum.contributions(differences, coded.astype(np.float64) - bank.coded[indices])


class _Bank:
    """Rows with an index over their coded form, and a lookup by value over the rows as they came."""

    def __init__(self, rows: NDArray[Any], coded: NDArray[Any], metric: str) -> None:
        self.rows = rows
        self.coded = coded
        self._lookup = RowLookup(rows)
        self._index = NeighborIndex(coded, metric=_index_metric(metric))

    def distances(
        self, rows: NDArray[Any], coded: NDArray[Any], n_neighbors: int, n_jobs: int | None
    ) -> NDArray[np.float64]:
        """Return distances to the nearest rows but the one with the query's values; NaN where no row is left."""
        return self.neighbors(rows, coded, n_neighbors, n_jobs)[0]

    def neighbors(
        self, rows: NDArray[Any], coded: NDArray[Any], n_neighbors: int, n_jobs: int | None
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return these distances and the places of the rows in the bank."""
        same = self._lookup.find(rows)
        if len(self.coded) > 1:
            return self._index.query(coded, n_neighbors=n_neighbors, exclude=same, n_jobs=n_jobs)
        distances, indices = self._index.query(coded, n_neighbors=n_neighbors, n_jobs=n_jobs)
        distances[same >= 0] = np.nan
        return distances, indices


def _index_metric(metric: str) -> str:
    return "cosine" if metric == "cosine" else "euclidean"
