"""Errors of blocks under a polynomial fitted to their neighbourhood."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.sequence._base import SeriesDetector
from skanomaly.sequence._channels import on_channels
from skanomaly.sequence._series._window_vectors import WindowVectors
from skanomaly.sequence._settling import Settling
from skanomaly.sequence._windows import effective_window, rolling_mean

__all__ = ["PolynomialDetector"]

_N_BLOCKS_NEAR = 4
_N_SEGMENTS = 64


class PolynomialDetector(SeriesDetector):
    r"""Error of each block under a polynomial that is fitted to its neighbourhood without the block.

    Parameters
    ----------
    block_size : int, default=100
        Time points per block.
    degree : int, default=4
        Degree of the polynomial; lower if a neighbourhood has too few points.
    neighborhood_size : int, default=None
        Time points of the neighbourhood, including the block; None is ten blocks.
    smoothing : int, default=100
        Number of time points that errors are averaged over.
    binary_channels : {"ignore", "keep"}, default="ignore"
        "ignore" leaves out channels with at most two distinct training values, if other channels have more.
    contamination : float, default=0.1
        Fraction of the training time points that is flagged, in (0, 0.5].

    Attributes
    ----------
    block_size_ : int
        Block size used: smaller than `block_size` if the training series is shorter than two blocks.
    offset_ : float
        Threshold on ``score_samples``: time points that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training table had names that are all strings.

    See Also
    --------
    AutoregressiveDetector : Forecasts from the past only.

    Notes
    -----
    A local polynomial as in Li, Ma and Mei (2007), in the form that the benchmark TSB-AD calls POLY. What we changed:
    the polynomial is fitted to points on both sides of the block but not to the block, and the score is the absolute
    error, averaged over `smoothing` points and channels. A scored series is compared with itself; training gives the
    scales of the channels and the threshold. The method is for slow series with sudden changes: a wave much shorter
    than the neighbourhood cannot be fitted. The default `smoothing` was chosen on the public series of the user guide.
    ``feature_contributions`` are minus the terms of the mean over channels.
    Cost: O(n p^2) for degree p, times the number of blocks per neighbourhood.

    References
    ----------
    .. [1] Li, Z., Ma, H. and Mei, Y. (2007). "A unifying method for outlier and change detection from data streams
       based on local polynomial fitting". PAKDD. https://doi.org/10.1007/978-3-540-71701-0_17

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import PolynomialDetector
    >>> slow = np.sin(np.arange(2000) / 300)
    >>> slow[1000:1040] += 1
    >>> bool(
    ...     950
    ...     < PolynomialDetector(block_size=50).fit(slow).score_samples(slow).argmin()
    ...     < 1090
    ... )
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SeriesDetector._parameter_constraints,
        "block_size": [Interval(Integral, 1, None, closed="left")],
        "degree": [Interval(Integral, 0, 15, closed="both")],
        "neighborhood_size": [Interval(Integral, 2, None, closed="left"), None],
        "smoothing": [Interval(Integral, 1, None, closed="left")],
        "binary_channels": [StrOptions({"ignore", "keep"})],
    }

    def __init__(
        self,
        *,
        block_size: int = 100,
        degree: int = 4,
        neighborhood_size: int | None = None,
        smoothing: int = 100,
        binary_channels: str = "ignore",
        contamination: float = 0.1,
    ) -> None:
        self.block_size = block_size
        self.degree = degree
        self.neighborhood_size = neighborhood_size
        self.smoothing = smoothing
        self.binary_channels = binary_channels
        self.contamination = contamination

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:
        edges = metadata.get("edges")
        size = effective_window(self.block_size, len(X), name="block_size", noun="blocks", edges=edges)
        if edges is not None:  # a block between two others must fit between two cuts
            longest = int(np.diff(edges).max())
            size = effective_window(size, longest, name="block_size", noun="blocks", n_windows=3)
        self.block_size_ = size
        self._vectors = WindowVectors(X, window_size=1, normalize="scale", binary_channels=self.binary_channels)

    @property
    def _fewest_timepoints(self) -> int:
        return 3 * self.block_size_

    @property
    def _edge_size(self) -> int:
        return self.smoothing - 1

    def _settle(self, X: NDArray[Any], parts: list[slice]) -> list[NDArray[Any]] | None:
        local = [self._local_outlyingness(X[part]) for part in parts]
        # Blocks near a cut have less of a neighbourhood on one side, and larger errors.
        reach = _N_BLOCKS_NEAR * self.block_size_ + self.smoothing - 1
        self._settling = Settling([X[part] for part in parts], self._inner_scores, reach, n_segments=_N_SEGMENTS)
        return local

    def _inner_scores(self, X: NDArray[Any]) -> NDArray[np.float64]:
        local = self._local_outlyingness(X)
        return self._averaged(local[self._scored(len(local), (True, True))])

    def _scored(self, n_timepoints: int, ends: tuple[bool, bool]) -> slice:
        """Return the time points of a stretch that have a score."""
        size = self.block_size_
        return slice(size if ends[0] else 0, (n_timepoints - 1) // size * size if ends[1] else n_timepoints)

    def _averaged_stretch(self, local: NDArray[Any], ends: tuple[bool, bool]) -> NDArray[np.float64]:
        # The block beside a cut has points on one side only: extrapolation is no measure of anomaly.
        inner = self._scored(len(local), ends)
        out = np.full(local.shape, np.nan)
        out[inner] = super()._averaged_stretch(local[inner], ends)
        return out

    def _averaged(self, local: NDArray[Any]) -> NDArray[np.float64]:
        return rolling_mean(local, self.smoothing)

    def _local_outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(self._by_channel(X).mean(axis=1))

    def _local_shares(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return on_channels(self._by_channel(X), self._vectors.channels, X.shape[1])

    def _by_channel(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """Return the absolute errors of the channels used."""
        block_size = self.block_size_
        if len(X) <= block_size:
            raise ValueError(
                f"X has {len(X)} time points and a block of this detector has {block_size}: give more than one "
                "block, or fit with a smaller block_size."
            )
        prepared = self._vectors.prepare(X)
        size = 10 * block_size if self.neighborhood_size is None else self.neighborhood_size
        return np.abs(_left_out_errors(prepared, block_size, max(size, 2), self.degree))


def _left_out_errors(
    rows: NDArray[np.float64], block_size: int, neighborhood_size: int, degree: int
) -> NDArray[np.float64]:
    """Return the errors of each block under the polynomial fitted to the points around it."""
    errors = np.zeros_like(rows)
    margin = max(1, (neighborhood_size - block_size) // 2)
    for start in range(0, len(rows), block_size):
        stop = min(start + block_size, len(rows))
        places = np.arange(max(0, start - margin), min(len(rows), stop + margin))
        around = places[(places < start) | (places >= stop)]
        half = 0.5 * (places[-1] - places[0])
        center = 0.5 * (places[-1] + places[0])
        # Chebyshev polynomials of the position in [-1, 1]: powers up to degree four are nearly collinear.
        used = min(degree, len(around) - 1)
        design = np.polynomial.chebyshev.chebvander((around - center) / half, used)
        weights = np.linalg.lstsq(design, rows[around], rcond=None)[0]
        inside = np.polynomial.chebyshev.chebvander((np.arange(start, stop) - center) / half, used)
        errors[start:stop] = rows[start:stop] - inside @ weights
    return errors
