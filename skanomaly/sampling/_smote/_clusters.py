"""Samplers that start where another model says: KMeansSMOTE and SVMSMOTE."""

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.cluster import MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances
from sklearn.svm import SVC
from sklearn.utils import check_random_state

from skanomaly._support._responses import final_step
from skanomaly._support._seeds import draw_seed, generator
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions
from skanomaly._support._warnings import warn_user
from skanomaly.sampling._smote._borderline import foreign_neighbors
from skanomaly.sampling._smote._engine import (
    NEIGHBORS,
    Segments,
    choose_seeds,
    draw_partners,
    join_within,
    n_neighbors_of,
    search_of,
    usable_neighbors,
)
from skanomaly.sampling._smote._interpolator import Interpolator, centred_rows, limited_rows
from skanomaly.sampling._strategy import STRATEGY, allot

__all__ = ["KMeansSMOTE", "SVMSMOTE"]

_LARGEST_CLUSTER = 2000  # rows whose mean distance is computed in full; more are drawn


class KMeansSMOTE(Interpolator):
    r"""SMOTE inside clusters with many rows of the class; sparse clusters get more of the new rows.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes grow, and how far; as in :class:`SMOTE`.
    k_neighbors : int, or object as in :class:`SMOTE`, default=2
        Number of neighbours, within class and cluster, that a row may be joined with.
    kmeans_estimator : int, clusterer or None, default=None
        Number of clusters, or a clusterer with ``fit_predict``; None is ``MiniBatchKMeans(8)``.
    cluster_balance_threshold : float or "auto", default="auto"
        Least fraction of the class in a cluster that is used. "auto" is the fraction of the class in all data.
    density_exponent : float or "auto", default="auto"
        Exponent of the mean distance in a cluster's sparsity. "auto" is the number of columns, as in the paper.
    n_jobs : int or None, default=None
        Threads of the neighbour search; the rows do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Draws rows, neighbours and steps.

    Attributes
    ----------
    sampling_strategy_ : dict
        Class to number of rows made.
    sample_indices_ : ndarray of shape (n_resampled,)
        Training row behind each returned row; -1 where it is synthetic.
    parents_ : ndarray of shape (n_synthetic, 2)
        The two training rows that each synthetic row lies between.
    steps_ : ndarray of shape (n_synthetic,)
        Where on the line through them: 0 is the first parent, 1 the second.
    cluster_labels_ : ndarray of shape (n_samples,)
        Cluster of each training row.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    SMOTE : Used where no cluster qualifies.

    Notes
    -----
    A cluster with n rows of the class at mean distance :math:`\bar\delta` gets new rows in proportion to
    :math:`\bar\delta^{e} / n`, with e the exponent [1]_. Numbers are rounded by largest remainder, so the total is
    exact. Where the mean distance in a cluster is 0, all clusters get the same number. Where no cluster qualifies, the
    class is grown by plain SMOTE, with a warning.

    References
    ----------
    .. [1] G. Douzas, F. Bacao and F. Last, "Improving imbalanced learning through a heuristic oversampling method
       based on k-means and SMOTE", Information Sciences 465, 2018. https://doi.org/10.1016/j.ins.2018.06.056

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skanomaly.sampling import KMeansSMOTE
    >>> X, group = make_blobs(
    ...     [100, 80, 20], random_state=0, centers=[[0, 0], [9, 0], [0, 9]]
    ... )
    >>> X_new, y_new = KMeansSMOTE(random_state=0).fit_resample(X, group == 2)
    >>> int(y_new.sum())
    180
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "sampling_strategy": STRATEGY,
        "k_neighbors": NEIGHBORS,
        "kmeans_estimator": [Interval(Integral, 1, None, closed="left"), HasMethods("fit_predict"), None],
        "cluster_balance_threshold": [Interval(Real, 0, 1, closed="both"), StrOptions({"auto"})],
        "density_exponent": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        k_neighbors: Any = 2,
        kmeans_estimator: Any = None,
        cluster_balance_threshold: float | str = "auto",
        density_exponent: float | str = "auto",
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.sampling_strategy = sampling_strategy
        self.k_neighbors = k_neighbors
        self.kmeans_estimator = kmeans_estimator
        self.cluster_balance_threshold = cluster_balance_threshold
        self.density_exponent = density_exponent
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _start(self, X: Any, y: NDArray[Any]) -> np.random.Generator:
        seed = draw_seed(self.random_state)
        self.cluster_labels_ = self._cluster(X, seed)
        return generator(seed)

    def _cluster(self, X: Any, seed: int) -> NDArray[np.intp]:
        given = 8 if self.kmeans_estimator is None else self.kmeans_estimator
        if isinstance(given, Integral):
            clusterer = MiniBatchKMeans(min(int(given), X.shape[0]), n_init=3, random_state=seed)
            X = limited_rows(X)
        else:
            clusterer = clone(given)
            if "random_state" in clusterer.get_params(deep=False) and clusterer.random_state is None:
                clusterer.set_params(random_state=seed)
        with warnings.catch_warnings():
            # Fewer distinct rows than clusters: the empty ones are not used.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return np.asarray(clusterer.fit_predict(X), dtype=np.intp)

    def _segments(
        self, X: Any, y: NDArray[Any], rows: NDArray[np.intp], label: Any, n_new: int, random: np.random.Generator
    ) -> list[Segments]:
        n_clusters = int(self.cluster_labels_.max()) + 1
        within = np.bincount(self.cluster_labels_[rows], minlength=n_clusters)
        sizes = np.bincount(self.cluster_labels_, minlength=n_clusters)
        threshold = self.cluster_balance_threshold
        fraction = rows.size / X.shape[0] if threshold == "auto" else float(threshold)
        used = np.flatnonzero((within >= fraction * sizes) & (within > n_neighbors_of(self.k_neighbors, "k_neighbors")))
        if used.size == 0:
            warn_user(
                f"No cluster holds enough of class {label!r}, which is grown by plain SMOTE; lower "
                "cluster_balance_threshold or k_neighbors, or take fewer clusters."
            )
            return [join_within(X, rows, rows, label, n_new, self.k_neighbors, random, self.n_jobs)]
        members = [rows[self.cluster_labels_[rows] == cluster] for cluster in used]
        parts = allot(n_new, self._sparsities(limited_rows(X), members, random))
        return [
            join_within(X, member, member, label, int(number), self.k_neighbors, random, self.n_jobs)
            for member, number in zip(members, parts, strict=True)
            if number
        ]

    def _sparsities(self, X: Any, members: list[NDArray[np.intp]], random: np.random.Generator) -> NDArray[np.float64]:
        exponent = X.shape[1] if self.density_exponent == "auto" else float(self.density_exponent)
        means = np.empty(len(members))
        for place, member in enumerate(members):
            drawn = random.choice(member, min(member.size, _LARGEST_CLUSTER), replace=False)
            distances = pairwise_distances(X[drawn])
            means[place] = distances.sum() / (drawn.size * (drawn.size - 1))
        if not means.all():
            return np.ones(len(members))
        logs = exponent * np.log(means) - np.log([member.size for member in members])
        return np.exp(logs - logs.max())


class SVMSMOTE(Interpolator):
    """SMOTE that starts from the support vectors of a class, and steps outwards from safe ones.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes grow, and how far; as in :class:`SMOTE`.
    k_neighbors : int, or object as in :class:`SMOTE`, default=5
        Number of neighbours, within the class, that a row may be joined with; lowered with a warning where the
        class is smaller.
    m_neighbors : int, or object as in :class:`SMOTE`, default=10
        Number of neighbours, in all data, that decide whether a support vector is noise, in danger or safe.
    svm_estimator : estimator, default=None
        Classifier with ``support_`` after ``fit``, or a pipeline that ends in one; None is ``SVC(gamma="scale")``.
    out_step : float, default=0.5
        Largest step beyond a safe support vector, away from a neighbour.
    n_jobs : int or None, default=None
        Threads of the neighbour search; the rows do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Draws rows, neighbours and steps.

    Attributes
    ----------
    sampling_strategy_ : dict
        Class to number of rows made.
    sample_indices_ : ndarray of shape (n_resampled,)
        Training row behind each returned row; -1 where it is synthetic.
    parents_ : ndarray of shape (n_synthetic, 2)
        The two training rows that each synthetic row lies between.
    steps_ : ndarray of shape (n_synthetic,)
        Where on the line through them: 0 is the first parent, 1 the second.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    BorderlineSMOTE : Finds the border by neighbours.

    Notes
    -----
    Support vectors of the class with neighbours of other classes only are noise and dropped. Those in danger (half
    or more of the neighbours from other classes) are joined with neighbours of their class; safe ones are extended
    away from such a neighbour, which gives steps in (-`out_step`, 0] [1]_. One draw from Beta(10, 10) divides the new
    rows between the two, as in imbalanced-learn; where there is only one kind, it gets all of them. Where every support
    vector is noise the class is grown by plain SMOTE, with a warning. Fitting the SVM dominates the cost.

    References
    ----------
    .. [1] H. M. Nguyen, E. W. Cooper and K. Kamei, "Borderline over-sampling for imbalanced data classification",
       International Journal of Knowledge Engineering and Soft Data Paradigms 3, 2011.
       https://doi.org/10.1504/IJKESDP.2011.039875

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skanomaly.sampling import SVMSMOTE
    >>> X, y = make_classification(200, weights=[0.9], flip_y=0, random_state=0)
    >>> X_new, y_new = SVMSMOTE(random_state=0).fit_resample(X, y)
    >>> int((y_new == 1).sum())
    181
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "sampling_strategy": STRATEGY,
        "k_neighbors": NEIGHBORS,
        "m_neighbors": NEIGHBORS,
        "svm_estimator": [HasMethods("fit"), None],
        "out_step": [Interval(Real, 0, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        k_neighbors: Any = 5,
        m_neighbors: Any = 10,
        svm_estimator: Any = None,
        out_step: float = 0.5,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.sampling_strategy = sampling_strategy
        self.k_neighbors = k_neighbors
        self.m_neighbors = m_neighbors
        self.svm_estimator = svm_estimator
        self.out_step = out_step
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _start(self, X: Any, y: NDArray[Any]) -> np.random.Generator:
        random = super()._start(X, y)
        grows = any(self.sampling_strategy_.values())
        self._support = self._support_vectors(X, y, random) if grows else np.empty(0, dtype=np.intp)
        return random

    def _support_vectors(self, X: Any, y: NDArray[Any], random: np.random.Generator) -> NDArray[np.intp]:
        machine = SVC(gamma="scale") if self.svm_estimator is None else clone(self.svm_estimator)
        X = centred_rows(X) if self.svm_estimator is None else X
        if "random_state" in machine.get_params(deep=False) and machine.random_state is None:
            machine.set_params(random_state=check_random_state(int(random.integers(np.iinfo(np.int32).max))))
        support = getattr(final_step(machine.fit(X, y)), "support_", None)
        if support is None:
            raise TypeError(
                f"svm_estimator={self.svm_estimator!r} has no support_ after fit, so its support vectors are unknown. "
                "Give a support vector machine, such as sklearn.svm.SVC, or a pipeline that ends in one."
            )
        return np.sort(support).astype(np.intp)

    def _segments(
        self, X: Any, y: NDArray[Any], rows: NDArray[np.intp], label: Any, n_new: int, random: np.random.Generator
    ) -> list[Segments]:
        vectors = self._support[y[self._support] == label]
        neighbors, n_foreign = foreign_neighbors(X, y, vectors, label, self.m_neighbors, self.n_jobs, "m_neighbors")
        n_around = neighbors.shape[1]
        danger = vectors[(2 * n_foreign >= n_around) & (n_foreign < n_around)]
        safe = vectors[2 * n_foreign < n_around]
        if danger.size + safe.size == 0:
            warn_user(f"Every support vector of class {label!r} is noise; the class is grown by plain SMOTE.")
            return [join_within(X, rows, rows, label, n_new, self.k_neighbors, random, self.n_jobs)]
        fraction = random.beta(10, 10) if danger.size and safe.size else float(danger.size > 0)
        n_inside = round(n_new * fraction)
        n_near = usable_neighbors(n_neighbors_of(self.k_neighbors, "k_neighbors"), rows.size, label, "k_neighbors")
        parts = []
        for seeds, number, scale in ((danger, n_inside, 1.0), (safe, n_new - n_inside, -self.out_step)):
            if number == 0:
                continue
            near = rows[search_of(self.k_neighbors)(X[rows], np.searchsorted(rows, seeds), n_near, self.n_jobs)]
            chosen = choose_seeds(seeds.size, number, "balanced", random)
            partners = draw_partners(near, chosen, random)
            parts.append(Segments(label, seeds[chosen], partners, scale * random.random(number)))
        return parts
