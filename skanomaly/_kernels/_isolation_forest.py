"""Isolation trees: random splits until every row is alone, path lengths, and their split among the columns.

A tree of depth D is stored as a complete binary tree: ``2**D - 1`` inner nodes, breadth first, then ``2**D`` leaves, so
that scoring takes D steps without a branch. The children of node i are ``2 i + 1`` and ``2 i + 2``. A row goes right
where ``(low < x) & (x <= high)`` differs from `flip`; every comparison with NaN is false, so that NaN goes right where
`flip` is set. A node that is not split sends every row left. Where no split is of a category and no value is NaN, a row
goes right where ``x > high`` if `flip` is set, else where ``x > low``: there one threshold a node is enough.
"""

import math

import numpy as np

from skanomaly._kernels._jit import allocating_kernel, inner_kernel, kernel

__all__ = ["add_path_credits", "add_path_lengths", "add_threshold_lengths", "grow_isolation_tree"]


@inner_kernel
def _sort(values, size):
    """Sort ``values[:size]`` in place by steps that halve (Shell), which compile in a tenth of the time of np.sort."""
    step = size // 2
    while step > 0:
        for index in range(step, size):
            value = values[index]
            place = index
            while place >= step and values[place - step] > value:
                values[place] = values[place - step]
                place -= step
            values[place] = value
        step //= 2


@inner_kernel
def _draw_level(rows, members, start, size, column, n_missing, rng, levels):
    """Draw one of the distinct values of a column in a node, NaN being one of them; `levels` is overwritten."""
    n_values = np.intp(0)  # no literal, for which the sort would be compiled once more
    for place in range(start, start + size):
        value = rows[members[place], column]
        if not math.isnan(value):
            levels[n_values] = value
            n_values += 1
    _sort(levels, n_values)
    n_levels = 1
    for place in range(1, n_values):
        if levels[place] != levels[place - 1]:
            levels[n_levels] = levels[place]
            n_levels += 1
    drawn = int(rng.random() * (n_levels + (n_missing > 0)))
    return np.float64(levels[drawn]) if drawn < n_levels else np.nan


@inner_kernel
def _find_column(rows, members, start, size, columns, rng):
    """Draw a column that varies among the members of a node; return it with its range and number of NaN, or -1."""
    n_columns = columns.size
    for tried in range(n_columns):
        drawn = tried + int(rng.random() * (n_columns - tried))
        column = columns[drawn]
        columns[drawn] = columns[tried]
        columns[tried] = column
        n_missing = 0
        low, high = np.inf, -np.inf
        for place in range(start, start + size):
            value = np.float64(rows[members[place], column])
            if math.isnan(value):
                n_missing += 1
            if value < low:
                low = value
            if value > high:
                high = value
        if low < high or (low == high and n_missing > 0):
            return column, low, high, n_missing
    return -1, 0.0, 0.0, 0


@allocating_kernel
def grow_isolation_tree(
    rows, members, is_category, rng, columns_out, lows, highs, flips, sizes, starts, columns, moved, values
):
    """Grow one tree on the rows `members`; O(m (D + tried columns) + 2**D).

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
        Finite numbers or NaN. Categories are codes.
    members : ndarray of shape (m,), intp
        The rows drawn for this tree; reordered.
    is_category : ndarray of shape (n_columns,), bool
        A split of such a column parts one of its values, NaN included, from all others.
    rng : numpy.random.Generator
    columns_out, lows, highs, flips : ndarray of shape (2**D - 1,), int32, float64, float64, bool
        Written: the splits.
    sizes : ndarray of shape (2**(D + 1) - 1,), int32
        Written: rows of every node.
    starts : ndarray of shape (2**(D + 1) - 1,), intp
        Zeros; written: first member of every node.
    columns : ndarray of shape (n_columns,), intp
        All columns in any order; reordered.
    moved, values : ndarray of shape (m,), intp and the type of the rows
        Scratch.

    Notes
    -----
    A column of numbers is split uniformly between its extremes in the node. Where some of its values are NaN, every
    second split parts NaN from all numbers; else NaN goes with the larger part. Where a node holds no NaN, a NaN that
    is scored later goes with the smaller part.
    """
    sizes[0] = members.size
    for node in range(columns_out.size):
        left, right = 2 * node + 1, 2 * node + 2
        start, size = starts[node], sizes[node]
        column, low, high, n_missing = -1, 0.0, 0.0, 0
        if size > 1:
            column, low, high, n_missing = _find_column(rows, members, start, size, columns, rng)
        n_left = size
        if column < 0:
            columns_out[node], lows[node], highs[node], flips[node] = 0, np.inf, np.inf, False
        else:
            flip = False
            if is_category[column]:
                level = _draw_level(rows, members, start, size, column, n_missing, rng, values)
                flip = math.isnan(level)
                low, high = (-np.inf, np.inf) if flip else (level - 0.5, level + 0.5)
            elif n_missing > 0 and (low == high or rng.random() < 0.5):
                low, high, flip = -np.inf, np.inf, True
            else:
                part = rng.random()
                threshold = low * (1.0 - part) + high * part
                if not low <= threshold < high:
                    threshold = low
                n_above = 0
                for place in range(start, start + size):
                    n_above += rows[members[place], column] > threshold
                n_below = size - n_missing - n_above
                flip = n_above > n_below if n_missing > 0 else n_above <= n_below
                low, high = (-np.inf, threshold) if flip else (threshold, np.inf)
            n_left, n_right = 0, 0
            for place in range(start, start + size):
                member = members[place]
                value = np.float64(rows[member, column])
                if ((low < value) & (value <= high)) != flip:
                    moved[n_right] = member
                    n_right += 1
                else:
                    members[start + n_left] = member
                    n_left += 1
            for place in range(n_right):  # numba compiles the error message of a slice for seconds
                members[start + n_left + place] = moved[place]
            columns_out[node], lows[node], highs[node], flips[node] = column, low, high, flip
        sizes[left], sizes[right] = n_left, size - n_left
        starts[left], starts[right] = start, start + n_left


@kernel
def add_path_lengths(cells, n_columns, columns, lows, highs, flips, lengths, out):
    """Add each row's path length in every tree, tree by tree; O(n_rows n_trees D).

    Parameters
    ----------
    cells : ndarray of shape (n_rows * n_columns,)
        The rows, one behind the other.
    n_columns : int
    columns, lows, highs, flips : ndarray of shape (n_trees, 2**D - 1)
    lengths : ndarray of shape (n_trees, 2**D)
    out : ndarray of shape (n_rows,), float64
        Added to.

    Notes
    -----
    Four rows walk down side by side: each waits for memory most of the time.
    """
    n_rows = out.size
    n_trees, n_inner = columns.shape
    depth = 0
    while (1 << depth) - 1 < n_inner:
        depth += 1
    for tree in range(n_trees):
        column, low, high, flip, length = columns[tree], lows[tree], highs[tree], flips[tree], lengths[tree]
        for row in range(0, n_rows - 3, 4):
            first, second, third, fourth = 0, 0, 0, 0
            start = row * n_columns
            for _ in range(depth):
                value = cells[start + column[first]]
                first = 2 * first + 1 + (((low[first] < value) & (value <= high[first])) ^ flip[first])
                value = cells[start + n_columns + column[second]]
                second = 2 * second + 1 + (((low[second] < value) & (value <= high[second])) ^ flip[second])
                value = cells[start + 2 * n_columns + column[third]]
                third = 2 * third + 1 + (((low[third] < value) & (value <= high[third])) ^ flip[third])
                value = cells[start + 3 * n_columns + column[fourth]]
                fourth = 2 * fourth + 1 + (((low[fourth] < value) & (value <= high[fourth])) ^ flip[fourth])
            out[row] += length[first - n_inner]
            out[row + 1] += length[second - n_inner]
            out[row + 2] += length[third - n_inner]
            out[row + 3] += length[fourth - n_inner]
        for row in range(n_rows - n_rows % 4, n_rows):
            node = 0
            for _ in range(depth):
                value = cells[row * n_columns + column[node]]
                node = 2 * node + 1 + (((low[node] < value) & (value <= high[node])) ^ flip[node])
            out[row] += length[node - n_inner]


@kernel
def add_threshold_lengths(cells, n_columns, columns, thresholds, lengths, nodes, out):
    """Add each row's path length in every tree of thresholds alone, tree by tree; O(n_rows n_trees D).

    Parameters
    ----------
    cells : ndarray of shape (n_rows * n_columns,)
        The rows, one behind the other, without NaN.
    n_columns : int
    columns, thresholds : ndarray of shape (n_trees, 2**D - 1)
        A row goes right where its value is above the threshold; infinity where a node is not split. Thresholds have the
        type of the rows or a wider one.
    lengths : ndarray of shape (n_trees, 2**D)
    nodes : ndarray of shape (n_rows,), int32
        Scratch.
    out : ndarray of shape (n_rows,), float64
        Added to.

    Notes
    -----
    All rows take a step before any takes the next: the steps of different rows do not wait for each other.
    """
    n_trees, n_inner = columns.shape
    for tree in range(n_trees):
        column, threshold = columns[tree], thresholds[tree]
        for row in range(out.size):
            nodes[row] = 0
        first = 0  # node of a level
        while first < n_inner:
            for row in range(out.size):
                node = nodes[row]
                nodes[row] = 2 * node + 1 + (cells[row * n_columns + column[node]] > threshold[node])
            first = 2 * first + 1
        for row in range(out.size):
            out[row] += lengths[tree, nodes[row] - n_inner]


@kernel
def add_path_credits(rows, columns, lows, highs, flips, sizes, expected, out):
    """Credit each split of a row's paths to its column; O(n_rows n_trees D).

    A split of a node of m rows into a part of k changes the expected path length by ``c(k) + 1 - c(m)``. Along a path
    these changes add up to the path length less that of the root, ``c`` of the rows drawn.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
    columns, lows, highs, flips : ndarray of shape (n_trees, 2**D - 1)
    sizes : ndarray of shape (n_trees, 2**(D + 1) - 1)
    expected : ndarray of shape (at least the largest size + 1,), float64
        The expected path length by number of rows, ``c``.
    out : ndarray of shape (n_rows, n_columns), float64
        Added to.
    """
    n_trees, n_inner = columns.shape
    for tree in range(n_trees):
        for row in range(out.shape[0]):
            node = 0
            while node < n_inner:
                column = columns[tree, node]
                value = rows[row, column]
                inside = (lows[tree, node] < value) & (value <= highs[tree, node])
                child = 2 * node + 1 + (inside ^ flips[tree, node])
                if sizes[tree, 2 * node + 2] > 0:
                    out[row, column] += expected[sizes[tree, child]] + 1.0 - expected[sizes[tree, node]]
                node = child
