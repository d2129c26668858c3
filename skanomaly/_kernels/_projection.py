"""What follows a projection: deviations from locations in units of scales, reduced over directions."""

import numpy as np

from skanomaly._kernels._jit import kernel
from skanomaly._kernels._order_statistics import median_and_mad

__all__ = [
    "add_deviations",
    "center_rows",
    "fit_tiles",
    "max_deviations",
    "multiply",
    "scale_deviations",
    "score_tile",
]


@kernel
def center_rows(rows, start, stop, center, out, place):
    """Subtract the centre from rows and lay them out by feature: ``out[j, place + i] = rows[start + i, j] - c_j``.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
    start, stop : int
        Rows to take.
    center : ndarray of shape (n_features,), float64
        The difference is formed in float64, then rounded to the type of `out`.
    out : ndarray of shape (n_features, at least place + stop - start)
    place : int
        Column of `out` for the first row.

    Notes
    -----
    Cost O((stop - start) * n_features). Sixteen rows at a time, so that writes fill cache lines.
    """
    for first in range(start, stop, 16):
        last = min(first + 16, stop)
        for feature in range(rows.shape[1]):
            for row in range(first, last):
                out[feature, place + row - start] = rows[row, feature] - center[feature]


@kernel
def add_deviations(projections, locations, factors, total):
    """Add ``sum_k |z_ki - m_k| f_k`` to ``total_i``: four directions in the type of `projections`, then in float64.

    Parameters
    ----------
    projections : ndarray of shape (n_directions, n_samples)
    locations, factors : ndarray of shape (n_directions,)
        In the type of `projections`.
    total : ndarray of shape (n_samples,), float64

    Notes
    -----
    Cost O(n_directions * n_samples). The order of the sum does not depend on where a sample stands.
    """
    n_directions, n_samples = projections.shape
    whole = n_directions - n_directions % 4
    for direction in range(0, whole, 4):
        first, second = projections[direction], projections[direction + 1]
        third, fourth = projections[direction + 2], projections[direction + 3]
        m0, m1, m2, m3 = (
            locations[direction],
            locations[direction + 1],
            locations[direction + 2],
            locations[direction + 3],
        )
        f0, f1, f2, f3 = factors[direction], factors[direction + 1], factors[direction + 2], factors[direction + 3]
        for sample in range(n_samples):
            deviation = abs(first[sample] - m0) * f0 + abs(second[sample] - m1) * f1
            deviation += abs(third[sample] - m2) * f2 + abs(fourth[sample] - m3) * f3
            total[sample] += np.float64(deviation)
    for direction in range(whole, n_directions):
        line = projections[direction]
        location = locations[direction]
        factor = factors[direction]
        for sample in range(n_samples):
            total[sample] += np.float64(abs(line[sample] - location) * factor)


@kernel
def max_deviations(projections, locations, factors, total):
    """Raise ``total_i`` to ``max_k |z_ki - m_k| f_k`` where that is larger.

    Parameters
    ----------
    projections : ndarray of shape (n_directions, n_samples)
    locations, factors : ndarray of shape (n_directions,)
        In the type of `projections`.
    total : ndarray of shape (n_samples,), float64

    Notes
    -----
    Cost O(n_directions * n_samples).
    """
    for direction in range(projections.shape[0]):
        line = projections[direction]
        location = locations[direction]
        factor = factors[direction]
        for sample in range(line.size):
            deviation = np.float64(abs(line[sample] - location) * factor)
            total[sample] = deviation if deviation > total[sample] else total[sample]  # noqa: FURB136  # max() is not vectorised


@kernel
def scale_deviations(projections, locations, factors, out):
    """Compute ``out_ik = |z_ik - m_k| f_k``, directions along rows.

    Parameters
    ----------
    projections, out : ndarray of shape (n_samples, n_directions)
        May be the same array.
    locations, factors : ndarray of shape (n_directions,)
        In the type of `projections`.

    Notes
    -----
    Cost O(n_samples * n_directions).
    """
    for sample in range(projections.shape[0]):
        for direction in range(projections.shape[1]):
            out[sample, direction] = abs(projections[sample, direction] - locations[direction]) * factors[direction]


@kernel
def _multiply_four(u, v, w, x, columns, first, second, third, fourth):
    """Multiply four directions with all columns: each value loaded serves four sums."""
    n_features, size = columns.shape
    whole = n_features - n_features % 4
    for i in range(size):
        first[i] = second[i] = third[i] = fourth[i] = 0
    for j in range(0, whole, 4):
        c0, c1, c2, c3 = columns[j], columns[j + 1], columns[j + 2], columns[j + 3]
        u0, u1, u2, u3 = u[j], u[j + 1], u[j + 2], u[j + 3]
        v0, v1, v2, v3 = v[j], v[j + 1], v[j + 2], v[j + 3]
        w0, w1, w2, w3 = w[j], w[j + 1], w[j + 2], w[j + 3]
        x0, x1, x2, x3 = x[j], x[j + 1], x[j + 2], x[j + 3]
        for i in range(size):
            first[i] += u0 * c0[i] + u1 * c1[i] + u2 * c2[i] + u3 * c3[i]
            second[i] += v0 * c0[i] + v1 * c1[i] + v2 * c2[i] + v3 * c3[i]
            third[i] += w0 * c0[i] + w1 * c1[i] + w2 * c2[i] + w3 * c3[i]
            fourth[i] += x0 * c0[i] + x1 * c1[i] + x2 * c2[i] + x3 * c3[i]
    for j in range(whole, n_features):
        column = columns[j]
        u0, v0, w0, x0 = u[j], v[j], w[j], x[j]
        for i in range(size):
            first[i] += u0 * column[i]
            second[i] += v0 * column[i]
            third[i] += w0 * column[i]
            fourth[i] += x0 * column[i]


@kernel
def multiply(directions, columns, out):
    """Multiply ``directions @ columns``, so that the bits of an entry depend on its direction and its column alone.

    BLAS chooses the order of a sum by the shapes and by the place of a column, so that the bits of a row's score would
    depend on the rows beside it.

    Parameters
    ----------
    directions : ndarray of shape (n_directions, n_features)
    columns : ndarray of shape (n_features, n_columns)
        `n_columns` is a multiple of 64, so that no column is left for another loop than the vector instructions'.
    out : ndarray of shape (n_directions, n_columns)
        Overwritten.

    Notes
    -----
    Cost O(n_directions * n_features * n_columns), at about half the rate of BLAS in cache.
    """
    n_directions, size = out.shape
    if n_directions >= 4:
        lines, target = directions, out
    else:
        lines = np.zeros((4, directions.shape[1]), directions.dtype)
        target = np.empty((4, size), out.dtype)
        for direction in range(n_directions):
            for j in range(directions.shape[1]):
                lines[direction, j] = directions[direction, j]
    for start in range(0, n_directions, 4):
        place = max(min(start, n_directions - 4), 0)  # the last four may overlap those before, with the same result
        _multiply_four(
            lines[place],
            lines[place + 1],
            lines[place + 2],
            lines[place + 3],
            columns,
            target[place],
            target[place + 1],
            target[place + 2],
            target[place + 3],
        )
    if n_directions < 4:
        for direction in range(n_directions):
            for i in range(size):
                out[direction, i] = target[direction, i]


@kernel
def fit_tiles(directions, tiles, n_samples, aggregation, values, locations, scales, totals):
    """Project all rows, find median and MAD along each direction, and aggregate the deviations in units of the MAD.

    One call for many directions, since threads that return to the interpreter for each small step wait for each other.

    Parameters
    ----------
    directions : ndarray of shape (n_directions, n_features)
    tiles : ndarray of shape (n_tiles, n_features, width)
        Centred rows, by feature: row i is ``tiles[i // width, :, i % width]``, zeros follow the last. The width is a
        multiple of 64, see :func:`multiply`.
    n_samples : int
        At least 1.
    aggregation : int
        0 adds deviations, 1 takes the largest, -1 computes none.
    values : ndarray of shape (n_tiles, per_block, width)
        Overwritten with the projections on so many directions at a time; they should fit in the second-level cache.
    locations, scales : ndarray of shape (n_directions,)
        Overwritten with medians and MADs.
    totals : ndarray of shape (n_tiles, width), float64
        Raised by the aggregated deviations. Directions with an MAD of 0 are left out.

    Notes
    -----
    Cost O(n_directions * n_features * n_samples); extra memory two projections.
    """
    n_directions = directions.shape[0]
    n_tiles, per_block, _ = values.shape
    factors = np.empty(n_directions, tiles.dtype)
    for start in range(0, n_directions, per_block):
        stop = min(start + per_block, n_directions)
        block = directions[start:stop]
        for tile in range(n_tiles):
            multiply(block, tiles[tile], values[tile][: stop - start])
        location, factor = locations[start:stop], factors[start:stop]
        median_and_mad(values, n_samples, location, scales[start:stop])
        for place in range(factor.size):  # in float64, where no reciprocal is estimated: the bits of NumPy's quotient
            scale = np.float64(scales[start + place])
            factor[place] = 1.0 / scale if scale > 0 else 0.0
        for tile in range(n_tiles):
            if aggregation == 0:
                add_deviations(values[tile][: stop - start], location, factor, totals[tile])
            elif aggregation == 1:
                max_deviations(values[tile][: stop - start], location, factor, totals[tile])


@kernel
def score_tile(directions, columns, locations, factors, per_block, blocks_per_group, maximum, totals):
    """Project one tile of rows and aggregate the deviations, for each mode; all in cache, without the interpreter.

    Parameters
    ----------
    directions : ndarray of shape (n_directions, n_features)
    columns : ndarray of shape (n_features, n_samples)
        Centred rows, by feature; `n_samples` is a multiple of 64, see :func:`multiply`.
    locations, factors : ndarray of shape (n_modes, n_directions)
        In the type of `columns`; factors are one over the scales.
    per_block, blocks_per_group : int
        Directions per product, products per sum: sums run within a group, then over groups.
    maximum : int
        0 adds deviations, 1 takes the largest.
    totals : ndarray of shape (n_modes, n_samples), float64
        Zeros; written.

    Notes
    -----
    Cost O(n_directions * n_samples * (n_features + n_modes)).
    """
    n_directions = directions.shape[0]
    n_modes, n_samples = totals.shape
    buffer = np.empty((min(per_block, n_directions), n_samples), columns.dtype)
    parts = np.empty((n_modes, n_samples))
    per_group = per_block * blocks_per_group
    for first in range(0, n_directions, per_group):
        for mode in range(n_modes):
            for sample in range(n_samples):
                parts[mode, sample] = 0.0
        last = min(first + per_group, n_directions)
        for start in range(first, last, per_block):
            stop = min(start + per_block, last)
            values = buffer[: stop - start]
            multiply(directions[start:stop], columns, values)
            for mode in range(n_modes):
                location, factor, part = locations[mode, start:stop], factors[mode, start:stop], parts[mode]
                if maximum == 1:
                    max_deviations(values, location, factor, part)
                else:
                    add_deviations(values, location, factor, part)
        for mode in range(n_modes):
            for sample in range(n_samples):
                value = parts[mode, sample]
                if maximum == 0:
                    totals[mode, sample] += value
                elif value > totals[mode, sample]:
                    totals[mode, sample] = value
