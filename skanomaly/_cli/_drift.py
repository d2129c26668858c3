"""Does the order of the rows matter? One verdict, bounded in time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["DriftVerdict", "drift_verdict"]

_MOST_QUERIES = 5000
# Below this many rows permutations are drawn: the normal approximation is good from here on.
_FEWEST_ROWS_FOR_ASYMPTOTIC = 100
_FEWEST_ROWS = 20
_LEVEL = 0.05


@dataclass(frozen=True)
class DriftVerdict:
    """What the nearest-neighbour drift test says of the order of the rows.

    ``pvalue`` is None where the test could not be made, for the reason in ``remark``. ``change_point`` is None unless
    one moment of change stands out. ``n_queries`` is the number of rows whose neighbours were searched. ``scan`` holds,
    for each cut of the order, how many links between neighbours are missing across it.
    """

    pvalue: float | None
    change_point: int | None = None
    n_queries: int = 0
    remark: str = ""
    scan: NDArray[np.float64] | None = None

    @property
    def fired(self) -> bool:
        """Whether the order matters, at level 0.05."""
        return self.pvalue is not None and self.pvalue <= _LEVEL


def drift_verdict(rows: NDArray[np.float64], *, random_state: int | None, n_jobs: int | None) -> DriftVerdict:
    """Test whether rows that stand near each other in the table are more alike than others.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
        Standardised.
    random_state : int or None
    n_jobs : int or None

    Returns
    -------
    DriftVerdict
    """
    from skanomaly.audit import KNNDriftTest

    n_rows = len(rows)
    if n_rows < _FEWEST_ROWS:
        return DriftVerdict(None, remark=f"not tested below {_FEWEST_ROWS} rows")
    test = KNNDriftTest(
        n_queries=_MOST_QUERIES if n_rows > _MOST_QUERIES else None,
        null="asymptotic" if n_rows >= _FEWEST_ROWS_FOR_ASYMPTOTIC else "permutation",
        random_state=random_state,
        n_jobs=n_jobs,
    )
    try:
        test.fit(rows)
    except (ValueError, MemoryError) as error:
        return DriftVerdict(None, remark=f"not tested: {' '.join(str(error).split())}")
    stands_out = test.change_point_ >= 0 and test.change_pvalue_ <= _LEVEL
    return DriftVerdict(
        float(test.pvalue_),
        int(test.change_point_) if stands_out else None,
        min(n_rows, _MOST_QUERIES),
        scan=-np.asarray(test.change_scores_, dtype=np.float64),
    )
