"""Embeddings of a pretrained forecaster."""

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._optional import import_optional
from skanomaly._support._sklearn import HasMethods, Interval, fit_context
from skanomaly.sequence._input import as_sequences

__all__ = ["ChronosEncoder"]


class ChronosEncoder(TransformerMixin, BaseEstimator):
    """One embedding per time point of a window, from a pretrained Chronos model.

    Parameters
    ----------
    model : str or object, default="amazon/chronos-t5-small"
        Name of a pretrained model, which the package `chronos` downloads once; or a loaded pipeline with a method
        ``embed`` that takes a torch tensor of shape (n_windows, n_timepoints) and returns a pair, of which the first is
        an embedding tensor of shape (n_windows, n_steps, n_dimensions).
    batch_size : int, default=32
        Number of windows per call, at least 1.
    device : str, default="cpu"
        Device that a model given by name is loaded to.

    Attributes
    ----------
    pipeline_ : object
        The model.
    n_features_in_ : int
        Number of features. Each is embedded separately, and the embeddings are concatenated.

    See Also
    --------
    SelfSimilarityDetector : Accepts this encoder, with ``context_size=None``.

    Notes
    -----
    The encoder of THEMIS [1]_, a Chronos model [2]_. Nothing is trained. If a model returns one step more than
    there are time points, the last one, the end mark, is dropped. If it returns fewer steps (patches), each is repeated
    over the time points of its patch.

    References
    ----------
    .. [1] Yadav Mahesh Lorik and others (2025). "THEMIS: unlocking pretrained knowledge with foundation model
       embeddings for anomaly detection in time series". arXiv:2510.03911.
    .. [2] Ansari, A. F. and others (2024). "Chronos: learning the language of time series". Transactions on Machine
       Learning Research. arXiv:2403.07815.

    Examples
    --------
    >>> from skanomaly.sequence import ChronosEncoder, SelfSimilarityDetector
    >>> detector = SelfSimilarityDetector(encoder=ChronosEncoder(model="amazon/chronos-t5-tiny"), context_size=None)
    >>> detector.encoder.model
    'amazon/chronos-t5-tiny'
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "model": [str, HasMethods("embed")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "device": [str],
    }

    def __init__(self, *, model: Any = "amazon/chronos-t5-small", batch_size: int = 32, device: str = "cpu") -> None:
        self.model = model
        self.batch_size = batch_size
        self.device = device

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Load the model.

        Parameters
        ----------
        X : array-like of shape (n_windows, n_timepoints, n_features)
            Windows; only the number of features is used.
        y : Ignored
            Not used.

        Returns
        -------
        self
            The fitted encoder.

        Raises
        ------
        ImportError
            If `model` is a name and the package `chronos` is not installed.
        """
        self.n_features_in_ = as_sequences(X)[0].shape[1]
        if isinstance(self.model, str):
            chronos = import_optional("chronos", extra="chronos")
            self.pipeline_ = chronos.BaseChronosPipeline.from_pretrained(self.model, device_map=self.device)
        else:
            self.pipeline_ = self.model
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Embed the time points of windows.

        Parameters
        ----------
        X : array-like of shape (n_windows, n_timepoints, n_features)

        Returns
        -------
        ndarray of shape (n_windows, n_timepoints, n_features * n_dimensions)
        """
        check_is_fitted(self)
        torch = import_optional("torch", extra="chronos")
        windows = np.asarray(as_sequences(X), dtype=np.float32)
        features = []
        for feature in range(windows.shape[2]):
            parts = []
            for start in range(0, len(windows), self.batch_size):
                batch = np.ascontiguousarray(windows[start : start + self.batch_size, :, feature])
                with torch.no_grad():
                    coded = self.pipeline_.embed(torch.from_numpy(batch))[0]
                parts.append(np.asarray(coded.float().cpu().numpy(), dtype=np.float64))
            features.append(_one_per_timepoint(np.concatenate(parts), windows.shape[1]))
        return np.concatenate(features, axis=2)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags


def _one_per_timepoint(steps: NDArray[np.float64], n_timepoints: int) -> NDArray[np.float64]:
    """Return the embedding of each time point: that of its step."""
    n_steps = steps.shape[1]
    if n_steps == n_timepoints + 1:  # the last one is the end mark
        return steps[:, :-1]
    return steps[:, np.arange(n_timepoints) * n_steps // n_timepoints]
