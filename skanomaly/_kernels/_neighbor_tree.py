"""A KD-tree for tables of few columns: exact nearest neighbours with ties broken by index."""

import numpy as np

from skanomaly._kernels._jit import allocating_kernel, inner_kernel, kernel
from skanomaly._kernels._neighbors import insert_neighbor, squared_distance

__all__ = ["build_tree", "search_tree"]


@kernel
def split_at(X, column, order, start, middle, stop):
    """Reorder ``order[start:stop]`` so that the rows before `middle` come first by (value, index); expected O(n)."""
    low, high = start, stop - 1
    while low < high:
        pivot = order[(low + high) // 2]
        value = X[pivot, column]
        left, right = low, high
        while left <= right:
            while X[order[left], column] < value or (X[order[left], column] == value and order[left] < pivot):
                left += 1
            while X[order[right], column] > value or (X[order[right], column] == value and order[right] > pivot):
                right -= 1
            if left <= right:
                held = order[left]
                order[left] = order[right]
                order[right] = held
                left += 1
                right -= 1
        if middle <= right:
            high = right
        elif middle >= left:
            low = left
        else:
            return


@kernel
def build_tree(X, leaf_size, order, edges, boxes, first_rows):
    """Cut a table into halves at the median of the widest column, until `leaf_size` rows are left; O(n d log n).

    Node `i` has the children ``2 i + 1`` and ``2 i + 2`` and owns the rows ``order[edges[i, 0]:edges[i, 1]]``; it is a
    leaf where it owns at most `leaf_size`.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    leaf_size : int
    order : ndarray of shape (n,), intp
        Any permutation of the rows on entry. Written.
    edges : ndarray of shape (n_nodes, 2), intp
        Zeros on entry; a node that does not exist owns no row. Written.
    boxes : ndarray of shape (n_nodes, 2, d), float64
        Smallest and largest value in each column of a node's rows. Written.
    first_rows : ndarray of shape (n_nodes,), intp
        Smallest row number of each node. Written.
    """
    n_columns = X.shape[1]
    edges[0, 1] = X.shape[0]
    for node in range(edges.shape[0]):
        start, stop = edges[node, 0], edges[node, 1]
        if start == stop:
            continue
        first = order[start]
        for column in range(n_columns):
            boxes[node, 0, column] = X[first, column]
            boxes[node, 1, column] = X[first, column]
        for place in range(start, stop):
            row = order[place]
            if row < first:
                first = row
            for column in range(n_columns):
                value = X[row, column]
                if value < boxes[node, 0, column]:
                    boxes[node, 0, column] = value
                if value > boxes[node, 1, column]:
                    boxes[node, 1, column] = value
        first_rows[node] = first
        if stop - start <= leaf_size:
            continue
        widest = np.int64(0)  # no literal, for which split_at would be compiled once more
        for column in range(1, n_columns):
            if boxes[node, 1, column] - boxes[node, 0, column] > boxes[node, 1, widest] - boxes[node, 0, widest]:
                widest = column
        middle = (start + stop) // 2
        split_at(X, widest, order, start, middle, stop)
        edges[2 * node + 1, 0] = start
        edges[2 * node + 1, 1] = middle
        edges[2 * node + 2, 0] = middle
        edges[2 * node + 2, 1] = stop


@kernel
def box_distance(box, query):
    """Squared distance of a query from a box, just so much too small that rounding cannot make it too large; O(d)."""
    total = 0.0
    for column in range(query.size):
        value = np.float64(query[column])
        gap = 0.0
        if value < box[0, column]:
            gap = box[0, column] - value
        elif value > box[1, column]:
            gap = value - box[1, column]
        total += gap * gap
    return total * (1 - 1e-13)


@inner_kernel
def _search(X, order, edges, boxes, first_rows, leaf_size, Q, excluded, distances, indices, waiting, bounds):
    last = distances.shape[1] - 1
    for query in range(Q.shape[0]):
        point = Q[query]
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
                    distance = squared_distance(X[place], point)
                    if distance > worst or order[place] == excluded[query]:
                        continue
                    if distance < worst or order[place] < indices[query, last]:
                        insert_neighbor(distances[query], indices[query], distance, order[place])
                        worst = distances[query, last]
                continue
            near, far = 2 * node + 1, 2 * node + 2
            near_bound, far_bound = box_distance(boxes[near], point), box_distance(boxes[far], point)
            if far_bound < near_bound:
                near, far = far, near
                near_bound, far_bound = far_bound, near_bound
            waiting[n_waiting] = far
            bounds[n_waiting] = far_bound
            waiting[n_waiting + 1] = near
            bounds[n_waiting + 1] = near_bound
            n_waiting += 2


@allocating_kernel
def search_tree(X, order, edges, boxes, first_rows, leaf_size, Q, excluded, distances, indices):
    """Find the nearest rows of each query by descending a tree of :func:`build_tree`, nearer half first.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        The rows in the tree's order: row `i` here is row ``order[i]`` of the table.
    order, edges, boxes, first_rows, leaf_size
        As built.
    Q : ndarray of shape (b, d)
    excluded : ndarray of shape (b,), intp
        For each query the one row of the table that is left out, or -1.
    distances : ndarray of shape (b, k), float64
        Squared distances, ascending; infinite on entry. Written.
    indices : ndarray of shape (b, k), intp
        The largest integer on entry. Written.

    Notes
    -----
    Expected O(k log n) a query for few columns. Where the list is full of rows identical to the query, only a row of
    smaller number can still enter, so that a node without one is left out: ties cost no more than other rows.
    """
    waiting, bounds = np.empty(128, dtype=np.intp), np.empty(128, dtype=np.float64)
    _search(X, order, edges, boxes, first_rows, leaf_size, Q, excluded, distances, indices, waiting, bounds)
