"""Time points that a smooth spectrum does not explain."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.sequence._base import SeriesDetector
from skanomaly.sequence._series._window_vectors import WindowVectors
from skanomaly.sequence._settling import Settling
from skanomaly.sequence._windows import all_edges, rolling_mean, stretches

__all__ = ["SpectralResidualDetector", "saliency"]

_SMALLEST = 1e-12


def saliency(x: NDArray[np.float64], average_size: int) -> NDArray[np.float64]:
    """Return the saliency of a series: its log spectrum minus a moving average, transformed back; 0 if constant."""
    spectrum = fft.fft(x - x.mean())
    amplitude = np.abs(spectrum)
    floor = _SMALLEST * amplitude.max()
    if floor == 0:
        return np.zeros(len(x))
    logarithm = np.log(np.maximum(amplitude, floor))
    logarithm[0] = logarithm[-1]  # the mean is subtracted; it is not part of the spectrum
    before = average_size // 2
    padded = np.pad(logarithm, (before, average_size - 1 - before), mode="wrap")
    smooth = np.convolve(padded, np.full(average_size, 1.0 / average_size), mode="valid")
    turned = np.where(amplitude > floor, spectrum / np.maximum(amplitude, floor), 0.0)
    return np.abs(fft.ifft(np.exp(logarithm - smooth) * turned))


class SpectralResidualDetector(SeriesDetector):
    r"""Saliency of each time point: the part that a smooth spectrum does not explain.

    Parameters
    ----------
    average_size : int, default=100
        Number of frequencies that the log amplitudes are averaged over; at most the number of training time points.
        A series to score must have half as many time points: it is compared with its own spectrum.
    smoothing : int, default=1
        Number of time points that scores are averaged over.
    binary_channels : {"ignore", "keep"}, default="ignore"
        "ignore" leaves out channels with at most two distinct training values, if other channels have more.
    contamination : float, default=0.1
        Fraction of the training time points that is flagged, in (0, 0.5].

    Attributes
    ----------
    window_size_ : int
        Fewest time points of a series to score: half of `average_size`, or of the length of a shorter training series.
    offset_ : float
        Threshold on ``score_samples``: time points that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training table had names that are all strings.

    See Also
    --------
    AutoregressiveDetector : Also detects single points, with ``smoothing=1``.

    Notes
    -----
    With amplitude :math:`A` and phase :math:`P` of the Fourier transform, the saliency is
    :math:`|F^{-1}[\exp(\log A - h * \log A + i P)]|`, h a moving average [1]_. What we changed: the moving average of
    the log amplitudes is circular, like the spectrum (some programs extend the series instead), the mean of the series
    is left out, and channels are averaged. A series is scored by its own spectrum, so scores of a part differ from
    those of the whole; training gives the scales of the channels and the threshold. The method is for spikes and sudden
    changes in smooth series; it does not work for white noise, whose spectrum is flat. Cost: O(n log n + n q) for
    average_size q.

    References
    ----------
    .. [1] Ren, H. and others (2019). "Time-series anomaly detection service at Microsoft". KDD.
       https://doi.org/10.1145/3292500.3330680

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import SpectralResidualDetector
    >>> wave = np.sin(np.arange(1000) / 8)
    >>> wave[500] += 2
    >>> int(SpectralResidualDetector().fit(wave).score_samples(wave).argmin())
    500
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SeriesDetector._parameter_constraints,
        "average_size": [Interval(Integral, 1, None, closed="left")],
        "smoothing": [Interval(Integral, 1, None, closed="left")],
        "binary_channels": [StrOptions({"ignore", "keep"})],
    }

    def __init__(
        self,
        *,
        average_size: int = 100,
        smoothing: int = 1,
        binary_channels: str = "ignore",
        contamination: float = 0.1,
    ) -> None:
        self.average_size = average_size
        self.smoothing = smoothing
        self.binary_channels = binary_channels
        self.contamination = contamination

    _window_parameter: ClassVar[str] = "average_size"

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:
        longest = int(np.diff(all_edges(len(X), metadata.get("edges"))).max())
        self._average_size = min(self.average_size, longest)
        self.window_size_ = (self._average_size + 1) // 2
        self._vectors = WindowVectors(X, window_size=1, normalize="scale", binary_channels=self.binary_channels)
        parts = stretches(len(X), metadata.get("edges"), self.window_size_)
        self._beside_cuts = Settling([X[part] for part in parts], self._mirrored, self._average_size)

    def _stretch_outlyingness(self, X: NDArray[Any], ends: tuple[bool, bool]) -> NDArray[np.float64]:
        return self._beside_cuts(self._mirrored(X), ends)

    def _mirrored(self, X: NDArray[Any]) -> NDArray[np.float64]:
        # Followed by its mirror image, a stretch has no jump from its end to its start.
        return self._outlyingness(np.vstack([X, X[::-1]]))[: len(X)]

    def _outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        prepared = self._vectors.prepare(self._long_enough(X))
        parts = [saliency(channel, min(self._average_size, len(X))) for channel in prepared.T]
        return rolling_mean(np.mean(parts, axis=0), self.smoothing)
