"""The nearest-neighbour drift test."""

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._seeds import draw_seed
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.audit._base import NeighborTest
from skanomaly.audit._layout import Layout, label_codes, lay_out
from skanomaly.audit._null import normal_pvalue, sequential_pvalue
from skanomaly.audit._rows import RowEvidence
from skanomaly.audit._scan import scan_edges
from skanomaly.audit._statistics import Distance, EdgeStatistic, MeanGap, SameGroup, Scales, scale_thresholds

__all__ = ["KNNDriftTest"]


class KNNDriftTest(OneToOneFeatureMixin, TransformerMixin, NeighborTest):
    r"""Test whether the rows are independent and identically distributed in their given order.

    Each row is connected to its nearest neighbours in the feature space. If the rows are independent and identically
    distributed, the neighbours of a row are at random positions in the order. If there is drift, batch effects or
    autocorrelation, they are near the row in the order. By default the mean and covariance of the edge counts over
    all permutations of the rows are computed exactly, without drawing permutations.

    As a step of a pipeline it returns its input unchanged.

    Parameters
    ----------
    n_neighbors : int or "auto", default="auto"
        Neighbours of each row. "auto" is 10, or all other rows where there are fewer.
    metric : {"standardized", "euclidean", "cosine", "gower", "precomputed"}, default="standardized"
        "standardized" is the Euclidean distance after each column is divided by its standard deviation over all fitted
        rows (constant columns by 1), as by a StandardScaler, so units do not matter. "euclidean" uses the columns as
        they are, so columns with large values dominate. "gower" takes frames with mixed columns and missing values: two
        rows are compared on the columns in which neither has a missing value. "precomputed" takes a sparse neighbour
        graph, of which all stored entries are used.
    statistic : {"multiscale", "ks", "mean_gap", "same_group"}, default="multiscale"
        The gap of two rows is their distance in the order. "multiscale" is the largest standardised number of edges
        with at most a given gap, over about 12 gaps, and detects dependence at any range. "ks" is the
        Kolmogorov-Smirnov distance between the gaps of neighbours and of all pairs. "mean_gap" is the standardised mean
        gap, for slow drift. "same_group" is the standardised number of edges between rows of the same group in
        `groups`.
    null : {"asymptotic", "permutation"}, default="asymptotic"
        "asymptotic" compares the statistic with the normal distribution of the exact mean and covariance, which is a
        good approximation from 100 rows on. "permutation" draws permutations and is exact for any number of rows.
    n_permutations : int, default=999
        Maximum number of permutations. Drawing stops once 20 of them have reached the observed statistic.
    ties : {"random", "all"}, default="random"
        Which rows at equal distance are neighbours: a random choice, or all of them with smaller edge weights.
    n_queries : int or None, default=None
        Number of random rows whose neighbours are searched for; None means all rows. Use it for large tables.
    alpha : float in (0, 1), default=0.05
        Level at which :meth:`predict` controls the false discovery rate.
    n_jobs : int or None, default=None
        Number of threads. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seeds the choice among ties, the queried rows, the permutations and the simulation of the null distribution.

    Attributes
    ----------
    statistic_ : float
        The test statistic. "mean_gap" and "same_group" have a sign: "mean_gap" is negative if neighbours are nearer in
        the order than expected, "same_group" is positive if more of them are in the same group than expected.
    pvalue_ : float
        P-value; never 0. With "asymptotic" and several gaps it is computed from 20,000 simulations; where it is too
        small for these, it is an upper bound from the tails of the normal distribution.
    scales_ : ndarray of shape (n_scales,)
        Gaps up to which edges are counted, in units of ``gap_unit_``.
    gap_unit_ : {"rows", "times", "nanoseconds"}
        "rows" without `times`, "nanoseconds" if `times` are dates or durations, and "times" if they are numbers.
    z_scales_ : ndarray of shape (n_scales,)
        Standardised number of edges within each gap; positive if there are more than expected.
    gap_totals_ : ndarray of shape (n_scales,)
        Total weight of the edges within each gap.
    expected_totals_ : ndarray of shape (n_scales,)
        Mean of ``gap_totals_`` over all permutations.
    change_scores_ : ndarray of shape (n_samples - 1,)
        Standardised number of edges across the cut after each row of the order; negative if there are fewer than
        expected, as at a change. NaN between rows of equal time.
    change_point_ : int
        Position in the order of the first row after the most likely change; -1 if the order cannot be cut.
    change_pvalue_ : float
        P-value of the most likely change, over all cuts except those in the outer 5 % of the rows. For graphs of at
        most 30,000 edges it comes from at most 999 permutations, also with ``null="asymptotic"``.
    order_ : ndarray of shape (n_samples,)
        Input rows in the order in which they were tested.
    sample_pvalues_ : ndarray of shape (n_samples,)
        P-value of each fitted row; 1 for rows that were not queried.
    sample_scores_ : ndarray of shape (n_samples,)
        Decimal logarithm of ``sample_pvalues_``; lower scores are more anomalous.
    pvalue_threshold_ : float
        :meth:`predict` flags rows with a p-value of at most this.
    n_permutations_ : int
        Number of permutations drawn; 0 with "asymptotic".
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the table had names that are all strings.

    See Also
    --------
    KNNChangePointTest : Finds several change points.
    KNNTwoSampleTest : Compares two or more samples without an order.
    KNNDriftMonitor : Compares a stream with a reference.

    Notes
    -----
    The idea is that of [1]_. With weights :math:`w_e` of undirected edges and a kernel :math:`b`, the statistic
    :math:`\sum_e w_e b(\pi_u, \pi_v)` is of quadratic-assignment type; its mean and covariances over all permutations
    follow from :math:`\sum w_e`, :math:`\sum w_e^2`, the squared degrees, and the kernel's row sums. The permutation
    p-value is (1 + exceedances) / (1 + permutations) [2]_, stopped early as in [3]_; the change scan is that of [4]_.
    Our version differs from [1]_: it uses the exact mean and covariance instead of 25 permutations, tests many ranges
    of dependence, breaks ties independently of the order, and computes p-values of rows.

    The p-value of a row is hypergeometric: under the null hypothesis, given the position of the row, its neighbours are
    a uniform subset of the other rows. The smallest p-value over the gaps is multiplied by the number of gaps. Rows
    have neighbours in common, so their p-values depend on each other.

    Special cases: if all rows or all times are equal, or there is only one group, the p-value is 1. `n_neighbors` must
    be less than the number of rows. Times may be unsorted and may repeat: rows are sorted by time, and equal times have
    distance 0. NaN in `order`, `times`, `groups` or `strata` raises an error. Strata of one row have no edges and no
    effect; in strata with few rows all other rows are neighbours. "ks" uses ranks within strata, with equal times in
    random order. Missing values raise an error, except with ``metric="gower"``.

    With many neighbours, dependence that moves neighbours apart, such as alternation, is not detected.

    References
    ----------
    .. [1] Cummings, J., Snorrason, E. and Mueller, J. (2023). Detecting dataset drift and non-IID sampling via
       k-nearest neighbors. arXiv:2305.15696.
    .. [2] Phipson, B. and Smyth, G. K. (2010). Permutation p-values should never be zero. Statistical Applications in
       Genetics and Molecular Biology 9. https://doi.org/10.2202/1544-6115.1585
    .. [3] Besag, J. and Clifford, P. (1991). Sequential Monte Carlo p-values. Biometrika 78.
       https://doi.org/10.1093/biomet/78.2.301
    .. [4] Chen, H. and Zhang, N. (2015). Graph-based change-point detection. Annals of Statistics 43.
       https://doi.org/10.1214/14-AOS1269

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.audit import KNNDriftTest
    >>> rows = np.random.RandomState(0).normal(size=(400, 3))
    >>> bool(KNNDriftTest(random_state=0).fit(rows).pvalue_ > 0.05)
    True
    >>> rows[250:, 0] += 2.0
    >>> test = KNNDriftTest(random_state=0).fit(rows)
    >>> bool(test.pvalue_ < 1e-6), bool(abs(test.change_point_ - 250) < 5)
    (True, True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NeighborTest._parameter_constraints,  # our own base's
        "statistic": [StrOptions({"multiscale", "ks", "mean_gap", "same_group"})],
        "null": [StrOptions({"asymptotic", "permutation"})],
        "n_permutations": [Interval(Integral, 1, None, closed="left")],
        "ties": [StrOptions({"random", "all"})],
        "n_queries": [None, Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        n_neighbors: int | str = "auto",
        metric: str = "standardized",
        statistic: str = "multiscale",
        null: str = "asymptotic",
        n_permutations: int = 999,
        ties: str = "random",
        n_queries: int | None = None,
        alpha: float = 0.05,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.statistic = statistic
        self.null = null
        self.n_permutations = n_permutations
        self.ties = ties
        self.n_queries = n_queries
        self.alpha = alpha
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        order: Any = None,
        groups: Any = None,
        times: Any = None,
        strata: Any = None,
    ) -> Self:
        """Test the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or sparse graph of shape (n_samples, n_samples)
            At least 3 rows.
        y : None
            Not used.
        order : array-like of shape (n_samples,), default=None
            Keys that sort the rows; only their ranks are used, and equal keys have equal ranks. None keeps the given
            order.
        groups : array-like of shape (n_samples,), default=None
            Labels, for ``statistic="same_group"``.
        times : array-like of shape (n_samples,), default=None
            Numbers, dates or durations, used instead of `order`; their differences are the gaps.
        strata : array-like of shape (n_samples,), default=None
            Stratum of each row. Rows are compared only within strata, so differences between strata do not count.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            On missing values where they are not allowed, too few rows, or metadata of another length.
        """
        return self._run_fit(X, y, order=order, groups=groups, times=times, strata=strata)

    def _test(self, X: Any, *, order: Any = None, groups: Any = None, times: Any = None, strata: Any = None) -> None:
        n = X.shape[0]
        if (groups is None) == (self.statistic == "same_group"):
            raise ValueError(
                f"groups={'None' if groups is None else '...'} with statistic={self.statistic!r}: "
                "groups and statistic='same_group' belong together."
            )
        seed = draw_seed(self.random_state)
        generators = [np.random.Generator(np.random.PCG64(child)) for child in np.random.SeedSequence(seed).spawn(3)]
        layout = lay_out(n, order=order, times=times, strata=strata, rng=generators[0])
        codes = None if groups is None else label_codes(groups, n, name="groups")[0][layout.rows]
        self._test_layout(X, layout, codes, generators[1], generators[2], seed)

    def _test_layout(
        self,
        X: Any,
        layout: Layout,
        groups: NDArray[np.intp] | None,
        graph_rng: np.random.Generator,
        null_rng: np.random.Generator,
        seed: int,
    ) -> None:
        graph, all_equal = self._connect(X, layout, rng=graph_rng, ties=self.ties, n_queries=self.n_queries)
        scales = Scales(layout, graph, scale_thresholds(layout, graph))
        self.scales_ = scales.thresholds
        self.gap_unit_ = layout.gap_unit
        self.gap_totals_ = scales.totals
        self.expected_totals_ = scales.mean
        self.z_scales_ = (self.gap_totals_ - scales.mean) / scales.deviations
        statistic: EdgeStatistic = scales
        if self.statistic == "ks":
            statistic = Distance(layout, graph)
        elif self.statistic == "mean_gap":
            statistic = MeanGap(layout, graph)
        elif groups is not None:
            statistic = SameGroup(layout, graph, groups)
        observed = statistic.observed()
        if isinstance(statistic, Distance) and self.null == "permutation":
            observed = statistic.observed_exactly()
        self.statistic_ = observed
        if isinstance(statistic, MeanGap | SameGroup):
            self.statistic_ = float(((statistic.totals - statistic.mean) / statistic.units)[0])
        permuted = self.null == "permutation"
        self.n_permutations_ = 0
        if all_equal or not np.isfinite(statistic.deviations).any():
            self.pvalue_ = 1.0
        elif permuted:
            self.pvalue_, self.n_permutations_ = sequential_pvalue(
                statistic.draw,
                observed,
                n_permutations=self.n_permutations,
                random_state=seed,
                n_jobs=self.n_jobs,
            )
        else:
            self.pvalue_ = normal_pvalue(statistic, observed, null_rng)
        scan = scan_edges(
            layout,
            graph,
            n_permutations=self.n_permutations if permuted else None,
            random_state=seed,
            n_jobs=self.n_jobs,
        )
        self.change_scores_ = scan.scores
        self.change_point_ = scan.place
        self.change_pvalue_ = 1.0 if all_equal else scan.pvalue
        self.order_ = np.empty(layout.rows.size, dtype=np.intp)
        self.order_[layout.places] = layout.rows
        self._evidence = RowEvidence(layout, (graph.indptr, graph.indices), scales.thresholds, groups)

    def transform(self, X: Any) -> Any:
        """Return the rows as they are.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, validated as by :meth:`predict`.

        Returns
        -------
        X : the very object given
            Unless ``set_output`` asks for another kind of table. A frame whose column names are no strings comes
            back as a shallow copy, because `set_output` names columns in place; a list comes back as an array, unless
            its columns are mixed.
        """
        check_is_fitted(self)
        self._read(X, reset=False)
        if isinstance(X, pd.DataFrame) and not hasattr(self, "feature_names_in_"):
            return X.copy(deep=False)
        return X if hasattr(X, "shape") or self.metric == "gower" else np.asarray(X)
