"""How rare the symbolic words of windows are."""

from numbers import Integral
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.sequence._base import SeriesDetector
from skanomaly.sequence._channels import on_channels
from skanomaly.sequence._series._window_vectors import WindowVectors
from skanomaly.sequence._windows import WindowLookup, effective_window, window_starts

__all__ = ["EncodingDetector"]

_BLOCK_WINDOWS = 4096
_MOST_WORDS = 2**62
_ROUNDING = 1e-9  # in standard deviations of a channel


class _Words(NamedTuple):
    """Runs of equal words in training: sorted distinct words, and their runs by word and position."""

    edges: NDArray[np.float64]
    distinct: NDArray[np.int64]
    runs: NDArray[np.int64]
    n_timepoints: int

    def surprise(self, words: NDArray[np.int64], own: NDArray[np.intp], zone: int) -> NDArray[np.float64]:
        """Return the surprise of words, without the runs near the place of an equal training window."""
        place = np.minimum(np.searchsorted(self.distinct, words), len(self.distinct) - 1)
        base = place * (self.n_timepoints + 1)
        number = self._before(base + self.n_timepoints) - self._before(base)
        low, high = np.maximum(own - zone + 1, 0), np.minimum(own + zone, self.n_timepoints)
        near = np.where(own >= 0, self._before(base + high) - self._before(base + low), 0)
        number = np.where(self.distinct[place] == words, number - near, 0)
        return -np.log((number + 0.5) / (len(self.runs) + 1))

    def _before(self, keys: NDArray[np.int64]) -> NDArray[np.intp]:
        return np.searchsorted(self.runs, keys)


class EncodingDetector(SeriesDetector):
    r"""Rarity of the words that windows become when they are written in a few symbols.

    Parameters
    ----------
    window_size : int, default=100
        Time points per window.
    encodings : sequence of pairs of int, default=((4, 4), (6, 5), (8, 6))
        Number of segments of a window and number of symbols, at least 1 and 2, of each encoding. A window is scored by
        the mean over the encodings. Few segments and symbols make frequent words, many make rare ones.
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

    Attributes
    ----------
    window_size_ : int
        Window size used: smaller than `window_size` if the training series is shorter than two windows.
    n_words_ : ndarray of shape (n_channels_used, n_encodings)
        Number of distinct words in training.
    offset_ : float
        Threshold on ``score_samples``: time points that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training table had names that are all strings.

    See Also
    --------
    SymbolTransformer : The same symbols for detectors of event traces.
    SubsequenceNeighbors : Distances of windows, without symbols.

    Notes
    -----
    Each window is averaged over segments, and each average becomes a symbol, as in symbolic aggregate approximation
    (SAX) [1]_. The score of a window is minus its surprise :math:`-\log((c + 1/2) / (R + 1))`, where :math:`c` is the
    number of runs of the same word among the :math:`R` runs of equal words in training [2]_. What we changed: symbols
    divide the averages of the training windows into equal parts, instead of the normal distribution; windows keep their
    amplitude by default; several encodings are averaged, as [3]_ do for grammars; and runs within a window of a
    training window do not count for it. Channels are scored separately and averaged; ``feature_contributions`` divide
    the score in proportion to the surprises of the channels.

    Cost: O(n w) per channel and encoding for windows of w time points, and O(n log n).

    References
    ----------
    .. [1] Lin, J., Keogh, E., Wei, L. and Lonardi, S. (2007). "Experiencing SAX: a novel symbolic representation of
       time series". Data Mining and Knowledge Discovery 15, 107-144. https://doi.org/10.1007/s10618-007-0064-z
    .. [2] Keogh, E., Lonardi, S. and Chiu, B. (2002). "Finding surprising patterns in a time series database in linear
       time and space". KDD, 550-556. https://doi.org/10.1145/775047.775128
    .. [3] Gao, Y., Lin, J. and Brif, C. (2020). "Ensemble grammar induction for detecting anomalies in time series".
       EDBT. arXiv:2001.11102.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import EncodingDetector
    >>> wave = np.sin(np.arange(2000) / 8)
    >>> wave[1000:1030] = np.sin(np.arange(30) / 2)
    >>> detector = EncodingDetector(window_size=50).fit(wave)
    >>> bool(960 < detector.score_samples(wave).argmin() < 1070)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SeriesDetector._parameter_constraints,
        "window_size": [Interval(Integral, 1, None, closed="left")],
        "encodings": ["array-like"],
        "normalize": [StrOptions({"center", "zscore", "scale"})],
        "binary_channels": [StrOptions({"ignore", "keep"})],
        "point_alignment": [StrOptions({"center", "mean", "max", "last"})],
    }

    def __init__(
        self,
        *,
        window_size: int = 100,
        encodings: Any = ((4, 4), (6, 5), (8, 6)),
        normalize: str = "center",
        binary_channels: str = "ignore",
        point_alignment: str = "mean",
        contamination: float = 0.1,
    ) -> None:
        self.window_size = window_size
        self.encodings = encodings
        self.normalize = normalize
        self.binary_channels = binary_channels
        self.point_alignment = point_alignment
        self.contamination = contamination

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:
        pairs = _checked_pairs(self.encodings)
        edges = metadata.get("edges")
        self.window_size_ = effective_window(self.window_size, len(X), edges=edges)
        self._vectors = WindowVectors(
            X, window_size=self.window_size_, normalize=self.normalize, binary_channels=self.binary_channels
        )
        # Fewer segments where a window is shorter than they are many.
        self._pairs = [(min(n_segments, self.window_size_), n_symbols) for n_segments, n_symbols in pairs]
        starts = window_starts(len(X), self.window_size_, edges=edges)
        self._lookup = WindowLookup(X, self.window_size_, starts=starts)
        self._words = [
            [
                _learnt_words(averages, starts, n_symbols, len(X))
                for averages, (_, n_symbols) in zip(of_channel, self._pairs, strict=True)
            ]
            for of_channel in self._segment_averages(X, starts)
        ]
        self.n_words_ = np.array([[len(words.distinct) for words in of_channel] for of_channel in self._words])

    def _segment_averages(self, X: NDArray[Any], starts: NDArray[np.intp]) -> list[list[NDArray[np.float64]]]:
        """Return the averages of the segments of windows, by channel and encoding."""
        size = self.window_size_
        blocks: list[list[list[NDArray[np.float64]]]] = [[[] for _ in self._pairs] for _ in self._vectors.channels]
        for vectors in self._vectors.blocks_at(X, starts, _BLOCK_WINDOWS):
            for channel, of_channel in enumerate(blocks):
                windows = vectors[:, channel * size : (channel + 1) * size]
                for found, (n_segments, _) in zip(of_channel, self._pairs, strict=True):
                    bounds = np.linspace(0, size, n_segments + 1).round().astype(np.intp)
                    found.append(np.add.reduceat(windows, bounds[:-1], axis=1) / np.diff(bounds))
        return [[np.concatenate(found) for found in of_channel] for of_channel in blocks]

    def _by_channel(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """Return the mean surprise of each window, by channel."""
        own = self._lookup.find(X)
        averages = self._segment_averages(X, np.arange(len(X) - self.window_size_ + 1))
        return np.stack(
            [
                np.mean(
                    [
                        words.surprise(_written(part, words.edges), own, self.window_size_)
                        for part, words in zip(parts, of_channel, strict=True)
                    ],
                    axis=0,
                )
                for parts, of_channel in zip(averages, self._words, strict=True)
            ]
        )

    def _window_outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(self._by_channel(X).mean(axis=0))

    def _local_shares(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return on_channels(self._by_channel(self._long_enough(X)).T, self._vectors.channels, X.shape[1])


def _checked_pairs(encodings: Any) -> list[tuple[int, int]]:
    """Return the encodings as pairs of whole numbers, or raise."""
    given = [tuple(pair) if np.ndim(pair) == 1 else (pair,) for pair in encodings]
    for pair in given:
        whole = len(pair) == 2 and all(isinstance(number, Integral) for number in pair)
        if not whole or pair[0] < 1 or pair[1] < 2:
            raise ValueError(
                f"encodings holds {pair}; give pairs of a number of segments, at least 1, and of symbols, at least 2."
            )
        if int(pair[1]) ** int(pair[0]) > _MOST_WORDS:
            raise ValueError(f"encodings holds {pair}: there are more than 2**62 such words; give fewer segments.")
    if not given:
        raise ValueError("encodings is empty; give at least one pair of a number of segments and of symbols.")
    return [(int(pair[0]), int(pair[1])) for pair in given]


def _learnt_words(averages: NDArray[np.float64], starts: NDArray[np.intp], n_symbols: int, n_timepoints: int) -> _Words:
    """Return the boundaries between symbols, and the runs of equal words of the training windows."""
    edges = np.quantile(averages, np.arange(1, n_symbols) / n_symbols) - _ROUNDING
    words = _written(averages, edges)
    first = np.flatnonzero(np.diff(words, prepend=words[0] - 1) | (np.diff(starts, prepend=-2) != 1))
    distinct, places = np.unique(words[first], return_inverse=True)
    runs = np.sort(places.astype(np.int64) * (n_timepoints + 1) + starts[first])
    return _Words(edges, distinct, runs, n_timepoints)


def _written(averages: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the word of each row as one number."""
    symbols = np.searchsorted(edges, averages, side="right")
    return symbols @ (len(edges) + 1) ** np.arange(averages.shape[1], dtype=np.int64)
