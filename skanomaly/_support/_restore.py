"""All or nothing: an error or interrupt leaves an estimator as it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd

from skanomaly._support._columns import column_names, listed, to_pandas
from skanomaly._support._extremes import extremes_named
from skanomaly._support._pieces import lazy_kind
from skanomaly._support._validation import non_finite_columns

__all__ = ["restore_on_error"]


@contextmanager
def restore_on_error(estimator: Any, X: Any = None, y: Any = None) -> Iterator[None]:
    """Restore the attributes of `estimator` if the block raises or is interrupted.

    Fitted arrays must be replaced, not written into, for this to hold.

    Parameters
    ----------
    estimator : object
        Its ``__dict__`` is kept, shallowly.
    X : array-like of shape (n_samples, n_features), default=None
        The training data. Where it holds ``pd.NA`` in a column of objects, which an estimator inside `estimator` may
        not read, a TypeError names the column. Where arithmetic fails on huge or tiny values, or an inner estimator on
        missing or infinite ones, a ValueError names the columns.
    y : array-like of shape (n_samples,), default=None
        Targets, of which the latter holds too.

    Yields
    ------
    None
    """
    before = dict(vars(estimator))
    try:
        with extremes_named(estimator, X), extremes_named(estimator, y, name="y"):
            yield
    except BaseException as error:
        vars(estimator).clear()
        vars(estimator).update(before)
        names = _columns_of_na(X) if isinstance(error, TypeError) and lazy_kind(X) is None else []
        if names:
            raise TypeError(
                f"{error}. X holds pd.NA as an object in column {listed(names)}, which an estimator inside "
                f"{type(estimator).__name__} may not read: replace it by NaN with X.replace({{pd.NA: np.nan}}), or "
                "impute it."
            ) from error
        if _lacks_columns(error) and lazy_kind(X) is None and (hint := non_finite_columns(X)):
            raise ValueError(f"{error}\n{hint}") from error
        raise


def _lacks_columns(error: BaseException) -> bool:
    """Say whether scikit-learn complains of missing or infinite values without naming the columns."""
    text = str(error) if isinstance(error, ValueError) else ""
    return ("contains NaN" in text or "contains infinity" in text) and "column" not in text


def _columns_of_na(X: Any) -> list[Any]:
    """Names of the columns of objects that hold ``pd.NA``."""
    names = column_names(X)
    if names is None:
        return []
    frame = to_pandas(X)
    columns = (frame.iloc[:, place] for place in range(len(names)))
    return [
        name
        for name, column in zip(names, columns, strict=True)
        if column.dtype == object and any(value is pd.NA for value in column)
    ]
