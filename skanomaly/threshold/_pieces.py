"""What the detectors with a threshold share to be fitted to tables in pieces."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skanomaly._support._chunks import native_codes, native_of
from skanomaly._support._labels import native_labels
from skanomaly._support._pieces import Pieces
from skanomaly._support._row_draws import PartOfPieces, part_of_rows, row_starts
from skanomaly._support._validation import check_samples_of, takes_rows
from skanomaly._support._value_draws import ValueDraw, draw_by_values
from skanomaly._support._warnings import warn_user

__all__ = ["LabelledPieces", "draw_table", "drawn_labels", "fit_inner", "open_table", "split_rows"]


class LabelledPieces(NamedTuple):
    """A table in pieces, and what its labels mean; None without labels."""

    pieces: Pieces
    codes: dict[Any, int] | None


def open_table(estimator: Any, detector: Any, pieces: Pieces, *, labelled: bool) -> LabelledPieces:
    """Read the columns of a table in pieces.

    Parameters
    ----------
    estimator : BaseDetector
        Its ``n_features_in_`` and ``feature_names_in_`` are set.
    detector : estimator
        To which rows are passed.
    pieces : Pieces
    labelled : bool

    Returns
    -------
    LabelledPieces

    Raises
    ------
    ValueError
        If `detector` does not score rows of a table one by one, or there is no row.
    """
    if not takes_rows(detector):
        raise ValueError(
            f"{detector!r} does not score the rows of a table one by one, so that they cannot be cut into pieces. Use "
            "fit."
        )
    for table, _ in pieces:
        if len(table) > 0:
            check_samples_of(estimator, detector, table, reset=True)
            return LabelledPieces(pieces, native_codes(pieces) if labelled else None)
    raise ValueError("chunks hold 0 rows; at least 2 are needed.")


def split_rows(table: LabelledPieces, fraction: float, seed: int, *, normal: bool) -> tuple[Pieces, Pieces]:
    """Split a table in pieces at random, by the numbers of its rows, so that each row is in a part by itself.

    Parameters
    ----------
    table : LabelledPieces
    fraction : float
        Of the second part.
    seed : int
    normal : bool
        Whether rows labelled -1 are in neither part.

    Returns
    -------
    first, second : Pieces
    """
    starts, _ = row_starts(table.pieces)
    first, second = (
        PartOfPieces(table.pieces, partial(_part, fraction, seed, starts, table.codes, normal, second))
        for second in (False, True)
    )
    return first, second


def _part(
    fraction: float,
    seed: int,
    starts: dict[int, int],
    codes: dict[Any, int] | None,
    normal: bool,
    second: bool,
    table: Any,
    labels: Any,
    index: int,
) -> NDArray[np.bool_]:
    chosen = part_of_rows(fraction, seed, starts, len(table), index) == second
    if normal and codes is not None:
        chosen &= native_of(labels, codes) >= 0
    return np.asarray(chosen)


def draw_table(estimator: Any, detector: Any, pieces: Pieces) -> ValueDraw:
    """Draw rows that `detector` can be trained on in memory.

    Parameters
    ----------
    estimator : BaseDetector
    detector : estimator
    pieces : Pieces

    Returns
    -------
    ValueDraw
    """
    drawn = draw_by_values(pieces, partial(_check, estimator, detector))
    return drawn._replace(X=check_samples_of(estimator, detector, drawn.X, reset=False))


def _check(estimator: Any, detector: Any, table: Any) -> None:
    if len(table) > 0:
        check_samples_of(estimator, detector, table, reset=False)


def drawn_labels(table: LabelledPieces, drawn: ValueDraw) -> NDArray[np.int8]:
    """Return the labels of the rows drawn, and warn of labels of other rows.

    Parameters
    ----------
    table : LabelledPieces
    drawn : ValueDraw

    Returns
    -------
    ndarray of shape (n_drawn,), int8
    """
    if table.codes is None or drawn.y is None:
        return np.zeros(len(drawn.rows), dtype=np.int8)
    labels = native_of(drawn.y, table.codes)
    n_lost = drawn.n_labelled - int(np.count_nonzero(labels))
    if n_lost > 0:
        warn_user(
            f"{n_lost} of {drawn.n_labelled} labelled rows are not among the {len(labels)} rows drawn from the table "
            "in pieces, and are not used. Label rows of a sample of skanomaly.chunks.sample_chunks, and fit to it."
        )
    return labels


def fit_inner(detector: Any, pieces: Pieces, drawn: ValueDraw | None, labels: NDArray[np.int8], codes: Any) -> Any:
    """Fit a copy of a detector to a table in pieces, or to rows drawn where it has no ``fit_chunks``.

    Parameters
    ----------
    detector : estimator
    pieces : Pieces
    drawn : ValueDraw or None
        None where the detector has ``fit_chunks``.
    labels : ndarray of shape (n_drawn,), int8
    codes : dict or None
        Not None where the pieces have labels for the detector.

    Returns
    -------
    estimator
        Fitted.
    """
    fitted = clone(detector)
    if drawn is None:
        return fitted.fit_chunks(pieces, None if codes is None else pieces)
    return fitted.fit(drawn.X, native_labels(labels)) if labels.any() else fitted.fit(drawn.X)
