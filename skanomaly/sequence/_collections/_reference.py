"""Distance from an aligned reference, time point by time point."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._fractions import whole_above
from skanomaly._support._scales import ROUNDING, SafeRange, column_scale
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._warping import warping_path
from skanomaly.base import BaseDetector
from skanomaly.sequence._collections._base import SequenceDetector
from skanomaly.sequence._collections._representation import SequenceLookup, normal_sequences, resample

__all__ = ["ReferenceDetector"]

_TO_STD = 1.4826  # from median absolute deviation to standard deviation, for normal data
_FLOOR = 0.1
_MEDOID_POINTS = 64


class ReferenceDetector(SequenceDetector):
    r"""Distance of repeats of one process from a reference, after alignment.

    The most central training series is the reference. Other training series are aligned with it, which gives a median
    and a spread at each time point of the reference. A new series is aligned too and compared with both.

    Parameters
    ----------
    alignment : {"dtw", "shift", "none"}, default="dtw"
        "dtw" pairs time points by the best alignment inside a band (dynamic time warping). "shift" shifts the whole
        series by the lag with the largest cross-correlation. "none" pairs time points at the same relative position.
    band : float, default=0.1
        Largest shift of an alignment as a fraction of the shorter series, in (0, 1]; at least one time point.
    scale : {"mad", "std"}, default="mad"
        Spread at each time point: median absolute deviation (times 1.4826) or standard deviation. It is smoothed over a
        twentieth of the length, and is at least a tenth of its own median.
    n_references : int, default=20
        Number of training series that median and spread are estimated from: those nearest to the most central one. At
        least 3; reduced if there are fewer training series.
    top_fraction : float, default=0.05
        The score of a series is the mean over this fraction of its time points, those with the largest deviations; in
        (0, 1], at least one time point.
    contamination : float, default=0.1
        Fraction of the training series that is flagged, in (0, 0.5].

    Attributes
    ----------
    reference_ : ndarray of shape (n_timepoints, n_features)
        The training series that others are aligned with.
    profile_ : ndarray of shape (n_timepoints, n_features)
        Median of the aligned references.
    spread_ : ndarray of shape (n_timepoints, n_features)
        Spread of the aligned references.
    offset_ : float
        Threshold on ``score_samples``: series that score below are anomalies.
    n_features_in_ : int
        Number of features.

    See Also
    --------
    SequenceNeighbors : For normal series of more than one kind.

    Notes
    -----
    UMAD (2024) compares each frame with a geometrically aligned reference; the band is from Sakoe and Chiba (1978).
    What we changed: the alignment is in time, the reference is chosen from the data, and distances are divided by the
    spread of several aligned references at the time point, root mean square over the features. A series equal to one of
    the references is compared with the others only.

    `y`: series labelled -1 are left out of training; +1 and 0 are treated alike.

    Cost: O(T^2 band d) to align a series of T time points; memory O(n_references T d).

    References
    ----------
    .. [1] Sakoe, H. and Chiba, S. (1978). "Dynamic programming algorithm optimization for spoken word recognition".
       IEEE Transactions on Acoustics, Speech, and Signal Processing 26(1), 43-49.
       https://doi.org/10.1109/TASSP.1978.1163055

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import ReferenceDetector
    >>> random = np.random.default_rng(0)
    >>> time = np.linspace(0, 6.28, 80)
    >>> repeats = [
    ...     np.sin(time + 0.1 * random.normal()) + 0.05 * random.normal(size=80)
    ...     for _ in range(20)
    ... ]
    >>> detector = ReferenceDetector().fit(repeats)
    >>> broken = repeats[0].copy()
    >>> broken[30:36] = 0
    >>> detector.predict([broken])
    array([-1])
    >>> bool(30 <= np.argmin(detector.score_timepoints([broken])[0]) < 36)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,
        "alignment": [StrOptions({"dtw", "shift", "none"})],
        "band": [Interval(Real, 0, 1, closed="right")],
        "scale": [StrOptions({"mad", "std"})],
        "n_references": [Interval(Integral, 3, None, closed="left")],
        "top_fraction": [Interval(Real, 0, 1, closed="right")],
    }
    _min_samples: ClassVar[int] = 3

    def __init__(
        self,
        *,
        alignment: str = "dtw",
        band: float = 0.1,
        scale: str = "mad",
        n_references: int = 20,
        top_fraction: float = 0.05,
        contamination: float = 0.1,
    ) -> None:
        self.alignment = alignment
        self.band = band
        self.scale = scale
        self.n_references = n_references
        self.top_fraction = top_fraction
        self.contamination = contamination

    def _fit(self, X: list[NDArray[Any]], y: NDArray[np.int8], **metadata: Any) -> None:
        normal = normal_sequences(X, y, fewest=self._min_samples)
        self._range = SafeRange(np.concatenate(normal).astype(np.float64))
        normal = [self._range.apply(series.astype(np.float64)) for series in normal]
        shapes = np.array([resample(series, _MEDOID_POINTS).ravel() for series in normal])
        squares = (shapes**2).sum(axis=1)
        gaps = np.sqrt(np.maximum(squares[:, None] + squares - 2 * shapes @ shapes.T, 0.0))
        central = int(np.argmin(gaps.sum(axis=1)))
        chosen = np.argsort(gaps[central], kind="stable")[: self.n_references]
        self.reference_ = normal[central].astype(np.float64)
        self._unit = column_scale(self.reference_)
        references = [normal[index] for index in chosen]
        self._lookup = SequenceLookup(references)
        self._aligned = np.array([self._onto_reference(series) for series in references])
        self.profile_, self.spread_ = self._summary(self._aligned)

    def _summary(self, aligned: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        profile = np.median(aligned, axis=0)
        if self.scale == "mad":
            spread = _TO_STD * np.median(np.abs(aligned - profile), axis=0)
        else:
            spread = aligned.std(axis=0)
        spread = np.where(spread > ROUNDING * np.abs(profile), spread, 0.0)
        size = max(1, len(spread) // 20)
        weight = np.convolve(np.ones(len(spread)), np.ones(size), mode="same")
        smooth = np.column_stack([np.convolve(column, np.ones(size), mode="same") / weight for column in spread.T])
        floor = _FLOOR * np.median(smooth, axis=0)
        return profile, np.maximum(smooth, np.where(floor > 0, floor, 1e-3 * self._unit))

    def _pairs(self, series: NDArray[np.float64]) -> NDArray[np.int64]:
        """Pair time points of a series with time points of the reference."""
        n_timepoints, n_reference = len(series), len(self.reference_)
        if self.alignment == "dtw":
            radius = max(1.0, float(self.band) * min(n_timepoints, n_reference))
            own, other = series / self._unit, self.reference_ / self._unit
            if n_timepoints >= n_reference:
                return warping_path(own, other, radius)
            return warping_path(other, own, radius)[:, ::-1]
        own_places = np.arange(n_timepoints)
        if self.alignment == "shift":
            partners = own_places + self._lag(series)
        else:
            partners = np.rint(own_places * (n_reference - 1) / max(n_timepoints - 1, 1)).astype(np.int64)
        return np.column_stack([own_places, np.clip(partners, 0, n_reference - 1)])

    def _lag(self, series: NDArray[np.float64]) -> int:
        """Return the shift, within the band, at which the correlation with the reference is largest."""
        own = (series - series.mean(axis=0)) / self._unit
        other = (self.reference_ - self.reference_.mean(axis=0)) / self._unit
        most = max(1, int(self.band * min(len(own), len(other))))
        lags = np.arange(-most, most + 1)
        fits = []
        for lag in lags:
            left, right = own[max(0, -lag) :], other[max(0, lag) :]
            n_shared = min(len(left), len(right))
            fits.append((left[:n_shared] * right[:n_shared]).sum() / max(n_shared, 1))
        return int(lags[np.argmax(fits)])

    def _onto_reference(self, series: NDArray[Any]) -> NDArray[np.float64]:
        """Average the values paired with each time point of the reference; interpolate where there is none."""
        values = series.astype(np.float64)
        pairs = self._pairs(values)
        n_pairs = np.bincount(pairs[:, 1], minlength=len(self.reference_))
        met = np.flatnonzero(n_pairs)
        aligned = np.empty_like(self.reference_)
        for feature in range(values.shape[1]):
            sums = np.bincount(pairs[:, 1], values[pairs[:, 0], feature], minlength=len(n_pairs))
            aligned[:, feature] = np.interp(np.arange(len(n_pairs)), met, sums[met] / n_pairs[met])
        return aligned

    def _timepoint_outlyingness(self, X: list[NDArray[Any]]) -> list[NDArray[np.float64]]:
        limited = [self._range.apply(series.astype(np.float64)) for series in X]
        return [
            self._residuals(series, int(place))
            for series, place in zip(limited, self._lookup.find(limited), strict=True)
        ]

    def _residuals(self, series: NDArray[np.float64], left_out: int) -> NDArray[np.float64]:
        profile, spread = self.profile_, self.spread_
        if left_out >= 0:
            profile, spread = self._summary(np.delete(self._aligned, left_out, axis=0))
        pairs = self._pairs(series)
        gaps = (series[pairs[:, 0]] - profile[pairs[:, 1]]) / spread[pairs[:, 1]]
        size = np.sqrt((gaps**2).mean(axis=1))
        return np.bincount(pairs[:, 0], size) / np.bincount(pairs[:, 0])

    def _outlyingness(self, X: list[NDArray[Any]]) -> NDArray[np.float64]:
        return np.array([self._mean_of_largest(deviations) for deviations in self._timepoint_outlyingness(X)])

    def _mean_of_largest(self, deviations: NDArray[np.float64]) -> float:
        n_largest = max(1, whole_above(self.top_fraction, len(deviations)))
        return float(np.sort(deviations)[-n_largest:].mean())
