"""Counterfactuals: the fewest columns, and the smallest change of them, that make a row normal."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._covariance import shrunk_covariance
from skanomaly._support._responses import threshold_of
from skanomaly._support._results import ShortRepr
from skanomaly._support._scales import column_scale
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.inspection._scores import Scorer, read_tables

__all__ = ["Counterfactual", "counterfactual"]

Floats = NDArray[np.float64]
_BEAM = 5
_N_HALVINGS = 30


@dataclass(frozen=True, repr=False)
class Counterfactual(ShortRepr):
    """Result of :func:`counterfactual`.

    Attributes
    ----------
    rows : ndarray of shape (n_samples, n_features)
        The changed rows; where no counterfactual was found, the best row that the search reached.
    changed : ndarray of shape (n_samples, n_features), bool
        True for the cells that were changed.
    found : ndarray of shape (n_samples,), bool
        Whether the changed row is normal.
    scores : ndarray of shape (n_samples,)
        ``score_samples`` of the changed rows.
    threshold : float
        Rows with at least this score are normal.
    originals : ndarray of shape (n_samples, n_features)
        The given rows.
    feature_names : list of str
        Names of the columns.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.inspection import counterfactual
    >>> normal = np.random.RandomState(0).normal(size=(200, 2))
    >>> found = counterfactual(
    ...     lambda X: -np.abs(X).max(axis=1),
    ...     [[0.5, 9.0]],
    ...     background=normal,
    ...     threshold=-2.0,
    ... )
    >>> [(name, round(value, 3)) for name, _, value in found.changes(0)]
    [('x1', 2.0)]
    """

    rows: Floats
    changed: NDArray[np.bool_]
    found: NDArray[np.bool_]
    scores: Floats
    threshold: float
    originals: Floats
    feature_names: list[str]

    def changes(self, row: int) -> list[tuple[str, float, float]]:
        """List the columns of a row that are changed.

        Parameters
        ----------
        row : int

        Returns
        -------
        list of (str, float, float)
            Name of the column, given value, changed value.
        """
        return [
            (self.feature_names[column], float(self.originals[row, column]), float(self.rows[row, column]))
            for column in np.flatnonzero(self.changed[row])
        ]


@validate_params(
    {
        "threshold": [Real, None],
        "max_features": [Interval(Integral, 1, None, closed="left"), None],
        "n_values": [Interval(Integral, 1, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def counterfactual(
    detector: Any,
    X: Any,
    *,
    background: Any,
    threshold: float | None = None,
    max_features: int | None = None,
    n_values: int = 16,
) -> Counterfactual:
    r"""Search for the fewest columns whose change makes each row normal, and for the smallest change of them.

    Parameters
    ----------
    detector : estimator or callable
        Fitted, with ``score_samples``; or a function from rows to scores, lower for more anomalous rows.
    X : array-like of shape (n_samples, n_features)
        Rows to make normal, finite numbers; rows that are normal already are not changed.
    background : array-like of shape (n_background, n_features)
        Normal rows, from which the values of changed columns are taken. The columns of two frames are matched by name.
    threshold : float or None, default=None
        Rows with at least this score are normal. None uses the detector's threshold, where ``decision_function`` is 0.
    max_features : int or None, default=None
        Largest number of changed columns; None sets no limit.
    n_values : int, default=16
        Number of quantiles of the background rows that are tried for a column, besides its expected value given the
        other columns.

    Returns
    -------
    Counterfactual

    See Also
    --------
    feature_contributions : Contribution of each column to the score.

    Notes
    -----
    A counterfactual is the nearest row with another decision [1]_; here the number of changed columns is minimised
    first, and the distance second. For a single column all values are tried. For more columns a beam search keeps the
    five best sets of columns and extends each by every other column, trying the values of the columns changed before
    again; it may miss a smaller set. For each set that suffices, the change is shortened along the line to the given
    row, and the smallest change in units of the background's standard deviations is returned. The expected value of a
    column is that of a Gaussian distribution with a covariance shrunken as by Ledoit and Wolf [2]_.

    A counterfactual describes the detector. It does not show that these columns are the cause of an anomaly, or that an
    intervention on them would have an effect.

    The cost is about 5 (`n_values` + 1) n_features scores for each changed column.

    References
    ----------
    .. [1] Wachter, S., Mittelstadt, B. and Russell, C. (2018). "Counterfactual explanations without opening the black
       box: automated decisions and the GDPR". Harvard Journal of Law & Technology 31(2). arXiv:1711.00399.
    .. [2] Ledoit, O. and Wolf, M. (2004). "A well-conditioned estimator for large-dimensional covariance matrices".
       Journal of Multivariate Analysis 88(2), 365-411. https://doi.org/10.1016/S0047-259X(03)00096-4

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.detectors import GaussianDetector
    >>> from skanomaly.inspection import counterfactual
    >>> normal = np.random.RandomState(0).normal(size=(300, 4))
    >>> detector = GaussianDetector(contamination=0.05).fit(normal)
    >>> found = counterfactual(detector, [[0.0, 0.0, 8.0, 0.0]], background=normal)
    >>> [name for name, _, _ in found.changes(0)]
    ['x2']
    """
    reader, rows, background_rows = read_tables(X, background)
    score, values = Scorer(detector, reader), _Values(background_rows, n_values)
    level = threshold_of(detector, X) if threshold is None else float(threshold)
    most = min(rows.shape[1], rows.shape[1] if max_features is None else max_features)
    changed = np.array([_make_normal(score, row, values, level, most) for row in rows])
    scores = score(changed)
    return Counterfactual(changed, changed != rows, scores >= level, scores, level, rows, score.names)


class _Values:
    """Values that are tried for a column."""

    def __init__(self, background: Floats, n_values: int) -> None:
        levels = (np.arange(n_values) + 0.5) / n_values
        self.grid: Floats = np.quantile(background, levels, axis=0)
        self.std = column_scale(background)
        self._location = background.mean(axis=0)
        covariance = shrunk_covariance((background - self._location) / self.std).covariance
        self._precision = np.linalg.pinv(covariance, hermitian=True)

    def for_row(self, row: Floats) -> Floats:
        """List the values to try, shape (n_values + 1, n_features): quantiles, and expected values given the others."""
        standardised = (row - self._location) / self.std
        diagonal = np.diag(self._precision)
        residual = np.divide(self._precision @ standardised, diagonal, out=standardised.copy(), where=diagonal > 0)
        return np.vstack([self.grid, row - residual * self.std])


def _make_normal(score: Scorer, row: Floats, values: _Values, level: float, most: int) -> Floats:
    """Change one row until it is normal; return the best row reached if that is not possible."""
    if score(row[None])[0] >= level:
        return row
    beam = [(row, frozenset[int]())]
    for _ in range(most):
        extended = _extend(score, beam, values)
        candidates = np.array([_retry(score, made, columns, values) for made, columns in extended])
        reached = score(candidates)
        enough = candidates[reached >= level]
        if len(enough):
            shortened = [_shorten(score, row, made, level) for made in enough]
            return min(shortened, key=lambda made: float(np.abs((made - row) / values.std).sum()))
        beam = [(made, columns) for made, (_, columns) in zip(candidates, extended, strict=True)]
    return beam[int(np.argmax(reached))][0]


def _extend(
    score: Scorer, beam: list[tuple[Floats, frozenset[int]]], values: _Values
) -> list[tuple[Floats, frozenset[int]]]:
    """Change one more column of each kept row; return the best row of each of the best sets of columns."""
    best: dict[frozenset[int], tuple[float, Floats]] = {}
    for row, columns in beam:
        tried = values.for_row(row)
        free = [column for column in range(len(row)) if column not in columns]
        copies = np.tile(row, (len(free), len(tried), 1))
        for place, column in enumerate(free):
            copies[place, :, column] = tried[:, column]
        scores = score(copies.reshape(-1, len(row))).reshape(copies.shape[:2])
        for place, column in enumerate(free):
            chosen = int(np.argmax(scores[place]))
            found = columns | {column}
            if found not in best or scores[place, chosen] > best[found][0]:
                best[found] = float(scores[place, chosen]), copies[place, chosen]
    kept = sorted(best, key=lambda found: -best[found][0])[:_BEAM]
    return [(best[found][1], found) for found in kept]


def _retry(score: Scorer, row: Floats, columns: frozenset[int], values: _Values) -> Floats:
    """Try the values of changed columns again, one column after the other."""
    if len(columns) == 1:
        return row
    for column in sorted(columns):
        copies = np.tile(row, (len(values.grid) + 2, 1))
        copies[1:, column] = values.for_row(row)[:, column]
        row = copies[int(np.argmax(score(copies)))]
    return row


def _shorten(score: Scorer, row: Floats, made: Floats, level: float) -> Floats:
    """Move a normal row back towards the original as far as it stays normal, by halving."""
    low, high, best = 0.0, 1.0, made
    for _ in range(_N_HALVINGS):
        middle = 0.5 * (low + high)
        closer = np.where(made == row, row, row + middle * (made - row))
        if score(closer[None])[0] >= level:
            high, best = middle, closer
        else:
            low = middle
    return best
