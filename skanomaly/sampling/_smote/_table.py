"""Tables of numbers and categories: read, searched, and put together again."""

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from skanomaly import _kernels
from skanomaly._support._blocks import map_blocks, row_blocks
from skanomaly._support._neighbors import RowLookup, nearest_neighbors
from skanomaly._support._validation import validate_data

__all__ = [
    "CodeDistance",
    "MixedTable",
    "Votes",
    "check_mixed",
    "find_categorical",
    "resample_mixed",
    "value_differences",
]

_WIDEST = 512  # one-hot columns up to which a matrix product finds neighbours
_QUERY_ROWS = 256
_NAME_CATEGORIES = "A column that is not categorical must hold numbers; name the others in categorical_features."
_LARGEST_DIFFERENCE = 4.0  # square of the largest sum of differences between two distributions


def find_categorical(X: Any, given: Any) -> NDArray[np.intp]:
    """Positions of the categorical columns, found by type or given by position, name or mask.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    given : "auto" or array-like

    Returns
    -------
    ndarray of shape (n_categorical,), intp, ascending

    Raises
    ------
    ValueError
        If a name, position or mask does not fit the table.
    """
    names = list(getattr(X, "columns", ()))
    n_columns = len(names) or (np.shape(X)[1] if np.ndim(X) == 2 else 0)
    if isinstance(given, str):
        if not names:
            return np.empty(0, dtype=np.intp)
        return np.flatnonzero([_is_category(X[name].dtype) for name in names]).astype(np.intp)
    values = np.asarray(given)
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
    return np.unique(values.astype(np.intp) % max(n_columns, 1))


def _is_category(dtype: Any) -> bool:
    if type(dtype).__module__.startswith("polars"):
        return str(dtype).partition("(")[0] in {"String", "Categorical", "Enum", "Boolean"}
    return isinstance(dtype, pd.CategoricalDtype | pd.StringDtype) or dtype.kind in "OUSb"


def _columns(X: Any) -> list[Any]:
    if hasattr(X, "columns"):
        return [X[name] for name in X.columns]
    return list(np.asarray(X).T)


@dataclass
class Coder:
    """Turns tables like the training one into numbers and codes.

    Attributes
    ----------
    positions : ndarray of shape (n_categorical,), intp
        Categorical columns.
    categories : list of ndarray
        Categories of each, in the order of their codes.
    """

    positions: NDArray[np.intp]
    categories: list[NDArray[Any]]

    def encode(self, estimator: Any, X: Any) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return numbers, and codes in which a category not seen is one above the others.

        Parameters
        ----------
        estimator : estimator
            Its names and number of columns are held against `X`.
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        numbers : ndarray of shape (n_samples, n_continuous)
        codes : ndarray of shape (n_samples, n_categorical), intp
        """
        X = _as_table(X)
        validate_data(estimator, X, reset=False, skip_check_array=True)
        columns = _columns(X)
        codes = np.empty((len(X), self.positions.size), dtype=np.intp)
        for place, (position, known) in enumerate(zip(self.positions, self.categories, strict=True)):
            found = pd.Index(known).get_indexer(pd.Index(np.asarray(columns[position])))
            codes[:, place] = np.where(found < 0, len(known), found)
        return _numbers(X, self.positions, _NAME_CATEGORIES), codes


@dataclass
class MixedTable:
    """A table taken apart.

    Attributes
    ----------
    source : frame or ndarray
        As given.
    positions : ndarray of shape (n_categorical,), intp
    numbers : ndarray of shape (n_samples, n_continuous), float64
    codes : ndarray of shape (n_samples, n_categorical), intp
    categories : list of Index
    """

    source: Any
    positions: NDArray[np.intp]
    numbers: NDArray[np.float64]
    codes: NDArray[np.intp]
    categories: list[Any]
    n_codes: NDArray[np.intp] = field(init=False)

    def __post_init__(self) -> None:
        self.n_codes = np.array([len(known) for known in self.categories], dtype=np.intp)

    def coder(self) -> Coder:
        """Return what is needed to read other tables."""
        return Coder(self.positions, [known.to_numpy() for known in self.categories])

    def extended(self, numbers: NDArray[np.float64], codes: NDArray[np.intp]) -> Any:
        """Put new rows below the given ones, in the given kind of table.

        Parameters
        ----------
        numbers : ndarray of shape (n_new, n_continuous)
        codes : ndarray of shape (n_new, n_categorical)

        Returns
        -------
        frame or ndarray
            With the dtypes of the given one: new numbers are rounded in a column of integers.
        """
        continuous = np.setdiff1d(np.arange(self.positions.size + numbers.shape[1]), self.positions)
        new: dict[int, Any] = {int(position): numbers[:, place] for place, position in enumerate(continuous)}
        for place, (position, known) in enumerate(zip(self.positions, self.categories, strict=True)):
            new[int(position)] = known.take(codes[:, place])
        if isinstance(self.source, pd.DataFrame):
            return self._pandas(new, len(numbers))
        if hasattr(self.source, "columns"):
            return self._polars(new)
        out = np.empty((len(self.source) + len(numbers), self.source.shape[1]), dtype=self.source.dtype)
        out[: len(self.source)] = self.source
        for position, values in new.items():
            rounded = out.dtype.kind in "iub" and position not in self.positions
            out[len(self.source) :, position] = np.rint(values) if rounded else values
        return out

    def _pandas(self, new: dict[int, Any], n_new: int) -> Any:
        if n_new == 0:
            return self.source.reset_index(drop=True)
        columns = []
        for position in range(self.source.shape[1]):
            before, values = self.source.iloc[:, position], new[position]
            kinds = pd.api.types
            if position not in self.positions and (kinds.is_integer_dtype(before) or kinds.is_bool_dtype(before)):
                values = np.rint(values)
            after = pd.Series(values).astype(before.dtype)
            columns.append(pd.concat([before, after], ignore_index=True).rename(before.name))
        frame = pd.concat(columns, axis=1)
        frame.columns = self.source.columns
        return frame

    def _polars(self, new: dict[int, Any]) -> Any:
        columns = []
        for position, name in enumerate(self.source.columns):
            before, values = self.source[name], new[position]
            if position in self.positions:
                after = type(before)(name, [None if pd.isna(value) else value for value in values])
            else:
                whole = before.dtype.is_integer() or str(before.dtype) == "Boolean"
                after = type(before)(name, np.rint(values) if whole else values)
            columns.append(after.cast(before.dtype))
        return self.source.vstack(type(self.source)(columns))


def _as_table(X: Any) -> Any:
    if hasattr(X, "columns"):
        return X
    array = np.asarray(X)
    kind = None if array.dtype.kind in "OUS" else "numeric"
    return check_array(X, dtype=kind, ensure_all_finite=array.dtype.kind not in "OUS")


def _numbers(X: Any, positions: NDArray[np.intp], remedy: str) -> NDArray[np.float64]:
    """Columns outside `positions` as numbers; errors name the column."""
    columns, names = _columns(X), list(getattr(X, "columns", ()))
    kept = np.setdiff1d(np.arange(len(columns)), positions)
    table = np.empty((len(X), kept.size))
    for place, position in enumerate(kept):
        shown = repr(names[position]) if names else str(position)
        try:
            table[:, place] = _as_float(columns[position])
        except ValueError as error:
            raise ValueError(f"{error}. Not numbers: column {shown}. {remedy}") from error
        for word, wrong in (("NaN", np.isnan(table[:, place])), ("infinity", np.isinf(table[:, place]))):
            if wrong.any():
                raise ValueError(
                    f"Input X contains {word}: column {shown}, in {np.count_nonzero(wrong)} rows. Impute such cells "
                    "(sklearn.impute, skanomaly.impute), drop those rows, or drop the column."
                )
    return table


def _as_float(column: Any) -> NDArray[np.float64]:
    if isinstance(column, pd.Series):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(column, dtype=np.float64)


def check_mixed(
    estimator: Any, X: Any, y: Any, positions: NDArray[np.intp] | None, *, remedy: str = _NAME_CATEGORIES
) -> tuple[MixedTable, NDArray[Any]]:
    """Validate a mixed table and class labels.

    Parameters
    ----------
    estimator : estimator
        Its names and number of columns are set.
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
    positions : ndarray of intp or None
        Categorical columns; None takes all.
    remedy : str
        What to do about text in another column.

    Returns
    -------
    table : MixedTable
        A missing category is a category; a missing number raises.
    y : ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
    """
    table = _as_table(X)
    validate_data(estimator, table, reset=True, skip_check_array=True)
    if y is None:
        raise ValueError(f"{type(estimator).__name__} requires y to be passed, but the target y is None.")
    targets = column_or_1d(y, warn=True)
    lacking = np.count_nonzero(pd.isna(targets))
    if lacking:
        raise ValueError(f"Input y contains NaN, in {lacking} rows. Drop those rows.")
    check_consistent_length(table, targets)
    check_classification_targets(targets)
    if len(table) == 0:
        raise ValueError("X has no row; a minimum of 1 is required.")
    columns = _columns(table)
    where = np.arange(len(columns), dtype=np.intp) if positions is None else positions
    codes, categories = np.empty((len(table), where.size), dtype=np.intp), []
    for place, position in enumerate(where):
        try:
            codes[:, place], known = pd.factorize(np.asarray(columns[position]), use_na_sentinel=False)
        except TypeError as error:
            raise TypeError(f"A category: the argument must be a string or a number. {error}") from error
        categories.append(pd.Index(known))
    return MixedTable(table, where, _numbers(table, where, remedy), codes, categories), targets


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
        shares = counts / counts.sum(axis=1, keepdims=True)
        tables.append(np.abs(shares[:, None, :] - shares[None, :, :]).sum(axis=2) ** 2)
    return tables


class CodeDistance:
    """Exact neighbours among the rows of one class, by numbers and codes.

    Built by :meth:`of_mismatches` or :meth:`of_tables`.
    """

    def __init__(
        self, numbers: NDArray[np.float64], codes: NDArray[np.intp], sides: NDArray[np.intp], n_jobs: int | None
    ) -> None:
        self._numbers, self._codes, self._sides, self._n_jobs = numbers, codes, sides, n_jobs
        self._mismatch: float | None = None
        self._tables = np.empty(0)

    @classmethod
    def of_mismatches(cls, table: MixedTable, rows: NDArray[np.intp], mismatch: float, n_jobs: int | None) -> Self:
        """Every differing category costs the square of `mismatch`."""
        search = cls(table.numbers[rows], table.codes[rows], table.n_codes + 1, n_jobs)
        search._mismatch = mismatch
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

    def find_own(self, n_neighbors: int) -> NDArray[np.intp]:
        """Neighbours of each row, itself left out by index; 0 neighbours gives the row itself."""
        if n_neighbors == 0:
            return np.arange(len(self._codes))[:, None]
        return self._find(self._numbers, self._codes, np.arange(len(self._codes)), n_neighbors)[1]

    def relative_nearness(
        self, numbers: NDArray[np.float64], codes: NDArray[np.intp], n_neighbors: int
    ) -> NDArray[np.float64]:
        """Minus the mean distance to the nearest rows over those rows' own spacing."""
        n_near = min(n_neighbors, len(self._codes) - 1)
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

    def _wide(self, numbers: NDArray[np.float64], codes: NDArray[np.intp]) -> NDArray[np.float64]:
        """Numbers beside one-hot codes, so scaled that Euclidean distance is the mixed one."""
        wide = np.zeros((len(numbers), numbers.shape[1] + int(self._sides.sum())))
        wide[:, : numbers.shape[1]] = numbers
        starts = numbers.shape[1] + np.concatenate([[0], np.cumsum(self._sides)[:-1]]).astype(np.intp)
        rows = np.arange(len(numbers))
        for column, start in enumerate(starts[: codes.shape[1]]):
            wide[rows, start + codes[:, column]] = float(self._mismatch or 0.0) / np.sqrt(2.0)
        return wide


@dataclass
class Votes:
    """Synthetic rows of one class of a mixed table.

    Attributes
    ----------
    target : object
    first, second : ndarray of shape (n_new,), intp
        Ends of the segment of the continuous columns.
    steps : ndarray of shape (n_new,)
    voters : ndarray of shape (n_new, k), intp
        Rows whose commonest category is taken.
    """

    target: Any
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    steps: NDArray[np.float64]
    voters: NDArray[np.intp]


def resample_mixed(
    X: MixedTable, y: NDArray[Any], parts: list[Votes], random: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.float64], tuple[Any, NDArray[Any], NDArray[np.intp]]]:
    """Make the synthetic rows and put them below the training rows.

    Parameters
    ----------
    X : MixedTable
    y : ndarray of shape (n_samples,)
    parts : list of Votes
    random : numpy.random.Generator
        Settles ties between categories.

    Returns
    -------
    parents : ndarray of shape (n_new, 2), intp
    steps : ndarray of shape (n_new,)
    resampled : tuple
        Rows, targets and sample indices, as `BaseSampler` wants them.
    """
    n_new = sum(part.steps.size for part in parts)
    numbers = np.empty((n_new, X.numbers.shape[1]))
    codes = np.empty((n_new, X.codes.shape[1]), dtype=np.intp)
    start = 0
    for part in parts:
        stop = start + part.steps.size
        _kernels.interpolation.interpolate_rows(X.numbers, part.first, part.second, part.steps, numbers[start:stop])
        if X.codes.shape[1]:
            draws = random.random((part.steps.size, X.codes.shape[1]))
            _kernels.interpolation.modal_codes(X.codes, part.voters, draws, X.n_codes, codes[start:stop])
        start = stop
    parents = np.concatenate(
        [np.empty((0, 2), dtype=np.intp), *(np.column_stack([part.first, part.second]) for part in parts)]
    )
    steps = np.concatenate([np.empty(0), *(part.steps for part in parts)])
    targets = np.concatenate([y, *(np.full(part.steps.size, part.target, dtype=y.dtype) for part in parts)])
    indices = np.concatenate([np.arange(len(y)), np.full(n_new, -1)]).astype(np.intp)
    return parents, steps, (X.extended(numbers, codes), targets, indices)
