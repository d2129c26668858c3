"""A series as a walk on a graph of shapes; rare transitions are anomalous."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._blocks import row_blocks
from skanomaly._support._scales import ROUNDING
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.sequence._base import SeriesDetector
from skanomaly.sequence._series._window_vectors import WindowVectors
from skanomaly.sequence._windows import WindowLookup, effective_window, rolling_mean, window_starts

__all__ = ["TransitionGraphDetector"]

_GRID = 128
_BLOCK = 4096


class TransitionGraphDetector(SeriesDetector):
    r"""Rarity of the transition from one shape to the next in the training series.

    Parameters
    ----------
    window_size : int, default=50
        Time points per window.
    n_rays : int, default=50
        Number of directions that the plane of shapes is divided into.
    smoothing : int, default=100
        Number of time points that scores are averaged over.
    binary_channels : {"ignore", "keep"}, default="ignore"
        "ignore" leaves out channels with at most two distinct training values, if other channels have more.
    point_alignment : {"center", "mean", "max", "last"}, default="mean"
        How a time point is scored from windows: by the window centred on it ("center"), by the mean or maximum over all
        windows that cover it ("mean", "max"), or by the window that ends at it ("last").
    contamination : float, default=0.1
        Fraction of the training time points that is flagged, in (0, 0.5].

    Attributes
    ----------
    window_size_ : int
        Window size used: smaller than `window_size` if the training series is shorter than two windows.
    transitions_ : list of ndarray of shape (n_nodes, n_nodes)
        Counts of the training transitions from one node to another, by channel used.
    offset_ : float
        Threshold on ``score_samples``: time points that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training table had names that are all strings.

    See Also
    --------
    skanomaly.events.MarkovDetector : Transition probabilities of event traces.
    MatrixProfileDetector : Compares all pairs of windows.

    Notes
    -----
    After Series2Graph [1]_: windows are smoothed, projected on their three leading components, and rotated so that the
    first axis is the level, which is dropped. In the remaining plane, a node is a ray together with a mode of the
    distances at which the training series crosses it; the weight of an edge is the number of its crossings. A
    transition scores :math:`-\log(1 + w\,(g - 1))` with weight w and g edges at its node. What we changed: each window
    is assigned to the node of its sector, without computing intersections with rays; the logarithm; and a training
    transition is scored with itself left out. Channels are scored separately and averaged. Cost: O(n w^2) per channel;
    memory O(n).

    References
    ----------
    .. [1] Boniol, P. and Palpanas, T. (2020). "Series2Graph: graph-based subsequence anomaly detection for time
       series". Proceedings of the VLDB Endowment 13(12), 1821-1834. https://doi.org/10.14778/3407790.3407792

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import TransitionGraphDetector
    >>> wave = np.sin(np.arange(2000) / 8)
    >>> wave[1000:1030] = np.sin(np.arange(30) / 2)
    >>> detector = TransitionGraphDetector(smoothing=20).fit(wave)
    >>> bool(960 < detector.score_samples(wave).argmin() < 1070)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SeriesDetector._parameter_constraints,
        "window_size": [Interval(Integral, 1, None, closed="left")],
        "n_rays": [Interval(Integral, 3, None, closed="left")],
        "smoothing": [Interval(Integral, 1, None, closed="left")],
        "binary_channels": [StrOptions({"ignore", "keep"})],
        "point_alignment": [StrOptions({"center", "mean", "max", "last"})],
    }

    def __init__(
        self,
        *,
        window_size: int = 50,
        n_rays: int = 50,
        smoothing: int = 100,
        binary_channels: str = "ignore",
        point_alignment: str = "mean",
        contamination: float = 0.1,
    ) -> None:
        self.window_size = window_size
        self.n_rays = n_rays
        self.smoothing = smoothing
        self.binary_channels = binary_channels
        self.point_alignment = point_alignment
        self.contamination = contamination

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:
        edges = metadata.get("edges")
        self.window_size_ = effective_window(self.window_size, len(X), edges=edges)
        self._vectors = WindowVectors(
            X, window_size=self.window_size_, normalize="scale", binary_channels=self.binary_channels
        )
        starts = window_starts(len(X), self.window_size_, edges=edges)
        follows = np.diff(starts) == 1
        self._lookup = WindowLookup(X, self.window_size_, starts=starts)
        self._planes, self._nodes, self.transitions_ = [], [], []
        ordinary = self._vectors.ordinary_windows(X, edges)
        for channel in self._vectors.prepare(X).T:
            plane = _Plane(channel, self.window_size_, ordinary)
            points = plane.project(channel)[starts]
            nodes = _Nodes(points, self.n_rays)
            walk = nodes.walk(points)
            counts = np.zeros((nodes.n_nodes, nodes.n_nodes))
            np.add.at(counts, (walk[:-1][follows], walk[1:][follows]), 1.0)
            np.fill_diagonal(counts, 0.0)
            self._planes.append(plane)
            self._nodes.append(nodes)
            self.transitions_.append(counts)

    def _window_outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        twins = self._lookup.find(X)
        seen = (twins[:-1] >= 0) & (twins[1:] == twins[:-1] + 1)
        prepared = self._vectors.prepare(X)
        total = np.zeros(len(twins))
        for channel, plane, nodes, counts in zip(prepared.T, self._planes, self._nodes, self.transitions_, strict=True):
            total += _rarity(nodes.walk(plane.project(channel)), counts, seen)
        return total / prepared.shape[1]

    def _averaged(self, local: NDArray[Any]) -> NDArray[np.float64]:
        return rolling_mean(super()._averaged(local), self.smoothing)

    @property
    def _edge_size(self) -> int:
        return super()._edge_size + self.smoothing - 1


class _Plane:
    """The plane of shapes: leading components of smoothed windows, without the direction of the level."""

    def __init__(self, channel: NDArray[np.float64], window_size: int, chosen: NDArray[np.intp]) -> None:
        self._window_size = window_size
        self._kernel = max(1, window_size // 3)
        windows = self._smoothed(channel)
        blocks = row_blocks(len(chosen), _BLOCK)  # a copy of all windows would need window_size times the memory
        self._mean = np.sum([windows[chosen[block]].sum(axis=0) for block in blocks], axis=0) / len(chosen)
        products = np.zeros((windows.shape[1], windows.shape[1]))
        for block in blocks:
            centred = windows[chosen[block]] - self._mean
            products += centred.T @ centred
        directions = np.linalg.eigh(products)[1][:, ::-1][:, :3]
        if directions.shape[1] < 3:
            directions = np.pad(directions, ((0, 0), (0, 3 - directions.shape[1])))
        level = np.ones(windows.shape[1]) @ directions
        norm = np.linalg.norm(level)
        # The two directions of the three that are orthogonal to the level.
        basis = np.linalg.svd(level[None] / norm)[2][1:] if norm > 0 else np.eye(3)[:2]
        self._directions = directions @ basis.T

    def _smoothed(self, channel: NDArray[np.float64]) -> NDArray[np.float64]:
        means = np.convolve(channel, np.full(self._kernel, 1.0 / self._kernel), mode="valid")
        return np.lib.stride_tricks.sliding_window_view(means, self._window_size - self._kernel + 1)

    def project(self, channel: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the point in the plane of each window."""
        windows = self._smoothed(channel)
        points = np.empty((len(windows), 2))
        for block in row_blocks(len(windows), _BLOCK):
            points[block] = (windows[block] - self._mean) @ self._directions
        return points


class _Nodes:
    """Rays of the plane, and on each the modes of the training distances."""

    def __init__(self, points: NDArray[np.float64], n_rays: int) -> None:
        self._n_rays = n_rays
        rays, radii = self._polar(points)
        self._modes = [_modes(radii[rays == ray]) for ray in range(n_rays)]
        self._first = np.cumsum([0, *(len(modes) for modes in self._modes)])
        self.n_nodes = int(self._first[-1])

    def _polar(self, points: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        angles = np.arctan2(points[:, 1], points[:, 0]) % (2 * np.pi)
        rays = np.minimum((angles / (2 * np.pi) * self._n_rays).astype(np.intp), self._n_rays - 1)
        return rays, np.hypot(points[:, 0], points[:, 1])

    def walk(self, points: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the node of each point."""
        rays, radii = self._polar(points)
        out = np.empty(len(points), dtype=np.intp)
        for ray, modes in enumerate(self._modes):
            here = rays == ray
            out[here] = self._first[ray] + np.searchsorted((modes[1:] + modes[:-1]) / 2, radii[here])
        return out


def _modes(radii: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the modes of a Gaussian density estimate by Scott's rule, ascending; at least one."""
    spread = radii.std() if radii.size > 1 else 0.0
    if not spread > ROUNDING * np.abs(radii).max(initial=0.0):
        return radii[:1] if radii.size else np.zeros(1)
    width = spread * radii.size**-0.2
    grid = np.linspace(radii.min() - width, radii.max() + width, _GRID)
    counts = np.histogram(radii, bins=np.append(grid, grid[-1] + grid[1] - grid[0]) - (grid[1] - grid[0]) / 2)[0]
    kernel = np.exp(-0.5 * ((grid - grid[_GRID // 2]) / width) ** 2)
    density = np.convolve(counts, kernel)[_GRID // 2 : _GRID // 2 + _GRID]
    peaks = np.flatnonzero((density[1:-1] >= density[:-2]) & (density[1:-1] > density[2:])) + 1
    return grid[peaks] if peaks.size else radii[:1]


def _rarity(walk: NDArray[np.intp], counts: NDArray[np.float64], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Score each window by the last transition to another node; windows before the first transition get the first."""
    out = np.zeros(len(walk))
    steps = np.flatnonzero(walk[1:] != walk[:-1])
    if steps.size == 0:
        return out
    source, target = walk[steps], walk[steps + 1]
    weights = np.maximum(counts[source, target] - seen[steps], 0.0)
    degrees = (counts > 0).sum(axis=1) + (counts > 0).sum(axis=0)
    scores = -np.log1p(weights * np.maximum(degrees[source] - 1.0, 0.0))
    last = np.searchsorted(steps + 1, np.arange(len(walk)), side="right") - 1
    return scores[np.maximum(last, 0)]
