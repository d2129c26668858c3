"""Expected cost of decisions under all ratios of costs."""

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._results import ShortRepr
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.metrics._labels import check_ranked

__all__ = ["CostCurve", "cost_curve"]


@dataclass(frozen=True, repr=False)
class CostCurve(ShortRepr):
    """Lowest cost of a threshold for each ratio of costs, from :func:`cost_curve`.

    Attributes
    ----------
    weight : ndarray of shape (n_points,)
        Weight of the misses, in [0, 1]: the fraction of anomalies times the cost of a miss, over the sum of that and
        the same of false alarms.
    cost : ndarray of shape (n_points,)
        Normalised cost at the best threshold: 0 for perfect scores, at most the smaller of `weight` and
        ``1 - weight``, the costs of flagging nothing and of flagging everything.
    threshold : ndarray of shape (n_points,)
        Threshold that reaches it: rows that score lower are flagged; infinity flags all, minus infinity none.

    Examples
    --------
    >>> from skanomaly.metrics import cost_curve
    >>> cost_curve([1, 1, -1], [0.9, 0.8, 0.1], n_points=3).area
    0.0
    """

    weight: NDArray[np.float64]
    cost: NDArray[np.float64]
    threshold: NDArray[np.float64]

    @property
    def area(self) -> float:
        """Mean cost over all weights: 0 for perfect scores, 0.25 where no threshold is better than a constant."""
        return float(np.trapezoid(self.cost, self.weight))

    def at(self, *, cost_ratio: float, contamination: float) -> tuple[float, float]:
        """Return the cost and the threshold for given costs.

        Parameters
        ----------
        cost_ratio : float
            Cost of a missed anomaly over that of a false alarm; above 0.
        contamination : float
            Fraction of anomalies where the threshold will be used, in (0, 1).

        Returns
        -------
        cost, threshold : float
            At the nearest computed weight.
        """
        if not cost_ratio > 0 or not 0 < contamination < 1:
            raise ValueError(
                f"cost_ratio={cost_ratio!r} must be above 0, and contamination={contamination!r} in (0, 1)."
            )
        miss = cost_ratio * contamination
        place = int(np.abs(self.weight - miss / (miss + 1 - contamination)).argmin())
        return float(self.cost[place]), float(self.threshold[place])


@validate_params({"n_points": [Interval(Integral, 2, None, closed="left")]}, prefer_skip_nested_validation=True)
def cost_curve(
    y_true: Any, y_score: Any, *, n_points: int = 101, pos_label: Any = None, sample_weight: Any = None
) -> CostCurve:
    r"""Compute the lowest expected cost over all thresholds, for every ratio of the costs of misses and false alarms.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    n_points : int, default=101
        Number of weights, evenly from 0 to 1.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.
    sample_weight : array-like of shape (n_samples,), default=None
        A row of weight 2 counts as two rows.

    Returns
    -------
    CostCurve

    Raises
    ------
    ValueError
        If there is no anomaly or no normal row.

    See Also
    --------
    skanomaly.threshold.CostThreshold : Sets a threshold for given costs.

    Notes
    -----
    With weight :math:`w` the cost of a threshold is :math:`w (1 - \text{TPR}) + (1 - w) \text{FPR}`: a line for each
    threshold, of which the curve is the lower envelope [1]_. The best threshold is chosen on the labels given, so the
    curve is optimistic for few anomalies.

    References
    ----------
    .. [1] C. Drummond and R. C. Holte (2006). Cost curves: an improved method for visualizing classifier performance.
       Machine Learning 65. https://doi.org/10.1007/s10994-006-8199-5

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.metrics import cost_curve
    >>> y_true = np.where(np.arange(1000) < 100, -1, 1)
    >>> y_score = np.random.default_rng(0).normal(size=1000) - 2 * (y_true == -1)
    >>> curve = cost_curve(y_true, y_score)
    >>> cheap, dear = (
    ...     curve.at(cost_ratio=ratio, contamination=0.1)[1] for ratio in (1, 50)
    ... )
    >>> cheap < dear, round(curve.area, 2)  # where a miss costs more, more rows are flagged
    (True, 0.11)
    """
    ranked = check_ranked(y_true, y_score, pos_label, sample_weight)
    if not ranked.has_both:
        raise ValueError("y_true has no anomaly or no normal row of positive weight; costs need both.")
    rows, hits = (np.append(0.0, values) for values in ranked.cumulated())
    misses, alarms = 1.0 - hits / hits[-1], (rows - hits) / (rows[-1] - hits[-1])
    values = -np.unique(ranked.outlyingness)[::-1]  # distinct scores, the lowest first
    # The next score as a threshold flags those below it.
    thresholds = np.concatenate([[-np.inf], values[1:], [np.inf]])
    weight = np.linspace(0.0, 1.0, n_points)
    best = np.array([int(np.argmin(one * misses + (1 - one) * alarms)) for one in weight])
    cost = weight * misses[best] + (1 - weight) * alarms[best]
    return CostCurve(weight=weight, cost=cost, threshold=thresholds[best])
