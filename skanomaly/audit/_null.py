"""P-values: from the joint normal distribution of exactly standardised sums, or from permutations that stop early."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from skanomaly._support._blocks import map_blocks
from skanomaly._support._seeds import child_generators
from skanomaly.audit._statistics import EdgeStatistic

__all__ = ["SMALLEST", "normal_pvalue", "sequential_pvalue"]

SMALLEST = 1e-300
_N_SIMULATED = 20_000
_CHUNK = 32
_CHUNKS_AT_ONCE = 4
_ENOUGH_EXCEEDANCES = 20


def normal_pvalue(statistic: EdgeStatistic, observed: float, rng: np.random.Generator) -> float:
    """Return the probability that the statistic of normal totals with the exact covariance reaches `observed`.

    One kernel: the two-sided normal tail. Several: (1 + exceedances) / (1 + 20,000) by simulation, and where no draw
    comes near, the sum of the kernels' own tails, which bounds the probability from above; it is only used below the
    simulation's resolution, so that no level is exceeded.
    """
    deviations = statistic.deviations
    movable = np.isfinite(deviations)
    if not movable.any() or observed <= 0:
        return 1.0
    bound = float(2 * stats.norm.sf(observed * statistic.units[movable] / deviations[movable]).sum())
    if movable.sum() == 1:
        return max(min(bound, 1.0), SMALLEST)
    values, vectors = np.linalg.eigh(statistic.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    draws = statistic.reduce(statistic.mean + rng.standard_normal((_N_SIMULATED, values.size)) @ root.T)
    exceedances = int((draws >= observed).sum())
    resolution = 1.0 / (_N_SIMULATED + 1)
    if exceedances == 0 and bound < resolution:
        return max(bound, SMALLEST)
    return (1 + exceedances) * resolution


def sequential_pvalue(
    draw: Callable[[np.random.Generator, int], NDArray[np.float64]],
    observed: float,
    *,
    n_permutations: int,
    random_state: int,
    n_jobs: int | None = None,
) -> tuple[float, int]:
    """Permute until 20 draws reached `observed`, at most `n_permutations` times (Besag and Clifford).

    Parameters
    ----------
    draw : callable
        ``draw(rng, n_draws)`` returns the statistic of shuffled rows.
    observed : float
    n_permutations : int
    random_state : int
    n_jobs : int or None

    Returns
    -------
    pvalue : float
        20 / draws if stopped early at the draw that brought the twentieth exceedance, else
        (1 + exceedances) / (1 + n_permutations). Never 0.
    n_draws : int
    """
    # Totals are sums of floats: a draw that equals the observed one but for rounding counts as reaching it.
    least = observed - 1e-9 * abs(observed)
    starts = list(range(0, n_permutations, _CHUNK))
    children = child_generators(random_state, len(starts))
    exceedances = done = 0
    for first in range(0, len(starts), _CHUNKS_AT_ONCE):
        chunks = range(first, min(first + _CHUNKS_AT_ONCE, len(starts)))
        results = map_blocks(
            lambda chunk: draw(children[chunk], min(_CHUNK, n_permutations - starts[chunk])), chunks, n_jobs=n_jobs
        )
        reached = np.concatenate(results) >= least
        if exceedances + int(reached.sum()) >= _ENOUGH_EXCEEDANCES:
            last = int(np.flatnonzero(reached)[_ENOUGH_EXCEEDANCES - exceedances - 1]) + 1
            return _ENOUGH_EXCEEDANCES / (done + last), done + last
        exceedances += int(reached.sum())
        done += reached.size
    return (1 + exceedances) / (1 + n_permutations), n_permutations
