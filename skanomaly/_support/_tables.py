"""Reading mixed tables: one rule for the kind of a column, one reader that turns a table into numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from numbers import Complex, Number
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

__all__ = [
    "CATEGORY",
    "DATE",
    "NUMBER",
    "TableReader",
    "category_remedy",
    "column_kind",
    "column_kinds",
    "column_names",
    "column_numbers",
    "count_missing",
    "frame_library",
    "is_date_dtype",
    "is_frame",
    "listed",
    "missing_values",
    "to_pandas",
]

NUMBER, CATEGORY, DATE = "number", "category", "date"
_NAMED_COLUMNS = 5
_NUMBER_WORDS = {"integer", "floating", "mixed-integer-float", "decimal", "boolean"}
_DATE_WORDS = {"datetime64", "datetime", "date", "timedelta64", "timedelta", "time", "period"}
_DATE_TYPES = (date, time, timedelta, np.datetime64, np.timedelta64, pd.Period)
_DATE_REMEDY = "Turn them to numbers, such as seconds since a start, make them the index, or drop them."


def frame_library(X: Any) -> str:
    """Name the library whose frame or column `X` is, without importing it.

    Parameters
    ----------
    X : object

    Returns
    -------
    {"pandas", "polars", "pyarrow", ""}
        Empty for anything else: arrays, lists, sparse matrices.

    Examples
    --------
    >>> import pandas as pd
    >>> from skanomaly._support._tables import frame_library
    >>> frame_library(pd.Series([1])), frame_library([[1]])
    ('pandas', '')
    """
    for base in type(X).__mro__:
        library = base.__module__.partition(".")[0]
        if library in {"pandas", "polars", "pyarrow"}:
            return library
    return ""


def is_frame(X: Any) -> bool:
    """Say whether `X` is a table with named columns: a pandas or polars frame or an Arrow table."""
    return bool(frame_library(X)) and (hasattr(X, "columns") or hasattr(X, "column_names")) and hasattr(X, "shape")


def column_names(X: Any) -> list[Any] | None:
    """List the column names of a frame; None for a table without names.

    Parameters
    ----------
    X : frame, array or list

    Returns
    -------
    list or None
    """
    if not is_frame(X):
        return None
    return list(X.column_names if frame_library(X) == "pyarrow" else X.columns)


def to_pandas(X: Any) -> pd.DataFrame:
    """Turn any table into a pandas frame with the same names and values; a pandas frame is returned as it is.

    Parameters
    ----------
    X : pandas or polars frame, Arrow table, sparse matrix, array or list of shape (n_samples, n_features)

    Returns
    -------
    DataFrame
        Columns keep their types where pandas has them; else they hold Python objects.

    Raises
    ------
    ValueError
        If `X` does not have two dimensions.
    """
    library = frame_library(X)
    if isinstance(X, pd.DataFrame):
        return X
    if library == "polars" and hasattr(X, "get_columns"):
        parts = [_from_polars(column) for column in X.get_columns()]
        return _framed(parts, list(X.columns), len(X))
    if library == "pyarrow" and hasattr(X, "column_names"):
        frame: pd.DataFrame = X.to_pandas(types_mapper=pd.ArrowDtype)
        return frame
    if library == "polars" and hasattr(X, "collect"):
        raise ValueError("X is a lazy polars frame; give X.collect().")
    if sparse.issparse(X):
        return pd.DataFrame.sparse.from_spmatrix(X)
    if isinstance(X, list | tuple) and X and all(isinstance(row, list | tuple) for row in X):
        return pd.DataFrame(list(X))
    table = np.asarray(X)
    if table.ndim != 2:
        raise ValueError(f"X has {table.ndim} dimension(s); a table of rows and columns is needed.")
    return pd.DataFrame(table)


def _framed(parts: Sequence[Any], names: Sequence[Any], n_rows: int) -> pd.DataFrame:
    """Put columns of equal length side by side, by position, so that names may repeat."""
    frame = pd.concat(list(parts), axis=1) if parts else pd.DataFrame(index=range(n_rows))
    frame.columns = pd.Index(names)
    return frame


def _from_polars(column: Any) -> pd.Series[Any]:
    kind = column.dtype
    plain = kind.is_integer() or kind.is_float() or kind.is_temporal() or str(kind) == "Boolean"
    if plain and not (column.null_count() and not (kind.is_float() or kind.is_temporal())):
        return pd.Series(column.to_numpy())
    return pd.Series(column.to_list(), dtype=object)


def column_kind(column: Any) -> str:
    """Say what a column holds; every class of the package reads tables by this rule.

    - number: numeric and boolean types of NumPy, pandas (nullable, sparse) and Arrow; object columns whose present
      values are all numbers or booleans; columns without any value.
    - category: category and text types, text that holds numbers included; object columns with text or other hashable
      values.
    - date: date and time types, durations and periods; object columns whose present values are all dates.

    Parameters
    ----------
    column : Series, polars Series, or 1-D array

    Returns
    -------
    {"number", "category", "date"}

    Raises
    ------
    ValueError
        If the column holds values that are not hashable (lists, dicts), or complex numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> from skanomaly._support._tables import column_kind
    >>> column_kind(pd.Series([1, None, 2.5], dtype=object)), column_kind(pd.Series(["1", "2"]))
    ('number', 'category')
    """
    if frame_library(column) == "polars":
        column = _from_polars(column).rename(column.name)
    elif not isinstance(column, pd.Series):
        column = pd.Series(np.asarray(column))
    dtype = column.dtype
    if isinstance(dtype, pd.SparseDtype):
        dtype = dtype.subtype
    if isinstance(dtype, pd.CategoricalDtype) or isinstance(dtype, pd.StringDtype):
        return CATEGORY
    if is_date_dtype(dtype):
        return DATE
    if isinstance(dtype, pd.ArrowDtype):
        kind = _arrow_kind(dtype)
        if kind:
            return kind
    elif dtype.kind in "biuf":
        return NUMBER
    if dtype.kind == "c":
        raise ValueError(_complex(column.name))
    return _object_kind(column)


def is_date_dtype(dtype: Any) -> bool:
    """Say whether a pandas, NumPy or polars type is one of dates, times, durations or periods."""
    if hasattr(dtype, "is_temporal"):  # polars
        return bool(dtype.is_temporal())
    if isinstance(dtype, pd.ArrowDtype):
        return issubclass(dtype.type, (date, time, timedelta))
    return isinstance(dtype, pd.PeriodDtype) or getattr(dtype, "kind", "O") in {"m", "M"}


def _arrow_kind(dtype: pd.ArrowDtype) -> str | None:
    if dtype.kind in "biuf" or issubclass(dtype.type, Decimal):
        return NUMBER
    return CATEGORY if issubclass(dtype.type, (str, bytes)) or str(dtype).startswith("dictionary") else None


def _complex(name: Any) -> str:
    return f"Complex data not supported: column {name!r}. Give the real and the imaginary part as two columns."


def _object_kind(column: pd.Series[Any]) -> str:
    values = column.to_numpy(dtype=object)
    present = values[~missing_values(values)]
    if present.size == 0:
        return NUMBER
    word = pd.api.types.infer_dtype(present, skipna=False)
    if word in _NUMBER_WORDS:
        return NUMBER
    if word in _DATE_WORDS:
        return DATE
    if word in {"string", "bytes"}:
        return CATEGORY
    cells = present.tolist()
    if all(isinstance(cell, Number | np.bool_) for cell in cells):
        if any(isinstance(cell, Complex) and isinstance(cell, complex | np.complexfloating) for cell in cells):
            raise ValueError(_complex(column.name))
        return NUMBER
    if all(isinstance(cell, _DATE_TYPES) for cell in cells):
        return DATE
    _require_hashable(cells, column.name)
    return CATEGORY


def _require_hashable(cells: Sequence[Any], name: Any) -> None:
    for cell in cells:
        try:
            hash(cell)
        except TypeError:
            raise ValueError(
                f"Column {name!r} holds a {type(cell).__name__}: {cell!r:.50}. A cell must be a number, text, a "
                "boolean or another hashable value. Turn the column to text (astype(str)) or to several columns, or "
                "drop it."
            ) from None


def missing_values(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Mark None, NaN, NA and NaT among values of any type; a list in a cell is a value."""
    return np.asarray(pd.isna(values), dtype=bool)


def count_missing(values: Any) -> int:
    """Count what is None, NaN, NA or NaT among values of any type.

    Parameters
    ----------
    values : array-like

    Returns
    -------
    int

    Examples
    --------
    >>> import pandas as pd
    >>> from skanomaly._support._tables import count_missing
    >>> count_missing(["a", None, float("nan"), pd.NA])
    3
    """
    if isinstance(values, np.ndarray) and values.dtype.kind in "biuUS":
        return 0
    if isinstance(values, np.ndarray) and values.dtype.kind == "f":
        return int(np.count_nonzero(np.isnan(values)))
    if frame_library(values) == "polars":
        values = values.to_list()
    return int(np.count_nonzero(missing_values(np.asarray(values, dtype=object))))


def column_kinds(X: Any) -> list[str]:
    """Say of each column of a table what it holds, by the rule of :func:`column_kind`.

    Parameters
    ----------
    X : frame, array or list of shape (n_samples, n_features)

    Returns
    -------
    list of {"number", "category", "date"}

    Raises
    ------
    ValueError
        If a column holds values that are not hashable, or complex numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> from skanomaly._support._tables import column_kinds
    >>> column_kinds(pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": pd.date_range("2024", periods=2)}))
    ['number', 'category', 'date']
    """
    if isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "biuf":
        return [NUMBER] * X.shape[1]
    frame = to_pandas(X)
    return [column_kind(frame.iloc[:, place]) for place in range(frame.shape[1])]


def column_numbers(column: pd.Series[Any]) -> NDArray[np.float64]:
    """Turn a column of numbers to float64, NaN where a value is missing.

    Parameters
    ----------
    column : Series
        Of kind "number".

    Returns
    -------
    ndarray of float64

    Raises
    ------
    ValueError
        If a number is too large for float64.
    """
    if column.dtype != object:
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    values = column.to_numpy()
    numbers = np.full(len(values), np.nan)
    present = ~missing_values(values)
    try:
        numbers[present] = values[present].astype(np.float64)
    except OverflowError:
        raise ValueError(
            f"Column {column.name!r} holds a whole number that is too large for a float; divide it or drop it."
        ) from None
    return numbers


def listed(names: Any, show: Callable[[Any], str] = repr) -> str:
    """Write the first few names, and how many more there are."""
    more = f" and {len(names) - _NAMED_COLUMNS} more" if len(names) > _NAMED_COLUMNS else ""
    return ", ".join(show(name) for name in names[:_NAMED_COLUMNS]) + more


class TableReader:
    """Reads tables like those given to ``fit`` as float64: numbers as they are, categories as codes.

    A column's code of a category is its place in ``categories``. Columns of later tables are found by name.

    Parameters
    ----------
    accept : sequence of {"number", "category", "date"}, default=("number", "category")
        Kinds that the caller can use; a column of another kind raises, with what to do. Dates that are accepted are
        read as categories, one code a value.
    missing : {"allow", "refuse", "category"}, default="allow"
        "allow": missing values are NaN. "refuse": they raise. "category": a missing category is a category of its own,
        the last of its column; a missing number raises.
    infinite : {"refuse", "allow"}, default="refuse"
    unseen : {"last", "negative"}, default="last"
        Code of a category that ``fit`` did not see: ``len(categories)`` ("last") or -1.
    categorical : sequence of int, default=()
        Positions of columns that are categories whatever they hold.
    name : str, default="X"
        What errors call the table.

    Attributes
    ----------
    names : list or None
        Column names; None where the table has none.
    n_columns : int
    kinds : list of {"number", "category", "date"}
        Kind of each column.
    categories : list of (Index or None)
        Per column its categories, None for numbers: the declared ones of a category type, else in order of appearance.
    empty : ndarray of shape (n_columns,), bool
        Columns without any value in ``fit``. They are numbers; text that comes later is read as missing.
    template : frame or ndarray
        The fitted table without its rows, for :meth:`decode`.

    See Also
    --------
    skanomaly._support._rows : Gives rows back in the user's own kind of table.

    Examples
    --------
    >>> import pandas as pd
    >>> from skanomaly._support._tables import TableReader
    >>> train = pd.DataFrame({"size": [1, None, 3], "shop": ["a", "b", "a"]})
    >>> reader = TableReader().fit(train)
    >>> reader.kinds
    ['number', 'category']
    >>> reader.read(pd.DataFrame({"shop": ["b", "z", None], "size": [5, 6, 7]}))
    array([[ 5.,  1.],
           [ 6.,  2.],
           [ 7., nan]])
    >>> reader.decode([[2.5, 1.0]])
       size shop
    0   2.5    b
    """

    def __init__(
        self,
        accept: Sequence[str] = (NUMBER, CATEGORY),
        *,
        missing: str = "allow",
        infinite: str = "refuse",
        unseen: str = "last",
        categorical: Sequence[int] | NDArray[np.intp] = (),
        name: str = "X",
    ) -> None:
        self.accept = tuple(accept)
        self.missing = missing
        self.infinite = infinite
        self.unseen = unseen
        self.categorical = frozenset(int(place) for place in categorical)
        self.name = name

    def fit(self, *tables: Any) -> Self:
        """Learn the names, kinds and categories of one table, or of several with the same columns.

        Parameters
        ----------
        *tables : frame, array or list of shape (n_samples, n_features)
            Categories are those of all tables together. Those after the first are matched by name.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            On two columns of one name, a kind that is not accepted, or a column that is numbers in one table and text
            in another.
        """
        first = to_pandas(tables[0])
        self.names, self.n_columns = column_names(tables[0]), first.shape[1]
        self._require_unique()
        frames = [first, *(self._aligned(table) for table in tables[1:])]
        self.kinds, self.categories, empty = [], [], []
        for place in range(first.shape[1]):
            columns = [frame.iloc[:, place] for frame in frames]
            kind, vacant = self._common_kind(columns, place)
            self.kinds.append(kind)
            empty.append(vacant)
            self.categories.append(None if kind == NUMBER else self._categories_of(columns))
        self.empty = np.array(empty, dtype=bool)
        self._require_accepted(first)
        self.template = tables[0][:0] if hasattr(tables[0], "shape") and not sparse.issparse(tables[0]) else first[:0]
        return self

    def read(self, X: Any) -> NDArray[np.float64]:
        """Turn a table into numbers and codes.

        Parameters
        ----------
        X : frame, array or list of shape (n_samples, n_features)
            Columns of a frame are found by name where the fitted table had names.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float64
            NaN where a value is missing; ``len(categories)`` or -1 for a category not seen in ``fit``.

        Raises
        ------
        ValueError
            On columns that lack, text in a column of numbers (and the reverse), infinity, or missing values where they
            are refused; the column, the value and the remedy are named.
        """
        frame = self._aligned(X)
        table = np.empty(frame.shape, dtype=np.float64)
        for place, known in enumerate(self.categories):
            column = frame.iloc[:, place]
            table[:, place] = (
                self._read_numbers(column, place) if known is None else self._read_codes(column, known, place)
            )
        return table

    def fit_read(self, X: Any) -> NDArray[np.float64]:
        """Fit to a table, then read it.

        Parameters
        ----------
        X : frame, array or list of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_features), float64
        """
        return self.fit(X).read(X)

    def decode(self, table: Any, template: Any = None) -> Any:
        """Turn numbers and codes back to a table of the user's kind.

        Parameters
        ----------
        table : ndarray of shape (n_rows, n_features)
            As from :meth:`read`; NaN, -1 and codes beyond the last category become missing values.
        template : frame or ndarray, default=None
            Gives container, names and types; None is the fitted table.

        Returns
        -------
        frame or ndarray
            A column of integers or booleans becomes float where a number is not whole.
        """
        from skanomaly._support._rows import like

        return like(self.values(table), self.template if template is None else template)

    def values(self, table: Any) -> list[Any]:
        """Turn numbers and codes to one array of values a column: numbers, or categories as objects.

        Parameters
        ----------
        table : ndarray of shape (n_rows, n_features)

        Returns
        -------
        list of ndarray
            As :func:`skanomaly._support._rows.stack_rows` takes synthetic rows.
        """
        rows = np.asarray(table, dtype=np.float64)
        return [
            rows[:, place] if known is None else _named(rows[:, place], known)
            for place, known in enumerate(self.categories)
        ]

    def _shown(self, place: int) -> str:
        return repr(self.names[place]) if self.names is not None else str(place)

    def _require_unique(self) -> None:
        if self.names is None:
            return
        repeated = [name for place, name in enumerate(self.names) if name in self.names[:place]]
        if repeated:
            raise ValueError(
                f"{self.name} has more than one column named {listed(list(dict.fromkeys(repeated)))}. Rename them, "
                "for example X.columns = [...], or drop one."
            )

    def _aligned(self, X: Any) -> pd.DataFrame:
        """Put the columns of a table in the fitted order, by name where both have names."""
        frame, names = to_pandas(X), column_names(X)
        if names is not None and self.names is not None:
            lacking = [name for name in self.names if name not in names]
            if lacking:
                raise ValueError(
                    f"{self.name} lacks column {listed(lacking)}, which the fitted table has; its columns are "
                    f"{listed(names)}."
                )
            if names != self.names:
                frame = frame[self.names]
        if frame.shape[1] != self.n_columns:
            raise ValueError(f"{self.name} has {frame.shape[1]} columns, but the fitted table has {self.n_columns}.")
        return frame

    def _common_kind(self, columns: Sequence[pd.Series[Any]], place: int) -> tuple[str, bool]:
        if place in self.categorical:
            for column in columns:
                if column.dtype == object:
                    _require_hashable(column.to_list(), self.names[place] if self.names is not None else place)
            return CATEGORY, False
        kinds = {column_kind(column) for column in columns if column.notna().any()}
        if len(kinds) > 1:
            words = " and ".join(sorted(kinds))
            raise ValueError(
                f"Column {self._shown(place)} is a {words} column in different tables. Give it one type in all of "
                "them: pd.to_numeric(...) for numbers, astype(str) for categories."
            )
        if kinds:
            return kinds.pop(), False
        return column_kind(columns[0]), True

    @staticmethod
    def _present(column: pd.Series[Any]) -> pd.Index[Any]:
        if isinstance(column.dtype, pd.CategoricalDtype):
            return pd.Index(column.cat.categories, dtype=object)
        return pd.Index(column.dropna().astype(object).unique(), dtype=object)

    def _categories_of(self, columns: Sequence[pd.Series[Any]]) -> pd.Index[Any]:
        known = self._present(columns[0])
        for column in columns[1:]:
            more = self._present(column)
            known = pd.Index([*known, *more[known.get_indexer(more) < 0]], dtype=object)
        if self.missing == "category" and any(column.isna().any() for column in columns):
            known = pd.Index([*known, None], dtype=object)
        return known

    def _require_accepted(self, frame: pd.DataFrame) -> None:
        places = [place for place, kind in enumerate(self.kinds) if kind not in self.accept]
        dates = [place for place in places if self.kinds[place] == DATE]
        if dates:
            raise ValueError(f"Dates or durations: column {listed(dates, self._shown)}. {_DATE_REMEDY}")
        texts = [place for place in places if self.kinds[place] == CATEGORY]
        if texts:
            raise ValueError(
                f"Not numbers: column {listed(texts, self._shown)}. {category_remedy(frame.iloc[:, texts])}"
            )
        if places:
            raise ValueError(
                f"Numbers: column {listed(places, self._shown)}. Only columns of kind {' or '.join(self.accept)} are "
                "read; turn them to categories (astype(str)) or drop them."
            )

    def _read_numbers(self, column: pd.Series[Any], place: int) -> NDArray[np.float64]:
        kind = NUMBER if not column.notna().any() else column_kind(column)
        if kind != NUMBER and self.empty[place]:
            return np.full(len(column), np.nan)
        if kind != NUMBER:
            example = column.dropna().iloc[0]
            raise ValueError(
                f"Column {self._shown(place)} holds {'dates' if kind == DATE else 'text or categories'}, for example "
                f"{example!r:.50}, but numbers in the fitted table. Turn it to numbers (pd.to_numeric)."
            )
        numbers = np.full(len(column), np.nan) if column.isna().all() else column_numbers(column)
        if self.infinite == "refuse" and np.isinf(numbers).any():
            raise ValueError(
                f"{self.name} contains infinity: column {self._shown(place)}, in {np.isinf(numbers).sum()} rows. "
                "Replace it with NaN and impute it, drop those rows, or drop the column."
            )
        if self.missing != "allow":
            self._require_present(np.isnan(numbers), place)
        return numbers

    def _read_codes(self, column: pd.Series[Any], known: pd.Index[Any], place: int) -> NDArray[np.float64]:
        absent = column.isna().to_numpy()
        if place not in self.categorical and not absent.all():
            self._require_category(column, known, place)
        _require_hashable(column.to_list() if column.dtype == object else (), column.name)
        values = column.astype(object)
        codes = known.get_indexer(pd.Index(values, dtype=object)).astype(np.float64)
        codes[codes < 0] = len(known) if self.unseen == "last" else -1.0
        if self.missing == "refuse":
            self._require_present(absent, place)
        if self.missing != "category":
            codes[absent] = np.nan
        elif len(known) and known[-1] is None:
            codes[absent] = len(known) - 1
        return codes

    def _require_category(self, column: pd.Series[Any], known: pd.Index[Any], place: int) -> None:
        kind = column_kind(column)
        if kind in {self.kinds[place], CATEGORY}:
            return
        numbers = any(isinstance(value, Number | np.bool_) for value in known)
        if kind == NUMBER and (numbers or len(known) == 0):
            return
        raise ValueError(
            f"Column {self._shown(place)} holds {'dates' if kind == DATE else 'numbers'}, for example "
            f"{column.dropna().iloc[0]!r:.50}, but {'dates' if self.kinds[place] == DATE else 'text or categories'} in "
            "the fitted table. Give it the same type in both (astype)."
        )

    def _require_present(self, absent: NDArray[np.bool_], place: int) -> None:
        if absent.any():
            raise ValueError(
                f"{self.name} contains NaN: column {self._shown(place)}, in {np.count_nonzero(absent)} rows. Impute "
                "them (sklearn.impute, skanomaly.impute), drop those rows, or drop the column."
            )


def category_remedy(columns: pd.DataFrame) -> str:
    """Say how columns of text or categories become numbers: parsed where they hold numbers, else encoded.

    Parameters
    ----------
    columns : DataFrame
        The columns in question.

    Returns
    -------
    str
    """
    encode = "Encode text as numbers (sklearn.preprocessing.OneHotEncoder, OrdinalEncoder) or drop it."
    for place in range(columns.shape[1]):
        column = columns.iloc[:, place].dropna().astype(object)
        if not len(column) or pd.to_numeric(column, errors="coerce").isna().any():
            return encode
    return "It is text or a category type that holds numbers: turn it to numbers with pd.to_numeric, or encode it."


def _named(codes: NDArray[np.float64], known: pd.Index[Any]) -> NDArray[Any]:
    values = np.full(len(codes), None, dtype=object)
    inside = (codes >= 0) & (codes < len(known))
    values[inside] = known.to_numpy(dtype=object)[codes[inside].astype(np.intp)]
    return values
