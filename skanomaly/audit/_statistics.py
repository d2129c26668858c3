"""Statistics of the edges of a neighbour graph, with their exact mean and covariance when rows are shuffled."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._blocks import row_blocks
from skanomaly.audit._graph import Graph
from skanomaly.audit._layout import Layout

__all__ = [
    "Distance",
    "EdgeStatistic",
    "MeanGap",
    "SameGroup",
    "Scales",
    "permutation_moments",
    "scale_thresholds",
    "shuffles",
]

_N_SCALES = 12
# Below this expected edge weight a count is too skewed for the normal distribution.
_LEAST_EXPECTED = 20.0
_N_DISTANCE_GAPS = 64
_SHUFFLED_AT_ONCE = 1 << 15  # values


def permutation_moments(
    sums: NDArray[np.float64],
    sizes: NDArray[np.float64],
    totals: NDArray[np.float64],
    rows: NDArray[np.float64],
    pairs: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Exact mean and covariance of :math:`\sum_e w_e b(\pi_u, \pi_v)` for several kernels b, rows shuffled in blocks.

    Kernels are symmetric with zero diagonal. Everything is centred before it is combined, so nothing cancels.

    Parameters
    ----------
    sums : ndarray of shape (n_blocks, 3)
        Sums of edge weights, of their squares, of squared degrees.
    sizes : ndarray of shape (n_blocks,)
        Number of rows.
    totals : ndarray of shape (n_blocks, n_kernels)
        :math:`T = \sum_{u \ne v} b_{uv}`.
    rows : ndarray of shape (n_blocks, n_kernels, n_kernels)
        :math:`\sum_u R_u R'_u` with :math:`R_u = \sum_v b_{uv}`.
    pairs : ndarray of shape (n_blocks, n_kernels, n_kernels)
        :math:`\sum_{u \ne v} b_{uv} b'_{uv}`.

    Returns
    -------
    mean : ndarray of shape (n_kernels,)
    covariance : ndarray of shape (n_kernels, n_kernels)
    """
    kept = sizes >= 2
    sums, sizes, totals, rows, pairs = sums[kept], sizes[kept], totals[kept], rows[kept], pairs[kept]
    n_pairs = sizes * (sizes - 1)
    mean = ((sums[:, 0] / n_pairs)[:, None] * totals).sum(axis=0)
    products = totals[:, :, None] * totals[:, None, :]
    pairs = pairs - products / n_pairs[:, None, None]
    rows = rows - products / sizes[:, None, None]
    shared = sums[:, 2] - 2 * sums[:, 1]
    apart = sums[:, 0] ** 2 - sums[:, 1] - shared
    with np.errstate(divide="ignore", invalid="ignore"):
        touching = np.where(sizes > 2, shared / (n_pairs * (sizes - 2)), 0.0)
        disjoint = np.where(sizes > 3, apart / (n_pairs * (sizes - 2) * (sizes - 3)), 0.0)
    covariance = (
        (sums[:, 1] / n_pairs)[:, None, None] * pairs
        + touching[:, None, None] * (rows - pairs)
        + disjoint[:, None, None] * (2 * pairs - 4 * rows)
    ).sum(axis=0)
    return mean, covariance


def shuffles(
    rng: np.random.Generator, layout: Layout, values: NDArray[Any], n_draws: int
) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Shuffle values within blocks again and again.

    Yields
    ------
    part : slice
        Some of the `n_draws` rounds.
    shuffled : ndarray of shape (n_part, n)
        Each row is the one before shuffled.
    """
    values = values.copy()
    n_used = int(np.maximum(np.diff(layout.offsets) - 1, 0).sum())
    for part in row_blocks(n_draws, max(1, _SHUFFLED_AT_ONCE // values.size)):
        shuffled = np.empty((part.stop - part.start, values.size), dtype=values.dtype)
        uniforms = rng.random((len(shuffled), n_used))
        _kernels.permutation_moments.shuffle_blocks(uniforms, layout.offsets, values, shuffled)
        yield part, shuffled


class EdgeStatistic(ABC):
    """One way to measure whether neighbours are near each other in the order.

    Attributes
    ----------
    mean : ndarray of shape (n_kernels,)
        Expected totals when rows are shuffled.
    covariance : ndarray of shape (n_kernels, n_kernels)
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]

    def __init__(self, layout: Layout, graph: Graph) -> None:
        self.layout = layout
        self.graph = graph

    @property
    @abstractmethod
    def totals(self) -> NDArray[np.float64]:
        """Edge weight that each kernel collects, shape (n_kernels,)."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, n_draws: int) -> NDArray[np.float64]:
        """Return the statistic of `n_draws` shuffles, shape (n_draws,)."""

    @property
    def units(self) -> NDArray[np.float64]:
        """What a total's deviation from its mean is divided by; infinite where it cannot deviate."""
        return self.deviations

    @property
    def deviations(self) -> NDArray[np.float64]:
        """Standard deviations, infinite where a total is the same for every shuffle."""
        variances = np.diag(self.covariance)
        scale = float(self.graph.sums[:, 0].sum()) ** 2
        return np.sqrt(np.where(variances > 1e-14 * scale, variances, np.inf))

    def reduce(self, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn totals, kernels along the last axis, to the statistic."""
        return np.abs((totals - self.mean) / self.units).max(axis=-1, initial=0.0)

    def observed(self) -> float:
        """Return the statistic of the rows as they stand."""
        return float(self.reduce(self.totals))

    def _moments(self, totals: NDArray[np.float64], rows: NDArray[np.float64], pairs: NDArray[np.float64]) -> None:
        self.mean, self.covariance = permutation_moments(self.graph.sums, self.layout.sizes, totals, rows, pairs)


class Scales(EdgeStatistic):
    """Largest standardised number of edges within a gap, over gaps from the neighbouring row to half the table."""

    def __init__(self, layout: Layout, graph: Graph, thresholds: NDArray[np.float64]) -> None:
        super().__init__(layout, graph)
        self.thresholds = thresholds
        self._bins = np.searchsorted(thresholds, np.arange(layout.rows.size)) if layout.consecutive else None
        totals, rows = _indicator_sums(layout, thresholds)
        ascending = np.minimum.outer(np.arange(thresholds.size), np.arange(thresholds.size))
        self._moments(totals, rows, totals[:, ascending])

    @cached_property
    def totals(self) -> NDArray[np.float64]:  # as in the base class
        if self.layout.consecutive and self.graph.ends is not None:
            rows = np.repeat(np.arange(self.layout.rows.size), np.diff(self.graph.indptr))
            counts = np.cumsum(np.bincount(np.abs(self.graph.indices - rows), minlength=self.layout.rows.size))
            return counts[self.thresholds.astype(np.intp)].astype(np.float64)
        out = np.empty(self.thresholds.size + 1)
        kernels = _kernels.permutation_moments
        if self._bins is None:
            kernels.threshold_totals(*self.graph.merged, self.layout.coordinates[None], self.thresholds, out[None])
        else:
            kernels.bin_totals(*self.graph.merged, self.layout.ranks[None], self._bins, out[None])
        return np.cumsum(out)[:-1]

    def draw(self, rng: np.random.Generator, n_draws: int) -> NDArray[np.float64]:  # as in the base class
        out = np.empty((n_draws, self.thresholds.size + 1))
        layout, kernels = self.layout, _kernels.permutation_moments
        for part, places in shuffles(rng, layout, layout.coordinates if self._bins is None else layout.ranks, n_draws):
            if self._bins is None:
                kernels.threshold_totals(*self.graph.merged, places, self.thresholds, out[part])
            else:
                kernels.bin_totals(*self.graph.merged, places, self._bins, out[part])
        return self.reduce(np.cumsum(out, axis=1)[:, :-1])


class Distance(Scales):
    """Kolmogorov-Smirnov distance between the gaps of neighbours and those of all pairs, by rank in the stratum.

    ``observed`` and ``reduce`` look at 64 gaps at most, whose joint distribution is known; ``observed_exactly`` and
    ``draw`` at all of them.
    """

    def __init__(self, layout: Layout, graph: Graph) -> None:
        longest = max(int(layout.sizes.max()) - 1, 1)
        gaps = np.unique(np.geomspace(1, longest, _N_DISTANCE_GAPS // 2).round())
        evenly = np.linspace(1, longest, _N_DISTANCE_GAPS - gaps.size).round()
        ranked = Layout(
            layout.rows,
            layout.offsets,
            layout.blocks,
            layout.ranks.astype(np.float64),
            True,  # noqa: FBT003  # a field of a record
            layout.places,
            layout.cuts,
        )
        super().__init__(ranked, graph, np.union1d(gaps, evenly)[: max(longest - 1, 1)])
        counts = np.zeros(layout.rows.size)
        for size, weight in zip(layout.sizes, graph.sums[:, 0], strict=True):
            if size >= 2:
                gap = np.arange(1, int(size))
                counts[gap] += weight * 2 * (size - gap) / (size * (size - 1))
        self._background = np.cumsum(counts)

    @property
    def units(self) -> NDArray[np.float64]:  # as in the base class
        total = float(self.graph.sums[:, 0].sum())
        return np.full(self.thresholds.size, total if total > 0 else np.inf)

    def observed_exactly(self) -> float:
        """Return the distance over all gaps."""
        out = np.empty(1)
        self._distances(self.layout.ranks[None], out)
        return float(out[0] / self.units[0])

    def draw(self, rng: np.random.Generator, n_draws: int) -> NDArray[np.float64]:  # as in the base class
        out = np.empty(n_draws)
        for part, ranks in shuffles(rng, self.layout, self.layout.ranks, n_draws):
            self._distances(ranks, out[part])
        out /= self.units[0]
        return out

    def _distances(self, ranks: NDArray[np.intp], out: NDArray[np.float64]) -> None:
        histogram = np.empty_like(self._background)
        _kernels.permutation_moments.gap_distances(*self.graph.merged, ranks, self._background, histogram, out)


class MeanGap(EdgeStatistic):
    """Standardised mean gap between neighbours."""

    def __init__(self, layout: Layout, graph: Graph) -> None:
        super().__init__(layout, graph)
        offsets, sizes, line = layout.offsets[:-1], layout.sizes, layout.coordinates
        centre = (np.add.reduceat(line, offsets) / sizes)[layout.blocks]
        line = line - centre
        before = np.cumsum(line) - line
        before -= before[offsets][layout.blocks]
        total = np.add.reduceat(line, offsets)[layout.blocks]
        rank = layout.ranks
        size = sizes[layout.blocks]
        row_sums = line * rank - before + (total - before - line) - line * (size - 1 - rank)
        totals = np.add.reduceat(row_sums, offsets)[:, None]
        rows = np.add.reduceat(row_sums**2, offsets)[:, None, None]
        pairs = (2 * sizes * np.add.reduceat(line**2, offsets) - 2 * np.add.reduceat(line, offsets) ** 2)[:, None, None]
        self._moments(totals, rows, pairs)

    @cached_property
    def totals(self) -> NDArray[np.float64]:  # as in the base class
        out = np.empty(1)
        _kernels.permutation_moments.gap_totals(*self.graph.merged, self.layout.coordinates[None], out)
        return out

    def draw(self, rng: np.random.Generator, n_draws: int) -> NDArray[np.float64]:  # as in the base class
        out = np.empty(n_draws)
        for part, line in shuffles(rng, self.layout, self.layout.coordinates, n_draws):
            _kernels.permutation_moments.gap_totals(*self.graph.merged, line, out[part])
        return self.reduce(out[:, None])


class SameGroup(EdgeStatistic):
    """Standardised number of edges between rows of one group."""

    def __init__(self, layout: Layout, graph: Graph, groups: NDArray[np.intp]) -> None:
        super().__init__(layout, graph)
        self.groups = groups
        row_sums = same_group_rows(layout, groups)
        offsets = layout.offsets[:-1]
        totals = np.add.reduceat(row_sums, offsets)[:, None]
        self._moments(totals, np.add.reduceat(row_sums**2, offsets)[:, None, None], totals[:, :, None])

    @cached_property
    def totals(self) -> NDArray[np.float64]:  # as in the base class
        out = np.empty(1)
        _kernels.permutation_moments.group_totals(*self.graph.merged, self.groups[None], out)
        return out

    def draw(self, rng: np.random.Generator, n_draws: int) -> NDArray[np.float64]:  # as in the base class
        out = np.empty(n_draws)
        for part, groups in shuffles(rng, self.layout, self.groups, n_draws):
            _kernels.permutation_moments.group_totals(*self.graph.merged, groups, out[part])
        return self.reduce(out[:, None])


def same_group_rows(layout: Layout, groups: NDArray[np.intp]) -> NDArray[np.float64]:
    """Count the other rows of each row's stratum that share its group."""
    cells, counts = np.unique(layout.blocks * (groups.max() + 1) + groups, return_inverse=True, return_counts=True)[1:]
    return counts[cells].astype(np.float64) - 1.0


def scale_thresholds(layout: Layout, graph: Graph) -> NDArray[np.float64]:
    """Choose gaps, geometric in the fraction of pairs they take in, from one that expects 20 edges to half the table.

    Returns
    -------
    ndarray of shape (n_scales,)
        Ascending; empty if no gap splits the pairs.
    """
    sizes, weight = layout.sizes, float(graph.sums[:, 0].sum())
    longest = int(sizes.max())
    gaps = np.geomspace(1, max(longest / 2, 1), _N_SCALES)
    share = 2 * gaps / longest
    least = max(float(share[0]), _LEAST_EXPECTED / weight) if weight > 0 else 1.0
    if least > share[0] * (1 + 1e-9):
        gaps = np.geomspace(min(least, 1.0) * longest / 2, max(longest / 2, 1), _N_SCALES)
    if layout.consecutive:
        gaps = np.unique(gaps.round())
    else:
        gaps = _gap_quantiles(layout, 2 * gaps / longest - (gaps / longest) ** 2)
    totals = _window_totals(layout, gaps).sum(axis=0)
    n_pairs = float((sizes * (sizes - 1)).sum())
    fresh = np.concatenate([[True], np.diff(totals) > 0]) if gaps.size else np.empty(0, dtype=bool)
    return gaps[fresh & (totals > 0) & (totals < n_pairs)]


def _gap_quantiles(layout: Layout, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Smallest gaps that take in at least the given shares of the pairs within strata, by bisection."""
    n_pairs = float((layout.sizes * (layout.sizes - 1)).sum())
    widest = float(np.ptp(layout.coordinates))
    quantiles = []
    for share in shares:
        low, high = 0.0, widest
        if _window_rows(layout, low).sum() >= share * n_pairs:
            high = low
        for _ in range(48):
            middle = (low + high) / 2
            if _window_rows(layout, middle).sum() >= share * n_pairs:
                high = middle
            else:
                low = middle
            if high - low <= 1e-6 * high:
                break
        quantiles.append(high)
    return np.unique(quantiles)


def _window_rows(layout: Layout, gap: float) -> NDArray[np.float64]:
    """Count each row's fellows within a gap."""
    out = np.empty(layout.rows.size)
    _kernels.neighbor_windows.window_counts(layout.coordinates, gap, layout.offsets, out)
    return out


def _window_totals(layout: Layout, gaps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Count, per stratum, the ordered pairs of rows within each gap, shape (n_strata, n_gaps)."""
    if layout.consecutive:
        sizes = layout.sizes[:, None]
        whole = np.minimum(np.floor(gaps), sizes - 1)
        return whole * (2 * sizes - whole - 1)
    offsets = layout.offsets[:-1]
    totals = [np.add.reduceat(_window_rows(layout, gap), offsets) for gap in gaps]
    return np.array(totals).reshape(gaps.size, offsets.size).T.copy()


def _indicator_sums(layout: Layout, thresholds: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Sum the row sums of the kernels "within each threshold", and their products, per stratum.

    Of N rows at 0, 1, ... the one at p has :math:`R_a = 2 a - (a - p)_+ - (a - N + 1 + p)_+` fellows within a, and
    the sums over p of products of the two shortfalls are polynomials.
    """
    totals = _window_totals(layout, thresholds)
    if layout.consecutive:
        sizes = layout.sizes[:, None, None]
        one = np.minimum(np.floor(thresholds), layout.sizes[:, None] - 1)
        small, large = np.minimum(one[:, :, None], one[:, None, :]), np.maximum(one[:, :, None], one[:, None, :])
        short = small * (small + 1) / 2
        same_end = (large - small) * short + small * (small + 1) * (2 * small + 1) / 6
        overlap = np.maximum(small + large - (sizes - 1), 1.0)
        other_end = (overlap - 1) * overlap * (overlap + 1) / 6
        crossed = small * large * (large + 1) / 2 + large * short
        return totals, 4 * small * large * sizes - 4 * crossed + 2 * same_end + 2 * other_end
    n_scales = thresholds.size
    rows = np.array([_window_rows(layout, gap) for gap in thresholds]).reshape(n_scales, layout.rows.size)
    offsets = layout.offsets[:-1]
    products = np.empty((offsets.size, n_scales, n_scales))
    for first in range(n_scales):
        for second in range(first, n_scales):
            products[:, first, second] = np.add.reduceat(rows[first] * rows[second], offsets)
            products[:, second, first] = products[:, first, second]
    return totals, products
