"""What detectors that compare each time point by itself, on the regular grid of the clock, have in common."""

from abc import abstractmethod
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.sequence._base import SeriesDetector
from skanomaly.sequence._channels import on_channels
from skanomaly.sequence._clock import Stretches
from skanomaly.sequence._series._grid import grid_places, on_grid, shortened_gaps, smoothed_on_grid
from skanomaly.sequence._series._window_vectors import WindowVectors

__all__ = ["MAD", "SMALLEST_SCALE", "GridDetector"]

SMALLEST_SCALE = 1e-9  # in standard deviations of a channel
MAD = 1.4826  # times the median distance is the standard deviation of a normal distribution
Floats = NDArray[np.float64]


class GridDetector(SeriesDetector):
    """Base class of detectors whose time points are compared with an expected value of their own.

    Holes and missing values cut nothing: rows carry their place on the grid of the clock in a column after the values,
    and what a subclass adds in further ones. The score is the mean over channels of the distances from the expected
    values, averaged over `smoothing` time points.

    A subclass sets ``_vectors`` and ``_center`` (the typical distance of each channel) in ``_fit``, and writes:

    ``_compared(X)``
        Distance of each value from the expected one in units of its scale, and the expected values in units of the
        channels; NaN where nothing is known.
    ``_added(found, reset)``
        Optionally, the further columns, ``_n_added`` of them.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SeriesDetector._parameter_constraints,
        "smoothing": [Interval(Integral, 1, None, closed="left")],
        "causal": ["boolean"],
        "binary_channels": [StrOptions({"ignore", "keep"})],
    }
    _n_added: ClassVar[int] = 0
    _vectors: WindowVectors
    _center: Floats
    smoothing: int
    causal: bool
    binary_channels: str

    @abstractmethod
    def _compared(self, X: NDArray[Any]) -> tuple[Floats, Floats]:
        """Return the distances and the expected values of prepared rows, each of shape (n, n_channels_used)."""

    def _added(self, found: Stretches, *, reset: bool) -> list[NDArray[Any]]:
        return []

    @property
    def _fewest_timepoints(self) -> int:
        return 1

    def _read(self, X: Any, *, reset: bool, continues: bool = False) -> Stretches:
        """Validate a series; append the places of its time points on the grid of the clock as columns."""
        found = super()._read(X, reset=reset, continues=continues)
        added = self._added(found, reset=reset)
        return found.with_columns(lambda found: np.column_stack([grid_places(found, self.max_gap), *added]))

    def _split(self, X: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return the values and the places on the grid."""
        n_values = X.shape[1] - 1 - self._n_added
        return X[:, :n_values], X[:, n_values].astype(np.int64)

    def _prepare_channels(self, values: NDArray[Any]) -> Floats:
        """Choose the channels and their units by the training series; return it in these units."""
        self._vectors = WindowVectors(values, window_size=1, normalize="scale", binary_channels=self.binary_channels)
        return self._vectors.prepare(values)

    def _by_channel(self, X: NDArray[Any]) -> Floats:
        """Return the outlyingness of each channel used."""
        places = shortened_gaps(self._split(X)[1], self.smoothing)
        grid = on_grid(self._compared(X)[0], places)
        return smoothed_on_grid(grid, self.smoothing, self._center, causal=self.causal)[places]

    def _outlyingness(self, X: NDArray[Any]) -> Floats:
        return self._by_channel(X).mean(axis=1)

    def _score_stretches(self, X: Stretches, parts: list[slice], local: Any = None) -> Floats:
        # All stretches together: the expected values do not come from the time points around.
        out = self._placed(X, self._outlyingness(X.values))
        self._warn_not_scored(X, int(np.isnan(out).sum()))
        return out

    def _contributions(self, X: Any) -> Floats:
        if not isinstance(X, Stretches):
            return self._divided(X)
        return self._placed(X, self._divided(X.values))

    def _divided(self, X: NDArray[Any]) -> Floats:
        """Return the terms of the outlyingness; 0 for channels that are not used."""
        parts = self._by_channel(X) / len(self._vectors.channels)
        return on_channels(parts, self._vectors.channels, self._split(X)[0].shape[1])

    def _expected(self, X: Any) -> Floats:
        cut = isinstance(X, Stretches)
        rows = getattr(X, "values", X)
        found = self._vectors.restored(self._compared(rows)[1])
        found = on_channels(found, self._vectors.channels, self._split(rows)[0].shape[1], unused=np.nan)
        return self._placed(X, found) if cut else found
