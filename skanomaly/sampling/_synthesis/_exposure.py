"""Classifiers trained with outliers, and the choice of outliers."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.cluster import MiniBatchKMeans
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._coarse import finite_outputs, warn_if_constant
from skanomaly._support._columns import without_stored_index
from skanomaly._support._labels import check_classification_targets, read_labels, require_two_classes
from skanomaly._support._restore import restore_on_error
from skanomaly._support._rows import take_rows
from skanomaly._support._seeds import draw_seed, generator
from skanomaly._support._sklearn import HasMethods, Interval, fit_context
from skanomaly._support._validation import check_any_rows, check_weights, validate_data
from skanomaly._support._warnings import warn_user
from skanomaly._support._weighted_fits import fit_weighted
from skanomaly.base import BaseSampler
from skanomaly.sampling._resampled import seeded_clones
from skanomaly.sampling._strategy import dense_classes

__all__ = ["DiverseOutlierSampler", "OutlierExposureClassifier"]


def _outliers(y: NDArray[Any], pos_label: Any, *, needed: bool = True) -> NDArray[np.bool_]:
    """Rows that carry the outliers' label, unless that leaves fewer than two classes; warns where none is marked."""
    unmarked = pos_label is None and not np.any(y == -1)
    if unmarked:
        if needed:
            warn_user(
                f"-1 is no label of y, which holds {np.unique(y)[:5].tolist()}: there is no outlier to "
                "train on. Give the outliers' label as pos_label."
            )
        return np.zeros(len(y), dtype=bool)
    marked = read_labels(y, pos_label=-1 if pos_label is None else pos_label) == -1
    if len(np.unique(y[~marked])) < 2:
        return np.zeros(len(y), dtype=bool)
    return marked


class OutlierExposureClassifier(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    r"""Train a classifier to be unsure of outliers, so that its confidence distinguishes them from its classes.

    `X` is handed to the classifier as it is: a pipeline may encode text or impute missing values.

    Parameters
    ----------
    estimator : classifier with ``predict_proba`` and ``sample_weight``, default=None
        What is trained, or a pipeline that ends in it; it must minimise a log-loss for the outliers to count exactly.
        None means ``LogisticRegression()``.
    weight : float, default=0.5
        Weight of all outliers over that of all other rows; 0 leaves them out.
    pos_label : label, default=None
        Label of the outliers in y. None is -1; a y without it gives a warning. Where fewer than two other classes
        remain it is a class like any other.

    Attributes
    ----------
    estimator_ : classifier
        Fitted clone.
    classes_ : ndarray of shape (n_classes,)
        Classes, the outliers' label left out.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    DiverseOutlierSampler : Chooses which outliers to train on.
    AnomalySynthesizer : Makes outliers where there are none.

    Notes
    -----
    Outlier Exposure [1]_ adds to the loss, for outliers, the cross-entropy to the uniform distribution over C classes.
    That is the mean log-loss of C copies of the outlier, one of each class; so giving every outlier once per class,
    with weight ``weight * n_rows / (n_outliers * C)``, minimises the same objective with any classifier that takes
    weights. No gradient is needed. A network is such a classifier too, for example
    ``ZErrorClassifier(hidden_layer_sizes=(32,), masking=ZErrorMask(threshold=numpy.inf))`` of ``skanomaly.robust``:
    with a finite threshold it may mask the outliers, whose labels contradict each other.

    References
    ----------
    .. [1] D. Hendrycks, M. Mazeika and T. Dietterich, "Deep Anomaly Detection with Outlier Exposure", ICLR 2019.
       arXiv:1812.04606.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_blobs
    >>> from skanomaly.sampling import OutlierExposureClassifier
    >>> X, y = make_blobs([60, 60, 30], centers=[[-4, 0], [4, 0], [0, 9]], random_state=0)
    >>> model = OutlierExposureClassifier().fit(X, np.where(y == 2, -1, y))
    >>> inside, outlier = model.score_samples([[-4.0, 0.0], [0.0, 9.0]])
    >>> bool(outlier < 0.6 < inside)
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "estimator": [HasMethods(["fit", "predict_proba"]), None],
        "weight": [Interval(Real, 0, None, closed="left")],
        "pos_label": "no_validation",
    }

    def __init__(self, estimator: Any = None, *, weight: float = 0.5, pos_label: Any = None) -> None:
        self.estimator = estimator
        self.weight = weight
        self.pos_label = pos_label

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, *, sample_weight: Any = None) -> Self:
        """Train on the classes and on copies of the outliers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Classes, and `pos_label` for outliers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights; those of outliers are scaled so that their sum is as `weight` says.

        Returns
        -------
        self
        """
        with restore_on_error(self, X):
            rows, targets = check_any_rows(self, X, y)
            check_classification_targets(targets)
            weights = check_weights(sample_weight, np.empty((targets.size, 0)))
            weights = np.ones(targets.size) if weights is None else weights
            marked = _outliers(targets, self.pos_label, needed=self.weight > 0)
            inside, outliers = np.flatnonzero(~marked), np.flatnonzero(marked)
            self.classes_ = np.unique(targets[inside])
            require_two_classes(self, self.classes_, beside=" beside the outliers" if len(outliers) else "")
            inner = clone(self._inner())
            if not outliers.size or self.weight == 0 or not weights[outliers].any():
                given = None if sample_weight is None else weights[inside]
                self.estimator_ = fit_weighted(inner, take_rows(rows, inside), targets[inside], given)
                warn_if_constant(self, X, lambda: self.predict_proba(X))
                return self
            n_classes = len(self.classes_)
            shown = weights[outliers] * (self.weight * weights[inside].sum() / (weights[outliers].sum() * n_classes))
            self.estimator_ = fit_weighted(
                inner,
                take_rows(rows, np.concatenate([inside, np.tile(outliers, n_classes)])),
                np.concatenate([targets[inside], np.repeat(self.classes_, outliers.size).astype(targets.dtype)]),
                np.concatenate([weights[inside], np.tile(shown, n_classes)]),
            )
            warn_if_constant(self, X, lambda: self.predict_proba(X))
        return self

    def _inner(self) -> Any:
        return LogisticRegression() if self.estimator is None else self.estimator

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Class probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        check_is_fitted(self)
        validate_data(self, X, reset=False, dtype=None, ensure_all_finite=False, accept_sparse=True)
        table = without_stored_index(X)
        return finite_outputs(self, table, lambda: self.estimator_.predict_proba(table))

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Largest class probability; lower scores are more anomalous.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return self.predict_proba(X).max(axis=1)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self._inner()).input_tags
        return tags


class DiverseOutlierSampler(BaseSampler):
    """Choose outliers that are hard to detect and unlike each other, from a large pool.

    Parameters
    ----------
    n_outliers : int or float, default=1.0
        Number of outliers kept; a float is a multiple of the number of other rows. All, where the pool has fewer.
    estimator : classifier with ``predict_proba``, default=None
        Trained on the classes and an additional class of outliers; the lower its probability, the harder the outlier.
        None means ``LogisticRegression()``.
    pos_label : label, default=None
        Label of the pool in y. None is -1; a y without it gives a warning. Where fewer than two other classes remain it
        is a class like any other.
    features : callable, default=None
        Map of rows to the features that diversity is judged in; None takes the rows.
    n_rounds : int, default=3
        Rounds of training and choosing; the first starts from a random choice.
    random_state : int, RandomState instance or None, default=None
        Draws the first choice and seeds the clusters.

    Attributes
    ----------
    absent_probabilities_ : ndarray of shape (n_pool,)
        Last round's probability of "none of the classes" for each row of the pool, in the order of X.
    sample_indices_ : ndarray of shape (n_resampled,)
        Training row behind each returned row, ascending.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    OutlierExposureClassifier : Trains on the outliers kept.

    Notes
    -----
    Features are scaled to norm 1 and clustered; the outlier of each cluster with the lowest absent-class probability
    is kept [1]_. The paper clusters afresh in every batch of a network's training; here once a round, with as many
    clusters as outliers wanted, at most 256, taking the hardest few of each in turn. It needs a pool much larger than
    the choice, and of many kinds: on a pool of one kind it was no better than a random choice.

    References
    ----------
    .. [1] W. Jiang, H. Cheng, M. Chen, C. Wang and H. Wei, "DOS: Diverse Outlier Sampling for Out-of-Distribution
       Detection", ICLR 2024. arXiv:2306.02031.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_blobs
    >>> from skanomaly.sampling import DiverseOutlierSampler
    >>> X, y = make_blobs([60, 60, 300], centers=[[-4, 0], [4, 0], [0, 9]], random_state=0)
    >>> rows, targets = DiverseOutlierSampler(n_outliers=20, random_state=0).fit_resample(
    ...     X, np.where(y == 2, -1, y)
    ... )
    >>> int((targets == -1).sum())
    20
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_outliers": [Interval(Integral, 1, None, closed="left"), Interval(Real, 0, None, closed="neither")],
        "estimator": [HasMethods(["fit", "predict_proba"]), None],
        "pos_label": "no_validation",
        "features": [callable, None],
        "n_rounds": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        n_outliers: float = 1.0,
        estimator: Any = None,
        pos_label: Any = None,
        features: Callable[[NDArray[Any]], NDArray[Any]] | None = None,
        n_rounds: int = 3,
        random_state: Any = None,
    ) -> None:
        self.n_outliers = n_outliers
        self.estimator = estimator
        self.pos_label = pos_label
        self.features = features
        self.n_rounds = n_rounds
        self.random_state = random_state

    def _check(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        return dense_classes(self, X, y)

    def _fit_resample(self, X: Any, y: NDArray[Any]) -> tuple[Any, Any, NDArray[np.intp]]:
        marked = _outliers(y, self.pos_label)
        pool, inside = np.flatnonzero(marked), np.flatnonzero(~marked)
        whole = isinstance(self.n_outliers, Integral)
        wanted = int(self.n_outliers) if whole else round(float(self.n_outliers) * inside.size)
        self.absent_probabilities_ = np.full(pool.size, np.nan)
        if pool.size <= wanted:
            return None, None, np.arange(len(y), dtype=np.intp)
        seed = draw_seed(self.random_state)
        random = generator(seed)
        clusters = self._cluster(X[pool], wanted, seed)
        chosen = random.choice(pool.size, wanted, replace=False)
        codes = np.unique(y[inside], return_inverse=True)[1]
        absent = codes.max() + 1
        for _ in range(self.n_rounds):
            inner = seeded_clones([LogisticRegression() if self.estimator is None else self.estimator], seed)[0]
            inner.fit(
                np.concatenate([X[inside], X[pool[chosen]]]), np.concatenate([codes, np.full(chosen.size, absent)])
            )
            self.absent_probabilities_ = inner.predict_proba(X[pool])[:, -1]
            chosen = _hardest_of_each(self.absent_probabilities_, clusters, wanted)
        return None, None, np.sort(np.concatenate([inside, pool[chosen]]))

    def _cluster(self, X: NDArray[Any], n_clusters: int, seed: int) -> NDArray[np.intp]:
        features = X if self.features is None else np.asarray(self.features(X))
        unit = normalize(features)
        n_clusters = min(n_clusters, 256, len(np.unique(unit, axis=0)))
        return np.asarray(MiniBatchKMeans(n_clusters, n_init=3, random_state=seed).fit_predict(unit), dtype=np.intp)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags


def _hardest_of_each(probabilities: NDArray[Any], clusters: NDArray[np.intp], wanted: int) -> NDArray[np.intp]:
    """Take the lowest of each cluster, then the second lowest of each, and so on."""
    order = np.lexsort([probabilities, clusters])
    starts = np.searchsorted(clusters[order], clusters[order])
    ranks = np.empty(order.size, dtype=np.intp)
    ranks[order] = np.arange(order.size) - starts
    return np.lexsort([probabilities, ranks])[:wanted]
