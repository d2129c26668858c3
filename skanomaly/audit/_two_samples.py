"""Two or more samples on one neighbour graph."""

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray  # noqa: TC002  # docs read it

from skanomaly._support._seeds import draw_seed
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.audit._base import NeighborTest
from skanomaly.audit._layout import lay_out
from skanomaly.audit._null import normal_pvalue, sequential_pvalue
from skanomaly.audit._rows import RowEvidence
from skanomaly.audit._samples import sample_codes
from skanomaly.audit._statistics import SameGroup

__all__ = ["KNNTwoSampleTest"]


class KNNTwoSampleTest(NeighborTest):
    """Test whether two or more samples come from one distribution.

    If the samples have the same distribution, the neighbours of a row are in its own sample no more often than by
    chance. The statistic is the number of edges within samples, standardised by its exact mean and variance over all
    permutations of the labels.

    Parameters
    ----------
    n_neighbors : int or "auto", default="auto"
        Neighbours of each row. "auto" is 10, or all other rows where there are fewer.
    metric : {"standardized", "euclidean", "cosine", "gower", "precomputed"}, default="standardized"
        As in :class:`KNNDriftTest`. "standardized" divides columns by their standard deviation over all samples, so
        units do not matter.
    null : {"asymptotic", "permutation"}, default="asymptotic"
        "asymptotic" compares the statistic with the normal distribution; at a level of 5 % it rejects about 6 % of
        equal samples of 150 rows. "permutation" is exact.
    n_permutations : int, default=999
        Maximum number of permutations. Drawing stops once 20 of them have reached the observed statistic.
    ties : {"random", "all"}, default="random"
        As in :class:`KNNDriftTest`.
    alpha : float in (0, 1), default=0.05
        Level at which :meth:`predict` controls the false discovery rate.
    n_jobs : int or None, default=None
        Number of threads. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seeds the choice among ties and the permutations.

    Attributes
    ----------
    statistic_ : float
        Standardised number of edges within samples; positive if the samples are separated.
    pvalue_ : float
        Two-sided p-value; never 0. It is also small if there are fewer edges within samples than by chance, as for
        duplicates of which one is in each sample.
    groups_ : ndarray of shape (n_groups,)
        Labels of the samples, sorted; after :meth:`fit_samples` 0 for the reference and 1 for the other.
    n_permutations_ : int
        Number of permutations drawn; 0 with "asymptotic".
    sample_pvalues_ : ndarray of shape (n_samples,)
        P-value of each fitted row: the hypergeometric probability that at least as many of its neighbours are in its
        sample.
    sample_scores_ : ndarray of shape (n_samples,)
        Decimal logarithm of ``sample_pvalues_``; lower scores are more anomalous.
    pvalue_threshold_ : float
        :meth:`predict` flags rows with a p-value of at most this.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the table had names that are all strings.

    See Also
    --------
    DomainClassifierTest : Compares samples by a classifier, and finds the columns that differ.
    KNNDriftTest : Tests rows in a given order.

    Notes
    -----
    The statistic is that of [1]_ and [2]_, with mutual neighbours counted twice. Mean and variance over
    permutations are exact for any number and size of samples. The test has little power if the samples have the same
    centre and different scales in many columns: the nearest neighbours of all rows are then in the narrower sample.

    References
    ----------
    .. [1] Schilling, M. F. (1986). Multivariate two-sample tests based on nearest neighbors. Journal of the American
       Statistical Association 81. https://doi.org/10.2307/2289012
    .. [2] Henze, N. (1988). A multivariate two-sample test based on the number of nearest neighbor type coincidences.
       Annals of Statistics 16. https://doi.org/10.1214/aos/1176350835

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.audit import KNNTwoSampleTest
    >>> train, test = np.random.RandomState(0).normal(size=(2, 200, 3))
    >>> bool(KNNTwoSampleTest(random_state=0).fit_samples(train, test).pvalue_ > 0.05)
    True
    >>> bool(KNNTwoSampleTest(random_state=0).fit_samples(train, test + 1.0).pvalue_ < 1e-6)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NeighborTest._parameter_constraints,  # our own base's
        "null": [StrOptions({"asymptotic", "permutation"})],
        "n_permutations": [Interval(Integral, 1, None, closed="left")],
        "ties": [StrOptions({"random", "all"})],
    }
    _compares_samples: ClassVar[bool] = True

    def __init__(
        self,
        *,
        n_neighbors: int | str = "auto",
        metric: str = "standardized",
        null: str = "asymptotic",
        n_permutations: int = 999,
        ties: str = "random",
        alpha: float = 0.05,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.null = null
        self.n_permutations = n_permutations
        self.ties = ties
        self.alpha = alpha
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, *, groups: Any = None) -> Self:
        """Test the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or sparse graph of shape (n_samples, n_samples)
            Rows of all samples; at least 3.
        y : None
            Not used. Pass two tables to :meth:`fit_samples`, or the label of each row's sample as `groups`.
        groups : array-like of shape (n_samples,), default=None
            Label of each row's sample. None compares the first half of the rows with the second. With one label the
            p-value is 1.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            On missing values where they are not allowed, too few rows, labels missing or of another length, or a table
            for `y`.

        Warns
        -----
        UserWarning
            If `y` is given without `groups`.
        """
        return self._run_fit(X, y, groups=groups)

    def _test(self, X: Any, *, groups: Any = None) -> None:
        n = X.shape[0]
        codes, labels = sample_codes(groups, n)
        self.groups_: NDArray[Any] = labels
        seed = draw_seed(self.random_state)
        rng = np.random.Generator(np.random.PCG64(seed))
        layout = lay_out(n, rng=rng)
        graph, all_equal = self._connect(X, layout, rng=rng, ties=self.ties)
        statistic = SameGroup(layout, graph, codes)
        self.statistic_ = float(((statistic.totals - statistic.mean) / statistic.units)[0])
        self.n_permutations_ = 0
        if all_equal or not np.isfinite(statistic.deviations).any():
            self.pvalue_ = 1.0
        elif self.null == "asymptotic":
            self.pvalue_ = normal_pvalue(statistic, abs(self.statistic_), rng)
        else:
            self.pvalue_, self.n_permutations_ = sequential_pvalue(
                statistic.draw,
                abs(self.statistic_),
                n_permutations=self.n_permutations,
                random_state=seed,
                n_jobs=self.n_jobs,
            )
        self._evidence = RowEvidence(layout, (graph.indptr, graph.indices), np.empty(0), codes)
