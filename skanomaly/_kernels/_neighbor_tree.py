"""A KD-tree for tables of few columns: exact nearest neighbours with ties broken by index."""

import numpy as np

from skanomaly._kernels._jit import kernel
from skanomaly._kernels._neighbors import insert_neighbor

__all__ = ["build_tree", "search_tree"]


@kernel
def build_tree(X, leaf_size, order, edges, lows, highs, first_rows):
    """Cut a table into halves at the median of the widest column, until `leaf_size` rows are left; O(n d log n).

    Node `i` has the children ``2 i + 1`` and ``2 i + 2`` and owns the rows ``order[edges[i, 0]:edges[i, 1]]``; it is a
    leaf where it owns at most `leaf_size`. The first half of a node's rows comes before the second by value and index.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    leaf_size : int
    order : ndarray of shape (n,), intp
        Any permutation of the rows on entry. Written.
    edges : ndarray of shape (n_nodes, 2), intp
        Zeros on entry; a node that does not exist owns no row. Written.
    lows, highs : ndarray of shape (n_nodes, d), float64
        Smallest and largest value in each column of a node's rows; infinity and minus infinity on entry. Written.
    first_rows : ndarray of shape (n_nodes,), intp
        Smallest row number of each node. Written.
    """
    n_rows, n_columns = X.shape
    edges[0, 1] = n_rows
    for node in range(first_rows.size):
        start, stop = edges[node, 0], edges[node, 1]
        first = n_rows
        for place in range(start, stop):
            row = order[place]
            if row < first:
                first = row
            for column in range(n_columns):
                value = X[row, column]
                if value < lows[node, column]:
                    lows[node, column] = value
                if value > highs[node, column]:
                    highs[node, column] = value
        first_rows[node] = first
        if stop - start <= leaf_size:
            continue
        widest, spread = 0, -1.0
        for column in range(n_columns):
            width = highs[node, column] - lows[node, column]
            if width > spread:
                widest, spread = column, width
        middle = (start + stop) // 2
        low, high = start, stop - 1
        while low < high:  # the part that holds the middle; expected O(stop - start)
            pivot = order[(low + high) // 2]
            value = X[pivot, widest]
            left, right = low, high
            while left <= right:
                row = order[left]
                while X[row, widest] < value or (X[row, widest] == value and row < pivot):
                    left += 1
                    row = order[left]
                other = order[right]
                while X[other, widest] > value or (X[other, widest] == value and other > pivot):
                    right -= 1
                    other = order[right]
                if left <= right:
                    order[left] = other
                    order[right] = row
                    left += 1
                    right -= 1
            if middle <= right:
                high = right
            elif middle >= left:
                low = left
            else:
                break
        child = 2 * node + 1
        edges[child, 0] = start
        edges[child, 1] = edges[child + 1, 0] = middle
        edges[child + 1, 1] = stop


@kernel
def search_tree(X, order, edges, lows, highs, first_rows, leaf_size, Q, excluded, distances, indices, waiting, bounds):
    """Find the nearest rows of each query by descending a tree of :func:`build_tree`, nearer half first.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        The rows in the tree's order: row `i` here is row ``order[i]`` of the table.
    order, edges, lows, highs, first_rows, leaf_size
        As built.
    Q : ndarray of shape (b, d)
    excluded : ndarray of shape (b,), intp
        For each query the one row of the table that is left out, or -1.
    distances : ndarray of shape (b, k), float64
        Squared distances, ascending; infinite on entry. Written.
    indices : ndarray of shape (b, k), intp
        The largest integer on entry. Written.
    waiting, bounds : ndarray of shape (128,), intp and float64
        Scratch.

    Notes
    -----
    Expected O(k log n) a query for few columns. Where the list is full of rows identical to the query, only a row of
    smaller number can still enter, so that a node without one is left out: ties cost no more than other rows. The
    distance of a query from a node's box is made just so much smaller that rounding cannot make it too large.
    """
    n_queries, n_columns = Q.shape
    last = distances.shape[1] - 1
    for query in range(n_queries):
        waiting[0] = 0
        bounds[0] = 0.0
        n_waiting = 1
        while n_waiting > 0:
            n_waiting -= 1
            node = waiting[n_waiting]
            worst = distances[query, last]
            if bounds[n_waiting] > worst or (worst == 0.0 and first_rows[node] > indices[query, last]):
                continue
            start, stop = edges[node, 0], edges[node, 1]
            if stop - start <= leaf_size:
                for place in range(start, stop):
                    distance = 0.0
                    for column in range(n_columns):
                        gap = np.float64(X[place, column]) - np.float64(Q[query, column])
                        distance += gap * gap
                    index = order[place]
                    if distance > worst or index == excluded[query]:
                        continue
                    if distance < worst or index < indices[query, last]:
                        insert_neighbor(distances, indices, query, distance, index)
                        worst = distances[query, last]
                continue
            for side in range(2):  # the first child is last in, and first out
                child = 2 * node + 2 - side
                bound = 0.0
                for column in range(n_columns):
                    value = np.float64(Q[query, column])
                    below, above = lows[child, column] - value, value - highs[child, column]
                    gap = below if below > above else above  # noqa: FURB136  # max() compiles longer
                    bound += gap * gap if gap > 0.0 else 0.0
                waiting[n_waiting + side] = child
                bounds[n_waiting + side] = bound * (1 - 1e-13)
            if bounds[n_waiting] < bounds[n_waiting + 1]:
                waiting[n_waiting], waiting[n_waiting + 1] = waiting[n_waiting + 1], waiting[n_waiting]
                bounds[n_waiting], bounds[n_waiting + 1] = bounds[n_waiting + 1], bounds[n_waiting]
            n_waiting += 2
