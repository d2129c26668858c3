"""Kinds of anomalies among the samples that a detector flagged."""

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import KMeans
from sklearn.utils.validation import check_is_fitted, column_or_1d

from skanomaly._support._restore import restore_on_error
from skanomaly._support._scales import SafeRange
from skanomaly._support._seeds import draw_seed
from skanomaly._support._sklearn import Interval, fit_context
from skanomaly._support._ties import count_below
from skanomaly._support._validation import check_rows
from skanomaly.embeddings._whitening import squared_distances

__all__ = ["AnomalyClusterer"]

Floats = NDArray[np.float64]


class AnomalyClusterer(ClusterMixin, BaseEstimator):
    r"""Sort flagged samples into kinds, with one cluster for normal samples that were flagged by mistake.

    This is k-means with one fixed centre, the mean of known normal samples. A sample with a nearly normal score is
    assigned partly to that centre, so that it has less weight in the other clusters.

    Parameters
    ----------
    n_clusters : int, default=5
        Number of kinds of anomalies, without the normal cluster.
    score_weight : float, default=1.0
        Influence of the scores given to `fit` on the assignment to the normal cluster: 0 none, 1 full.
    max_iter : int, default=100
        Largest number of iterations.
    n_init : int, default=10
        Number of initialisations; the one with the smallest sum of squared distances is kept.
    random_state : int, RandomState instance or None, default=None
        Seed for the starts.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters + 1, n_features)
        The first is that of the normal samples, where `fit` was given any; else there are `n_clusters` centres.
    labels_ : ndarray of shape (n_samples,), int64
        With normal samples, 0 is the normal cluster and kinds of anomalies are numbered from 1; else from 0.
    n_iter_ : int
        Number of iterations of the initialisation that was kept.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    PrototypeDetector : Kinds of anomalies that are known beforehand.

    Notes
    -----
    The fixed cluster and the correction of assignments by scores are those of [1]_: with :math:`w` the fraction of
    `normal` samples, or of the samples without any, whose score is lower, the assignment :math:`q` becomes :math:`w e_0
    + (1 - w) q`, so a sample has the weight :math:`1 - w` in the centre of its kind. What we changed: the features are
    fixed and the assignments hard, where the paper trains a network on soft ones.

    Cost: O(n_init max_iter n k d).

    References
    ----------
    .. [1] Huang, Z. et al. (2025). "AnomalyNCD: towards novel anomaly class discovery in industrial scenarios". CVPR.
       arXiv:2410.14379.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.embeddings import AnomalyClusterer
    >>> random = np.random.default_rng(0)
    >>> normal = random.normal(size=(50, 2))
    >>> flagged = np.vstack(
    ...     [
    ...         random.normal(centre, 0.5, size=(20, 2))
    ...         for centre in ([0, 0], [9, 0], [0, 9])
    ...     ]
    ... )
    >>> clusterer = AnomalyClusterer(n_clusters=2, random_state=0).fit(
    ...     flagged, normal=normal
    ... )
    >>> np.bincount(clusterer.labels_)
    array([20, 20, 20])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "score_weight": [Interval(Real, 0, 1, closed="both")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        n_clusters: int = 5,
        score_weight: float = 1.0,
        max_iter: int = 100,
        n_init: int = 10,
        random_state: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.score_weight = score_weight
        self.max_iter = max_iter
        self.n_init = n_init
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, *, normal: Any = None, scores: Any = None, normal_scores: Any = None) -> Self:
        """Find the kinds.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Flagged samples.
        y : Ignored
            Not used.
        normal : array-like of shape (n_normal, n_features), default=None
            Known normal samples, whose mean is the fixed centre. None: no centre is fixed.
        scores : array-like of shape (n_samples,), default=None
            Scores of the samples, lower is more anomalous. None gives all samples the same weight.
        normal_scores : array-like of shape (n_normal,), default=None
            Scores of the known normal samples, with which `scores` are compared; None compares `scores` with each
            other.

        Returns
        -------
        self
            The fitted clusterer.
        """
        with restore_on_error(self, X):
            rows = np.asarray(check_rows(self, X, reset=True), dtype=np.float64)
            if normal is not None:
                known = np.asarray(check_rows(self, normal, reset=False), dtype=np.float64)
            weights = self._weights(scores, normal_scores, len(rows))
            if self.n_clusters > len(rows):
                raise ValueError(f"n_samples={len(rows)} should be >= n_clusters={self.n_clusters}.")
            seed = draw_seed(self.random_state)
            self._range = SafeRange(rows if normal is None else np.vstack([rows, known]), rescale="table")
            rows = self._range.apply(rows)
            pinned = None if normal is None else self._range.apply(known).mean(axis=0)
            runs = [self._run(rows, weights, pinned, seed + start) for start in range(self.n_init)]
            self._centers, self.labels_, _, self.n_iter_ = min(runs, key=lambda run: run[2])
            self.cluster_centers_ = self._range.restored(self._centers)
        return self

    def _weights(self, scores: Any, normal_scores: Any, n_samples: int) -> Floats:
        if scores is None:
            return np.ones(n_samples)
        values = column_or_1d(scores).astype(np.float64)
        if len(values) != n_samples:
            raise ValueError(f"scores has {len(values)} entries and X has {n_samples} rows; the numbers differ.")
        others = np.sort(values if normal_scores is None else column_or_1d(normal_scores).astype(np.float64))
        drawn = count_below(others, values) / len(others)
        return 1.0 - self.score_weight * np.minimum(drawn, 1 - 1e-9)

    def _run(
        self, rows: Floats, weights: Floats, pinned: Floats | None, seed: int
    ) -> tuple[Floats, NDArray[np.int64], float, int]:
        start = KMeans(self.n_clusters + (pinned is not None), n_init=1, max_iter=1, random_state=seed % 2**31)
        with_pin = rows if pinned is None else np.vstack([rows, pinned])
        start = start.set_params(n_clusters=min(start.n_clusters, len(with_pin)))
        centers = start.fit(with_pin).cluster_centers_
        if pinned is not None:
            order = np.argsort(np.square(centers - pinned).sum(axis=1))
            centers = centers[order]
            centers[0] = pinned
        labels, n_iter = np.full(len(rows), -1), 0
        for _ in range(self.max_iter):
            n_iter += 1
            distances = squared_distances(rows, centers)
            found = distances.argmin(axis=1)
            if (found == labels).all():
                break
            labels = found
            for kind in range(pinned is not None, len(centers)):
                inside = labels == kind
                if inside.any():
                    centers[kind] = np.average(rows[inside], axis=0, weights=weights[inside])
        nearest = squared_distances(rows, centers)
        return centers, nearest.argmin(axis=1), float(weights @ nearest.min(axis=1)), n_iter

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Assign samples to the nearest centre.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), int64
            As in ``labels_``.
        """
        check_is_fitted(self)
        rows = np.asarray(check_rows(self, X, reset=False), dtype=np.float64)
        return squared_distances(self._range.apply(rows), self._centers).argmin(axis=1)
