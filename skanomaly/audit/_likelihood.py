"""Two samples compared by the likelihood ratio of a kernel classifier."""

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, special, stats
from scipy.spatial.distance import cdist, pdist
from sklearn.base import clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._seeds import child_generators, draw_seed
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._validation import check_rows
from skanomaly.audit._samples import reference_offset, sample_codes
from skanomaly.audit._units import ColumnUnits
from skanomaly.base import BaseTest

__all__ = ["NPLMTest"]

_DISTANCE_ROWS = 1000
_CENTERS = 100
_CLIP = 30.0
_SMALLEST = 1e-300


class NPLMTest(BaseTest):
    r"""Test whether a sample has the distribution of a reference, by the likelihood ratio of a kernel classifier.

    NPLM is the New Physics Learning Machine. The classifier estimates the logarithm of the ratio of the two densities,
    so the test finds differences that are confined to a small region, and its row scores say where they are.

    Parameters
    ----------
    n_centers : int or None, default=None
        Centres of the kernel, drawn from both samples. None is the square root of the number of rows, at least 100.
    bandwidth : float or None, default=None
        Standard deviation of the Gaussian kernel, in standard deviations of the columns. None is the 90 % quantile of
        the distances between rows, of at most 1,000 rows.
    ridge : float, default=1e-4
        Penalty of the classifier. A smaller one finds smaller regions and has less power for differences of the whole
        sample.
    null : {"permutation", "chi_square"}, default="permutation"
        "permutation" is exact. "chi_square" is the tail of a chi-square distribution with the mean of the permuted
        statistics as its degrees of freedom: it gives small p-values from few permutations, and is approximate; see
        ``null_fit_pvalue_``.
    n_permutations : int, default=99
        Number of permutations of the samples.
    alpha : float in (0, 1), default=0.05
        Fraction of the reference rows that :meth:`predict` labels -1.
    random_state : int, RandomState instance or None, default=None
        Seeds centres and permutations.

    Attributes
    ----------
    statistic_ : float
        Likelihood ratio.
    pvalue_ : float
        P-value; never 0.
    null_statistics_ : ndarray of shape (n_permutations,)
        Statistics of permuted samples.
    degrees_of_freedom_ : float
        Their mean.
    null_fit_pvalue_ : float
        P-value of the Kolmogorov-Smirnov test that they are chi-square with these degrees of freedom.
    bandwidth_ : float
        Standard deviation of the kernel.
    groups_ : ndarray of shape (n_groups,)
        Sorted labels of the samples; the first is that of the reference. 0 and 1 after :meth:`fit_samples`.
    sample_scores_ : ndarray of shape (n_samples,)
        Score of each fitted row: estimated log density of the reference less that of the sample, by a classifier
        without the row itself (one Newton step). Lower scores are more anomalous.
    offset_ : float
        Score below which :meth:`predict` labels rows -1.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the table had names that are all strings.

    See Also
    --------
    EnergyTest : More power if the whole sample is shifted.
    WindowExcessSearch : Finds a group of rows in a window of one variable.

    Notes
    -----
    With weights :math:`w = n_D / n_R` of the reference rows :math:`R`, the classifier :math:`f` minimises the weighted
    logistic loss and the penalty, in the span of the kernel at the centres, by Newton's method. The statistic is

    .. math:: t = -2 \Bigl[ w \sum_{x \in R} (e^{f(x)} - 1) - \sum_{x \in D} f(x) \Bigr].

    The implementation of [1]_ uses another solver and compares with samples drawn from a larger reference. Here the
    labels of both samples are permuted, which is exact for every size and needs no further rows.

    References
    ----------
    .. [1] Grosso, G., Lai, N., Letizia, M., Pazzini, J., Rando, M., Rosasco, L., Wulzer, A., Zanetti, M. (2023). Fast
       kernel methods for Data Quality Monitoring as a goodness-of-fit test. Machine Learning: Science and Technology 4.
       arXiv:2303.05413.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.audit import NPLMTest
    >>> reference, sample = np.random.RandomState(0).normal(size=(2, 300, 2))
    >>> sample[:40] = 1.5 + 0.2 * sample[:40]
    >>> test = NPLMTest(random_state=0).fit_samples(reference, sample)
    >>> (
    ...     test.pvalue_,
    ...     bool(
    ...         test.score_samples([[1.5, 1.5]])[0] < test.score_samples([[-1.5, -1.5]])[0]
    ...     ),
    ... )
    (0.01, True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_centers": [None, Interval(Integral, 1, None, closed="left")],
        "bandwidth": [None, Interval(Real, 0, None, closed="neither")],
        "ridge": [Interval(Real, 0, None, closed="neither")],
        "null": [StrOptions({"permutation", "chi_square"})],
        "n_permutations": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }
    _compares_samples: ClassVar[bool] = True
    _draws_rows: ClassVar[bool] = True

    def __init__(
        self,
        *,
        n_centers: int | None = None,
        bandwidth: float | None = None,
        ridge: float = 1e-4,
        null: str = "permutation",
        n_permutations: int = 99,
        alpha: float = 0.05,
        random_state: Any = None,
    ) -> None:
        self.n_centers = n_centers
        self.bandwidth = bandwidth
        self.ridge = ridge
        self.null = null
        self.n_permutations = n_permutations
        self.alpha = alpha
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, *, groups: Any = None) -> Self:
        """Compare the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows of both samples; finite numbers.
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
            If there are more than two labels, `y` is a table, or `X` has missing values.

        Warns
        -----
        UserWarning
            If `y` is given without `groups`.
        """
        return self._run_fit(X, y, groups=groups)

    def monitor(self, batches: Any) -> NDArray[np.float64]:
        """Compare each of several batches with the fitted reference.

        Parameters
        ----------
        batches : sequence of array-like of shape (n_rows, n_features)

        Returns
        -------
        ndarray of shape (n_batches,)
            P-value of each batch, by a test of its own. Control the false discovery rate over them.
        """
        check_is_fitted(self)
        return np.array([clone(self).fit_samples(self._reference, np.asarray(batch)).pvalue_ for batch in batches])

    def _read(self, X: Any, *, reset: bool) -> NDArray[np.float64]:
        rows = check_rows(self, X, reset=reset, min_samples=self._min_samples if reset else 1, dtype=np.float64)
        if reset:
            self._raw = rows
            self._units = ColumnUnits(rows)
        return np.asarray(self._units.divide(rows))

    def _test(self, X: NDArray[np.float64], *, groups: Any = None) -> None:
        n = len(X)
        codes, labels = sample_codes(groups, n, only_two=True)
        self.groups_: NDArray[Any] = labels
        self._reference = self._raw[codes == 0]
        del self._raw
        rng = child_generators(draw_seed(self.random_state), 1)[0]
        n_centers = max(_CENTERS, int(np.sqrt(n))) if self.n_centers is None else int(self.n_centers)
        self._centers = X[rng.choice(n, min(n, n_centers), replace=False)]
        self.bandwidth_ = self._width(X, rng)
        between = self._kernel(self._centers) + 1e-8 * np.eye(len(self._centers))
        factor = np.linalg.cholesky(between)
        features = linalg.solve_triangular(factor, self._kernel(X).T, lower=True).T
        if len(labels) < 2:
            self._coefficients = np.zeros(len(self._centers))
            self.statistic_, self.pvalue_, self.offset_ = 0.0, 1.0, 0.0
            self.null_statistics_, self.degrees_of_freedom_, self.null_fit_pvalue_ = np.zeros(0), 0.0, 1.0
            self._fitted_scores = np.zeros(n)
            return
        member = codes == 1
        self.statistic_, solution, self._fitted_scores = self._classify(features, member)
        self._coefficients = linalg.solve_triangular(factor, solution, lower=True, trans="T")
        self.null_statistics_ = np.array(
            [self._classify(features, rng.permutation(member), scored=False)[0] for _ in range(self.n_permutations)]
        )
        self.degrees_of_freedom_ = max(float(self.null_statistics_.mean()), 1e-6)
        self.null_fit_pvalue_ = float(stats.kstest(self.null_statistics_, stats.chi2(self.degrees_of_freedom_).cdf)[1])
        reached = int((self.null_statistics_ >= self.statistic_ - 1e-9 * abs(self.statistic_)).sum())
        if self.null == "permutation":
            self.pvalue_ = (1 + reached) / (1 + self.n_permutations)
        else:
            self.pvalue_ = float(max(stats.chi2.sf(self.statistic_, self.degrees_of_freedom_), _SMALLEST))
        self.offset_ = reference_offset(self._fitted_scores[codes == 0], self.alpha)

    def _width(self, X: NDArray[np.float64], rng: np.random.Generator) -> float:
        if self.bandwidth is not None:
            return float(self.bandwidth)
        some = X if len(X) <= _DISTANCE_ROWS else X[rng.choice(len(X), _DISTANCE_ROWS, replace=False)]
        distances = pdist(some)
        width = float(np.quantile(distances, 0.9)) if distances.size else 0.0
        return width if width > 0 else 1.0

    def _kernel(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.exp(cdist(X, self._centers, "sqeuclidean") / (-2 * self.bandwidth_**2)))

    def _classify(
        self, features: NDArray[np.float64], member: NDArray[np.bool_], *, scored: bool = True
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """Return the likelihood ratio, the weights of the features, and the scores of rows left out of their own."""
        n_sample, n_reference = int(member.sum()), int((~member).sum())
        ratio = n_sample / n_reference
        weights = np.where(member, 1.0, ratio) / (2 * n_sample)
        solution = np.zeros(features.shape[1])
        penalty = np.eye(features.shape[1]) * self.ridge
        for _ in range(20):
            chance = special.expit(features @ solution)
            gradient = features.T @ (weights * (chance - member)) + self.ridge * solution
            curvature = weights * chance * (1 - chance)
            hessian = linalg.cho_factor((features.T * curvature) @ features + penalty)
            step = linalg.cho_solve(hessian, gradient)
            solution = solution - step
            if np.abs(step).max() <= 1e-7 * max(1.0, np.abs(solution).max()):
                break
        values = np.clip(features @ solution, -_CLIP, _CLIP)
        statistic = -2 * (ratio * np.expm1(values[~member]).sum() - values[member].sum())
        if not scored:
            return float(statistic), solution, values
        chance = special.expit(values)
        leverage = np.einsum("ij,ji->i", features, linalg.cho_solve(hessian, features.T))
        rest = np.maximum(1 - leverage * weights * chance * (1 - chance), 1e-3)
        return float(statistic), solution, -(values + leverage * weights * (chance - member) / rest)

    def _row_scores(self, X: Any) -> NDArray[np.float64]:
        if X is None:
            return self._fitted_scores
        return np.asarray(-(self._kernel(X) * self._coefficients).sum(axis=1))

    def _row_offset(self) -> float:
        return self.offset_

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        tags.non_deterministic = False
        return tags
