"""Estimate of the contamination, in bounded time."""

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
    """The fraction of anomalies, and how it was determined.

    ``interval`` is the 90 % credible interval. It is None if the user gave the fraction, or if it could not be
    estimated for the reason in ``remark``. ``n_rows`` is the number of rows used for the estimate, ``posterior`` the
    posterior distribution.
    """

    fraction: float
    interval: tuple[float, float] | None = None
    n_rows: int = 0
    remark: str = ""
    posterior: "ContaminationDistribution | None" = None


def estimate_contamination(
    rows: NDArray[np.float64], *, default: float, random_state: int | None, scores: bool = False
) -> Contamination:
    """Estimate the fraction of anomalies, from a random sample if there are many rows.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
        Standardised.
    default : float
        The fraction to use if the estimation fails.
    random_state : int or None
    scores : bool, default=False
        Whether the rows are anomaly scores, one column per detector.

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
    remark = "the data are not informative, this is the prior" if posterior.status_ == "prior" else ""
    return Contamination(
        float(posterior.contamination_), (float(low), float(high)), len(rows), remark, posterior.posterior_
    )
