"""Several change-points, by binary segmentation."""

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skanomaly._support._seeds import child_generators, draw_seed
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.audit._base import NeighborTest
from skanomaly.audit._layout import lay_out
from skanomaly.audit._rows import RowEvidence
from skanomaly.audit._scan import scan_edges
from skanomaly.audit._statistics import scale_thresholds

__all__ = ["KNNChangePointTest"]


class KNNChangePointTest(NeighborTest):
    """Test whether the distribution of the rows changes along their order, and find the change points.

    Few edges of the nearest neighbour graph cross a change. The test searches for the cut of the order with the largest
    deficit of crossing edges, splits there if it is significant, and continues in both parts with a new graph.

    Parameters
    ----------
    n_neighbors : int or "auto", default="auto"
        Neighbours of each row. "auto" is 10, or all other rows of the part where there are fewer.
    metric : {"standardized", "euclidean", "cosine", "gower", "precomputed"}, default="standardized"
        As in :class:`KNNDriftTest`. "standardized" divides columns by their standard deviation over the whole table,
        for the parts too, so units do not matter. With "precomputed" the parts use the edges within them.
    null : {"asymptotic", "permutation"}, default="asymptotic"
        "asymptotic" approximates the p-value of the scan from exact means and covariances (for graphs of at most 30,000
        edges permutations are drawn nevertheless). "permutation" is exact.
    n_permutations : int, default=999
        Maximum number of permutations for each part.
    margin : float in (0, 0.5), default=0.05
        Fraction of the rows of a part, at either end, in which no change is searched for.
    max_changes : int, default=10
        Maximum number of change points. The most significant splits come first.
    alpha : float in (0, 1), default=0.05
        Level of the whole table: the probability of any split in a table without a change is at most about `alpha`. The
        level of a part is `alpha` times the fraction of the rows that are in it.
    n_jobs : int or None, default=None
        Number of threads. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seeds the choice among ties and the permutations.

    Attributes
    ----------
    change_points_ : ndarray of shape (n_changes,)
        Position in the order of the first row after each change, ascending.
    change_pvalues_ : ndarray of shape (n_changes,)
        P-value of the scan that found each change.
    statistic_ : float
        Largest standardised deficit of crossing edges in the whole table.
    pvalue_ : float
        P-value of ``statistic_``.
    change_scores_ : ndarray of shape (n_samples - 1,)
        Standardised number of edges across the cut after each row of the order; negative if there are fewer than
        expected.
    order_ : ndarray of shape (n_samples,)
        Input rows in the order in which they were tested.
    sample_pvalues_, sample_scores_, pvalue_threshold_
        As in :class:`KNNDriftTest`.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the table had names that are all strings.

    See Also
    --------
    KNNDriftTest : Tests for any dependence on the order, and finds the most likely single change.

    Notes
    -----
    The scan is the edge-count scan of [1]_ on the graph of nearest neighbours, with exact mean and variance at every
    cut. Its tail approximation uses the exact correlation of neighbouring cuts. Binary segmentation compares whole
    parts, so it may miss a change that is reversed soon after.

    References
    ----------
    .. [1] Chen, H. and Zhang, N. (2015). Graph-based change-point detection. Annals of Statistics 43.
       https://doi.org/10.1214/14-AOS1269

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.audit import KNNChangePointTest
    >>> rows = np.random.RandomState(0).normal(size=(600, 2))
    >>> rows[200:] += 3.0
    >>> rows[450:] -= 6.0
    >>> KNNChangePointTest(random_state=0).fit(rows).change_points_
    array([200, 450])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NeighborTest._parameter_constraints,  # our own base's
        "null": [StrOptions({"asymptotic", "permutation"})],
        "n_permutations": [Interval(Integral, 1, None, closed="left")],
        "margin": [Interval(Real, 0, 0.5, closed="neither")],
        "max_changes": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        n_neighbors: int | str = "auto",
        metric: str = "standardized",
        null: str = "asymptotic",
        n_permutations: int = 999,
        margin: float = 0.05,
        max_changes: int = 10,
        alpha: float = 0.05,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.null = null
        self.n_permutations = n_permutations
        self.margin = margin
        self.max_changes = max_changes
        self.alpha = alpha
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, *, order: Any = None, times: Any = None) -> Self:
        """Find the changes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or sparse graph of shape (n_samples, n_samples)
            At least 3 rows.
        y : None
            Not used.
        order : array-like of shape (n_samples,), default=None
            Keys that sort the rows. There is no cut between equal keys.
        times : array-like of shape (n_samples,), default=None
            Numbers, dates or durations that sort the rows, used instead of `order`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            On missing values where they are not allowed, too few rows, or metadata of another length.
        """
        return self._run_fit(X, y, order=order, times=times)

    def _test(self, X: Any, *, order: Any = None, times: Any = None) -> None:
        n = X.shape[0]
        rng, *generators = child_generators(draw_seed(self.random_state), 2 * self.max_changes + 2)
        whole = lay_out(n, order=order, times=times, rng=rng)
        self.order_ = np.empty(n, dtype=np.intp)
        self.order_[whole.places] = whole.rows
        keys = np.cumsum(whole.cuts).astype(np.intp)
        sorted_rows = X[self.order_][:, self.order_] if sparse.issparse(X) else X[self.order_]
        root = self._scan(sorted_rows, keys, 0, n, generators[0], whole=True)
        self.statistic_, self.pvalue_, self.change_scores_ = root[3], root[0], root[4]
        self._evidence.layout.rows[:] = self.order_[self._evidence.layout.rows]
        found: list[tuple[int, float]] = []
        waiting = [root]
        for first, second in zip(generators[1::2], generators[2::2], strict=False):
            waiting.sort(key=lambda part: part[0] * n / (part[2][1] - part[2][0]))
            pvalue, place, (start, stop) = waiting[0][:3]
            if place < 0 or pvalue > self.alpha * (stop - start) / n:
                break
            found.append((place, pvalue))
            waiting[:1] = [
                self._scan(sorted_rows, keys, start, place, first),
                self._scan(sorted_rows, keys, place, stop, second),
            ]
        found.sort()
        self.change_points_ = np.array([place for place, _ in found], dtype=np.intp)
        self.change_pvalues_ = np.array([pvalue for _, pvalue in found])

    def _scan(
        self,
        rows: Any,
        keys: NDArray[np.intp],
        start: int,
        stop: int,
        rng: np.random.Generator,
        *,
        whole: bool = False,
    ) -> tuple[float, int, tuple[int, int], float, NDArray[np.float64]]:
        """Scan one part; returns the p-value, the place, the part, the largest deficit, and all scores."""
        if stop - start < 4 and not whole:
            return 1.0, -1, (start, stop), 0.0, np.empty(0)
        layout = lay_out(stop - start, order=keys[start:stop], rng=rng)
        part = rows[start:stop][:, start:stop] if sparse.issparse(rows) else rows[start:stop]
        graph, all_equal = self._connect(part, layout, rng=rng, whole=whole)
        if whole:
            thresholds = scale_thresholds(layout, graph)
            self._evidence = RowEvidence(layout, (graph.indptr, graph.indices), thresholds)
        scan = scan_edges(
            layout,
            graph,
            margin=self.margin,
            n_permutations=self.n_permutations if self.null == "permutation" else None,
            random_state=int(rng.integers(2**31)),
            n_jobs=self.n_jobs,
        )
        if scan.place < 0 or all_equal:
            return 1.0, -1, (start, stop), 0.0, scan.scores
        return scan.pvalue, start + scan.place, (start, stop), float(-scan.scores[scan.place - 1]), scan.scores
