"""Widths of Gaussian kernels that follow the data: the number of columns, of rows and of modes."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._neighbors import nearest_neighbors
from skanomaly._support._scales import ROUNDING, column_scale, varies

__all__ = ["kernel_widths", "likelihood_width", "local_scale", "neighbor_width", "typical_squared_distance"]

_MOST_QUERIES = 512
_MOST_PAIRED = 512
_MOST_LIKELIHOODS = 256
_QUERY_ROWS = 32  # rows of distances to the whole table that are held at once
_NEIGHBORS = 5
_ROUNDS = 8
_ORDINARY = 0.9  # fraction of neighbour distances that a scale is estimated from
_DISPLACEMENT = 0.5  # of a drawn row from its centre, in units of the distance between neighbours, in two columns
_PLANE = 2
_MOST_DOUBLINGS = 80
_SAME = 1e-14  # squared distances of equal rows are rounding of this size


def local_scale(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Estimate the scale of each column within a mode, from differences between nearest neighbours.

    The standard deviation of a column with several modes is the distance between them; differences between neighbours
    are the spread within one. Neighbours are searched in units of the last estimate, a few times.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns), float64, finite

    Returns
    -------
    ndarray of shape (n_columns,)
        Root mean square difference between neighbours, without the tenth of pairs that are farthest apart. The standard
        deviation where neighbours do not differ, 1 where a column does not vary.
    """
    return _local(rows)[0]


def kernel_widths(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Choose the width of each column at which rows drawn around training rows stay among them.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns), float64, finite

    Returns
    -------
    ndarray of shape (n_columns,)
        :func:`local_scale` times :func:`neighbor_width`; 0 in columns in which neighbouring rows are equal.
    """
    scale, differs = _local(rows)
    return np.where(differs, scale * neighbor_width(rows / scale), 0.0)


def _local(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scale of each column within a mode, and whether neighbours differ in it."""
    overall = np.asarray(column_scale(rows))
    varying = np.asarray(varies(rows))
    with np.errstate(over="ignore"):
        middle = np.diff(np.quantile(rows, [1 - _ORDINARY, _ORDINARY], axis=0), axis=0)[0] / 2
    usable = varying & np.isfinite(middle) & (middle > ROUNDING * np.abs(rows).max(axis=0, initial=0.0))
    scale = np.where(usable, middle, overall)  # one huge value sets no scale
    n_neighbors = min(_NEIGHBORS, len(rows) - 1)
    if n_neighbors < 1 or not varying.any():
        return scale, varying
    queries = _queries(len(rows), _MOST_QUERIES)
    for _ in range(_ROUNDS):
        scaled = rows / scale
        distances, places = nearest_neighbors(scaled, scaled[queries], n_neighbors=n_neighbors, exclude=queries)
        near = distances <= np.quantile(distances, _ORDINARY)
        differences = (scaled[queries][:, None, :] - scaled[places])[near]
        spread = np.sqrt(np.mean(np.square(differences), axis=0) / 2) * scale
        usable = varying & (spread > ROUNDING * scale)
        scale = np.where(usable, spread, overall)
    return scale, usable


def neighbor_width(rows: NDArray[np.float64]) -> float:
    """Choose the width at which a row drawn around a training row stays nearer to it than the other rows are.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns), float64, finite
        In units in which columns are comparable, such as :func:`local_scale`.

    Returns
    -------
    float
        Half the median distance between different nearest neighbours over the root of the number of columns. Above two
        columns it is smaller by another root of half their number, so that the noise of a drawn row keeps its length
        when columns are added, and rows stay among the data. 1 where all rows are equal.
    """
    n_columns = rows.shape[1]
    squares = np.concatenate(
        [part.min(axis=1) for part in _squared_distances(rows, _queries(len(rows), _MOST_QUERIES))]
    )
    nearest = np.sqrt(squares[np.isfinite(squares)])
    displacement = _DISPLACEMENT * min(1.0, np.sqrt(_PLANE / n_columns))
    return float(displacement * np.median(nearest) / np.sqrt(n_columns)) if len(nearest) else 1.0


def typical_squared_distance(rows: NDArray[np.float64]) -> float:
    """Return the median squared distance between two different rows, or 1 where all are equal.

    A Gaussian kernel with ``gamma`` near its inverse has values neither all 0 nor all 1, whatever the number of columns
    and their spread.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns), float64, finite
        At most 512 of them, equally spaced in the table, are compared.

    Returns
    -------
    float
        Above 0.
    """
    chosen = rows[:: -(-len(rows) // _MOST_PAIRED)]
    squares = np.concatenate(list(_squared_distances(chosen, np.arange(len(chosen), dtype=np.intp))))
    different = squares[np.isfinite(squares)]
    return float(np.median(different)) if different.size else 1.0


def likelihood_width(rows: NDArray[np.float64]) -> float:
    """Choose the width of the kernel density under which each row is most likely given the others.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns), float64, finite
        In units in which columns are comparable, such as :func:`local_scale`.

    Returns
    -------
    float
        Maximum of the mean leave-one-out log-likelihood of up to 256 rows given all rows of other values; 1 where all
        rows are equal.
    """
    queries = _queries(len(rows), _MOST_LIKELIHOODS)
    width = neighbor_width(rows)
    found = {0: _mean_likelihood(rows, queries, width)}
    if not np.isfinite(found[0]):
        return 1.0
    best = 0  # the width is 2 ** (best / 2) times the first one; steps of 2, then of its root
    for step in (2, 1):
        for direction in (step, -step):
            while abs(best) < _MOST_DOUBLINGS:
                found.setdefault(
                    best + direction, _mean_likelihood(rows, queries, width * 2 ** ((best + direction) / 2))
                )
                if found[best + direction] <= found[best]:
                    break
                best += direction
    bend = found[best - 1] - 2 * found[best] + found[best + 1] if {best - 1, best + 1} <= set(found) else 0.0
    shift = (found[best - 1] - found[best + 1]) / (2 * bend) if bend < 0 else 0.0
    return float(width * 2 ** ((best + shift) / 2))


def _mean_likelihood(rows: NDArray[np.float64], queries: NDArray[np.intp], width: float) -> float:
    """Mean log-likelihood of queries, each given the rows of other values, without the tenth of least likelihood."""
    found = []
    for every in _squared_distances(rows, queries):
        squares = every[np.isfinite(every.min(axis=1))]
        nearest = squares.min(axis=1)
        total = np.exp((squares - nearest[:, None]) / (-2 * width**2)).sum(axis=1)
        found.append(np.log(total) - nearest / (2 * width**2))
    values = np.sort(np.concatenate(found))
    if len(values) == 0:
        return -np.inf
    return float(values[int((1 - _ORDINARY) * len(values)) :].mean() - rows.shape[1] * np.log(width))


def _queries(n_rows: int, most: int) -> NDArray[np.intp]:
    """Choose rows that stand for all."""
    if n_rows <= most:
        return np.arange(n_rows, dtype=np.intp)
    chosen = np.random.Generator(np.random.PCG64(0)).choice(n_rows, most, replace=False)
    return np.sort(chosen).astype(np.intp)


def _squared_distances(rows: NDArray[np.float64], queries: NDArray[np.intp]) -> Iterator[NDArray[np.float64]]:
    """Yield the squared distances of a few queries from all rows; infinite for rows of the same values."""
    centered = rows - np.median(rows, axis=0)
    norms = np.einsum("ij,ij->i", centered, centered)
    for start in range(0, len(queries), _QUERY_ROWS):
        part = queries[start : start + _QUERY_ROWS]
        magnitudes = norms[part, None] + norms
        squares = magnitudes - 2 * centered[part] @ centered.T
        squares[squares <= _SAME * rows.shape[1] * magnitudes] = np.inf
        yield squares
