"""Distances of windows to typical shapes."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from skanomaly._support._scales import ROUNDING, usable_scale
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.sequence._base import SeriesDetector
from skanomaly.sequence._bridges import bridged
from skanomaly.sequence._channels import on_channels
from skanomaly.sequence._series._profile import WindowTable, join
from skanomaly.sequence._series._window_vectors import WindowVectors
from skanomaly.sequence._windows import effective_window, rolling_mean, stretches, window_starts

__all__ = ["KShapeDetector", "k_shape"]

_SEGMENT, _LARGEST_BRIDGE = 4, 2  # in windows


class KShapeDetector(SeriesDetector):
    r"""Distance of each window to the typical shapes of the training series.

    Parameters
    ----------
    window_size : int, default=100
        Time points per window.
    n_clusters : int, default=6
        Number of typical segments, each four windows long; fewer if the series is short.
    max_iter : int, default=20
        Largest number of iterations of the clustering.
    smoothing : int, default=100
        Number of time points that scores are averaged over.
    binary_channels : {"ignore", "keep"}, default="ignore"
        "ignore" leaves out channels with at most two distinct training values, if other channels have more.
    point_alignment : {"center", "mean", "max", "last"}, default="mean"
        How a time point is scored from windows: by the window centred on it ("center"), by the mean or maximum over all
        windows that cover it ("mean", "max"), or by the window that ends at it ("last").
    contamination : float, default=0.1
        Fraction of the training time points that is flagged, in (0, 0.5].
    random_state : int, RandomState instance or None, default=None
        Seed of the initial assignment to clusters.

    Attributes
    ----------
    window_size_ : int
        Window size used: smaller than `window_size` if the training series is shorter than six windows.
    cluster_centers_ : list of ndarray of shape (n_clusters_used, 4 * `window_size_`)
        Typical segments, z-normalised; one array per channel used.
    cluster_weights_ : list of ndarray of shape (n_clusters_used,)
        Weight of each typical segment in the score, by channel; they sum to 1.
    n_iter_ : int
        Largest number of clustering iterations over the channels.
    offset_ : float
        Threshold on ``score_samples``: time points that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training table had names that are all strings.

    See Also
    --------
    SubsequenceKMeans : Uses amplitude, and the position in the window.
    MatrixProfileDetector : Compares with all training windows.

    Notes
    -----
    Segments of four windows, starting every 1.5 windows, are clustered by k-Shape (Paparrizos and Gravano, 2015). Those
    of a series that is cut run over its holes, along curves that continue the values and slopes at both sides for as
    many time points as the hole has, at most two windows; no window that is scored spans a cut. The distance of a
    window to a typical segment is that to the nearest z-normalised window of the segment. Distances are
    averaged with weights :math:`f^2 / c`, where f is the fraction of segments in the cluster and c is the sum of the
    distances of its centre to the other centres, both scaled to [1, 2], as in NormA and SAND (Boniol and others, 2021).
    Channels are clustered separately and their scores are averaged; ``feature_contributions`` are the terms of this
    mean. Level and amplitude are not used. Cost: O(n k w) per channel and O(s k w log w) per iteration for s segments.

    References
    ----------
    .. [1] Paparrizos, J. and Gravano, L. (2015). "k-Shape: efficient and accurate clustering of time series". SIGMOD.
       https://doi.org/10.1145/2723372.2737793
    .. [2] Boniol, P., Paparrizos, J., Palpanas, T. and Franklin, M. J. (2021). "SAND: streaming subsequence anomaly
       detection". Proceedings of the VLDB Endowment 14(10), 1717-1729. https://doi.org/10.14778/3467861.3467863

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import KShapeDetector
    >>> wave = np.sin(np.arange(2000) / 8)
    >>> wave[1000:1030] = np.sin(np.arange(30) / 2)
    >>> detector = KShapeDetector(window_size=50, smoothing=10, random_state=0).fit(wave)
    >>> bool(960 < detector.score_samples(wave).argmin() < 1070)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SeriesDetector._parameter_constraints,
        "window_size": [Interval(Integral, 2, None, closed="left")],
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "smoothing": [Interval(Integral, 1, None, closed="left")],
        "binary_channels": [StrOptions({"ignore", "keep"})],
        "point_alignment": [StrOptions({"center", "mean", "max", "last"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        window_size: int = 100,
        n_clusters: int = 6,
        max_iter: int = 20,
        smoothing: int = 100,
        binary_channels: str = "ignore",
        point_alignment: str = "mean",
        contamination: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.window_size = window_size
        self.n_clusters = n_clusters
        self.max_iter = max_iter
        self.smoothing = smoothing
        self.binary_channels = binary_channels
        self.point_alignment = point_alignment
        self.contamination = contamination
        self.random_state = random_state

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:
        edges = metadata.get("edges")
        self.window_size_ = effective_window(self.window_size, len(X), n_windows=6, edges=edges)
        self._vectors = WindowVectors(
            X, window_size=self.window_size_, normalize="scale", binary_channels=self.binary_channels
        )
        prepared = self._vectors.prepare(X)
        if edges is not None:  # segments run over holes, or windows beside holes would be in fewer segments than others
            parts = stretches(len(X), edges, self.window_size_)
            prepared = bridged(prepared, metadata["ticks"], parts, _LARGEST_BRIDGE * self.window_size_)[0]
        random = generator(self.random_state)
        length = min(_SEGMENT * self.window_size_, len(prepared))
        starts = window_starts(len(prepared), length, stride=max(1, 3 * self.window_size_ // 2))
        self.cluster_centers_, self.cluster_weights_, self.n_iter_ = [], [], 0
        for channel, level in zip(prepared.T, self._vectors.level, strict=True):
            segments = _standardised(np.lib.stride_tricks.sliding_window_view(channel, length)[starts], level)
            labels, centers, n_iter = k_shape(segments, min(self.n_clusters, len(starts)), self.max_iter, random)
            self.n_iter_ = max(self.n_iter_, n_iter)
            self.cluster_centers_.append(centers)
            self.cluster_weights_.append(_weights(labels, centers))

    def _window_outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        total = np.zeros(len(X) - self.window_size_ + 1)
        for part in self._weighted_distances(X):
            total += part
        return total / len(self._vectors.channels)

    def _local_shares(self, X: NDArray[Any]) -> NDArray[np.float64]:
        parts = np.zeros((len(self._long_enough(X)) - self.window_size_ + 1, len(self._vectors.channels)))
        columns = np.repeat(np.arange(parts.shape[1]), [len(weights) for weights in self.cluster_weights_])
        for column, part in zip(columns, self._weighted_distances(X), strict=True):
            parts[:, column] += part
        return on_channels(parts, self._vectors.channels, X.shape[1])

    def _weighted_distances(self, X: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
        """Yield the weighted distances of windows to the typical segments, channel after channel."""
        prepared = self._vectors.prepare(X)
        for column, (centers, weights) in enumerate(zip(self.cluster_centers_, self.cluster_weights_, strict=True)):
            queries = WindowTable(prepared[:, [column]], self.window_size_, level=self._vectors.level[[column]])
            for center, weight in zip(centers, weights, strict=True):
                yield weight * join(queries, WindowTable(center[:, None], self.window_size_)).distances

    def _averaged(self, local: NDArray[Any]) -> NDArray[np.float64]:
        return rolling_mean(super()._averaged(local), self.smoothing)

    @property
    def _edge_size(self) -> int:
        return super()._edge_size + self.smoothing - 1


def k_shape(
    rows: NDArray[np.float64], n_clusters: int, max_iter: int, random: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.float64], int]:
    """Cluster z-normalised rows by shape, independent of shifts.

    Parameters
    ----------
    rows : ndarray of shape (n, w)
    n_clusters : int
        At most n.
    max_iter : int
    random : numpy.random.Generator

    Returns
    -------
    labels : ndarray of shape (n,)
    centers : ndarray of shape (n_clusters, w)
        z-normalised. An empty cluster gets the row that is farthest from its centre.
    n_iter : int
        Number of iterations.
    """
    labels = random.permutation(np.arange(len(rows)) % n_clusters)
    centers = np.zeros((n_clusters, rows.shape[1]))
    n_iter = 0
    for n_iter in range(1, max_iter + 1):  # noqa: B007  # the count is returned
        centers = np.stack([_shape(rows[labels == label], centers[label]) for label in range(n_clusters)])
        similarity = np.stack([_correlations(rows, center)[0] for center in centers])
        new = similarity.argmax(axis=0)
        for label in np.setdiff1d(np.arange(n_clusters), new):
            crowded = np.bincount(new, minlength=n_clusters)[new] > 1
            new[np.where(crowded, similarity.max(axis=0), np.inf).argmin()] = label
        if (new == labels).all():
            break
        labels = new
    return labels, centers, n_iter


def _shape(rows: NDArray[np.float64], center: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the shape most similar to all rows, after each is aligned with the current center."""
    aligned = rows
    if center.any():
        shifts = _correlations(rows, center)[1]
        aligned = np.stack([_shifted(row, shift) for row, shift in zip(rows, shifts, strict=True)])
    aligned = aligned - aligned.mean(axis=1, keepdims=True)
    # The first right singular vector is the leading eigenvector of the centred rows' products.
    direction = np.linalg.svd(aligned, full_matrices=False)[2][0]
    sign = 1.0 if (aligned @ direction).sum() >= 0 else -1.0
    return _standardised(sign * direction[None])[0]


def _shifted(row: NDArray[np.float64], shift: int) -> NDArray[np.float64]:
    out = np.zeros_like(row)
    if shift >= 0:
        out[shift:] = row[: len(row) - shift]
    else:
        out[:shift] = row[-shift:]
    return out


def _correlations(
    rows: NDArray[np.float64], center: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the largest normalised cross-correlation of each row with the center, and the shift onto it."""
    width = rows.shape[1]
    size = fft.next_fast_len(2 * width - 1, real=True)
    products = fft.irfft(fft.rfft(center, size) * np.conj(fft.rfft(rows, size, axis=1)), size, axis=1)
    products = np.hstack([products[:, -(width - 1) :] if width > 1 else products[:, :0], products[:, :width]])
    norms = np.linalg.norm(rows, axis=1) * np.linalg.norm(center)
    best = products.argmax(axis=1)
    largest = np.take_along_axis(products, best[:, None], axis=1)[:, 0]
    return largest / np.where(norms > 0, norms, 1.0), best - (width - 1)


def _standardised(rows: NDArray[np.float64], level: float = 0.0) -> NDArray[np.float64]:
    """Scale rows to mean 0 and variance 1; `level`, which was subtracted before, tells what is rounding."""
    magnitude = np.abs(rows[:, :1] + level)
    rows = rows - rows[:, :1]
    rows = rows - rows.mean(axis=1, keepdims=True)
    spread = rows.std(axis=1, keepdims=True)
    return np.where(spread > ROUNDING * magnitude, rows / np.where(spread > 0, spread, 1.0), 0.0)


def _weights(labels: NDArray[np.intp], centers: NDArray[np.float64]) -> NDArray[np.float64]:
    fractions = np.bincount(labels, minlength=len(centers)) / len(labels)
    remoteness = np.array([(1.0 - _correlations(centers, center)[0]).sum() for center in centers])
    weights = _one_to_two(fractions) ** 2 / _one_to_two(remoteness)
    return weights / weights.sum()


def _one_to_two(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1.0 + (x - x.min()) / usable_scale(np.ptp(x), np.abs(x).max())
