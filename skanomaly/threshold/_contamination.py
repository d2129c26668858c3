"""How many rows are anomalies: a distribution, not a guess."""

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils import Tags, check_array
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._responses import require_scores
from skanomaly._support._restore import restore_on_error
from skanomaly._support._seeds import child_generators
from skanomaly._support._sklearn import Interval, StrOptions, fit_context
from skanomaly._support._ties import count_above, settled_threshold
from skanomaly._support._validation import check_samples_of, copy_kinds
from skanomaly._support._warnings import warn_user
from skanomaly.base import BaseDetector
from skanomaly.threshold._distribution import ContaminationDistribution  # noqa: TC001  # docs read it
from skanomaly.threshold._gammagmm import combine_fits, variational_posterior
from skanomaly.threshold._prior import ContaminationPrior
from skanomaly.threshold._scores import (
    collect_scores,
    default_detectors,
    log_scores,
    robust_scale,
    usable_columns,
)
from skanomaly.threshold._two_group import two_group_posterior

__all__ = ["ContaminationPosterior"]

_FEWEST_ROWS = 20
_SAME = 0.999


class ContaminationPosterior(BaseDetector):
    r"""Posterior distribution of the share of anomalies in a table, and the threshold it implies.

    Several detectors score the rows. From their scores follows a distribution of the contamination, with an atom at
    0; its centre sets the threshold on the detectors' common score, so the class is a detector itself.

    Parameters
    ----------
    detectors : list of estimators or None, default=None
        Anything with ``fit`` and ``score_samples`` (small is odd): all of rows, or of a series, of collections or of
        event traces. None is an isolation forest, up to 5,000 rows a one-class support vector machine, and for
        "gammagmm" a local outlier factor with novelty.
    method : {"two_group", "gammagmm"}, default="two_group"
        "two_group" reads a null distribution off the lower half of each detector's scores, allows for its tail, and
        weighs the excess above it by the prior. "gammagmm" is the published method (see Notes).
    prior : ContaminationPrior or None, default=None
        None is ``ContaminationPrior()`` for "two_group" and the published constants for "gammagmm".
    inference : {"variational", "published", "gibbs", "nuts"}, default="variational"
        How "gammagmm" fits its mixture. "published" also draws the components' parameters as the authors' code does
        and holds the constraints at their means. "gibbs" samples it exactly, `n_init` chains; "nuts" needs PyMC
        (extra ``bayes``) and at most 1,000 rows. "two_group" does not use it.
    n_init : int, default=5
        Starts (or chains) of "gammagmm" whose posteriors are averaged.
    max_components : int, default=100
        Truncation of the mixture; "nuts" takes at most 8 of them.
    score_transform : {"log", "log_scaled", "rank_normal"}, default="log"
        Scale of the scores in the mixture; "log" as published.
    on_infeasible : {"warn", "split", "raise"}, default="warn"
        What to do where the two constraints of "gammagmm" have no solution; "split" cuts the oddest component first.
    n_jobs : int or None, default=None
        Threads over starts of "gammagmm". The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seeds the default detectors, k-means and draws.

    Attributes
    ----------
    posterior_ : ContaminationDistribution
        With ``cdf``, ``sf``, ``ppf``, ``pdf``, ``mean()``, ``median()``, ``std()``, ``interval()``, ``sample()``.
    contamination_ : float
        Median of the posterior for "two_group", its mean for "gammagmm", as published.
    status_ : str
        "ok"; "prior": fewer than 20 rows or no score that tells rows apart, so the posterior is the prior; for
        "gammagmm" also "feasible", "infeasible_high" or "slack".
    start_means_ : ndarray
        Posterior mean of each start (one for "two_group"); how far they differ tells how far to trust the average.
    attained_p_zero_, attained_p_high_ : float
        Probabilities of 0, and of at least `high_contamination`, that the posterior has (before the upper limit of
        "gammagmm" is applied).
    n_components_ : ndarray of shape (n_init,)
        Components kept by each start of "gammagmm"; empty otherwise.
    sampling_ : arviz.InferenceData or dict or None
        Draws of "nuts", chains of "gibbs".
    detectors_ : list of estimators
        Fitted on all rows; empty after :meth:`fit_scores`.
    offset_ : float
        Threshold on ``score_samples``.
    n_features_in_ : int
        Number of columns, where the detectors take tables.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    ThresholdedDetector : The same rule, or another, on a single detector.
    ConformalDetector : p-values instead, where normal rows can be set aside.

    Notes
    -----
    "gammagmm" follows Perini, Bürkner and Klami [1]_: a Dirichlet process mixture of the standardised log scores,
    components ordered by :math:`r = \frac1M \sum_m \mu_m / (1 + \sqrt{\Sigma_{mm}})`, and a logistic link fixed by
    :math:`P(\gamma = 0) = p_0` and :math:`P(\gamma \ge t) = p_{high}`. We changed three things. Given the
    variational fit the posterior is a mixture of Betas, so nothing is sampled; the constraints are held on
    expectations instead of point values; and where they have no solution, that is found at once and reported,
    instead of being refitted away. Starts are averaged.

    "two_group" is our own. In units of the lower half's spread the scores of each detector are binned, and the counts
    compared with :math:`(1 - \gamma) f_0 + \gamma f_1`, where the null has an unknown skewness and tail and the
    anomalies an unknown place. The likelihood is coarsened [2]_: :math:`n` rows count as :math:`10 n / (10 + n)`, since
    no such model is exact. So the prior carries most of the weight, and the interval stays wide; that is deliberate.
    On the public tables that its settings were chosen on, the estimate was hardly better than the prior's median: mean
    absolute error 0.0385 against 0.0390 (25 tables, 513 cases; the constant 0.05 has 0.0441, "gammagmm" 0.0602).

    Contamination belongs to a data set. ``predict`` on other rows uses the stored threshold, not a new quantile.
    ``prior__mean`` is a name for a grid search, once `prior` is given.

    References
    ----------
    .. [1] Perini, L., Bürkner, P.-C. and Klami, A. (2023). Estimating the contamination factor's distribution in
       unsupervised anomaly detection. ICML. arXiv:2210.10487.
    .. [2] Miller, J. W. and Dunson, D. B. (2019). Robust Bayesian inference via coarsening. Journal of the American
       Statistical Association 114. https://doi.org/10.1080/01621459.2018.1469995

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
        "detectors": [list, tuple, None],
        "method": [StrOptions({"two_group", "gammagmm"})],
        "prior": [ContaminationPrior, None],
        "inference": [StrOptions({"variational", "published", "gibbs", "nuts"})],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "max_components": [Interval(Integral, 2, None, closed="left")],
        "score_transform": [StrOptions({"log", "log_scaled", "rank_normal"})],
        "on_infeasible": [StrOptions({"warn", "split", "raise"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        detectors: Any = None,
        *,
        method: str = "two_group",
        prior: ContaminationPrior | None = None,
        inference: str = "variational",
        n_init: int = 5,
        max_components: int = 100,
        score_transform: str = "log",
        on_infeasible: str = "warn",
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.detectors = detectors
        self.method = method
        self.prior = prior
        self.inference = inference
        self.n_init = n_init
        self.max_components = max_components
        self.score_transform = score_transform
        self.on_infeasible = on_infeasible
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _check(self, X: Any, *, reset: bool) -> Any:
        given = self.detectors if reset else self.detectors_  # none after fit_scores
        first = given[0] if given else None
        if not reset and not given and self.n_features_in_ == 1 and np.ndim(X) == 1:  # scores of one detector
            X = np.asarray(X).reshape(-1, 1)
        return check_samples_of(self, first, X, reset=reset, min_samples=2 if reset else 1, dtype=np.float64)

    def _fit(self, X: Any, y: NDArray[np.int8], **metadata: Any) -> NDArray[Any] | None:
        first, *generators = child_generators(self.random_state, self.n_init + 1)
        detectors = self.detectors
        if detectors is None:
            detectors = default_detectors(len(X), int(first.integers(2**31 - 1)), neighbors=self.method == "gammagmm")
        if len(detectors) == 0:
            raise ValueError("detectors is empty; give at least one detector, or None for the default ones.")
        for detector in detectors:
            require_scores(detector)
        self.detectors_: list[Any] = [clone(detector).fit(X) for detector in detectors]
        self._learn(collect_scores(self.detectors_, X), generators)
        return None

    @fit_context(prefer_skip_nested_validation=True)
    def fit_scores(self, S: Any, y: Any = None) -> Self:  # scikit-learn's signature
        """Learn from scores that are already there.

        Parameters
        ----------
        S : array-like of shape (n_samples,) or (n_samples, n_detectors)
            ``score_samples`` of detectors: small is odd. A column with NaN or infinity, or a constant one, is left out.
        y : None
            Not used.

        Returns
        -------
        self
            ``score_samples`` and ``predict`` then take scores of new rows, in the same columns; of one detector also
            as shape (n_samples,).
        """
        with restore_on_error(self):
            scores = np.asarray(S)
            scores = scores[:, None] if scores.ndim == 1 else scores
            scores = check_array(scores, dtype=np.float64, ensure_all_finite=False, ensure_min_samples=2)
            self.__dict__.pop("feature_names_in_", None)
            self.n_features_in_ = scores.shape[1]
            self.detectors_ = []
            generators = child_generators(self.random_state, self.n_init + 1)[1:]
            self._learn(-scores, generators)
            self.offset_ = self._auto_offset()
        return self

    def _learn(self, S: NDArray[np.float64], generators: list[np.random.Generator]) -> None:
        """Set the posterior, the scale of the common score and the threshold, from outlyingness."""
        self._columns = usable_columns(S)
        kept = S[:, self._columns]
        if not np.isfinite(S).all(axis=0).any():
            raise ValueError("No detector gave finite scores; nothing can be learnt from NaN or infinity.")
        prior = self.prior
        if prior is None and self.method == "gammagmm":
            prior = ContaminationPrior(p_zero=0.01, p_high=0.01, max_contamination=0.25)
        prior = ContaminationPrior() if prior is None else prior
        belief = prior.distribution()
        self.n_components_ = np.empty(0, dtype=np.intp)
        self.sampling_: Any = None
        if len(S) < _FEWEST_ROWS or kept.shape[1] == 0:
            self.posterior_: ContaminationDistribution = belief
            self.status_, self.start_means_ = "prior", np.array([belief.mean()])
        elif self.method == "two_group":
            self.posterior_ = two_group_posterior(kept, prior)
            self.status_, self.start_means_ = "ok", np.array([self.posterior_.mean()])
        else:
            self._learn_mixture(log_scores(kept, self.score_transform), prior, generators)
        if self.method == "two_group" or self.status_ == "prior":
            self.attained_p_zero_ = self.posterior_.p_zero
            self.attained_p_high_ = float(self.posterior_.sf(prior.high_contamination))
        self.contamination_ = self.posterior_.median() if self.method == "two_group" else self.posterior_.mean()
        self._location, self._spread = robust_scale(kept)
        self._training = np.sort(self._common(S))

    def _learn_mixture(
        self, scores: NDArray[np.float64], prior: ContaminationPrior, generators: list[np.random.Generator]
    ) -> None:
        if scores.shape[1] > 1:
            likeness = np.triu(np.abs(np.corrcoef(scores.T)), 1)
            if (likeness > _SAME).any():
                first, second = np.argwhere(likeness > _SAME)[0]
                warn_user(
                    f"Detectors {first} and {second} agree (correlation above {_SAME}): they count as one opinion "
                    "twice, and the posterior is too sure. Leave one out."
                )
        options: dict[str, Any] = {"max_components": self.max_components, "on_infeasible": self.on_infeasible}
        if self.inference in {"gibbs", "nuts"}:
            from skanomaly.threshold._sampled import gibbs_posterior, nuts_posterior

            sampler = gibbs_posterior if self.inference == "gibbs" else nuts_posterior
            fits, self.sampling_ = sampler(
                scores, prior, generators, max_components=self.max_components, n_jobs=self.n_jobs
            )
        else:
            fits = variational_posterior(
                scores, prior, generators, published=self.inference == "published", n_jobs=self.n_jobs, **options
            )
        self.posterior_, self.status_ = combine_fits(fits, self.on_infeasible)
        self.start_means_ = np.array([fit.distribution.mean() for fit in fits])
        self.n_components_ = np.array([fit.n_components for fit in fits], dtype=np.intp)
        self.attained_p_zero_ = float(np.mean([fit.p_zero for fit in fits]))
        self.attained_p_high_ = float(np.mean([fit.p_high for fit in fits]))

    def _common(self, S: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return one outlyingness per row: mean over detectors of the standardised scores, tails drawn in."""
        if not self._columns.any():
            return np.zeros(len(S))
        return np.arcsinh((S[:, self._columns] - self._location) / self._spread).mean(axis=1)

    def _outlyingness(self, X: Any) -> NDArray[Any]:
        return self._common(collect_scores(self.detectors_, X) if self.detectors_ else -X)

    def _auto_offset(self) -> float:
        n_anomalies = round(self.contamination_ * len(self._training))
        if n_anomalies == 0:
            return settled_threshold(float(-self._training[-1]), -self._training)
        # Halfway between the last anomaly and the first normal row; equal scores are normal.
        first_normal = len(self._training) - n_anomalies - 1
        middle = float(-0.5 * (self._training[first_normal] + self._training[first_normal + 1]))
        return settled_threshold(middle, -self._training)

    def anomaly_probability(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each row to be among the anomalies, given its rank in the training scores.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, or scores after :meth:`fit_scores`.

        Returns
        -------
        ndarray of shape (n_samples,)
            ``P(contamination > share of training rows that are odder)``. Equal scores share a rank.
        """
        check_is_fitted(self)
        odd = -self.score_samples(X)
        odder = count_above(self._training, odd)
        return self.posterior_.sf(odder / len(self._training))

    def __sklearn_tags__(self) -> Tags:
        return copy_kinds(super().__sklearn_tags__(), self.detectors[0] if self.detectors else None)
