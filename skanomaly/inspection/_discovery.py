"""Tests which columns make a row anomalous, at a false discovery rate."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._blocks import row_blocks
from skanomaly._support._results import ShortRepr
from skanomaly._support._seeds import child_generators
from skanomaly._support._sklearn import Interval, StrOptions, validate_params
from skanomaly._support._step_up import step_up_threshold
from skanomaly._support._warnings import warn_user
from skanomaly.inspection._columns import ColumnSampler, GaussianColumnSampler
from skanomaly.inspection._explainer import Groups
from skanomaly.inspection._scores import Scorer, read_tables

__all__ = ["FeatureDiscovery", "discover_features"]

Floats = NDArray[np.float64]
_FEWEST_DRAWS = 200
_BLOCK_CELLS = 4_000_000


@dataclass(frozen=True, repr=False)
class FeatureDiscovery(ShortRepr):
    """Result of :func:`discover_features`.

    Attributes
    ----------
    selected : ndarray of shape (n_samples, n_groups), bool
        True for the entries that are selected.
    pvalues : ndarray of shape (n_samples, n_groups) or None
        None with ``method="one_shot"``, which has no p-values.
    statistics : ndarray of shape (n_samples, n_groups)
        Outlyingness of the row minus its mean over the draws ("resampling") or minus that of the single draw
        ("one_shot"); high where the entry makes the row anomalous. Two-sided: the same with squared distances from an
        independent draw.
    threshold : float
        Entries with a p-value of at most this value are selected (-1: none). With "one_shot", entries with a statistic
        of at least this value (infinity: none).
    alpha : float
        False discovery rate that was requested.
    feature_names : list of str
        Names of the columns or groups.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.inspection import FeatureDiscovery
    >>> found = FeatureDiscovery(
    ...     np.array([[True, False]]),
    ...     None,
    ...     np.array([[9.0, 0.1]]),
    ...     5.0,
    ...     0.1,
    ...     ["heat", "load"],
    ... )
    >>> found.reasons(0)
    ['heat']
    """

    selected: NDArray[np.bool_]
    pvalues: Floats | None
    statistics: Floats
    threshold: float
    alpha: float
    feature_names: list[str]

    def reasons(self, row: int) -> list[str]:
        """Return the names of the columns selected for a row, the largest statistic first."""
        order = np.argsort(-self.statistics[row], kind="stable")
        return [self.feature_names[column] for column in order if self.selected[row, column]]


@validate_params(
    {
        "method": [StrOptions({"resampling", "one_shot"})],
        "alternative": [StrOptions({"greater", "two-sided"})],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "n_draws": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def discover_features(
    detector: Any,
    X: Any,
    *,
    background: Any,
    sampler: ColumnSampler | None = None,
    method: str = "resampling",
    alternative: str = "greater",
    alpha: float = 0.1,
    n_draws: int | None = None,
    groups: Any = None,
    random_state: Any = None,
) -> FeatureDiscovery:
    r"""Test for each row and column whether the row is more anomalous than with that column redrawn.

    Parameters
    ----------
    detector : estimator or callable
        Fitted, with ``score_samples``; or a function from rows to scores, lower for more anomalous rows.
    X : array-like of shape (n_samples, n_features)
        Rows to explain, finite numbers.
    background : array-like of shape (n_background, n_features)
        Normal rows that the sampler is fitted on; they must not include the rows of `X`. The columns of two frames are
        matched by name.
    sampler : object or None, default=None
        Distribution of a column given the others among normal rows: a :class:`GaussianColumnSampler` (the default),
        :class:`NeighborColumnSampler` or :class:`IndependentColumnSampler`. The guarantee on the false discovery rate
        depends on how well the sampler fits.
    method : {"resampling", "one_shot"}, default="resampling"
        "resampling" computes p-values from many draws and applies the procedure of Benjamini and Hochberg. "one_shot"
        uses one draw per entry, and a threshold from the number of entries with statistics as far below zero; it is
        cheap and needs many entries.
    alternative : {"greater", "two-sided"}, default="greater"
        "greater" selects only columns that make the row more anomalous, "two-sided" also those that make it less
        anomalous.
    alpha : float, default=0.1
        False discovery rate over all entries.
    n_draws : int or None, default=None
        Number of draws for each entry with "resampling". None uses the larger of 200 and 2 `n_groups` / `alpha`, which
        is enough where one entry in every second row is anomalous.
    groups : array-like of shape (n_features,) or None, default=None
        Columns with equal labels are tested together.
    random_state : int, RandomState instance or None, default=None
        Seeds the draws.

    Returns
    -------
    FeatureDiscovery

    Warns
    -----
    UserWarning
        If entries have the smallest p-value that `n_draws` allows and no entry can be selected.

    See Also
    --------
    feature_contributions : Measures how much each column contributes, without a test.

    Notes
    -----
    The null hypothesis for row :math:`i` and column :math:`j`: given the other columns, :math:`x_{ij}` is one more draw
    from its distribution among normal rows. With outlyingness :math:`T` and draws :math:`\tilde x_{ik}` the p-value is
    :math:`(1 + \#\{k : T(x_i) \le T(\tilde x_{ik})\}) / (K + 1)`; two-sided, :math:`T(z) = (f(z) - f(c))^2` with one
    more draw :math:`c`. "one_shot" takes :math:`t_{ij} = T(x_i) - T(\tilde x_i)`, symmetric about 0 under the null,
    and the smallest :math:`s` with :math:`(1 + \#\{t \le -s\}) / \max(1, \#\{t \ge s\}) \le \alpha`. These are the
    randomisation tests of [1]_. With :math:`K` draws no entry is selected unless a fraction of at least
    :math:`1/(\alpha(K+1))` of all entries is.

    The cost is `n_draws` scores per entry.

    References
    ----------
    .. [1] Burns, C., Thomason, J. and Tansey, W. (2020). "Interpreting black box models via hypothesis testing".
       Proceedings of the ACM-IMS Foundations of Data Science Conference, 47-57. https://doi.org/10.1145/3412815.3416889

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.covariance import EllipticEnvelope
    >>> from skanomaly.inspection import discover_features
    >>> rows = np.random.RandomState(0).normal(size=(300, 4))
    >>> detector = EllipticEnvelope(random_state=0).fit(rows)
    >>> anomalies = rows[:5] + np.array([0.0, 0.0, 7.0, 0.0])
    >>> found = discover_features(detector, anomalies, background=rows, random_state=0)
    >>> found.selected.sum(axis=0)
    array([0, 0, 5, 0])
    """
    if not (sampler is None or isinstance(sampler, ColumnSampler)):
        raise ValueError(
            f"sampler={sampler!r} must be GaussianColumnSampler(), NeighborColumnSampler(), IndependentColumnSampler() "
            "of skanomaly.inspection, or None."
        )
    reader, rows, background_rows = read_tables(X, background)
    score = Scorer(detector, reader)
    chosen = (GaussianColumnSampler() if sampler is None else sampler).fit(background_rows)
    parts = Groups.from_labels(groups, score.names)
    if method == "one_shot":
        n_draws = 1
    elif n_draws is None:
        n_draws = max(_FEWEST_DRAWS, int(np.ceil(2 * max(5, len(parts)) / alpha)))
    two_sided = alternative == "two-sided"
    outlyingness = -score(rows)
    own, drawn = np.empty((2, len(rows), len(parts)))
    above = np.empty((len(rows), len(parts)))
    for group, random in enumerate(child_generators(random_state, len(parts))):
        columns = np.flatnonzero(parts.members == group)
        redrawn = _redrawn(score, rows, columns, chosen, n_draws + two_sided, random)
        if two_sided:
            centre = redrawn[-1]
            redrawn, own[:, group] = np.square(redrawn[:-1] - centre), np.square(outlyingness - centre)
        else:
            own[:, group] = outlyingness
        drawn[:, group] = redrawn.mean(axis=0)
        above[:, group] = (own[:, group] <= redrawn).sum(axis=0)
    statistics = own - drawn
    if method == "one_shot":
        least = _one_shot_threshold(statistics.ravel(), alpha)
        return FeatureDiscovery(statistics >= least, None, statistics, least, alpha, parts.names)
    pvalues = (1 + above) / (n_draws + 1)
    largest = step_up_threshold(pvalues.ravel(), alpha)
    n_extreme = int((above == 0).sum())
    if largest < 0 and n_extreme > 0 and alpha * n_extreme / pvalues.size < 1 / (n_draws + 1):
        warn_user(
            f"{n_extreme} of {pvalues.size} entries have the smallest p-value that n_draws={n_draws} allows, which is "
            f"not small enough to select any; use n_draws={int(np.ceil(pvalues.size / (alpha * n_extreme)))}."
        )
    return FeatureDiscovery(pvalues <= largest, pvalues, statistics, largest, alpha, parts.names)


def _redrawn(
    score: Scorer,
    rows: Floats,
    columns: NDArray[np.intp],
    sampler: ColumnSampler,
    n_draws: int,
    random: np.random.Generator,
) -> Floats:
    """Return the outlyingness of rows with some columns redrawn, shape (n_draws, n_rows)."""
    values = sampler.draw(rows, columns, n_draws, random)
    outlyingness = np.empty((n_draws, len(rows)))
    for part in row_blocks(n_draws, max(1, _BLOCK_CELLS // max(rows.size, 1))):
        copies = np.tile(rows, (part.stop - part.start, 1, 1))
        copies[:, :, columns] = values[part]
        outlyingness[part] = -score(copies.reshape(-1, rows.shape[1])).reshape(copies.shape[:2])
    return outlyingness


def _one_shot_threshold(statistics: Floats, alpha: float) -> float:
    """Return the smallest positive value at which the estimated false discovery rate is at most `alpha`."""
    candidates = np.unique(np.abs(statistics[statistics != 0]))
    ordered = np.sort(statistics)
    n_above = len(ordered) - np.searchsorted(ordered, candidates, side="left")
    n_below = np.searchsorted(ordered, -candidates, side="right")
    good = np.flatnonzero((1 + n_below) / np.maximum(n_above, 1) <= alpha)
    return float(candidates[good[0]]) if good.size else float("inf")
