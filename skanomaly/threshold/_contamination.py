"""Posterior distribution of the contamination, and the threshold that follows from it."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from sklearn.utils import Tags, check_array
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._composition import Composition, members
from skanomaly._support._responses import require_scores
from skanomaly._support._restore import restore_on_error
from skanomaly._support._scales import ROUNDING, usable_scale
from skanomaly._support._scored import find_scored
from skanomaly._support._seeds import child_generators
from skanomaly._support._sklearn import HasMethods, fit_context
from skanomaly._support._ties import count_above, settled_threshold
from skanomaly._support._validation import check_rows, check_samples_of, copy_kinds, scores_time_points
from skanomaly.base import BaseDetector
from skanomaly.threshold._distribution import ContaminationDistribution  # noqa: TC001  # docs read it
from skanomaly.threshold._mixture._gammagmm import GammaGMM
from skanomaly.threshold._prior import ContaminationPrior
from skanomaly.threshold._scores import usable_columns
from skanomaly.threshold._two_group import TwoGroup

__all__ = ["ContaminationPosterior"]

_FEWEST_ROWS = 20
_MOST_KERNEL_ROWS = 5000


class ContaminationPosterior(Composition, BaseDetector):
    """Detector that estimates the contamination as a distribution and sets its threshold accordingly.

    The contamination is the fraction of anomalies among the training rows. Several detectors score the rows, and
    `method` estimates the distribution of the contamination from the scores. The score of a row is the mean of its
    standardised scores; the threshold flags as many training rows as the point estimate of the contamination says.

    Parameters
    ----------
    detectors : list of estimators, list of (name, estimator) or None, default=None
        Estimators with ``fit`` and ``score_samples`` (lower scores are more anomalous) that all take the same input: a
        table, a series, a collection of series or event traces. None is an isolation forest and, for at most 5,000
        rows, a one-class support vector machine; with `GammaGMM` also a local outlier factor (``novelty=True``).
    method : TwoGroup, GammaGMM or None, default=None
        How the posterior is estimated from the scores; None is ``TwoGroup()``. :class:`GammaGMM` is the published
        method.
    prior : ContaminationPrior or None, default=None
        Prior on the contamination. None is ``ContaminationPrior()`` for `TwoGroup` and the published constants for
        `GammaGMM`.
    random_state : int, RandomState instance or None, default=None
        Seeds the default detectors and the random starts of `GammaGMM`.

    Attributes
    ----------
    posterior_ : ContaminationDistribution
        Posterior distribution of the contamination, with ``cdf``, ``sf``, ``ppf``, ``pdf``, ``mean()``, ``median()``,
        ``std()``, ``interval()`` and ``sample()``.
    contamination_ : float
        Point estimate: the median of the posterior for `TwoGroup`, its mean for `GammaGMM`, as published.
    status_ : str
        "prior" where there are fewer than 20 rows or all scores are equal, so that the posterior is the prior.
        Otherwise "ok" for `TwoGroup`; for `GammaGMM` "feasible", "infeasible_high" or "slack" (see there).
    mixture_ : MixtureFit or None
        Details of the fit of `GammaGMM` (see there); None for `TwoGroup` and where ``status_`` is "prior".
    detectors_ : list of estimators
        Detectors fitted on all rows; empty after :meth:`fit_scores`.
    offset_ : float
        Threshold on ``score_samples``.
    n_features_in_ : int
        Number of columns, where the detectors take tables.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    ThresholdedDetector : Any threshold rule on a single detector.
    ConformalDetector : p-values, where a set of normal rows is available.

    Notes
    -----
    The contamination is a property of a data set. ``predict`` on other rows uses the stored threshold, not a new
    quantile.

    ``prior__mean`` and ``method__coarsening`` can be set in a grid search, once `prior` and `method` are given.

    Examples
    --------
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.threshold import ContaminationPosterior
    >>> X, y = make_shifted_anomalies(n_samples=400, contamination=0.05, random_state=0)
    >>> model = ContaminationPosterior(random_state=0).fit(X)
    >>> low, high = model.posterior_.interval(0.9)
    >>> low < 0.05 < high
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "detectors": [list, tuple, HasMethods("fit"), None],  # a single one raises, and is told what to give
        "method": [TwoGroup, GammaGMM, None],
        "prior": [ContaminationPrior, None],
        "random_state": ["random_state"],
    }

    _members = "detectors"

    def __init__(
        self,
        detectors: Any = None,
        *,
        method: TwoGroup | GammaGMM | None = None,
        prior: ContaminationPrior | None = None,
        random_state: Any = None,
    ) -> None:
        self.detectors = detectors
        self.method = method
        self.prior = prior
        self.random_state = random_state

    def _check(self, X: Any, *, reset: bool) -> Any:
        given = members(self.detectors) if reset or self.detectors is None else self.detectors_
        first = given[0] if given else None  # the default detectors take arrays
        if not reset and not self.detectors_:  # scores, of which some may be missing
            if self.n_features_in_ == 1 and np.ndim(X) == 1:
                X = np.asarray(X).reshape(-1, 1)
            return check_rows(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")
        return check_samples_of(self, first, X, reset=reset, min_samples=2 if reset else 1, dtype=np.float64)

    def _parts(self) -> tuple[TwoGroup | GammaGMM, ContaminationPrior, list[np.random.Generator]]:
        """Return the method and the prior with valid parameters, and one generator plus one per start of the method."""
        method = TwoGroup() if self.method is None else self.method
        method._validate_params()
        prior = method._default_prior() if self.prior is None else self.prior
        return method, prior, child_generators(self.random_state, 1 + method._n_starts())

    def _fit(self, X: Any, y: NDArray[np.int8], **metadata: Any) -> NDArray[Any] | None:
        self._check_names()
        method, prior, (first, *generators) = self._parts()
        detectors = None if self.detectors is None else members(self.detectors)
        if detectors is None:
            detectors = _default_detectors(len(X), int(first.integers(2**31 - 1)), neighbors=method._with_neighbors)
        if len(detectors) == 0:
            raise ValueError("detectors is empty; give at least one detector, or None for the default ones.")
        for detector in detectors:
            require_scores(detector)
        self.detectors_: list[Any] = [clone(detector).fit(X) for detector in detectors]
        self._estimate(_outlyingness_by(self.detectors_, X), method, prior, generators)
        return None

    @fit_context(prefer_skip_nested_validation=True)
    def fit_scores(self, S: Any, y: Any = None) -> Self:
        """Fit from scores that were computed before.

        Parameters
        ----------
        S : array-like of shape (n_samples,) or (n_samples, n_detectors)
            ``score_samples`` of detectors; lower scores are more anomalous. Constant columns, and columns that have an
            infinite entry or NaN alone, are left out. Rows with NaN in another column, such as time points that no
            window covers, are left out with a warning that counts them; they are predicted +1.
        y : None
            Not used.

        Returns
        -------
        self
            ``score_samples`` and ``predict`` then take scores of new rows in the same columns; scores of a single
            detector also in shape (n_samples,).
        """
        with restore_on_error(self):
            method, prior, (_, *generators) = self._parts()
            scores = np.asarray(S)
            scores = scores[:, None] if scores.ndim == 1 else scores
            scores = check_array(scores, dtype=np.float64, ensure_all_finite=False, ensure_min_samples=2)
            self.__dict__.pop("feature_names_in_", None)
            self.n_features_in_ = scores.shape[1]
            self.detectors_ = []
            self._estimate(-scores, method, prior, generators)
            self.offset_ = self._auto_offset()
        return self

    def _estimate(
        self,
        S: NDArray[np.float64],
        method: TwoGroup | GammaGMM,
        prior: ContaminationPrior,
        generators: list[np.random.Generator],
    ) -> None:
        """Set the posterior and the scale of the common score from columns of outlyingness."""
        partial = ~(np.isinf(S).any(axis=0) | np.isnan(S).all(axis=0))
        if not self.detectors_:
            S = S[find_scored(S[:, partial], name="scores")]
        elif scores_time_points(self.detectors_[0]):  # the detectors have warned of those without a score
            scored = ~np.isnan(S[:, partial]).any(axis=1)
            S = S[scored] if scored.any() else S
        self._columns = usable_columns(S)
        kept = S[:, self._columns]
        if not np.isfinite(S).all(axis=0).any():
            raise ValueError("No detector gave finite scores; nothing can be estimated from NaN or infinity.")
        self.posterior_: ContaminationDistribution = prior.distribution()
        self.status_, self.mixture_ = "prior", None
        if len(S) >= _FEWEST_ROWS and kept.shape[1] > 0:
            self.posterior_, self.status_, self.mixture_ = method._estimate(kept, prior, generators)
        self.contamination_ = method._center(self.posterior_)
        self._location, self._spread = _robust_scale(kept)
        self._training = np.sort(self._common(S))

    def _common(self, S: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return one outlyingness per row: mean over detectors of the standardised scores, with shortened tails."""
        if not self._columns.any():
            return np.zeros(len(S))
        return np.arcsinh((S[:, self._columns] - self._location) / self._spread).mean(axis=1)

    def _outlyingness(self, X: Any) -> NDArray[Any]:
        return self._common(_outlyingness_by(self.detectors_, X) if self.detectors_ else -X)

    def _auto_offset(self) -> float:
        n_anomalies = round(self.contamination_ * len(self._training))
        if n_anomalies == 0:
            return settled_threshold(float(-self._training[-1]), -self._training)
        # Halfway between the last anomaly and the first normal row; equal scores are normal.
        first_normal = len(self._training) - n_anomalies - 1
        middle = float(-0.5 * (self._training[first_normal] + self._training[first_normal + 1]))
        return settled_threshold(middle, -self._training)

    def anomaly_probability(self, X: Any) -> NDArray[np.float64]:
        """Return the probability that each row is an anomaly, given its rank among the training scores.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, or scores after :meth:`fit_scores`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Posterior probability that the contamination exceeds the fraction of training rows that are more anomalous
            than the row. Equal scores have the same rank. NaN for rows without a score.
        """
        check_is_fitted(self)
        outlyingness = -self.score_samples(X)
        n_above = count_above(self._training, outlyingness)
        probability = self.posterior_.sf(n_above / len(self._training))
        return np.where(np.isnan(outlyingness), np.nan, probability)

    def __sklearn_tags__(self) -> Tags:
        return copy_kinds(super().__sklearn_tags__(), next(iter(members(self.detectors)), None))


def _default_detectors(n_rows: int, seed: int, *, neighbors: bool) -> list[Any]:
    """Return an isolation forest, up to 5,000 rows a one-class support vector machine, and a local outlier factor."""
    detectors = [IsolationForest(random_state=seed)]
    if n_rows <= _MOST_KERNEL_ROWS:
        detectors.append(make_pipeline(StandardScaler(), OneClassSVM(nu=0.5)))
    if neighbors:
        factor = LocalOutlierFactor(n_neighbors=max(1, min(20, n_rows // 3)), novelty=True)
        detectors.append(make_pipeline(StandardScaler(), factor))
    return detectors


def _outlyingness_by(detectors: list[Any], X: Any) -> NDArray[np.float64]:
    """Return the outlyingness of rows (large is anomalous), one column per fitted detector."""
    return np.column_stack([-np.asarray(detector.score_samples(X), dtype=np.float64) for detector in detectors])


def _robust_scale(S: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the median of each column and its distance to the 15.87 % quantile, or another spread that is not 0."""
    low, median = np.percentile(S, [15.87, 50.0], axis=0)
    spread = median - low
    fallback = np.abs(S - median).mean(axis=0)
    spread = np.where(spread > ROUNDING * np.abs(median), spread, fallback)
    return median, usable_scale(spread, median)
