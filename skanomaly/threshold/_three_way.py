"""Three-way decisions: anomaly, normal, or review."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._results import ShortRepr
from skanomaly._support._sklearn import StrOptions, validate_params
from skanomaly.threshold._pvalues import anomaly_probability_from_pvalues

__all__ = ["CascadeDecisions", "DecisionCosts", "predict_cascade", "predict_three_way"]


@dataclass(frozen=True, kw_only=True)
class DecisionCosts:
    """Costs of the three decisions, for normal rows and for anomalies.

    Parameters
    ----------
    flag_normal, flag_anomaly : float, default=4, 0
        Cost of flagging a normal row, or an anomaly, as an anomaly.
    review_normal, review_anomaly : float, default=1, 2
        Cost of the review of a normal row, or of an anomaly.
    pass_normal, pass_anomaly : float, default=0, 10
        Cost of passing a normal row, or an anomaly, as normal.

    Raises
    ------
    ValueError
        Unless ``pass_normal <= review_normal <= flag_normal`` and ``flag_anomaly <= review_anomaly <= pass_anomaly``,
        with different first and last costs.

    See Also
    --------
    predict_three_way : Decisions at these costs.

    Notes
    -----
    The cuts are the two thresholds of [1]_, whose boundary region is the review here, and the third threshold where a
    review is never the cheapest decision.

    References
    ----------
    .. [1] Yao, Y. (2010). Three-way decisions with probabilistic rough sets. Information Sciences 180, 341-353.
       https://doi.org/10.1016/j.ins.2009.09.021

    Examples
    --------
    A higher cost of missed anomalies lowers the probability from which on rows are reviewed:

    >>> from skanomaly.threshold import DecisionCosts
    >>> [round(cut, 3) for cut in DecisionCosts().cuts()]
    [0.111, 0.6]
    >>> [round(cut, 3) for cut in DecisionCosts(pass_anomaly=50.0).cuts()]
    [0.02, 0.6]
    """

    flag_normal: float = 4.0
    flag_anomaly: float = 0.0
    review_normal: float = 1.0
    review_anomaly: float = 2.0
    pass_normal: float = 0.0
    pass_anomaly: float = 10.0

    def __post_init__(self) -> None:
        ordered = self.pass_normal <= self.review_normal <= self.flag_normal
        ordered &= self.flag_anomaly <= self.review_anomaly <= self.pass_anomaly
        if not (ordered and self.pass_normal < self.flag_normal and self.flag_anomaly < self.pass_anomaly):
            raise ValueError(
                "Costs must not decrease from pass to review to flag for a normal row, nor from flag to review to pass "
                f"for an anomaly, and flag and pass must cost different amounts; they are {self}."
            )

    def cuts(self) -> tuple[float, float]:
        """Return the anomaly probabilities from which on a row is reviewed, and flagged.

        Returns
        -------
        review, flag : float
            Equal where a review is never the cheapest decision.
        """

        def balance(normal: float, anomaly: float) -> float:
            return normal / (normal + anomaly) if normal + anomaly > 0 else 0.0

        flag = balance(self.flag_normal - self.review_normal, self.review_anomaly - self.flag_anomaly)
        review = balance(self.review_normal - self.pass_normal, self.pass_anomaly - self.review_anomaly)
        if flag <= review:
            flag = review = self.flagging_probability()
        return review, flag

    def flagging_probability(self) -> float:
        """Return the anomaly probability from which on flagging costs less than passing, without reviews.

        Returns
        -------
        float
        """
        alarm, miss = self.flag_normal - self.pass_normal, self.pass_anomaly - self.flag_anomaly
        return alarm / (alarm + miss)


@validate_params(
    {"evidence": ["array-like"], "costs": [DecisionCosts, None], "kind": [StrOptions({"probability", "pvalue"})]},
    prefer_skip_nested_validation=True,
)
def predict_three_way(
    evidence: Any, *, costs: DecisionCosts | None = None, kind: str = "probability"
) -> NDArray[np.int64]:
    """Decide at the least expected cost whether each row is normal, an anomaly, or to be reviewed.

    Parameters
    ----------
    evidence : array-like of shape (n_samples,)
        Anomaly probabilities (``ContaminationPosterior.anomaly_probability``), or conformal p-values of a
        batch (``ConformalDetector.pvalues``).
    costs : DecisionCosts or None, default=None
        None is ``DecisionCosts()``.
    kind : {"probability", "pvalue"}, default="probability"
        What `evidence` is. p-values are converted to probabilities by :func:`anomaly_probability_from_pvalues`, which
        uses the whole batch.

    Returns
    -------
    ndarray of shape (n_samples,), int64
        +1 normal, -1 anomaly, 0 review.

    Raises
    ------
    ValueError
        If evidence lies outside [0, 1] or is NaN.

    Notes
    -----
    The minimum-risk decisions of [1]_.

    References
    ----------
    .. [1] Yao, Y. (2010). Three-way decisions with probabilistic rough sets. Information Sciences 180, 341-353.
       https://doi.org/10.1016/j.ins.2009.09.021

    Examples
    --------
    >>> from skanomaly.threshold import DecisionCosts, predict_three_way
    >>> predict_three_way([0.05, 0.3, 0.9])
    array([ 1,  0, -1])
    >>> review, flag = DecisionCosts().cuts()
    >>> round(review, 3), round(flag, 3)
    (0.111, 0.6)
    """
    probability = np.asarray(evidence, dtype=np.float64)
    if not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError("evidence must lie between 0 and 1, without NaN.")
    if kind == "pvalue":
        probability = anomaly_probability_from_pvalues(probability)
    review, flag = (DecisionCosts() if costs is None else costs).cuts()
    return np.where(probability >= flag, -1, np.where(probability > review, 0, 1)).astype(np.int64)


@dataclass(frozen=True, repr=False)
class CascadeDecisions(ShortRepr):
    """Result of :func:`predict_cascade`.

    Attributes
    ----------
    decisions : ndarray of shape (n_samples,), int64
        +1 normal, -1 anomaly, 0 where the last stage still asks for a review.
    stages : ndarray of shape (n_samples,), intp
        Stage that made each decision, from 0.
    probabilities : ndarray of shape (n_samples,)
        Anomaly probability at that stage.

    Examples
    --------
    >>> from skanomaly.threshold import predict_cascade
    >>> predict_cascade([[0.05, 0.3, 0.9], lambda rows: [0.95]]).decisions
    array([ 1, -1, -1])
    """

    decisions: NDArray[np.int64]
    stages: NDArray[np.intp]
    probabilities: NDArray[np.float64]


def predict_cascade(
    evidence: Sequence[Any | Callable[[NDArray[np.intp]], Any]], *, costs: DecisionCosts | None = None
) -> CascadeDecisions:
    """Decide by a first stage, and hand over the rows that it would have reviewed to the next, more expensive stage.

    Parameters
    ----------
    evidence : sequence of array-like of shape (n_samples,) or callable
        Anomaly probabilities of each stage. The first is an array; a later one may be a callable that receives the
        indices of the rows handed over and returns their probabilities, so that the others cost nothing.
    costs : DecisionCosts or None, default=None
        None is ``DecisionCosts()``. The cost of a review decides which rows are handed over.

    Returns
    -------
    CascadeDecisions

    Raises
    ------
    ValueError
        If there is no stage, the first is callable, a probability lies outside [0, 1] or is NaN, or a stage returns
        another number of rows.

    See Also
    --------
    predict_three_way : The decision of one stage.

    Notes
    -----
    The hierarchical quality control of [1]_, whose stages are inspections by growing effort.

    References
    ----------
    .. [1] H. Liang et al., "Examining the Source of Defects from a Mechanical Perspective for 3D Anomaly Detection",
       2025. arXiv:2505.05901.

    Examples
    --------
    >>> from skanomaly.threshold import predict_cascade
    >>> found = predict_cascade([[0.05, 0.3, 0.9], [0.5, 0.02, 0.5]])
    >>> found.decisions.tolist(), found.stages.tolist()
    ([1, 1, -1], [0, 1, 0])
    """
    if not len(evidence) or callable(evidence[0]):
        raise ValueError("evidence must hold at least one stage, and the first must be an array of probabilities.")
    probabilities = np.array(evidence[0], dtype=np.float64)
    decisions = predict_three_way(probabilities, costs=costs)
    stages = np.zeros(len(probabilities), dtype=np.intp)
    for stage, given in enumerate(evidence[1:], start=1):
        rows = np.flatnonzero(decisions == 0)
        if not rows.size:
            break
        new = np.asarray(
            given(rows) if callable(given) else np.asarray(given, dtype=np.float64)[rows], dtype=np.float64
        )
        if new.shape != rows.shape:
            raise ValueError(
                f"Stage {stage} returned shape {new.shape} for {rows.size} rows; it must be ({rows.size},)."
            )
        decisions[rows], probabilities[rows], stages[rows] = predict_three_way(new, costs=costs), new, stage
    return CascadeDecisions(decisions, stages, probabilities)
