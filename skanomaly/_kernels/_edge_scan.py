"""Edges of a graph that cross each cut of an order: the edge-count scan for change-points."""

from skanomaly._kernels._jit import inner_kernel, kernel

__all__ = ["crossing_moments", "crossing_totals"]


@kernel
def crossing_totals(starts, partners, weights, places, out):
    """Weight of the edges that cross each cut, once for each row of `out`; O(n + edges) each, by a difference array.

    Parameters
    ----------
    starts, partners, weights : ndarray
        A graph of :func:`~skanomaly._kernels._permutation_moments.graph_sums`.
    places : ndarray of shape (n_draws, n), intp
        Place of each row in the order, a permutation of 0 to n - 1.
    out : ndarray of shape (n_draws, n)
        Written: ``out[:, t]`` is the weight of edges with one end among the first ``t`` places and one not.
    """
    n_draws, n_cuts = out.shape
    for draw in range(n_draws):
        for cut in range(n_cuts):
            out[draw, cut] = 0.0
        for row in range(n_cuts):
            here = places[draw, row]
            for edge in range(starts[row], starts[row + 1]):
                there = places[draw, partners[edge]]
                first = here if here < there else there  # noqa: FURB136  # min() compiles longer
                later = here + there - first
                weight = weights[edge]
                out[draw, first + 1] += weight
                if later + 1 < n_cuts:  # the later end takes the weight away at the next place
                    out[draw, later + 1] -= weight
        total = 0.0
        for cut in range(n_cuts):
            total += out[draw, cut]
            out[draw, cut] = total


@kernel
def crossing_moments(block_at, sizes, sums, before, mean, variance, covariance):
    r"""Mean, variance and lag-one covariance of the crossing totals when rows are shuffled within blocks.

    With kernel :math:`b_{uv} = 1\{u < t \le v\}`, symmetric, of a block of N rows of which t lie before the cut, and
    :math:`t' \ge t` for the next cut: :math:`\sum b b' = 2 t (N - t')`,
    :math:`\sum_u R_u R'_u = t (N - t)(N - t') + (t' - t) t (N - t') + (N - t') t t'`. Blocks are independent, and one
    row moves from one cut to the next, so all cuts cost O(n) together.

    Parameters
    ----------
    block_at : ndarray of shape (n,), intp
        Block of the row at each place of the order.
    sizes : ndarray of shape (n_blocks,), float64
    sums : ndarray of shape (n_blocks, 3)
        Of :func:`~skanomaly._kernels._permutation_moments.graph_sums`.
    before : ndarray of shape (n_blocks,), float64
        Zeros; overwritten.
    mean, variance, covariance : ndarray of shape (n,)
        Written, by cut; ``covariance[t]`` is between cut ``t`` and cut ``t + 1``.
    """
    now_mean = 0.0
    now_variance = 0.0
    for cut in range(block_at.size):
        mean[cut] = now_mean
        variance[cut] = now_variance
        block = block_at[cut]
        size = sizes[block]
        left = before[block]
        covariance[cut] = now_variance
        if size >= 2.0:
            old_mean = sums[block, 0] * 2.0 * left * (size - left) / (size * (size - 1.0))
            old = _crossing_covariance(size, left, left, sums, block)
            cross = _crossing_covariance(size, left, left + 1.0, sums, block)
            new_mean = sums[block, 0] * 2.0 * (left + 1.0) * (size - left - 1.0) / (size * (size - 1.0))
            new = _crossing_covariance(size, left + 1.0, left + 1.0, sums, block)
            covariance[cut] = now_variance - old + cross
            now_mean += new_mean - old_mean
            now_variance += new - old
        before[block] += 1.0


@inner_kernel
def _crossing_covariance(size, left, right, sums, block):
    """Covariance of two crossing totals, `left` <= `right` rows of a block of `size` before their cuts."""
    one = 2.0 * left * (size - left)
    two = 2.0 * right * (size - right)
    both = 2.0 * left * (size - right)
    rows = (size - right) * left * ((size - left) + (right - left) + right)
    # Centred kernels: all pairs less their mean, so that no large numbers cancel.
    pairs = size * (size - 1.0)
    both -= one * two / pairs
    rows -= one * two / size
    squares = sums[block, 1]
    shared = sums[block, 2] - 2.0 * squares
    apart = sums[block, 0] * sums[block, 0] - squares - shared
    total = squares * both / pairs
    if size > 2.0:
        total += shared * (rows - both) / (pairs * (size - 2.0))
    if size > 3.0:
        total += apart * (2.0 * both - 4.0 * rows) / (pairs * (size - 2.0) * (size - 3.0))
    return total
