"""Two samples of durations that may be censored."""

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags

from skanomaly._support._seeds import child_generators, draw_seed
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._validation import check_rows
from skanomaly._support._warnings import warn_user
from skanomaly.audit._samples import reference_offset, sample_codes
from skanomaly.audit._survival._combinations import combined, combined_pvalues
from skanomaly.audit._survival._risk import WEIGHTS, RiskTable, nelson_aalen
from skanomaly.base import BaseTest

__all__ = ["CensoredTwoSampleTest"]


class CensoredTwoSampleTest(BaseTest):
    r"""Test whether durations in two samples have the same distribution, where some are censored.

    A duration is censored if it had not ended when it was last seen, such as the lifetime of a part that still works
    or the delay of a fault that was never detected. Each column of the table holds durations of one kind.

    Parameters
    ----------
    statistic : str, default="max_combination"
        One of "max_combination", "log_rank", "gehan", "tarone_ware", "peto", "early", "late", "middle", "supremum" and
        "stacked".
        "log_rank" weights all events alike; "gehan" by the rows at risk, "tarone_ware" by their
        square root, "peto" by the survival; "early", "late" and "middle" by :math:`S`, :math:`1 - S` and
        :math:`S (1 - S)` just before the event (Fleming and Harrington). "max_combination" is the largest of
        "log_rank", "early", "late" and "middle". "supremum" is the largest cumulative log-rank sum. "stacked" is the
        probability that a classifier gives to a difference (see Notes).
    null : {"auto", "asymptotic", "permutation"}, default="auto"
        How p-values are computed. "auto" permutes with "stacked", and where a sample has fewer than 10 events.
    n_permutations : int, default=999
        Number of permutations, where they are used.
    horizon : float or None, default=None
        Durations of at least this are censored there. None censors only what `events` says.
    alpha : float in (0, 1), default=0.05
        Fraction of the reference rows that :meth:`predict` labels -1.
    random_state : int, RandomState instance or None, default=None
        Seeds permutations and simulations.

    Attributes
    ----------
    statistic_ : float
        Square of the standardised statistic, the largest over the columns: a chi-square for one weight. With
        "stacked" the probability.
    pvalue_ : float
        P-value for all columns together. Asymptotic p-values of columns are multiplied by their number; permutations
        use the joint distribution of the largest statistic.
    column_statistics_, column_pvalues_ : ndarray of shape (`n_features_in_`,)
        Statistic and p-value of each column alone.
    z_ : ndarray of shape (`n_features_in_`,)
        Standardised log-rank difference; positive where durations are shorter in the second sample.
    n_events_ : ndarray of shape (2, `n_features_in_`)
        Events in each sample and column.
    groups_ : ndarray of shape (n_groups,)
        Sorted labels of the samples; the first is that of the reference. 0 and 1 after :meth:`fit_samples`.
    sample_scores_ : ndarray of shape (n_samples,)
        Score of each fitted row, computed without the row itself.
    offset_ : float
        Score below which :meth:`predict` labels rows -1.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the table had names that are all strings.

    See Also
    --------
    compare_detection_delay : Compares how fast two detectors are, with medians and mean delays.
    ColumnDriftTest : Compares columns without censoring.

    Notes
    -----
    At the event time :math:`t`, of :math:`Y` rows at risk :math:`Y_1` are in the second sample, and of :math:`d` events
    :math:`d_1`. The statistic is

    .. math:: z = \sum_t w_t (d_1 - d Y_1 / Y) \Big/
        \sqrt{\textstyle\sum_t w_t^2\, d\, \tfrac{Y_1}{Y} (1 - \tfrac{Y_1}{Y}) \tfrac{Y - d}{Y - 1}}.

    The p-value of "max_combination" is that of the largest of correlated normal variables, whose correlations are
    computed from the data. "stacked" follows the idea of [1]_: a classifier learns from simulated pairs of samples
    with and without a difference (proportional, early, late and crossing hazards, in both directions) to combine the
    statistics. The published classifiers and their table of quantiles are not used: ours is a logistic regression on
    the statistics and their products, trained once in each process on the same simulated pairs, and its p-value comes
    from permutations of the samples.

    Permutations are exact only where both samples are censored alike. Otherwise the permuted statistics are
    approximate; they are standardised, so the error vanishes with the number of events.

    *Rows.* The score is the row's log-rank contribution (the event less the cumulative hazard of the other rows at its
    duration) in the direction of the second sample, summed over the columns with weights ``z_``. Lower scores are more
    anomalous: such durations are typical of the second sample. Rows given to ``score_samples`` are not censored before
    `horizon`.

    References
    ----------
    .. [1] Philonenko, P., Postovalov, S. (2024). Machine Learning for Two-Sample Testing under Right-Censored Data: A
       Simulation Study. arXiv:2409.08201.
    .. [2] Fleming, T. R., Harrington, D. P., O'Sullivan, M. (1987). Supremum versions of the log-rank and generalized
       Wilcoxon statistics. Journal of the American Statistical Association 82.
       https://doi.org/10.1080/01621459.1987.10478435

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.audit import CensoredTwoSampleTest
    >>> random = np.random.RandomState(0)
    >>> old, new = random.exponential(10, size=(2, 80, 1))
    >>> test = CensoredTwoSampleTest(horizon=20, random_state=0).fit_samples(old, 0.5 * new)
    >>> test.n_events_.ravel(), test.pvalue_ < 0.001
    (array([70, 79]), True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "statistic": [StrOptions({*WEIGHTS, "max_combination", "supremum", "stacked"})],
        "null": [StrOptions({"auto", "asymptotic", "permutation"})],
        "n_permutations": [Interval(Integral, 1, None, closed="left")],
        "horizon": [None, Interval(Real, None, None, closed="neither")],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }
    _compares_samples: ClassVar[bool] = True

    def __init__(
        self,
        *,
        statistic: str = "max_combination",
        null: str = "auto",
        n_permutations: int = 999,
        horizon: float | None = None,
        alpha: float = 0.05,
        random_state: Any = None,
    ) -> None:
        self.statistic = statistic
        self.null = null
        self.n_permutations = n_permutations
        self.horizon = horizon
        self.alpha = alpha
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, *, groups: Any = None, events: Any = None) -> Self:
        """Compare the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Durations of both samples, one kind a column; finite numbers.
        y : None
            Not used. Pass two tables to :meth:`fit_samples`, or the label of each row's sample as `groups`.
        groups : array-like of shape (n_samples,), default=None
            Labels of the two samples. The first label in sorted order is that of the reference. None takes the first
            half of the rows as the reference and the second half as the sample.
        events : array-like of shape (n_samples,) or (n_samples, n_features), bool, default=None
            True where the duration ended, False where it is censored. None: all ended before `horizon`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there are more than two labels, `events` has another shape or other values than True and False, `y` is a
            table, or ``null="asymptotic"`` is given with "stacked".

        Warns
        -----
        UserWarning
            If no event is observed, or `y` is given without `groups`.
        """
        return self._run_fit(X, y, groups=groups, events=events)

    def _read(self, X: Any, *, reset: bool) -> NDArray[np.float64]:
        return check_rows(self, X, reset=reset, min_samples=self._min_samples if reset else 1, dtype=np.float64)

    def _test(self, X: NDArray[np.float64], *, groups: Any = None, events: Any = None) -> None:
        n = len(X)
        codes, labels = sample_codes(groups, n, only_two=True)
        if self.statistic == "stacked" and self.null == "asymptotic":
            raise ValueError('null="asymptotic" is not available with statistic="stacked"; use "permutation".')
        observed = _events(events, X.shape)
        X, observed = self._censored(X, observed)
        if not observed.any():
            warn_user("No event is observed, so the samples cannot be compared; look at `events` and `horizon`.")
        self.groups_: NDArray[Any] = labels
        members = codes == 1
        self.n_events_ = np.array([observed[codes == group].sum(axis=0) for group in (0, 1)])
        self._tables = [RiskTable(column, happened) for column, happened in zip(X.T, observed.T, strict=True)]
        rng = child_generators(draw_seed(self.random_state), 1)[0]
        self._compare(members, rng)
        self._fitted_scores = self._scores(X, observed, members)
        self.offset_ = reference_offset(self._fitted_scores[codes == 0], self.alpha)

    def _censored(
        self, X: NDArray[np.float64], observed: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        if self.horizon is None:
            return X, observed
        return np.minimum(X, self.horizon), observed & (self.horizon > X)

    def _compare(self, members: NDArray[np.bool_], rng: np.random.Generator) -> None:
        permuted = self.null == "permutation" or (
            self.null == "auto" and (self.statistic == "stacked" or self.n_events_.min() < _FEW_EVENTS)
        )
        n_draws = self.n_permutations if permuted and len(self.groups_) == 2 else 0
        labellings = np.array([members, *(rng.permutation(members) for _ in range(n_draws))])
        values, signed = combined(self._tables, labellings, self.statistic)
        self.z_ = signed
        self.column_statistics_ = values[0]
        self.statistic_ = float(values[0].max())
        if len(self.groups_) < 2 or not self.n_events_.any():
            self.column_pvalues_, self.pvalue_ = np.ones(len(self._tables)), 1.0
        elif permuted:
            reached = values[1:] >= values[0] - 1e-9 * np.abs(values[0])
            self.column_pvalues_ = (1 + reached.sum(axis=0)) / (1 + n_draws)
            largest = values[1:].max(axis=1) >= self.statistic_ * (1 - 1e-9)
            self.pvalue_ = float(1 + largest.sum()) / (1 + n_draws)
        else:
            self.column_pvalues_ = combined_pvalues(self._tables, members, values[0], self.statistic, rng)
            self.pvalue_ = float(min(1.0, len(self._tables) * self.column_pvalues_.min()))

    def _scores(
        self, X: NDArray[np.float64], observed: NDArray[np.bool_], members: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """Sum the columns' log-rank contributions, each in the direction of the second sample."""
        total = np.zeros(len(X))
        for place, (table, z) in enumerate(zip(self._tables, self.z_, strict=True)):
            happened = observed[:, place]
            own = None if members is None else happened
            contribution = happened - nelson_aalen(table, X[:, place], own)
            direction = np.full(len(X), z)
            if members is not None and z != 0.0:
                units = np.sqrt(table.differences(members[None])[1].sum())
                direction -= (members - members.mean()) * contribution / units
            total -= direction * contribution
        return total

    def _row_scores(self, X: Any) -> NDArray[np.float64]:
        if X is None:
            return self._fitted_scores
        return self._scores(*self._censored(X, np.ones(X.shape, dtype=bool)))

    def _row_offset(self) -> float:
        return self.offset_

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        tags.non_deterministic = False
        return tags


_FEW_EVENTS = 10


def _events(events: Any, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Read who had an event, for each column."""
    if events is None:
        return np.ones(shape, dtype=bool)
    values = np.asarray(events)
    if values.shape not in {shape, shape[:1]}:
        raise ValueError(f"events has shape {values.shape}; give {shape[:1]} or {shape}, as the durations have.")
    if not np.isin(values, (0, 1)).all():
        raise ValueError("events holds values other than True and False; give True where the duration ended.")
    values = values.astype(bool)
    return np.repeat(values[:, None], shape[1], axis=1) if values.ndim == 1 else values
