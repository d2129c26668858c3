"""Metrics estimated from a few checked rows, with credible intervals."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._audit import (
    AuditSuggestion,
    RatePosterior,
    count_checked,
    stratum_edges,
    suggest_rows,
    wide_masses,
)
from skanomaly._support._labels import read_labels
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.metrics._labels import _finite

__all__ = ["AuditedScore", "ScoreEstimate"]

_SINGLE_RANKS = 200  # the most anomalous rows are cells of their own, others share cells of growing size
_GROWTH = 1.03
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ScoreEstimate:
    """Estimate of a metric: its posterior median, the ends of the credible interval, and what it is based on."""

    value: float
    low: float
    high: float
    n_checked: int
    n_anomalies: int


class AuditedScore(ParameterObject):
    r"""Precision, recall or average precision of scores, from a few checked rows, with a credible interval.

    :meth:`suggest_audit` draws the rows to check next, and :meth:`estimate` returns the metric. With few anomalies, far
    fewer labels are needed than for rows at random, because the rows are drawn where the metric is decided.

    Parameters
    ----------
    metric : {"average_precision", "precision", "recall"}, default="average_precision"
        What is estimated, for all rows that are scored.
    threshold : float or None, default=None
        Rows with lower scores are flagged. Needed by "precision" and "recall", not accepted by "average_precision".
    level : float, default=0.9
        Probability of the credible interval, in (0, 1).
    n_draws : int, default=1000
        Draws from the posterior.
    random_state : int, RandomState instance or None, default=None
        Seeds the draws and the rows of :meth:`suggest_audit`.

    See Also
    --------
    average_precision_score : The metric where all rows are labelled.
    skanomaly.threshold.ContaminationPosterior : The fraction of anomalies from checked rows.

    Notes
    -----
    The rows are cut into strata by their score, as for ``ContaminationPosterior``. Rows are allocated to the strata by
    Neyman's rule [1]_, weighted by how much one anomaly more in the stratum changes the metric, and drawn at random
    within a stratum. The labels update the rates of anomalies of the strata in closed form. The metric is not linear in
    the rates, so its posterior is sampled: rates are drawn from their posterior, labels of the unchecked rows from the
    rates, and the metric is computed for each draw. Draws without any anomaly are left out. Stratified estimates of
    precision and recall from few labels are due to [2]_; the coupling of the strata is our own.

    Rows that were chosen in another way need their selection probabilities; without them, rows are assumed to have been
    drawn at random within each stratum.

    References
    ----------
    .. [1] Neyman, J. (1934). On the two different aspects of the representative method. Journal of the Royal
       Statistical Society 97, 558-625. https://doi.org/10.2307/2342192
    .. [2] Sawade, C., Landwehr, N. and Scheffer, T. (2010). Active estimation of F-measures. NeurIPS 23.
       https://proceedings.neurips.cc/paper/2010/hash/39027dfad5138c9ca0c474d71db915c3-Abstract.html

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.metrics import AuditedScore, average_precision_score
    >>> random = np.random.default_rng(0)
    >>> truth = np.where(random.random(2000) < 0.02, -1, 1)
    >>> scores = random.normal(size=2000) + 3 * (truth == 1)
    >>> audit = AuditedScore(random_state=0)
    >>> checked = np.full(2000, np.nan)
    >>> for _ in range(4):
    ...     rows = audit.suggest_audit(scores, checked, n=10).indices
    ...     checked[rows] = truth[rows]
    >>> estimate = audit.estimate(scores, checked)
    >>> estimate.low < average_precision_score(truth, scores) < estimate.high
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "metric": [StrOptions({"average_precision", "precision", "recall"})],
        "threshold": [Interval(Real, None, None, closed="neither"), None],
        "level": [Interval(Real, 0, 1, closed="neither")],
        "n_draws": [Interval(Integral, 10, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        metric: str = "average_precision",
        threshold: float | None = None,
        level: float = 0.9,
        n_draws: int = 1000,
        random_state: Any = None,
    ) -> None:
        self.metric = metric
        self.threshold = threshold
        self.level = level
        self.n_draws = n_draws
        self.random_state = random_state

    def suggest_audit(self, y_score: Any, y_checked: Any = None, *, n: int = 10) -> AuditSuggestion:
        """Suggest which rows to check next.

        Parameters
        ----------
        y_score : array-like of shape (n_samples,)
            Lower is more anomalous.
        y_checked : array-like of shape (n_samples,), default=None
            Labels so far: -1 anomaly, +1 normal, NaN (or 0) not checked.
        n : int, default=10
            Number of rows; fewer where fewer are not checked.

        Returns
        -------
        AuditSuggestion
            ``indices`` of rows, and the ``probabilities`` with which they were drawn.

        Raises
        ------
        ValueError
            If lengths differ, a score is not finite, or `threshold` does not fit `metric`.
        """
        rows = self._rows(y_score, y_checked, None)
        if n < 1:
            raise ValueError(f"n={n} must be at least 1.")
        influence = rows.influence(self.metric)
        unchecked = rows.posterior.checked.sizes - rows.posterior.checked.n_checked
        added = rows.posterior.allocate(min(n, int(unchecked[influence != 0].sum())), influence)
        return suggest_rows(rows.order, rows.labels, rows.posterior.checked.edges, added, generator(self.random_state))

    def estimate(self, y_score: Any, y_checked: Any, *, selection_probability: Any = None) -> ScoreEstimate:
        """Estimate the metric.

        Parameters
        ----------
        y_score : array-like of shape (n_samples,)
            Scores of all rows, checked or not; lower is more anomalous.
        y_checked : array-like of shape (n_samples,)
            -1 anomaly, +1 normal, NaN (or 0) not checked.
        selection_probability : array-like of shape (n_samples,), default=None
            Probability with which each row was chosen to be checked; only those of checked rows are read. None means
            that rows of a stratum had the same probability.

        Returns
        -------
        ScoreEstimate
            ``value``, ``low``, ``high``, ``n_checked`` and ``n_anomalies``; NaN where no draw had an anomaly.

        Raises
        ------
        ValueError
            As :meth:`suggest_audit`, and if a probability lies outside (0, 1].
        """
        rows = self._rows(y_score, y_checked, selection_probability)
        random = generator(self.random_state)
        rates = rows.posterior.sampled(rows.fractions, self.n_draws, random)
        anomalies = rows.known + random.binomial(rows.unchecked, rates)
        anomalies = anomalies[anomalies.sum(axis=1) > 0]
        low = value = high = np.nan
        if len(anomalies):
            tail = 0.5 * (1.0 - self.level)
            low, value, high = np.quantile(rows.metric(self.metric, anomalies), [tail, 0.5, 1.0 - tail])
        n_anomalies = int(rows.posterior.checked.n_anomalies.sum())
        n_checked = int(rows.posterior.checked.n_checked.sum())
        return ScoreEstimate(float(value), float(low), float(high), n_checked, n_anomalies)

    def _rows(self, y_score: Any, y_checked: Any, selection_probability: Any) -> "_Rows":
        self._validate_params()
        if (self.metric == "average_precision") != (self.threshold is None):
            needed = "takes no" if self.metric == "average_precision" else "needs a"
            raise ValueError(f"metric={self.metric!r} {needed} threshold; it is {self.threshold}.")
        scores = _finite(y_score, "y_score")
        labels = read_labels(y_checked, len(scores), name="y_checked", zero="unlabelled")
        probabilities = None
        if selection_probability is not None:
            probabilities = np.where(labels != 0, np.asarray(selection_probability, dtype=np.float64), 1.0)
            if not ((probabilities > 0) & (probabilities <= 1)).all():
                raise ValueError("selection_probability must lie in (0, 1] for every checked row.")
        n_flagged = 0 if self.threshold is None else int(np.count_nonzero(scores < self.threshold))
        if self.threshold is not None and n_flagged == 0:
            raise ValueError(f"threshold={self.threshold:g}: no score lies below it, so {self.metric} is not defined.")
        return _Rows(scores, labels, probabilities, n_flagged)


class _Rows:
    """Rows from the most anomalous, in cells: the first rows alone, others together."""

    def __init__(self, scores: Floats, labels: NDArray[np.int8], probabilities: Floats | None, n_flagged: int) -> None:
        n_rows = len(scores)
        self.labels, self.n_flagged = labels, n_flagged
        self.order = np.argsort(scores, kind="stable")
        edges = stratum_edges(n_rows, [n_flagged])
        chosen = None if probabilities is None else probabilities[self.order]
        self.posterior = RatePosterior(wide_masses(), count_checked(edges, labels[self.order], chosen), steep=True)
        single = np.arange(min(n_rows, _SINGLE_RANKS) + 1)
        grown = _SINGLE_RANKS * _GROWTH ** np.arange(1, max(2, int(np.log(max(n_rows, 2)) / np.log(_GROWTH))))
        cells = np.unique(np.r_[single, np.minimum(grown.astype(np.intp), n_rows), edges, n_rows])
        self.fractions, self.sizes = cells / n_rows, np.diff(cells)
        ordered = labels[self.order]
        self.known = np.add.reduceat((ordered == -1).astype(np.intp), cells[:-1])
        self.unchecked = np.add.reduceat((ordered == 0).astype(np.intp), cells[:-1])
        self._above = cells[1:] <= n_flagged
        self._stratum = np.searchsorted(edges, cells[:-1], side="right") - 1

    def metric(self, name: str, anomalies: NDArray[Any]) -> Floats:
        """Return the metric for numbers of anomalies per cell, of shape (n_draws, n_cells)."""
        total = anomalies.sum(axis=1)
        if name == "precision":
            return np.asarray(anomalies[:, self._above].sum(axis=1) / self.n_flagged)
        if name == "recall":
            return np.asarray(anomalies[:, self._above].sum(axis=1) / total)
        # Within a cell the anomalies lie in the middle; the anomaly itself is counted.
        before = np.cumsum(anomalies, axis=1) - anomalies
        rank = np.cumsum(self.sizes) - self.sizes + 0.5 * (self.sizes + 1)
        precision = (before + 0.5 * (anomalies + 1)) / rank
        return np.asarray((anomalies * precision).sum(axis=1) / total)

    def influence(self, name: str) -> Floats:
        """Return how much one anomaly more in each stratum changes the metric."""
        rates = self.posterior.rate_curve(self.fractions)
        expected = self.known + self.unchecked * rates
        n_strata = len(self.posterior.checked.sizes)
        share = np.zeros((n_strata, len(rates)))
        share[self._stratum, np.arange(len(rates))] = self.unchecked * rates + 1e-12
        share /= share.sum(axis=1, keepdims=True)
        changed = self.metric(name, expected + 0.1 * share) - self.metric(name, expected[None])
        return np.asarray(np.where(np.abs(changed) > 1e-9, changed, 0.0))
