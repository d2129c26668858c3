"""Isolation trees: random splits until every row is alone, path lengths, and their split among the columns.

A tree of depth D is stored as a complete binary tree: ``2**D - 1`` inner nodes, breadth first, then ``2**D`` leaves, so
that scoring takes D steps without a branch. The children of node i are ``2 i + 1`` and ``2 i + 2``. A row goes right
where ``(low < x) & (x <= high)`` differs from `flip`; every comparison with NaN is false, so that NaN goes right where
`flip` is set. A node that is not split sends every row left. Where no split is of a category and no value is NaN, a row
goes right where ``x > high`` if `flip` is set, else where ``x > low``: there one threshold a node is enough.
"""

import numpy as np

from skanomaly._kernels._jit import allocating_kernel, inner_kernel, kernel

__all__ = [
    "add_path_credits",
    "add_path_lengths",
    "add_threshold_lengths",
    "average_path_length",
    "grow_isolation_tree",
]


@kernel
def average_path_length(n_rows):
    """Return the expected path length in a tree of `n_rows` rows, Liu, Ting and Zhou (2008), equation 1; O(1)."""
    if n_rows <= 1:
        return 0.0
    if n_rows == 2:
        return 1.0
    return 2.0 * (np.log(n_rows - 1.0) + 0.5772156649015329) - 2.0 * (n_rows - 1.0) / n_rows


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
def _draw_level(rows, members, column, n_missing, rng, levels):
    """Draw one of the distinct values of a column in a node, NaN being one of them; `levels` is overwritten."""
    size = np.intp(0)  # no literal, for which the sort would be compiled once more
    for member in members:
        if not np.isnan(rows[member, column]):
            levels[size] = rows[member, column]
            size += 1
    _sort(levels, size)
    n_levels = 1
    for place in range(1, size):
        if levels[place] != levels[place - 1]:
            levels[n_levels] = levels[place]
            n_levels += 1
    drawn = int(rng.random() * (n_levels + (n_missing > 0)))
    return np.float64(levels[drawn]) if drawn < n_levels else np.nan


@inner_kernel
def _find_column(rows, members, columns, rng):
    """Draw a column that varies among the members of a node; return it with its range and number of NaN, or -1."""
    n_columns = columns.size
    for place in range(n_columns):
        drawn = place + int(rng.random() * (n_columns - place))
        column = columns[drawn]
        columns[drawn], columns[place] = columns[place], column
        n_missing = 0
        low, high = np.inf, -np.inf
        for member in members:
            value = np.float64(rows[member, column])
            if np.isnan(value):
                n_missing += 1
            else:
                low = min(low, value)
                high = max(high, value)
        if low < high or (low == high and n_missing > 0):
            return column, low, high, n_missing
    return -1, 0.0, 0.0, 0


@allocating_kernel
def grow_isolation_tree(rows, members, is_category, rng, columns_out, lows, highs, flips, sizes, lengths):
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
    lengths : ndarray of shape (2**D,), float64
        Written: path length of each leaf, the expected remainder of leaves with several rows included.

    Notes
    -----
    A column of numbers is split uniformly between its extremes in the node. Where some of its values are NaN, every
    second split parts NaN from all numbers; else NaN goes with the larger part. Where a node holds no NaN, a NaN that
    is scored later goes with the smaller part.
    """
    n_inner, n_nodes = columns_out.size, sizes.size
    starts = np.zeros(n_nodes, dtype=np.intp)
    levels = np.zeros(n_nodes, dtype=np.intp)
    columns = np.empty(rows.shape[1], dtype=np.intp)
    for column in range(columns.size):
        columns[column] = column
    moved, values = np.empty(members.size, dtype=np.intp), np.empty(members.size, dtype=rows.dtype)
    sizes[0] = members.size
    for node in range(n_inner):
        left, right = 2 * node + 1, 2 * node + 2
        start, size = starts[node], sizes[node]
        inside = members[start : start + size]
        column, low, high, n_missing = -1, 0.0, 0.0, 0
        if size > 1:
            column, low, high, n_missing = _find_column(rows, inside, columns, rng)
        n_left = size
        if column < 0:
            columns_out[node], lows[node], highs[node], flips[node] = 0, np.inf, np.inf, False
        else:
            flip = False
            if is_category[column]:
                level = _draw_level(rows, inside, column, n_missing, rng, values)
                flip = np.isnan(level)
                low, high = (-np.inf, np.inf) if flip else (level - 0.5, level + 0.5)
            elif n_missing > 0 and (low == high or rng.random() < 0.5):
                low, high, flip = -np.inf, np.inf, True
            else:
                part = rng.random()
                threshold = low * (1.0 - part) + high * part
                if not low <= threshold < high:
                    threshold = low
                n_above = 0
                for member in inside:
                    n_above += rows[member, column] > threshold
                n_below = size - n_missing - n_above
                flip = n_above > n_below if n_missing > 0 else n_above <= n_below
                low, high = (-np.inf, threshold) if flip else (threshold, np.inf)
            n_left, n_right = 0, 0
            for place in range(size):
                member = inside[place]
                value = np.float64(rows[member, column])
                if ((low < value) & (value <= high)) != flip:
                    moved[n_right] = member
                    n_right += 1
                else:
                    inside[n_left] = member
                    n_left += 1
            for place in range(n_right):  # numba compiles the error message of a slice for seconds
                inside[n_left + place] = moved[place]
            columns_out[node], lows[node], highs[node], flips[node] = column, low, high, flip
        sizes[left], sizes[right] = n_left, size - n_left
        starts[left], starts[right] = start, start + n_left
        levels[left] = levels[right] = levels[node] + (column >= 0)
    for leaf in range(lengths.size):
        lengths[leaf] = levels[n_inner + leaf] + average_path_length(sizes[n_inner + leaf])


@allocating_kernel
def add_path_lengths(rows, columns, lows, highs, flips, lengths, out):
    """Add each row's path length in every tree, tree by tree; O(n_rows n_trees D).

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns), C-contiguous
    columns, lows, highs, flips : ndarray of shape (n_trees, 2**D - 1)
    lengths : ndarray of shape (n_trees, 2**D)
    out : ndarray of shape (n_rows,), float64
        Added to.

    Notes
    -----
    Four rows walk down side by side: each waits for memory most of the time.
    """
    n_rows, n_columns = rows.shape
    cells = rows.ravel()
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


@allocating_kernel
def add_threshold_lengths(rows, columns, thresholds, lengths, out):
    """Add each row's path length in every tree of thresholds alone, tree by tree; O(n_rows n_trees D).

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns), C-contiguous
        Without NaN.
    columns, thresholds : ndarray of shape (n_trees, 2**D - 1)
        A row goes right where its value is above the threshold; infinity where a node is not split. Thresholds have the
        type of the rows or a wider one.
    lengths : ndarray of shape (n_trees, 2**D)
    out : ndarray of shape (n_rows,), float64
        Added to.

    Notes
    -----
    All rows take a step before any takes the next: the steps of different rows do not wait for each other.
    """
    n_rows, n_columns = rows.shape
    cells = rows.ravel()
    n_trees, n_inner = columns.shape
    depth = 0
    while (1 << depth) - 1 < n_inner:
        depth += 1
    nodes = np.empty(n_rows, dtype=np.int32)
    for tree in range(n_trees):
        column, threshold, length = columns[tree], thresholds[tree], lengths[tree]
        nodes[:] = 0
        for _ in range(depth):
            for row in range(n_rows):
                node = nodes[row]
                nodes[row] = 2 * node + 1 + (cells[row * n_columns + column[node]] > threshold[node])
        for row in range(n_rows):
            out[row] += length[nodes[row] - n_inner]


@allocating_kernel
def add_path_credits(rows, columns, lows, highs, flips, sizes, out):
    """Credit each split of a row's paths to its column; O(n_rows n_trees D).

    A split of a node of m rows into a part of k changes the expected path length by ``c(k) + 1 - c(m)``. Along a path
    these changes add up to the path length less that of the root, ``c`` of the rows drawn.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
    columns, lows, highs, flips : ndarray of shape (n_trees, 2**D - 1)
    sizes : ndarray of shape (n_trees, 2**(D + 1) - 1)
    out : ndarray of shape (n_rows, n_columns), float64
        Added to.
    """
    n_trees, n_inner = columns.shape
    largest = 0
    for tree in range(n_trees):
        largest = max(largest, sizes[tree, 0])
    expected = np.empty(largest + 1)
    for size in range(largest + 1):
        expected[size] = average_path_length(size)
    for tree in range(n_trees):
        for row in range(rows.shape[0]):
            node = 0
            while node < n_inner:
                column = columns[tree, node]
                value = rows[row, column]
                inside = (lows[tree, node] < value) & (value <= highs[tree, node])
                child = 2 * node + 1 + (inside ^ flips[tree, node])
                if sizes[tree, 2 * node + 2] > 0:
                    out[row, column] += expected[sizes[tree, child]] + 1.0 - expected[sizes[tree, node]]
                node = child
