"""Features of series from random convolutions."""

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly import _kernels
from skanomaly._support._blocks import map_blocks, row_blocks
from skanomaly._support._scales import ColumnScaler
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, fit_context
from skanomaly.sequence._names import check_collection

__all__ = ["RandomConvolutionTransformer", "draw_filters"]

_FILTER_LENGTHS = (7, 9, 11)
_BLOCK_SEQUENCES = 64


class RandomConvolutionTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    r"""Features of series from random convolutions.

    Converts a collection of series to a table, for any detector of tables. It is also an encoder of windows for
    :class:`SelfSimilarityDetector`.

    Parameters
    ----------
    n_kernels : int, default=256
        Number of filters, at least 1; each gives two columns.
    n_jobs : int or None, default=None
        Threads over blocks of series; results do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed of the filters.

    Attributes
    ----------
    mean_ : ndarray of shape (`n_features_in_`,)
        Mean of each feature over all training time points.
    scale_ : ndarray of shape (`n_features_in_`,)
        Standard deviation of each feature.
    n_features_in_ : int
        Number of features.

    See Also
    --------
    SelfSimilarityDetector : Accepts this transformer as encoder.
    SequenceNeighbors : Uses statistics and warped shapes instead.

    Notes
    -----
    ROCKET (Dempster, Petitjean and Webb 2020): filters of length 7, 9 or 11 with normal weights of mean zero, a bias
    uniform in [-1, 1] and dilations uniform on a logarithmic scale up to the length of the series; the maximum and the
    fraction of positive values of each are the features. What we changed: each filter uses one channel, all series are
    padded, and values are standardised by the whole training data instead of each series, so that level and amplitude
    are kept.

    Cost: O(N K) for N time points and K filters, about 10 K operations per time point.

    References
    ----------
    .. [1] Dempster, A., Petitjean, F. and Webb, G. I. (2020). "ROCKET: exceptionally fast and accurate time series
       classification using random convolutional kernels". Data Mining and Knowledge Discovery 34, 1454-1495.
       https://doi.org/10.1007/s10618-020-00701-z

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skanomaly.detectors import NearestNeighborsDetector
    >>> from skanomaly.sequence import RandomConvolutionTransformer
    >>> random = np.random.default_rng(0)
    >>> waves = [
    ...     np.sin(np.linspace(0, 20, 100)) + 0.1 * random.normal(size=100)
    ...     for _ in range(40)
    ... ]
    >>> model = make_pipeline(
    ...     RandomConvolutionTransformer(n_kernels=50, random_state=0),
    ...     NearestNeighborsDetector(),
    ... )
    >>> normal, anomaly = model.fit(waves[:30]).score_samples(
    ...     [waves[35], np.sin(np.linspace(0, 60, 100))]
    ... )
    >>> bool(anomaly < normal)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_kernels": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(self, *, n_kernels: int = 256, n_jobs: int | None = None, random_state: Any = None) -> None:
        self.n_kernels = n_kernels
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Draw the filters and estimate the scale of the features.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timepoints, n_features) or list of array-like
            Training series.
        y : Ignored
            Not used.

        Returns
        -------
        self
            The fitted transformer.
        """
        sequences = check_collection(self, X, reset=True)
        values = np.concatenate(sequences).astype(np.float64)
        self._scaler = ColumnScaler(values)
        self.mean_, self.scale_ = self._scaler.mean, self._scaler.scale
        median = int(np.median([len(series) for series in sequences]))
        self._filters = draw_filters(self.n_kernels, self.n_features_in_, median, generator(self.random_state))
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Compute the features of series.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timepoints, n_features) or list of array-like

        Returns
        -------
        ndarray of shape (n_sequences, 2 * n_kernels)
            Maximum and fraction of positive values of each filter, side by side.
        """
        check_is_fitted(self)
        sequences = check_collection(self, X, reset=False)
        out = np.empty((len(sequences), 2 * self.n_kernels))

        def fill(part: slice) -> None:
            series = sequences[part]
            offsets = np.concatenate([[0], np.cumsum([len(each) for each in series])]).astype(np.int64)
            _kernels.random_convolution.pooled_convolutions(
                self._scaler.transform(np.concatenate(series).astype(np.float64)),
                offsets,
                *self._filters,
                out[part],
            )

        map_blocks(fill, row_blocks(len(sequences), _BLOCK_SEQUENCES), n_jobs=self.n_jobs)
        return out

    @property
    def _n_features_out(self) -> int:
        return 2 * len(self._filters[1])

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags


def draw_filters(
    n_kernels: int, n_features: int, n_timepoints: int, random: np.random.Generator
) -> tuple[NDArray[Any], ...]:
    """Draw weights, lengths, biases, dilations and channels of the filters."""
    lengths = random.choice(_FILTER_LENGTHS, n_kernels)
    weights = np.zeros((n_kernels, max(_FILTER_LENGTHS)))
    for row, length in zip(weights, lengths, strict=True):
        taps = random.normal(size=length)
        row[:length] = taps - taps.mean()
    biases = random.uniform(-1, 1, n_kernels)
    widest = np.log2(np.maximum((n_timepoints - 1) / (lengths - 1), 1.0))
    dilations = np.floor(2 ** random.uniform(0, widest)).astype(np.int64)
    channels = random.integers(n_features, size=n_kernels)
    return weights, lengths, biases, dilations, channels
