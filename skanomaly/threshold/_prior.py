"""Prior on the contamination."""

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from scipy.optimize import brentq
from scipy.stats import beta

from skanomaly._support._parameters import ParameterObject
from skanomaly._support._sklearn import Interval
from skanomaly.threshold._distribution import BetaMixture

__all__ = ["ContaminationPrior"]


class ContaminationPrior(ParameterObject):
    """Prior on the contamination, the fraction of anomalies, from quantities that an expert can state.

    With probability `p_zero` there is no anomaly at all. Otherwise the contamination has a Beta distribution with the
    given mean that exceeds `high_contamination` with probability `p_high`, truncated at `max_contamination`.

    Parameters
    ----------
    mean : float, default=0.05
        Mean contamination where there are anomalies. Not used by :class:`GammaGMM`.
    high_contamination : float, default=0.15
        Contamination that would be surprisingly high.
    p_high : float, default=0.08
        Probability of a contamination above `high_contamination`, where there are anomalies.
    p_zero : float, default=0.1
        Probability that no row is an anomaly.
    max_contamination : float, default=0.5
        Largest possible contamination.

    See Also
    --------
    ContaminationPosterior : Uses it; ``prior__mean`` is the name in a grid search.

    Notes
    -----
    The published method [1]_ (:class:`GammaGMM`) has ``p_zero=0.01``, ``p_high=0.01``,
    ``high_contamination=0.15`` and ``max_contamination=0.25``.

    References
    ----------
    .. [1] Perini, L., Bürkner, P.-C. and Klami, A. (2023). Estimating the contamination factor's distribution in
       unsupervised anomaly detection. ICML. arXiv:2210.10487.

    Examples
    --------
    >>> from skanomaly.threshold import ContaminationPrior
    >>> round(ContaminationPrior().distribution().mean(), 3)
    0.045
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "mean": [Interval(Real, 0, 1, closed="neither")],
        "high_contamination": [Interval(Real, 0, 1, closed="neither")],
        "p_high": [Interval(Real, 0, 1, closed="neither")],
        "p_zero": [Interval(Real, 0, 1, closed="neither")],
        "max_contamination": [Interval(Real, 0, 1, closed="right")],
    }

    def __init__(
        self,
        *,
        mean: float = 0.05,
        high_contamination: float = 0.15,
        p_high: float = 0.08,
        p_zero: float = 0.1,
        max_contamination: float = 0.5,
    ) -> None:
        self.mean = mean
        self.high_contamination = high_contamination
        self.p_high = p_high
        self.p_zero = p_zero
        self.max_contamination = max_contamination

    def distribution(self) -> BetaMixture:
        """Return the prior as a distribution.

        Returns
        -------
        ContaminationDistribution

        Raises
        ------
        ValueError
            If `high_contamination` does not lie between `mean` and `max_contamination`.
        """
        self._validate_params()
        if not self.mean < self.high_contamination < self.max_contamination:
            raise ValueError(
                f"mean={self.mean}, high_contamination={self.high_contamination} and "
                f"max_contamination={self.max_contamination} must be in increasing order."
            )

        def excess(log_size: float) -> float:
            size = np.exp(log_size)
            return float(beta.sf(self.high_contamination, self.mean * size, (1 - self.mean) * size)) - self.p_high

        # The tail probability rises, then falls, with dispersion; the concentrated solution is the one meant.
        scan = np.linspace(8.0, -1.0, 60)
        values = [excess(size) for size in scan]
        crossed = next((index for index in range(1, 60) if values[index - 1] <= 0 < values[index]), None)
        log_size = scan[int(np.argmax(values))] if crossed is None else brentq(excess, scan[crossed], scan[crossed - 1])
        size = float(np.exp(log_size))
        return BetaMixture(
            1.0, self.mean * size, (1 - self.mean) * size, p_zero=self.p_zero, upper=self.max_contamination
        )
