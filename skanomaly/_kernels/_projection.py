"""Projections of rows on directions, and their deviations from locations in units of scales."""

import numpy as np

from skanomaly._kernels._jit import inner_kernel, inner_kernel_in_order, kernel

__all__ = [
    "aggregate_panels",
    "fill_panels",
    "multiply",
    "multiply_rows",
    "project_panels",
    "scale_deviations",
    "score_panels",
]


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
def fill_panels(rows, start, center, panels):
    """Lay rows out as panels, less their centre: ``panels[p, 256 * j + i] = rows[start + 256 * p + i, j] - c_j``.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
    start : int
        First row to take.
    center : ndarray of shape (n_features,), float64
        The difference is formed in float64, then rounded to the type of `panels`.
    panels : ndarray of shape (n_panels, 256 * n_padded)
        Zeros; written as far as there are rows. `n_padded` is the number of features raised to a multiple of five.

    Notes
    -----
    Cost O(n_panels * n_features). Sixteen rows at a time, so that writes fill cache lines.
    """
    n_samples, n_features = rows.shape
    for panel in range(panels.shape[0]):
        line = panels[panel]
        place = start + 256 * panel
        for first in range(0, min(256, n_samples - place), 16):
            last = min(first + 16, n_samples - place)
            for feature in range(n_features):
                for i in range(first, last):
                    line[256 * feature + i] = rows[place + i, feature] - center[feature]


@inner_kernel
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


@inner_kernel_in_order
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
def multiply(lines, columns, panels, sums, out):
    """Multiply ``directions @ columns``, so that the bits of an entry depend on its direction and its column alone.

    BLAS chooses the order of a sum by the shapes and by the place of a column, so that the bits of a row's score would
    depend on the rows beside it.

    Parameters
    ----------
    lines : ndarray of shape (n_lines, n_padded)
        Directions, with zeros behind the last and behind the last feature; their number is a multiple of four.
    columns : ndarray of shape (n_features, n_columns)
    panels : ndarray of shape (n_panels, 256 * n_padded)
        Zeros; overwritten. Panels for all columns, or four.
    sums : ndarray of shape (1024,)
        Scratch.
    out : ndarray of shape (n_directions, n_columns)
        Overwritten.

    Notes
    -----
    Cost O(n_directions * n_features * n_columns), at about the rate of BLAS.
    """
    n_directions, n_columns = out.shape
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
def multiply_rows(rows, lines, panel, sums, out):
    """Multiply ``rows @ directions.T`` with the sums of :func:`multiply`: the bits of a row depend on the row alone.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
    lines : ndarray of shape (n_lines, n_padded)
        Directions, with zeros behind the last and behind the last feature; their number is a multiple of four.
    panel : ndarray of shape (256 * n_padded,)
        Zeros; overwritten.
    sums : ndarray of shape (1024,)
        Scratch.
    out : ndarray of shape (n_samples, n_directions)
        Overwritten; its type is that of the sums.

    Notes
    -----
    Cost O(n_directions * n_features * n_samples).
    """
    n_samples, n_directions = out.shape
    for start in range(0, n_samples, 256):
        size = min(256, n_samples - start)  # what an earlier panel left behind them is multiplied and not used
        for first in range(0, size, 16):  # so that writes fill cache lines
            for feature in range(rows.shape[1]):
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


@inner_kernel
def _aggregate(sums, locations, factors, maximum, total):
    """Add, or take the largest of, the deviations of the next four directions for 256 rows.

    ``total_i`` becomes ``total_i + sum_k |z_ki - m_k| f_k``, summed over four directions in the type of the
    projections, then in float64; or the maximum of these terms and itself. Fewer than four directions are taken one by
    one.
    """
    count = min(4, locations.size)
    if count == 4 and maximum == 0:
        m0, m1, m2, m3 = locations[0], locations[1], locations[2], locations[3]
        f0, f1, f2, f3 = factors[0], factors[1], factors[2], factors[3]
        for i in range(256):
            deviation = abs(sums[i] - m0) * f0 + abs(sums[256 + i] - m1) * f1
            deviation += abs(sums[512 + i] - m2) * f2 + abs(sums[768 + i] - m3) * f3
            total[i] += np.float64(deviation)
        return
    for k in range(count):
        location, factor, part = locations[k], factors[k], sums[256 * k : 256 * k + 256]
        for i in range(256):
            deviation = np.float64(abs(part[i] - location) * factor)
            if maximum == 0:
                total[i] += deviation
            else:
                total[i] = deviation if deviation > total[i] else total[i]  # noqa: FURB136  # max() is not vectorised


@kernel
def project_panels(lines, panels, start, stop, values):
    """Project all rows on some of the directions.

    Parameters
    ----------
    lines : ndarray of shape (n_lines, n_padded)
        Directions, with zeros behind the last and behind the last feature; their number is a multiple of four.
    panels : ndarray of shape (n_panels, 256 * n_padded)
        What :func:`fill_panels` made of the rows.
    start, stop : int
        The directions; `start` is a multiple of four.
    values : ndarray of shape (n_panels, 256 * n_values)
        Overwritten with the projections of 256 rows at a time, direction by direction. `n_values` is a multiple of four
        and not less than the number of directions.

    Notes
    -----
    Cost O((stop - start) * n_panels * n_features).
    """
    for panel in range(panels.shape[0]):
        for place in range(start, stop, 4):
            _multiply_panel(lines, place, panels[panel], values[panel, 256 * (place - start) :])


@kernel
def aggregate_panels(values, locations, scales, maximum, factors, totals):
    """Aggregate the deviations of all rows from the locations in units of the scales.

    Parameters
    ----------
    values : ndarray of shape (n_panels, 256 * n_values)
        What :func:`project_panels` wrote.
    locations, scales : ndarray of shape (n_directions,)
        In the type of `values`. Directions with a scale of 0 are left out.
    maximum : int
        0 adds deviations, 1 takes the largest.
    factors : ndarray of shape (n_directions,)
        Overwritten with one over the scales.
    totals : ndarray of shape (n_panels, 256), float64
        Raised by the aggregated deviations.

    Notes
    -----
    Cost O(n_directions * n_panels).
    """
    for place in range(scales.size):  # in float64, where no reciprocal is estimated: the bits of NumPy's quotient
        scale = np.float64(scales[place])
        factors[place] = 1.0 / scale if scale > 0 else 0.0
    for panel in range(values.shape[0]):
        for place in range(0, scales.size, 4):
            _aggregate(values[panel, 256 * place :], locations[place:], factors[place:], maximum, totals[panel])


@kernel
def score_panels(lines, panels, locations, factors, per_group, maximum, sums, parts, totals):
    """Project rows and aggregate the deviations, for each mode; all in cache, without the interpreter.

    Parameters
    ----------
    lines : ndarray of shape (n_lines, n_padded)
        Directions, with zeros behind the last and behind the last feature; their number is a multiple of four.
    panels : ndarray of shape (n_panels, 256 * n_padded)
        What :func:`fill_panels` made of the rows.
    locations, factors : ndarray of shape (n_modes, n_directions)
        In the type of `panels`; factors are one over the scales.
    per_group : int
        Number of directions per sum, a multiple of four: sums run within a group, then over groups.
    maximum : int
        0 adds deviations, 1 takes the largest.
    sums : ndarray of shape (1024,), the type of `panels`
    parts : ndarray of shape (n_modes, 256), float64
        Overwritten.
    totals : ndarray of shape (n_modes, n_panels, 256), float64
        Zeros; written.

    Notes
    -----
    Cost O(n_directions * n_panels * (n_features + n_modes)). The deviations of four directions are added while their
    products with 256 rows are in the first-level cache.
    """
    n_modes, n_directions = locations.shape
    for panel in range(panels.shape[0]):
        for first in range(0, n_directions, per_group):
            last = min(first + per_group, n_directions)
            parts[:] = 0.0
            for place in range(first, last, 4):
                _multiply_panel(lines, place, panels[panel], sums)
                for mode in range(n_modes):
                    _aggregate(sums, locations[mode, place:last], factors[mode, place:last], maximum, parts[mode])
            for mode in range(n_modes):
                total, part = totals[mode, panel], parts[mode]
                for i in range(256):
                    if maximum == 0:
                        total[i] += part[i]
                    elif part[i] > total[i]:
                        total[i] = part[i]
