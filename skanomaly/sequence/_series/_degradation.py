"""A classifier of synthetic anomalies, applied to the series that they were put into."""

from collections.abc import Mapping
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier

from skanomaly._support._blocks import row_blocks, single_blas_thread, single_openmp_thread
from skanomaly._support._callbacks import print_loss
from skanomaly._support._scales import varies
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions
from skanomaly._support._warnings import warn_user
from skanomaly.sequence._base import SeriesDetector
from skanomaly.sequence._collections._degradation import degrade_windows
from skanomaly.sequence._encoders._attention import AttentionClassifier
from skanomaly.sequence._series._window_vectors import WindowVectors
from skanomaly.sequence._windows import all_edges, effective_window, rolling_mean, window_starts

__all__ = ["DegradationDetector"]

_BLOCK_WINDOWS = 64
_MOST_ROWS = 30_000  # time points that a classifier of rows is trained on
_WIDTHS = (32, 8, 2)  # parts of a window that moving statistics are taken over
_SURE = 1e-6
_SHORTEST = 8  # time points of a window
Floats = NDArray[np.float64]


class DegradationDetector(SeriesDetector):
    r"""Probability of each time point to be a synthetic anomaly, by a classifier that was trained on such.

    Windows of the series get synthetic anomalies (:func:`degrade_windows`), and a classifier learns to find them.

    Parameters
    ----------
    classifier : object, default=None
        A scikit-learn classifier with ``predict_proba``, which gets the features of single time points, or an
        :class:`AttentionClassifier`, which gets whole windows and needs torch. None is gradient-boosted trees.
    window_size : int, default=256
        Time points per window.
    n_windows : int, default=400
        Windows that are given synthetic anomalies, drawn from all windows of the training series.
    fractions : mapping of str to float, default=None
        Fraction of windows with each kind of synthetic anomaly, as in :func:`degrade_windows`.
    max_ratio : float, default=0.15
        Longest synthetic anomaly as a fraction of the window, in (0, 1].
    binary_channels : {"ignore", "keep"}, default="ignore"
        "ignore" leaves out channels with at most two distinct training values, if other channels have more.
    verbose : bool, default=False
        Print the loss every hundred steps of an :class:`AttentionClassifier`.
    contamination : float, default=0.1
        Fraction of the training time points that is flagged, in (0, 0.5].
    random_state : int, RandomState instance or None, default=None
        Seed for windows, anomalies and the classifier.

    Attributes
    ----------
    classifier_ : object
        The classifier, fitted; None if no synthetic anomaly changed anything, as in a constant series, or there is
        no window of 8 time points.
    window_size_ : int
        Window size used: smaller than `window_size` if the training series is shorter than two windows.
    offset_ : float
        Threshold on ``score_samples``: time points that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training table had names that are all strings.

    See Also
    --------
    SubsequenceNeighbors : Distance to similar windows; far better on the public series.
    degrade_windows : The synthetic anomalies.

    Notes
    -----
    AnomalyBERT [1]_ with :class:`AttentionClassifier`; the default replaces the transformer by boosted trees on, for
    each channel, the value, its distance from the median of the window, its differences, and moving means, standard
    deviations and mean differences over a thirty-second, an eighth and a half of the window. Windows overlap by three
    quarters, and the log-odds of a time point are averaged over the windows that cover it; the score is minus the
    probability.

    `y`: windows with time points labelled -1 are left out of training, unless there are no others.

    *When it fails.* It finds what looks like its synthetic anomalies, and only in a series whose own anomalies are
    rare: those in the training series are taught as normal. On public series the trees are far behind neighbours, and
    hardly better than random scores; the transformer is between them and neighbours. The guide has the figures,
    none of them adjusted.

    Cost: `n_windows` · `window_size` rows for the trees, at most 30,000; O(n) for scoring.

    References
    ----------
    .. [1] Jeong, Y., Yang, E., Ryu, J. H., Park, I. and Kang, M. (2023). "AnomalyBERT: self-supervised transformer for
       time series anomaly detection using data degradation scheme". ICLR workshop on machine learning for IoT.
       arXiv:2305.04468.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import DegradationDetector
    >>> random = np.random.default_rng(0)
    >>> normal = np.sin(np.arange(1500) / 8) + 0.05 * random.normal(size=1500)
    >>> series = normal.copy()
    >>> series[700:710] = 0.5
    >>> detector = DegradationDetector(window_size=100, n_windows=100, random_state=0).fit(
    ...     normal
    ... )
    >>> bool(690 < detector.score_samples(series).argmin() < 720)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SeriesDetector._parameter_constraints,
        "classifier": [HasMethods(["fit", "predict_proba"]), AttentionClassifier, None],
        "window_size": [Interval(Integral, 8, None, closed="left")],
        "n_windows": [Interval(Integral, 2, None, closed="left")],
        "fractions": [Mapping, None],
        "max_ratio": [Interval(Real, 0, 1, closed="right")],
        "binary_channels": [StrOptions({"ignore", "keep"})],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        classifier: Any = None,
        *,
        window_size: int = 256,
        n_windows: int = 400,
        fractions: Any = None,
        max_ratio: float = 0.15,
        binary_channels: str = "ignore",
        verbose: bool = False,
        contamination: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.classifier = classifier
        self.window_size = window_size
        self.n_windows = n_windows
        self.fractions = fractions
        self.max_ratio = max_ratio
        self.binary_channels = binary_channels
        self.verbose = verbose
        self.contamination = contamination
        self.random_state = random_state

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:
        edges = metadata.get("edges")
        longest = int(np.diff(all_edges(len(X), edges)).max())
        self.window_size_ = max(effective_window(self.window_size, len(X), edges=edges), min(_SHORTEST, longest))
        self._vectors = WindowVectors(
            X, window_size=self.window_size_, normalize="scale", binary_channels=self.binary_channels
        )
        random = generator(self.random_state)
        self.classifier_: Any = None
        if self.window_size_ < _SHORTEST:
            warn_user(
                f"No stretch of X has {_SHORTEST} time points: no window can get synthetic anomalies, and all time "
                "points have the same score. Give a longer series."
            )
            return
        prepared = self._vectors.prepare(X)
        if not varies(prepared).any():
            return
        starts = window_starts(len(X), self.window_size_, edges=edges)
        if y.any():
            covered = np.lib.stride_tricks.sliding_window_view(y, self.window_size_)[starts].min(axis=1)
            starts = starts[covered >= 0] if (covered >= 0).any() else starts
        chosen = np.sort(random.choice(starts, int(self.n_windows), replace=len(starts) < self.n_windows))
        windows = self._windows(prepared, chosen)
        seed = int(random.integers(2**31 - 1))
        degraded, labels = degrade_windows(
            windows, fractions=self.fractions, max_ratio=self.max_ratio, random_state=seed
        )
        self._train(degraded, labels < 0, random)

    def _windows(self, prepared: Floats, starts: NDArray[np.intp]) -> Floats:
        view = np.lib.stride_tricks.sliding_window_view(prepared, self.window_size_, axis=0)
        return np.ascontiguousarray(view[starts].swapaxes(1, 2))

    def _train(self, windows: Floats, anomalous: NDArray[np.bool_], random: np.random.Generator) -> None:
        if isinstance(self.classifier, AttentionClassifier):
            self.classifier._validate_params()
            self.classifier_ = self.classifier._fit(windows, anomalous, random, partial(print_loss, self))
            return
        rows = _timepoint_features(windows)
        labels = anomalous.reshape(-1)
        kept = np.sort(random.permutation(len(rows))[:_MOST_ROWS])
        if labels[kept].all() or not labels[kept].any():
            return
        model = self.classifier
        if model is None:
            model = HistGradientBoostingClassifier(
                max_iter=100, max_leaf_nodes=15, early_stopping=False, random_state=int(random.integers(2**31 - 1))
            )
        with single_openmp_thread(), single_blas_thread():
            self.classifier_ = clone(model).fit(rows[kept], labels[kept])

    def _probabilities(self, windows: Floats) -> Floats:
        if self.classifier_ is None:
            return np.full(windows.shape[:2], 0.5)
        if isinstance(self.classifier, AttentionClassifier):
            return np.asarray(self.classifier_.probabilities(windows))
        found = self.classifier_.predict_proba(_timepoint_features(windows))[:, -1]
        return np.asarray(found, dtype=np.float64).reshape(windows.shape[:2])

    def _outlyingness(self, X: NDArray[Any]) -> Floats:
        prepared = self._vectors.prepare(self._long_enough(X))
        size = self.window_size_
        starts = np.unique(np.append(np.arange(0, len(X) - size + 1, max(1, size // 4)), len(X) - size))
        total, count = np.zeros(len(X)), np.zeros(len(X))
        with single_openmp_thread(), single_blas_thread():
            for block in row_blocks(len(starts), _BLOCK_WINDOWS):
                found = self._probabilities(self._windows(prepared, starts[block]))
                for start, values in zip(starts[block], found, strict=True):
                    total[start : start + size] += logit(np.clip(values, _SURE, 1 - _SURE))
                    count[start : start + size] += 1
        return np.asarray(expit(total / count))


def _timepoint_features(windows: Floats) -> NDArray[np.float32]:
    """Describe each time point of windows by its value and by differences and moving statistics around it."""
    n_windows, size, n_channels = windows.shape
    flat = windows.swapaxes(0, 1).reshape(size, -1)
    steps = np.abs(np.diff(flat, axis=0, prepend=flat[:1]))
    parts = [flat, flat - np.median(flat, axis=0), steps, np.abs(np.diff(steps, axis=0, prepend=steps[:1]))]
    for divisor in _WIDTHS:
        width = max(3, size // divisor)
        mean = rolling_mean(flat, width)
        parts += [
            flat - mean,
            np.sqrt(np.maximum(rolling_mean(flat**2, width) - mean**2, 0.0)),
            rolling_mean(steps, width),
        ]
    table = np.stack([part.reshape(size, n_windows, n_channels) for part in parts], axis=3)
    return table.swapaxes(0, 1).reshape(n_windows * size, -1).astype(np.float32)
