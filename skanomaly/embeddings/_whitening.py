"""Covariances of many patches, read block by block, and squared distances under them."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._blocks import row_blocks
from skanomaly._support._scales import SafeRange
from skanomaly._support._spectrum import Spectrum, estimate_spectrum, pooled_spectrum

__all__ = ["BLOCK_PATCHES", "limited", "range_of", "spectrum_of", "squared_distances", "squared_norms", "unit_vectors"]

BLOCK_PATCHES = 4096
_MOST_FOR_RANGE = 16_384
_MOST_AT_ONCE = 2_000_000  # numbers; more are read in blocks
_LARGEST = np.finfo(np.float64).max
Floats = NDArray[np.float64]


def range_of(rows: NDArray[Any], *, rescale: str = "none") -> SafeRange:
    """Return the limits of ordinary values, from a part of many rows; `rescale` is that of ``SafeRange``."""
    return SafeRange(rows[:: max(1, len(rows) // _MOST_FOR_RANGE)], rescale=rescale)


def spectrum_of(
    rows: NDArray[Any],
    residuals: Callable[[slice], Floats],
    *,
    covariance: str,
    kept: NDArray[np.bool_] | None = None,
    subspace: str | None = None,
    variance: float = 0.99,
) -> Spectrum:
    """Estimate the covariance of residuals of rows.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
    residuals : callable
        Takes a slice of the rows and returns their residuals, of shape (n_sliced, n_features).
    covariance : {"ledoit_wolf", "oas", "empirical", "diag", "robust"}
        Only the first three are read in blocks where the rows are many.
    kept : ndarray of shape (n_rows,), bool, or None, default=None
        Rows that count; None: all.
    subspace : {"pca", "npca"} or None, default=None
    variance : float, default=0.99

    Returns
    -------
    Spectrum
    """

    def part_of(part: slice) -> Floats:
        found = residuals(part)
        return found if kept is None else found[kept[part]]

    def pieces() -> Iterable[tuple[Floats, None]]:
        for part in row_blocks(len(rows), BLOCK_PATCHES):
            yield part_of(part), None

    plain = subspace is None and covariance in {"ledoit_wolf", "oas", "empirical"}
    if plain and rows.size > _MOST_AT_ONCE and len(rows) > rows.shape[1]:
        return pooled_spectrum(pieces, covariance=covariance)
    return estimate_spectrum(
        part_of(slice(None)), covariance=covariance, subspace=subspace, variance=variance, random_state=0
    )


def squared_norms(rows: Floats) -> Floats:
    """Return squared norms of rows."""
    norms: Floats = np.einsum("ij,ij->i", rows, rows)
    return norms


def squared_distances(rows: Floats, centers: Floats) -> Floats:
    """Return the squared distance of each row to each centre, of shape (n_rows, n_centers)."""
    return np.column_stack([squared_norms(rows - center) for center in centers])


def unit_vectors(rows: NDArray[Any]) -> Floats:
    """Scale rows to norm 1, in float64; rows of zeros stay."""
    values = np.asarray(rows, dtype=np.float64)
    exponents = np.frexp(np.abs(values).max(axis=1, keepdims=True, initial=0.0))[1]
    values = np.ldexp(values, -exponents)  # exact: squares are neither infinite nor 0
    norms = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.where(norms > 0, norms, 1))


def limited(scores: Floats) -> Floats:
    """Return scores with the largest number in place of overflow."""
    return np.nan_to_num(scores, copy=False, nan=_LARGEST, posinf=_LARGEST, neginf=-_LARGEST)
