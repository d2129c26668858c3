"""The one reader of mixed tables: numbers as they are, categories as codes, missing values as NaN."""

from collections.abc import Sequence
from numbers import Number
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import check_array

from skanomaly._support._columns import (
    CATEGORY,
    DATE,
    DATE_REMEDY,
    NUMBER,
    category_remedy,
    column_kind,
    column_names,
    column_numbers,
    is_frame,
    listed,
    require_hashable,
    to_pandas,
)
from skanomaly._support._items import require_rows
from skanomaly._support._rows import like

__all__ = ["TableReader", "as_table", "read_numbers"]


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

    def __getstate__(self) -> dict[str, Any]:
        """Store categories as arrays, which skops can store."""
        state = dict(self.__dict__)
        if "categories" in state:
            state["categories"] = [None if known is None else known.to_numpy() for known in self.categories]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the categories indexes again."""
        self.__dict__.update(state)
        if "categories" in state:
            self.categories = [
                None if known is None else pd.Index(known, dtype=object) for known in state["categories"]
            ]

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
        numbers = all(known is None for known in self.categories)
        rows = np.asarray(table, dtype=np.float64) if numbers else self.values(table)
        return like(rows, self.template if template is None else template)

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

    def _common_kind(self, columns: "Sequence[pd.Series[Any]]", place: int) -> tuple[str, bool]:
        if place in self.categorical:
            for column in columns:
                if column.dtype == object:
                    require_hashable(column.to_list(), self.names[place] if self.names is not None else place)
            return CATEGORY, False
        kinds = {column_kind(column) for column in columns if column.notna().any()}
        if len(kinds) > 1:
            words = " and ".join(sorted(kinds))
            raise ValueError(
                f"Column {self._shown(place)} is a {words} column in different tables. Give it one type in all of "
                "them: pd.to_numeric(...) for numbers, astype(str) for categories."
            )
        if kinds == {CATEGORY}:
            self._require_one_content(columns, place)
        if kinds:
            return kinds.pop(), False
        return column_kind(columns[0]), True

    def _require_one_content(self, columns: "Sequence[pd.Series[Any]]", place: int) -> None:
        """Raise where the categories of one table are numbers and those of another texts: no two would be equal."""
        contents = {pd.api.types.infer_dtype(self._present(column), skipna=True) for column in columns}
        if "string" in contents and contents & {"integer", "floating", "mixed-integer-float"}:
            raise ValueError(
                f"Column {self._shown(place)} has numbers as categories in one table and text in another. Give it one "
                "type in all of them: astype(str) in both."
            )

    @staticmethod
    def _present(column: "pd.Series[Any]") -> "pd.Index[Any]":
        if isinstance(column.dtype, pd.CategoricalDtype):
            return pd.Index(column.cat.categories, dtype=object)
        return pd.Index(column.dropna().astype(object).unique(), dtype=object)

    def _categories_of(self, columns: "Sequence[pd.Series[Any]]") -> "pd.Index[Any]":
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
            raise ValueError(f"Dates or durations: column {listed(dates, self._shown)}. {DATE_REMEDY}")
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

    def _read_numbers(self, column: "pd.Series[Any]", place: int) -> NDArray[np.float64]:
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
                f"{self.name} contains infinity: column {self._shown(place)}, in {_rows(np.isinf(numbers))}. "
                "Replace it with NaN and impute it, drop those rows, or drop the column."
            )
        if self.missing != "allow":
            self._require_present(np.isnan(numbers), place)
        return numbers

    def _read_codes(self, column: "pd.Series[Any]", known: "pd.Index[Any]", place: int) -> NDArray[np.float64]:
        absent = column.isna().to_numpy()
        if place not in self.categorical and not absent.all():
            self._require_category(column, known, place)
        require_hashable(column.to_list() if column.dtype == object else (), column.name)
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

    def _require_category(self, column: "pd.Series[Any]", known: "pd.Index[Any]", place: int) -> None:
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
                f"{self.name} contains NaN: column {self._shown(place)}, in {_rows(absent)}. Impute "
                "them (sklearn.impute, skanomaly.impute), drop those rows, or drop the column."
            )


def as_table(X: Any, name: str = "X", *, min_samples: int = 1) -> Any:
    """Check that `X` is a table with rows and columns, of values of any kind.

    Parameters
    ----------
    X : frame, array or list of shape (n_samples, n_features)
    name : str, default="X"
        What errors call it.
    min_samples : int, default=1

    Returns
    -------
    frame or ndarray
        A frame as given; a list becomes an array, of objects where it has text.

    Raises
    ------
    ValueError
        If it is a mapping or a list of mappings, or has one dimension, no column, or fewer rows.
    """
    require_rows(X, name=name)
    if is_frame(X):
        check_array(np.empty(X.shape, dtype=np.bool_), input_name=name, ensure_min_samples=min_samples)
        return X
    if not sparse.issparse(X) and np.ndim(X) == 1:
        raise ValueError(
            f"{name} has one dimension; give a table. A single row is X.iloc[[0]] of a frame, X[[0]] of an array."
        )
    rows = check_array(X, dtype=None, ensure_all_finite=False, input_name=name, ensure_min_samples=min_samples)
    return np.asarray(X, dtype=object) if isinstance(X, list) and rows.dtype.kind in "US" else rows


def read_numbers(X: Any, name: str = "X", *, min_samples: int = 1) -> NDArray[np.float64]:
    """Read a table of finite numbers, for functions; estimators have ``check_rows``.

    Parameters
    ----------
    X : frame, array or list of shape (n_samples, n_features)
    name : str, default="X"
        What errors call it.
    min_samples : int, default=1

    Returns
    -------
    ndarray of shape (n_samples, n_features), float64

    Raises
    ------
    ValueError
        On missing values, infinity, text or dates (column, value and remedy are named), no column, or fewer rows.

    Examples
    --------
    >>> from skanomaly._support._tables import read_numbers
    >>> read_numbers(
    ...     pd.DataFrame({"a": pd.array([1, 2], dtype="Int64"), "b": [True, False]})
    ... )
    array([[1., 1.],
           [2., 0.]])
    """
    return TableReader((NUMBER,), missing="refuse", name=name).fit_read(as_table(X, name, min_samples=min_samples))


def _rows(mask: NDArray[np.bool_]) -> str:
    count = np.count_nonzero(mask)
    return "1 row" if count == 1 else f"{count} rows"


def _named(codes: NDArray[np.float64], known: "pd.Index[Any]") -> NDArray[Any]:
    values = np.full(len(codes), None, dtype=object)
    inside = (codes >= 0) & (codes < len(known))
    values[inside] = known.to_numpy(dtype=object)[codes[inside].astype(np.intp)]
    return values
