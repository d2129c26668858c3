"""Tables of numbers and categories: their two parts, neighbours, and new rows."""

from copy import copy
from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from skanomaly import _kernels
from skanomaly._support._blocks import map_blocks, row_blocks
from skanomaly._support._columns import CATEGORY, column_kinds, column_names, is_frame, listed, to_pandas
from skanomaly._support._labels import check_classification_targets
from skanomaly._support._neighbors import RowLookup, nearest_neighbors
from skanomaly._support._scales import SafeRange, varies
from skanomaly._support._tables import TableReader
from skanomaly._support._validation import check_any_rows, validate_data
from skanomaly.sampling._smote._engine import Segments, interpolated, search_of

__all__ = [
    "CodeDistance",
    "MixedTable",
    "check_columns",
    "find_categorical",
    "read_mixed",
    "value_differences",
    "voted",
]

_WIDEST = 512  # one-hot columns up to which a matrix product finds neighbours
_QUERY_ROWS = 256
_ORDINARY_EXPONENT = 40
_HUGE_EXPONENT = 400
_NAME_CATEGORIES = "A column that is not categorical must hold numbers; name the others in categorical_features."
_LARGEST_DIFFERENCE = 4.0  # square of the largest sum of differences between two distributions


def find_categorical(X: Any, given: Any) -> NDArray[np.intp]:
    """Positions of the categorical columns, found by what they hold or given by position, name or mask.

    Parameters
    ----------
    X : frame or array of shape (n_samples, n_features)
    given : "auto" or array-like

    Returns
    -------
    ndarray of shape (n_categorical,), intp, ascending

    Raises
    ------
    ValueError
        If a name, position or mask does not fit the table.
    """
    if isinstance(given, str):
        return np.flatnonzero(np.array(column_kinds(X)) == CATEGORY).astype(np.intp)
    names, n_columns, values = column_names(X) or [], np.shape(X)[1], np.asarray(given)
    if values.dtype == bool:
        if values.shape != (n_columns,):
            raise ValueError(f"categorical_features is a mask of {values.size} entries; X has {n_columns} columns.")
        return np.flatnonzero(values).astype(np.intp)
    if values.dtype.kind in "UO":
        unknown = [name for name in values.tolist() if name not in names]
        if unknown:
            raise ValueError(f"categorical_features names {unknown}, which X does not have; its columns are {names}.")
        return np.sort([names.index(name) for name in values.tolist()]).astype(np.intp)
    if values.size and not ((values >= -n_columns) & (values < n_columns)).all():
        raise ValueError(f"categorical_features holds {values.tolist()}; X has {n_columns} columns.")
    return np.unique(values.astype(np.intp) % n_columns)


class MixedTable:
    """A table of numbers and categories in two parts, and the reader of others like it.

    Parameters
    ----------
    X : frame or array of shape (n_samples, n_features)
    positions : sequence of int
        Categorical columns; all others must hold numbers.
    remedy : str
        What to do about text in another column.

    Attributes
    ----------
    positions : ndarray of shape (n_categorical,), intp
    numbers : ndarray of shape (n_samples, n_continuous), float64
    codes : ndarray of shape (n_samples, n_categorical), intp
        In order of appearance.
    categories : list of ndarray
        Those that the table holds, a missing value among them, in the order of their codes.
    n_codes : ndarray of shape (n_categorical,), intp

    Raises
    ------
    ValueError
        On two columns of one name, text, dates, infinity or missing values in a column of numbers, or values that
        are not hashable.
    """

    def __init__(self, X: Any, positions: Any, remedy: str = _NAME_CATEGORIES) -> None:
        self.positions = np.asarray(positions, dtype=np.intp)
        self._reader = TableReader(missing="category", categorical=self.positions).fit(X)
        self._require_numbers(X, remedy)
        table = self._reader.read(X)
        self._continuous = np.setdiff1d(np.arange(table.shape[1]), self.positions)
        frame = to_pandas(X)
        self._whole = [_whole_kind(frame.iloc[:, place]) for place in self._continuous]
        self.numbers = np.ascontiguousarray(table[:, self._continuous])
        self.codes = np.empty((len(table), self.positions.size), dtype=np.intp)
        self.categories, self._lookups = [], []
        for column, place in enumerate(self.positions):
            known: Any = self._reader.categories[place]
            self.codes[:, column], present = pd.factorize(table[:, place].astype(np.intp))
            self.categories.append(known.to_numpy(dtype=object)[present])
            lookup = np.full(len(known) + 1, present.size, dtype=np.intp)
            lookup[present] = np.arange(present.size)
            self._lookups.append(lookup)
        self.n_codes = np.array([len(known) for known in self.categories], dtype=np.intp)

    def _require_numbers(self, X: Any, remedy: str) -> None:
        others = np.setdiff1d(np.flatnonzero(np.array(self._reader.kinds) == CATEGORY), self.positions)
        if others.size:
            names = column_names(X) or range(np.shape(X)[1])
            raise ValueError(f"Not numbers: column {listed([names[place] for place in others])}. {remedy}")

    def read(self, X: Any) -> "tuple[NDArray[np.float64], NDArray[np.intp]]":
        """Read another table like the fitted one.

        Parameters
        ----------
        X : frame or array of shape (n_rows, n_features)

        Returns
        -------
        numbers : ndarray of shape (n_rows, n_continuous), float64
        codes : ndarray of shape (n_rows, n_categorical), intp
            A category that the fitted table does not hold is one above the others.
        """
        table = self._reader.read(X)
        codes = np.empty((len(table), self.positions.size), dtype=np.intp)
        for column, place in enumerate(self.positions):
            codes[:, column] = self._lookups[column][table[:, place].astype(np.intp)]
        return np.ascontiguousarray(table[:, self._continuous]), codes

    def without_rows(self) -> Self:
        """Return what reads other tables, without the rows of this one."""
        empty = copy(self)
        empty.numbers, empty.codes = self.numbers[:0], self.codes[:0]
        return empty

    def values(self, numbers: NDArray[np.float64], codes: NDArray[np.intp]) -> list[Any]:
        """Turn new rows to one array of values a column.

        Parameters
        ----------
        numbers : ndarray of shape (n_new, n_continuous)
        codes : ndarray of shape (n_new, n_categorical)

        Returns
        -------
        list of ndarray
            Numbers are rounded where the column holds integers or booleans.
        """
        columns: list[Any] = [None] * (self._continuous.size + self.positions.size)
        for place, whole, new in zip(self._continuous, self._whole, numbers.T, strict=True):
            columns[place] = new if whole is None else _rounded(new, whole)
        for place, known, new in zip(self.positions, self.categories, codes.T, strict=True):
            columns[place] = known[new]
        return columns


def _whole_kind(column: "pd.Series[Any]") -> str | None:
    """Say whether a column holds booleans, integers, or integers as objects; None for other numbers."""
    kind = column.dtype.kind
    if kind == "O":
        word = pd.api.types.infer_dtype(column, skipna=True)
        return {"integer": "object", "boolean": "boolean"}.get(word)
    return {"i": "integer", "u": "integer", "b": "boolean"}.get(kind)


def _rounded(numbers: NDArray[np.float64], kind: str) -> NDArray[Any]:
    whole = np.rint(numbers)
    if kind == "boolean":
        return whole.astype(np.bool_)
    return whole if kind == "integer" else np.array([int(number) for number in whole], dtype=object)


def read_mixed(
    estimator: Any, X: Any, y: Any, positions: Any, *, remedy: str = _NAME_CATEGORIES
) -> tuple[MixedTable, NDArray[Any]]:
    """Validate a mixed table and class labels.

    Parameters
    ----------
    estimator : estimator
        Its names and number of columns are set.
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
    positions : callable or array-like
        Categorical columns, or a function of the table that finds them.
    remedy : str
        What to do about text in another column.

    Returns
    -------
    table : MixedTable
    y : ndarray of shape (n_samples,)
    """
    table, targets = check_any_rows(estimator, X, y)
    check_classification_targets(targets)
    if sparse.issparse(table):
        raise TypeError(
            f"Sparse data was passed, but {type(estimator).__name__} needs dense rows. Give X.toarray(), or SMOTE."
        )
    check_columns(estimator, table, reset=True)
    table = table if hasattr(X, "shape") else X  # an array of a list may have turned numbers to text
    return MixedTable(table, positions(table) if callable(positions) else positions, remedy), targets


def check_columns(estimator: Any, X: Any, *, reset: bool) -> None:
    """Check the columns of a table against those of ``fit``, and that an array of numbers is finite.

    Parameters
    ----------
    estimator : estimator
    X : array-like of shape (n_samples, n_features)
    reset : bool
        Whether this is ``fit``.
    """
    numeric = not is_frame(X) and np.asarray(X).dtype.kind in "biuf"
    validate_data(estimator, X, reset=reset, skip_check_array=not numeric)


def value_differences(codes: NDArray[np.intp], n_codes: NDArray[np.intp], y: NDArray[Any]) -> list[NDArray[np.float64]]:
    """Squared value difference of the categories of each column.

    Parameters
    ----------
    codes : ndarray of shape (n_samples, n_categorical), intp
    n_codes : ndarray of shape (n_categorical,), intp
    y : ndarray of shape (n_samples,)

    Returns
    -------
    list of ndarray of shape (n_categories, n_categories)
    """
    classes, labels = np.unique(y, return_inverse=True)
    tables = []
    for column, side in enumerate(n_codes):
        counts = np.zeros((int(side), len(classes)))
        np.add.at(counts, (codes[:, column], labels), 1.0)
        parts = counts / counts.sum(axis=1, keepdims=True)
        tables.append(np.abs(parts[:, None, :] - parts[None, :, :]).sum(axis=2) ** 2)
    return tables


class CodeDistance:
    """Exact neighbours among the rows of one class, by numbers and codes.

    Built by :meth:`of_mismatches` or :meth:`of_tables`.
    """

    _exponent: int = 0  # of the power of two that the numbers less the origin were divided by
    _origin: Any = 0.0

    def __init__(
        self, numbers: NDArray[np.float64], codes: NDArray[np.intp], sides: NDArray[np.intp], n_jobs: int | None
    ) -> None:
        self._numbers, self._codes, self._sides, self._n_jobs = numbers, codes, sides, n_jobs
        self._mismatch: float | None = None
        self._tables = np.empty(0)

    @classmethod
    def of_mismatches(cls, table: MixedTable, rows: NDArray[np.intp], mismatch: float, n_jobs: int | None) -> Self:
        """Every differing category costs the square of `mismatch`."""
        exponent = int(np.frexp(mismatch)[1])
        exponent = exponent if abs(exponent) > _ORDINARY_EXPONENT else 0  # squares of such numbers vanish or overflow
        numbers = table.numbers[rows]
        origin = np.where(varies(numbers), 0.0, numbers[0])  # a column of one value has no part in distances
        largest = int(np.frexp(np.abs(numbers - origin).max(initial=0.0))[1])
        exponent = largest if largest - exponent > _HUGE_EXPONENT else exponent
        mismatch = float(np.ldexp(mismatch, -exponent))
        search = cls(numbers, table.codes[rows], table.n_codes + 1, n_jobs)
        search._mismatch, search._exponent, search._origin = mismatch, exponent, origin
        search._numbers = search._scaled(numbers)
        if search._sides.sum() > _WIDEST:
            search._tables = np.concatenate([(mismatch**2 * (1 - np.eye(side))).ravel() for side in search._sides])
        return search

    @classmethod
    def of_tables(
        cls, table: MixedTable, rows: NDArray[np.intp], tables: list[NDArray[np.float64]], n_jobs: int | None
    ) -> Self:
        """Tables say what a pair of categories costs; one not seen costs the most."""
        search = cls(table.numbers[rows], table.codes[rows], table.n_codes + 1, n_jobs)
        padded = [np.pad(part, (0, 1), constant_values=_LARGEST_DIFFERENCE).ravel() for part in tables]
        search._tables = np.concatenate(padded)
        return search

    def find_own(self, n_neighbors: int, given: Any = 1) -> NDArray[np.intp]:
        """Neighbours of each row, itself left out by index; 0 neighbours gives the row itself.

        `given` is the user's parameter; an object finds neighbours among numbers beside one-hot columns, or, where
        tables say what a pair of categories costs, by the distances between all rows.
        """
        if not isinstance(given, Integral):
            wide = self._pairwise() if self._mismatch is None else self._wide(self._numbers, self._codes)
            return search_of(given)(wide, np.arange(len(wide)), n_neighbors, self._n_jobs)
        if n_neighbors == 0:
            return np.arange(len(self._codes))[:, None]
        return self._find(self._numbers, self._codes, np.arange(len(self._codes)), n_neighbors)[1]

    def _scaled(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return numbers in the units of the search, in which squares are finite."""
        if not self._exponent:
            return numbers
        with np.errstate(over="ignore"):
            return np.asarray(np.ldexp(numbers - self._origin, -self._exponent))

    def relative_nearness(
        self, numbers: NDArray[np.float64], codes: NDArray[np.intp], n_neighbors: int
    ) -> NDArray[np.float64]:
        """Minus the mean distance to the nearest rows, divided by those rows' own mean distance to theirs."""
        n_near = min(n_neighbors, len(self._codes) - 1)
        numbers = SafeRange(self._numbers, rescale="none").apply(self._scaled(numbers))
        own = RowLookup(np.column_stack([self._numbers, self._codes])).find(np.column_stack([numbers, codes]))
        if n_near < 1:
            return np.where(own >= 0, 0.0, -np.inf)
        spacings = self._find(self._numbers, self._codes, np.arange(len(self._codes)), n_near)[0].mean(axis=1)
        distances, found = self._find(numbers, codes, own, n_near)
        floor = np.finfo(np.float64).eps * (np.abs(self._numbers).max(initial=0.0) + 1.0)
        return -(distances.mean(axis=1) + floor) / (spacings[found].mean(axis=1) + floor)

    def _find(
        self, numbers: NDArray[np.float64], codes: NDArray[np.intp], excluded: NDArray[np.intp], n_neighbors: int
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        if self._mismatch is not None and self._tables.size == 0:
            table, queries = self._wide(self._numbers, self._codes), self._wide(numbers, codes)
            return nearest_neighbors(table, queries, n_neighbors=n_neighbors, exclude=excluded, n_jobs=self._n_jobs)
        distances = np.full((len(codes), n_neighbors), np.inf)
        indices = np.zeros((len(codes), n_neighbors), dtype=np.intp)
        starts = np.concatenate([[0], np.cumsum(self._sides**2)[:-1]]).astype(np.intp)

        def scan(part: slice) -> None:
            _kernels.interpolation.tabled_neighbors(
                self._numbers,
                self._codes,
                numbers[part],
                codes[part],
                excluded[part],
                self._tables,
                starts,
                self._sides,
                distances[part],
                indices[part],
            )

        map_blocks(scan, row_blocks(len(codes), _QUERY_ROWS), n_jobs=self._n_jobs)
        return np.sqrt(distances), indices

    def _pairwise(self) -> NDArray[np.float64]:
        """Distances between all rows, by the tables of their codes alone."""
        squares, start = np.zeros((len(self._codes), len(self._codes))), 0
        for side, codes in zip(self._sides, self._codes.T, strict=True):
            table = self._tables[start : start + side**2].reshape(side, side)
            squares += table[codes[:, None], codes]
            start += side**2
        return np.sqrt(squares)

    def _wide(self, numbers: NDArray[np.float64], codes: NDArray[np.intp]) -> NDArray[np.float64]:
        """Numbers beside one-hot codes, so scaled that Euclidean distance is the mixed one."""
        wide = np.zeros((len(numbers), numbers.shape[1] + int(self._sides.sum())))
        wide[:, : numbers.shape[1]] = numbers
        starts = numbers.shape[1] + np.concatenate([[0], np.cumsum(self._sides)[:-1]]).astype(np.intp)
        rows = np.arange(len(numbers))
        for column, start in enumerate(starts[: codes.shape[1]]):
            wide[rows, start + codes[:, column]] = float(self._mismatch or 0.0) / np.sqrt(2.0)
        return wide


def voted(X: MixedTable, parts: list[Segments], random: np.random.Generator) -> list[Any]:
    """Make the rows of all segments: numbers between the parents, categories by vote.

    Parameters
    ----------
    X : MixedTable
    parts : list of Segments
        With voters.
    random : numpy.random.Generator
        Draws among categories that are equally frequent.

    Returns
    -------
    list of ndarray
        As :meth:`MixedTable.values` gives.
    """
    codes = []
    for part in parts:
        chosen = np.empty((part.steps.size, X.codes.shape[1]), dtype=np.intp)
        if X.codes.shape[1]:
            draws = random.random(chosen.shape)
            _kernels.interpolation.modal_codes(X.codes, part.voters, draws, X.n_codes, chosen)
        codes.append(chosen)
    return X.values(interpolated(X.numbers, parts), np.concatenate(codes))
