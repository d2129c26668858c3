"""Drift of a stream against a reference, with one level for the whole stream."""

import math
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._neighbors import nearest_neighbors
from skanomaly._support._restore import restore_on_error
from skanomaly._support._seeds import draw_seed
from skanomaly._support._sklearn import Interval, StrOptions, fit_context
from skanomaly._support._validation import check_rows
from skanomaly.audit._two_samples import KNNTwoSampleTest
from skanomaly.audit._units import ColumnUnits
from skanomaly.base import BaseTest

__all__ = ["KNNDriftMonitor"]

_MOST_PERMUTATIONS = 100_000


class KNNDriftMonitor(BaseTest):
    """Test repeatedly whether a stream has the same distribution as a reference.

    ``fit`` takes the reference, and ``partial_fit`` any number of new rows of the stream. After every `stride` new
    rows, the last `window_size` rows are compared with the reference by :class:`KNNTwoSampleTest`, with exact
    permutation p-values. Such a test is called a look. Each look uses a part of `alpha`, so that the probability of any
    false alarm in the whole stream is at most `alpha`.

    Parameters
    ----------
    n_neighbors : int, default=10
        Neighbours of each row, among reference and window; below `window_size`.
    metric : {"standardized", "euclidean", "cosine"}, default="standardized"
        "standardized" is the Euclidean distance after each column is divided by its standard deviation (constant
        columns by 1), so units do not matter. The standard deviation is that of reference and window together in a
        look, which keeps its p-value exact, and that of the reference in :meth:`score_samples`. "euclidean" uses the
        columns as they are.
    window_size : int, default=100
        Rows compared with the reference.
    stride : int or None, default=None
        New rows between looks; None is `window_size`, so that windows do not overlap.
    n_looks : int or None, default=100
        Number of looks, each at level ``alpha / n_looks``; there are no looks after these. None allows any number of
        looks, at levels ``alpha / (look * (look + 1))``, which soon become very small.
    alpha : float in (0, 1), default=0.05
        Level of the whole stream.
    n_jobs : int or None, default=None
        Number of threads over permutations. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seeds the choice among ties and the permutations.

    Attributes
    ----------
    drift_ : bool
        Whether any look raised an alarm.
    drift_row_ : int
        Number of rows of the stream at the first alarm; -1 without an alarm.
    look_pvalues_ : ndarray of shape (n_looks_done,)
        P-value of each look. ``pvalue_`` is the last one.
    look_levels_ : ndarray of shape (n_looks_done,)
        Level of each look.
    look_statistics_ : ndarray of shape (n_looks_done,)
        Standardised number of edges within reference and window; drift makes it large.
    statistic_, pvalue_ : float
        Those of the last look; 0 and 1 before the first look.
    n_rows_seen_ : int
        Number of rows of the stream so far.
    sample_scores_ : ndarray of shape (n_reference,)
        Scores of the reference rows. A score is minus the mean distance to the nearest reference rows, the row itself
        left out; lower scores are more anomalous. Rows have no p-values, so there are no ``sample_pvalues_``,
        ``pvalue_threshold_`` and ``predict``.
    window_ : ndarray of shape (n_rows, `n_features_in_`)
        The last rows of the stream.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the reference had names that are all strings.

    See Also
    --------
    KNNTwoSampleTest : The test of a single look.
    KNNDriftTest : Tests one whole table.
    ColumnDriftTest : Compares two tables column by column.

    Notes
    -----
    The p-value of each look is exact, because reference and window are exchangeable if the distribution did not change.
    All looks use the same reference, so their p-values are dependent. Bonferroni's inequality [1]_ bounds the
    probability of any false alarm by the sum of the levels, under any dependence. The smallest possible p-value of a
    look is half of its level, with at most 100,000 permutations; with ``n_looks=None``, late looks would need more and
    cannot raise an alarm. Permutations stop early if there is no drift.

    *When it fails.* Distances mix all columns, so that the power falls with their number: of streams in which one of 30
    columns, normal with mean 0, is doubled, none is found with a window of 100 rows and half are with 300; of 12
    columns, five in six are found with 100 rows. Give a larger window, or compare column by column with
    :class:`ColumnDriftTest`.

    References
    ----------
    .. [1] Dunn, O. J. (1961). Multiple comparisons among means. Journal of the American Statistical Association 56.
       https://doi.org/10.1080/01621459.1961.10482090

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.audit import KNNDriftMonitor
    >>> rows = np.random.RandomState(0).normal(size=(1000, 2))
    >>> monitor = KNNDriftMonitor(random_state=0).fit(rows[:400])
    >>> monitor.partial_fit(rows[400:800]).drift_
    False
    >>> monitor.partial_fit(rows[800:] + 1.0).drift_row_
    500
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "metric": [StrOptions({"standardized", "euclidean", "cosine"})],
        "window_size": [Interval(Integral, 2, None, closed="left")],
        "stride": [None, Interval(Integral, 1, None, closed="left")],
        "n_looks": [None, Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    }
    _draws_rows: ClassVar[bool] = True

    def __init__(
        self,
        *,
        n_neighbors: int = 10,
        metric: str = "standardized",
        window_size: int = 100,
        stride: int | None = None,
        n_looks: int | None = 100,
        alpha: float = 0.05,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.window_size = window_size
        self.stride = stride
        self.n_looks = n_looks
        self.alpha = alpha
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Take the reference, and discard the stream seen so far.

        Parameters
        ----------
        X : array-like of shape (n_reference, n_features)
            At least 2 rows.
        y : None
            Not used.

        Returns
        -------
        self
        """
        return self._run_fit(X, y)

    def _test(self, X: Any) -> None:
        if self.n_neighbors >= self.window_size:
            raise ValueError(
                f"n_neighbors={self.n_neighbors} needs a larger window than window_size={self.window_size}."
            )
        self._reference = X
        if self.metric == "standardized":
            self._units = ColumnUnits(self._reference)
        self._seed = draw_seed(self.random_state)
        self.window_ = self._reference[:0]
        self._waiting = self.window_size
        self.n_rows_seen_ = 0
        self.drift_, self.drift_row_ = False, -1
        self.statistic_, self.pvalue_ = 0.0, 1.0
        self.look_pvalues_, self.look_levels_, self.look_statistics_ = np.empty(0), np.empty(0), np.empty(0)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None) -> Self:  # fit has scikit-learn's signature
        """Take the next rows of the stream, and test each window that they complete.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The looks do not depend on how the stream is divided into calls. An unfitted monitor uses the rows of the
            first call as the reference.
        y : None
            Not used.

        Returns
        -------
        self
        """
        with restore_on_error(self, X):
            if not hasattr(self, "_reference"):
                return self.fit(X)
            rows = check_rows(self, X, reset=False).astype(self._reference.dtype, copy=False)
            start = 0
            while start < len(rows):
                stop = min(start + self._waiting, len(rows))
                self.window_ = np.concatenate([self.window_, rows[start:stop]])[-self.window_size :]
                self.n_rows_seen_ += stop - start
                self._waiting -= stop - start
                start = stop
                if self._waiting == 0:
                    self._waiting = self.window_size if self.stride is None else self.stride
                    self._look()
        return self

    def _look(self) -> None:
        look = self.look_pvalues_.size + 1
        if self.n_looks is not None and look > self.n_looks:
            return
        level = self.alpha / (look * (look + 1) if self.n_looks is None else self.n_looks)
        test = KNNTwoSampleTest(
            n_neighbors=self.n_neighbors,
            metric=self.metric,
            null="permutation",
            n_permutations=min(max(199, math.ceil(2 / level)), _MOST_PERMUTATIONS),
            n_jobs=self.n_jobs,
            random_state=(self._seed + look) % 2**32,
        ).fit_samples(self._reference, self.window_)
        self.statistic_, self.pvalue_ = test.statistic_, test.pvalue_
        self.look_pvalues_ = np.append(self.look_pvalues_, test.pvalue_)
        self.look_levels_ = np.append(self.look_levels_, level)
        self.look_statistics_ = np.append(self.look_statistics_, test.statistic_)
        if test.pvalue_ <= level and not self.drift_:
            self.drift_, self.drift_row_ = True, self.n_rows_seen_

    def _row_scores(self, X: Any) -> NDArray[np.float64]:
        """Return minus the mean distance to the nearest reference rows, the row itself left out."""
        reference, metric = self._reference, self.metric
        rows = reference if X is None else X
        if metric == "standardized":
            rows, reference = self._units.divide(rows, reference.dtype), self._units.divide(reference)
            metric = "euclidean"
        else:
            rows = rows.astype(reference.dtype, copy=False)
        width = min(self.n_neighbors, len(reference) - 1)
        distances, _ = nearest_neighbors(
            reference, rows, n_neighbors=width, metric=metric, exclude="value", n_jobs=self.n_jobs
        )
        return -distances.mean(axis=1)
