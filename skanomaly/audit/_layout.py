"""How rows stand in the order: places, coordinates, strata."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import column_or_1d

from skanomaly._support._days import typed_times

__all__ = ["Layout", "lay_out"]


@dataclass(frozen=True, eq=False)
class Layout:
    """Rows sorted by stratum and, within it, by order; all arrays but `rows` speak of sorted rows.

    Attributes
    ----------
    rows : ndarray of shape (n,), intp
        Input row of each sorted row.
    offsets : ndarray of shape (n_blocks + 1,), intp
        Stratum ``b`` is the sorted rows ``offsets[b]:offsets[b + 1]``.
    blocks : ndarray of shape (n,), intp
        Stratum of each sorted row.
    coordinates : ndarray of shape (n,), float64
        Where each row stands on the line, ascending within each stratum.
    consecutive : bool
        Whether each stratum's coordinates are 0, 1, 2, ...
    places : ndarray of shape (n,), intp
        Place in the order of all rows, strata mixed.
    cuts : ndarray of shape (n,), bool
        Whether the order may be cut before place ``t``: not before the first, nor between equals.
    gap_unit : {"rows", "times", "nanoseconds"}
        What coordinates count.
    """

    rows: NDArray[np.intp]
    offsets: NDArray[np.intp]
    blocks: NDArray[np.intp]
    coordinates: NDArray[np.float64]
    consecutive: bool
    places: NDArray[np.intp]
    cuts: NDArray[np.bool_]
    gap_unit: str = "rows"

    @property
    def sizes(self) -> NDArray[np.float64]:
        """Number of rows of each stratum."""
        return np.diff(self.offsets).astype(np.float64)

    @property
    def ranks(self) -> NDArray[np.intp]:
        """Place of each row within its stratum, equals in random order."""
        return np.arange(self.rows.size) - self.offsets[self.blocks]


def lay_out(
    n_rows: int,
    *,
    order: Any = None,
    times: Any = None,
    strata: Any = None,
    rng: np.random.Generator,
) -> Layout:
    """Sort rows by stratum and order.

    Parameters
    ----------
    n_rows : int
    order : array-like of shape (n_rows,) or None
        Only its ranks count; equal keys share the mean of their places.
    times : array-like of shape (n_rows,) or None
        Numbers, dates or durations, whose differences count.
    strata : array-like of shape (n_rows,) or None
        Labels.
    rng : numpy.random.Generator
        Orders rows of equal key where an order is needed.

    Returns
    -------
    Layout

    Raises
    ------
    ValueError
        If both `order` and `times` are given, a length differs, or a key is missing.
    """
    if order is not None and times is not None:
        raise ValueError("order and times were both given; give one of them.")
    keys, gap_unit = np.arange(n_rows, dtype=np.float64), "rows"
    if order is None and times is None and strata is None:  # as they come: nothing to sort
        places, offsets = np.arange(n_rows), np.array([0, n_rows], dtype=np.intp)
        return Layout(places, offsets, np.zeros(n_rows, dtype=np.intp), keys, True, places, keys > 0)  # noqa: FBT003  # a field of a record
    if order is not None:
        keys, _ = numeric_keys(order, n_rows, name="order")
    elif times is not None:
        keys, dated = numeric_keys(times, n_rows, name="times")
        gap_unit = "nanoseconds" if dated else "times"
    codes = np.zeros(n_rows, dtype=np.intp) if strata is None else label_codes(strata, n_rows, name="strata")[0]
    if strata is None and (np.diff(keys) > 0).all():
        rows = np.arange(n_rows)
        places = np.arange(n_rows)
    else:
        mixed = rng.permutation(n_rows)
        rows = np.lexsort((mixed, keys, codes))
        places = np.empty(n_rows, dtype=np.intp)
        places[np.lexsort((mixed, keys))] = np.arange(n_rows)
        places = places[rows]
    blocks, keys = codes[rows], keys[rows]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(blocks))]).astype(np.intp)
    cuts = np.concatenate([[False], np.diff(np.sort(keys)) > 0])
    within = np.arange(n_rows) - offsets[blocks]
    consecutive = False
    if times is not None:
        coordinates = keys - keys.min()
    else:
        # Rows of equal key within a stratum share the mean of their ranks.
        first = np.concatenate([[True], (np.diff(keys) > 0) | (np.diff(blocks) > 0)])
        run = np.cumsum(first) - 1
        consecutive = bool(first.all())
        coordinates = (np.bincount(run, weights=within) / np.bincount(run))[run]
    return Layout(rows, offsets, blocks, coordinates, consecutive, places, cuts, gap_unit)


def _column(values: Any, n_rows: int, *, name: str, kind: str) -> NDArray[Any]:
    """Read one value a row; a column's name, a scalar, a table or another length raises and says which parameter."""
    remedy = f"Pass the column itself, for example {name}=X['age']."
    if isinstance(values, str | bytes) or not (hasattr(values, "__len__") or hasattr(values, "__array__")):
        raise ValueError(f"{name}={values!r:.50} is no column. {remedy}")
    try:
        column: NDArray[Any] = column_or_1d(values, dtype=None)
    except ValueError:
        shape = getattr(values, "shape", None)
        given = f"has shape {tuple(shape)}, not" if shape is not None else "does not hold"
        raise ValueError(f"{name} {given} one value a row. {remedy}") from None
    if len(column) != n_rows:
        raise ValueError(f"{name} has {len(column)} {kind} and X has {n_rows} rows; they must agree in length.")
    return column


def numeric_keys(values: Any, n_rows: int, *, name: str) -> tuple[NDArray[np.float64], bool]:
    """Turn sort keys to float64, dates and durations to nanoseconds since the first; raise for missing ones.

    Returns
    -------
    keys : ndarray of shape (n_rows,)
    dated : bool
        Whether they were dates or durations.

    Raises
    ------
    ValueError
        If `values` is no column, the length differs, a key is missing or infinite, or keys are not numbers, dates or
        durations.
    """
    keys = _column(values, n_rows, name=name, kind="values")
    if keys.dtype.kind == "O":
        keys = _from_objects(keys, name=name)
    dated = keys.dtype.kind in "mM"
    if dated:
        missing = np.isnat(keys)
        unit = "datetime64[ns]" if keys.dtype.kind == "M" else "timedelta64[ns]"
        whole = keys.astype(unit).astype(np.int64)
        numbers = (whole - whole[~missing].min(initial=np.iinfo(np.int64).max)).astype(np.float64)
    elif keys.dtype.kind in "iufb":
        numbers = keys.astype(np.float64)
        missing = ~np.isfinite(numbers)
    else:
        raise ValueError(f"{name} holds {keys.dtype}; give numbers, dates (pandas.to_datetime) or durations.")
    if missing.any():
        raise ValueError(
            f"{name} is NaN, NaT or infinite in {np.count_nonzero(missing)} rows, so these have no place in the order; "
            "drop them or fill their value in."
        )
    return numbers, dated


def _from_objects(keys: NDArray[Any], *, name: str) -> NDArray[Any]:
    """Turn Python numbers and dates to an array of numbers or dates."""
    turned = typed_times(keys)
    if turned.dtype.kind not in "iufbmM":
        raise ValueError(f"{name} holds {keys[:1].tolist()}; give numbers, dates (pandas.to_datetime) or durations.")
    return turned


def label_codes(labels: Any, n_rows: int, *, name: str) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """Give labels numbers from 0 in sorted order.

    Returns
    -------
    codes : ndarray of shape (n_rows,), intp
    values : ndarray of shape (n_labels,)

    Raises
    ------
    ValueError
        If `labels` is no column, the length differs or a label is missing.
    """
    import pandas as pd

    values = _column(labels, n_rows, name=name, kind="labels")
    codes, found = pd.factorize(values, sort=True)
    if (codes < 0).any():
        raise ValueError(f"{name} is missing in {np.count_nonzero(codes < 0)} rows; drop them or name them a group.")
    return codes.astype(np.intp), np.asarray(found)
