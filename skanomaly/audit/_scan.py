"""The edge-count scan, which finds where too few edges cross."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from skanomaly import _kernels
from skanomaly.audit._graph import Graph
from skanomaly.audit._layout import Layout
from skanomaly.audit._null import SMALLEST, sequential_pvalue
from skanomaly.audit._statistics import shuffles

__all__ = ["Scan", "scan_edges"]

# Up to this many edges the sums are too skewed for the normal tail, and permutations are cheap.
_FEW_EDGES = 30_000
_N_PERMUTATIONS = 999


@dataclass(frozen=True, eq=False)
class Scan:
    """Result of a scan.

    Attributes
    ----------
    scores : ndarray of shape (n - 1,)
        Standardised surplus of crossing edges at the cut after each row of the order but the last; the most negative
        is the most likely change. NaN where no cut is possible.
    place : int
        Position of the first row after the most likely change; -1 if no cut is possible.
    pvalue : float
    """

    scores: NDArray[np.float64]
    place: int
    pvalue: float


def scan_edges(
    layout: Layout,
    graph: Graph,
    *,
    margin: float = 0.05,
    n_permutations: int | None = None,
    random_state: int = 0,
    n_jobs: int | None = None,
) -> Scan:
    """Scan every cut of the order for a deficit of crossing edges.

    Parameters
    ----------
    layout : Layout
    graph : Graph
    margin : float, default=0.05
        Fraction of the rows, at either end, before and after which no change is sought.
    n_permutations : int or None, default=None
        None takes the tail approximation for the largest of the standardised sums, and 999 permutations at most for
        graphs of 30,000 edges or fewer, where it exceeds its level.
    random_state : int, default=0
    n_jobs : int or None, default=None

    Returns
    -------
    Scan
    """
    n = layout.rows.size
    mean, variance, covariance = (np.empty(n) for _ in range(3))
    totals = _crossings(layout, graph)
    block_at = np.empty(n, dtype=np.intp)
    block_at[layout.places] = layout.blocks
    before = np.zeros(layout.sizes.size)
    _kernels.edge_scan.crossing_moments(block_at, layout.sizes, graph.sums, before, mean, variance, covariance)
    weight = float(graph.sums[:, 0].sum())
    place = np.arange(n)
    allowed = layout.cuts & (variance > 1e-12 * weight**2 / n)
    deviation = np.sqrt(np.where(allowed, variance, np.nan))
    scores = (totals - mean) / deviation
    within = allowed & (place >= max(1, margin * n)) & (place <= min(n - 1, (1 - margin) * n))
    if not within.any():
        return Scan(scores[1:], -1, 1.0)
    best = int(np.flatnonzero(within)[np.argmin(scores[within])])
    height = -float(scores[best])
    sought = np.where(within, deviation, 0.0)
    if n_permutations is None and graph.indices.size <= _FEW_EDGES:
        n_permutations = _N_PERMUTATIONS
    if n_permutations is None:
        pvalue = _tail(height, sought, covariance)
    else:
        pvalue, _ = sequential_pvalue(
            _Maxima(layout, graph, mean, sought),
            height,
            n_permutations=n_permutations,
            random_state=random_state,
            n_jobs=n_jobs,
        )
    return Scan(scores[1:], best, pvalue)


def _crossings(layout: Layout, graph: Graph) -> NDArray[np.float64]:
    """Weight of the edges that cross the cut before each place."""
    totals = np.zeros(layout.rows.size)
    if graph.ends is None:
        _kernels.edge_scan.crossing_totals(*graph.merged, layout.places[None], totals[None])
    else:
        np.cumsum((graph.ends[:, 1] - graph.ends[:, 0])[:-1], out=totals[1:])
    return totals


class _Maxima:
    def __init__(self, layout: Layout, graph: Graph, mean: NDArray[np.float64], deviation: NDArray[np.float64]) -> None:
        self._layout, self._graph = layout, graph
        self._mean, self._deviation = np.where(deviation > 0, mean, -np.inf), np.where(deviation > 0, deviation, 1.0)

    def __call__(self, rng: np.random.Generator, n_draws: int) -> NDArray[np.float64]:
        out = np.empty(n_draws)
        for part, places in shuffles(rng, self._layout, self._layout.places, n_draws):
            totals = np.empty(places.shape)
            _kernels.edge_scan.crossing_totals(*self._graph.merged, places, totals)
            np.subtract(self._mean, totals, out=totals)
            totals /= self._deviation
            out[part] = totals.max(axis=1)
        return out


def _tail(height: float, deviation: NDArray[np.float64], covariance: NDArray[np.float64]) -> float:
    r"""Tail of the largest of a chain of standard normals with given neighbouring correlations.

    :math:`P(\max_t Z_t > b) \approx 1 - \Phi(b) + b \varphi(b) \sum_t (1 - \rho_t)\, \nu(b \sqrt{2 (1 - \rho_t)})`,
    Siegmund's boundary crossing for a discrete chain, with his :math:`\nu(x) \approx
    (2 / x)(\Phi(x / 2) - 1/2) / ((x / 2) \Phi(x / 2) + \varphi(x / 2))`.
    """
    if height <= 0:
        return 1.0
    steps = (deviation[:-1] > 0) & (deviation[1:] > 0)
    correlation = covariance[:-1][steps] / (deviation[:-1][steps] * deviation[1:][steps])
    loss = np.clip(1.0 - correlation, 1e-15, 1.0)
    half = height * np.sqrt(2 * loss) / 2
    below = ndtr(half)
    overshoot = (below - 0.5) / half / (half * below + _density(half))
    crossing = height * _density(height) * float((loss * overshoot).sum())
    return float(np.clip(ndtr(-height) + crossing, SMALLEST, 1.0))


def _density(z: Any) -> Any:
    """Density of the standard normal distribution."""
    return np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
