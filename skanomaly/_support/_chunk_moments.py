"""Means, products and spectra of a table in chunks, which do not depend on its cuts or on its order."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._chunks import Chunks
from skanomaly._support._exact_sums import CrossProducts, ExactSum
from skanomaly._support._products import fixed_product
from skanomaly._support._scales import SafeRange
from skanomaly._support._spectrum import Spectrum, spectrum_of_products

__all__ = ["TableMoments", "first_moments", "table_spectrum"]

Floats = NDArray[np.float64]


class TableMoments(NamedTuple):
    """Number, mean and extremes of rows."""

    n_rows: int
    mean: Floats
    low: Floats
    high: Floats


class _Sums(NamedTuple):
    """Sums over the rows without extreme values (0), and over the others (1)."""

    counts: NDArray[np.int64]
    sums: tuple[ExactSum, ExactSum]
    low: Floats
    high: Floats


def first_moments(table: Chunks, limits: SafeRange) -> tuple[TableMoments, bool]:
    """Return moments of the rows that have no extreme value; of all rows, where those are fewer than half.

    Parameters
    ----------
    table : Chunks
    limits : SafeRange
        Applied first.

    Returns
    -------
    moments : TableMoments
    all_count : bool
        Whether all rows count.
    """
    found = table.reduce(_add_up, _merge_sums, limits)
    all_count = 2 * int(found.counts[0]) < int(found.counts.sum())
    sums = found.sums[0].merge(found.sums[1]) if all_count else found.sums[0]
    n_rows = int(found.counts.sum() if all_count else found.counts[0])
    low, high = (found.low.min(axis=0), found.high.max(axis=0)) if all_count else (found.low[0], found.high[0])
    return TableMoments(n_rows, sums.total() / n_rows, low, high), all_count


def _add_up(rows: NDArray[Any], normal: NDArray[np.bool_] | None, limits: SafeRange) -> _Sums:
    rows = limits.apply(rows if normal is None else rows[normal])
    extreme = limits.extreme(rows).any(axis=1)
    parts = [rows[~extreme], rows[extreme]]
    sums = ExactSum(rows.shape[1]).add(parts[0].T), ExactSum(rows.shape[1]).add(parts[1].T)
    low = np.array([part.min(axis=0, initial=np.inf) for part in parts])
    high = np.array([part.max(axis=0, initial=-np.inf) for part in parts])
    return _Sums(np.array([len(part) for part in parts]), sums, low, high)


def _merge_sums(one: _Sums, other: _Sums) -> _Sums:
    sums = one.sums[0].merge(other.sums[0]), one.sums[1].merge(other.sums[1])
    return _Sums(one.counts + other.counts, sums, np.minimum(one.low, other.low), np.maximum(one.high, other.high))


def table_spectrum(
    table: Chunks,
    limits: SafeRange,
    moments: TableMoments,
    *,
    all_count: bool,
    covariance: str,
    subspace: str | None = None,
    variance: float = 0.99,
) -> Spectrum:
    """Estimate the covariance of the rows around their mean.

    Parameters
    ----------
    table : Chunks
    limits : SafeRange
    moments : TableMoments
    all_count : bool
        As from :func:`first_moments`.
    covariance, subspace, variance
        As :func:`~skanomaly._support._spectrum.estimate_spectrum` takes them.

    Returns
    -------
    Spectrum
        Its location is 0: that of rows from which the mean was subtracted.
    """
    width = np.maximum(moments.high - moments.mean, moments.mean - moments.low)
    largest = float(width.max(initial=0.0))
    scale = 1.0 if largest == 0 else 2.0 ** -float(np.clip(np.ceil(np.log2(largest)), -1000, 1000))
    arguments = (limits, all_count, moments.mean, scale)
    bounds = np.nextafter(width * scale, np.inf)
    products, fourths = table.reduce(_add_products, _merge_products, *arguments, bounds)

    def fourth(vectors: Floats | None) -> float:
        sums = fourths if vectors is None else table.reduce(_add_fourths, ExactSum.merge, *arguments, vectors)
        return float(sums.total()[0]) / moments.n_rows

    return spectrum_of_products(
        np.zeros(len(moments.mean)),
        scale,
        products.total(),
        fourth,
        moments.n_rows,
        covariance=covariance,
        subspace=subspace,
        variance=variance,
    )


def _centred(
    rows: NDArray[Any], normal: NDArray[np.bool_] | None, limits: SafeRange, all_count: bool, mean: Floats, scale: float
) -> Floats:
    rows = limits.apply(rows if normal is None else rows[normal])
    if not all_count:
        rows = rows[~limits.extreme(rows).any(axis=1)]
    centred: Floats = rows - mean
    centred *= scale
    return centred


def _add_products(
    rows: NDArray[Any],
    normal: NDArray[np.bool_] | None,
    limits: SafeRange,
    all_count: bool,
    mean: Floats,
    scale: float,
    bounds: Floats,
) -> tuple[CrossProducts, ExactSum]:
    centred = _centred(rows, normal, limits, all_count, mean, scale)
    return CrossProducts(bounds).add(centred), _fourths(centred)


def _merge_products(
    one: tuple[CrossProducts, ExactSum], other: tuple[CrossProducts, ExactSum]
) -> tuple[CrossProducts, ExactSum]:
    return one[0].merge(other[0]), one[1].merge(other[1])


def _add_fourths(
    rows: NDArray[Any],
    normal: NDArray[np.bool_] | None,
    limits: SafeRange,
    all_count: bool,
    mean: Floats,
    scale: float,
    vectors: Floats,
) -> ExactSum:
    return _fourths(fixed_product(_centred(rows, normal, limits, all_count, mean, scale), vectors))


def _fourths(rows: Floats) -> ExactSum:
    return ExactSum(1).add(np.square(np.einsum("ij,ij->i", rows, rows))[None])
