"""The probability of being an anomaly, from distances alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["DistanceProbability"]

_PROPAGATION = 2.3
_N_NEIGHBORS = 5


@dataclass
class DistanceProbability:
    """Semi-supervised probability from distances to normal rows and labelled anomalies.

    The prior is a squashed k-th nearest distance; labels spread to neighbours with a Gaussian weight, as in SSDO.

    Attributes
    ----------
    reach, spread, cut : float
        Scales of the prior, of the spreading of labels, and of the final squash.
    """

    reach: float
    spread: float
    cut: float

    @classmethod
    def fit(cls, between: NDArray[np.float64], to_anomalies: NDArray[np.float64], rate: float) -> "DistanceProbability":
        """Find the scales.

        Parameters
        ----------
        between : ndarray of shape (n, n - 1)
            Ascending distances of each normal row to the others.
        to_anomalies : ndarray of shape (n, m)
            Distances from normal rows to labelled anomalies.
        rate : float
            Fraction of anomalies.

        Returns
        -------
        DistanceProbability
        """
        tiny = np.finfo(np.float64).tiny ** 0.25
        nearest = np.maximum(between[:, min(_N_NEIGHBORS, between.shape[1]) - 1], tiny)
        reach = float(np.quantile(nearest, 1 - rate))
        spread = float(1.0 / np.mean(1.0 / nearest))
        model = cls(reach, spread, 1.0)
        scores = model._scores(nearest, between, to_anomalies)
        model.cut = max(float(np.quantile(scores, 1 - rate)), tiny)
        return model

    def _scores(
        self, nearest: NDArray[np.float64], normals: NDArray[np.float64], anomalies: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        prior = 1.0 - np.exp2(-((nearest / self.reach) ** 2))
        near_anomalies = np.exp2(-((anomalies / self.spread) ** 2)).sum(axis=1)
        near_normals = np.exp2(-((normals / self.spread) ** 2)).sum(axis=1)
        return (prior + _PROPAGATION * near_anomalies) / (1.0 + _PROPAGATION * (near_anomalies + near_normals))

    def predict(self, to_normals: NDArray[np.float64], to_anomalies: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability of each point.

        Parameters
        ----------
        to_normals : ndarray of shape (p, n)
        to_anomalies : ndarray of shape (p, m)

        Returns
        -------
        ndarray of shape (p,)
        """
        rank = min(_N_NEIGHBORS, to_normals.shape[1]) - 1
        nearest = np.partition(to_normals, rank, axis=1)[:, rank]
        return 1.0 - np.exp2(-((self._scores(nearest, to_normals, to_anomalies) / self.cut) ** 2))
