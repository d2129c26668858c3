"""Time points that a smooth spectrum does not explain."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import uniform_filter1d

from skanomaly._support._blocks import row_blocks
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.sequence._base import SeriesDetector
from skanomaly.sequence._bridges import bridged
from skanomaly.sequence._channels import on_channels
from skanomaly.sequence._clock import Stretches
from skanomaly.sequence._series._window_vectors import WindowVectors
from skanomaly.sequence._windows import all_edges, effective_window, rolling_mean, windows_to_points

__all__ = ["SpectralResidualDetector", "saliency"]

_SMALLEST = 1e-12
_BLOCK_VALUES = 2**18  # of windows that are held at once
_N_REPEATS = 5
_LARGEST_BRIDGE = 4  # a hole is bridged by at most this part of average_size


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


def recent_saliency(x: NDArray[np.float64], context_size: int, average_size: int) -> NDArray[np.float64]:
    """Return the saliency of the last time point of each window of a series, divided by the mean of the window's."""
    windows = np.lib.stride_tricks.sliding_window_view(x, context_size)
    out = np.empty(len(windows))
    for block in row_blocks(len(windows), max(1, _BLOCK_VALUES // context_size)):
        rows = windows[block] - windows[block, -2:-1]
        rows = np.concatenate([rows, np.zeros((len(rows), _N_REPEATS))], axis=1)
        spectra = fft.fft(rows - rows.mean(axis=1, keepdims=True), axis=1)
        amplitudes = np.abs(spectra)
        floors = _SMALLEST * amplitudes.max(axis=1, keepdims=True)
        logarithms = np.log(np.maximum(amplitudes, np.where(floors > 0, floors, 1.0)))
        logarithms[:, 0] = logarithms[:, -1]
        smooth = uniform_filter1d(logarithms, average_size, axis=1, mode="wrap")
        kept = amplitudes > floors
        turned = np.where(kept, spectra / np.where(kept, amplitudes, 1.0), 0.0)
        found = np.abs(fft.ifft(np.exp(logarithms - smooth) * turned, axis=1))[:, :context_size]
        means = found.mean(axis=1)
        out[block] = np.where(means > 0, found[:, -1] / np.where(means > 0, means, 1.0), 0.0)
    return out


class SpectralResidualDetector(SeriesDetector):
    r"""Saliency of each time point: the part that a smooth spectrum does not explain.

    Parameters
    ----------
    average_size : int, default=100
        Number of frequencies that the log amplitudes are averaged over; at most the number of training time points.
        A series to score must have half as many time points: it is compared with its own spectrum.
    smoothing : int, default=1
        Number of time points that scores are averaged over.
    context_size : int, default=None
        Each time point is scored by the spectrum of this many time points that end at it, so that no score uses the
        future. None uses the spectrum of the whole series. Contexts of 64 to 256 are usual.
    binary_channels : {"ignore", "keep"}, default="ignore"
        "ignore" leaves out channels with at most two distinct training values, if other channels have more.
    contamination : float, default=0.1
        Fraction of the training time points that is flagged, in (0, 0.5].

    Attributes
    ----------
    window_size_ : int
        Fewest time points of a series to score: the context used if `context_size` is given, else half of
        `average_size`, or of the length of a shorter training series.
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
    changes in smooth series; it does not work for white noise, whose spectrum is flat. ``feature_contributions`` divide
    the score in proportion to the saliencies of the channels.

    A series that is cut has one spectrum too: stretches that are long enough are joined, over holes by curves that
    continue the values and slopes at both sides. A bridge has as many time points as the hole, at most a quarter of
    `average_size`. Scores are averaged within stretches.

    With `context_size`, the saliency of the last time point of a context is divided by the mean over the context.
    Behind its last time point the context is extended by five repeats of the value before; [1]_ extends it along a line
    through the last values, which includes the scored one. The moving average has at most an eighth of the context.

    Cost: O(n log n + n q) for average_size q; O(n c log c) with a context of c time points.

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
        "context_size": [Interval(Integral, 4, None, closed="left"), None],
        "binary_channels": [StrOptions({"ignore", "keep"})],
    }

    def __init__(
        self,
        *,
        average_size: int = 100,
        smoothing: int = 1,
        context_size: int | None = None,
        binary_channels: str = "ignore",
        contamination: float = 0.1,
    ) -> None:
        self.average_size = average_size
        self.smoothing = smoothing
        self.context_size = context_size
        self.binary_channels = binary_channels
        self.contamination = contamination

    _window_parameter: ClassVar[str] = "average_size"

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:
        longest = int(np.diff(all_edges(len(X), metadata.get("edges"))).max())
        self._average_size = min(self.average_size, longest)
        self.window_size_ = (self._average_size + 1) // 2
        if self.context_size is not None:
            self.window_size_ = effective_window(
                self.context_size, len(X), name="context_size", noun="contexts", edges=metadata.get("edges")
            )
        self._vectors = WindowVectors(X, window_size=1, normalize="scale", binary_channels=self.binary_channels)

    def _why_no_stream(self) -> str:
        if self.context_size is None:
            return "The spectrum of a whole series uses later time points; set context_size."
        return ""

    @property
    def _n_context(self) -> int:
        return self.window_size_ + self.smoothing - 2

    def _stream_outlyingness(self, X: NDArray[Any], n_ahead: int | None, after_cut: bool) -> NDArray[np.float64]:
        return self._outlyingness(X)

    def _score_stretches(
        self, X: Stretches, parts: list[slice], local: list[NDArray[Any]] | None = None
    ) -> NDArray[Any]:
        if self.context_size is not None or not parts:
            return super()._score_stretches(X, parts, local)
        out = self._placed(X, self._over_holes(X, parts, np.nan).mean(axis=1))
        self._warn_not_scored(X, int(np.isnan(out).sum()))
        return out

    def _shares_of_stretches(self, X: Stretches, parts: list[slice]) -> NDArray[np.float64]:
        if self.context_size is not None or not parts:
            return super()._shares_of_stretches(X, parts)
        return on_channels(self._over_holes(X, parts, 0.0), self._vectors.channels, self.n_features_in_)

    def _over_holes(self, X: Stretches, parts: list[slice], others: float) -> NDArray[np.float64]:
        """Return averaged saliencies of stretches by channel used, from one spectrum with bridges over the holes."""
        most = max(1, self._average_size // _LARGEST_BRIDGE)
        series, places = bridged(self._vectors.prepare(X.values), X.ticks, parts, most)
        found = [saliency(channel, min(self._average_size, len(series))) for channel in series.T]
        local = np.stack(found, axis=1)
        out = np.full((len(X.values), len(found)), others)
        for part, place in zip(parts, places, strict=True):
            out[part] = self._averaged(local[place])
        return out

    def _local_shares(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return on_channels(np.stack(self._by_channel(X), axis=1), self._vectors.channels, X.shape[1])

    def _outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return self._averaged(np.asarray(np.mean(self._by_channel(X), axis=0)))

    def _by_channel(self, X: NDArray[Any]) -> list[NDArray[np.float64]]:
        """Return the saliency of each channel used: of all time points, or of the last ones of the contexts."""
        prepared = self._vectors.prepare(self._long_enough(X))
        if self.context_size is None:
            return [saliency(channel, min(self._average_size, len(X))) for channel in prepared.T]
        size = self.window_size_
        average_size = max(1, min(self._average_size, size // 8))
        return [recent_saliency(channel, size, average_size) for channel in prepared.T]

    def _averaged(self, local: NDArray[Any]) -> NDArray[np.float64]:
        if self.context_size is None:
            return rolling_mean(local, self.smoothing)
        points = windows_to_points(local, window_size=self.window_size_, alignment="last")
        return rolling_mean(points, self.smoothing, causal=True)
