"""Time points whose embeddings are not similar to others."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from sklearn.base import clone

from skanomaly._support._blocks import map_blocks
from skanomaly._support._neighbors import NeighborIndex, unit_rows
from skanomaly._support._scales import ColumnScaler
from skanomaly._support._seeds import draw_seed, generator
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions
from skanomaly.base import BaseDetector
from skanomaly.sequence._base import SeriesDetector
from skanomaly.sequence._encoders._convolution import RandomConvolutionTransformer
from skanomaly.sequence._encoders._timepoints import ENCODERS, DelayEncoder, timepoint_embeddings, window_starts
from skanomaly.sequence._windows import all_edges, stretches

__all__ = ["SelfSimilarityDetector"]

_N_KERNELS = 64
_N_REFERENCES = 1000
_TIMEPOINTS_PER_REFERENCE = 8  # at least, so that the references of one anomaly are not a dense cluster
_DECIMALS = 12  # beyond these, eigenvectors of equal time points differ by rounding
_FLAT = 1e-9
Values = NDArray[np.float64]


class SelfSimilarityDetector(SeriesDetector):
    r"""Dissimilarity of the embedding of each time point to the rest of the series, for any encoder.

    An encoder embeds the window around each time point. Embeddings that are not similar to the others are anomalous,
    as measured by one of several heads, which are not trained.

    Parameters
    ----------
    encoder : {"delay", "convolution"} or transformer, default="delay"
        "delay" is the window with its mean subtracted; "convolution" is :class:`RandomConvolutionTransformer` with 64
        filters. Any object whose ``transform`` converts an array of shape (n_windows, n_timepoints, n_features) to
        embeddings can be given (see `context_size`); it is cloned and fitted on training windows.
    head : {"local_outlier_factor", "spectral", "mean", "trimmed"}, default="local_outlier_factor"
        "spectral": how little a time point contributes to the leading eigenvectors of the similarities.
        "local_outlier_factor": density of the training embeddings around an embedding, relative to the density around
        its neighbours. "mean": one minus the mean similarity. "trimmed": one minus the mean of the largest tenth of the
        similarities.
    n_components : int, default=8
        Number of leading eigenvectors of "spectral", at least 1. Values from 2 to 20 make little difference.
    n_neighbors : int, default=20
        Number of neighbours of "local_outlier_factor", at least 1. It is reduced if there are fewer references.
    window_size : int, default=512
        Number of time points that are compared with each other, at least 2. A shorter series is one window.
    stride : int, default=256
        Number of time points from one window to the next, at least 1; larger values than `window_size` are reduced
        to it. Scores are averaged where windows overlap.
    context_size : int or None, default=100
        Number of time points around each time point that the encoder is given; it returns one vector per window. If the
        context is much longer than the anomaly, many time points become anomalous in similar ways, which makes
        "convolution" worse. None is for encoders that return one vector per time point, of shape (n_windows,
        n_timepoints, n_dimensions); they are given the windows of `window_size`.
    contamination : float, default=0.1
        Fraction of the training time points that is flagged, in (0, 0.5].
    random_state : int, RandomState instance or None, default=None
        Seed of the filters of "convolution" and the references of "local_outlier_factor".

    Attributes
    ----------
    window_size_ : int
        Number of time points compared with each other in training: smaller than `window_size` if the series is shorter.
    encoder_ : object
        Fitted encoder.
    mean_ : ndarray of shape (`n_features_in_`,)
        Mean of each channel in training.
    scale_ : ndarray of shape (`n_features_in_`,)
        Standard deviation of each channel in training. The encoder is given standardised channels.
    offset_ : float
        Threshold on ``score_samples``: time points that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training table had names that are all strings.

    See Also
    --------
    ChronosEncoder : Embeddings of a pretrained forecaster.
    SubsequenceNeighbors : Distances between windows; more accurate on the public series of the user guide.

    Notes
    -----
    THEMIS [1]_ uses embeddings of a pretrained encoder, :math:`S_{ij} = |\cos(e_i, e_j)|` inside a window, and two
    scores. What we changed: "spectral" scores a time point by the part of its row of S that the k largest eigenvalues
    explain, :math:`1 - \sqrt{\sum_{i \le k} \lambda_i^2 u_{it}^2 / n}`, instead of the norm of the remainder, which is
    small for a time point that is similar to nothing. On synthetic changes of shape, the remainder detected between
    none and most, depending on k; the explained part detected nearly all for every k from 2 to 20.
    "local_outlier_factor", from Breunig and others [2]_, compares with a random sample of the training time points, one
    in eight and at most 1,000, and leaves out one that is equal to the query: with all of them, a long anomaly would be
    a dense cluster. Encoders of short windows are offered besides pretrained ones, and all channels are used.

    Cost: O(n window_size (p + window_size)) for n time points and embeddings of p dimensions, plus the encoder.

    References
    ----------
    .. [1] Yadav Mahesh Lorik and others (2025). "THEMIS: unlocking pretrained knowledge with foundation model
       embeddings for anomaly detection in time series". arXiv:2510.03911.
    .. [2] Breunig, M. M., Kriegel, H.-P., Ng, R. T. and Sander, J. (2000). "LOF: identifying density-based local
       outliers". SIGMOD Record 29(2), 93-104. https://doi.org/10.1145/335191.335388

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import SelfSimilarityDetector
    >>> series = np.sin(np.arange(2000) / 5)
    >>> series[1000:1040] = np.sin(np.arange(40) / 1.5)
    >>> detector = SelfSimilarityDetector(contamination=0.03).fit(series)
    >>> flagged = np.flatnonzero(detector.predict(series) == -1)
    >>> bool(((flagged > 960) & (flagged < 1080)).mean() > 0.9)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,
        "encoder": [StrOptions(ENCODERS), HasMethods("transform")],
        "head": [StrOptions({"spectral", "local_outlier_factor", "mean", "trimmed"})],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "window_size": [Interval(Integral, 2, None, closed="left")],
        "stride": [Interval(Integral, 1, None, closed="left")],
        "context_size": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        encoder: Any = "delay",
        head: str = "local_outlier_factor",
        n_components: int = 8,
        n_neighbors: int = 20,
        window_size: int = 512,
        stride: int = 256,
        context_size: int | None = 100,
        contamination: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.encoder = encoder
        self.head = head
        self.n_components = n_components
        self.n_neighbors = n_neighbors
        self.window_size = window_size
        self.stride = stride
        self.context_size = context_size
        self.contamination = contamination
        self.random_state = random_state

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:
        self._scaler = ColumnScaler(X.astype(np.float64))
        self.mean_, self.scale_ = self._scaler.mean, self._scaler.scale
        edges = metadata.get("edges")
        longest = int(np.diff(all_edges(len(X), edges)).max())
        self._context = None if self.context_size is None else min(int(self.context_size), max(1, longest // 2))
        self.window_size_ = min(int(self.window_size), longest)
        parts = stretches(len(X), edges, self._fewest_timepoints)
        series = self._standardised(X)
        self.encoder_ = self._make_encoder()
        if hasattr(self.encoder_, "fit"):
            self.encoder_.fit(np.concatenate([self._training_windows(series[part]) for part in parts]))
        if self.head == "local_outlier_factor":
            self._fit_density([series[part] for part in parts])

    @property
    def _fewest_timepoints(self) -> int:
        if self._context is None or self.head != "local_outlier_factor":
            return self.window_size_
        return self._context

    def _standardised(self, X: NDArray[Any]) -> Values:
        return self._scaler.transform(X.astype(np.float64))

    def _make_encoder(self) -> Any:
        if not isinstance(self.encoder, str):
            return clone(self.encoder, safe=False)
        if self.encoder == "delay":
            return DelayEncoder()
        return RandomConvolutionTransformer(n_kernels=_N_KERNELS, random_state=draw_seed(self.random_state))

    def _training_windows(self, series: Values) -> Values:
        size = self.window_size_ if self._context is None else self._context
        starts = window_starts(len(series), size, max(1, size // 2))
        return np.stack([series[start : start + size] for start in starts])

    def _embeddings(self, series: Values) -> list[tuple[slice, Values]]:
        """Return the embeddings of the time points of each window."""
        size = min(self.window_size, len(series))
        stride = min(self.stride, size)  # no time point between two windows
        places = [slice(int(start), int(start) + size) for start in window_starts(len(series), size, stride)]
        if self._context is None:
            coded = np.asarray(self.encoder_.transform(np.stack([series[place] for place in places])), dtype=np.float64)
            if coded.ndim != 3 or coded.shape[:2] != (len(places), size):
                raise ValueError(
                    f"encoder returned shape {coded.shape} for {len(places)} windows of {size}; with context_size=None "
                    "it must return one vector per time point. Set context_size for an encoder of whole windows."
                )
            return list(zip(places, coded, strict=True))
        if len(series) < self._context:
            raise ValueError(
                f"X has {len(series)} time points and the encoder needs {self._context}: give at least as many, or fit "
                "with a smaller context_size."
            )
        whole = timepoint_embeddings(self.encoder_, series, self._context)
        return [(place, whole[place]) for place in places]

    def _fit_density(self, stretched: list[Values]) -> None:
        parts = np.concatenate([self._embedded(series) for series in stretched])
        fewest = min(len(parts), 2 * int(self.n_neighbors))
        n_kept = max(2, min(_N_REFERENCES, max(fewest, len(parts) // _TIMEPOINTS_PER_REFERENCE)))
        chosen = np.sort(generator(self.random_state).choice(len(parts), n_kept, replace=False))
        self._references = NeighborIndex(np.ascontiguousarray(parts[chosen]))
        self._n_neighbors = min(self.n_neighbors, n_kept - 1)
        distances, indices = self._references.query(n_neighbors=self._n_neighbors, exclude="self")
        self._reach = distances[:, -1]
        self._density = 1.0 / np.maximum(np.maximum(distances, self._reach[indices]).mean(axis=1), _FLAT)

    def _embedded(self, series: Values) -> Values:
        """Return one embedding per time point: that of the last window that covers it."""
        windows = self._embeddings(series)
        out = np.empty((len(series), windows[0][1].shape[1]))
        for place, part in windows:
            out[place] = part
        return out

    def _outlyingness(self, X: NDArray[Any]) -> Values:
        series = self._standardised(X)
        total, n_windows = np.zeros(len(series)), np.zeros(len(series))
        windows = self._embeddings(series)
        self._require_context(len(X))
        for (place, _), part in zip(
            windows, map_blocks(self._dissimilarity, [part for _, part in windows]), strict=True
        ):
            total[place] += part
            n_windows[place] += 1
        return np.round(total / n_windows, _DECIMALS)

    def _require_context(self, n_timepoints: int) -> None:
        """Raise an error if time points are compared with each other and are so few that all would score as normal."""
        fewest = {"spectral": int(self.n_components) + 1, "mean": 2, "trimmed": 20}.get(self.head, 1)
        if n_timepoints < min(fewest, self.window_size_):
            raise ValueError(
                f"X has {n_timepoints} time points and head={self.head!r} compares them with each other: give at least "
                f"{fewest}, or use head='local_outlier_factor', which compares them with the training series."
            )

    def _dissimilarity(self, embeddings: Values) -> Values:
        if self.head == "local_outlier_factor":
            return self._local_outlier_factor(embeddings)
        unit = _unit(embeddings)
        similarity = np.abs(unit @ unit.T)
        if self.head == "mean":
            return 1.0 - similarity.mean(axis=1)
        if self.head == "trimmed":
            n_kept = max(1, len(unit) // 10)
            return 1.0 - np.partition(similarity, len(unit) - n_kept, axis=1)[:, -n_kept:].mean(axis=1)
        return _unexplained(similarity, min(self.n_components, len(unit)))

    def _local_outlier_factor(self, embeddings: Values) -> Values:
        queries = np.ascontiguousarray(embeddings)
        distances, indices = self._references.query(queries, n_neighbors=self._n_neighbors, exclude="value")
        reach = np.maximum(np.maximum(distances, self._reach[indices]).mean(axis=1), _FLAT)
        return np.asarray(self._density[indices].mean(axis=1) * reach)


def _unit(embeddings: Values) -> Values:
    """Scale embeddings to norm 1; one that is tiny compared with the others counts as zero, and zeros as equal."""
    norms = np.linalg.norm(embeddings, axis=1)
    rows = np.where((norms > _FLAT * max(norms.max(initial=0.0), 1.0))[:, None], embeddings, 0.0)
    return np.ascontiguousarray(unit_rows(rows))


def _unexplained(similarity: Values, n_components: int) -> Values:
    """Return one minus the relative norm of each row of the leading part of a similarity matrix."""
    n_rows = len(similarity)
    values, vectors = eigh(similarity, subset_by_index=(n_rows - n_components, n_rows - 1))
    return np.asarray(1.0 - np.sqrt((vectors**2) @ values**2 / n_rows))
