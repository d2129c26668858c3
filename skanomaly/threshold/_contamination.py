"""Posterior distribution of the contamination, and the threshold that follows from it."""

from dataclasses import dataclass
from numbers import Integral, Real
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

from skanomaly._support._audit import (
    AuditSuggestion,
    CheckedRows,
    RatePosterior,
    count_checked,
    stratum_edges,
    suggest_rows,
    wide_masses,
)
from skanomaly._support._composition import Composition, members
from skanomaly._support._labels import read_labels
from skanomaly._support._pieces import Pieces
from skanomaly._support._responses import require_scores
from skanomaly._support._restore import restore_on_error
from skanomaly._support._scales import ROUNDING, usable_scale
from skanomaly._support._scored import find_scored
from skanomaly._support._seeds import child_generators, generator
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions, fit_context, validate_parameter_constraints
from skanomaly._support._ties import count_above, settled_threshold
from skanomaly._support._validation import check_rows, check_samples_of, copy_kinds, scores_time_points
from skanomaly.base import BaseDetector
from skanomaly.threshold._distribution import ContaminationDistribution, GridDistribution
from skanomaly.threshold._mixture._gammagmm import GammaGMM
from skanomaly.threshold._pieces import draw_table, drawn_labels, open_table
from skanomaly.threshold._prior import ContaminationPrior
from skanomaly.threshold._scores import usable_columns
from skanomaly.threshold._three_way import DecisionCosts
from skanomaly.threshold._two_group import TwoGroup

__all__ = ["ContaminationPosterior"]

_FEWEST_ROWS = 20
_MOST_KERNEL_ROWS = 5000


@dataclass(frozen=True)
class AuditSummary:
    """Strata of the training rows, from the most anomalous, and what their checked rows showed."""

    n_rows: NDArray[np.intp]
    n_checked: NDArray[np.intp]
    n_anomalies: NDArray[np.intp]
    rates: NDArray[np.float64]


class ContaminationPosterior(Composition, BaseDetector):
    """Detector that estimates the contamination as a distribution and sets its threshold accordingly.

    The contamination is the fraction of anomalies among the training rows. Several detectors score the rows, and
    `method` estimates the distribution of the contamination from the scores. Labels of a few checked rows make the
    estimate far more accurate; :meth:`suggest_audit` says which rows to check. The score of a row is the mean of its
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
    selection : {"random", "top"}, default="random"
        How the checked rows were chosen, if rows are labelled. "random": at random among rows of similar score, as
        :meth:`suggest_audit` draws them, or with the probabilities given to `fit`. "top": the rows that some detector
        found most anomalous, and no others.
    random_state : int, RandomState instance or None, default=None
        Seeds the default detectors, the random starts of `GammaGMM` and the rows of :meth:`suggest_audit`.

    Attributes
    ----------
    posterior_ : ContaminationDistribution
        Posterior distribution of the contamination, with ``cdf``, ``sf``, ``ppf``, ``pdf``, ``mean()``, ``median()``,
        ``std()``, ``interval()`` and ``sample()``.
    contamination_ : float
        Point estimate: the median of the posterior for `TwoGroup` and where rows are checked, otherwise the mean for
        `GammaGMM`, as published.
    score_posterior_ : ContaminationDistribution
        Posterior from the scores alone; the same as ``posterior_`` where no row is checked.
    audit_ : AuditSummary or None
        Strata of rows, from the most anomalous: ``n_rows``, ``n_checked``, ``n_anomalies`` among the checked rows and
        ``rates``, the estimated fractions of anomalies. None where no row is checked.
    status_ : str
        "prior" where there are fewer than 20 rows or all scores are equal, so that the posterior is the prior.
        Otherwise "ok" for `TwoGroup`; for `GammaGMM` "feasible", "infeasible_high" or "slack" (see there).
    mixture_ : MixtureFit or None
        Details of the fit of `GammaGMM` (see there); None for `TwoGroup` and where ``status_`` is "prior".
    detectors_ : list of estimators
        Detectors fitted on all rows; empty after :meth:`fit_scores`.
    offset_ : float
        Threshold on ``score_samples``.
    sample_rows_ : ndarray of shape (n_drawn,), int64
        After :meth:`fit_chunks`, the number in the table in pieces of each row that the fit used.
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

    Checked rows (-1 anomaly, +1 normal; 0 or missing is not checked) enter as a stratified sample. The rows are cut
    into four strata by their score: the most anomalous 2.5 %, and up to 10 %, 30 % and 100 %. Given the contamination
    and the shape of the ROC curve (:math:`u^a` for eight exponents), each stratum has an expected rate of anomalies,
    which counts for 20 rows in a Beta prior of its rate. The contamination and the shape have a prior on a grid:
    ``score_posterior_``, averaged with a wide distribution unless `prior` is given, so that labels count for more than
    the scores soon. A beta-binomial likelihood updates it. For each point of the grid the number of anomalies among the
    unchecked rows has known moments, and is given a Beta distribution with these moments, so nothing is sampled.
    Because rows are drawn at random within a stratum, poor scores make the interval wide, and do not bias the estimate.
    Rows with unequal selection probabilities count for their effective number [1]_. With ``selection="top"`` the
    checked rows are a stratum of their own that is known completely, and the other rows follow from the model alone.

    ``prior__mean`` and ``method__coarsening`` can be set in a grid search, once `prior` and `method` are given.

    ``fit_chunks`` is the fit to rows drawn from the pieces by their values, 65,536 of them where there are more; the
    fraction of anomalies among them differs from that of the table by a standard error of at most 0.002.
    :meth:`suggest_audit` then suggests rows among those drawn, by their numbers in the whole table. Fit again to the
    same pieces with their labels.

    References
    ----------
    .. [1] Kish, L. (1965). Survey Sampling. Wiley, section 11.7. The allocation of the checked rows to the strata is
       that of Neyman, J. (1934). On the two different aspects of the representative method. Journal of the Royal
       Statistical Society 97, 558-625. https://doi.org/10.2307/2342192

    Examples
    --------
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.threshold import ContaminationPosterior
    >>> X, y = make_shifted_anomalies(n_samples=400, contamination=0.05, random_state=0)
    >>> model = ContaminationPosterior(random_state=0).fit(X)
    >>> low, high = model.posterior_.interval(0.9)
    >>> low < 0.05 < high
    True

    Check twenty rows:

    >>> import numpy as np
    >>> checked = np.full(len(X), np.nan)
    >>> for _ in range(4):
    ...     rows = model.suggest_audit(5).indices
    ...     checked[rows] = y[rows]
    ...     model = model.fit(X, checked)
    >>> low, high = model.posterior_.interval(0.9)
    >>> int(model.audit_.n_checked.sum()), low < 0.05 < high
    (20, True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "detectors": [list, tuple, HasMethods("fit"), None],  # a single one raises, and is told what to give
        "method": [TwoGroup, GammaGMM, None],
        "prior": [ContaminationPrior, None],
        "selection": [StrOptions({"random", "top"})],
        "random_state": ["random_state"],
    }

    _members = "detectors"

    def __init__(
        self,
        detectors: Any = None,
        *,
        method: TwoGroup | GammaGMM | None = None,
        prior: ContaminationPrior | None = None,
        selection: str = "random",
        random_state: Any = None,
    ) -> None:
        self.detectors = detectors
        self.method = method
        self.prior = prior
        self.selection = selection
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

    def fit(self, X: Any, y: Any = None, *, selection_probability: Any = None) -> Self:
        """Fit the detectors and estimate the contamination.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows, or what else the detectors take.
        y : array-like of shape (n_samples,), default=None
            Labels of checked rows: -1 anomaly, +1 normal, NaN or 0 not checked. NaN is safer: in labels of 0 and 1
            alone, as where all checked rows are normal, 1 means anomaly.
        selection_probability : array-like of shape (n_samples,), default=None
            Probability with which each row was chosen to be checked; only those of checked rows are read. None means
            that rows of similar score had the same probability. Only with ``selection="random"``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a probability lies outside (0, 1], or is given with ``selection="top"`` or without labels.
        """
        return self._run_fit(X, y, selection_probability=selection_probability)

    def _fit(self, X: Any, y: NDArray[np.int8], **metadata: Any) -> NDArray[Any] | None:
        self._check_names()
        method, prior, (first, *generators) = self._parts()
        self.__dict__.pop("sample_rows_", None)
        detectors = None if self.detectors is None else members(self.detectors)
        if detectors is None:
            detectors = _default_detectors(len(X), int(first.integers(2**31 - 1)), neighbors=method._with_neighbors)
        if len(detectors) == 0:
            raise ValueError("detectors is empty; give at least one detector, or None for the default ones.")
        for detector in detectors:
            require_scores(detector)
        self.detectors_: list[Any] = [clone(detector).fit(X) for detector in detectors]
        self._estimate(_outlyingness_by(self.detectors_, X), method, prior, generators)
        self._audit(y, metadata.get("selection_probability"))
        return None

    def _fit_pieces(self, pieces: Pieces, *, labelled: bool) -> None:
        first = next(iter(members(self.detectors)), None)
        table = open_table(self, first, pieces, labelled=labelled)
        drawn = draw_table(self, first, pieces)
        self._fit(self._check(drawn.X, reset=True), drawn_labels(table, drawn))
        self.sample_rows_ = drawn.rows

    @fit_context(prefer_skip_nested_validation=True)
    def fit_scores(self, S: Any, y: Any = None, *, selection_probability: Any = None) -> Self:
        """Fit from scores that were computed before.

        Parameters
        ----------
        S : array-like of shape (n_samples,) or (n_samples, n_detectors)
            ``score_samples`` of detectors; lower scores are more anomalous. Constant columns, and columns that have an
            infinite entry or NaN alone, are left out. Rows with NaN in another column, such as time points that no
            window covers, are left out with a warning that counts them; they are predicted +1.
        y : array-like of shape (n_samples,), default=None
            Labels of checked rows, as in :meth:`fit`.
        selection_probability : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.

        Returns
        -------
        self
            ``score_samples`` and ``predict`` then take scores of new rows in the same columns; scores of a single
            detector also in shape (n_samples,).
        """
        with restore_on_error(self):
            method, prior, (_, *generators) = self._parts()
            self.__dict__.pop("sample_rows_", None)
            scores = np.asarray(S)
            scores = scores[:, None] if scores.ndim == 1 else scores
            scores = check_array(scores, dtype=np.float64, ensure_all_finite=False, ensure_min_samples=2)
            self.__dict__.pop("feature_names_in_", None)
            self.n_features_in_ = scores.shape[1]
            self.detectors_ = []
            self._estimate(-scores, method, prior, generators)
            self._audit(read_labels(y, len(scores), zero="unlabelled"), selection_probability)
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
        scored: NDArray[np.bool_] = np.ones(len(S), dtype=bool)
        if not self.detectors_:
            scored = find_scored(S[:, partial], name="scores")
        elif scores_time_points(self.detectors_[0]):  # the detectors have warned of those without a score
            scored = np.asarray(~np.isnan(S[:, partial]).any(axis=1))
            if not scored.any():
                scored[:] = True
        S = S[scored]
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
        common = self._common(S)
        order = np.argsort(-common, kind="stable")
        self._order = np.flatnonzero(scored)[order]  # of all rows; those without a score are not among them
        self._training = common[order][::-1].copy()

    def _audit(self, y: NDArray[np.int8], selection_probability: Any) -> None:
        """Set the posterior from checked rows."""
        if self.selection == "top":  # rows that another detector may have ranked first
            self._order = self._order[np.argsort(y[self._order] == 0, kind="stable")]
        probabilities = self._checked_probabilities(y, selection_probability)
        self._labels, self._probabilities = y, probabilities
        self.score_posterior_, self.audit_ = self.posterior_, None
        if not y[self._order].any():
            return
        rates = self._rate_posterior()
        edges, masses, p_zero = rates.total()
        self.posterior_ = GridDistribution(edges, masses, p_zero=p_zero)
        self.contamination_ = self.posterior_.median()
        checked = rates.checked
        self.audit_ = AuditSummary(checked.sizes, checked.n_checked, checked.n_anomalies, rates.rates())

    def _checked_probabilities(self, y: NDArray[np.int8], given: Any) -> NDArray[np.float64] | None:
        """Return valid selection probabilities, 1 for rows that are not checked."""
        if given is None:
            return None
        if self.selection == "top":
            raise ValueError("selection='top' takes no selection_probability: the rows were not drawn at random.")
        if not y.any():
            raise ValueError("selection_probability needs y: it belongs to the checked rows, and none is labelled.")
        values = np.asarray(given, dtype=np.float64)
        if values.shape != y.shape:
            raise ValueError(f"selection_probability has shape {values.shape}; it must have shape {y.shape}, like y.")
        values = np.where(y != 0, values, 1.0)
        if not ((values > 0) & (values <= 1)).all():
            raise ValueError(
                "selection_probability must lie in (0, 1] for every checked row: a row that could not have been chosen "
                "cannot stand for others. Label it 0, or fit with selection='top'."
            )
        return values

    def _checked(self, extra: Any = ()) -> CheckedRows:
        edges = stratum_edges(len(self._order), extra)
        n_labelled = int(np.count_nonzero(self._labels[self._order]))
        if self.selection == "top" and n_labelled > 0:
            edges = np.r_[0, n_labelled, edges[edges > n_labelled]]
        chosen = None if self._probabilities is None else self._probabilities[self._order]
        return count_checked(edges, self._labels[self._order], chosen)

    def _rate_posterior(self, extra: Any = ()) -> RatePosterior:
        masses = self.score_posterior_._on_grid()
        if self.prior is None:  # the default prior is no knowledge that labels would have to overcome
            masses = 0.5 * (masses + wide_masses())
        return RatePosterior(masses, self._checked(extra))

    def suggest_audit(
        self,
        n: int = 10,
        *,
        n_flagged: int | None = None,
        costs: DecisionCosts | None = None,
        width: float | None = None,
    ) -> AuditSuggestion:
        """Suggest which training rows to check next.

        Check a few rows at a time, fit again with all labels so far, and ask again: later rows follow from what the
        earlier ones showed.

        Parameters
        ----------
        n : int, default=10
            Number of rows; fewer where fewer are not checked.
        n_flagged : int or None, default=None
            None suggests rows from which the contamination is learnt. A number suggests rows from which the precision
            of flagging that many of the most anomalous rows is learnt, all of them among these.
        costs : DecisionCosts or None, default=None
            Suggests rows from which the threshold of the least cost is learnt, that of :class:`CostThreshold`. Not
            together with `n_flagged`.
        width : float or None, default=None
            Stopping rule: no row is suggested once the 90 % credible interval of the contamination is at most so wide.

        Returns
        -------
        AuditSuggestion
            ``indices`` of training rows and the ``probabilities`` with which they were drawn.

        Raises
        ------
        ValueError
            If `n_flagged` and `costs` are both given, or an argument is out of range.

        Notes
        -----
        Rows are allocated to the strata one at a time, each where it reduces the variance most (Neyman's allocation
        under the present posterior), and drawn at random within a stratum. The seed is `random_state`.

        With `costs` the strata are cut at the present threshold, too. A stratum counts in proportion to the probability
        that flagging it and passing it are the wrong way round, which is that of its rate of anomalies lying on the
        other side of ``c / (c + d)`` (see :class:`CostThreshold`) than its mean does.
        """
        check_is_fitted(self)
        constraints = {
            "n": [Interval(Integral, 1, None, closed="left")],
            "n_flagged": [Interval(Integral, 1, len(self._order), closed="both"), None],
            "costs": [DecisionCosts, None],
            "width": [Interval(Real, 0, 1, closed="neither"), None],
        }
        given = {"n": n, "n_flagged": n_flagged, "costs": costs, "width": width}
        validate_parameter_constraints(constraints, given, caller_name="suggest_audit")
        if n_flagged is not None and costs is not None:
            raise ValueError(f"n_flagged={n_flagged} and costs are two targets; give one of them.")
        low, high = self.posterior_.interval(0.9)
        if width is not None and high - low <= width:
            n = 0
        rates = self._rate_posterior(() if n_flagged is None else [n_flagged])
        edges, influence = rates.checked.edges, None
        unchecked = rates.checked.sizes - rates.checked.n_checked
        if n_flagged is not None:
            influence = (edges[1:] <= n_flagged).astype(np.float64)
            unchecked = unchecked[edges[1:] <= n_flagged]
        if costs is not None:
            flag = costs.flagging_probability()
            n_least = int(np.count_nonzero(self._curve_at(np.arange(len(self._order)) / len(self._order)) >= flag))
            rates = self._rate_posterior([n_least] if 0 < n_least < len(self._order) else ())
            edges, influence = rates.checked.edges, rates.doubt(flag)
            unchecked = rates.checked.sizes - rates.checked.n_checked
        added = rates.allocate(min(n, int(unchecked.sum())), influence)
        suggestion = suggest_rows(self._order, self._labels, edges, added, generator(self.random_state))
        if hasattr(self, "sample_rows_"):
            suggestion = AuditSuggestion(self.sample_rows_[suggestion.indices], suggestion.probabilities)
        return suggestion

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

        It is calibrated only where rows were checked; without labels it depends on the prior.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, or scores after :meth:`fit_scores`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Without checked rows, the posterior probability that the contamination exceeds the fraction of training rows
            that are more anomalous than the row. With checked rows, the posterior mean of the rate of anomalies at the
            row's rank. Equal scores have the same rank. NaN for rows without a score.
        """
        check_is_fitted(self)
        outlyingness = -self.score_samples(X)
        above = count_above(self._training, outlyingness) / len(self._training)
        if self.audit_ is None:
            probability = self.posterior_.sf(above)
            return np.where(np.isnan(outlyingness), np.nan, probability)
        return np.where(np.isnan(outlyingness), np.nan, self._curve_at(above))

    def _curve_at(self, fractions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the posterior mean of the rate of anomalies at fractions of more anomalous rows."""
        cells = np.unique(np.r_[0.0, np.geomspace(1.0 / len(self._training), 1.0, 60)])
        return np.interp(fractions, 0.5 * (cells[1:] + cells[:-1]), self._rate_posterior().rate_curve(cells))

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
