"""The left matrix profile of a stream: each window is compared with the windows before it."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly.sequence._series._profile import LevelledRows

__all__ = ["LeftProfile", "PastWindows"]

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PastWindows:
    """The last windows of a series, with their means and norms.

    Attributes
    ----------
    values : ndarray of shape (n_features, n_timepoints)
        Levelled rows.
    moments : ndarray of shape (3, n_features, n_windows)
        Mean; inverse norm of the centred window; 1 where it is constant.
    spanning : ndarray of shape (n_windows,), bool
        Windows that span a cut, and are no neighbours.
    n_rows : int
        Number of time points since the last cut.
    """

    values: Values
    moments: Values
    spanning: NDArray[np.bool_]
    n_rows: int


class LeftProfile:
    """Distances of the windows of a stream to their nearest neighbours among the windows before them.

    Parameters
    ----------
    rows : LevelledRows
        What levels the rows, from the training series.
    window_size : int
    zone : int
        Windows at most so many time points before are no neighbours.
    context_size : int
        Windows more than so many time points before are no neighbours.
    rank : int or None
        The k-th largest distance of the channels; None is one neighbour for all channels.
    """

    def __init__(self, rows: LevelledRows, window_size: int, *, zone: int, context_size: int, rank: int | None) -> None:
        self._rows = rows
        self._window_size = window_size
        self._zone = zone
        self._context_size = context_size
        self._rank = rank

    def start(self, past: PastWindows | None, n_features: int) -> PastWindows:
        """Return the windows of an empty series, or those before a cut."""
        if past is not None:
            return replace(past, n_rows=0)
        return PastWindows(np.empty((n_features, 0)), np.empty((3, n_features, 0)), np.empty(0, dtype=bool), 0)

    def extended(self, past: PastWindows, X: Values) -> PastWindows:
        """Return the windows after further rows of a stretch; older windows than the context are dropped."""
        most = self._context_size + self._window_size - 1
        return self._latest(self._joined(past, X[-most:] if len(past.values.T) == 0 else X), past.n_rows + len(X))

    def measured(self, past: PastWindows, X: Values) -> tuple[Values, PastWindows]:
        """Return the distances of the windows that end at further rows, NaN where a window spans a cut."""
        joined = self._joined(past, X)
        n_windows = joined.moments.shape[2]
        distances = np.full(len(X), np.nan)
        for place in range(max(0, self._window_size - 1 - past.n_rows), len(X)):
            distances[place] = self._distance(joined, n_windows - len(X) + place)
        return distances, self._latest(joined, joined.n_rows)

    def _joined(self, past: PastWindows, X: Values) -> PastWindows:
        size = self._window_size
        rows = self._rows.apply(X)
        values = np.concatenate([past.values, rows], axis=1)
        n_known, n_windows = past.moments.shape[2], max(0, values.shape[1] - size + 1)
        n_rows = past.n_rows + len(X)
        if n_windows == n_known:
            return replace(past, values=values, n_rows=n_rows)
        new = np.empty((5, len(values), n_windows - n_known))
        _kernels.matrix_profile.window_moments(np.ascontiguousarray(values[:, n_known:]), size, new)
        self._rows.mark_constant(new, size)
        ends = np.arange(n_known, n_windows) + size
        spanning = np.minimum(n_rows - (values.shape[1] - ends), size) < size
        return PastWindows(
            values, np.concatenate([past.moments, new[:3]], axis=2), np.concatenate([past.spanning, spanning]), n_rows
        )

    def _latest(self, past: PastWindows, n_rows: int) -> PastWindows:
        most = self._context_size + self._window_size - 1
        first = max(0, past.values.shape[1] - most)
        return PastWindows(
            past.values[:, first:].copy(), past.moments[:, :, first:].copy(), past.spanning[first:].copy(), n_rows
        )

    def _distance(self, past: PastWindows, window: int) -> float:
        size = self._window_size
        low, high = max(0, window - self._context_size), window - self._zone
        allowed = ~past.spanning[low:high] if high > low else np.empty(0, dtype=bool)
        if not allowed.any():
            return math.inf
        means, scales, constant = past.moments[:, :, window]
        shapes = (past.values[:, window : window + size] - means[:, None]) * scales[:, None]
        correlations = np.empty((len(shapes), high - low))
        for channel, shape in enumerate(shapes):
            products = np.correlate(past.values[channel, low : high + size - 1], shape)
            correlations[channel] = products * past.moments[1, channel, low:high]
            if constant[channel] > 0:
                correlations[channel] += past.moments[2, channel, low:high]
        if self._rank is None:
            sums = np.where(allowed, correlations.sum(axis=0), -np.inf)
            squares = self._squares(past, shapes, constant, np.full(len(shapes), low + int(np.argmax(sums))))
            return math.sqrt(size * squares.sum() / len(shapes))
        partners = low + np.argmax(np.where(allowed, correlations, -np.inf), axis=1)
        squares = self._squares(past, shapes, constant, partners)
        return math.sqrt(size * float(np.sort(squares)[-self._rank]))

    def _squares(self, past: PastWindows, shapes: Values, constant: Values, partners: NDArray[np.intp]) -> Values:
        """Return the squared distance of each channel to its partner, in units of the window size."""
        out = np.empty(len(shapes))
        for channel, partner in enumerate(partners):
            mean, scale, other = past.moments[:, channel, partner]
            if constant[channel] + other > 0:
                out[channel] = 0.0 if constant[channel] + other > 1.5 else 2.0
                continue
            window = past.values[channel, partner : partner + self._window_size]
            out[channel] = np.square(shapes[channel] - (window - mean) * scale).sum()
        return out
