"""Test for drift in the order of the rows, in bounded time."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DriftResult", "check_drift"]

_MOST_QUERIES = 5000
# Below this many rows permutations are drawn: the normal approximation is good from here on.
_FEWEST_ROWS_FOR_ASYMPTOTIC = 100
_FEWEST_ROWS = 20
_LEVEL = 0.05


@dataclass(frozen=True)
class DriftResult:
    """Result of the nearest-neighbour drift test on the order of the rows.

    ``pvalue`` is None if the test was not possible, for the reason in ``remark``. ``change_point`` is None unless
    the drift and a single change point are both significant. ``n_queries`` is the number of rows whose neighbours were
    searched. ``scan`` is, for each position in the order, how many links between neighbours across it are missing
    compared with chance; ``rows`` are the rows of these positions, where only some rows were tested.
    """

    pvalue: float | None
    change_point: int | None = None
    n_queries: int = 0
    remark: str = ""
    scan: NDArray[np.float64] | None = None
    rows: NDArray[np.int64] | None = None

    @property
    def significant(self) -> bool:
        """Whether the p-value is at most 0.05."""
        return self.pvalue is not None and self.pvalue <= _LEVEL


def check_drift(rows: Any, *, random_state: int | None, n_jobs: int | None) -> DriftResult:
    """Test whether rows that are close in order are more similar than chance.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns), or frame
        Standardised numbers; or a frame, whose rows are compared by their categories (Gower).
    random_state : int or None
    n_jobs : int or None

    Returns
    -------
    DriftResult
    """
    from skanomaly.audit import KNNDriftTest

    n_rows = len(rows)
    if n_rows < _FEWEST_ROWS:
        return DriftResult(None, remark=f"not tested, fewer than {_FEWEST_ROWS} rows")
    test = KNNDriftTest(
        metric="standardized" if isinstance(rows, np.ndarray) else "gower",
        n_queries=_MOST_QUERIES if n_rows > _MOST_QUERIES else None,
        null="asymptotic" if n_rows >= _FEWEST_ROWS_FOR_ASYMPTOTIC else "permutation",
        random_state=random_state,
        n_jobs=n_jobs,
    )
    try:
        test.fit(rows)
    except (ValueError, MemoryError) as error:
        return DriftResult(None, remark=f"not tested: {' '.join(str(error).split())}")
    is_significant = test.change_point_ >= 0 and max(test.pvalue_, test.change_pvalue_) <= _LEVEL
    return DriftResult(
        float(test.pvalue_),
        int(test.change_point_) if is_significant else None,
        min(n_rows, _MOST_QUERIES),
        scan=-np.asarray(test.change_scores_, dtype=np.float64),
    )
