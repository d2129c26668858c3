"""What the tests that compare samples share: labels of the samples, and the threshold of the reference's scores."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._ties import settled_threshold
from skanomaly.audit._layout import label_codes

__all__ = ["reference_offset", "sample_codes"]


def sample_codes(
    groups: Any, n_rows: int, *, only_two: bool = False, comparison: str = "two samples are compared"
) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """Give the samples numbers from 0 in sorted order of their labels; without labels the first half of the rows is 0.

    Parameters
    ----------
    groups : array-like of shape (n_rows,) or None
    n_rows : int
    only_two : bool, default=False
        Whether a third label raises.
    comparison : str
        End of that error.

    Returns
    -------
    codes : ndarray of shape (n_rows,), intp
    labels : ndarray of shape (n_groups,)

    Raises
    ------
    ValueError
        If there are too many labels, their number is not that of the rows, or one is missing.
    """
    if groups is None:
        return (np.arange(n_rows) >= (n_rows + 1) // 2).astype(np.intp), np.array([0, 1])
    codes, labels = label_codes(groups, n_rows, name="groups")
    if only_two and len(labels) > 2:
        raise ValueError(f"groups holds {len(labels)} labels; {comparison}.")
    return codes, labels


def reference_offset(scores: NDArray[np.float64], alpha: float) -> float:
    """Return the score below which the fraction `alpha` of the reference's scores lies."""
    return settled_threshold(float(np.percentile(scores, 100 * alpha)), scores)
