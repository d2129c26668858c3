"""Losses of the first k neighbours' values as a predictive distribution, for every k at once."""

from skanomaly._kernels._jit import kernel

__all__ = ["ranked_probability_losses", "squared_error_losses"]


@kernel
def ranked_probability_losses(targets, values, counts, categorical, losses):
    """Add up the continuous ranked probability score of the first k values, for every k, over all rows.

    For the empirical distribution of v_1..v_k and the target y it is
    ``sum_j |v_j - y| / k  -  sum_{j < l} |v_j - v_l| / k^2``. Both sums grow by one term list per neighbour, so all
    k cost O(max_neighbors^2) a row. With `categorical` the distance is [v != y]: half the Brier score.

    Parameters
    ----------
    targets : ndarray of shape (n_rows,)
    values : ndarray of shape (n_rows, max_neighbors)
        Neighbours' values, nearest first.
    counts : ndarray of shape (n_rows,), int
        How many of them exist; beyond, the last loss is repeated. Rows with 0 add nothing.
    categorical : bool
    losses : ndarray of shape (max_neighbors,)
        Added to: entry k - 1 is the sum over rows with k neighbours.
    """
    for row in range(values.shape[0]):
        target = targets[row]
        to_target = 0.0
        among = 0.0
        loss = 0.0
        for last in range(values.shape[1]):
            if last < counts[row]:
                value = values[row, last]
                if categorical:
                    to_target += 1.0 if value != target else 0.0
                    for place in range(last):
                        among += 1.0 if values[row, place] != value else 0.0
                else:
                    to_target += abs(value - target)
                    for place in range(last):
                        among += abs(values[row, place] - value)
                size = last + 1.0
                loss = to_target / size - among / (size * size)
            losses[last] += loss


@kernel
def squared_error_losses(targets, values, counts, losses):
    """Add up the squared error of the mean of the first k values, for every k, over all rows.

    Leave-one-out residuals without refitting, in O(max_neighbors) a row; parameters as in
    :func:`ranked_probability_losses`.
    """
    for row in range(values.shape[0]):
        total = 0.0
        loss = 0.0
        for last in range(values.shape[1]):
            if last < counts[row]:
                total += values[row, last]
                error = targets[row] - total / (last + 1.0)
                loss = error * error
            losses[last] += loss
