"""Detectors of rows, applied to windows."""

from collections.abc import Callable
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.utils import get_tags

from skanomaly._support._blocks import row_blocks
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions
from skanomaly.sequence._base import SeriesDetector
from skanomaly.sequence._series._window_vectors import WindowVectors
from skanomaly.sequence._windows import effective_window, window_starts

__all__ = ["SlidingWindowDetector"]

_BLOCK_WINDOWS = 4096


class SlidingWindowDetector(SeriesDetector):
    """Applies a detector of rows, or of collections of series, to the windows of a series.

    Parameters
    ----------
    detector : estimator, default=None
        Any estimator with ``fit`` and ``score_samples`` (lower is more anomalous); None is
        ``IsolationForest(random_state=0)``. A detector of collections, such as :class:`SequenceReconstructor`, gets
        windows as series of shape (window_size, n_channels), all others get rows.
    window_size : int, default=100
        Time points per window.
    features : {"raw", "statistics"} or callable, default="raw"
        Features of a window: "raw" is its values; "statistics" is the mean, standard deviation, minimum, maximum, slope
        and roughness (standard deviation of the differences) of each channel. A function converts an array of shape
        (n_windows, n_channels, window_size) to a table of shape (n_windows, n_columns), each window on its own.
    normalize : {"center", "zscore", "scale"}, default="scale"
        How each window is normalised, after the channels are scaled to variance 1: "center" subtracts its mean,
        "zscore" also divides by its standard deviation, "scale" leaves it as it is.
    stride : int, default=1
        Number of time points from one training window to the next. All windows are scored.
    binary_channels : {"ignore", "keep"}, default="ignore"
        "ignore" leaves out channels with at most two distinct training values, if other channels have more.
    point_alignment : {"center", "mean", "max", "last"}, default="mean"
        How a time point is scored from windows: by the window centred on it ("center"), by the mean or maximum over all
        windows that cover it ("mean", "max"), or by the window that ends at it ("last").
    contamination : float, default=0.1
        Fraction of the training time points that is flagged, in (0, 0.5].

    Attributes
    ----------
    detector_ : estimator
        Detector fitted on windows.
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
    SubsequenceNeighbors : Nearest neighbours among windows, without a table of windows.

    Notes
    -----
    Windows are scored in blocks of 4,096, so only training needs a table of all windows: n / `stride` rows with
    `window_size` times the number of channels as columns. Overlapping windows make a long anomaly a dense cluster.
    Detectors that compare local densities, copulas and one-class support vector machines may then flag the normal
    windows instead. A window is labelled -1 if it contains an anomaly, +1 if all of its time points are labelled +1.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.detectors import GaussianDetector
    >>> from skanomaly.sequence import SlidingWindowDetector
    >>> wave = np.sin(np.arange(1000) / 8)
    >>> wave[500:520] *= 0.2
    >>> model = SlidingWindowDetector(
    ...     GaussianDetector(), window_size=20, contamination=0.05
    ... ).fit(wave)
    >>> bool(480 < model.score_samples(wave).argmin() < 540)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SeriesDetector._parameter_constraints,
        "detector": [HasMethods(["fit", "score_samples"]), None],
        "window_size": [Interval(Integral, 1, None, closed="left")],
        "features": [StrOptions({"raw", "statistics"}), callable],
        "normalize": [StrOptions({"center", "zscore", "scale"})],
        "stride": [Interval(Integral, 1, None, closed="left")],
        "binary_channels": [StrOptions({"ignore", "keep"})],
        "point_alignment": [StrOptions({"center", "mean", "max", "last"})],
    }

    def __init__(
        self,
        detector: Any = None,
        *,
        window_size: int = 100,
        features: str | Callable[[NDArray[Any]], Any] = "raw",
        normalize: str = "scale",
        stride: int = 1,
        binary_channels: str = "ignore",
        point_alignment: str = "mean",
        contamination: float = 0.1,
    ) -> None:
        self.detector = detector
        self.window_size = window_size
        self.features = features
        self.normalize = normalize
        self.stride = stride
        self.binary_channels = binary_channels
        self.point_alignment = point_alignment
        self.contamination = contamination

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:
        edges = metadata.get("edges")
        self.window_size_ = effective_window(self.window_size, len(X), edges=edges)
        self._vectors = WindowVectors(
            X, window_size=self.window_size_, normalize=self.normalize, binary_channels=self.binary_channels
        )
        starts = window_starts(len(X), self.window_size_, stride=self.stride, edges=edges)
        detector = IsolationForest(random_state=0) if self.detector is None else clone(self.detector)
        self._as_series = _takes_series(detector)
        if self._as_series and self.features != "raw":
            raise ValueError(
                f"features={self.features!r} makes rows of windows, and {type(detector).__name__} takes series: use "
                "features='raw'."
            )
        table = self._table(self._vectors.prepare(X), starts)
        if y.any():
            covered = np.lib.stride_tricks.sliding_window_view(y, self.window_size_)[starts]
            self.detector_ = detector.fit(table, covered.min(axis=1))
        else:
            self.detector_ = detector.fit(table)

    def _table(self, prepared: NDArray[np.float64], starts: NDArray[np.intp]) -> NDArray[Any]:
        vectors = self._vectors.windows(prepared, starts)
        if self.features == "raw" and not self._as_series:
            return vectors
        windows = vectors.reshape(len(starts), -1, self.window_size_)
        if self._as_series:
            return np.ascontiguousarray(windows.swapaxes(1, 2))
        table = window_statistics(windows) if self.features == "statistics" else np.asarray(self.features(windows))  # type: ignore[operator]
        if table.ndim != 2 or len(table) != len(starts):
            raise ValueError(f"features returned shape {table.shape}; it must return shape ({len(starts)}, n_columns).")
        return table

    def _window_outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        prepared = self._vectors.prepare(X)
        blocks = row_blocks(len(X) - self.window_size_ + 1, _BLOCK_WINDOWS)
        tables = (self._table(prepared, np.arange(block.start, block.stop)) for block in blocks)
        return -np.concatenate([np.asarray(self.detector_.score_samples(table), np.float64) for table in tables])


def _takes_series(detector: Any) -> bool:
    """Say whether a detector scores series of a collection, not rows of a table."""
    tags = get_tags(detector).input_tags
    return tags.three_d_array and not tags.two_d_array


def window_statistics(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Describe windows of shape (n_windows, n_channels, window_size) by six statistics per channel."""
    places = np.arange(windows.shape[2]) - (windows.shape[2] - 1) / 2
    slope = windows @ places / max(1.0, float(places @ places))
    differences = np.diff(windows, axis=2) if windows.shape[2] > 1 else np.zeros((*windows.shape[:2], 1))
    parts = [
        windows.mean(axis=2),
        windows.std(axis=2),
        windows.min(axis=2),
        windows.max(axis=2),
        slope,
        differences.std(axis=2),
    ]
    return np.concatenate(parts, axis=1)
