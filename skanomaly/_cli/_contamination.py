"""How many rows are anomalies? The posterior's word, bounded in time."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from skanomaly.threshold import ContaminationDistribution

__all__ = ["Contamination", "estimate_contamination"]

_MOST_ROWS = 2000
_FEWEST_ROWS_OF_A_SAMPLE = 300
_MOST_CELLS = 500_000
_CREDIBILITY = 0.9


@dataclass(frozen=True)
class Contamination:
    """The share of anomalies, and what is known of it.

    ``interval`` holds it with probability 0.9; it is None where the user gave the share or it was not estimated, which
    ``remark`` then explains. ``n_rows`` is the number of rows that the estimate comes from, ``posterior`` its
    distribution.
    """

    share: float
    interval: tuple[float, float] | None = None
    n_rows: int = 0
    remark: str = ""
    posterior: "ContaminationDistribution | None" = None


def estimate_contamination(
    rows: NDArray[np.float64], *, default: float, random_state: int | None, scores: bool = False
) -> Contamination:
    """Estimate the share of anomalies, from a sample of rows where there are many.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
        Standardised.
    default : float
        What stands in where the estimate fails.
    random_state : int or None
    scores : bool, default=False
        Whether the rows are scores already, one column a detector.

    Returns
    -------
    Contamination
    """
    from skanomaly._support._seeds import generator
    from skanomaly.threshold import ContaminationPosterior

    n_rows = int(np.clip(_MOST_CELLS // rows.shape[1], _FEWEST_ROWS_OF_A_SAMPLE, _MOST_ROWS))
    if n_rows < len(rows):
        rows = rows[np.sort(generator(random_state).choice(len(rows), n_rows, replace=False))]
    posterior = ContaminationPosterior(random_state=random_state)
    try:
        posterior.fit_scores(rows) if scores else posterior.fit(rows)
    except (ValueError, MemoryError) as error:
        return Contamination(default, remark=f"could not be estimated: {' '.join(str(error).split())}")
    low, high = posterior.posterior_.interval(_CREDIBILITY)
    remark = "the rows say nothing about it, this is the prior" if posterior.status_ == "prior" else ""
    return Contamination(
        float(posterior.contamination_), (float(low), float(high)), len(rows), remark, posterior.posterior_
    )
