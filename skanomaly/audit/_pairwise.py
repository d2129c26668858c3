"""Two samples compared by the distances or a kernel between all pairs of rows."""

from abc import abstractmethod
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist

from skanomaly._support._blocks import map_blocks, row_blocks
from skanomaly._support._scales import SafeRange, varies
from skanomaly._support._seeds import child_generators, draw_seed
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._validation import check_rows
from skanomaly.audit._samples import reference_offset, sample_codes
from skanomaly.audit._units import ColumnUnits
from skanomaly.base import BaseTest

__all__ = ["EnergyTest", "KernelTest"]

_ORDINARY_EXPONENT = 400
_FARTHEST = 1e150  # squares of it, summed over columns, are finite
_BLOCK_ROWS = 512
_MEDIAN_ROWS = 1000


def _extreme_exponent(rows: NDArray[np.float64]) -> int:
    """Return the exponent of the largest value, or 0 where its square is safe."""
    exponent = int(np.frexp(np.abs(rows).max(initial=0.0))[1])
    return exponent if abs(exponent) > _ORDINARY_EXPONENT else 0


class _PairwiseTest(BaseTest):
    """Base of the tests on a matrix of similarities of rows, which is computed in blocks and never kept."""

    _origin: Any = None  # what is subtracted from the rows of a huge or tiny table
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "metric": [StrOptions({"standardized", "euclidean"})],
        "n_permutations": [Interval(Integral, 1, None, closed="left")],
        "max_samples": [None, Interval(Integral, 4, None, closed="left")],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    }
    _compares_samples: ClassVar[bool] = True
    _draws_rows: ClassVar[bool] = True

    metric: str
    n_permutations: int
    max_samples: int | None
    alpha: float
    n_jobs: int | None
    random_state: Any
    _to_itself: ClassVar[float]

    @abstractmethod
    def _similarity(self, first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the similarities of all pairs; a row's similarity to itself is the largest."""

    def _prepare(self, rows: NDArray[np.float64], rng: np.random.Generator) -> None:
        """Set what `_similarity` needs."""

    def fit(self, X: Any, y: Any = None, *, groups: Any = None) -> Self:
        """Compare the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows of both samples, at least 2 of each; finite numbers.
        y : None
            Not used. Pass two tables to :meth:`fit_samples`, or the label of each row's sample as `groups`.
        groups : array-like of shape (n_samples,), default=None
            Labels of the two samples. The first label in sorted order is that of the reference. None takes the first
            half of the rows as the reference and the second half as the sample.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there are more than two labels or fewer than 2 rows of one, `y` is a table, or `X` has missing values.

        Warns
        -----
        UserWarning
            If `y` is given without `groups`.
        """
        return self._run_fit(X, y, groups=groups)

    def _read(self, X: Any, *, reset: bool) -> NDArray[np.float64]:
        rows = check_rows(self, X, reset=reset, min_samples=self._min_samples if reset else 1, dtype=np.float64)
        if reset:
            self._range = SafeRange(rows, rescale="none")
            limited = self._range.apply(rows)
            self._origin, self._exponent = None, _extreme_exponent(limited)
            if self._exponent:  # a column of one value has no part in distances
                self._origin = np.where(varies(limited), 0.0, limited[0])
                self._exponent = _extreme_exponent(limited - self._origin)
        rows = self._range.apply(rows)
        if self._origin is not None:  # squares of huge values would overflow
            with np.errstate(over="ignore"):
                rows = np.clip(np.ldexp(rows - self._origin, -self._exponent), -_FARTHEST, _FARTHEST)
        elif self._exponent:
            rows = np.ldexp(rows, -self._exponent)
        if self.metric == "euclidean":
            return rows
        if reset:
            self._units = ColumnUnits(rows)
        return np.asarray(self._units.divide(rows))

    def _test(self, X: NDArray[np.float64], *, groups: Any = None) -> None:
        n = len(X)
        codes, labels = sample_codes(groups, n, only_two=True)
        self.groups_: NDArray[Any] = labels
        counts = np.bincount(codes, minlength=2)
        if len(labels) == 2 and counts.min() < 2:
            raise ValueError(f"The samples have {counts.tolist()} rows; each needs at least 2.")
        rng = child_generators(draw_seed(self.random_state), 1)[0]
        used = self._drawn(codes, rng)
        self._rows, self._codes = X[used], codes[used]
        self._prepare(self._rows, rng)
        self.n_compared_ = used.size
        if len(labels) < 2:
            self.statistic_, self.pvalue_, self.offset_ = 0.0, 1.0, 0.0
            self._fitted_scores = np.zeros(n)
            return
        signs = self._signs(rng)
        values = self._quadratic(signs)
        self.statistic_ = float(values[0])
        reached = int((values[1:] >= values[0] - 1e-9 * np.abs(values).max()).sum())
        self.pvalue_ = (1 + reached) / (1 + self.n_permutations)
        self._fitted_scores = self._witness(X, used)
        self.offset_ = reference_offset(self._fitted_scores[codes == 0], self.alpha)

    def _drawn(self, codes: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
        """Draw at most `max_samples` rows, the samples in proportion; at least two of each."""
        if self.max_samples is None or codes.size <= self.max_samples:
            return np.arange(codes.size)
        kept = []
        for rows in (np.flatnonzero(codes == 0), np.flatnonzero(codes == 1)):
            wanted = max(round(self.max_samples * rows.size / codes.size), min(2, rows.size))
            kept.append(rng.choice(rows, wanted, replace=False))
        return np.sort(np.concatenate(kept))

    def _signs(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return weights 1 / n of the reference and -1 / m of the sample: observed, then permuted, in columns."""
        sizes = np.bincount(self._codes, minlength=2)
        observed = np.where(self._codes == 0, 1 / sizes[0], -1 / sizes[1])
        columns = [observed, *(rng.permutation(observed) for _ in range(self.n_permutations))]
        return np.ascontiguousarray(np.column_stack(columns))

    def _quadratic(self, signs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the quadratic form of the similarities in each column of weights."""
        rows = self._rows

        def part(block: slice) -> NDArray[np.float64]:
            return np.einsum("ij,ij->j", signs[block], self._similarity(rows[block], rows) @ signs)

        parts = map_blocks(part, row_blocks(len(rows), _BLOCK_ROWS), n_jobs=self.n_jobs)
        sizes = np.bincount(self._codes)
        return np.asarray(np.sum(parts, axis=0) * (sizes[0] * sizes[1] / sizes.sum()))

    def _witness(self, X: NDArray[np.float64], used: NDArray[np.intp] | None = None) -> NDArray[np.float64]:
        """Return the mean similarity to the reference less that to the sample; a fitted row is left out of its own."""
        members = [np.flatnonzero(self._codes == group) for group in (0, 1)]
        place = np.full(len(X), -1)
        if used is not None:
            place[used] = np.arange(used.size)

        def part(block: slice) -> NDArray[np.float64]:
            similar = self._similarity(X[block], self._rows)
            own = np.flatnonzero(place[block] >= 0)
            group = self._codes[place[block][own]]
            means = []
            for code, rows in enumerate(members):
                sums = similar[:, rows].sum(axis=1)
                sizes = np.full(sums.size, rows.size)
                sums[own[group == code]] -= self._to_itself
                sizes[own[group == code]] -= 1
                means.append(sums / sizes)
            return np.asarray(means[0] - means[1])

        return np.concatenate(map_blocks(part, row_blocks(len(X), _BLOCK_ROWS), n_jobs=self.n_jobs))

    def _row_scores(self, X: Any) -> NDArray[np.float64]:
        if X is None:
            return self._fitted_scores
        return np.zeros(len(X)) if len(self.groups_) < 2 else self._witness(X)

    def _row_offset(self) -> float:
        return self.offset_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = False
        return tags


class EnergyTest(_PairwiseTest):
    """Test whether two samples have the same distribution by the energy distance between them.

    The energy distance is twice the mean distance between rows of different samples, minus the mean distances within
    each sample. It is zero only if the distributions are equal.

    Parameters
    ----------
    metric : {"standardized", "euclidean"}, default="standardized"
        "standardized" divides columns by their standard deviation over both samples, so units do not matter.
    n_permutations : int, default=999
        Number of permutations of the labels.
    max_samples : int or None, default=10_000
        Most rows that are compared, drawn at random from both samples in proportion; the time grows with its square.
        None compares all rows.
    alpha : float in (0, 1), default=0.05
        Fraction of the reference rows that :meth:`predict` labels -1.
    n_jobs : int or None, default=None
        Number of threads. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seeds the permutations and the choice of rows.

    Attributes
    ----------
    statistic_ : float
        Energy distance times the product of the sample sizes over their sum.
    pvalue_ : float
        Permutation p-value: exact, and at least 1 / (1 + n_permutations).
    n_compared_ : int
        Number of rows compared.
    groups_ : ndarray of shape (n_groups,)
        Sorted labels of the samples; the first is that of the reference. 0 and 1 after :meth:`fit_samples`.
    sample_scores_ : ndarray of shape (n_samples,)
        Score of each fitted row: its mean distance to the sample less that to the reference, without itself. Lower
        scores are more anomalous.
    offset_ : float
        Score below which :meth:`predict` labels rows -1.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the table had names that are all strings.

    See Also
    --------
    ColumnDriftTest : Finds the columns that differ.
    KernelTest : The same test with a Gaussian kernel.
    KNNTwoSampleTest : Faster for many rows.

    Notes
    -----
    All permutations are computed together, in blocks of rows, by one matrix product, so memory does not grow with the
    square of the number of rows.

    References
    ----------
    .. [1] Székely, G. J., Rizzo, M. L. (2013). Energy statistics: a class of statistics based on distances. Journal of
       Statistical Planning and Inference 143. https://doi.org/10.1016/j.jspi.2013.03.018

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.audit import EnergyTest
    >>> reference, sample = np.random.RandomState(0).normal(size=(2, 200, 3))
    >>> EnergyTest(random_state=0).fit_samples(reference, sample).pvalue_ > 0.05
    True
    >>> EnergyTest(random_state=0).fit_samples(reference, sample + 0.5).pvalue_
    0.001
    """

    _to_itself: ClassVar[float] = 0.0

    def __init__(
        self,
        *,
        metric: str = "standardized",
        n_permutations: int = 999,
        max_samples: int | None = 10_000,
        alpha: float = 0.05,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.metric = metric
        self.n_permutations = n_permutations
        self.max_samples = max_samples
        self.alpha = alpha
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _similarity(self, first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
        return -np.asarray(cdist(first, second))


class KernelTest(_PairwiseTest):
    """Test whether two samples have the same distribution by the maximum mean discrepancy of a Gaussian kernel.

    The maximum mean discrepancy (MMD) is the distance between the mean similarities of the rows within and between
    the samples. It is zero only if the distributions are equal.

    Parameters
    ----------
    bandwidth : float or None, default=None
        Standard deviation of the Gaussian kernel, in the units of `metric`. None is the median distance between rows
        of both samples together, of at most 1,000 rows.
    metric : {"standardized", "euclidean"}, default="standardized"
        "standardized" divides columns by their standard deviation over both samples, so units do not matter.
    n_permutations : int, default=999
        Number of permutations of the labels.
    max_samples : int or None, default=10_000
        Most rows that are compared, drawn at random from both samples in proportion; the time grows with its square.
        None compares all rows.
    alpha : float in (0, 1), default=0.05
        Fraction of the reference rows that :meth:`predict` labels -1.
    n_jobs : int or None, default=None
        Number of threads. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seeds the permutations and the choice of rows.

    Attributes
    ----------
    statistic_ : float
        Squared MMD (biased estimate) times the product of the sample sizes over their sum.
    pvalue_ : float
        Permutation p-value: exact, and at least 1 / (1 + n_permutations).
    bandwidth_ : float
        Standard deviation of the kernel.
    n_compared_ : int
        Number of rows compared.
    groups_ : ndarray of shape (n_groups,)
        Sorted labels of the samples; the first is that of the reference. 0 and 1 after :meth:`fit_samples`.
    sample_scores_ : ndarray of shape (n_samples,)
        Score of each fitted row: its mean similarity to the reference less that to the sample, without itself. Lower
        scores are more anomalous.
    offset_ : float
        Score below which :meth:`predict` labels rows -1.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the table had names that are all strings.

    See Also
    --------
    ColumnDriftTest : Finds the columns that differ.
    EnergyTest : The same test without a bandwidth.

    Notes
    -----
    The median distance is a common choice of the bandwidth, and too wide for differences at a small scale in data of
    many modes. All permutations are computed together, in blocks of rows.

    References
    ----------
    .. [1] Gretton, A. et al. (2012). A kernel two-sample test. Journal of Machine Learning Research 13.
       https://jmlr.org/papers/v13/gretton12a.html

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.audit import KernelTest
    >>> reference, sample = np.random.RandomState(0).normal(size=(2, 200, 3))
    >>> KernelTest(random_state=0).fit_samples(reference, sample).pvalue_ > 0.05
    True
    >>> KernelTest(random_state=0).fit_samples(reference, 1.5 * sample).pvalue_
    0.001
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **_PairwiseTest._parameter_constraints,  # our own base's
        "bandwidth": [None, Interval(Real, 0, None, closed="neither")],
    }
    _to_itself: ClassVar[float] = 1.0

    def __init__(
        self,
        *,
        bandwidth: float | None = None,
        metric: str = "standardized",
        n_permutations: int = 999,
        max_samples: int | None = 10_000,
        alpha: float = 0.05,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.bandwidth = bandwidth
        self.metric = metric
        self.n_permutations = n_permutations
        self.max_samples = max_samples
        self.alpha = alpha
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _prepare(self, rows: NDArray[np.float64], rng: np.random.Generator) -> None:
        if self.bandwidth is not None:
            self.bandwidth_ = float(self.bandwidth)
            return
        some = rows if len(rows) <= _MEDIAN_ROWS else rows[rng.choice(len(rows), _MEDIAN_ROWS, replace=False)]
        distances = pdist(some)
        positive = distances[distances > 0]
        self.bandwidth_ = float(np.median(positive)) if positive.size else 1.0

    def _similarity(self, first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
        squared = cdist(first, second, "sqeuclidean")
        return np.asarray(np.exp(squared / (-2 * self.bandwidth_**2)))
