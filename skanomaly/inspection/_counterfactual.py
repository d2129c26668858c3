"""What would make a row normal: the fewest columns, and how far they would have to move."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._covariance import shrunk_covariance
from skanomaly._support._responses import threshold_of
from skanomaly._support._results import ShortRepr
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.inspection._scores import Scorer, numeric_rows

__all__ = ["Counterfactual", "counterfactual"]

Floats = NDArray[np.float64]
_BEAM = 5
_N_HALVINGS = 30


@dataclass(frozen=True, repr=False)
class Counterfactual(ShortRepr):
    """What :func:`counterfactual` found.

    Attributes
    ----------
    rows : ndarray of shape (n_samples, n_features)
        The rows as they would have to be; where none was found, as far as the search came.
    changed : ndarray of shape (n_samples, n_features), bool
        Cells that differ.
    found : ndarray of shape (n_samples,), bool
        Whether the changed row is normal.
    scores : ndarray of shape (n_samples,)
        ``score_samples`` of the changed rows.
    threshold : float
        Rows that score at least that are normal.
    originals : ndarray of shape (n_samples, n_features)
        The rows as they are.
    feature_names : list of str
        One a column.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.inspection import counterfactual
    >>> normal = np.random.RandomState(0).normal(size=(200, 2))
    >>> found = counterfactual(lambda X: -np.abs(X).max(axis=1), [[0.5, 9.0]], background=normal, threshold=-2.0)
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
        """List the columns of a row that change.

        Parameters
        ----------
        row : int

        Returns
        -------
        list of (str, float, float)
            Name, value as it is, value that it would need.
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
    r"""Search for the fewest columns whose change makes each row normal, then for the least change of them.

    Parameters
    ----------
    detector : estimator or callable
        Fitted, with ``score_samples``; or a function from rows to scores, of which small is odd.
    X : array-like of shape (n_samples, n_features)
        Rows to make normal, finite numbers; those that are stay as they are.
    background : array-like of shape (n_background, n_features)
        Normal rows; the values that a column may take come from them.
    threshold : float or None, default=None
        Rows that score at least that are normal. None is the detector's own: where ``decision_function`` is 0.
    max_features : int or None, default=None
        Most columns changed; None sets no limit.
    n_values : int, default=16
        Values tried for a column: so many quantiles among the background rows, and the value that the other columns
        lead to expect.

    Returns
    -------
    Counterfactual

    See Also
    --------
    feature_contributions : How much each column weighs as it is.

    Notes
    -----
    A counterfactual as in [1]_: the nearest row that is decided otherwise; here fewest columns come before distance.
    One column is searched exhaustively over the values tried. Beyond, the five best sets of columns are kept and each
    is extended by every further column, with the values of columns changed before tried anew: a beam search, so that a
    smaller set may be missed. Of the sets that suffice, the change is then shortened along the line back to the row,
    and the shortest is taken, in units of the background's standard deviations. The expected value is that of a
    Gaussian with a covariance shrunk by Ledoit and Wolf's rule [2]_.

    It is an answer about the detector, not about the world: nothing says that the cause of an anomaly lies in these
    columns, or that changing them would do anything.

    Cost: about 5 (`n_values` + 1) n_features scores for each column changed.

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
    score, rows = Scorer(detector, X), numeric_rows(X)
    values = _Values(numeric_rows(background, "background"), n_values)
    if values.grid.shape[1] != rows.shape[1]:
        raise ValueError(f"background has {values.grid.shape[1]} columns and X has {rows.shape[1]}; they must agree.")
    level = threshold_of(detector, X) if threshold is None else float(threshold)
    most = min(rows.shape[1], rows.shape[1] if max_features is None else max_features)
    made = np.array([_make_normal(score, row, values, level, most) for row in rows])
    scores = score(made)
    return Counterfactual(made, made != rows, scores >= level, scores, level, rows, score.names)


class _Values:
    """Values that a column may take."""

    def __init__(self, background: Floats, n_values: int) -> None:
        shares = (np.arange(n_values) + 0.5) / n_values
        self.grid: Floats = np.quantile(background, shares, axis=0)
        self.spread = np.where(background.std(axis=0) > 0, background.std(axis=0), 1.0)
        self._location = background.mean(axis=0)
        covariance = shrunk_covariance((background - self._location) / self.spread).covariance
        self._precision = np.linalg.pinv(covariance, hermitian=True)

    def for_row(self, row: Floats) -> Floats:
        """List the values to try, shape (n_values + 1, n_features): quantiles, and what the other columns expect."""
        coded = (row - self._location) / self.spread
        diagonal = np.diag(self._precision)
        gap = np.divide(self._precision @ coded, diagonal, out=coded.copy(), where=diagonal > 0)
        return np.vstack([self.grid, row - gap * self.spread])


def _make_normal(score: Scorer, row: Floats, values: _Values, level: float, most: int) -> Floats:
    """Change one row until it is normal; the best that was reached if it cannot be."""
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
            return min(shortened, key=lambda made: float(np.abs((made - row) / values.spread).sum()))
        beam = [(made, columns) for made, (_, columns) in zip(candidates, extended, strict=True)]
    return beam[int(np.argmax(reached))][0]


def _extend(
    score: Scorer, beam: list[tuple[Floats, frozenset[int]]], values: _Values
) -> list[tuple[Floats, frozenset[int]]]:
    """Change one further column of each kept row; return the best row of each of the best sets of columns."""
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
    """Try the values of changed columns anew, one column after the other."""
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
