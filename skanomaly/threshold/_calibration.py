"""Conformal calibration on a table in pieces."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._chunks import native_of
from skanomaly._support._pieces import naming_chunk
from skanomaly._support._row_draws import part_of_rows, row_hashes
from skanomaly._support._rows import take_rows

__all__ = ["Calibrated", "calibrate_piece", "known_pvalues", "merge_calibrated", "merge_sorted"]

_MOST_SCORES = 1_000_000


class Calibrated(NamedTuple):
    """Calibration rows in ascending order of their outlyingness; of equal ones, of their numbers in the table."""

    outlyingness: NDArray[np.floating]
    weights: NDArray[np.float64]
    groups: NDArray[Any]
    labels: NDArray[np.int8]
    rows: NDArray[np.intp]
    hashes: NDArray[np.uint64]


def calibrate_piece(
    conformal: Any,
    fitted: Any,
    codes: dict[Any, int] | None,
    seed: int,
    starts: dict[int, int],
    table: Any,
    labels: Any,
    index: int,
) -> Calibrated | None:
    """Score the calibration rows of a piece.

    Parameters
    ----------
    conformal : ConformalDetector
    fitted : estimator
    codes : dict or None
        What labels mean.
    seed : int
    starts : dict of int to int
        Number of the first row of each piece.
    table, labels, index
        The piece.

    Returns
    -------
    Calibrated or None
        None where there are none.
    """
    n_rows = len(table)
    chosen = part_of_rows(conformal.calibration_size, seed, starts, n_rows, index)
    natives = np.zeros(n_rows, dtype=np.int8) if codes is None else native_of(labels, codes)
    places = np.flatnonzero(chosen & (natives >= 0))
    if len(places) == 0:
        return None
    with naming_chunk(index):
        rows = conformal._check(take_rows(table, places), reset=False)
        outlyingness = conformal._scores_of(fitted, rows)
        weights, groups = conformal._weights(rows), conformal._labels_of(rows)
    numbers = starts[index] + places
    hashes = row_hashes(seed, starts, n_rows, index)[places]
    return _ordered(Calibrated(outlyingness, weights, groups, natives[places], numbers, hashes))


def _ordered(part: Calibrated) -> Calibrated:
    """Sort, and keep the rows with the smallest hashes where there are too many."""
    kept = np.arange(len(part.rows))
    if len(kept) > _MOST_SCORES:
        kept = np.argsort(part.hashes, kind="stable")[:_MOST_SCORES]
    order = kept[np.lexsort((part.rows[kept], part.outlyingness[kept]))]
    return Calibrated._make(values[order] for values in part)


def merge_calibrated(one: Calibrated, other: Calibrated) -> Calibrated:
    """Put the calibration rows of two pieces together."""
    return _ordered(Calibrated._make(np.concatenate([one[place], other[place]]) for place in range(len(one))))


def known_pvalues(
    conformal: Any, codes: dict[Any, int], table: Any, labels: Any, _index: int
) -> NDArray[np.float64] | None:
    """Return the sorted p-values of the rows of a piece that are labelled -1."""
    anomalous = np.flatnonzero(native_of(labels, codes) < 0)
    if len(anomalous) == 0:
        return None
    return np.sort(conformal._pvalues(conformal._check(take_rows(table, anomalous), reset=False))[0])


def merge_sorted(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put sorted numbers together."""
    return np.sort(np.concatenate([one, other]))
