"""Frames with their missing values imputed."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skanomaly._support._columns import frame_library
from skanomaly._support._rows import fill_missing

__all__ = ["imputed_frame"]


def imputed_frame(
    X: Any, values: list[Any], kept: NDArray[np.bool_], *, keep_empty: bool, indicators: dict[str, NDArray[Any]]
) -> Any:
    """Impute the missing values of a frame, drop or fill the columns that were empty in fit, and append indicators.

    Parameters
    ----------
    X : pandas or polars frame, or Arrow table
    values : list of ndarray
        Per column of `X` its completed values.
    kept : ndarray of shape (n_features,), bool
        Columns that had a value in fit.
    keep_empty : bool
        Fill the other columns with 0 instead of dropping them.
    indicators : dict of str to ndarray of shape (n_samples,)

    Returns
    -------
    same kind as X
    """
    if frame_library(X) == "pyarrow":
        frame = X.to_pandas(types_mapper=pd.ArrowDtype)
        imputed = imputed_frame(frame, values, kept, keep_empty=keep_empty, indicators=indicators)
        return type(X).from_pandas(imputed, preserve_index=False)
    places = np.flatnonzero(kept)
    polars = frame_library(X) == "polars"
    frame = X[:, places.tolist()] if polars else X.iloc[:, places]
    if places.size:
        frame = fill_missing(frame, [values[place] for place in places])
    empty = np.flatnonzero(~kept) if keep_empty else ()
    more = [(place, X.columns[place], np.zeros(len(X))) for place in empty]
    more += [(len(places) + len(more) + place, *column) for place, column in enumerate(indicators.items())]
    for place, name, column in more:
        if polars:
            frame.insert_column(place, type(X[:, 0])(name, column))
        else:
            frame.insert(place, name, column, allow_duplicates=True)
    return frame
