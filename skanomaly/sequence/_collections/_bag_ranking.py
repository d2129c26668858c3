"""Scores of segments, trained on labels of whole series (multiple-instance learning)."""

from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags

from skanomaly._networks._network import Layers, Network, layer_sizes
from skanomaly._networks._training import in_blocks
from skanomaly._support._blocks import single_blas_thread
from skanomaly._support._scales import ColumnScaler
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval
from skanomaly.base import BaseDetector
from skanomaly.sequence._collections._base import SequenceDetector

__all__ = ["BagRankingDetector", "Bags", "bag_ranking_loss"]

Values = NDArray[np.float64]
_FARTHEST = 100.0  # standard deviations: a farther segment would set the weights alone
_DECAYS = (0.9, 0.999)  # of Adam's running means
_SCORER = "scorer"
_WARM = 0.25  # steps before ranking, as a fraction of `max_iter`


class Bags(NamedTuple):
    """Segments of all bags, concatenated.

    Parameters
    ----------
    segments : ndarray of shape (n_segments, n_features)
    offsets : ndarray of shape (n_bags + 1,)
    is_anomaly : ndarray of shape (n_bags,), bool
    """

    segments: Values
    offsets: NDArray[np.int64]
    is_anomaly: NDArray[np.bool_]

    def split(self, values: Values) -> list[Values]:
        """Split one value per segment into one array per bag."""
        return np.split(values, self.offsets[1:-1])

    def direction(self) -> Values:
        """Return the direction from the mean of normal bags to that of anomalous ones."""
        inside = np.repeat(self.is_anomaly, np.diff(self.offsets))
        start = self.segments[inside].mean(axis=0) - self.segments[~inside].mean(axis=0)
        return np.asarray(start / max(float(np.linalg.norm(start)), 1e-12))


class BagRankingDetector(SequenceDetector):
    r"""Finds anomalous segments, trained on labels of whole series.

    For some series, such as videos or recordings, it is known that they contain an anomaly somewhere; for others that
    they contain none. A model of segments is trained to rank the largest score of each anomalous series above
    the largest score of each normal one.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, int or None, default=None
        Sizes of hidden layers of rectified linear units, added to the linear model. None is the linear model alone.
    n_segments : int or None, default=32
        Number of segments that each series is split into; at least 1. A segment is the mean of its rows. A series with
        fewer rows has one segment per row. None makes each row a segment.
    sparsity : float, default=8e-5
        Penalty on the sum of the segment scores of anomalous series; at least 0.
    smoothness : float, default=8e-5
        Penalty on the squared differences of neighbouring segment scores of anomalous series; at least 0.
    ridge : float, default=0.001
        L2 penalty: weight of half the squared norm of the coefficients; at least 0.
    max_iter : int, default=200
        Number of Adam steps on the full data, at least 1.
    learning_rate_init : float, default=0.01
        Learning rate; above 0.
    contamination : float, default=0.1
        Fraction of the training series that is flagged, in (0, 0.5].
    random_state : int, RandomState instance or None, default=None
        Seed of the weights of hidden layers; the linear model has no randomness.

    Attributes
    ----------
    coef_ : ndarray of shape (`n_features_in_`,)
        Coefficients of the standardised features, of the linear model alone.
    intercept_ : float
        Only of the linear model alone.
    mean_ : ndarray of shape (`n_features_in_`,)
        Mean of the features over all segments.
    scale_ : ndarray of shape (`n_features_in_`,)
        Standard deviation of the features over all segments.
    loss_curve_ : list of float
        Ranking loss at each step, with the sparsity and smoothness penalties and without the L2 penalty.
    offset_ : float
        Threshold on ``score_samples``: series that score below are anomalies.
    n_features_in_ : int
        Number of features.

    See Also
    --------
    SequenceNeighbors : Does not need labels.

    Notes
    -----
    Loss of Sultani, Chen and Shah (2018), section 3: with f the score of a segment, between 0 and 1,

    .. math:: \frac{1}{N} \sum_{a, n} \max(0, 1 - \max_t f(a_t) + \max_t f(n_t))
        + \lambda_1 \sum_{a, t} f(a_t) + \lambda_2 \sum_{a, t} (f(a_t) - f(a_{t+1}))^2

    over the N pairs of an anomalous series a and a normal one n. What we changed: the model is a logistic function of a
    linear function of the standardised features, to which `hidden_layer_sizes` adds a network; the linear part starts
    at the difference of the two class means and the network near 0, then first learns the labels of the series for each
    segment, for a quarter of `max_iter` steps, without which it often ranks the wrong segments highest; all series are
    trained on at once, so that the order of the series does not matter; segments are not normalised to norm 1, and
    series may have different numbers of segments. There is no dropout.

    `y` is required: -1 for series that contain an anomaly somewhere, +1 for series that contain none; at least one of
    each. Series labelled 0 are used for the threshold only. Training series are scored by the model trained on them.

    ``score_timepoints`` are minus the segment scores, repeated for all rows of each segment.

    Cost: O(max_iter S d) for S segments of d features; with hidden layers S times the number of weights.

    References
    ----------
    .. [1] Sultani, W., Chen, C. and Shah, M. (2018). "Real-world anomaly detection in surveillance videos". CVPR,
       6479-6488. https://doi.org/10.1109/CVPR.2018.00678

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import BagRankingDetector
    >>> random = np.random.default_rng(0)
    >>> X, y = random.normal(size=(60, 20, 4)), np.repeat([1, -1], 30)
    >>> X[y < 0, 10:13, 0] += 4
    >>> detector = BagRankingDetector(contamination=0.5).fit(X[::2], y[::2])
    >>> bool((detector.predict(X[1::2]) == y[1::2]).mean() > 0.9)
    True
    >>> bool(np.isin(np.argmin(detector.score_timepoints(X[-1:])[0]), [10, 11, 12]))
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,
        "hidden_layer_sizes": ["array-like", Integral, None],
        "n_segments": [Interval(Integral, 1, None, closed="left"), None],
        "sparsity": [Interval(Real, 0, None, closed="left")],
        "smoothness": [Interval(Real, 0, None, closed="left")],
        "ridge": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }
    _network: Network | None = None

    def __init__(
        self,
        *,
        hidden_layer_sizes: Any = None,
        n_segments: int | None = 32,
        sparsity: float = 8e-5,
        smoothness: float = 8e-5,
        ridge: float = 1e-3,
        max_iter: int = 200,
        learning_rate_init: float = 0.01,
        contamination: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.n_segments = n_segments
        self.sparsity = sparsity
        self.smoothness = smoothness
        self.ridge = ridge
        self.max_iter = max_iter
        self.learning_rate_init = learning_rate_init
        self.contamination = contamination
        self.random_state = random_state

    def _fit(self, X: list[NDArray[Any]], y: NDArray[np.int8], **metadata: Any) -> None:
        if not ((y < 0).any() and (y > 0).any()):
            raise ValueError(
                f"y holds {np.unique(y).tolist()}: this detector needs labels. Give -1 to series that contain an "
                "anomaly and +1 to series that contain none, at least one of each."
            )
        parts = [self._segments(series)[0] for series, label in zip(X, y, strict=True) if label != 0]
        segments = np.concatenate(parts)
        self._scaler = ColumnScaler(segments)
        self.mean_, self.scale_ = self._scaler.mean, self._scaler.scale
        offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
        scaled = np.clip(self._scaler.transform(segments), -_FARTHEST, _FARTHEST)
        bags = Bags(scaled, offsets, y[y != 0] < 0)
        self._network = None
        if self.hidden_layer_sizes is None:
            self._train(bags)
        else:
            with single_blas_thread():
                self._train_network(bags, layer_sizes(self.hidden_layer_sizes, []))

    def _segments(self, series: NDArray[Any]) -> tuple[Values, NDArray[np.int64]]:
        """Split one series into segments; return their means and the segment of each row."""
        n_rows = len(series)
        n_segments = n_rows if self.n_segments is None else min(int(self.n_segments), n_rows)
        edges = np.rint(np.linspace(0, n_rows, n_segments + 1)).astype(np.int64)
        sums = np.add.reduceat(series.astype(np.float64), edges[:-1], axis=0)
        lengths = np.diff(edges)
        return sums / lengths[:, None], np.repeat(np.arange(n_segments), lengths)

    def _train(self, bags: Bags) -> None:
        design = np.column_stack([bags.segments, np.ones(len(bags.segments))])
        weights = np.append(bags.direction(), 0.0)
        norm_slope = np.append(np.full(len(weights) - 1, self.ridge), 0.0)
        mean, square = np.zeros_like(weights), np.zeros_like(weights)
        self.loss_curve_ = []
        for step in range(1, self.max_iter + 1):
            scores = _logistic(design @ weights)
            loss, by_score = bag_ranking_loss(scores, bags, self.sparsity, self.smoothness)
            self.loss_curve_.append(loss)
            slope = design.T @ (by_score * scores * (1 - scores)) + norm_slope * weights
            mean += (1 - _DECAYS[0]) * (slope - mean)
            square += (1 - _DECAYS[1]) * (slope**2 - square)
            rate = self.learning_rate_init * np.sqrt(1 - _DECAYS[1] ** step) / (1 - _DECAYS[0] ** step)
            weights -= rate * mean / (np.sqrt(square) + 1e-8)
        self.coef_, self.intercept_ = weights[:-1], float(weights[-1])

    def _train_network(self, bags: Bags, hidden: list[int]) -> None:
        """Train the linear model with hidden layers added to it."""
        n_columns = bags.segments.shape[1]
        layers = {_SCORER: Layers((n_columns, *hidden, 1))}
        network = Network(layers, generator(self.random_state), np.float64, arrays={"linear": (n_columns, 1)})
        network.weights(_SCORER)[-1][0][:] *= 0.1
        network.array("linear")[:, 0] = bags.direction()
        self.__dict__.pop("coef_", None)
        self.__dict__.pop("intercept_", None)
        self.loss_curve_ = []
        inherited = np.repeat(bags.is_anomaly, np.diff(bags.offsets))
        shares = 0.5 / np.where(inherited, np.count_nonzero(inherited), np.count_nonzero(~inherited))
        n_first = int(self.max_iter * _WARM)
        for step in range(n_first + self.max_iter):
            outputs = network.forward(_SCORER, bags.segments)
            scores = _logistic((outputs[-1] + bags.segments @ network.array("linear"))[:, 0])
            if step < n_first:  # segments inherit the labels of their series
                slopes = ((scores - inherited) * shares)[:, None]
            else:
                loss, by_score = bag_ranking_loss(scores, bags, self.sparsity, self.smoothness)
                self.loss_curve_.append(loss)
                slopes = (by_score * scores * (1 - scores))[:, None]
            network.backward(_SCORER, outputs, slopes)
            network.add_penalty(self.ridge)
            network.add_to_array("linear", bags.segments.T @ slopes + self.ridge * network.array("linear"))
            network.step(self.learning_rate_init)
        network.freeze()
        self._network = network

    def _values(self, scaled: Values) -> Values:
        """Return the outputs of the network, and of the linear part, for segments."""
        network = self._network
        if network is None:
            return np.asarray((scaled * self.coef_).sum(axis=1) + self.intercept_)

        def outputs(rows: Values) -> Values:
            return np.asarray((network.forward(_SCORER, rows)[-1] + rows @ network.array("linear"))[:, 0])

        with single_blas_thread():
            return np.concatenate([found for _, found in in_blocks(outputs, scaled.__getitem__, len(scaled))])

    def _scores(self, series: NDArray[Any]) -> tuple[Values, NDArray[np.int64]]:
        segments, rows = self._segments(series)
        scaled = self._scaler.transform(segments)
        return _logistic(self._values(scaled)), rows

    def _outlyingness(self, X: list[NDArray[Any]]) -> Values:
        return np.array([self._scores(series)[0].max() for series in X])

    def _timepoint_outlyingness(self, X: list[NDArray[Any]]) -> list[Values]:
        return [scores[rows] for scores, rows in map(self._scores, X)]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def bag_ranking_loss(scores: Values, bags: Bags, sparsity: float, smoothness: float) -> tuple[float, Values]:
    """Return the ranking loss of segment scores with both penalties, and its gradient."""
    starts, anomaly = bags.offsets[:-1], bags.is_anomaly
    peaks = starts + [int(np.argmax(part)) for part in bags.split(scores)]
    hinges = np.maximum(0.0, 1.0 - scores[peaks[anomaly]][:, None] + scores[peaks[~anomaly]])
    active = hinges > 0
    gradient = np.zeros_like(scores)
    gradient[peaks[anomaly]] -= active.sum(axis=1) / hinges.size
    gradient[peaks[~anomaly]] += active.sum(axis=0) / hinges.size
    inside = np.repeat(anomaly, np.diff(bags.offsets))
    steps = np.where(inside, np.diff(scores, prepend=0.0), 0.0)
    steps[starts] = 0.0
    gradient += sparsity * inside + 2 * smoothness * (steps - np.append(steps[1:], 0.0))
    loss = hinges.mean() + sparsity * scores[inside].sum() + smoothness * (steps**2).sum()
    return float(loss), gradient


def _logistic(values: Values) -> Values:
    return 0.5 * (1.0 + np.tanh(0.5 * values))
