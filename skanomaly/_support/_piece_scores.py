"""Order statistics of the scores of any detector over a table in pieces, by counting."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._chunk_scores import settled_place
from skanomaly._support._pieces import Pieces, naming_chunk
from skanomaly._support._selection import order_statistics, weighted_brackets

__all__ = ["PieceScores", "piece_scores"]

Floats = NDArray[np.float64]


class PieceScores:
    """Scores of all rows of a table in pieces, which are computed anew in each pass.

    Parameters
    ----------
    pieces : Pieces
    detector : estimator
        Fitted; its scores do not depend on the rows beside a row.
    drawn : ndarray of shape (n_drawn,), float64
        Scores of some rows, from which first guesses are made.
    n_samples : int
        Number of all rows.
    """

    def __init__(self, pieces: Pieces, detector: Any, drawn: Floats, n_samples: int) -> None:
        self._pieces = pieces
        self._detector = detector
        self.drawn = drawn
        self.n_samples = n_samples

    def reduce(self, function: Callable[..., Any], merge: Callable[[Any, Any], Any], *arguments: Any) -> Any:
        """Apply a function to the scores of each piece, a table of one column, and merge what it returns.

        Parameters
        ----------
        function : callable
            Takes a table, None, and the arguments.
        merge : callable
        *arguments : object

        Returns
        -------
        object
        """
        return self._pieces.reduce(partial(_apply, self._detector, function, arguments), merge)

    def ranked(self, first: Any, last: Any) -> list[Floats]:
        """Return the scores of some ranks, from 0.

        Parameters
        ----------
        first, last : array-like of int of shape (n_targets,)

        Returns
        -------
        list of ndarray of shape (last - first + 1,)
        """
        first, last = np.asarray(first, dtype=np.int64), np.asarray(last, dtype=np.int64)
        lines = np.repeat(self.drawn[None], len(first), axis=0)
        guess = weighted_brackets(lines, np.ones(len(self.drawn)), first, last, self.n_samples)
        return order_statistics(self, _line, (), np.zeros(len(first), dtype=np.int64), first, last, *guess)

    def threshold(self, place: float) -> float:
        """Return the score at a place among the sorted ones, moved off any score, as ``settled_threshold`` does.

        Parameters
        ----------
        place : float
            In [0, n_samples - 1]; between two ranks the score is interpolated.

        Returns
        -------
        float
        """
        return settled_place(self.ranked, self.n_samples, place)

    def constant(self) -> float | None:
        """Return the score of all rows, or None where they differ."""
        if np.ptp(self.drawn) > 0:
            return None
        least, most = self.ranked([0, self.n_samples - 1], [0, self.n_samples - 1])
        return float(least[0]) if least[0] == most[0] else None

    def count_below(self, threshold: float) -> int:
        """Return how many rows score below a threshold."""
        return int(self.reduce(_count_below, _add, threshold))


def piece_scores(detector: Any, table: Any, index: int) -> NDArray[Any]:
    """Score the rows of a piece.

    Parameters
    ----------
    detector : estimator
    table : table
    index : int
        Number of the piece, for errors.

    Returns
    -------
    ndarray of shape (n_rows,)

    Raises
    ------
    ValueError
        If a score is NaN or infinite, or the detector raises it; with the number of the piece.
    """
    with naming_chunk(index):
        scores = np.asarray(detector.score_samples(table))
    n_bad = int(np.count_nonzero(~np.isfinite(scores)))
    if n_bad:
        raise ValueError(
            f"chunk {index}: {detector!r} gave NaN or infinity as the score of {n_bad} rows; impute or remove them, or "
            "use another detector."
        )
    return scores


def _apply(
    detector: Any, function: Callable[..., Any], arguments: tuple[Any, ...], table: Any, _labels: Any, index: int
) -> Any:
    if len(table) == 0:
        return None
    return function(piece_scores(detector, table, index).astype(np.float64)[:, None], None, *arguments)


def _line(rows: Floats, _normal: None, _places: NDArray[np.intp]) -> Floats:
    return np.ascontiguousarray(rows.T)


def _count_below(rows: Floats, _normal: None, threshold: float) -> int:
    return int(np.count_nonzero(rows < threshold))


def _add(one: int, other: int) -> int:
    return one + other
