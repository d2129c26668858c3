"""Embeddings of a pretrained forecaster."""

from collections.abc import Callable
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._optional import import_optional
from skanomaly._support._sklearn import HasMethods, Interval, fit_context
from skanomaly.sequence._encoders._chronos_steps import documented_steps
from skanomaly.sequence._names import check_collection

__all__ = ["ChronosEncoder"]

_PROBE = 16  # time points of the shortest window that is embedded to count its steps


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
    The encoder of THEMIS [1]_, a Chronos model [2]_. Nothing is trained. Steps are assigned to time points exactly, or
    an error is raised. For the two families whose output is documented, their configuration says how: a T5 model has a
    step for each time point, and an end mark; a Bolt model has a step for each patch, the first of which is filled up
    before the window, and a mark at the end. Marks are dropped, and the step of a patch is repeated over its time
    points. Other classes of the package `chronos` raise an error. Of any other object with a method ``embed``, shorter
    windows are embedded too, to find the size of the patches and whether the model saw the whole window.

    References
    ----------
    .. [1] Yadav Mahesh Lorik and others (2025). "THEMIS: unlocking pretrained knowledge with foundation model
       embeddings for anomaly detection in time series". arXiv:2510.03911.
    .. [2] Ansari, A. F. and others (2024). "Chronos: learning the language of time series". Transactions on Machine
       Learning Research. arXiv:2403.07815.

    Examples
    --------
    >>> from skanomaly.sequence import ChronosEncoder, SelfSimilarityDetector
    >>> detector = SelfSimilarityDetector(
    ...     encoder=ChronosEncoder(model="amazon/chronos-t5-tiny"), context_size=None
    ... )
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
        ValueError
            If the model is of a family whose steps cannot be assigned to time points.
        """
        check_collection(self, X, reset=True)
        if isinstance(self.model, str):
            chronos = import_optional("chronos", extra="chronos")
            self.pipeline_ = chronos.BaseChronosPipeline.from_pretrained(self.model, device_map=self.device)
        else:
            self.pipeline_ = self.model
        self._steps = documented_steps(self.pipeline_)
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Embed the time points of windows.

        Parameters
        ----------
        X : array-like of shape (n_windows, n_timepoints, n_features)

        Returns
        -------
        ndarray of shape (n_windows, n_timepoints, n_features * n_dimensions)

        Raises
        ------
        ValueError
            If windows differ in length or in their features, or the steps of the model cannot be assigned to their
            time points exactly, as where a window is longer than the context of the model.
        """
        check_is_fitted(self)
        sequences = check_collection(self, X, reset=False)
        lengths = sorted({len(window) for window in sequences})
        if len(lengths) > 1:
            raise ValueError(f"X has windows of {lengths[:5]} time points; give windows of one length.")
        windows = np.asarray(sequences, dtype=np.float32)
        features = []
        for feature in range(windows.shape[2]):
            channel = windows[:, :, feature]
            parts = [
                self._embed(channel[start : start + self.batch_size])
                for start in range(0, len(channel), self.batch_size)
            ]

            coded = np.concatenate(parts)
            if self._steps is not None:
                features.append(coded[:, self._steps.of_timepoints(coded.shape[1], windows.shape[1])])
                continue

            def count_steps(length: int, first: NDArray[np.float32] = channel[:1]) -> int:
                return self._embed(first[:, :length]).shape[1]

            features.append(_one_per_timepoint(coded, windows.shape[1], count_steps))
        return np.concatenate(features, axis=2)

    def _embed(self, batch: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the embeddings of all steps of windows, of shape (n_windows, n_steps, n_dimensions)."""
        torch = import_optional("torch", extra="chronos")
        with torch.no_grad():
            coded = self.pipeline_.embed(torch.from_numpy(np.ascontiguousarray(batch)))[0]
        return np.asarray(coded.float().cpu().numpy(), dtype=np.float64)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags


def _one_per_timepoint(
    steps: NDArray[np.float64], n_timepoints: int, count_steps: Callable[[int], int]
) -> NDArray[np.float64]:
    """Return the embedding of each time point: that of its step.

    Parameters
    ----------
    steps : ndarray of shape (n_windows, n_steps, n_dimensions)
    n_timepoints : int
        Length of the windows.
    count_steps : callable
        Returns the number of steps of a window of the length given, which is at most `n_timepoints`.

    Raises
    ------
    ValueError
        If the steps cannot be assigned to time points exactly.
    """
    n_steps = steps.shape[1]
    lengths = sorted({min(_PROBE, n_timepoints - 1), n_timepoints // 3, n_timepoints // 2} - {0})
    counts = {length: count_steps(length) for length in lengths}
    fitting = []
    for n_marks in (0, 1):
        size, remainder = divmod(n_timepoints, max(n_steps - n_marks, 1))
        if n_steps > n_marks and remainder == 0 and size > 0:
            expected = {length: -(-length // size) + n_marks for length in lengths}
            fitting += [(size, n_marks)] * (counts == expected)
    if len(fitting) == 1 or (fitting and n_timepoints == 1):
        size, n_marks = fitting[-1]
        return np.repeat(steps[:, : n_steps - n_marks], size, axis=1)
    n_more = counts[lengths[0]] - lengths[0] if lengths else -1
    if n_more in {0, 1} and n_steps < n_timepoints + n_more:  # one step per time point, and yet not all of them
        raise ValueError(
            f"the model saw {n_steps - n_more} of {n_timepoints} time points: windows are longer than its context. "
            "Use a smaller window_size."
        )
    raise ValueError(
        f"the model returned {n_steps} embeddings for windows of {n_timepoints} time points, which cannot be assigned "
        "to time points: use a window_size that is a multiple of the patch of the model, and within its context."
    )
