"""Three-way decisions: anomaly, normal, or look."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly.threshold._pvalues import anomaly_probability_from_pvalues

__all__ = ["DecisionCosts", "predict_three_way"]


@dataclass(frozen=True)
class DecisionCosts:
    """What each decision costs, by the truth of the row.

    Parameters
    ----------
    flag_normal, flag_anomaly : float, default=4, 0
        Calling a normal row, or an anomaly, an anomaly.
    look_normal, look_anomaly : float, default=1, 2
        Having a normal row, or an anomaly, looked at.
    pass_normal, pass_anomaly : float, default=0, 10
        Calling a normal row, or an anomaly, normal.

    Raises
    ------
    ValueError
        Unless ``pass_normal <= look_normal <= flag_normal`` and ``flag_anomaly <= look_anomaly <= pass_anomaly``, with
        the outer two unequal.

    See Also
    --------
    predict_three_way : Decisions at these costs.

    Notes
    -----
    With look for the boundary region the cuts are the two thresholds of [1]_, and its third where looking never pays.

    References
    ----------
    .. [1] Yao, Y. (2010). Three-way decisions with probabilistic rough sets. Information Sciences 180, 341-353.
       https://doi.org/10.1016/j.ins.2009.09.021

    Examples
    --------
    A missed anomaly that costs more lowers the probability from which on a row is looked at:

    >>> from skanomaly.threshold import DecisionCosts
    >>> [round(cut, 3) for cut in DecisionCosts().cuts()]
    [0.111, 0.6]
    >>> [round(cut, 3) for cut in DecisionCosts(pass_anomaly=50.0).cuts()]
    [0.02, 0.6]
    """

    flag_normal: float = 4.0
    flag_anomaly: float = 0.0
    look_normal: float = 1.0
    look_anomaly: float = 2.0
    pass_normal: float = 0.0
    pass_anomaly: float = 10.0

    def __post_init__(self) -> None:
        ordered = self.pass_normal <= self.look_normal <= self.flag_normal
        ordered &= self.flag_anomaly <= self.look_anomaly <= self.pass_anomaly
        if not (ordered and self.pass_normal < self.flag_normal and self.flag_anomaly < self.pass_anomaly):
            raise ValueError(
                "Costs must ascend from pass to look to flag for a normal row, and from flag to look to pass for an "
                f"anomaly, with the ends unequal; they are {self}."
            )

    def cuts(self) -> tuple[float, float]:
        """Return the probabilities of an anomaly from which on a row is looked at, and flagged.

        Returns
        -------
        look, flag : float
            Equal where looking never pays.
        """

        def balance(normal: float, anomaly: float) -> float:
            return normal / (normal + anomaly) if normal + anomaly > 0 else 0.0

        flag = balance(self.flag_normal - self.look_normal, self.look_anomaly - self.flag_anomaly)
        look = balance(self.look_normal - self.pass_normal, self.pass_anomaly - self.look_anomaly)
        if flag <= look:
            flag = look = balance(self.flag_normal - self.pass_normal, self.pass_anomaly - self.flag_anomaly)
        return look, flag


def predict_three_way(
    evidence: Any, *, costs: DecisionCosts | None = None, kind: str = "probability"
) -> NDArray[np.int64]:
    """Decide on each row at least expected cost: normal, anomaly, or look.

    Parameters
    ----------
    evidence : array-like of shape (n_samples,)
        Probabilities of being an anomaly (``ContaminationPosterior.anomaly_probability``), or conformal p-values of a
        batch (``ConformalDetector.pvalues``).
    costs : DecisionCosts or None, default=None
        None is ``DecisionCosts()``.
    kind : {"probability", "pvalue"}, default="probability"
        What `evidence` holds. p-values are turned to probabilities by :func:`anomaly_probability_from_pvalues`, which
        looks at the whole batch.

    Returns
    -------
    ndarray of shape (n_samples,), int64
        +1 normal, -1 anomaly, 0 look.

    Raises
    ------
    ValueError
        If evidence lies outside [0, 1] or is NaN, or `kind` is another word.
    TypeError
        If `costs` are no ``DecisionCosts``.

    Notes
    -----
    The decisions of least risk of [1]_.

    References
    ----------
    .. [1] Yao, Y. (2010). Three-way decisions with probabilistic rough sets. Information Sciences 180, 341-353.
       https://doi.org/10.1016/j.ins.2009.09.021

    Examples
    --------
    >>> from skanomaly.threshold import DecisionCosts, predict_three_way
    >>> predict_three_way([0.05, 0.3, 0.9])
    array([ 1,  0, -1])
    >>> look, flag = DecisionCosts().cuts()
    >>> round(look, 3), round(flag, 3)
    (0.111, 0.6)
    """
    if kind not in {"probability", "pvalue"}:
        raise ValueError(f"kind={kind!r} must be 'probability' or 'pvalue'.")
    if not (costs is None or isinstance(costs, DecisionCosts)):
        raise TypeError(f"costs={costs!r} must be a DecisionCosts, such as DecisionCosts(pass_anomaly=50.0).")
    probability = np.asarray(evidence, dtype=np.float64)
    if not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError("evidence must lie between 0 and 1, without NaN.")
    if kind == "pvalue":
        probability = anomaly_probability_from_pvalues(probability)
    look, flag = (DecisionCosts() if costs is None else costs).cuts()
    return np.where(probability >= flag, -1, np.where(probability > look, 0, 1)).astype(np.int64)
