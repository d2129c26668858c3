"""Has the dependence between columns become weaker, and how many cells must have been exchanged for that."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._columns import in_order_of
from skanomaly._support._scales import column_scale
from skanomaly._support._validation import check_numbers

__all__ = ["dependence_noise_level"]

_MOST_COLUMNS = {2: 2000, 3: 100}


def dependence_noise_level(X: Any, reference: Any, *, order: int = 2) -> float:
    r"""Estimate which fraction of the cells of a table was replaced by values of other rows.

    If each cell is replaced, with probability :math:`\epsilon`, by a random value of its own column, no column changes
    its distribution, and the dependence between columns becomes weaker. Shuffled joins, shifted rows and imputation
    column by column do this.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Table to judge; finite numbers.
    reference : array-like of shape (n_reference, n_features)
        Table of the same columns without such noise.
    order : {2, 3}, default=2
        Number of columns in each product. 3 is more sensitive and needs more rows; it takes at most 100 columns.

    Returns
    -------
    float
        Estimate of :math:`\epsilon`: 0 where the dependence is as strong as in the reference (negative where it is
        stronger), 1 where there is none. NaN where the reference has no dependence.

    Raises
    ------
    ValueError
        If the tables have other columns than each other, fewer columns than `order`, or missing values.

    Notes
    -----
    The correlators are the means of products of `order` distinct centred columns. They become
    :math:`(1 - \epsilon)^{order}` times those of the reference; the slope is estimated by least squares. In [1]_ the
    correlators of the outputs measure the noise of an optical sampler; of its methods only this identity is used here.

    References
    ----------
    .. [1] Ji, Y. et al. (2025). Evaluating noises of boson sampling with statistical benchmark methods.
       arXiv:2510.00056.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.audit import dependence_noise_level
    >>> random = np.random.RandomState(0)
    >>> reference = random.normal(size=(5000, 4)) + random.normal(size=(5000, 1))
    >>> others = np.column_stack([random.permutation(column) for column in reference.T])
    >>> X = np.where(random.uniform(size=reference.shape) < 0.3, others, reference)
    >>> bool(abs(dependence_noise_level(X, reference) - 0.3) < 0.05)
    True
    """
    if not isinstance(order, Integral) or order not in _MOST_COLUMNS:
        raise ValueError(f"order={order!r} must be 2 or 3.")
    second = check_numbers(reference, "reference", min_samples=2)
    first = check_numbers(in_order_of(X, reference, other="reference"), "X", min_samples=2)
    n_columns = second.shape[1]
    if first.shape[1] != n_columns:
        raise ValueError(f"X has {first.shape[1]} columns and reference {n_columns}; give the same columns of both.")
    if not order <= n_columns <= _MOST_COLUMNS[order]:
        raise ValueError(f"The tables have {n_columns} columns; order={order} takes {order} to {_MOST_COLUMNS[order]}.")
    unit = np.asarray(column_scale(second))
    unit = np.where(unit > 0, unit, 1.0)
    found, expected = _correlators(first / unit, order), _correlators(second / unit, order)
    total = float((expected**2).sum())
    if total <= 1e-20 * expected.size:
        return float("nan")
    slope = max(float((found * expected).sum()) / total, 0.0)
    return float(1 - slope ** (1 / order))


def _correlators(table: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Return the mean products of distinct centred columns."""
    centred = table - table.mean(axis=0)
    if order == 2:
        return np.asarray((centred.T @ centred)[np.triu_indices(centred.shape[1], 1)] / len(centred))
    parts = []
    for place in range(centred.shape[1] - 2):
        rest = centred[:, place + 1 :]
        products = (rest * centred[:, [place]]).T @ rest
        parts.append(products[np.triu_indices(rest.shape[1], 1)] / len(centred))
    return np.concatenate(parts)
