"""Distances of windows in the principal components of training windows, and to cluster centres."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from skanomaly._support._neighbors import RowLookup
from skanomaly._support._seeds import draw_seed, generator
from skanomaly._support._sklearn import Interval, RealNotInt, StrOptions
from skanomaly._support._warnings import warn_user
from skanomaly.sequence._base import SeriesDetector
from skanomaly.sequence._channels import divided, on_channels, squares_by_channel
from skanomaly.sequence._series._window_vectors import WindowVectors
from skanomaly.sequence._windows import effective_window

__all__ = ["SubsequenceKMeans", "SubsequencePCA"]

_BLOCK_WINDOWS = 4096
_EQUAL = 1e-6
_FLOOR = 1e-6
_LEAST_FRACTION = 0.5


class SubsequencePCA(SeriesDetector):
    r"""Distance of each window in the principal components of the training windows.

    Parameters
    ----------
    window_size : int, default=100
        Time points per window.
    statistic : {"mahalanobis", "residual", "both"}, default="mahalanobis"
        "mahalanobis": norm of all components, scaled to variance 1. "residual": norm of what the leading components do
        not explain. "both": square root of the sum of Hotelling's statistic in the leading components and the squared
        residual, each divided by its mean in training.
    n_components : float or int, default=0.9
        Leading components: the fraction of the variance that they explain, in (0, 1), or their number. Not used by
        "mahalanobis".
    normalize : {"center", "zscore", "scale"}, default="scale"
        How each window is normalised, after the channels are scaled to variance 1: "center" subtracts its mean,
        "zscore" also divides by its standard deviation, "scale" leaves it as it is.
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
    n_components_ : int
        Number of leading components.
    explained_variance_ : ndarray of shape (n_channels_used * `window_size_`,)
        Variances of the components, descending.
    offset_ : float
        Threshold on ``score_samples``: time points that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training table had names that are all strings.

    See Also
    --------
    SubsequenceNeighbors : Does not assume a normal distribution.

    Notes
    -----
    The statistics are those of process monitoring (Jackson and Mudholkar, 1979). Variances are at least a millionth of
    the largest. ``feature_contributions`` divide the distance of a window in proportion to the parts of its square: the
    squared residuals of the channel, or the terms :math:`(x - \mu)_j [P (x - \mu)]_j` with the inverse covariance P,
    which may be negative. Sums and products are accumulated block by block: O(n (w d)^2) time and O((w d)^2) memory for
    windows of w points and d channels.

    References
    ----------
    .. [1] Jackson, J. E. and Mudholkar, G. S. (1979). "Control procedures for residuals associated with principal
       component analysis". Technometrics 21(3), 341-349. https://doi.org/10.1080/00401706.1979.10489779

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import SubsequencePCA
    >>> wave = np.sin(np.arange(1000) / 8)
    >>> wave[500:520] *= 0.2
    >>> bool(
    ...     480
    ...     < SubsequencePCA(window_size=30).fit(wave).score_samples(wave).argmin()
    ...     < 540
    ... )
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SeriesDetector._parameter_constraints,
        "window_size": [Interval(Integral, 1, None, closed="left")],
        "statistic": [StrOptions({"mahalanobis", "residual", "both"})],
        "n_components": [Interval(RealNotInt, 0, 1, closed="neither"), Interval(Integral, 1, None, closed="left")],
        "normalize": [StrOptions({"center", "zscore", "scale"})],
        "binary_channels": [StrOptions({"ignore", "keep"})],
        "point_alignment": [StrOptions({"center", "mean", "max", "last"})],
    }

    def __init__(
        self,
        *,
        window_size: int = 100,
        statistic: str = "mahalanobis",
        n_components: float = 0.9,
        normalize: str = "scale",
        binary_channels: str = "ignore",
        point_alignment: str = "mean",
        contamination: float = 0.1,
    ) -> None:
        self.window_size = window_size
        self.statistic = statistic
        self.n_components = n_components
        self.normalize = normalize
        self.binary_channels = binary_channels
        self.point_alignment = point_alignment
        self.contamination = contamination

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:
        edges = metadata.get("edges")
        self.window_size_ = effective_window(self.window_size, len(X), edges=edges)
        self._vectors = WindowVectors(
            X, window_size=self.window_size_, normalize=self.normalize, binary_channels=self.binary_channels
        )
        starts = self._vectors.ordinary_windows(X, edges)
        n_windows = len(starts)
        n_columns = self.window_size_ * len(self._vectors.channels)
        total, products = np.zeros(n_columns), np.zeros((n_columns, n_columns))
        for vectors in self._vectors.blocks_at(X, starts, _BLOCK_WINDOWS):
            total += vectors.sum(axis=0)
            products += vectors.T @ vectors
        self._mean = total / n_windows
        values, directions = np.linalg.eigh(products / n_windows - np.outer(self._mean, self._mean))
        values = np.maximum(values[::-1], 0.0)
        self.explained_variance_, self._directions = values, np.ascontiguousarray(directions[:, ::-1])
        wanted = self.n_components
        if not isinstance(wanted, Integral):
            wanted = int(np.searchsorted(np.cumsum(values) / (values.sum() or 1.0), wanted)) + 1
        self.n_components_ = min(int(wanted), len(values))
        self._scales = np.sqrt(np.maximum(values, _FLOOR * values[0])) if values[0] > 0 else np.ones(len(values))
        self._means = np.ones(2)
        if self.statistic == "both":
            parts = [self._statistics(vectors) for vectors in self._vectors.blocks_at(X, starts, _BLOCK_WINDOWS)]
            means = np.concatenate(parts).mean(axis=0)
            self._means = np.where(means > 0, means, 1.0)
        if n_windows <= n_columns and self.statistic == "mahalanobis":
            distances = self._window_outlyingness(X)
            if np.ptp(distances) <= _EQUAL * distances.max():
                warn_user(
                    f"All training windows are at the same distance: there are {n_windows} of {n_columns} values each. "
                    "Use statistic='residual', a smaller window_size, fewer channels or more time points."
                )

    def _statistics(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return Hotelling's statistic and the squared residual."""
        coordinates = (vectors - self._mean) @ self._directions
        leading = coordinates[:, : self.n_components_] / self._scales[: self.n_components_]
        rest = coordinates[:, self.n_components_ :]
        return np.column_stack([np.square(leading).sum(axis=1), np.square(rest).sum(axis=1)])

    def _window_outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        parts = []
        for vectors in self._vectors.blocks(X, _BLOCK_WINDOWS):
            if self.statistic == "mahalanobis":
                coordinates = (vectors - self._mean) @ self._directions / self._scales
                parts.append(np.square(coordinates).sum(axis=1))
            elif self.statistic == "residual":
                parts.append(self._statistics(vectors)[:, 1])
            else:
                parts.append((self._statistics(vectors) / self._means).sum(axis=1))
        return np.sqrt(np.concatenate(parts))

    def _local_shares(self, X: NDArray[Any]) -> NDArray[np.float64]:
        size, n = self.window_size_, self.n_components_
        parts = []
        for vectors in self._vectors.blocks(self._long_enough(X), _BLOCK_WINDOWS):
            centred = vectors - self._mean
            scaled = centred @ self._directions / np.square(self._scales)
            if self.statistic == "mahalanobis":
                squares = _sums_by_channel(centred * (scaled @ self._directions.T), size)
            else:
                leading = scaled[:, :n] @ self._directions[:, :n].T
                rest = centred @ self._directions[:, n:] @ self._directions[:, n:].T
                squares = squares_by_channel(rest, size)
                if self.statistic == "both":
                    hotelling = _sums_by_channel(centred * leading, size)
                    squares = hotelling / self._means[0] + squares / self._means[1]
            parts.append(squares)
        found = on_channels(np.concatenate(parts), self._vectors.channels, X.shape[1])
        return divided(self._window_outlyingness(X), found)


def _sums_by_channel(vectors: NDArray[np.float64], window_size: int) -> NDArray[np.float64]:
    return np.asarray(vectors.reshape(len(vectors), -1, window_size).sum(axis=2))


class SubsequenceKMeans(SeriesDetector):
    r"""Distance of each window to the nearest of a few typical windows.

    Parameters
    ----------
    window_size : int, default=100
        Time points per window.
    n_clusters : int, default=10
        Number of typical windows.
    n_references : int, default=4000
        Number of training windows that are clustered, drawn without replacement.
    normalize : {"center", "zscore", "scale"}, default="center"
        How each window is normalised, after the channels are scaled to variance 1: "center" subtracts its mean,
        "zscore" also divides by its standard deviation, "scale" leaves it as it is.
    binary_channels : {"ignore", "keep"}, default="ignore"
        "ignore" leaves out channels with at most two distinct training values, if other channels have more.
    point_alignment : {"center", "mean", "max", "last"}, default="mean"
        How a time point is scored from windows: by the window centred on it ("center"), by the mean or maximum over all
        windows that cover it ("mean", "max"), or by the window that ends at it ("last").
    contamination : float, default=0.1
        Fraction of the training time points that is flagged, in (0, 0.5].
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of windows and of the initial centres.

    Attributes
    ----------
    window_size_ : int
        Window size used: smaller than `window_size` if the training series is shorter than two windows.
    cluster_centers_ : ndarray of shape (n_clusters_used, n_channels_used * `window_size_`)
        Typical windows, normalised, channel after channel.
    offset_ : float
        Threshold on ``score_samples``: time points that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training table had names that are all strings.

    See Also
    --------
    KShapeDetector : Clusters shapes at any position in the window.

    Notes
    -----
    The method of Yairi, Kato and Hori (2001), with centres from a sample. Centres of overlapping windows are shifted
    copies of smooth waves for any data (Keogh and Lin, 2005): they cover the normal windows but should not be
    interpreted. The defaults of `window_size` and `normalize` were chosen on the public series of the user guide.
    ``feature_contributions`` divide the distance in proportion to the squares of the channels. Cost: O(n k w d).

    References
    ----------
    .. [1] Yairi, T., Kato, Y. and Hori, K. (2001). "Fault detection by mining association rules from house-keeping
       data". i-SAIRAS.
    .. [2] Keogh, E. and Lin, J. (2005). "Clustering of time-series subsequences is meaningless: implications for
       previous and future research". Knowledge and Information Systems 8(2), 154-177.
       https://doi.org/10.1007/s10115-004-0172-7

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import SubsequenceKMeans
    >>> wave = np.sin(np.arange(1000) / 8)
    >>> wave[500:520] += 2
    >>> detector = SubsequenceKMeans(window_size=30, random_state=0).fit(wave)
    >>> bool(480 < detector.score_samples(wave).argmin() < 540)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SeriesDetector._parameter_constraints,
        "window_size": [Interval(Integral, 1, None, closed="left")],
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "n_references": [Interval(Integral, 2, None, closed="left")],
        "normalize": [StrOptions({"center", "zscore", "scale"})],
        "binary_channels": [StrOptions({"ignore", "keep"})],
        "point_alignment": [StrOptions({"center", "mean", "max", "last"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        window_size: int = 100,
        n_clusters: int = 10,
        n_references: int = 4000,
        normalize: str = "center",
        binary_channels: str = "ignore",
        point_alignment: str = "mean",
        contamination: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.window_size = window_size
        self.n_clusters = n_clusters
        self.n_references = n_references
        self.normalize = normalize
        self.binary_channels = binary_channels
        self.point_alignment = point_alignment
        self.contamination = contamination
        self.random_state = random_state

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:
        edges = metadata.get("edges")
        self.window_size_ = effective_window(self.window_size, len(X), edges=edges)
        self._vectors = WindowVectors(
            X, window_size=self.window_size_, normalize=self.normalize, binary_channels=self.binary_channels
        )
        seed = draw_seed(self.random_state)
        starts = self._vectors.ordinary_windows(X, edges)
        if len(starts) > self.n_references:
            starts = np.sort(generator(seed).choice(starts, self.n_references, replace=False))
        vectors = self._vectors.windows(self._vectors.prepare(X), starts)
        # At most as many centres as distinct windows.
        model = KMeans(min(self.n_clusters, RowLookup(vectors).n_distinct), n_init=1, random_state=seed).fit(vectors)
        counts = np.bincount(model.labels_)
        # A cluster that is a single anomaly is not typical; where every window is one, their mean is the only centre.
        typical = model.cluster_centers_[counts >= max(2, _LEAST_FRACTION * counts.mean())]
        self.cluster_centers_ = typical if len(typical) > 0 else vectors.mean(axis=0, keepdims=True)

    def _window_outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        parts = []
        for vectors in self._vectors.blocks(X, _BLOCK_WINDOWS):
            squares = [np.square(vectors - center).sum(axis=1) for center in self.cluster_centers_]
            parts.append(np.sqrt(np.min(squares, axis=0)))
        return np.concatenate(parts)

    def _local_shares(self, X: NDArray[Any]) -> NDArray[np.float64]:
        parts = []
        for vectors in self._vectors.blocks(self._long_enough(X), _BLOCK_WINDOWS):
            squares = [np.square(vectors - center).sum(axis=1) for center in self.cluster_centers_]
            nearest = self.cluster_centers_[np.argmin(squares, axis=0)]
            parts.append(squares_by_channel(vectors - nearest, self.window_size_))
        found = np.concatenate(parts)
        return on_channels(divided(np.sqrt(found.sum(axis=1)), found), self._vectors.channels, X.shape[1])
