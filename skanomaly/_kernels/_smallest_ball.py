"""Balls around rows that reach to their k-th nearest other row, and the smallest ball a point lies in."""

from skanomaly._kernels._jit import kernel

__all__ = ["kept_distances", "smallest_ball_orders", "smallest_ball_radii"]


@kernel
def kept_distances(order, distances, kept, out):
    """Keep, from pre-sorted rows of distances, those to kept rows; O(n m).

    Parameters
    ----------
    order : ndarray of shape (n, n - 1), intp
        For each row the others, nearest first.
    distances : ndarray of shape (n, n - 1), float64
        Their distances, ascending.
    kept : ndarray of shape (n,), bool
        The m rows of a subset.
    out : ndarray of shape (m, m - 1), float64
        Distances between kept rows, ascending. Written.
    """
    place = 0
    width = out.shape[1]
    for row in range(order.shape[0]):
        if not kept[row]:
            continue
        filled = 0
        for rank in range(order.shape[1]):
            if filled == width:
                break
            if kept[order[row, rank]]:
                out[place, filled] = distances[row, rank]
                filled += 1
        place += 1


@kernel
def smallest_ball_orders(sorted_distances, to_points, least, out):
    r"""Find the smallest k, from `least`, at which some ball holds a point; O(p m log m).

    Ball i is open and reaches to the k-th nearest other row of row i, so the smallest k at which it holds a point at
    distance t is one more than the number of its distances up to t.

    Parameters
    ----------
    sorted_distances : ndarray of shape (m, m - 1), float64
        Distances from each row to the others, ascending; column k - 1 holds the radii at k.
    to_points : ndarray of shape (m, p), float64
        Distances from the rows to the points.
    least : int
        Smallest k allowed, from 1.
    out : ndarray of shape (p,), intp
        The k; m - 1 where no ball holds the point. Written.
    """
    width = sorted_distances.shape[1]
    for point in range(to_points.shape[1]):
        best = width
        for row in range(sorted_distances.shape[0]):
            target = to_points[row, point]
            low = least - 1
            high = best
            while low < high:  # the first place from `low` whose distance is above the target
                middle = (low + high) // 2
                if sorted_distances[row, middle] > target:
                    high = middle
                else:
                    low = middle + 1
            if low + 1 < best:
                best = low + 1
        out[point] = best


@kernel
def smallest_ball_radii(radii, order, to_points, out):
    """Find the radius of the smallest open ball that holds each point; 0 where none does; O(p m), less on average.

    Parameters
    ----------
    radii : ndarray of shape (m,), float64
    order : ndarray of shape (m,), intp
        Rows by ascending radius.
    to_points : ndarray of shape (p, m), float64
        Distances from the points to the centres.
    out : ndarray of shape (p,), float64
        Written.
    """
    for point in range(to_points.shape[0]):
        out[point] = 0.0
        for rank in range(order.size):
            row = order[rank]
            if to_points[point, row] < radii[row]:
                out[point] = radii[row]
                break
