"""The expected anomaly posterior: the quality of auxiliary anomalies."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.stats import beta
from sklearn.base import BaseEstimator, clone
from sklearn.utils import ClassifierTags, Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly import _kernels
from skanomaly._support._blocks import map_fits, row_blocks
from skanomaly._support._callbacks import CallbackSupport, callbacks_of
from skanomaly._support._labels import read_labels
from skanomaly._support._restore import restore_on_error
from skanomaly._support._scales import SafeRange, mean_and_scale
from skanomaly._support._seeds import child_generators
from skanomaly._support._sklearn import HasMethods, Interval, fit_context
from skanomaly._support._validation import check_rows
from skanomaly.sampling._posterior._probability import DistanceProbability

__all__ = ["ExpectedAnomalyPosterior"]

_LARGEST_RATE = 0.99
_LEVEL = 0.95
_BLOCK_ROWS = 1024


@dataclass
class _Subset:
    normals: NDArray[np.intp]
    anomalies: NDArray[np.intp]
    n_neighbors: int
    radii: NDArray[np.float64]
    order: NDArray[np.intp]
    total: float
    classifier: Any


class ExpectedAnomalyPosterior(CallbackSupport, BaseEstimator):
    r"""Quality of auxiliary anomalies: near the data, yet distinguished from normal rows.

    Trained on many normal rows and few labelled anomalies, :meth:`anomaly_posterior` rates candidates, synthetic ones
    for example: rows that look normal get a low posterior, rows far from everything the prior, realistic anomalies a
    high one. :meth:`score_samples` is its negative, as for every detector.

    Parameters
    ----------
    estimator : classifier with ``predict_proba``, default=None
        Trained on every subset to distinguish anomalies from normal rows. None computes a semi-supervised probability
        from distances that are needed anyway (Notes).
    n_subsets : int, default=100
        Number of random subsets of the training rows that the posterior is averaged over.
    min_neighbors : int, default=5
        Least number of neighbours that a ball reaches to.
    prior : float in (0, 1) or None, default=None
        Prior probability of an anomaly; None is the fraction of labelled anomalies.
    max_samples : int, default=1000
        Largest number of normal rows, and of labelled anomalies, that are used; of more, as many are drawn once at
        random. Memory and time grow with its square, and not with the table beyond it.
    pos_label : label, default=None
        The anomalies' label; all other labels are then normal. None recognises -1, or 1 beside 0.
    n_jobs : int or None, default=None
        Threads over subsets; the scores do not depend on it.
    verbose : bool or int, default=False
        Whether to print how many rows are scored after each block of 1,024.
    random_state : int, RandomState instance or None, default=None
        Draws the subsets, and seeds the estimator's copies.

    Attributes
    ----------
    prior_ : float
        Prior probability.
    k_star_ : ndarray of shape (n_subsets,)
        Number of neighbours that the balls of each subset reach to.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    EAPSampler : Generates, scores, and keeps the best.

    Notes
    -----
    Given a subset with N normal rows, :math:`\phi(x) = (c + N q(x) p(x)) / (1 + N q(x))` is the posterior mean of a
    Beta(c, 1 - c) prior after N q(x) rows near x of which a fraction p(x) are anomalies [1]_. The density q is
    1 / rarity, divided by that plus the sum over the normal rows; rarity is the radius of the smallest open ball
    around a normal row that holds x, and q is 0 where no ball does. Balls reach to the k*-th nearest normal row; k*
    is the 95 % quantile of a Beta distribution fitted to the smallest k at which balls hold each labelled anomaly.

    Each training row is in a subset with a probability drawn from
    U((min_neighbors + 1 + m) / n, 0.99), m being the number of labelled anomalies. The search for the smallest k, a
    loop over k with all distances sorted anew in the authors' code, is one binary search per ball here, and gives the
    same k.

    The default probability is SSDO's with the distance to the fifth nearest normal row as prior (the authors take an
    isolation forest); columns are standardised, by all rows. `max_samples` is ours: all pairs of normal rows are
    compared in every subset, and the paper's experiments have no more than 1,000 either.

    Cost: fit takes ``n_subsets * max_samples**2`` comparisons, and scoring ``n_subsets * max_samples`` for every
    candidate, which is the larger part from about a thousand candidates on. Fewer subsets save both.

    References
    ----------
    .. [1] L. Perini, M. Rudolph, S. Schmedding and C. Qiu, "Uncertainty-aware Evaluation of Auxiliary Anomalies with
       the Expected Anomaly Posterior", Transactions on Machine Learning Research, 2025. arXiv:2405.13699.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sampling import ExpectedAnomalyPosterior
    >>> random = np.random.default_rng(0)
    >>> normal, anomalies = (
    ...     random.normal(size=(200, 2)),
    ...     random.normal([4, 0], 0.5, size=(10, 2)),
    ... )
    >>> X, y = np.vstack([normal, anomalies]), np.repeat([1, -1], [200, 10])
    >>> quality = ExpectedAnomalyPosterior(n_subsets=20, random_state=0).fit(X, y)
    >>> realistic, normal_like, far = quality.anomaly_posterior(
    ...     [[3.5, 0.0], [0.0, 0.0], [90.0, 90.0]]
    ... )
    >>> bool(realistic > far > normal_like), bool(np.isclose(far, quality.prior_))
    (True, True)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "estimator": [HasMethods(["fit", "predict_proba"]), None],
        "n_subsets": [Interval(Integral, 1, None, closed="left")],
        "min_neighbors": [Interval(Integral, 1, None, closed="left")],
        "prior": [Interval(Real, 0, 1, closed="neither"), None],
        "max_samples": [Interval(Integral, 3, None, closed="left")],
        "pos_label": "no_validation",
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_subsets: int = 100,
        min_neighbors: int = 5,
        prior: float | None = None,
        max_samples: int = 1000,
        pos_label: Any = None,
        n_jobs: int | None = None,
        verbose: bool | int = False,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.n_subsets = n_subsets
        self.min_neighbors = min_neighbors
        self.prior = prior
        self.max_samples = max_samples
        self.pos_label = pos_label
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any) -> Self:
        """Fit to normal rows and labelled anomalies.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            -1 anomaly, +1 normal, 0 or missing unlabelled, which counts as normal; or 1 anomaly and 0 normal.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there is no labelled anomaly, there are fewer than three normal rows, or the labels cannot be read.
        """
        with restore_on_error(self, X), callbacks_of(self):
            rows = check_rows(self, X, reset=True, min_samples=2, dtype=np.float64)
            if y is None:
                raise ValueError("This estimator requires y to be passed, but the target y is None.")
            anomalous = read_labels(y, len(rows), pos_label=self.pos_label) == -1
            if not anomalous.any() or np.count_nonzero(~anomalous) < 3:
                raise ValueError(
                    f"y labels {anomalous.sum()} anomalies and {np.count_nonzero(~anomalous)} normal rows; "
                    "at least one anomaly and three normal rows are needed."
                )
            self.prior_ = float(anomalous.mean()) if self.prior is None else float(self.prior)
            self._range = SafeRange(rows)
            self._center, scale = mean_and_scale(self._range.apply(rows))
            self._scale = np.where(scale < 1e-3 * np.maximum(1.0, np.abs(self._center)), 1.0, scale)
            *generators, random = child_generators(self.random_state, self.n_subsets + 1)
            self._normals = self._standardise(rows[self._at_most(np.flatnonzero(~anomalous), random)])
            self._anomalies = self._standardise(rows[self._at_most(np.flatnonzero(anomalous), random)])
            between = cdist(self._normals, self._normals)
            to_anomalies = cdist(self._normals, self._anomalies)
            np.fill_diagonal(between, -1.0)  # the row itself sorts first, and is cut off
            order = np.argsort(between, axis=1, kind="stable")[:, 1:]
            ordered = np.take_along_axis(between, order, axis=1)

            def fit_subset(random: np.random.Generator) -> _Subset:
                return self._fit_subset(random, order, ordered, to_anomalies)

            self._subsets = map_fits(fit_subset, generators, n_jobs=self.n_jobs)
            self.k_star_ = np.array([subset.n_neighbors for subset in self._subsets], dtype=np.intp)
        return self

    def _at_most(self, chosen: NDArray[np.intp], random: np.random.Generator) -> NDArray[np.intp]:
        if chosen.size <= self.max_samples:
            return chosen
        return np.sort(random.choice(chosen, self.max_samples, replace=False))

    def _standardise(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return (self._range.apply(rows) - self._center) / self._scale

    def _fit_subset(
        self,
        random: np.random.Generator,
        order: NDArray[np.intp],
        ordered: NDArray[np.float64],
        to_anomalies: NDArray[np.float64],
    ) -> _Subset:
        n_normals, n_anomalies = to_anomalies.shape
        n_rows = n_normals + n_anomalies
        least = min((self.min_neighbors + 1 + n_anomalies) / n_rows, _LARGEST_RATE)
        rate = random.uniform(least, _LARGEST_RATE)
        kept = random.random(n_rows) < rate
        normals, anomalies = np.flatnonzero(kept[:n_normals]), np.flatnonzero(kept[n_normals:])
        if normals.size < 3:
            normals = np.sort(random.choice(n_normals, 3, replace=False))
        inside = np.zeros(n_normals, dtype=bool)
        inside[normals] = True
        distances = np.empty((normals.size, normals.size - 1))
        _kernels.smallest_ball.kept_distances(order, ordered, inside, distances)
        n_neighbors = smallest_k(distances, to_anomalies[normals], self.min_neighbors)
        radii = distances[:, n_neighbors - 1].copy()
        by_radius = np.argsort(radii, kind="stable")
        own = np.empty(normals.size)
        among = cdist(self._normals[normals], self._normals[normals])
        np.fill_diagonal(among, 0.0)
        _kernels.smallest_ball.smallest_ball_radii(radii, by_radius, among, own)
        if self.estimator is None:
            classifier: Any = DistanceProbability.fit(distances, to_anomalies[np.ix_(normals, anomalies)], self.prior_)
        else:
            classifier = self._train(normals, anomalies, random)
        return _Subset(normals, anomalies, n_neighbors, radii, by_radius, float(_inverse(own).sum()), classifier)

    def _train(self, normals: NDArray[np.intp], anomalies: NDArray[np.intp], random: np.random.Generator) -> Any:
        if anomalies.size == 0:
            return None
        classifier = clone(self.estimator)
        if "random_state" in classifier.get_params(deep=False) and classifier.random_state is None:
            classifier.set_params(random_state=int(random.integers(np.iinfo(np.int32).max)))
        rows = np.concatenate([self._normals[normals], self._anomalies[anomalies]])
        return classifier.fit(rows, np.repeat([1, -1], [normals.size, anomalies.size]))

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Score each row by minus its expected anomaly posterior; lower scores are more anomalous.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
            ``-anomaly_posterior(X)``, in (-1, 0).
        """
        return -self.anomaly_posterior(X)

    def anomaly_posterior(self, X: Any) -> NDArray[np.float64]:
        """Compute the expected anomaly posterior of each row, the quality of an auxiliary anomaly; higher is better.

        Parameters
        ----------
        X : array-like of shape (n_candidates, n_features)

        Returns
        -------
        ndarray of shape (n_candidates,)
            In (0, 1). ``prior_`` exactly, where a row lies in no ball.
        """
        check_is_fitted(self)
        rows = self._standardise(check_rows(self, X, reset=False, dtype=np.float64))
        parts = []
        for block in row_blocks(len(rows), _BLOCK_ROWS):
            parts.append(self._posterior(rows[block]))
            if self.verbose:
                print(f"ExpectedAnomalyPosterior: scored {block.stop} of {len(rows)} rows")  # noqa: T201  # what verbose is for
        return np.concatenate(parts)

    def _posterior(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        to_normals, to_anomalies = cdist(rows, self._normals), cdist(rows, self._anomalies)

        def posterior(subset: _Subset) -> NDArray[np.float64]:
            n_normals = subset.normals.size
            near = np.ascontiguousarray(to_normals[:, subset.normals])
            rarity = np.empty(len(rows))
            _kernels.smallest_ball.smallest_ball_radii(subset.radii, subset.order, near, rarity)
            found = _inverse(rarity)
            density = found / np.where(found > 0, found + subset.total, 1.0)
            if self.estimator is None:
                probability = subset.classifier.predict(near, to_anomalies[:, subset.anomalies])
            elif subset.classifier is None:
                probability = np.full(len(rows), self.prior_)
            else:
                probability = subset.classifier.predict_proba(rows)[:, 0]
            weight = n_normals * density
            return (self.prior_ + weight * probability) / (1.0 + weight)

        total = np.zeros(len(rows))
        for part in map_fits(posterior, self._subsets, n_jobs=self.n_jobs):
            total += part - self.prior_  # so that a row in no ball gets exactly the prior
        return self.prior_ + total / self.n_subsets

    def select(self, X: Any, *, top: float = 0.33) -> NDArray[np.intp]:
        """Choose the best auxiliary anomalies.

        Parameters
        ----------
        X : array-like of shape (n_candidates, n_features)
        top : float in (0, 1] or int, default=0.33
            Fraction or number to choose.

        Returns
        -------
        ndarray of shape (n_chosen,), intp
            Rows of `X`, best first.

        Raises
        ------
        ValueError
            If `top` is neither.
        """
        scores = self.anomaly_posterior(X)
        whole = isinstance(top, Integral) and not isinstance(top, bool)
        if isinstance(top, bool) or not (0 <= top <= len(scores) if whole else 0 < top <= 1):
            raise ValueError(f"top={top!r} must be a fraction in (0, 1] or a whole number from 0 to {len(scores)}.")
        number = int(top) if whole else max(1, round(float(top) * len(scores)))
        return np.argsort(-scores, kind="stable")[:number]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags


def smallest_k(distances: NDArray[np.float64], to_anomalies: NDArray[np.float64], min_neighbors: int) -> int:
    """Find the number of neighbours that balls must reach to, to hold nearly all anomalies.

    Parameters
    ----------
    distances : ndarray of shape (n, n - 1)
        Ascending distances of each normal row to the others.
    to_anomalies : ndarray of shape (n, m)
    min_neighbors : int

    Returns
    -------
    int
    """
    n_normals, n_anomalies = to_anomalies.shape
    most = n_normals - 1
    if most <= min_neighbors:
        return most
    orders = np.empty(n_anomalies, dtype=np.intp)
    _kernels.smallest_ball.smallest_ball_orders(distances, np.ascontiguousarray(to_anomalies), min_neighbors, orders)
    total = float(((orders - min_neighbors) / (most - min_neighbors)).sum())
    fraction = beta.ppf(_LEVEL, 1.0 + total, 1.0 + n_anomalies - total)
    return int(np.clip(int(fraction * (most - min_neighbors) + min_neighbors), min_neighbors, most))


def _inverse(rarity: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(rarity > 0, 1.0 / np.where(rarity > 0, rarity, 1.0), 0.0)
