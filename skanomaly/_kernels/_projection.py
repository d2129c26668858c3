"""Projections of rows on directions, and their deviations from locations in units of scales."""

import numpy as np

from skanomaly._kernels._jit import kernel, kernel_in_order
from skanomaly._kernels._order_statistics import median_and_mad

__all__ = [
    "add_deviations",
    "center_rows",
    "fit_tiles",
    "max_deviations",
    "multiply",
    "multiply_rows",
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


# Products are made of panels: 256 columns, laid out feature by feature, with zeros behind the last column and behind
# the last feature, whose number is raised to a multiple of five. So each column is treated alike, and all loops over
# columns have a fixed length.


@kernel
def _padded(directions, dtype):
    """Copy directions, with zeros behind: at least three more directions, and features up to a multiple of five."""
    n_directions, n_features = directions.shape
    lines = np.zeros((n_directions + 3, max(n_features + 4, 5) // 5 * 5), dtype)
    for direction in range(n_directions):
        line, source = lines[direction], directions[direction]
        for feature in range(source.size):
            line[feature] = source[feature]
    return lines


@kernel
def _pack(columns, start, stop, panels):
    """Lay columns out as panels, a feature at a time."""
    for feature in range(columns.shape[0]):
        for panel in range((stop - start + 255) // 256):
            first = start + 256 * panel
            line, source = (
                panels[panel, 256 * feature : 256 * feature + 256],
                columns[feature, first : min(first + 256, stop)],
            )
            for i in range(source.size):
                line[i] = source[i]
            for i in range(source.size, 256):
                line[i] = 0


@kernel_in_order
def _multiply_panel(lines, place, panel, sums):
    """Multiply four directions with a panel: ``sums[256 * k + i] = sum_j lines[place + k, j] panel[256 * j + i]``.

    Five features at a time, so that a sum is loaded and stored once for five products; the order of the features is
    the same for every column.
    """
    u, v, w, x = lines[place], lines[place + 1], lines[place + 2], lines[place + 3]
    for j in range(0, lines.shape[1], 5):
        part = panel[256 * j : 256 * j + 1280]
        u0, u1, u2, u3, u4 = u[j], u[j + 1], u[j + 2], u[j + 3], u[j + 4]
        v0, v1, v2, v3, v4 = v[j], v[j + 1], v[j + 2], v[j + 3], v[j + 4]
        w0, w1, w2, w3, w4 = w[j], w[j + 1], w[j + 2], w[j + 3], w[j + 4]
        x0, x1, x2, x3, x4 = x[j], x[j + 1], x[j + 2], x[j + 3], x[j + 4]
        if j == 0:
            for i in range(256):
                c0, c1, c2, c3, c4 = part[i], part[256 + i], part[512 + i], part[768 + i], part[1024 + i]
                first = u0 * c0 + u1 * c1 + u2 * c2 + u3 * c3 + u4 * c4
                second = v0 * c0 + v1 * c1 + v2 * c2 + v3 * c3 + v4 * c4
                third = w0 * c0 + w1 * c1 + w2 * c2 + w3 * c3 + w4 * c4
                fourth = x0 * c0 + x1 * c1 + x2 * c2 + x3 * c3 + x4 * c4
                sums[i] = first
                sums[256 + i] = second
                sums[512 + i] = third
                sums[768 + i] = fourth
        else:
            for i in range(256):
                c0, c1, c2, c3, c4 = part[i], part[256 + i], part[512 + i], part[768 + i], part[1024 + i]
                first = sums[i] + u0 * c0 + u1 * c1 + u2 * c2 + u3 * c3 + u4 * c4
                second = sums[256 + i] + v0 * c0 + v1 * c1 + v2 * c2 + v3 * c3 + v4 * c4
                third = sums[512 + i] + w0 * c0 + w1 * c1 + w2 * c2 + w3 * c3 + w4 * c4
                fourth = sums[768 + i] + x0 * c0 + x1 * c1 + x2 * c2 + x3 * c3 + x4 * c4
                sums[i] = first
                sums[256 + i] = second
                sums[512 + i] = third
                sums[768 + i] = fourth


@kernel
def multiply(directions, columns, out):
    """Multiply ``directions @ columns``, so that the bits of an entry depend on its direction and its column alone.

    BLAS chooses the order of a sum by the shapes and by the place of a column, so that the bits of a row's score would
    depend on the rows beside it.

    Parameters
    ----------
    directions : ndarray of shape (n_directions, n_features)
    columns : ndarray of shape (n_features, n_columns)
    out : ndarray of shape (n_directions, n_columns)
        Overwritten.

    Notes
    -----
    Cost O(n_directions * n_features * n_columns), at about the rate of BLAS.
    """
    n_directions, n_columns = out.shape
    lines = _padded(directions, columns.dtype)
    n_panels = (min(1024, n_columns) + 255) // 256
    panels, sums = np.zeros((n_panels, 256 * lines.shape[1]), columns.dtype), np.empty(1024, columns.dtype)
    for start in range(0, n_columns, 1024):
        stop = min(start + 1024, n_columns)
        _pack(columns, start, stop, panels)
        for place in range(0, n_directions, 4):
            for first in range(start, stop, 256):
                last = min(first + 256, stop)
                _multiply_panel(lines, place, panels[(first - start) // 256], sums)
                for direction in range(place, min(place + 4, n_directions)):
                    source, line = sums[256 * (direction - place) :], out[direction, first:last]
                    for i in range(line.size):
                        line[i] = source[i]


@kernel
def multiply_rows(rows, directions, out):
    """Multiply ``rows @ directions.T`` with the sums of :func:`multiply`: the bits of a row depend on the row alone.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
    directions : ndarray of shape (n_directions, n_features)
    out : ndarray of shape (n_samples, n_directions)
        Overwritten; its type is that of the sums.

    Notes
    -----
    Cost O(n_directions * n_features * n_samples).
    """
    n_samples, n_directions = out.shape
    n_features = rows.shape[1]
    lines = _padded(directions, out.dtype)
    panel, sums = np.zeros(256 * lines.shape[1], out.dtype), np.empty(1024, out.dtype)
    for start in range(0, n_samples, 256):
        size = min(256, n_samples - start)  # what an earlier panel left behind them is multiplied and not used
        for first in range(0, size, 16):  # so that writes fill cache lines
            for feature in range(n_features):
                for i in range(first, min(first + 16, size)):
                    panel[256 * feature + i] = rows[start + i, feature]
        for place in range(0, n_directions, 4):
            _multiply_panel(lines, place, panel, sums)
            count = min(4, n_directions - place)
            if count == 4:
                for i in range(size):
                    out[start + i, place] = sums[i]
                    out[start + i, place + 1] = sums[256 + i]
                    out[start + i, place + 2] = sums[512 + i]
                    out[start + i, place + 3] = sums[768 + i]
            else:
                for k in range(count):
                    for i in range(size):
                        out[start + i, place + k] = sums[256 * k + i]


@kernel
def _add_panel(sums, count, locations, factors, total):
    """Add the deviations of up to four directions, as :func:`add_deviations` does."""
    if count == 4:
        m0, m1, m2, m3 = locations[0], locations[1], locations[2], locations[3]
        f0, f1, f2, f3 = factors[0], factors[1], factors[2], factors[3]
        for i in range(256):
            deviation = abs(sums[i] - m0) * f0 + abs(sums[256 + i] - m1) * f1
            deviation += abs(sums[512 + i] - m2) * f2 + abs(sums[768 + i] - m3) * f3
            total[i] += np.float64(deviation)
    else:
        for k in range(count):
            location, factor, part = locations[k], factors[k], sums[256 * k : 256 * k + 256]
            for i in range(256):
                total[i] += np.float64(abs(part[i] - location) * factor)


@kernel
def _max_panel(sums, count, locations, factors, total):
    """Take the largest of the deviations of up to four directions, as :func:`max_deviations` does."""
    for k in range(count):
        location, factor, part = locations[k], factors[k], sums[256 * k : 256 * k + 256]
        for i in range(256):
            deviation = np.float64(abs(part[i] - location) * factor)
            total[i] = deviation if deviation > total[i] else total[i]  # noqa: FURB136  # max() is not vectorised


@kernel
def fit_tiles(directions, tiles, n_samples, aggregation, values, locations, scales, totals):
    """Project all rows, find median and MAD along each direction, and aggregate the deviations in units of the MAD.

    One call for many directions, since threads that return to the interpreter for each small step wait for each other.

    Parameters
    ----------
    directions : ndarray of shape (n_directions, n_features)
    tiles : ndarray of shape (n_tiles, n_features, width)
        Centred rows, by feature: row i is ``tiles[i // width, :, i % width]``, zeros follow the last.
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
        Centred rows, by feature.
    locations, factors : ndarray of shape (n_modes, n_directions)
        In the type of `columns`; factors are one over the scales.
    per_block, blocks_per_group : int
        Their product is the number of directions per sum: sums run within a group, then over groups.
    maximum : int
        0 adds deviations, 1 takes the largest.
    totals : ndarray of shape (n_modes, n_samples), float64
        Zeros; written.

    Notes
    -----
    Cost O(n_directions * n_samples * (n_features + n_modes)). The deviations of four directions are added while their
    products with 256 rows are in the first-level cache.
    """
    n_directions = directions.shape[0]
    n_modes, n_samples = totals.shape
    lines = _padded(directions, columns.dtype)
    panels, sums = np.zeros((1, 256 * lines.shape[1]), columns.dtype), np.empty(1024, columns.dtype)
    parts = np.empty((n_modes, 256))
    per_group = per_block * blocks_per_group
    for start in range(0, n_samples, 256):
        stop = min(start + 256, n_samples)
        _pack(columns, start, stop, panels)
        for first in range(0, n_directions, per_group):
            last = min(first + per_group, n_directions)
            for mode in range(n_modes):
                for i in range(256):
                    parts[mode, i] = 0.0
            for place in range(first, last, 4):
                _multiply_panel(lines, place, panels[0], sums)
                end = min(place + 4, last)
                for mode in range(n_modes):
                    location, factor = locations[mode, place:end], factors[mode, place:end]
                    if maximum == 1:
                        _max_panel(sums, end - place, location, factor, parts[mode])
                    else:
                        _add_panel(sums, end - place, location, factor, parts[mode])
            for mode in range(n_modes):
                total, part = totals[mode, start:stop], parts[mode]
                for i in range(total.size):
                    if maximum == 0:
                        total[i] += part[i]
                    elif part[i] > total[i]:
                        total[i] = part[i]
