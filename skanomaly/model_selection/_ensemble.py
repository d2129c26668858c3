"""An ensemble of detectors of any library: their scores are combined row by row."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._audit import ProbabilityCurve
from skanomaly._support._blocks import map_fits
from skanomaly._support._composition import Composition, members
from skanomaly._support._labels import native_labels
from skanomaly._support._responses import outlyingness
from skanomaly._support._seeds import draw_seed
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions
from skanomaly._support._validation import check_samples_of, copy_kinds, scores_time_points
from skanomaly.base import BaseDetector
from skanomaly.model_selection._scales import ScoreScale
from skanomaly.model_selection._tables import rank_correlation, row_ranks

__all__ = ["ScoreEnsemble", "default_detectors", "fit_detectors"]

_MOST_KERNEL_ROWS = 5000


class ScoreEnsemble(Composition, BaseDetector):
    r"""Ensemble of detectors: their scores are put on a common scale and combined row by row.

    Without labels, an ensemble did better on public tables than selecting one of its detectors (see the guide).

    Parameters
    ----------
    detectors : list of estimators, list of (name, estimator) or None, default=None
        Detectors of this package, of scikit-learn (or any with ``score_samples``, lower is more anomalous) and of PyOD
        (higher is more anomalous), or pipelines that end in one. They are cloned. All must take the same kind of input:
        rows of a table, a series, collections or event traces. None uses an isolation forest, local outlier factors
        with 20 and 60 neighbours and, up to 5,000 rows, a one-class support vector machine; all but the forest on
        standardised columns.
    aggregation : {"top_ranks", "rank", "probability_integral", "robust_z"}, default="top_ranks"
        How the detectors' scores of a row are aggregated:

        - "rank": mean over detectors of the fraction of training rows that are less anomalous than the row.
        - "top_ranks": mean of the row's `n_top` largest such fractions, so that a row is anomalous if some detectors
          find it so.
        - "probability_integral": mean of minus the logarithm of the fraction of training rows that are at least as
          anomalous, which gives weight to extreme rows.
        - "robust_z": mean of the distance from the training median in units of the median absolute deviation (MAD).
          It is unbounded, so a detector with a heavy-tailed score dominates.
    n_top : int or None, default=None
        Used by "top_ranks" only; None is a third of the detectors, rounded up.
    min_agreement : float or None, default=None
        In [-1, 1). Detectors whose Spearman correlation with the mean rank of the others is below this value are
        dropped one at a time, the lowest first, until none is left below it or two detectors remain. None keeps all.
    contamination : float, default=0.1
        Fraction of the training rows that is flagged, in (0, 0.5].
    n_jobs : int or None, default=None
        Number of threads over detectors; the result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seeds detectors that have a `random_state` of None.

    Attributes
    ----------
    detectors_ : list of estimators
        Fitted detectors that were kept.
    kept_ : ndarray of int
        Their positions in `detectors`.
    agreement_ : ndarray of shape (n_detectors,)
        Spearman's correlation of each given detector's training scores with the mean rank of all others; NaN for a
        single detector.
    offset_ : float
        Threshold on ``score_samples``.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    DetectorSearch : Selects one detector instead.

    Notes
    -----
    A row is compared with the detectors' *training* scores, so its score does not depend on the other rows of a batch.
    A training row whose score exceeds :math:`r` of the :math:`n` training scores, ties counting half, gets the
    fraction :math:`(r + 1/2) / (n + 1)`. New rows are interpolated between training scores. Above the most anomalous
    training row the remaining tail falls exponentially, at the rate of the upper tenth of the detector's training
    scores, so that new extreme rows keep their order.

    The sign of a detector's scores is found from its API; where it cannot be known, ``fit`` raises. Detectors receive
    float64 arrays; column names are checked by the ensemble.

    References
    ----------
    .. [1] Zimek, A., Campello, R. J. G. B. and Sander, J. (2014). Ensembles for unsupervised outlier detection:
       challenges and research questions. SIGKDD Explorations 15(1). https://doi.org/10.1145/2594473.2594476
    .. [2] Rayana, S. and Akoglu, L. (2016). Less is more: building selective anomaly ensembles. ACM Transactions on
       Knowledge Discovery from Data 10(4). https://doi.org/10.1145/2890508

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.metrics import roc_auc_score
    >>> from skanomaly.model_selection import ScoreEnsemble
    >>> X, y = make_shifted_anomalies(n_samples=400, contamination=0.05, random_state=0)
    >>> detectors = [IsolationForest(random_state=0), LocalOutlierFactor(novelty=True)]
    >>> ensemble = ScoreEnsemble(detectors, aggregation="rank").fit(X)
    >>> roc_auc_score(y, ensemble.score_samples(X)) > 0.8
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,
        "detectors": [list, tuple, HasMethods("fit"), None],  # a single one raises, and is told what to give
        "aggregation": [StrOptions({"rank", "top_ranks", "probability_integral", "robust_z"})],
        "n_top": [Interval(Integral, 1, None, closed="left"), None],
        "min_agreement": [Interval(Real, -1, 1, closed="left"), None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    _members = "detectors"

    def __init__(
        self,
        detectors: Any = None,
        *,
        aggregation: str = "top_ranks",
        n_top: int | None = None,
        min_agreement: float | None = None,
        contamination: float = 0.1,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.detectors = detectors
        self.aggregation = aggregation
        self.n_top = n_top
        self.min_agreement = min_agreement
        self.contamination = contamination
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _check(self, X: Any, *, reset: bool) -> Any:
        first = next(iter(members(self.detectors)), None)
        fewest = self._min_samples if reset else 1
        return check_samples_of(self, first, X, reset=reset, min_samples=fewest, dtype=np.float64)

    def _fit(self, X: Any, y: NDArray[np.int8], **metadata: Any) -> NDArray[np.float64]:
        self._check_names()
        detectors = default_detectors(len(X)) if self.detectors is None else members(self.detectors)
        fitted = fit_detectors(detectors, X, y, n_jobs=self.n_jobs, random_state=self.random_state)
        scores = np.column_stack([outlyingness(detector, X) for detector in fitted])
        _require_finite(scores, scores_time_points(fitted[0]))
        scored = ~np.isnan(scores).any(axis=1)  # not so time points that no window covers
        if not scored.any():
            raise ValueError("No row has a score of every detector; use shorter windows.")
        ranks = row_ranks(scores[scored])
        self.agreement_ = agreement(ranks)
        self.kept_ = np.arange(len(fitted)) if self.min_agreement is None else agreeing(ranks, self.min_agreement)
        self.detectors_ = [fitted[place] for place in self.kept_]
        scores = scores[:, self.kept_]
        self._scales = ScoreScale.of_columns(scores[scored])
        aggregated = self._aggregated(scores)
        self._curve = ProbabilityCurve(aggregated[scored], y[scored])
        return aggregated

    def _outlyingness(self, X: Any) -> NDArray[np.float64]:
        columns = map_fits(lambda detector: outlyingness(detector, X), self.detectors_, n_jobs=self.n_jobs)
        scores = np.column_stack(columns)
        _require_finite(scores, scores_time_points(self.detectors_[0]), fewest=0)
        return self._aggregated(scores)

    def anomaly_probability(self, X: Any) -> NDArray[np.float64]:
        """Return the probability that each row is an anomaly, given the rank of its score among the training scores.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
            Does not increase with the score. Calibrated where checked rows were labelled in `fit`, drawn at random
            among rows of similar score (``skanomaly.threshold.ContaminationPosterior.suggest_audit`` draws such rows);
            without labels it depends on a prior of the contamination with mean 0.045.
        """
        check_is_fitted(self)
        return self._curve(-np.asarray(self.score_samples(X), dtype=np.float64))

    def __sklearn_tags__(self) -> Tags:
        return copy_kinds(super().__sklearn_tags__(), next(iter(members(self.detectors)), None))

    def _aggregated(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        scale = {
            "probability_integral": lambda scale, column: -scale.log_fraction_above(column),
            "robust_z": ScoreScale.standardised,
        }.get(self.aggregation, ScoreScale.fraction_below)
        scaled = np.column_stack([scale(*pair) for pair in zip(self._scales, scores.T, strict=True)])
        if self.aggregation == "top_ranks":
            n_top = n_highest(scaled.shape[1], self.n_top)
            scaled = np.sort(scaled, axis=1)[:, scaled.shape[1] - n_top :]
        aggregated: NDArray[np.float64] = scaled.mean(axis=1)
        return aggregated


def n_highest(n_detectors: int, n_top: int | None) -> int:
    """Return how many of a row's ranks count: `n_top`, or a third of the detectors, rounded up.

    Parameters
    ----------
    n_detectors : int
    n_top : int or None

    Returns
    -------
    int
    """
    return -(-n_detectors // 3) if n_top is None else min(n_top, n_detectors)


def default_detectors(n_rows: int) -> list[Any]:
    """Return an isolation forest, local outlier factors of two sizes, and a support vector machine for few rows.

    Parameters
    ----------
    n_rows : int
        Training rows, which bound the number of neighbours.

    Returns
    -------
    list of estimators
    """
    # Small neighbourhoods are left out: a training row is its own neighbour there, and scores as normal.
    sizes = sorted({max(1, min(size, n_rows // 3)) for size in (20, 60)})
    factors = [make_pipeline(StandardScaler(), LocalOutlierFactor(n_neighbors=size, novelty=True)) for size in sizes]
    machine = [make_pipeline(StandardScaler(), OneClassSVM(nu=0.5))] if n_rows <= _MOST_KERNEL_ROWS else []
    return [IsolationForest(), *factors, *machine]


def fit_detectors(
    detectors: Any, X: Any, y: NDArray[np.int8] | None, *, n_jobs: int | None, random_state: Any
) -> list[Any]:
    """Clone detectors, seed those without a seed, and fit them.

    Parameters
    ----------
    detectors : sequence of estimators
    X : array-like of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,) or None
        Passed to ``fit`` where some row is labelled.
    n_jobs : int or None
        Number of threads over detectors.
    random_state : int, RandomState instance or None

    Returns
    -------
    list of fitted estimators

    Raises
    ------
    ValueError
        If there is no detector.
    TypeError
        If one of them is no detector.
    """
    if len(detectors) == 0:
        raise ValueError("detectors is empty; give at least one detector, or None for the default ones.")
    for detector in detectors:
        if isinstance(detector, type) or not hasattr(detector, "fit"):
            raise TypeError(
                f"detectors holds {detector!r}; give a list of detectors, such as [IsolationForest(), "
                "LocalOutlierFactor(novelty=True)]."
            )
    clones = [seeded(clone(detector), draw_seed(random_state)) for detector in detectors]
    labels = () if y is None or not y.any() else (native_labels(y),)
    return map_fits(lambda detector: detector.fit(X, *labels), clones, n_jobs=n_jobs)


def seeded(estimator: Any, seed: int, *, all_seeds: bool = False) -> Any:
    """Set every `random_state` of an estimator and its parts that is None, or all of them.

    Parameters
    ----------
    estimator : estimator
        Changed.
    seed : int
    all_seeds : bool, default=False

    Returns
    -------
    estimator
    """
    parameters = estimator.get_params(deep=True)
    names = [name for name in sorted(parameters) if name == "random_state" or name.endswith("__random_state")]
    chosen = {name: seed for name in names if all_seeds or parameters[name] is None}
    return estimator.set_params(**chosen) if chosen else estimator


def agreement(ranks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each detector's rank correlation with the mean of the others' ranks; NaN for a single one.

    Parameters
    ----------
    ranks : ndarray of shape (n_samples, n_detectors)
        Of rows, within each detector.

    Returns
    -------
    ndarray of shape (n_detectors,)
    """
    n_detectors = ranks.shape[1]
    if n_detectors == 1:
        return np.array([np.nan])
    total = ranks.sum(axis=1)
    return np.array([rank_correlation(column, total - column) for column in ranks.T])


def agreeing(ranks: NDArray[np.float64], least: float) -> NDArray[np.intp]:
    """Drop the detector that agrees least until all agree enough or two are left.

    Parameters
    ----------
    ranks : ndarray of shape (n_samples, n_detectors)
    least : float

    Returns
    -------
    ndarray of int
        Positions kept, in order.
    """
    kept = np.arange(ranks.shape[1])
    while kept.size > 2:
        correlations = agreement(ranks[:, kept])
        if correlations.min() >= least:
            break
        kept = np.delete(kept, int(correlations.argmin()))
    return kept


def _require_finite(scores: NDArray[np.float64], may_miss: bool, fewest: int = 1) -> None:
    """Raise for a detector with infinite scores, or with fewer scores than needed."""
    needed = fewest if may_miss else len(scores)
    bad = np.flatnonzero(np.isinf(scores).any(axis=0) | ((~np.isnan(scores)).sum(axis=0) < needed))
    if bad.size:
        raise ValueError(f"The scores of detector {bad.tolist()} are NaN or infinite; leave that detector out.")
