"""The columns that contribute most to the score of a row, with their values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._rows import take_rows
from skanomaly._support._scales import usable_scale

if TYPE_CHECKING:
    from skanomaly._cli._prepare import Prepared
    from skanomaly._cli._read import Table
    from skanomaly._cli._series import SeriesScores

__all__ = ["Counts", "Reason", "find_reasons"]

_MOST_REASONS = 3
# Most rows that are scored to explain the rows shown, if the detector has no contributions of its own.
_MOST_PERMUTED_ROWS = 80_000
_FEWEST_BACKGROUND = 4
_MOST_BACKGROUND = 32
# A further column is named if its contribution is at least this fraction of the largest.
_LEAST_FRACTION_OF_LARGEST = 0.3
_RARE = 0.01  # a category is called rare up to this fraction of the rows
_LONGEST_VALUE = 32


@dataclass(frozen=True)
class Reason:
    """A column that contributes to the score of a row, with its value.

    Attributes
    ----------
    column : str
    value : float, str or None
        A number, a category, or None for a missing value.
    above : bool or None
        Whether a number is above the median of its column, or above what was expected of it; None for a category and a
        missing value.
    fraction : float
        Its contribution divided by the sum of the positive contributions, in (0, 1].
    n_equal : int or None
        Rows with this category, or without a value; None for a number.
    n_rows : int
        Rows of the table.
    expected : float or None
        What was expected of a number at this time point; None if the rows are no series.
    """

    column: str
    value: float | str | None
    above: bool | None
    fraction: float
    n_equal: int | None = None
    n_rows: int = 0
    expected: float | None = None

    @property
    def words(self) -> str:
        """What follows the name of the column for a category or a missing value: how many rows have it."""
        n_equal = self.n_equal or 0
        rows = f"{n_equal:,} of {self.n_rows:,} rows"
        if self.value is None:
            return f" missing, {rows}"
        text = str(self.value)
        text = text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}..."
        return f" = {text!r}, {'rare: ' if n_equal <= _RARE * self.n_rows else ''}{rows}"


class Counts(NamedTuple):
    """What is said of all rows: their number, medians, and ``n_equal(place, value, missing=...)``."""

    n_rows: int
    medians: NDArray[np.float64]
    n_equal: Callable[..., int]


def find_reasons(
    model: Any,
    prepared: "Prepared",
    table: "Table",
    rows: NDArray[np.int64],
    scores: NDArray[np.float64],
    random_state: int | None,
    series: "SeriesScores | None" = None,
    counts: "Counts | None" = None,
) -> tuple[list[list[Reason]], str]:
    """Return the columns that contribute most to the score of each row, by decreasing contribution.

    Parameters
    ----------
    model : detector
        Fitted to the table that was prepared.
    prepared : Prepared
    table : Table
        As read.
    rows : ndarray of int
        The rows to explain.
    scores : ndarray of shape (n_rows,)
    random_state : int or None
    series : SeriesScores, default=None
        If the rows are a series: its scores, for the same rows.
    counts : Counts, default=None
        What is said of all rows, where `prepared` holds only some of them.

    Returns
    -------
    reasons : list of list of Reason
        At most three for each row.
    origin : str
        How they were found.
    """
    if series is not None:
        weights, origin = _series_weights(model, prepared, rows, series)
        values = _Values(prepared, table, counts, series.expected)
    else:
        weights, origin = _weights(model, prepared, rows, scores, random_state)
        values = _Values(prepared, table, counts)
    found = []
    for row, weight in zip(rows, weights, strict=True):
        largest = np.argsort(-weight, kind="stable")[:_MOST_REASONS]
        total = weight[weight > 0].sum()
        found.append(
            [
                values.reason(int(row), int(index), float(weight[index] / total))
                for index in largest
                if weight[index] > 0 and weight[index] >= _LEAST_FRACTION_OF_LARGEST * weight[largest[0]]
            ]
        )
    return found, origin


class _Values:
    """Looks up the values of rows."""

    def __init__(
        self,
        prepared: "Prepared",
        table: "Table",
        counts: "Counts | None",
        expected: NDArray[np.float64] | None = None,
    ) -> None:
        self._prepared, self._frame, self._expected = prepared, table.frame, expected
        self._positions = {str(name): index for index, name in enumerate(table.frame.columns)}
        self._counts = counts or Counts(len(prepared.filled), np.median(prepared.filled, axis=0), self._n_equal)

    def _n_equal(self, place: int, value: float, *, missing: bool) -> int:
        absent = self._prepared.missing[:, place]
        equal = absent if missing else (self._prepared.filled[:, place] == value) & ~absent
        return int(np.count_nonzero(equal))

    def reason(self, row: int, place: int, fraction: float) -> Reason:
        """Return a column of a row as a reason."""
        prepared = self._prepared
        name, levels = prepared.names[place], prepared.levels[place]
        value, n_rows = float(prepared.filled[row, place]), self._counts.n_rows
        if prepared.keeps_missing and prepared.missing[row, place]:
            return Reason(name, None, None, fraction, self._counts.n_equal(place, value, missing=True), n_rows)
        if levels is not None:
            n_equal = self._counts.n_equal(place, value, missing=False)
            return Reason(name, levels[int(value)], None, fraction, n_equal, n_rows)
        expected = None if self._expected is None else self._in_units(self._expected[row, place], place)
        above = bool(value > (self._counts.medians[place] if expected is None else expected))
        return Reason(name, self._shown(row, self._positions[name], value), above, fraction, None, n_rows, expected)

    def _in_units(self, scaled: float, place: int) -> float:
        """Return a standardised value in the units of the column."""
        column, filled = self._prepared.scaled[:, place], self._prepared.filled[:, place]
        low, high = int(column.argmin()), int(column.argmax())
        if not column[high] > column[low]:
            return float(filled[low])
        fraction = (scaled - column[low]) / (column[high] - column[low])
        return float((1.0 - fraction) * filled[low] + fraction * filled[high])  # no difference that overflows

    def _shown(self, row: int, position: int, value: float) -> float:
        """Return the prepared value, or the infinity in the file that it replaced."""
        cell: Any = self._frame.iat[row, position]
        try:
            original = float(cell)
        except (TypeError, ValueError):
            return float(value)
        return original if np.isinf(original) else float(value)


def _series_weights(
    model: Any, prepared: "Prepared", rows: NDArray[np.int64], series: "SeriesScores"
) -> tuple[NDArray[np.float64], str]:
    """Return the contribution of each column to the scores of some time points, and a description of the method."""
    name = type(model).__name__
    if series.contributions is not None:
        origin = f"their contribution to the score ({name}.feature_contributions) minus its median"
        return series.contributions[rows], origin
    origin = "the distance of their value at that time point from the median (robust z-score), not by the detector"
    return _robust_z_scores(prepared.scaled, rows), origin


def _weights(
    model: Any,
    prepared: "Prepared",
    rows: NDArray[np.int64],
    scores: NDArray[np.float64],
    random_state: int | None,
) -> tuple[NDArray[np.float64], str]:
    """Return the contribution of each column to the scores of some rows, and a description of the method.

    Large contributions make a row more anomalous. The contributions of the detector itself are used if it has them,
    otherwise those of permutations, or robust z-scores if permutations would take too long.
    """
    from skanomaly.inspection import PermutationExplainer, feature_contributions

    name, scaled, given = type(model).__name__, prepared.scaled, prepared.given
    shown = take_rows(given, rows)
    if hasattr(model, "feature_contributions"):
        origin = f"their contribution to the score ({name}.feature_contributions)"
        return -feature_contributions(model, shown), origin
    n_background = min(_MOST_PERMUTED_ROWS // max(1, 2 * (scaled.shape[1] - 1) * len(rows)), _MOST_BACKGROUND)
    if n_background < _FEWEST_BACKGROUND:
        origin = "the distance of their value from the median (robust z-score), not by the detector"
        return _robust_z_scores(scaled, rows), origin
    background = take_rows(given, np.flatnonzero(scores >= np.median(scores)))
    explainer = PermutationExplainer(background=background, n_background=n_background, random_state=random_state)
    origin = f"their effect on the score of {name}, compared with typical rows (PermutationExplainer)"
    return -feature_contributions(model, shown, method=explainer), origin


def _robust_z_scores(scaled: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the distance of each value from the median of its column, divided by 1.4826 times the MAD.

    If the MAD is 0, the standard deviation, which is 1 here, is used.
    """
    median = np.median(scaled, axis=0)
    mad = 1.4826 * np.median(np.abs(scaled - median), axis=0)
    return np.abs(scaled[rows] - median) / usable_scale(mad, np.maximum(np.abs(median), 1.0))
