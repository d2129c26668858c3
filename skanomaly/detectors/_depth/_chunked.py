"""Medians and MADs of the columns and projections of a table in chunks, found by counting."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._chunk_medians import deviations, medians, medians_and_mads
from skanomaly._support._chunks import Chunks
from skanomaly._support._covariance import ledoit_wolf_shrinkage, whitening_matrix
from skanomaly._support._exact_sums import CrossProducts, ExactSum
from skanomaly._support._products import column_product
from skanomaly._support._selection import Lines
from skanomaly.detectors._depth._projections import (
    center_columns,
    invert_scales,
    mad_from_mean,
    positive_scales,
    threshold_of_logs,
)
from skanomaly.detectors._depth._whitening import scale_of_columns, scaled_rows

__all__ = ["ChunkedTable", "chunked_whitening", "table_log_threshold"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


class ChunkedTable:
    """A table in chunks, with the medians and MADs of its columns and projections.

    Parameters
    ----------
    table : Chunks

    Attributes
    ----------
    center : ndarray of shape (n_features,), float64
        Median of each column.
    """

    def __init__(self, table: Chunks) -> None:
        self._table = table
        columns = np.arange(table.n_features)
        self.center = medians(table, _columns, (), columns, table.n_normal).astype(np.float64)

    def inverse_mads(self) -> Floats:
        """Return 1 / MAD of each column; 1 where the column is constant."""
        table = self._table
        scales = _medians_and_scales(table, _centred_columns, (self.center,), table.n_features, table.n_normal)[1]
        return invert_scales(scales.astype(np.float64), self.center)

    def fit_projections(self, directions: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], int]:
        """Return median and MAD along each direction, and the number of directions with an MAD of 0."""
        table, arguments = self._table, (self.center, directions)
        locations, scales, n_flat = _medians_and_scales(table, _projected, arguments, len(directions), table.n_normal)
        return locations, positive_scales(scales, self.center), n_flat


def table_log_threshold(table: Chunks, detector: Any) -> float:
    """Return the threshold of :func:`log_score_threshold` from the outlyingness of all rows.

    Parameters
    ----------
    table : Chunks
    detector : RandomProjectionDepth
        Fitted but for its threshold.

    Returns
    -------
    float
    """
    (median, location), (_, scale), _ = _medians_and_scales(
        table, _outlyingness_and_log, (detector,), 2, table.n_samples
    )
    return threshold_of_logs(location, scale, median)


def chunked_whitening(table: Chunks, center: Floats, inverse: Floats) -> Floats:
    """Return the matrix that whitens the rows by the shrunk covariance around their medians.

    Parameters
    ----------
    table : Chunks
    center : ndarray of shape (n_features,)
        Medians.
    inverse : ndarray of shape (n_features,)
        1 / MAD of each column.

    Returns
    -------
    ndarray of shape (n_features, n_features)
        Equal to :func:`whitening_of_tiles` but for rounding; it does not depend on the chunks.
    """
    factor = scale_of_columns(inverse)
    sums, largest = table.reduce(_add_scaled, _merge_scaled, center, inverse, factor)
    n_rows, mean = table.n_normal, sums.total() / table.n_normal
    bounds = np.nextafter(largest + np.abs(mean), np.inf)
    products, fourths = table.reduce(_add_products, _merge_products, center, inverse, factor, mean, bounds)
    covariance = products.total() / n_rows
    trace, frobenius = float(np.trace(covariance)), float(np.square(covariance).sum())
    shrinkage = ledoit_wolf_shrinkage(trace, frobenius, float(fourths.total()[0]) / n_rows, n_rows, len(covariance))
    covariance *= 1.0 - shrinkage
    covariance[np.diag_indices(len(covariance))] += shrinkage * trace / len(covariance)
    return whitening_matrix(covariance) * factor


def _scaled(
    rows: NDArray[Any], normal: NDArray[np.bool_] | None, center: Floats, inverse: Floats, factor: float
) -> Floats:
    centred = center_columns(rows if normal is None else rows[normal], center).T
    return scaled_rows(np.ascontiguousarray(centred, dtype=np.float64), inverse, factor)


def _add_scaled(
    rows: NDArray[Any], normal: NDArray[np.bool_] | None, center: Floats, inverse: Floats, factor: float
) -> tuple[ExactSum, Floats]:
    scaled = _scaled(rows, normal, center, inverse, factor)
    return ExactSum(scaled.shape[1]).add(scaled.T), np.abs(scaled).max(axis=0, initial=0.0)


def _merge_scaled(one: tuple[ExactSum, Floats], other: tuple[ExactSum, Floats]) -> tuple[ExactSum, Floats]:
    return one[0].merge(other[0]), np.maximum(one[1], other[1])


def _add_products(
    rows: NDArray[Any],
    normal: NDArray[np.bool_] | None,
    center: Floats,
    inverse: Floats,
    factor: float,
    mean: Floats,
    bounds: Floats,
) -> tuple[CrossProducts, ExactSum]:
    centred = _scaled(rows, normal, center, inverse, factor) - mean
    squares = np.square(np.einsum("ij,ij->i", centred, centred))
    return CrossProducts(bounds).add(centred), ExactSum(1).add(squares[None])


def _merge_products(
    one: tuple[CrossProducts, ExactSum], other: tuple[CrossProducts, ExactSum]
) -> tuple[CrossProducts, ExactSum]:
    return one[0].merge(other[0]), one[1].merge(other[1])


def _medians_and_scales(
    table: Chunks, lines: Lines, arguments: tuple[Any, ...], n_lines: int, n_values: int
) -> tuple[NDArray[Any], NDArray[Any], int]:
    """Compute median and MAD of each line; an MAD of 0 is replaced by the scaled mean absolute deviation."""
    locations, scales = medians_and_mads(table, lines, arguments, n_lines, n_values)
    flat = np.flatnonzero(scales == 0)
    if flat.size:
        sums = table.reduce(_sum_lines, ExactSum.merge, deviations, (lines, arguments, locations), flat)
        scales[flat] = mad_from_mean(sums.total(), n_values)
    return locations, scales, flat.size


def _outlyingness_and_log(
    rows: NDArray[Any], _normal: NDArray[np.bool_] | None, places: Places, detector: Any
) -> NDArray[Any]:
    """Return the outlyingness of all rows, whatever their labels, and its logarithm."""
    outlyingness = detector._outlyingness(rows)
    return np.stack([outlyingness, np.log(0.1 + outlyingness)])[places]


def _columns(rows: NDArray[Any], normal: NDArray[np.bool_] | None, places: Places) -> NDArray[Any]:
    return np.ascontiguousarray((rows if normal is None else rows[normal])[:, places].T)


def _centred_columns(
    rows: NDArray[Any], normal: NDArray[np.bool_] | None, places: Places, center: Floats
) -> NDArray[Any]:
    return center_columns(rows if normal is None else rows[normal], center)[places]


def _projected(
    rows: NDArray[Any], normal: NDArray[np.bool_] | None, places: Places, center: Floats, directions: NDArray[Any]
) -> NDArray[Any]:
    rows = rows if normal is None else rows[normal]
    return column_product(directions[places], center_columns(rows, center))


def _sum_lines(
    rows: NDArray[Any], normal: NDArray[np.bool_] | None, lines: Lines, arguments: tuple[Any, ...], places: Places
) -> ExactSum:
    return ExactSum(len(places)).add(lines(rows, normal, places, *arguments))
