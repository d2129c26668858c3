"""Rolling baselines for detectors of series."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._blocks import row_blocks
from skanomaly._support._covariance import shrunk_covariance
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.sequence._base import SeriesDetector
from skanomaly.sequence._channels import divided, on_channels
from skanomaly.sequence._series._window_vectors import WindowVectors
from skanomaly.sequence._windows import effective_window, rolling_mean

__all__ = ["RollingMahalanobis", "RollingStatistic"]

_BLOCK_VALUES = 2**18  # of windows that are held at once


class RollingStatistic(SeriesDetector):
    r"""A statistic of each window, as a baseline.

    Parameters
    ----------
    statistic : {"std", "range", "mean_absolute", "norm"}, default="std"
        Standard deviation, range, mean absolute value or root mean square of the values of a window, after channels are
        scaled to mean 0 and variance 1 in training. Large values are anomalous; channels are averaged.
    window_size : int, default=100
        Time points per window.
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
    offset_ : float
        Threshold on ``score_samples``: time points that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training table had names that are all strings.

    See Also
    --------
    RollingMahalanobis : Baseline for many dependent channels.

    Notes
    -----
    "norm" is, except at the ends, the score that leads the published ranking of the benchmark TSB-AD [1]_ under the
    name Sub-PCA: a sum of distances divided by fractions of explained variance, which is dominated by the smallest
    fraction. ``feature_contributions`` are the terms of the mean over channels.
    Cost: O(n w) times the number of channels for windows of w time points; memory O(n).

    References
    ----------
    .. [1] Q. Liu and J. Paparrizos (2024). The elephant in the room: towards a reliable time-series anomaly detection
       benchmark. NeurIPS. https://doi.org/10.52202/079017-3437

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import RollingStatistic
    >>> x = np.sin(np.arange(1000) / 8)
    >>> x[500:520] *= 4
    >>> bool(480 < RollingStatistic(window_size=20).fit(x).score_samples(x).argmin() < 540)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SeriesDetector._parameter_constraints,
        "statistic": [StrOptions({"std", "range", "mean_absolute", "norm"})],
        "window_size": [Interval(Integral, 1, None, closed="left")],
        "binary_channels": [StrOptions({"ignore", "keep"})],
        "point_alignment": [StrOptions({"center", "mean", "max", "last"})],
    }

    def __init__(
        self,
        *,
        statistic: str = "std",
        window_size: int = 100,
        binary_channels: str = "ignore",
        point_alignment: str = "mean",
        contamination: float = 0.1,
    ) -> None:
        self.statistic = statistic
        self.window_size = window_size
        self.binary_channels = binary_channels
        self.point_alignment = point_alignment
        self.contamination = contamination

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:
        self.window_size_ = effective_window(self.window_size, len(X), edges=metadata.get("edges"))
        self._vectors = WindowVectors(
            X, window_size=self.window_size_, normalize="scale", binary_channels=self.binary_channels
        )

    def _window_outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        out = np.zeros(len(X) - self.window_size_ + 1)
        for part in self._by_channel(X):
            out += part
        return out / len(self._vectors.channels)

    def _local_shares(self, X: NDArray[Any]) -> NDArray[np.float64]:
        parts = np.stack(list(self._by_channel(self._long_enough(X))), axis=1)
        return on_channels(parts, self._vectors.channels, X.shape[1])

    def _by_channel(self, X: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
        """Yield the statistics of the windows of each channel."""
        for channel in self._vectors.prepare(X).T:
            windows = np.lib.stride_tricks.sliding_window_view(channel, self.window_size_)
            blocks = row_blocks(len(windows), max(1, _BLOCK_VALUES // self.window_size_))
            yield np.concatenate([self._described(windows[block]) for block in blocks])

    def _described(self, windows: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.statistic == "range":
            return np.ptp(windows, axis=1)
        if self.statistic == "mean_absolute":
            return np.abs(windows).mean(axis=1)
        if self.statistic == "norm":
            return np.sqrt(np.einsum("ij,ij->i", windows, windows) / self.window_size_)
        return windows.std(axis=1)


class RollingMahalanobis(SeriesDetector):
    r"""Mahalanobis distance of each time point, averaged over a window.

    Parameters
    ----------
    window_size : int, default=20
        Number of time points that distances are averaged over.
    causal : bool, default=False
        Whether the average is over the window that ends at the time point instead of the one centred on it.
    binary_channels : {"ignore", "keep"}, default="ignore"
        "ignore" leaves out channels with at most two distinct training values, if other channels have more.
    contamination : float, default=0.1
        Fraction of the training time points that is flagged, in (0, 0.5].

    Attributes
    ----------
    window_size_ : int
        Window size used, equal to `window_size`.
    shrinkage_ : float
        Weight of the scaled identity in the shrunk covariance.
    offset_ : float
        Threshold on ``score_samples``: time points that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training table had names that are all strings.

    See Also
    --------
    RollingStatistic : Scores each channel separately.
    SubsequencePCA : Mahalanobis distance of windows.

    Notes
    -----
    Channels are scaled to variance 1 and their correlations are shrunk by the OAS rule of Chen, Wiesel, Eldar and Hero.
    The order of the time points only affects the average. ``feature_contributions`` divide a distance in proportion to
    the terms :math:`(x - \mu)_j [P (x - \mu)]_j` of its square, P the inverse covariance. Cost: O(n d^2).

    References
    ----------
    .. [1] Chen, Y., Wiesel, A., Eldar, Y. C. and Hero, A. O. (2010). "Shrinkage algorithms for MMSE covariance
       estimation". IEEE Transactions on Signal Processing 58(10), 5016-5029. https://doi.org/10.1109/TSP.2010.2053029

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import RollingMahalanobis
    >>> time = np.arange(1000)
    >>> X = (
    ...     np.column_stack([np.sin(time / 8), np.sin(time / 8)])
    ...     + np.cos(time[:, None] / [3, 5]) / 50
    ... )
    >>> X[500:520, 1] *= -1
    >>> bool(490 < RollingMahalanobis().fit(X).score_samples(X).argmin() < 530)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SeriesDetector._parameter_constraints,
        "window_size": [Interval(Integral, 1, None, closed="left")],
        "causal": ["boolean"],
        "binary_channels": [StrOptions({"ignore", "keep"})],
    }

    def __init__(
        self,
        *,
        window_size: int = 20,
        causal: bool = False,
        binary_channels: str = "ignore",
        contamination: float = 0.1,
    ) -> None:
        self.window_size = window_size
        self.causal = causal
        self.binary_channels = binary_channels
        self.contamination = contamination

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:
        self.window_size_ = self.window_size
        self._vectors = WindowVectors(X, window_size=1, normalize="scale", binary_channels=self.binary_channels)
        prepared = self._vectors.prepare(X)
        self._transform, self.shrinkage_ = np.zeros((prepared.shape[1],) * 2), 1.0
        if prepared.any():
            ordinary = self._vectors.ordinary_windows(X)  # of one time point each
            kept = prepared if ordinary is None else prepared[ordinary]
            _, covariance, self.shrinkage_ = shrunk_covariance(kept, method="oas", assume_centered=True)
            values, vectors = np.linalg.eigh(covariance)
            if values[-1] > 0:
                self._transform = vectors / np.sqrt(np.maximum(values, 1e-10 * values[-1]))

    def _local_outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        coded = self._vectors.prepare(X) @ self._transform
        return np.asarray(np.sqrt(np.square(coded).mean(axis=1)))

    def _local_shares(self, X: NDArray[Any]) -> NDArray[np.float64]:
        prepared = self._vectors.prepare(X)
        squares = prepared * (prepared @ self._transform @ self._transform.T)  # their sum is the squared distance
        parts = divided(self._local_outlyingness(X), squares)
        return on_channels(parts, self._vectors.channels, X.shape[1])

    def _averaged(self, local: NDArray[Any]) -> NDArray[np.float64]:
        return rolling_mean(local, self.window_size, causal=self.causal)

    @property
    def _edge_size(self) -> int:
        return self.window_size - 1
