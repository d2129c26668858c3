"""Conversion of numeric series to traces of symbols."""

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from scipy.stats import norm
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._scales import column_scale, mean_and_scale, varies
from skanomaly._support._sklearn import Interval, fit_context
from skanomaly.sequence._names import check_collection

__all__ = ["SymbolTransformer"]


class SymbolTransformer(TransformerMixin, BaseEstimator):
    """Converts series to traces of symbols, for detectors of event traces.

    Parameters
    ----------
    n_symbols : int, default=8
        Size of the alphabet, at least 2.
    segment_size : int, default=4
        Number of time points per symbol, at least 1; the symbol encodes their mean. A shorter remainder is a segment
        too.

    Attributes
    ----------
    edges_ : ndarray of shape (n_symbols - 1,)
        Boundaries between symbols, in standard deviations.
    n_features_in_ : int
        Number of features.

    See Also
    --------
    skanomaly.events.CompressionDetector : Scores traces that are hard to predict.

    Notes
    -----
    Symbolic aggregate approximation (Lin, Keogh, Wei and Lonardi 2007): each series is
    standardised, averaged over segments, and discretised at the quantiles of the normal distribution. What we changed:
    series of several features give tuples of symbols.

    References
    ----------
    .. [1] Lin, J., Keogh, E., Wei, L. and Lonardi, S. (2007). "Experiencing SAX: a novel symbolic representation of
       time series". Data Mining and Knowledge Discovery 15, 107-144. https://doi.org/10.1007/s10618-007-0064-z

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skanomaly.events import CompressionDetector
    >>> from skanomaly.sequence import SymbolTransformer
    >>> SymbolTransformer(n_symbols=4, segment_size=2).fit_transform(
    ...     [[0, 0, 1, 1, 5, 5, 9]]
    ... )
    [[0, 1, 2, 3]]
    >>> waves = [np.sin(np.linspace(start, start + 40, 400)) for start in range(12)]
    >>> model = make_pipeline(
    ...     SymbolTransformer(), CompressionDetector(order=3, aggregation="mean")
    ... ).fit(waves)
    >>> model.predict([np.sin(np.linspace(0, 90, 400)), waves[3]])
    array([-1,  1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_symbols": [Interval(Integral, 2, None, closed="left")],
        "segment_size": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, *, n_symbols: int = 8, segment_size: int = 4) -> None:
        self.n_symbols = n_symbols
        self.segment_size = segment_size

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Compute the boundaries between symbols.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timepoints, n_features) or list of array-like
            Training series; only the number of features is used.
        y : Ignored
            Not used.

        Returns
        -------
        self
            The fitted transformer.
        """
        check_collection(self, X, reset=True)
        self.edges_ = norm.ppf(np.arange(1, self.n_symbols) / self.n_symbols)
        return self

    def transform(self, X: Any) -> list[list[Any]]:
        """Convert series to traces of symbols.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timepoints, n_features) or list of array-like

        Returns
        -------
        list of list of int, or of tuple of int
            One symbol per segment, from 0; tuples if there are several features.
        """
        check_is_fitted(self)
        traces = []
        for series in check_collection(self, X, reset=False):
            values = series.astype(np.float64)
            # A constant feature is 0, whatever the length that rounds its mean.
            values = np.where(varies(values), values - mean_and_scale(values)[0], 0.0) / column_scale(values)
            starts = np.arange(0, len(values), self.segment_size)
            lengths = np.diff(np.append(starts, len(values)))
            means = np.add.reduceat(values, starts, axis=0) / lengths[:, None]
            symbols = np.searchsorted(self.edges_, means, side="right")
            traces.append(symbols[:, 0].tolist() if symbols.shape[1] == 1 else list(map(tuple, symbols.tolist())))
        return traces

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags
